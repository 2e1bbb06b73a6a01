"""How sure a run is of each conversation: by its weakest utterance, and by where another tagger disagrees.

An utterance without a suggestion, or without a confidence that can be used, is the weakest there is.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from annotator.core.labelled import split_codes
from annotator.errors import NotFound
from annotator.models import Condition, Conversation, Failure, Round, RoundConversation, Run, Suggestion, Utterance

PAGE = 100


@dataclass(frozen=True, slots=True)
class Certainty:
    """One conversation of a run. `weakest` is the lowest stated confidence (0 to 1), None where an utterance has none; `suggested`
    and `failures` count utterances with and without a suggestion, `differ` those for which the other run proposes other codes,
    `odd` those with a note."""

    id: int
    conversation: str
    weakest: float | None
    suggested: int
    failures: int
    differ: int
    odd: int


def other_run(session: Session, run: Run) -> Run | None:
    """A finished run for a second opinion: the newest of another tagger, else of the same with other settings."""
    statement = select(Run).where(col(Run.id) != run.id, col(Run.finished_at).is_not(None), col(Run.n_utterances) > 0)
    others = [one for one in session.scalars(statement) if (one.tagger, one.settings) != (run.tagger, run.settings)]
    return max(others, key=lambda one: (one.tagger != run.tagger, one.id), default=None)


def weakest_first(session: Session, run: Run, page: int | None, but: Any = ()) -> tuple[list[Certainty], int]:
    """One page (None: all) of the conversations that a run has been through, the least certain first, and how many there are.

    Those whose ids are in `but`, a statement or a list, are left out.
    """
    other = aliased(Suggestion, name="other")
    beside = and_(col(Suggestion.utterance_id) == col(Utterance.id), col(Suggestion.run_id) == run.id)
    failed = and_(col(Failure.utterance_id) == col(Utterance.id), col(Failure.run_id) == run.id)
    opinion = other_run(session, run)
    second = and_(col(other.utterance_id) == col(Utterance.id), col(other.run_id) == (opinion.id if opinion else 0))
    weakest = func.min(func.coalesce(col(Suggestion.confidence), 0.0))
    lacking = func.count() - func.count(col(Suggestion.confidence))
    differ = _count(col(other.codes) != col(Suggestion.codes))
    statement = (
        select(
            col(Conversation.id),
            col(Conversation.key),
            case((lacking == 0, weakest)).label("weakest"),
            func.count(col(Suggestion.utterance_id)),
            func.count(col(Failure.utterance_id)),
            differ.label("differ"),
            _count(col(Suggestion.note) != ""),
        )
        .select_from(Utterance)
        .join(Conversation, col(Conversation.id) == col(Utterance.conversation_id))
        .outerjoin(Suggestion, beside)
        .outerjoin(Failure, failed)
        .outerjoin(other, second)
        .where(col(Conversation.id).not_in(but))
        .group_by(col(Conversation.id), col(Conversation.key))
        .having(func.count(col(Suggestion.utterance_id)) + func.count(col(Failure.utterance_id)) > 0)
        .order_by(lacking == 0, weakest, differ.desc(), col(Conversation.id))
    )
    total = session.scalar(select(func.count()).select_from(statement.order_by(None).subquery())) or 0
    if page is not None:
        statement = statement.offset((page - 1) * PAGE).limit(PAGE)
    return [Certainty(*row) for row in session.execute(statement)], total


@dataclass(frozen=True, slots=True)
class Said:
    """One utterance as a run sees it: what it proposes and why, or why it proposes nothing; and what the other run proposes."""

    position: int
    turn_position: int
    role: str
    text: str
    codes: tuple[str, ...]
    confidence: float | None
    second: str
    reason: str
    note: str
    failure: str
    other: tuple[str, ...]


def look_into(session: Session, run: Run, conversation_id: int) -> tuple[str, list[Said]]:
    """A conversation's id in the source, and its utterances as a run sees them; no decisions of anybody."""
    key = session.scalar(select(col(Conversation.key)).where(col(Conversation.id) == conversation_id))
    if key is None:
        raise NotFound("There is no such conversation. Go back to the run and open it from there.")
    other, opinion = aliased(Suggestion, name="other"), other_run(session, run)
    beside = and_(col(Suggestion.utterance_id) == col(Utterance.id), col(Suggestion.run_id) == run.id)
    failed = and_(col(Failure.utterance_id) == col(Utterance.id), col(Failure.run_id) == run.id)
    second = and_(col(other.utterance_id) == col(Utterance.id), col(other.run_id) == (opinion.id if opinion else 0))
    statement = (
        select(Utterance, Suggestion, col(Failure.reason), col(other.codes))
        .outerjoin(Suggestion, beside)
        .outerjoin(Failure, failed)
        .outerjoin(other, second)
        .where(col(Utterance.conversation_id) == conversation_id)
        .order_by(col(Utterance.position))
    )
    return key, [_said(*row) for row in session.execute(statement)]


def _said(utterance: Utterance, suggestion: Suggestion | None, failure: str | None, other: str | None) -> Said:
    place = (utterance.position, utterance.turn_position, utterance.role, utterance.text)
    if suggestion is None:
        return Said(*place, (), None, "", "", "", failure or "", split_codes(other or ""))
    said = suggestion
    return Said(*place, split_codes(said.codes), said.confidence, said.second, said.reason, said.note, "", split_codes(other or ""))


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def weakness() -> ColumnElement[Any]:
    """Of a conversation in a round, for ordering a person's list: the pinned run's lowest confidence there.

    Nothing of a run may show in the blind condition, in the order neither: there it is a number that depends on the
    conversation alone and spreads such conversations evenly among the others.
    """
    weakest = (
        select(func.min(func.coalesce(col(Suggestion.confidence), 0.0)))
        .select_from(Utterance)
        .outerjoin(Suggestion, and_(col(Suggestion.utterance_id) == col(Utterance.id), col(Suggestion.run_id) == col(Round.run_id)))
        .where(col(Utterance.conversation_id) == col(RoundConversation.conversation_id))
        .correlate(Round, RoundConversation)
        .scalar_subquery()
    )
    drawn = (col(RoundConversation.conversation_id) * 37 % 101) / 101.0
    return case((col(RoundConversation.condition) == Condition.ASSISTED, weakest), else_=drawn)
