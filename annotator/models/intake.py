"""What comes in: taxonomy versions, conversations with their turns and utterances, scenarios, catalogue items, uploads."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, LargeBinary, UniqueConstraint
from sqlmodel import Column, Field, SQLModel

from annotator.models.words import now


class TaxonomyVersion(SQLModel, table=True):
    """A taxonomy by its meaning. `source` is empty where only an import named the fingerprint."""

    __tablename__ = "taxonomy_version"
    id: int | None = Field(default=None, primary_key=True)
    fingerprint: str = Field(unique=True)
    source: str = ""
    adopted_at: datetime = Field(default_factory=now)


class Conversation(SQLModel, table=True):
    """One conversation. `key` is the source's own id."""

    __tablename__ = "conversation"
    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    text_hash: str = Field(index=True)
    meta: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    n_utterances: int
    created_at: datetime = Field(default_factory=now)


class Turn(SQLModel, table=True):
    """One stretch of one speaker role; `number` is the source's own."""

    __tablename__ = "turn"
    conversation_id: int = Field(foreign_key="conversation.id", primary_key=True)
    position: int = Field(primary_key=True)
    number: int
    role: str
    timestamp: str = ""


class Utterance(SQLModel, table=True):
    """The unit that is labelled. `position` counts from 1 in its conversation; `key` is the source's own id."""

    __tablename__ = "utterance"
    __table_args__ = (UniqueConstraint("conversation_id", "position"),)
    id: int | None = Field(default=None, primary_key=True)
    conversation_id: int = Field(foreign_key="conversation.id")
    position: int
    turn_position: int
    key: str
    role: str
    text: str


class Scenario(SQLModel, table=True):
    """The task that conversations were held under; `Conversation.meta["scenario"]` names its key."""

    __tablename__ = "scenario"
    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    body: str


class Item(SQLModel, table=True):
    """One catalogue item with its picture."""

    __tablename__ = "item"
    __table_args__ = (UniqueConstraint("catalogue", "number"),)
    id: int | None = Field(default=None, primary_key=True)
    number: int
    catalogue: str
    name: str
    meta: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    picture: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    picture_type: str = ""


class ItemRating(SQLModel, table=True):
    """How one side rated the items after a conversation: the source's row."""

    __tablename__ = "item_rating"
    __table_args__ = (UniqueConstraint("conversation_id", "role"),)
    id: int | None = Field(default=None, primary_key=True)
    conversation_id: int = Field(foreign_key="conversation.id")
    role: str
    row: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))


class Upload(SQLModel, table=True):
    """A file that a lead sent and has not yet decided on: kept here so that any process can go on with it."""

    __tablename__ = "upload"
    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(index=True)
    """Names the files that were sent together."""
    user_id: int = Field(foreign_key="users.id")
    name: str
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    sent_at: datetime = Field(default_factory=now)
