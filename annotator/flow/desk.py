"""What an annotator sees: their conversations with progress, and one conversation with its proposals and their labels.

Deciding is `flow/review.py`'s. Nothing here reads another person's decisions.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from annotator.core.calibration import probability
from annotator.core.labelled import split_codes
from annotator.core.taxonomy import Taxonomy
from annotator.errors import BadInput
from annotator.flow.access import OWN_ASSIGNMENTS, PLACED, mine, not_yours, shown_suggestion
from annotator.flow.certainty import weakness
from annotator.flow.discussion import Discussed, discussions_of
from annotator.flow.standing import Standing, flags, fold, standing
from annotator.flow.taxonomy import taxonomy_of
from annotator.models import (
    Assignment,
    Calibration,
    Comment,
    Condition,
    Conversation,
    Decision,
    Discussion,
    Kind,
    Round,
    RoundConversation,
    Scenario,
    Submission,
    Suggestion,
    TaxonomyVersion,
    Turn,
    User,
    Utterance,
)  # fmt: skip

PAGE = 100


@dataclass(frozen=True, slots=True)
class Progress:
    """One conversation of mine and how far I am."""

    assignment_id: int
    conversation: str
    round: str
    n_utterances: int
    n_done: int
    n_flagged: int
    handed_in: bool

    @property
    def n_open(self) -> int:
        """Utterances without a label or skip of mine."""
        return self.n_utterances - self.n_done


@dataclass(frozen=True, slots=True)
class Proposed:
    """One proposed code with its probability, where the tagger gave one."""

    code: str
    probability: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """One utterance on the desk. `state` is open, confirmed, changed or skipped."""

    assignment_id: int
    position: int
    turn: int
    role: str
    text: str
    state: str
    codes: tuple[str, ...]
    seconds: float | None
    flagged: bool
    flag_reason: str
    unsure: bool
    seen: str
    """The key of the newest fact of mine on it; an act that knows another one comes from a page that is not up to date."""
    comments: int
    """How many comments wait for an answer or for being resolved."""
    proposal: tuple[Proposed, ...]
    has_reason: bool
    second: str = ""
    note: str = ""
    discussed: Discussed | None = None
    """What a lead asks those who labelled it, where it was sent back to them."""

    @property
    def proposed(self) -> tuple[str, ...]:
        """The proposed codes."""
        return tuple(one.code for one in self.proposal)

    @property
    def confidence(self) -> float | None:
        """The probability that is shown for the first proposed code."""
        return self.proposal[0].probability if self.proposal else None

    @property
    def differs(self) -> bool:
        """Whether my label is another one than the proposal that shows."""
        return self.state == "changed" and bool(self.proposal)


@dataclass(frozen=True, slots=True)
class TurnRows:
    """The utterances of one turn."""

    number: int
    role: str
    timestamp: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Desk:
    """One conversation as its annotator sees it."""

    assignment_id: int
    conversation: str
    round: str
    assisted: bool
    scenario: str
    taxonomy: Taxonomy
    turns: tuple[TurnRows, ...]
    handed_in_at: datetime | None
    closed: bool

    @property
    def rows(self) -> list[Row]:
        """All utterances in order."""
        return [row for turn in self.turns for row in turn.rows]

    def row(self, position: int) -> Row:
        """One utterance, or `NotFound`."""
        rows = self.rows
        if not 1 <= position <= len(rows):
            raise not_yours("utterance")
        return rows[position - 1]


# Statements of the desk, built once: building one takes longer than running it. Each takes `assignment`.

_resolving = aliased(Comment, name="resolving")
_resolved = select(col(_resolving.id)).where(
    col(_resolving.assignment_id) == col(Comment.assignment_id),
    col(_resolving.utterance_id) == col(Comment.utterance_id),
    col(_resolving.id) >= col(Comment.id),
    col(_resolving.resolves),
)
_unresolved = (
    select(func.count(col(Comment.id)))
    .where(col(Comment.assignment_id) == col(Assignment.id), col(Comment.utterance_id) == col(Utterance.id), ~_resolved.exists())
    .correlate(Assignment, Utterance)
    .scalar_subquery()
)
SHOWN: tuple[Any, ...] = (
    col(Utterance.id),
    col(Utterance.position),
    col(Utterance.turn_position),
    col(Utterance.role),
    col(Utterance.text),
    col(Suggestion.codes).label("proposed"),
    col(Suggestion.confidence),
    col(Suggestion.probabilities),
    (col(Suggestion.reason) != "").label("has_reason"),
    col(Suggestion.second),
    col(Suggestion.note),
    select(col(Calibration.knots))
    .where(col(Calibration.run_id) == col(Suggestion.run_id))
    .order_by(col(Calibration.id).desc())
    .limit(1)
    .scalar_subquery()
    .label("knots"),
    _unresolved.label("comments"),
    select(col(Discussion.id))
    .where(col(Discussion.round_id) == col(Assignment.round_id), col(Discussion.utterance_id) == col(Utterance.id))
    .correlate(Assignment, Utterance)
    .exists()
    .label("sent_back"),
)
"""What `make_row` needs of an assignment's utterance and the suggestion that may be shown."""

