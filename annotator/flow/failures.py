"""Which utterances of a run have no suggestion, and why. How a run is doing otherwise is `flow/runs.py`'s."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from annotator.flow.outcomes import open_conversations, without_outcome
from annotator.flow.runs import state_of
from annotator.models import Conversation, Failure, Run, Utterance


@dataclass(frozen=True, slots=True)
class Missing:
    """An utterance without a suggestion, and why."""

    conversation: str
    utterance: str
    role: str
    text: str
    reason: str

    def as_dict(self) -> dict[str, str]:
        """The same as JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Group:
    """Utterances of one conversation that have no suggestion for one and the same reason."""

    conversation: str
    utterances: tuple[str, ...]
    reason: str

    @property
    def which(self) -> str:
        """The utterances, or how many where they are many.

        >>> Group("c1", ("1", "2"), "").which, Group("c1", tuple("123456789"), "").which
        ('1, 2', '9 utterances, from 1 to 9')
        """
        if len(self.utterances) <= 6:
            return ", ".join(self.utterances)
        return f"{len(self.utterances)} utterances, from {self.utterances[0]} to {self.utterances[-1]}"


def grouped(failures: Sequence[Missing]) -> list[Group]:
    """Failures by conversation and reason, in their order."""
    groups: dict[tuple[str, str], list[str]] = {}
    for one in failures:
        groups.setdefault((one.conversation, one.reason), []).append(one.utterance)
    return [Group(conversation, tuple(utterances), reason) for (conversation, reason), utterances in groups.items()]


def failures(session: Session, run: Run, limit: int | None = None, but: Any = ()) -> list[Missing]:
    """Every chosen utterance of a run without a suggestion, with its reason; those not asked yet say why not.

    With a limit only so many, and of those that were asked. Conversations whose ids are in `but`, a statement or a list, are left out.
    """
    columns: tuple[Any, ...] = (col(Conversation.key), col(Utterance.key), col(Utterance.role), col(Utterance.text))
    failed = (
        select(*columns, col(Failure.reason))
        .join(Utterance, col(Utterance.id) == col(Failure.utterance_id))
        .join(Conversation, col(Conversation.id) == col(Utterance.conversation_id))
        .where(col(Failure.run_id) == run.id, col(Conversation.id).not_in(but))
        .order_by(col(Utterance.id))
        .limit(limit)
    )
    found = [Missing(row[0], row[1], row[2], row[3], row[4]) for row in session.execute(failed)]
    if run.finished_at is None and limit is None:
        reason = f"not asked yet: {run.stopped or f'the run is {state_of(run)}'}"
        waiting = open_conversations(session, run)
        for start in range(0, len(waiting), 500):
            statement = (
                select(*columns)
                .join(Conversation, col(Conversation.id) == col(Utterance.conversation_id))
                .where(col(Conversation.id).in_(waiting[start : start + 500]), without_outcome(run.id), col(Conversation.id).not_in(but))
                .order_by(col(Utterance.id))
            )
            found += [Missing(row[0], row[1], row[2], row[3], reason) for row in session.execute(statement)]
    return found
