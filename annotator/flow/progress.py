"""How far a round is: what people did, per annotator and per conversation, counted in the database.

Only acts of people at the desk count: no label from a file, no proposal that nobody touched. Repeats are counted apart.
Where people disagree is `flow/disputed.py`'s, what waits for an answer `flow/remarks.py`'s.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, case, func, literal, select
from sqlmodel import Session, col

from annotator.core.labelled import split_codes
from annotator.errors import NotFound
from annotator.flow.access import PLACED, View, still_blind
from annotator.flow.corpus import shown_names
from annotator.flow.remarks import unresolved
from annotator.flow.standing import FLAGS, UNSURES, marked, standing
from annotator.models import (
    Assignment,
    Condition,
    Conversation,
    Decision,
    Kind,
    Round,
    RoundConversation,
    Submission,
    Suggestion,
    Utterance,
)

AT_THE_DESK = (Kind.CONFIRM, Kind.CHANGE, Kind.SKIP)
"""The kinds of decisions that are labels or skips of people; the rest of `LABELLING` comes from files."""


@dataclass(slots=True)
class Tally:
    """What was done to some utterances. `timed` of the labelled and skipped ones have `seconds`, together so many.

    `compared` labels stand beside a proposal of the round's run, shown or not; `same` of them are equal to it, as sets. Whoever looks
    and has yet to label a conversation blind is told of neither there.
    """

    utterances: int = 0
    labelled: int = 0
    skipped: int = 0
    flagged: int = 0
    unsure: int = 0
    comments: int = 0
    timed: int = 0
    seconds: float = 0.0
    compared: int = 0
    same: int = 0

    @property
    def open(self) -> int:
        """Utterances without a label or skip."""
        return self.utterances - self.labelled - self.skipped

    @property
    def done(self) -> int:
        """Utterances with a label or skip."""
        return self.labelled + self.skipped

    @property
    def per_hour(self) -> float | None:
        """Utterances labelled or skipped in an hour of attention; None where nothing was timed."""
        return self.timed / self.seconds * 3600 if self.seconds else None

    @property
    def accepted(self) -> float | None:
        """The share of labels that equal the proposal; None where there is nothing to compare."""
        return self.same / self.compared if self.compared else None


def total(tallies: Iterable[Tally]) -> Tally:
    """All of them as one."""
    return Tally(*map(sum, zip(*map(_NUMBERS, tallies), strict=True)))


_NUMBERS = attrgetter(*(one.name for one in fields(Tally)))


@dataclass(slots=True)
class Work:
    """One conversation as one annotator has it. `reopened` is one that was handed in and opened again since.

    In a closed round that is handed in as well: nobody can hand it in again, and what counts is the first time.
    """

    annotator: str
    conversation_id: int
    condition: str
    repeat: bool
    handed_in: bool
    reopened: bool
    tally: Tally

    @property
    def state(self) -> str:
        """Not begun, under way, ready or handed in, or handed in once where it was open again when the round was closed."""
        if self.handed_in:
            return "handed in once" if self.reopened else "handed in"
        if not self.tally.done:
            return "not begun"
        return "under way" if self.tally.open else "ready"


@dataclass(frozen=True, slots=True)
class Person:
    """What one annotator did in a round, or all of them."""

    name: str
    conversations: int
    handed_in: int
    reopened: int
    repeats: int
    repeats_handed_in: int
    tally: Tally
    assisted: Tally
    blind: Tally


@dataclass(slots=True)
class Conversed:
    """One conversation of a round: its condition and who is how far with it."""

    id: int
    name: str
    condition: str
    works: list[Work] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Progress:
    """A round with its annotators and conversations; `everybody` is the sum of the annotators."""

    round: Round
    people: list[Person]
    conversations: list[Conversed]
    everybody: Person


def made_round(session: Session, round_id: int) -> Round:
    """A round by its number; raises `NotFound`, also for the round that holds what was imported without one."""
    found = session.get(Round, round_id)
    if found is None or not found.name:
        raise NotFound("There is no such round. Go back to the rounds and open it from there.")
    return found


def progress_of(session: Session, view: View, made: Round) -> Progress:
    """How far everybody is. Names are the view's."""
    works = _works(session, made, view)
    conversations = {row.id: Conversed(row.id, row.key, row.condition) for row in session.connection().execute(_conversations(made))}
    by_name: dict[str, list[Work]] = {}
    for work in works:
        by_name.setdefault(work.annotator, []).append(work)
        if not work.repeat:
            conversations[work.conversation_id].works.append(work)
    people = [_person(name, theirs) for name, theirs in by_name.items()]
    return Progress(made, people, list(conversations.values()), _person("", works))


def _person(name: str, works: list[Work]) -> Person:
    ordinary = [work for work in works if not work.repeat]
    repeats = [work for work in works if work.repeat]
    assisted = total(work.tally for work in ordinary if work.condition == Condition.ASSISTED)
    blind = total(work.tally for work in ordinary if work.condition == Condition.BLIND)
    return Person(
        name=name,
        conversations=len(ordinary),
        handed_in=sum(work.handed_in for work in ordinary),
        reopened=sum(work.reopened for work in ordinary),
        repeats=len(repeats),
        repeats_handed_in=sum(work.handed_in for work in repeats),
        tally=total(work.tally for work in ordinary),
        assisted=assisted,
        blind=blind,
    )


