"""What endpoints share: one transaction with the person who asks, and forms as typed values."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Request
from pydantic import Field
from sqlmodel import Session

from annotator.db import Database
from annotator.errors import NotSignedIn
from annotator.flow import accounts
from annotator.flow.memory import give_back
from annotator.models import User
from annotator.settings import Settings

ActKey = Annotated[str, Field(min_length=8, max_length=64, pattern="^[A-Za-z0-9_-]+$")]
"""A form's own id, new for each act, so that sending it twice saves it once."""

COOKIE = "annotator_sign_in"
PAGE_OF = "annotator-user"
"""The header in which a page says whose it is: what waited in a browser is saved in nobody else's name who signs in there."""


def database(request: Request) -> Database:
    """The database of this server."""
    found: Database = request.app.state.db
    return found


def settings_of(request: Request) -> Settings:
    """The settings of this server."""
    found: Settings = request.app.state.settings
    return found


@contextmanager
def reading(request: Request) -> Iterator[tuple[Session, User]]:
    """A session to read with, and who is signed in; raises `NotSignedIn`."""
    with database(request).reading() as session:
        yield session, _signed_in(session, request)


@contextmanager
def writing(request: Request) -> Iterator[tuple[Session, User]]:
    """One transaction, on disk when the block ends, and who is signed in; raises `NotSignedIn`."""
    with database(request).writing() as session:
        yield session, _signed_in(session, request)


def _signed_in(session: Session, request: Request) -> User:
    user = accounts.signed_in(session, request.cookies.get(COOKIE))
    if request.headers.get(PAGE_OF, str(user.id)) != str(user.id):
        raise NotSignedIn("Somebody else has signed in in this browser since this page was opened.")
    return user


def giving_back() -> Iterator[None]:
    """For pages that count much: the memory they took is given back when the answer is sent."""
    yield
    give_back()


def is_fragment(request: Request) -> bool:
    """Whether a script asks for a piece of a page rather than a browser for a page."""
    return request.headers.get("hx-request") == "true"