UTTERANCES = (
    select(*SHOWN)
    .select_from(Assignment)
    .join(Round, col(Round.id) == col(Assignment.round_id))
    .join(RoundConversation, PLACED)
    .join(Utterance, col(Utterance.conversation_id) == col(Assignment.conversation_id))
    .outerjoin(Suggestion, and_(col(Suggestion.utterance_id) == col(Utterance.id), shown_suggestion()))
    .where(col(Assignment.id) == bindparam("assignment"))
    .order_by(col(Utterance.position))
)
"""The utterances of an assignment's conversation."""

DECISIONS = (
    select(
        col(Decision.id),
        col(Decision.utterance_id),
        col(Decision.kind),
        col(Decision.codes),
        col(Decision.retracts_id),
        col(Decision.act_key),
        col(Decision.group_key),
        col(Decision.seconds),
        col(Decision.reason),
    )
    .where(col(Decision.assignment_id) == bindparam("assignment"))
    .order_by(col(Decision.id))
)
"""All acts of an assignment, as `fold` reads them."""

_OPENED = (
    OWN_ASSIGNMENTS.join(TaxonomyVersion, col(TaxonomyVersion.id) == col(Round.taxonomy_version_id))
    .add_columns(col(TaxonomyVersion.fingerprint))
    .where(col(Assignment.id) == bindparam("assignment"))
)
_TURNS = (
    select(col(Turn.position), col(Turn.number), col(Turn.role), col(Turn.timestamp))
    .where(col(Turn.conversation_id) == bindparam("conversation"))
    .order_by(col(Turn.position))
)
_REASON = UTTERANCES.add_columns(col(Suggestion.reason)).where(col(Utterance.position) == bindparam("position"))


def my_conversations(session: Session, user: User, page: int = 1) -> tuple[list[Progress], int]:
    """One page of my conversations, round by round and the least certain first, and how many there are."""
    own = OWN_ASSIGNMENTS.order_by(col(Round.id), weakness(), col(Assignment.id))
    total = session.scalar(select(func.count()).select_from(OWN_ASSIGNMENTS.subquery()), mine(user)) or 0
    rows = session.execute(own.offset((page - 1) * PAGE).limit(PAGE), mine(user)).all()
    ids = [assignment.id for assignment, *_ in rows]
    done = _counts(session, standing(col(Decision.assignment_id).in_(ids)))
    flagged = _counts(session, flags(col(Decision.assignment_id).in_(ids)))
    handed_in = _handed_in(session, ids)
    progress = [
        Progress(
            assignment_id=assignment.id,
            conversation=conversation.key,
            round=round_.name,
            n_utterances=conversation.n_utterances,
            n_done=done.get(assignment.id, 0),
            n_flagged=flagged.get(assignment.id, 0),
            handed_in=assignment.id in handed_in,
        )
        for assignment, round_, conversation, _ in rows
    ]
    return progress, total


def _counts(session: Session, statement: Select[*tuple[Any, ...]]) -> dict[int, int]:
    rows = statement.subquery()
    counted = session.execute(select(rows.c.assignment_id, func.count()).group_by(rows.c.assignment_id))
    return {row[0]: row[1] for row in counted}


def _handed_in(session: Session, assignment_ids: list[int]) -> dict[int, datetime]:
    """Assignment id → when it was handed in, for those that are and have not been opened again."""
    statement = select(Submission).where(col(Submission.assignment_id).in_(assignment_ids)).order_by(col(Submission.id))
    newest = {submission.assignment_id: submission for submission in session.scalars(statement)}
    return {key: submission.submitted_at for key, submission in newest.items() if submission.handed_in}


