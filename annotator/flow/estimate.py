"""What a run would do and cost, before it is started: counted on real questions of a sample. Sends nothing, stores nothing."""

import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import and_, func, select
from sqlmodel import Session, col

from annotator.core.taxonomy import Taxonomy
from annotator.db import Database
from annotator.flow.cases import Loader, answered, bytes_of
from annotator.flow.corpus import read_transcripts
from annotator.flow.intake_facts import IMPORTED
from annotator.flow.outcomes import chosen
from annotator.flow.runs import Order, duration
from annotator.flow.tagging import Maker, prepare
from annotator.flow.taxonomy import current
from annotator.models import Call, Conversation, Run, Suggestion, Utterance
from annotator.taggers.base import Suggestion as Suggested
from annotator.taggers.inquiry import Inquiry
from annotator.taggers.prices import AS_OF, Price, cost, price_of
from annotator.taggers.prompt import Question
from annotator.taggers.provider import Answer, Provider
from annotator.taggers.reading import Reading

_SAMPLE, _ENOUGH = 100, 20
_CACHED_FROM = 2048
"""Tokens of rules and codebook from which on a service may keep them ready, at a tenth of the price."""

# Characters per token of English prose and of our JSON rows, tokens of a row, and seconds of a call, each from low to high.
# JSON is dense: counting it like prose would show a third to a half of the real output.
_CHARACTERS_PER_TOKEN = (4.2, 2.8)
_TOKENS_PER_ROW = (35.0, 100.0)
_SECONDS_PER_CALL = (1.0, 6.0)
_AGAIN = 1.1
"""Calls that ask again for what was missing, as a share on top; in the high figure only."""

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do. Ranges are (low, high); money is in USD and None where no price is known; `cost` is the high end.

    `measured` says that the figures come from answers of the same model and prompt in this project.
    """

    tagger: str
    conversations: int
    utterances: int
    known_conversations: int
    known_utterances: int
    cost: float | None = 0.0
    model: str = ""
    calls: int = 0
    tokens_in: Range = (0.0, 0.0)
    tokens_out: Range = (0.0, 0.0)
    cost_range: Range | None = (0.0, 0.0)
    price: dict[str, Any] = field(default_factory=dict)
    seconds: Range = (0.0, 0.0)
    max_cost: float | None = None
    measured: bool = False
    kept: int = 0
    """Conversations whose answers are there already, of the same prompt and model; they cost nothing again."""
    without_codes: int = 0
    """Utterances whose role the taxonomy does not know; nothing can be proposed for them."""
    thinking: str = ""

    def sentences(self) -> list[str]:
        """The plan for people."""
        what = (
            f"The {self.tagger} tagger would propose codes for {self.utterances - self.without_codes:,} utterances in "
            f"{_many(self.conversations, 'conversation')}, learning from {self.known_utterances:,} labelled utterances "
            "(of the shipped sample, gold, closed rounds and whom you name)."
        )
        lines = [what]
        if self.without_codes:
            lines.append(f"For {self.without_codes:,} utterances more it can propose nothing: the taxonomy has no codes for their roles.")
        if not self.model:
            return [*lines, "It costs nothing and sends nothing."]
        if self.kept:
            lines.append(f"Answers for {_many(self.kept, 'conversation')} are there already and cost nothing again.")
        if not self.calls:
            return [*lines, "Nothing is left to ask, so it costs nothing and sends nothing."]
        model = self.model + (f" (thinking: {self.thinking})" if self.thinking else "")
        tokens = f"{_span(self.tokens_in)} tokens in and {_span(self.tokens_out)} out"
        how = "as measured here" if self.measured else "estimated on real questions of a sample"
        lines.append(f"{model} would be asked {_many(self.calls, 'time')}, with {tokens} ({how}).")
        if self.cost_range is None:
            lines.append(f"No price of {self.model} is known: give it as IN/OUT, in USD per million tokens.")
        else:
            lines.append(f"Price: {self.cost_range[0]:.2f} to {self.cost_range[1]:.2f} USD, {self.price['of']}.")
        lines.append(f"Time: {duration(self.seconds[0])} to {duration(self.seconds[1])}, {self.price['rate']}.")
        if self.max_cost is not None and self.cost_range and self.cost_range[1] > self.max_cost:
            lines.append(f"With a limit of {self.max_cost:.2f} USD it may stop before the end; what it has by then is kept.")
        return [*lines, "Nothing was sent for this plan."]


def plan_dict(planned: Plan) -> dict[str, Any]:
    """A plan as JSON values."""
    return asdict(planned)


def plan(db: Database, order: Order) -> Plan:
    """Say what a run of this order would do, from the start; what an earlier run of it has already is not asked again."""
    with db.reading() as session:
        return plan_of(session, order)[0]


def plan_of(session: Session, order: Order) -> tuple[Plan, Maker]:
    """The plan, and the tagger that was made for it."""
    _, taxonomy = current(session)
    maker = prepare(session, order, taxonomy)
    ids = chosen(session, order.selection)
    n_known = sum(said.gold is not None for transcript in maker.known for _, said in transcript.utterances())
    n_utterances, n_without = _n_utterances(session, ids, taxonomy)
    base = Plan(order.tagger, len(ids), n_utterances, len(maker.known), n_known, without_codes=n_without)
    return (_priced(session, base, maker, ids) if isinstance(maker.tagger, Provider) else base), maker


def _n_utterances(session: Session, ids: list[int], taxonomy: Taxonomy) -> tuple[int, int]:
    """How many utterances the conversations have, and of how many the taxonomy does not know the role."""
    wanted = set(ids)
    rows = session.execute(select(col(Conversation.id), col(Conversation.n_utterances)))
    without = select(col(Utterance.conversation_id), func.count()).where(col(Utterance.role).not_in(taxonomy.roles))
    counted = session.execute(without.group_by(col(Utterance.conversation_id)))
    return sum(row.n_utterances for row in rows if row.id in wanted), sum(row[1] for row in counted if row[0] in wanted)


def _priced(session: Session, base: Plan, maker: Maker, ids: list[int]) -> Plan:
    provider = maker.tagger
    assert isinstance(provider, Provider)
    kept = answered(session, provider) & set(ids)
    ids = [one for one in ids if one not in kept]
    questions = list(_first_questions(session, maker, random.Random(1).sample(ids, min(len(ids), _SAMPLE))))  # noqa: S311 - no secret
    share = len(ids) / max(1, min(len(ids), _SAMPLE))
    calls = round(len(questions) * share)
    asked = sum(len(question.wanted) for question in questions) * share
    characters = sum(bytes_of(provider, question) for question in questions) * share
    measured = _measured(session, maker, provider)
    tokens_in = (characters / _CHARACTERS_PER_TOKEN[0], characters / _CHARACTERS_PER_TOKEN[1] * _AGAIN)
    thoughts = provider.thoughts()
    tokens_out = (asked * _TOKENS_PER_ROW[0] + calls * thoughts[0], (asked * _TOKENS_PER_ROW[1] + calls * thoughts[1]) * _AGAIN)
    per_call, cached = _SECONDS_PER_CALL, (_kept_ready(provider, calls, characters), 0.0)
    if measured is not None:
        tokens_in = (characters * measured.tokens_in * 0.95, characters * measured.tokens_in * 1.1)
        cached = (min(measured.cached * 1.05, 1.0), measured.cached * 0.85)
        tokens_out = (asked * measured.tokens_out * 0.9, asked * measured.tokens_out * 1.15)
        per_call = (measured.seconds * 0.8, measured.seconds * 1.5)
    price = price_of(provider.model, datetime.now(UTC).date(), provider.manner)
    low, high = zip(tokens_in, cached, tokens_out, strict=True)
    costs = None if price is None else (_cost(price, *low), _cost(price, *high))
    return Plan(
        base.tagger, base.conversations, base.utterances, base.known_conversations, base.known_utterances,
        kept=len(kept), without_codes=base.without_codes, thinking=provider.settings.get("thinking", ""),
        cost=None if costs is None else costs[1],
        model=provider.model,
        calls=calls,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        cost_range=costs,
        price=_words(price, provider),
        seconds=_seconds(calls, per_call, provider),
        max_cost=provider.manner.max_cost,
        measured=measured is not None,
    )  # fmt: skip


def _kept_ready(provider: Provider, calls: int, characters: float) -> float:
    """The share of what goes in that the service may bill as cached: rules and codebook of all calls but the first, if long enough."""
    system = len(provider.prompt.system)
    return (calls - 1) * system / characters if calls > 1 and system / _CHARACTERS_PER_TOKEN[1] >= _CACHED_FROM else 0.0


def _first_questions(session: Session, maker: Maker, ids: list[int]) -> Iterator[Question]:
    """The questions about conversations that are asked when every answer is good."""
    loader = Loader(session, Run(tagger="", version="", threshold=0.5, taxonomy_version_id=0, known=""), maker.taxonomy, maker.known)
    for transcript in read_transcripts(session, ids):
        case = loader.case(transcript)
        inquiry = Inquiry(case, [line.id for line in case.lines if line.role in maker.taxonomy.by_role])
        while (question := inquiry.question()) is not None:
            yield question
            inquiry.take(question, Reading(accepted={key: Suggested({}) for key in question.wanted}))


@dataclass(frozen=True, slots=True)
class _Measured:
    """Means over answers that are there: tokens in of a character, the cached share of them, tokens out of an utterance,
    seconds of a call."""

    tokens_in: float
    cached: float
    tokens_out: float
    seconds: float


def _measured(session: Session, maker: Maker, provider: Provider) -> _Measured | None:
    # What a file says of answers holds neither their tokens nor their number.
    same = and_(col(Call.prompt_hash) == provider.prompt_hash, col(Call.key) != IMPORTED)
    asked = select(col(Call.conversation_id)).where(same, col(Call.conversation_id).is_not(None)).distinct()
    ids = [one for one in session.scalars(asked.order_by(col(Call.conversation_id)).limit(_SAMPLE)) if one is not None]
    same = and_(same, col(Call.conversation_id).in_(ids))
    sums = [func.sum(column) for column in (col(Call.tokens_in), col(Call.tokens_cached), col(Call.tokens_out), col(Call.seconds))]
    number, tokens_in, cached, tokens_out, seconds = session.execute(select(func.count(), *sums).where(same)).one()
    # Several runs may have their suggestions from one answer.
    read = select(col(Suggestion.call_id), col(Suggestion.utterance_id)).join(Call, col(Call.id) == col(Suggestion.call_id)).where(same)
    rows = session.scalar(select(func.count()).select_from(read.distinct().subquery()))
    if number < _ENOUGH or not rows or not tokens_in:
        return None
    sizes = [bytes_of(provider, question) for question in _first_questions(session, maker, ids)]
    return _Measured(tokens_in / number / (sum(sizes) / len(sizes)), cached / tokens_in, tokens_out / rows, seconds / number)


def _cost(price: Price, tokens_in: float, cached: float, tokens_out: float) -> float:
    return cost(price, Answer("", "", "", round(tokens_in), round(tokens_in * cached), round(tokens_out)))


def _seconds(calls: int, per_call: Range, provider: Provider) -> Range:
    at_rate = calls * 60 / provider.manner.rpm if provider.manner.rpm else 0.0
    at_once = min(provider.manner.concurrency, max(1, calls))
    return max(at_rate, calls * per_call[0] / at_once), max(at_rate, calls * per_call[1] / at_once)


def _words(price: Price | None, provider: Provider) -> dict[str, Any]:
    manner = provider.manner
    rate = f"at most {manner.concurrency} at once"
    rate += f" and {manner.rpm:g} a minute" if manner.rpm else "; if your account allows fewer requests a minute, give that number"
    if price is None:
        return {"rate": rate}
    table = "as given" if manner.price else f"by the price table of {AS_OF:%d %B %Y}"
    tier = "" if manner.price else f", {manner.tier} tier"
    of = f"{price.tokens_in:g} in and {price.tokens_out:g} out per million tokens, {table}{tier}"
    return {"of": of, "rate": rate, "in": price.tokens_in, "out": price.tokens_out, "as_of": AS_OF.isoformat(), "tier": manner.tier}


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _span(numbers: Range) -> str:
    return f"{_short(numbers[0])} to {_short(numbers[1])}"


def _short(number: float) -> str:
    for size, word in ((1e6, "million"), (1e3, "thousand")):
        if number >= size:
            return f"{number / size:.3g} {word}"
    return f"{number:.0f}"
