"""Words that rows hold, the naming of constraints, and the clock."""

from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import MetaData
from sqlmodel import SQLModel

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
    """What a decision does. The first four give an utterance its label; the marks (flag, unsure) hide none."""

    CONFIRM = "confirm"
    CHANGE = "change"
    SKIP = "skip"
    IMPORT = "import"
    FLAG = "flag"
    UNFLAG = "unflag"
    UNSURE = "unsure"
    SURE = "sure"
    RETRACT = "retract"


LABELLING = (Kind.CONFIRM, Kind.CHANGE, Kind.SKIP, Kind.IMPORT)


class ItemField(StrEnum):
    """What is said of a conversation's catalogue items, in VOGUE's own words: which were mentioned, which was chosen."""

    MENTIONED = "mentioned_items"
    CHOSEN = "gt_items"


class Rule(StrEnum):
    """How gold was settled: by equal labels (made over the same proposal or not), by a lead, from a file; or taken back."""

    UNANIMOUS = "unanimous"
    UNANIMOUS_ASSISTED = "unanimous-assisted"
    ADJUDICATED = "adjudicated"
    IMPORTED = "imported"
    WITHDRAWN = "withdrawn"


UNANIMOUS = (Rule.UNANIMOUS, Rule.UNANIMOUS_ASSISTED)
"""Settled by equal labels alone, without a lead."""
