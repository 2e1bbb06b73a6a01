"""What the screen tests share: who looks at what, and what was saved."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlmodel import col, select

from annotator.db import Database
from annotator.models import Assignment, Conversation, Decision, User

Browse = Callable[[str], TestClient]
Saved = Callable[[], list[Decision]]


@pytest.fixture
def alice(browse: Browse) -> TestClient:
    return browse("alice")


@pytest.fixture
def desk_of(db: Database) -> Callable[..., str]:
    """The address of somebody's desk for a conversation."""

    def find(name: str, conversation: str = "s1_d_1") -> str:
        statement = select(Assignment.id).join(User).join(Conversation, col(Conversation.id) == col(Assignment.conversation_id))
        with db.reading() as session:
            found = session.exec(statement.where(User.name == name, Conversation.key == conversation)).one()
        return f"/review/{found}"

    return find


@pytest.fixture
def desk(desk_of: Callable[..., str]) -> str:
    """The address of Alice's first desk."""
    return desk_of("alice")


@pytest.fixture
def saved(db: Database) -> Saved:
    """Every decision in the database, oldest first."""

    def read() -> list[Decision]:
        with db.reading() as session:
            return list(session.exec(select(Decision).order_by(col(Decision.id))))

    return read
