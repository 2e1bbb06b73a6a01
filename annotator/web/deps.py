"""What endpoints share: one transaction with the person who asks, and forms as typed values."""

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import Request
from sqlmodel import Session

from annotator.db import Database
from annotator.flow import accounts
from annotator.models import User
from annotator.settings import Settings

COOKIE = "annotator_sign_in"


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
        yield session, accounts.signed_in(session, request.cookies.get(COOKIE))


@contextmanager
def writing(request: Request) -> Iterator[tuple[Session, User]]:
    """One transaction, on disk when the block ends, and who is signed in; raises `NotSignedIn`."""
    with database(request).writing() as session:
        yield session, accounts.signed_in(session, request.cookies.get(COOKIE))


def is_fragment(request: Request) -> bool:
    """Whether a script asks for a piece of a page rather than a browser for a page."""
    return request.headers.get("hx-request") == "true"
