"""First pass: start a run of a tagger or provider, or go on with it, and work on it until it is done, paused or stopped.

What a tagger may learn from is `flow/known.py`'s (rule 11), runs as rows `flow/runs.py`'s, asking a provider `flow/asking.py`'s.
"""

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from annotator.core.taxonomy import Taxonomy
from annotator.core.transcript import Transcript
from annotator.db import Database
from annotator.errors import AnnotatorError, BadInput, Conflict
from annotator.flow.asking import Asking, Watch
from annotator.flow.cases import Loader, answered
from annotator.flow.corpus import read_transcripts
from annotator.flow.known import known_labels
from annotator.flow.outcomes import Outcome, chosen, open_conversations, store_outcomes
from annotator.flow.runs import Order, any_run, beat, open_run, pause, return_lease, take_lease
from annotator.flow.taxonomy import current, taxonomy_of
from annotator.models import Run, TaxonomyVersion, Utterance
from annotator.taggers import PROVIDERS, make
from annotator.taggers.base import Brief, Tagger
from annotator.taggers.base import Suggestion as Suggested
from annotator.taggers.prices import price_of
from annotator.taggers.provider import Provider, parse_manner, parted

_BATCH = 250
_BEAT_SECONDS = 2.0


def tag(db: Database, order: Order, watch: Watch | None = None) -> Run:
    """Run a tagger over the chosen conversations, or go on with the same run where it was interrupted."""
    with db.writing() as session:
        run, maker = start(session, order)
        take_lease(session, run)
    return _work(db, run, maker, watch or Watch())


def work(db: Database, run_id: int, watch: Watch | None = None) -> Run:
    """Go on with a run by its number, with whatever was ordered when it was made."""
    try:
        with db.writing() as session:
            run = any_run(session, run_id)
            if run.finished_at is not None:
                raise Conflict(f"Run {run_id} is finished. `annotator tag --run {run_id} --retry-failed` asks again about what failed.")
            maker = _maker_of(session, run)
            take_lease(session, run)
    except BadInput as error:  # said on the lead's page too, and not tried again and again
        with db.writing() as session:
            if session.get(Run, run_id) is not None:
                pause(session, session.get_one(Run, run_id), str(error))
        raise
    return _work(db, run, maker, watch or Watch())


@dataclass(frozen=True, slots=True)
class Maker:
    """What makes suggestions for a run, and what it may learn from."""

    tagger: Tagger | Provider
    taxonomy: Taxonomy
    known: list[Transcript]


def start(session: Session, order: Order) -> tuple[Run, Maker]:
    """The unfinished run of this order, or a new one; nobody works on it yet."""
    version, taxonomy = current(session)
    maker = prepare(session, order, taxonomy)
    tagger = maker.tagger
    chosen(session, order.selection)  # for what it says of patterns that match nothing
    threshold = tagger.threshold if isinstance(tagger, Tagger) else 0.5
    making: dict[str, Any] = {
        "tagger": tagger.name,
        "version": tagger.version,
        "settings": dict(tagger.settings) if isinstance(tagger, Provider) else dict(order.settings),
        "threshold": threshold if order.threshold is None else order.threshold,
        "taxonomy_version_id": version.id,
        "known": _fingerprint(maker.known),
        "train_on": list(order.train_on),
        "selection": {name: list(values) for name, values in order.selection.items() if values},
    }
    run = open_run(session, making, order)
    if isinstance(tagger, Provider):
        tagger.manner = parse_manner(run.manner)  # what was said when it began, such as a limit, still holds
        _check_limit(tagger)
    return run, maker


def prepare(session: Session, order: Order, taxonomy: Taxonomy) -> Maker:
    """The tagger of an order with what it may learn from, for a run or only to look."""
    if not 0 <= (order.threshold if order.threshold is not None else 0.5) <= 1:
        raise BadInput(f"The threshold is {order.threshold}; it must be between 0 and 1.")
    known = known_labels(session, taxonomy, order.train_on)
    settings = parted(order.settings).settings if order.tagger in PROVIDERS else order.settings
    manner = parse_manner(order.manner) if order.tagger in PROVIDERS else None
    maker = Maker(make(order.tagger, Brief(taxonomy, known, settings), manner), taxonomy, known)
    _check_limit(maker.tagger)
    return maker


def _check_limit(tagger: Tagger | Provider) -> None:
    if not isinstance(tagger, Provider) or tagger.manner.max_cost is None:
        return
    if price_of(tagger.model, datetime.now(UTC).date(), tagger.manner) is None:
        what = f"No price of {tagger.model} is known, so max_cost cannot be kept"
        raise BadInput(f"{what}. Give it as price IN/OUT, in USD per million tokens.")