def _conversations(made: Round) -> Select[*tuple[Any, ...]]:
    return (
        select(col(Conversation.id), col(Conversation.key), col(RoundConversation.condition))
        .join(RoundConversation, col(RoundConversation.conversation_id) == col(Conversation.id))
        .where(col(RoundConversation.round_id) == made.id)
        .order_by(col(Conversation.id))
    )


def _works(session: Session, made: Round, view: View) -> list[Work]:
    """Every assignment of the round, by annotator and conversation in the order they were given."""
    tallies, names = _tallies(session, made, view), shown_names(session, view)
    assigned = (
        select(
            col(Assignment.id),
            col(Assignment.user_id),
            col(Assignment.conversation_id),
            col(Assignment.repeat),
            col(RoundConversation.condition),
            col(Conversation.n_utterances),
            _handed_in().label("handed_in"),
            ever_handed_in().label("ever"),
        )
        .join(RoundConversation, PLACED)
        .join(Conversation, col(Conversation.id) == col(Assignment.conversation_id))
        .where(col(Assignment.round_id) == made.id)
        .order_by(col(Assignment.user_id), col(Assignment.id))
    )
    works = []
    for row in session.connection().execute(assigned):
        tally = tallies.get(row.id) or Tally()
        tally.utterances = row.n_utterances
        name = names.get(row.user_id, "somebody")
        reopened = bool(row.ever and not row.handed_in)
        handed_in = bool(row.handed_in) or (reopened and made.closed_at is not None)
        works.append(Work(name, row.conversation_id, row.condition, row.repeat, handed_in, reopened, tally))
    return works


def _handed_in() -> ColumnElement[bool]:
    newest = select(col(Submission.handed_in)).where(col(Submission.assignment_id) == col(Assignment.id))
    return newest.order_by(col(Submission.id).desc()).limit(1).scalar_subquery()


def ever_handed_in() -> ColumnElement[bool]:
    """The condition on assignments that were handed in at least once."""
    return select(col(Submission.id)).where(col(Submission.assignment_id) == col(Assignment.id), col(Submission.handed_in)).exists()


def of_round(made: Round) -> ColumnElement[bool]:
    """The condition on decisions that keeps to this round."""
    return col(Decision.assignment_id).in_(select(col(Assignment.id)).where(col(Assignment.round_id) == made.id))


def _tallies(session: Session, made: Round, view: View) -> dict[int, Tally]:
    """Assignment id → what was done there, without the number of utterances."""
    connection = session.connection()
    tallies: dict[int, Tally] = {}
    for row in connection.execute(_labels(made, view)):
        reordered = sum(map(_same_set, row.reordered.split(_BETWEEN))) if row.reordered else 0
        tallies[row.assignment_id] = Tally(
            labelled=row.done - row.skipped, skipped=row.skipped, timed=row.timed, seconds=row.seconds or 0.0,
            compared=row.compared, same=row.same + reordered,
        )  # fmt: skip
    here = of_round(made)
    marks = {"flagged": marked(FLAGS, here), "unsure": marked(UNSURES, here), "comments": unresolved(made.id)}
    for name, statement in marks.items():
        rows = statement.subquery()
        for assignment_id, count in connection.execute(select(rows.c.assignment_id, func.count()).group_by(rows.c.assignment_id)):
            setattr(tallies.setdefault(assignment_id, Tally()), name, count)
    return tallies


_BETWEEN = "|||"
"""Between pairs of label and proposal; a cell of codes holds no two bars in a row, so `||` parts the two."""


def _same_set(pair: str) -> bool:
    label, _, proposal = pair.partition("||")
    return set(split_codes(label)) == set(split_codes(proposal))


def _labels(made: Round, view: View) -> Select[*tuple[Any, ...]]:
    """Per assignment: counts of its standing labels and skips, and of labels that equal the proposal.

    Equal text is counted here; what may be the same codes in another order is handed out as `reordered`, which is little.
    """
    labels = standing(of_round(made), col(Decision.kind).in_(AT_THE_DESK)).subquery("labels")
    hidden = select(col(Utterance.id)).where(col(Utterance.conversation_id).in_(still_blind(view.blind_user_id)))
    beside = and_(
        col(Suggestion.utterance_id) == labels.c.utterance_id, col(Suggestion.run_id) == made.run_id,
        col(Suggestion.codes) != "", labels.c.kind != Kind.SKIP, col(Suggestion.utterance_id).not_in(hidden),
    )  # fmt: skip
    proposed = col(Suggestion.codes)
    several = and_(proposed != labels.c.codes, proposed.contains("|"), func.length(proposed) == func.length(labels.c.codes))
    pair = labels.c.codes + literal("||", String) + proposed
    return (
        select(
            labels.c.assignment_id,
            func.count().label("done"),
            _times(labels.c.kind == Kind.SKIP).label("skipped"),
            func.count(labels.c.seconds).label("timed"),
            func.sum(labels.c.seconds).label("seconds"),
            func.count(proposed).label("compared"),
            _times(proposed == labels.c.codes).label("same"),
            func.aggregate_strings(case((several, pair)), _BETWEEN).label("reordered"),
        )
        .outerjoin(Suggestion, beside)
        .group_by(labels.c.assignment_id)
    )


def _times(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))
