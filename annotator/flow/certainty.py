"""How sure a run is of each conversation: by its weakest utterance, and by where another tagger disagrees.

An utterance without a suggestion, or without a confidence that can be used, is the weakest there is.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from annotator.models import Condition, Conversation, Failure, Round, RoundConversation, Run, Suggestion, Utterance

PAGE = 100


@dataclass(frozen=True, slots=True)
class Certainty:
    """One conversation of a run. `weakest` is the lowest stated confidence (0 to 1), `differ` counts utterances for which the
    other tagger proposes other codes, `odd` those with a note."""

    conversation: str
    weakest: float
    utterances: int
    failures: int
    differ: int
    odd: int


def other_run(session: Session, run: Run) -> int | None:
    """The newest finished run of another tagger, for a second opinion."""
    statement = select(col(Run.id)).where(col(Run.tagger) != run.tagger, col(Run.finished_at).is_not(None), col(Run.n_utterances) > 0)
    return session.scalar(statement.order_by(col(Run.id).desc()).limit(1))


def weakest_first(session: Session, run: Run, page: int | None) -> tuple[list[Certainty], int]:
    """One page (None: all) of the conversations that a run has been through, the least certain first, and how many there are."""
    other = aliased(Suggestion, name="other")
    beside = and_(col(Suggestion.utterance_id) == col(Utterance.id), col(Suggestion.run_id) == run.id)
    failed = and_(col(Failure.utterance_id) == col(Utterance.id), col(Failure.run_id) == run.id)
    second = and_(col(other.utterance_id) == col(Utterance.id), col(other.run_id) == (other_run(session, run) or 0))
    weakest = func.min(func.coalesce(col(Suggestion.confidence), 0.0))
    differ = _count(col(other.codes) != col(Suggestion.codes))
    statement = (
        select(
            col(Conversation.key),
            weakest.label("weakest"),
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
        .group_by(col(Conversation.id), col(Conversation.key))
        .having(func.count(col(Suggestion.utterance_id)) + func.count(col(Failure.utterance_id)) > 0)
        .order_by(weakest, differ.desc(), col(Conversation.id))
    )
    total = session.scalar(select(func.count()).select_from(statement.order_by(None).subquery())) or 0
    if page is not None:
        statement = statement.offset((page - 1) * PAGE).limit(PAGE)
    return [Certainty(*row) for row in session.execute(statement)], total


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
