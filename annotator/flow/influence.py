"""What the proposal did: reads the labels of a round beside what its run proposes; the figures are `core/influence/`'s.

Labels are those of the first submission. For whoever labels themselves, the proposals of conversations that they have yet to label
blind are left out.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from annotator.core.agreement import Handed
from annotator.core.influence import influence_of
from annotator.core.influence.shown import ASSISTED, BLIND, HERE, SAID, UNKNOWN, Background, Question, Shown
from annotator.core.labelled import Labelled, join_codes
from annotator.errors import BadInput, Forbidden
from annotator.flow.access import PLACED, View, still_blind
from annotator.flow.agreement import rounds_with_labels
from annotator.flow.corpus import shown_names
from annotator.flow.handed_in import HandedIn, rows_handed_in
from annotator.flow.runs import model_versions
from annotator.flow.standing import first_submitted
from annotator.models import Assignment, Conversation, Decision, Round, RoundConversation, Run, Submission, Suggestion, Utterance

_CHUNK = 500


def report(session: Session, view: View, question: Question | None = None) -> dict[str, Any]:
    """The report of one round of the project, under the names that the view shows; see `core/influence/`.

    Raises `BadInput` where no or several rounds have labels and none is chosen, `Forbidden` for the view of one person.
    """
    question = question or Question()
    if view.only_user_id is not None:
        raise Forbidden("What the proposals did is for leads and researchers: it shows everybody's labels and all proposals.")
    name = one_round(rounds_with_labels(session, view), question.round)
    made = session.scalars(select(Round).where(col(Round.name) == name)).one()
    hidden = set(session.scalars(still_blind(view.blind_user_id)))
    drawn = bool(made.plan.get("blind")) and made.plan.get("seed") is not None
    known = Background(
        drawn=HERE if drawn else SAID if question.vouched else UNKNOWN,
        round={key: made.plan[key] for key in ("blind", "seed") if key in made.plan},
        run=_run_of(session, made),
        warnings=_left_out(session, made, hidden),
    )
    return influence_of(_shown(session, view, made, hidden), replace(question, round=name), known)


def one_round(known: Sequence[str], wanted: str | None) -> str:
    """The round that is meant; raises `BadInput` with those that there are."""
    listed = ", ".join(name or "(imported)" for name in known)
    if not known:
        raise BadInput("There are no labels that were handed in yet, so nothing can be told of what the proposals did.")
    if wanted is None and len(known) == 1:
        return known[0]
    if wanted is None:
        raise BadInput(f"What the proposals did is told of one round at a time. Say which: --round NAME. There are labels of: {listed}.")
    if wanted not in known:
        raise BadInput(f"Nothing was handed in for a round {wanted!r}. Known: {listed}.")
    return wanted


def _run_of(session: Session, made: Round) -> dict[str, Any] | None:
    """What is known of the run that the round pins."""
    if made.run_id is None:
        return None
    run = session.get_one(Run, made.run_id)
    return {"id": run.id, "tagger": run.tagger, "version": run.version, "model_versions": list(model_versions(session, run.id))}


def _left_out(session: Session, made: Round, hidden: set[int]) -> tuple[str, ...]:
    here = select(func.count()).select_from(RoundConversation).where(col(RoundConversation.round_id) == made.id)
    n = session.scalar(here.where(col(RoundConversation.conversation_id).in_(sorted(hidden)))) if hidden else 0
    if not n:
        return ()
    which, whose = ("One conversation", "its") if n == 1 else (f"{n} conversations", "their")
    return (f"{which} of this round you have yet to label blind yourself. Until then {whose} proposals are in no figure here.",)


# The labels of a project


@dataclass(frozen=True, slots=True)
class _Beside:
    """By conversation's key and role, in the order of the utterances: their ids, and what the run proposes."""

    ids: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    proposals: dict[tuple[str, str], list[str | None]] = field(default_factory=lambda: defaultdict(list))


