"""Who shall say and who said: rounds, assignments, decisions, submissions, comments, items, discussions, gold."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String, UniqueConstraint
from sqlmodel import Column, Field, SQLModel

from annotator.models.words import Condition, ItemField, Kind, now


class Round(SQLModel, table=True):
    """One pass of people over conversations. The round named "" holds what was imported without one."""

    __tablename__ = "round"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    run_id: int | None = Field(default=None, foreign_key="run.id")
    taxonomy_version_id: int = Field(foreign_key="taxonomy_version.id")
    created_at: datetime = Field(default_factory=now)
    closed_at: datetime | None = None
    instructions: str = ""
    """What the lead tells the annotators, in Markdown."""
    plan: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """How it was drawn: overlap, blind and repeats (shares), seed, selection; empty for imported rounds."""


class RoundConversation(SQLModel, table=True):
    """A conversation in a round, with its condition, drawn before anyone opens it."""

    __tablename__ = "round_conversation"
    round_id: int = Field(foreign_key="round.id", primary_key=True)
    conversation_id: int = Field(foreign_key="conversation.id", primary_key=True)
    condition: Condition = Field(sa_type=String)


class Assignment(SQLModel, table=True):
    """Who labels which conversation in which round. A `repeat` is the same once more, for a person's agreement with themselves."""

    __tablename__ = "assignment"
    __table_args__ = (
        UniqueConstraint("round_id", "conversation_id", "user_id", "repeat"),
        Index(None, "user_id", "conversation_id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    round_id: int = Field(foreign_key="round.id")
    conversation_id: int = Field(foreign_key="conversation.id", index=True)
    user_id: int = Field(foreign_key="users.id")
    repeat: bool = False


class Decision(SQLModel, table=True):
    """What a person did to an utterance, never changed: undo adds a retraction.

    `act_key` is the browser's own id of the act, which makes a repeated request harmless. Decisions with one `group_key` were
    made by one key press and are taken back by one. `seconds` is the time the utterance had the focus, as the browser counts it.
    """

    __tablename__ = "decision"
    __table_args__ = (Index(None, "assignment_id", "utterance_id"), UniqueConstraint("assignment_id", "act_key"))
    id: int | None = Field(default=None, primary_key=True)
    assignment_id: int = Field(foreign_key="assignment.id")
    utterance_id: int = Field(foreign_key="utterance.id")
    kind: Kind = Field(sa_type=String)
    codes: str = ""
    retracts_id: int | None = Field(default=None, foreign_key="decision.id", unique=True)
    act_key: str | None = None
    taxonomy_version_id: int = Field(foreign_key="taxonomy_version.id")
    condition: Condition = Field(sa_type=String)
    seconds: float | None = None
    decided_at: datetime = Field(default_factory=now)
    group_key: str | None = None
    reason: str = ""
    """Why it was flagged, where somebody says so."""


class Submission(SQLModel, table=True):
    """A conversation handed in, or opened again. `last_decision_id` marks what stood then."""

    __tablename__ = "submission"
    id: int | None = Field(default=None, primary_key=True)
    assignment_id: int = Field(foreign_key="assignment.id", index=True)
    handed_in: bool
    last_decision_id: int
    submitted_at: datetime = Field(default_factory=now)


class FirstLabels(SQLModel, table=True):
    """What stood when an assignment was first handed in, side by side, so that figures need not read every decision.

    `labels` maps each role to an entry per utterance of it, in their order: its codes joined by `|`, false for a skip, null where
    nothing was said. It follows from the decisions (`flow/first_labels.py`); files that bring more labels make it anew.
    """

    __tablename__ = "first_labels"
    assignment_id: int = Field(foreign_key="assignment.id", primary_key=True)
    labels: dict[str, list[str | bool | None]] = Field(sa_column=Column(JSON, nullable=False))
    taxonomy_version_id: int
    """The version of the newest of them."""


class Comment(SQLModel, table=True):
    """What is said about one person's work on one utterance, by them or a lead. The thread is resolved when its newest `resolves`."""

    __tablename__ = "comment"
    __table_args__ = (Index(None, "assignment_id", "utterance_id"), UniqueConstraint("assignment_id", "act_key"))
    id: int | None = Field(default=None, primary_key=True)
    assignment_id: int = Field(foreign_key="assignment.id")
    utterance_id: int = Field(foreign_key="utterance.id")
    user_id: int = Field(foreign_key="users.id")
    body: str = ""
    resolves: bool = False
    act_key: str | None = None
    said_at: datetime = Field(default_factory=now)


class ReasonOpened(SQLModel, table=True):
    """An annotator read why the tagger proposes what it does, before or after deciding."""

    __tablename__ = "reason_opened"
    id: int | None = Field(default=None, primary_key=True)
    assignment_id: int = Field(foreign_key="assignment.id", index=True)
    utterance_id: int = Field(foreign_key="utterance.id")
    opened_at: datetime = Field(default_factory=now)


class ItemDecision(SQLModel, table=True):
    """What a person says of a conversation's items: the whole list of numbers, joined by `|`; the newest of a field counts."""

    __tablename__ = "item_decision"
    __table_args__ = (UniqueConstraint("assignment_id", "act_key"),)
    id: int | None = Field(default=None, primary_key=True)
    assignment_id: int = Field(foreign_key="assignment.id")
    field: ItemField = Field(sa_type=String)
    numbers: str = ""
    act_key: str | None = None
    decided_at: datetime = Field(default_factory=now)


class Gold(SQLModel, table=True):
    """A settled label, beside the decisions; the newest counts, and counts for nothing when it is `withdrawn`."""

    __tablename__ = "gold"
    id: int | None = Field(default=None, primary_key=True)
    utterance_id: int = Field(foreign_key="utterance.id", index=True)
    codes: str
    rule: str
    """A `Rule`, or the word of an older version."""
    user_id: int | None = Field(default=None, foreign_key="users.id")
    settled_at: datetime = Field(default_factory=now)
    round_id: int | None = None
    """The round whose labels it settles; none where it came from a file."""
    reason: str = ""
    comment: str = ""


class Discussion(SQLModel, table=True):
    """An utterance sent back by a lead to those who labelled it, with their labels shown; open until its gold is settled."""

    __tablename__ = "discussion"
    id: int | None = Field(default=None, primary_key=True)
    round_id: int = Field(foreign_key="round.id", index=True)
    utterance_id: int = Field(foreign_key="utterance.id", index=True)
    user_id: int = Field(foreign_key="users.id")
    note: str = ""
    opened_at: datetime = Field(default_factory=now)
