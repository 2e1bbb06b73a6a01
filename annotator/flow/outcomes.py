"""What a run has said of each utterance - a suggestion, or the reason for having none - and which conversations it has still to do.

Who works on a run and how far it is stands in `flow/runs.py`.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from sqlalchemy import ColumnElement, and_, func, insert, select
from sqlmodel import Session, col

from annotator.core.labelled import join_codes
from annotator.core.taxonomy import Taxonomy
from annotator.errors import BadInput
from annotator.models import Conversation, Failure, Run, Suggestion, Utterance, now
from annotator.taggers.base import Suggestion as Suggested
from annotator.taggers.base import proposal


def chosen(session: Session, selection: Mapping[str, Sequence[str]]) -> list[int]:
    """The conversations of a selection, in the order they came in; raises `BadInput` for a pattern that matches none."""
    rows = session.execute(select(col(Conversation.id), col(Conversation.key)).order_by(col(Conversation.id))).all()
    only, leave_out = selection.get("only", ()), selection.get("leave_out", ())
    for pattern in (*only, *leave_out):
        if not any(_is_meant(row.key, pattern) for row in rows):
            raise BadInput(f"No conversation is called {pattern!r}. Give an id, or a pattern such as c1_*.")
    kept = [
        row.id
        for row in rows
        if (not only or any(_is_meant(row.key, one) for one in only)) and not any(_is_meant(row.key, one) for one in leave_out)
    ]
    if rows and not kept:
        raise BadInput("No conversation is left of those that were chosen. Leave out fewer.")
    if sample := selection.get("sample"):
        number, seed = int(sample[0]), int(sample[1])
        kept = sorted(random.Random(seed).sample(kept, min(number, len(kept))))  # noqa: S311 - a draw anyone may repeat, no secret
    return kept


def _is_meant(key: str, pattern: str) -> bool:
    """An id may hold what is special in a pattern, so it also means itself."""
    return key == pattern or fnmatchcase(key, pattern)


def open_conversations(session: Session, run: Run) -> list[int]:
    """Chosen conversations with an utterance that has no outcome yet, in the order they came in."""
    waiting = set(session.scalars(select(col(Utterance.conversation_id)).where(without_outcome(run.id)).distinct()))
    return [one for one in chosen(session, run.selection) if one in waiting]


def without_outcome(run_id: int | None) -> ColumnElement[bool]:
    """The utterance has neither a suggestion nor a reason for having none, in this run."""
    suggested = select(col(Suggestion.utterance_id)).where(
        col(Suggestion.utterance_id) == col(Utterance.id), col(Suggestion.run_id) == run_id
    )
    failed = select(col(Failure.utterance_id)).where(col(Failure.utterance_id) == col(Utterance.id), col(Failure.run_id) == run_id)
    return and_(~suggested.exists(), ~failed.exists())


def counted(session: Session, run: Run) -> tuple[int, int]:
    """How many suggestions a run holds, and of how many conversations."""
    found = session.execute(
        select(func.count(), func.count(func.distinct(col(Utterance.conversation_id))))
        .select_from(Suggestion)
        .join(Utterance, col(Utterance.id) == col(Suggestion.utterance_id))
        .where(col(Suggestion.run_id) == run.id)
    ).one()
    return found[0], found[1]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run says of one utterance: a suggestion with where it came from, or the reason for having none."""

    utterance_id: int
    suggestion: Suggested | None
    reason: str = ""
    call_id: int | None = None
    cost: float | None = None


def store_outcomes(session: Session, run: Run, taxonomy: Taxonomy, outcomes: Sequence[Outcome]) -> None:
    """Add suggestions and failures."""
    rows = [_suggestion_row(run, taxonomy, one, one.suggestion) for one in outcomes if one.suggestion is not None]
    missing = [
        {"run_id": run.id, "utterance_id": one.utterance_id, "reason": one.reason, "failed_at": now()}
        for one in outcomes
        if one.suggestion is None
    ]
    for table, added in ((Suggestion, rows), (Failure, missing)):
        if added:
            session.connection().execute(insert(table), added)


def _suggestion_row(run: Run, taxonomy: Taxonomy, outcome: Outcome, said: Suggested) -> dict[str, Any]:
    codes = said.codes or proposal(said.probabilities, run.threshold, taxonomy.max_codes)
    confidence = said.confidence if said.codes else said.probabilities[codes[0]]
    return {
        "run_id": run.id,
        "utterance_id": outcome.utterance_id,
        "codes": join_codes(codes),
        "confidence": None if confidence is None else round(confidence, 4),
        "probabilities": {code: round(p, 4) for code, p in said.probabilities.items() if p >= 0.01},
        "reason": said.reason,
        "second": said.second,
        "note": said.note,
        "call_id": outcome.call_id,
        "cost": outcome.cost,
    }