def _shown(session: Session, view: View, made: Round, hidden: set[int]) -> Iterator[Shown]:
    """The labels of the round, then those of other rounds that the same people gave the same conversations in the other condition."""
    names, beside, seconds = shown_names(session, view), _beside(session, made, hidden), _seconds(session, made)
    for row in rows_handed_in(session, view, made.name):
        spent = seconds.get(row.assignment, {})
        yield from _of_assignment(row, names, beside, spent)
    for round_id, assignments in _in_other_rounds(session, made).items():
        beside = _beside(session, session.get_one(Round, round_id), hidden)
        for start in range(0, len(assignments), _CHUNK):
            chosen = col(Assignment.id).in_(assignments[start : start + _CHUNK])
            for row in rows_handed_in(session, view, None, chosen):
                yield from _of_assignment(row, names, beside, {})


def _of_assignment(row: HandedIn, names: dict[int, str], beside: _Beside, spent: dict[int, float]) -> Iterator[Shown]:
    for role, said in row.labels.items():
        key = (row.conversation, role)
        handed = Handed(names[row.user_id], row.conversation, role, said, row.round, row.condition, row.version, row.repeat)
        yield Shown(handed, beside.proposals[key], [spent.get(one) for one in beside.ids[key]])


def _beside(session: Session, made: Round, hidden: Container[int]) -> _Beside:
    """What the round's run proposes for its conversations, whether it is shown or not; nothing for those that are hidden."""
    of_run = and_(
        col(Suggestion.utterance_id) == col(Utterance.id), col(Suggestion.run_id) == made.run_id, col(Suggestion.codes) != ""
    )  # fmt: skip
    here = select(col(RoundConversation.conversation_id)).where(col(RoundConversation.round_id) == made.id)
    columns: tuple[Any, ...] = (
        col(Conversation.id), col(Conversation.key), col(Utterance.role), col(Utterance.id), col(Suggestion.codes)
    )  # fmt: skip
    statement = (
        select(*columns)
        .select_from(Utterance)
        .join(Conversation, col(Conversation.id) == col(Utterance.conversation_id))
        .outerjoin(Suggestion, of_run)
        .where(col(Utterance.conversation_id).in_(here))
        .order_by(col(Utterance.conversation_id), col(Utterance.position))
    )
    found = _Beside()
    for conversation_id, key, role, utterance_id, codes in session.connection().execute(statement):
        found.ids[key, role].append(utterance_id)
        found.proposals[key, role].append(None if conversation_id in hidden else codes)
    return found


def _seconds(session: Session, made: Round) -> dict[int, dict[int, float]]:
    """Assignment id → utterance id → the seconds of the label that was handed in first."""
    here = select(col(Assignment.id)).where(col(Assignment.round_id) == made.id)
    labels = first_submitted(col(Decision.assignment_id).in_(here)).subquery("labels")
    statement = select(labels.c.assignment_id, labels.c.utterance_id, labels.c.seconds).where(labels.c.seconds.is_not(None))
    found: dict[int, dict[int, float]] = defaultdict(dict)
    for assignment_id, utterance_id, seconds in session.connection().execute(statement):
        found[assignment_id][utterance_id] = seconds
    return found


_other, _there = aliased(Assignment, name="other"), aliased(RoundConversation, name="there")


def _in_other_rounds(session: Session, made: Round) -> dict[int, list[int]]:
    """Round id → assignments there of the same people and conversations, where what was blind was handed in before it was assisted."""
    placed = and_(col(_there.round_id) == col(_other.round_id), col(_there.conversation_id) == col(_other.conversation_id))
    same = and_(col(_other.user_id) == col(Assignment.user_id), col(_other.conversation_id) == col(Assignment.conversation_id))
    here, there = (col(Assignment.id), col(RoundConversation.condition)), (col(_other.round_id), col(_other.id), col(_there.condition))
    statement: Any = (
        select(*here, *there)
        .join(RoundConversation, PLACED)
        .join(_other, same)
        .join(_there, placed)
        .where(col(Assignment.round_id) == made.id, col(_other.round_id) != made.id, ~col(Assignment.repeat), ~col(_other.repeat))
        .where(col(RoundConversation.condition) != col(_there.condition))
        .order_by(col(_other.id))
    )
    pairs = session.execute(statement).all()
    first = _first_submissions(session, {one for row in pairs for one in (row[0], row[3])})
    found: dict[int, list[int]] = defaultdict(list)
    for own, condition, round_id, other, other_condition in pairs:
        order = {condition: first.get(own), other_condition: first.get(other)}
        blind, assisted = order.get(BLIND), order.get(ASSISTED)
        if blind is not None and assisted is not None and blind < assisted:
            found[round_id].append(other)
    return found


