"""Conversations as a provider is asked about them: their lines, what may stand beside them, and the answers that are there.

Asking is `flow/asking.py`'s; which labels may be shown is decided in `flow/known.py` (rule 11).
"""

import json
from dataclasses import dataclass

from sqlalchemy import and_, select
from sqlmodel import Session, col

from annotator.core.taxonomy import Taxonomy
from annotator.core.transcript import Transcript
from annotator.flow.corpus import read_transcripts
from annotator.flow.outcomes import without_outcome
from annotator.models import Call, Item, Run, Scenario, Utterance
from annotator.taggers.examples import Examples
from annotator.taggers.prompt import Case, Question, case_of
from annotator.taggers.provider import Answer, Provider


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer on disk."""

    call_id: int
    answer: Answer
    cost: float | None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation to ask about: its lines, the database id behind each, which are wanted, and answers that are there."""

    id: int
    case: Case
    utterances: dict[int, int]
    wanted: tuple[int, ...]
    roleless: dict[int, str]
    kept: dict[str, Kept]


class Loader:
    """Reads conversations as cases; scenarios, items and examples stand beside them."""

    def __init__(self, session: Session, run: Run, taxonomy: Taxonomy, known: list[Transcript]) -> None:
        self._run, self._taxonomy = run, taxonomy
        self._examples = Examples(known, taxonomy.roles)
        self._scenarios = {row.key: row.body for row in session.execute(select(col(Scenario.key), col(Scenario.body)))}
        self._items: dict[str, list[str]] = {}
        statement = select(col(Item.catalogue), col(Item.number), col(Item.name)).order_by(col(Item.catalogue), col(Item.number))
        for row in session.execute(statement):
            self._items.setdefault(row.catalogue, []).append(f"Item{row.number:02}: {row.name}")

    def case(self, transcript: Transcript) -> Case:
        """A conversation as it is shown."""
        scenario = self._scenarios.get(str(transcript.meta.get("scenario", "")), "")
        items = tuple(self._items.get(str(transcript.meta.get("catalogue", "")), ()))
        return case_of(transcript, scenario, items, self._examples.near(transcript))

    def load(self, session: Session, ids: list[int]) -> list[Conversation]:
        """Conversations with their utterances that have no outcome yet."""
        utterances: dict[int, dict[int, int]] = {one: {} for one in ids}
        columns = (col(Utterance.id), col(Utterance.conversation_id), col(Utterance.position))
        for row in session.execute(select(*columns).where(col(Utterance.conversation_id).in_(ids))):
            utterances[row.conversation_id][row.position] = row.id
        statement = select(col(Utterance.id)).where(col(Utterance.conversation_id).in_(ids), without_outcome(self._run.id))
        open_ids = set(session.scalars(statement))
        kept = _kept(session, ids)
        found = []
        for one, transcript in zip(ids, read_transcripts(session, ids), strict=True):
            case = self.case(transcript)
            waiting = [line for line in case.lines if utterances[one][line.id] in open_ids]
            known = {line.id for line in waiting if line.role in self._taxonomy.by_role}
            roleless = {line.id: line.role for line in waiting if line.id not in known}
            found.append(Conversation(one, case, utterances[one], tuple(sorted(known)), roleless, kept.get(one, {})))
        return found


def _kept(session: Session, ids: list[int]) -> dict[int, dict[str, Kept]]:
    found: dict[int, dict[str, Kept]] = {}
    for call in session.scalars(select(Call).where(col(Call.conversation_id).in_(ids)).order_by(col(Call.id))):
        answer = Answer(call.raw, call.finish, call.model_version, call.tokens_in, call.tokens_cached, call.tokens_out)
        found.setdefault(call.conversation_id or 0, {})[call.key] = Kept(call.id or 0, answer, call.cost)
    return found


def answered(session: Session, provider: Provider) -> set[int]:
    """The conversations that have answers of the same prompt and model, which a run finds and does not pay for again."""
    if provider.settings.get("fresh"):
        return set()
    same = and_(col(Call.prompt_hash) == provider.prompt_hash, col(Call.conversation_id).is_not(None))
    return {one for one in session.scalars(select(col(Call.conversation_id)).where(same).distinct()) if one is not None}


def bytes_of(provider: Provider, question: Question) -> int:
    """All that is sent with a question and billed: the shape of the answer is too."""
    return provider.size(question) + len(json.dumps(provider.prompt.schema()))
