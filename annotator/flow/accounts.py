"""Accounts: one-time links, passwords, signed-in browsers. No open sign-up, no default password."""

import hashlib
import secrets
import unicodedata
from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import bindparam, delete, func, select
from sqlmodel import Session, col

from annotator.errors import BadInput, Conflict, NotFound, NotSignedIn, TooManyTries
from annotator.models import FailedSignIn, Role, SignIn, User, now

LINK_DAYS = 7
SHORTEST_PASSWORD = 10
_TRIES, _TRY_MINUTES = 10, 15
_TAKEN_WORDS = ("gold", "all")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@cache
def _passwords() -> Any:
    # Loaded when first needed: argon2 takes memory that most requests never use. 19 MiB and 2 passes are OWASP's minimum.
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    return PasswordHash((Argon2Hasher(memory_cost=19456, time_cost=2, parallelism=1),))


@cache
def _nobodys_hash() -> str:
    """Checked when the name is unknown, so that the answer takes as long."""
    return str(_passwords().hash(secrets.token_urlsafe()))


def _spelled(name: str) -> str:
    """A name in its one spelling."""
    return unicodedata.normalize("NFC", name).strip()[:100]


def clean_name(name: str) -> str:
    """A name in its one spelling, or `BadInput`: 1 to 60 printable characters, none of `|`, and no word we use ourselves."""
    name = _spelled(name)
    if not name or len(name) > 60 or "|" in name or not name.isprintable():
        raise BadInput(f"{name!r} cannot be a name: use 1 to 60 printable characters without `|`.")
    if name.casefold() in _TAKEN_WORDS:
        raise BadInput(f"{name!r} cannot be a name: exports use this word themselves. Choose another.")
    return name


def add_user(session: Session, name: str, role: Role) -> str:
    """Add a person who can sign in, and return the token of their one-time link.

    A name that so far came from imported labels only becomes this person's.
    """
    name = clean_name(name)
    if "," in name or name.isdigit():
        raise BadInput(f"{name!r} cannot be a name: commas part names on the command line, and numbers are runs. Choose another.")
    user = find_user(session, name)
    if user is not None and (user.password_hash or user.link_hash):
        raise Conflict(f"There is a user {name} already. Give them a new link instead (`annotator user link {name}`).")
    user = user or User(name=name, role=role)
    user.role = role
    session.add(user)
    return _give_link(session, user)


def new_link(session: Session, name: str) -> str:
    """Give a new one-time link; the older link stops working, the password works on until the link is used."""
    return _give_link(session, get_user(session, name))


def _give_link(session: Session, user: User) -> str:
    token = secrets.token_urlsafe(24)
    user.link_hash, user.link_expires_at = _hash(token), now() + timedelta(days=LINK_DAYS)
    user.disabled_at = None
    session.add(user)
    session.flush()
    return token


def disable(session: Session, name: str) -> None:
    """Sign a user out everywhere and let them in no more. Their labels stay."""
    user = get_user(session, name)
    # Without the old password: a later link lets them in again, and only that.
    user.disabled_at, user.password_hash, user.link_hash, user.link_expires_at = now(), None, None, None
    session.execute(delete(SignIn).where(col(SignIn.user_id) == user.id))
    session.add(user)


def list_users(session: Session) -> list[User]:
    """Everybody, by name."""
    return list(session.scalars(select(User).order_by(col(User.name))))


def state_of(user: User) -> str:
    """Whether and how a user can sign in, in a few words."""
    if user.disabled_at:
        return "disabled"
    if user.password_hash:
        return "active"
    return "has a link, not used yet" if user.link_hash else "name of imported labels only"


def find_user(session: Session, name: str) -> User | None:
    """The user of this name, if any."""
    return session.scalars(select(User).where(col(User.name) == name)).one_or_none()


def get_user(session: Session, name: str) -> User:
    """The user of this name, or a sentence."""
    user = find_user(session, name)
    if user is None:
        known = ", ".join(person.name for person in list_users(session)) or "nobody yet"
        raise NotFound(f"There is no user {name!r}. Known: {known}.")
    return user