def _maker_of(session: Session, run: Run) -> Maker:
    version = session.get_one(TaxonomyVersion, run.taxonomy_version_id)
    taxonomy = taxonomy_of(session, run.taxonomy_version_id, version.fingerprint)
    order = Order(run.tagger, dict(run.settings), run.threshold, tuple(run.train_on), dict(run.selection), dict(run.manner))
    return prepare(session, order, taxonomy)


def _fingerprint(known: Sequence[Transcript]) -> str:
    digest = hashlib.sha256()
    for transcript in known:
        gold = [utterance.gold for _, utterance in transcript.utterances()]
        digest.update(json.dumps([transcript.text_hash(), gold]).encode())
    return digest.hexdigest()[:12]


class _Clock:
    """How long a run has been worked on, earlier stretches included; beats its heart every two seconds."""

    def __init__(self, db: Database, run: Run) -> None:
        self._db, self._run, self._earlier = db, run, run.seconds
        self._begun = self._beaten = time.monotonic()

    @property
    def seconds(self) -> float:
        return self._earlier + time.monotonic() - self._begun

    def goes_on(self) -> bool:
        """Beat when it is time to; false where the run was paused or is another's."""
        if time.monotonic() - self._beaten < _BEAT_SECONDS:
            return True
        self._beaten = time.monotonic()
        with self._db.writing() as session:
            return beat(session, self._run, self.seconds)


def _work(db: Database, run: Run, maker: Maker, watch: Watch) -> Run:
    """Work until all is done, or `halt` is set, or the run stops by itself; then give it back."""
    clock, stopped, paused = _Clock(db, run), "", True
    try:
        if isinstance(maker.tagger, Provider):
            stopped = _ask(db, run, maker, watch, clock)
        else:
            _suggest(db, run, maker, watch, clock)
    except Exception as error:
        stopped = str(error) if isinstance(error, AnnotatorError) else f"an unexpected error ({type(error).__name__}); the log says more"
        raise
    else:
        # Halted from outside it is paused by whoever did that; the server's own restart shall not pause it.
        paused = watch.halt.is_set() and not run.on_server
    finally:
        with db.writing() as session:
            return_lease(session, run, seconds=clock.seconds, stopped=stopped, paused=paused)
    return run


def _suggest(db: Database, run: Run, maker: Maker, watch: Watch, clock: _Clock) -> None:
    """A tagger of this process: batch after batch, each in one transaction, so whatever is stored is complete."""
    assert isinstance(maker.tagger, Tagger)
    with db.reading() as session:
        todo = open_conversations(session, run)
        total = len(chosen(session, run.selection))
    for ids in _batches(todo):
        if watch.halt.is_set() or not clock.goes_on():
            return
        with db.reading() as session:
            transcripts = list(read_transcripts(session, ids))
        suggested = list(maker.tagger.suggest(transcripts))
        with db.writing() as session:
            store_outcomes(session, run, maker.taxonomy, list(_outcomes(session, ids, suggested)))
        todo = todo[len(ids) :]
        watch.progress(total - len(todo), total, "")


def _outcomes(session: Session, ids: list[int], suggested: Sequence[Any]) -> Iterator[Outcome]:
    by_conversation: dict[int, dict[str, Suggested]] = dict(zip(ids, suggested, strict=True))
    statement = select(col(Utterance.id), col(Utterance.conversation_id), col(Utterance.key), col(Utterance.role))
    for row in session.execute(statement.where(col(Utterance.conversation_id).in_(ids)).order_by(col(Utterance.id))):
        said = by_conversation[row.conversation_id].get(row.key)
        yield Outcome(row.id, said, "" if said else f"the taxonomy has no codes for the role {row.role}")


def _batches(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), _BATCH):
        yield ids[start : start + _BATCH]


def _ask(db: Database, run: Run, maker: Maker, watch: Watch, clock: _Clock) -> str:
    """A provider: many questions at once. Returns why it stopped early, or nothing."""
    assert isinstance(maker.tagger, Provider)
    with db.reading() as session:
        # What costs nothing comes first, so that a limit stops only what has to be paid.
        kept = answered(session, maker.tagger)
        todo = sorted(open_conversations(session, run), key=lambda one: one not in kept)
        total = len(chosen(session, run.selection))
        loader = Loader(session, run, maker.taxonomy, maker.known)
    asking = Asking(db, run, maker.tagger, loader, todo, watch)

    def tick() -> bool:
        done = total - len(todo) + asking.done
        watch.progress(done, total, f"{done} conversations, {asking.budget.spent:.4f} USD")
        return clock.goes_on()

    try:
        asking.work(tick)
    finally:
        maker.tagger.close()
    return asking.stopped
