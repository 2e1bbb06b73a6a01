"""What machines said: runs, the answers they got, suggestions, failures, calibrations."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Column, Field, SQLModel

from annotator.models.words import now


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
