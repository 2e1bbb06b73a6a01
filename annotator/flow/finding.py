"""Finding one's way in one's own conversations: what was done last, the next place of a kind, utterances by their words."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, distinct, false, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from annotator.core.labelled import split_codes
from annotator.errors import BadInput
from annotator.flow.access import LISTED, OWN_ASSIGNMENTS, mine, not_yours, shown_suggestion
from annotator.flow.desk import HANDED_IN, MY_ORDER
from annotator.flow.rows import MY_DECISION, Row, rows_of
from annotator.flow.standing import unretracted
from annotator.models import (
    LABELLING,
    Assignment,
    Calibration,
    Conversation,
    Decision,
    Discussion,
    Kind,
    Round,
    RoundConversation,
    Suggestion,
    User,
    Utterance,
)  # fmt: skip

LOW = 0.5
"""A proposal that shows a lower probability than this is an uncertain one."""

LAST = 10
PAGE = 100
MOST_PAGES = 100
MOST_WORDS = 8
_CHUNK = 100


class Wanted(StrEnum):
    """What can be looked for next."""

    OPEN = "open"
    LOW = "low"
    FLAGGED = "flagged"
    DIFFERS = "differs"
    DISCUSS = "discuss"


_IS: dict[Wanted, Callable[[Row], bool]] = {
    Wanted.OPEN: lambda row: row.state == "open",
    Wanted.LOW: lambda row: row.confidence is not None and row.confidence < LOW,
    Wanted.FLAGGED: lambda row: row.flagged,
    Wanted.DIFFERS: lambda row: row.differs,
    Wanted.DISCUSS: lambda row: row.discussed is not None,
}
_LOCKED = or_(col(Round.closed_at).is_not(None), func.coalesce(HANDED_IN, false()))
_LABELLED = (
    select(func.count(distinct(col(Decision.utterance_id))))
    .where(col(Decision.assignment_id) == col(Assignment.id), col(Decision.kind).in_(LABELLING), unretracted())
    .correlate(Assignment)
    .scalar_subquery()
)
_first_code = func.substr(col(Suggestion.codes), 1, func.instr(col(Suggestion.codes).concat("|"), "|") - 1)
_chances = func.json_each(col(Suggestion.probabilities)).table_valued("key", "value")
_chance = select(_chances.c.value).where(_chances.c.key == _first_code).correlate(Suggestion).scalar_subquery()
_UNCERTAIN = (
    select(col(Suggestion.run_id))
    .join(Utterance, col(Utterance.id) == col(Suggestion.utterance_id))
    .where(col(Utterance.conversation_id) == col(Assignment.conversation_id), shown_suggestion())
    .where(
        or_(
            func.coalesce(_chance, col(Suggestion.confidence)) < LOW,
            # What is shown of a measured run is another number: its conversations are read.
            col(Suggestion.run_id).in_(select(col(Calibration.run_id))),
        )
    )
    .correlate(Assignment, Round, RoundConversation)
    .exists()
)
_MAY_HOLD: dict[Wanted, ColumnElement[bool]] = {
    Wanted.OPEN: and_(~_LOCKED, col(Conversation.n_utterances) > _LABELLED),
    Wanted.LOW: and_(~_LOCKED, _UNCERTAIN),
    Wanted.FLAGGED: col(Assignment.id).in_(select(col(Decision.assignment_id)).where(col(Decision.kind) == Kind.FLAG)),
    Wanted.DIFFERS: col(Assignment.id).in_(select(col(Decision.assignment_id)).where(col(Decision.kind) == Kind.CHANGE)),
    Wanted.DISCUSS: col(Round.id).in_(select(col(Discussion.round_id))),
}
"""The conversations worth reading through: where something can still be done about it, where somebody ever did such a thing."""


_MINE = OWN_ASSIGNMENTS.where(col(Assignment.id) == bindparam("assignment")).with_only_columns(col(Assignment.id))
_IN_ORDER = {
    wanted: MY_ORDER.with_only_columns(col(Assignment.id)).where(or_(col(Assignment.id) == bindparam("assignment"), may_hold))
    for wanted, may_hold in _MAY_HOLD.items()
}


def next_place(session: Session, user: User, wanted: Wanted, assignment_id: int, after: int) -> tuple[int, int] | None:
    """Assignment and position of the next such utterance of mine: in this conversation after that position, then in it before that
    position, and then in the others in the order of my list and round to its beginning; None where there is no other.

    A blind row holds no proposal, so that nothing of one can be told from where this leads.
    """
    if session.scalar(_MINE, mine(user) | {"assignment": assignment_id}) is None:
        raise not_yours()
    here = rows_of(session, [assignment_id])[assignment_id]
    ahead = (row for row in here if row.position > after)
    behind = (row for row in here if row.position < after)
    for row in chain(ahead, behind, _others(session, user, wanted, assignment_id)):
        if _IS[wanted](row):
            return row.assignment_id, row.position
    return None


def _others(session: Session, user: User, wanted: Wanted, assignment_id: int) -> Iterator[Row]:
    """The rows of my other conversations that come into question, from this one on; read some conversations at a time."""
    found = [one or 0 for one in session.scalars(_IN_ORDER[wanted], mine(user) | {"assignment": assignment_id})]
    at = found.index(assignment_id) if assignment_id in found else len(found)  # a first pass may stand in no list
    ids = found[at + 1 :] + found[:at]
    for start in range(0, len(ids), _CHUNK):
        rows = rows_of(session, ids[start : start + _CHUNK])
        for one in ids[start : start + _CHUNK]:
            yield from rows.get(one, ())


@dataclass(frozen=True, slots=True)
class Recent:
    """One of my acts: what it did to how many utterances, of which it shows the first."""

    what: str
    codes: tuple[str, ...]
    many: int
    assignment_id: int
    position: int
    conversation: str
    text: str
    decided_at: datetime
    taken_back: bool


_WORDS = {
    Kind.CONFIRM: "confirmed", Kind.CHANGE: "labelled", Kind.SKIP: "skipped", Kind.FLAG: "flagged", Kind.UNFLAG: "unflagged",
    Kind.UNSURE: "unsure", Kind.SURE: "sure again",
}  # fmt: skip
_of_one_press, _retraction = aliased(Decision, name="of_one_press"), aliased(Decision, name="retraction")
_MANY = (
    select(func.count(col(_of_one_press.id)))
    .where(col(_of_one_press.assignment_id) == col(Decision.assignment_id), col(_of_one_press.group_key) == col(Decision.group_key))
    .correlate(Decision)
    .scalar_subquery()
)
_TAKEN_BACK = select(col(_retraction.id)).where(col(_retraction.retracts_id) == col(Decision.id)).correlate(Decision).exists()
_ACT: tuple[Any, ...] = (
    col(Decision.kind),
    col(Decision.codes),
    case((col(Decision.group_key).is_(None), 1), else_=_MANY).label("many"),
    col(Decision.assignment_id),
    col(Utterance.position),
    col(Conversation.key),
    col(Utterance.text),
    col(Decision.decided_at),
    _TAKEN_BACK.label("taken_back"),
)
_RECENT = (
    select(*_ACT)
    .select_from(Decision)
    .join(Utterance, col(Utterance.id) == col(Decision.utterance_id))
    .join(Conversation, col(Conversation.id) == col(Utterance.conversation_id))
    .where(MY_DECISION, col(Decision.kind).not_in((Kind.RETRACT, Kind.IMPORT)))
    .where(or_(col(Decision.group_key).is_(None), col(Decision.group_key) == col(Decision.act_key)))
    .order_by(col(Decision.id).desc())
    .limit(LAST)
)


def recent(session: Session, user: User) -> list[Recent]:
    """My last acts, the newest first; what one press did is one act."""
    rows = session.execute(_RECENT, mine(user))
    return [Recent(_WORDS[Kind(kind)], split_codes(codes), *more) for kind, codes, *more in rows]


@dataclass(frozen=True, slots=True)
class Found:
    """One utterance of mine that holds what was looked for."""

    assignment_id: int
    position: int
    role: str
    text: str
    conversation: str
    round: str


_PLACES: tuple[Any, ...] = (
    col(Assignment.id),
    col(Utterance.position),
    col(Utterance.role),
    col(Utterance.text),
    col(Conversation.key),
    col(Round.name),
)
_MY_UTTERANCES = (
    OWN_ASSIGNMENTS.join(Utterance, col(Utterance.conversation_id) == col(Assignment.conversation_id))
    .where(LISTED)
    .with_only_columns(*_PLACES)
    .order_by(col(Round.id).desc(), col(Assignment.id), col(Utterance.position))
)


def search(session: Session, user: User, words: str, page: int) -> tuple[list[Found], bool]:
    """One page of the utterances of mine whose text holds every one of the words, in any case, and whether there are more.

    Raises `BadInput` for more than `MOST_WORDS` words: every text is looked through for each.
    """
    wanted = list(dict.fromkeys(words.lower().split()))
    if len(wanted) > MOST_WORDS:
        raise BadInput(f"These are {len(wanted)} words; {MOST_WORDS} at most can be looked for at once. Leave some out.")
    statement = _MY_UTTERANCES.where(func.holds(col(Utterance.text), " ".join(wanted)))
    rows = session.execute(statement.offset((page - 1) * PAGE).limit(PAGE + 1), mine(user)).all()
    return [Found(*row) for row in rows[:PAGE]], len(rows) > PAGE
