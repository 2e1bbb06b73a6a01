"""What an annotator sees: their conversations with progress, and one conversation with its proposals and their labels.

Deciding is `flow/review.py`'s. Nothing here reads another person's decisions.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, bindparam, false, func, select
from sqlmodel import Session, col

from annotator.core.taxonomy import Taxonomy
from annotator.errors import BadInput
from annotator.flow.access import LISTED, OWN_ASSIGNMENTS, mine, not_yours
from annotator.flow.certainty import weakness
from annotator.flow.discussion import unsettled
from annotator.flow.rows import DECISIONS, UTTERANCES, Row, discussed_of, make_row
from annotator.flow.standing import Standing, first_submitted, flags, fold, standing
from annotator.flow.taxonomy import taxonomy_of
from annotator.models import (
    Assignment,
    Condition,
    Conversation,
    Decision,
    Discussion,
    Round,
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
    closed: bool

    @property
    def n_open(self) -> int:
        """Utterances without a label or skip of mine."""
        return self.n_utterances - self.n_done


@dataclass(frozen=True, slots=True)
class TurnRows:
    """The utterances of one turn."""

    number: int
    role: str
    timestamp: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Desk:
    """One conversation as its annotator sees it; `instructions` are the round's, in Markdown."""

    assignment_id: int
    conversation: str
    round: str
    assisted: bool
    scenario: str
    instructions: str
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


@dataclass(frozen=True, slots=True)
class Summary:
    """How far I am in all rounds that are open: utterances done, those still open in conversations not handed in, how many I do
    in an hour of attention (None where nothing was timed), and how many a lead has sent back to be discussed."""

    done: int
    open: int
    per_hour: float | None
    discuss: int


# Statements of the desk, built once: building one takes longer than running it.

HANDED_IN = (
    select(col(Submission.handed_in))
    .where(col(Submission.assignment_id) == col(Assignment.id))
    .order_by(col(Submission.id).desc())
    .limit(1)
    .correlate(Assignment)
    .scalar_subquery()
)
"""Whether an assignment is handed in: its newest submission says so. Null where there is none."""

_MY_LIST = OWN_ASSIGNMENTS.where(LISTED)
MY_ORDER = _MY_LIST.order_by(col(Round.closed_at).is_not(None), col(Round.id), weakness(), col(Assignment.id))
"""My conversations as my list has them: those of open rounds first, round by round and the least certain first."""

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
    """One page of my conversations in the order of `MY_ORDER`, and how many there are."""
    total = session.scalar(select(func.count()).select_from(_MY_LIST.subquery()), mine(user)) or 0
    rows = session.execute(MY_ORDER.offset((page - 1) * PAGE).limit(PAGE), mine(user)).all()
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
            closed=round_.closed_at is not None,
        )
        for assignment, round_, conversation, _ in rows
    ]
    return progress, total


_OPEN_ROUNDS = OWN_ASSIGNMENTS.where(col(Round.closed_at).is_(None))
_GIVEN = _OPEN_ROUNDS.with_only_columns(col(Assignment.id), col(Conversation.n_utterances), func.coalesce(HANDED_IN, false()))
_DONE = standing(col(Decision.assignment_id).in_(_OPEN_ROUNDS.with_only_columns(col(Assignment.id)))).subquery("done")
_COUNTED = select(_DONE.c.assignment_id, func.count(), func.count(_DONE.c.seconds), func.sum(_DONE.c.seconds)).group_by(
    _DONE.c.assignment_id
)
_SENT_BACK = (
    OWN_ASSIGNMENTS.join(Utterance, col(Utterance.conversation_id) == col(Assignment.conversation_id))
    .join(Discussion, and_(col(Discussion.utterance_id) == col(Utterance.id), col(Discussion.round_id) == col(Round.id)))
    .where(~col(Assignment.repeat), unsettled(col(Discussion.round_id), col(Discussion.utterance_id)))
    .with_only_columns(col(Assignment.id), col(Utterance.id))
    .distinct()
)


def my_summary(session: Session, user: User) -> Summary:
    """How far I am, and what waits for me."""
    counted = {row[0]: row[1:] for row in session.execute(_COUNTED, mine(user))}
    done = sum(count for count, _, _ in counted.values())
    timed, seconds = sum(timed for _, timed, _ in counted.values()), sum(seconds or 0 for _, _, seconds in counted.values())
    to_do = ((given, n) for given, n, handed_in in session.execute(_GIVEN, mine(user)) if not handed_in)
    return Summary(
        done=done,
        open=sum(n - counted.get(given, (0,))[0] for given, n in to_do),
        per_hour=timed / seconds * 3600 if seconds else None,
        discuss=_to_discuss(session, user),
    )


def _to_discuss(session: Session, user: User) -> int:
    """Sent back are the utterances that were labelled when handed in: who left one open is asked nothing."""
    places = {tuple(row) for row in session.execute(_SENT_BACK, mine(user))}
    if not places:
        return 0
    assignments, utterances = zip(*places, strict=True)
    labels = first_submitted(col(Decision.assignment_id).in_(assignments), col(Decision.utterance_id).in_(utterances))
    return len(places & {(row.assignment_id, row.utterance_id) for row in session.execute(labels)})


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
        instructions=round_.instructions,
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


def reason(session: Session, user: User, assignment_id: int, position: int) -> str:
    """Why the tagger proposed what it did, where the proposal may be shown."""
    if session.execute(_OPENED, mine(user) | {"assignment": assignment_id}).one_or_none() is None:
        raise not_yours()
    found = session.execute(_REASON, {"assignment": assignment_id, "position": position}).one_or_none()
    if found is None or not found.reason:
        raise BadInput("There is no reason to show for this utterance.")
    return str(found.reason)