def open_desk(session: Session, user: User, assignment_id: int) -> Desk:
    """One of my conversations, whole."""
    found = session.execute(_OPENED, mine(user) | {"assignment": assignment_id}).one_or_none()
    if found is None:
        raise not_yours()
    _, round_, conversation, placed, fingerprint = found
    taxonomy = taxonomy_of(session, round_.taxonomy_version_id, fingerprint)
    return Desk(
        assignment_id=assignment_id,
        conversation=conversation.key,
        round=round_.name,
        assisted=placed.condition == Condition.ASSISTED,
        scenario=scenario_of(session, conversation),
        taxonomy=taxonomy,
        turns=_turns(session, assignment_id, conversation),
        handed_in_at=_handed_in(session, [assignment_id]).get(assignment_id),
        closed=round_.closed_at is not None,
    )


def scenario_of(session: Session, conversation: Conversation) -> str:
    """What the two were to do, where the source says it."""
    key = str(conversation.meta.get("scenario", ""))
    return session.scalar(select(col(Scenario.body)).where(col(Scenario.key) == key)) or ""


def _turns(session: Session, assignment_id: int, conversation: Conversation) -> tuple[TurnRows, ...]:
    connection = session.connection()
    stands = fold(connection.execute(DECISIONS, {"assignment": assignment_id}))
    turns = connection.execute(_TURNS, {"conversation": conversation.id}).all()
    shown = connection.execute(UTTERANCES, {"assignment": assignment_id}).all()
    discussed = discussed_of(session, assignment_id, shown)
    rows: dict[int, list[Row]] = {turn.position: [] for turn in turns}
    for found in shown:
        rows[found.turn_position].append(make_row(assignment_id, found, stands.get(found.id, Standing()), discussed))
    return tuple(TurnRows(turn.number, turn.role, turn.timestamp, tuple(rows[turn.position])) for turn in turns)


def discussed_of(session: Session, assignment_id: int, shown: Iterable[Any]) -> dict[int, Discussed]:
    """Position → open discussion; asked for only where one of the utterances `SHOWN` was ever sent back, which is rare."""
    return discussions_of(session, assignment_id) if any(found.sent_back for found in shown) else {}


def make_row(assignment_id: int, found: Any, stands: Standing, discussed: dict[int, Discussed]) -> Row:
    """A desk row from the columns `SHOWN`, what stands of my acts, and the open discussions by position."""
    proposed = split_codes(found.proposed or "")
    chances = found.probabilities or {}
    first = {proposed[0]: found.confidence} if proposed else {}
    return Row(
        assignment_id=assignment_id,
        position=found.position,
        turn=found.turn_position,
        role=found.role,
        text=found.text,
        state=_state(stands, proposed),
        codes=stands.codes,
        seconds=stands.seconds,
        flagged=stands.flagged,
        flag_reason=stands.flag_reason,
        unsure=stands.unsure,
        seen=stands.seen,
        comments=found.comments or 0,
        proposal=tuple(Proposed(code, _chance(chances.get(code, first.get(code)), found.knots)) for code in proposed),
        has_reason=bool(found.has_reason),
        second=found.second or "",
        note=found.note or "",
        discussed=discussed.get(found.position),
    )


def _chance(stated: float | None, knots: list[list[float]] | None) -> float | None:
    """A probability to show: calibrated, where the run's confidence was measured on people's labels."""
    return stated if stated is None or not knots else probability(knots, stated)


def _state(stands: Standing, proposed: tuple[str, ...]) -> str:
    if stands.kind is None:
        return "open"
    if stands.kind == Kind.SKIP:
        return "skipped"
    return "confirmed" if proposed and set(stands.codes) == set(proposed) else "changed"


def reason(session: Session, user: User, assignment_id: int, position: int) -> str:
    """Why the tagger proposed what it did, where the proposal may be shown."""
    if session.execute(_OPENED, mine(user) | {"assignment": assignment_id}).one_or_none() is None:
        raise not_yours()
    found = session.execute(_REASON, {"assignment": assignment_id, "position": position}).one_or_none()
    if found is None or not found.reason:
        raise BadInput("There is no reason to show for this utterance.")
    return str(found.reason)
