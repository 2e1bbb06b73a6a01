"""Every table. Facts are only added; what is current is a query in `flow/`.

No `from __future__ import annotations` here: SQLModel reads the annotations.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, LargeBinary, MetaData, String, UniqueConstraint
from sqlmodel import Column, Field, SQLModel

SQLModel.metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def now() -> datetime:
    """The current time in UTC, to the millisecond, which is what exports hold."""
    time = datetime.now(UTC)
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


class Role(StrEnum):
    """What an account may do; `flow/access.py` says what that is."""

    ANNOTATOR = "annotator"
    LEAD = "lead"
    RESEARCHER = "researcher"


class Condition(StrEnum):
    """Whether the proposals of a (round, conversation) are shown. Unknown only for imported labels."""

    ASSISTED = "assisted"
    BLIND = "blind"
    UNKNOWN = ""


class Kind(StrEnum):
    """What a decision does. The first four give an utterance its label; a flag hides none."""

    CONFIRM = "confirm"
    CHANGE = "change"
    SKIP = "skip"
    IMPORT = "import"
    FLAG = "flag"
    UNFLAG = "unflag"
    RETRACT = "retract"


LABELLING = (Kind.CONFIRM, Kind.CHANGE, Kind.SKIP, Kind.IMPORT)


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


class User(SQLModel, table=True):
    """A person. Without password and link nobody can sign in as them, as with names that came from a file."""

    __tablename__ = "users"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    role: Role = Field(sa_type=String)
    password_hash: str | None = None
    link_hash: str | None = Field(default=None, unique=True)
    link_expires_at: datetime | None = None
    disabled_at: datetime | None = None
    created_at: datetime = Field(default_factory=now)


class SignIn(SQLModel, table=True):
    """A browser that is signed in. Only the hash of its token is kept."""

    __tablename__ = "sign_in"
    id: int | None = Field(default=None, primary_key=True)
    token_hash: str = Field(unique=True)
    user_id: int = Field(foreign_key="users.id", index=True)
    expires_at: datetime


class FailedSignIn(SQLModel, table=True):
    """A wrong password, so that guessing can be slowed down."""

    __tablename__ = "failed_sign_in"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(index=True)
    failed_at: datetime = Field(default_factory=now)


class Run(SQLModel, table=True):
    """One pass of one tagger. `leased_by` and `heartbeat_at` say which process works on it."""

    __tablename__ = "run"
    id: int | None = Field(default=None, primary_key=True)
    tagger: str
    version: str
    settings: dict[str, str] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    threshold: float
    taxonomy_version_id: int = Field(foreign_key="taxonomy_version.id")
    known: str
    """Fingerprint of the labels the tagger learnt from."""
    train_on: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    selection: dict[str, list[str]] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """Which conversations: patterns under `only` and `leave_out`; empty is all."""
    n_conversations: int = 0
    n_utterances: int = 0
    seconds: float = 0.0
    started_at: datetime = Field(default_factory=now)
    finished_at: datetime | None = None
    leased_by: str | None = None
    heartbeat_at: datetime | None = None
    on_server: bool = False
    """Whether the server works on it, rather than a command somebody typed."""
    paused_at: datetime | None = None
    stopped: str = ""
    """Why it stopped by itself, and what to do."""
    manner: dict[str, str] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """How to go about it, which may differ from start to start: tier, concurrency, max_cost …"""
    retries: int = 0
    """How often its failures were asked again."""


class Call(SQLModel, table=True):
    """One answer of a provider as it came, so that a better parser can read it again without paying again.

    `key` identifies what was asked, by content. `finish` is the provider's word for how the answer ended; tokens are the
    provider's own counts (`tokens_in` includes the cached ones), `cost` is in USD by the price table of that day.
    """

    __tablename__ = "call"
    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="run.id", index=True)
    conversation_id: int | None = Field(default=None, foreign_key="conversation.id", index=True)
    taxonomy_version_id: int = Field(foreign_key="taxonomy_version.id")
    key: str
    prompt_hash: str
    model_version: str
    finish: str = ""
    raw: str = ""
    note: str = ""
    """What was odd about it, and what was done."""
    tokens_in: int = 0
    tokens_cached: int = 0
    tokens_out: int = 0
    cost: float | None = None
    seconds: float = 0.0
    answered_at: datetime = Field(default_factory=now)


class Failure(SQLModel, table=True):
    """Why a run has no suggestion for an utterance. It goes when a retry brings one; the answers that led here stay."""

    __tablename__ = "failure"
    utterance_id: int = Field(foreign_key="utterance.id", primary_key=True)
    run_id: int = Field(foreign_key="run.id", primary_key=True)
    reason: str
    failed_at: datetime = Field(default_factory=now)


class Calibration(SQLModel, table=True):
    """How often a run is right at each confidence it states, measured on people's labels; the newest of a run counts.

    `knots` maps stated confidence to probability, piecewise linear: [[stated, probability], ...]. `figures` is the report.
    """

    __tablename__ = "calibration"
    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="run.id", index=True)
    knots: list[list[float]] = Field(sa_column=Column(JSON, nullable=False))
    figures: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    made_at: datetime = Field(default_factory=now)


class Suggestion(SQLModel, table=True):
    """What a run says of an utterance. `codes` is the proposal, most probable first; never changed.

    `second` is the next best code, `note` what is odd about the utterance, `cost` its share in USD of what its conversation cost.
    """

    __tablename__ = "suggestion"
    utterance_id: int = Field(foreign_key="utterance.id", primary_key=True)
    run_id: int = Field(foreign_key="run.id", primary_key=True)
    codes: str
    confidence: float | None = None
    probabilities: dict[str, float] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    reason: str = ""
    second: str = ""
    note: str = ""
    call_id: int | None = None
    """The answer it was read from, where a provider was asked."""
    cost: float | None = None


class Round(SQLModel, table=True):
    """One pass of people over conversations. The round named "" holds what was imported without one."""

    __tablename__ = "round"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    run_id: int | None = Field(default=None, foreign_key="run.id")
    taxonomy_version_id: int = Field(foreign_key="taxonomy_version.id")
    created_at: datetime = Field(default_factory=now)
    closed_at: datetime | None = None


class RoundConversation(SQLModel, table=True):
    """A conversation in a round, with its condition, drawn before anyone opens it."""

    __tablename__ = "round_conversation"
    round_id: int = Field(foreign_key="round.id", primary_key=True)
    conversation_id: int = Field(foreign_key="conversation.id", primary_key=True)
    condition: Condition = Field(sa_type=String)


class Assignment(SQLModel, table=True):
    """Who labels which conversation in which round."""

    __tablename__ = "assignment"
    __table_args__ = (UniqueConstraint("round_id", "conversation_id", "user_id"), Index(None, "user_id", "conversation_id"))
    id: int | None = Field(default=None, primary_key=True)
    round_id: int = Field(foreign_key="round.id")
    conversation_id: int = Field(foreign_key="conversation.id", index=True)
    user_id: int = Field(foreign_key="users.id")


class Decision(SQLModel, table=True):
    """What a person did to an utterance, never changed: undo adds a retraction.

    `act_key` is the browser's own id of the act, which makes a repeated request harmless.
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


class Submission(SQLModel, table=True):
    """A conversation handed in, or opened again. `last_decision_id` marks what stood then."""

    __tablename__ = "submission"
    id: int | None = Field(default=None, primary_key=True)
    assignment_id: int = Field(foreign_key="assignment.id", index=True)
    handed_in: bool
    last_decision_id: int
    submitted_at: datetime = Field(default_factory=now)


class Gold(SQLModel, table=True):
    """A settled label, beside the decisions; the newest is exported."""

    __tablename__ = "gold"
    id: int | None = Field(default=None, primary_key=True)
    utterance_id: int = Field(foreign_key="utterance.id", index=True)
    codes: str
    rule: str
    user_id: int | None = Field(default=None, foreign_key="users.id")
    settled_at: datetime = Field(default_factory=now)


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