def named(session: Session, name: str) -> User:
    """The user of a name that a file gives to labels; made without any way to sign in where there is none."""
    name = clean_name(name)
    user = find_user(session, name)
    if user is None:
        user = User(name=name, role=Role.ANNOTATOR)
        session.add(user)
        session.flush()
    return user


def link_owner(session: Session, token: str) -> User:
    """Whose valid one-time link this is. Looking does not use it up, so that mail scanners cannot."""
    user = session.scalars(select(User).where(col(User.link_hash) == _hash(token))).one_or_none()
    if user is None or user.link_expires_at is None or user.link_expires_at < now() or user.disabled_at:
        raise NotFound("This link was used already or is older than 7 days. Ask the lead for a new one.")
    return user


def use_link(session: Session, token: str, password: str, days: int) -> str:
    """Set the password, use the link up, sign out other browsers and return a sign-in token."""
    user = link_owner(session, token)
    if len(password) < SHORTEST_PASSWORD:
        raise BadInput(f"The password has {len(password)} characters; it needs at least {SHORTEST_PASSWORD}.")
    user.password_hash = _passwords().hash(password[:1000])
    user.link_hash = user.link_expires_at = None
    session.add(user)
    session.execute(delete(SignIn).where(col(SignIn.user_id) == user.id))
    return _sign_in(session, user, days)


def check_password(session: Session, name: str, password: str) -> User | None:
    """The user, when the password is right. Slow on purpose, so not for a writing session."""
    user = find_user(session, _spelled(name))
    known = user is not None and user.password_hash is not None and user.disabled_at is None
    stored = user.password_hash if user and known else _nobodys_hash()
    return user if _passwords().verify(password[:1000], stored) and known else None


def check_tries(session: Session, name: str) -> None:
    """Raise `TooManyTries` after ten wrong passwords for a name within a quarter of an hour."""
    since = now() - timedelta(minutes=_TRY_MINUTES)
    tries = session.scalar(
        select(func.count()).where(col(FailedSignIn.name) == _spelled(name), col(FailedSignIn.failed_at) > since)
    )
    if (tries or 0) >= _TRIES:
        raise TooManyTries(f"Too many wrong passwords for {_spelled(name)}. Wait {_TRY_MINUTES} minutes, or ask the lead for a new link.")


def sign_in(session: Session, name: str, user: User | None, days: int) -> str | None:
    """Record the outcome of `check_password`: a sign-in token, or None and one more wrong try."""
    if user is None:
        session.execute(delete(FailedSignIn).where(col(FailedSignIn.failed_at) < now() - timedelta(minutes=_TRY_MINUTES)))
        session.add(FailedSignIn(name=_spelled(name)))
        return None
    session.execute(delete(FailedSignIn).where(col(FailedSignIn.name) == user.name))
    session.execute(delete(SignIn).where(col(SignIn.expires_at) < now()))
    return _sign_in(session, user, days)


def _sign_in(session: Session, user: User, days: int) -> str:
    token = secrets.token_urlsafe(32)
    assert user.id is not None
    session.add(SignIn(token_hash=_hash(token), user_id=user.id, expires_at=now() + timedelta(days=days)))
    return token


def sign_out(session: Session, token: str) -> None:
    """Forget this browser."""
    session.execute(delete(SignIn).where(col(SignIn.token_hash) == _hash(token)))


# Built once: every request runs it, and building a statement takes longer than running it.
_WHO = (
    select(User)
    .join(SignIn, col(SignIn.user_id) == col(User.id))
    .where(col(SignIn.token_hash) == bindparam("token"), col(SignIn.expires_at) > bindparam("now"), col(User.disabled_at).is_(None))
)


def signed_in(session: Session, token: str | None) -> User:
    """Whose browser this is, or `NotSignedIn`."""
    user = token and session.scalars(_WHO, {"token": _hash(token), "now": now()}).one_or_none()
    if not user:
        raise NotSignedIn("You are not signed in, or not any more. Sign in to go on; nothing you saved is lost.")
    return user
