"""What a lead does about people: add them, give them links, disable them. How anybody signs in is `flow/accounts.py`'s."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlmodel import Session, col

from annotator.errors import Conflict
from annotator.flow import accounts
from annotator.flow.access import Right, require
from annotator.models import Role, User, now

_TWICE = timedelta(minutes=1)
"""Within this time the same person added again is the same press of a button."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as the lead sees them."""

    name: str
    role: Role
    state: str
    is_disabled: bool
    is_me: bool


def people(session: Session, lead: User) -> list[Person]:
    """Everybody, by name."""
    require(lead, Right.LEAD)
    return [
        Person(one.name, Role(one.role), accounts.state_of(one), one.disabled_at is not None, one.id == lead.id)
        for one in accounts.list_users(session)
    ]


def add(session: Session, lead: User, name: str, role: Role) -> str:
    """Add a person; returns the token of their one-time link.

    Whoever was added in the last minute in the same role and has used no link yet gets a new one: a button pressed twice, of whose
    two answers the browser shows only the second.
    """
    require(lead, Right.LEAD)
    there = accounts.find_user(session, accounts.clean_name(name))
    if there is None or there.disabled_at or not (there.password_hash or there.link_hash):
        return accounts.add_user(session, name, role)
    if there.password_hash or there.role != role or there.created_at < now() - _TWICE:
        raise Conflict(f"There is a user {there.name} already. The button New link beside the name gives them another link.")
    return accounts.new_link(session, there.name)


def give_link(session: Session, lead: User, name: str) -> str:
    """Give somebody a new one-time link; returns its token."""
    require(lead, Right.LEAD)
    return accounts.new_link(session, name)


def disable(session: Session, lead: User, name: str) -> None:
    """Let somebody in no more, but never so that nobody is left who could let people in again."""
    require(lead, Right.LEAD)
    person = accounts.get_user(session, name)
    if person.id == lead.id:
        raise Conflict("You cannot disable yourself, so that nobody locks everybody out by mistake. Another lead can.")
    if person.role == Role.LEAD and not _other_active_leads(session, person):
        raise Conflict(f"{name} is the last lead who can sign in, and nobody could let people in again. Add another lead first.")
    accounts.disable(session, name)


def _other_active_leads(session: Session, person: User) -> int:
    statement = select(func.count()).where(
        col(User.role) == Role.LEAD, col(User.id) != person.id, col(User.password_hash).is_not(None), col(User.disabled_at).is_(None)
    )
    return session.scalar(statement) or 0