def _first_submissions(session: Session, assignments: Iterable[int]) -> dict[int, int]:
    wanted = sorted(assignments)
    found: dict[int, int] = {}
    for start in range(0, len(wanted), _CHUNK):
        submitted = select(col(Submission.assignment_id), func.min(col(Submission.id))).where(col(Submission.handed_in))
        here = submitted.where(col(Submission.assignment_id).in_(wanted[start : start + _CHUNK]))
        found |= dict(tuple(row) for row in session.execute(here.group_by(col(Submission.assignment_id))))
    return found


# The labels of a long table


def report_of(rows: Iterable[Labelled], question: Question | None = None) -> dict[str, Any]:
    """The report of one round of a long table, of its columns condition, suggestion, seconds and round.

    That the blind conversations were drawn at random no table says: the arms are compared where somebody vouches for it.
    """
    question = question or Question()
    rows = [row for row in rows if row.annotator and not row.repeat]
    name = one_round(sorted({row.round for row in rows}), question.round)
    versions = sorted({row.model_version for row in rows if row.round == name and row.model_version})
    drawn = SAID if question.vouched else UNKNOWN
    known = Background(drawn=drawn, run={"model_versions": versions} if versions else None)
    return influence_of(_shown_in(rows, name), replace(question, round=name), known)


_Key = tuple[str, str, str, str, str, str]
"""Round, annotator, conversation, role, condition, taxonomy version."""


@dataclass(slots=True)
class _Work:
    """One annotator's rows of one role of one conversation in one round, by the utterance's place, and when the first was made."""

    said: dict[int, Labelled] = field(default_factory=dict)
    begun: str = ""

    def add(self, at: int, row: Labelled) -> None:
        self.said[at] = row
        self.begun = min(filter(None, (self.begun, row.decided_at)), default="")


def _shown_in(rows: Iterable[Labelled], name: str) -> Iterator[Shown]:
    """The labels of the round, then those of other rounds of the same people and conversations, where the blind ones came first."""
    places: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    works: dict[_Key, _Work] = defaultdict(_Work)
    for row in rows:
        place = places[row.conversation, row.role]
        at = place.setdefault(row.utterance, len(place))
        key = (row.round, row.annotator, row.conversation, row.role, row.condition, row.taxonomy_version)
        works[key].add(at, row)
    begun = {(key[1:4], key[4]): work.begun for key, work in works.items() if key[0] == name}
    for key, work in works.items():
        if key[0] == name or _is_pair(key, work, begun):
            yield _as_shown(key, work)


def _is_pair(key: _Key, work: _Work, begun: dict[tuple[tuple[str, str, str], str], str]) -> bool:
    """Whether work of another round goes with work of this one: one was blind, one assisted, and the blind one came first."""
    if key[4] not in (BLIND, ASSISTED):
        return False
    here = begun.get((key[1:4], ASSISTED if key[4] == BLIND else BLIND))
    first, then = (work.begun, here) if key[4] == BLIND else (here, work.begun)
    return bool(first and then and first < then)


def _as_shown(key: _Key, work: _Work) -> Shown:
    round_, annotator, conversation, role, condition, version = key
    told = [work.said.get(at) for at in range(max(work.said) + 1)]
    return Shown(
        Handed(annotator, conversation, role, [row and join_codes(row.codes) for row in told], round_, condition, version),
        [join_codes(row.suggestion) if row and row.suggestion else None for row in told],
        [row.seconds if row else None for row in told],
    )
