"""First pass: runs of a tagger over conversations, resumable, and what a tagger may learn from (rule 11)."""

import hashlib
import json
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlmodel import Session, col

from annotator.core.labelled import join_codes
from annotator.core.taxonomy import Taxonomy
from annotator.core.transcript import Transcript
from annotator.db import Database
from annotator.errors import BadInput, Conflict
from annotator.flow.corpus import read_transcripts
from annotator.flow.known import known_labels
from annotator.flow.taxonomy import current
from annotator.models import Conversation, Run, Suggestion, Utterance, now
from annotator.taggers import make
from annotator.taggers.base import Brief, Tagger, proposal
from annotator.taggers.base import Suggestion as Suggested

_BATCH = 250
_LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Order:
    """What to run: the tagger with its settings, the threshold (None: the tagger's own), imported names to learn from."""

    tagger: str = "local"
    settings: dict[str, str] = field(default_factory=dict)
    threshold: float | None = None
    train_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do; nothing is sent or stored for it."""

    conversations: int
    utterances: int
    known_conversations: int
    known_utterances: int
    cost: float = 0.0


def plan_dict(planned: Plan) -> dict[str, Any]:
    """A plan as JSON values."""
    return asdict(planned)


Progress = Callable[[int, int], None]


def plan(db: Database, order: Order) -> Plan:
    """Count what a run would tag and learn from."""
    with db.reading() as session:
        _, taxonomy = current(session)
        known = known_labels(session, taxonomy, order.train_on)
        conversations, utterances = _corpus_size(session)
    make(order.tagger, Brief(taxonomy, known, order.settings))  # for what it says of the order
    n_known = sum(utterance.gold is not None for transcript in known for _, utterance in transcript.utterances())
    return Plan(conversations, utterances, len(known), n_known)


def tag(db: Database, order: Order, progress: Progress = lambda done, total: None) -> Run:
    """Run a tagger over every conversation, or go on with the same run where it was interrupted.

    One transaction per batch of conversations, so whatever is stored is complete; a second run touches nothing of the first.
    """
    with db.reading() as session:
        _, taxonomy = current(session)
        known = known_labels(session, taxonomy, order.train_on)
    tagger = make(order.tagger, Brief(taxonomy, known, order.settings))
    with db.writing() as session:
        run = _open_run(session, order, tagger, known)
    started, earlier = time.monotonic(), run.seconds
    with db.reading() as session:
        todo = _open_conversations(session, run)
        total = _corpus_size(session)[0]
    try:
        for ids in _chunks(todo):
            with db.reading() as session:
                transcripts = list(read_transcripts(session, ids))
            suggested = list(tagger.suggest(transcripts))
            with db.writing() as session:
                _store(session, run, taxonomy, ids, suggested)
                _beat(session, run, earlier + time.monotonic() - started)
            todo = todo[len(ids) :]
            progress(total - len(todo), total)
    finally:
        with db.writing() as session:
            return_lease(session, run, done=not todo)
    return run


def return_lease(session: Session, run: Run, *, done: bool) -> None:
    """Give the run back; count what it holds and close it when nothing is left."""
    stored = session.get_one(Run, run.id)
    stored.leased_by = stored.heartbeat_at = None
    counted = session.execute(
        select(func.count(), func.count(func.distinct(col(Utterance.conversation_id))))
        .select_from(Suggestion)
        .join(Utterance, col(Utterance.id) == col(Suggestion.utterance_id))
        .where(col(Suggestion.run_id) == run.id)
    ).one()
    stored.n_utterances, stored.n_conversations = counted
    if done:
        stored.finished_at = now()
    session.add(stored)
    session.flush()
    for name in ("n_utterances", "n_conversations", "finished_at", "seconds"):
        setattr(run, name, getattr(stored, name))


def newest_run(session: Session) -> Run | None:
    """The newest finished run."""
    statement = select(Run).where(col(Run.finished_at).is_not(None)).order_by(col(Run.id).desc()).limit(1)
    return session.scalars(statement).one_or_none()


def get_run(session: Session, run_id: int) -> Run:
    """A finished run by its number."""
    run = session.get(Run, run_id)
    if run is None or run.finished_at is None:
        known = ", ".join(str(row) for row in session.scalars(select(col(Run.id)).where(col(Run.finished_at).is_not(None))))
        raise BadInput(f"There is no finished run {run_id}. Finished: {known or 'none'}.")
    return run


def _corpus_size(session: Session) -> tuple[int, int]:
    counted = session.execute(select(func.count(), func.coalesce(func.sum(col(Conversation.n_utterances)), 0))).one()
    return counted[0], counted[1]


def _open_run(session: Session, order: Order, tagger: Tagger, known: Sequence[Transcript]) -> Run:
    """The unfinished run of the same making, leased to this process, or a new one."""
    version, _ = current(session)
    if not 0 <= (order.threshold if order.threshold is not None else 0.5) <= 1:
        raise BadInput(f"The threshold is {order.threshold}; it must be between 0 and 1.")
    making: dict[str, Any] = {
        "tagger": tagger.name,
        "version": tagger.version,
        "settings": dict(order.settings),
        "threshold": tagger.threshold if order.threshold is None else order.threshold,
        "taxonomy_version_id": version.id,
        "known": _fingerprint(known),
    }
    unfinished = session.scalars(select(Run).where(col(Run.finished_at).is_(None)).order_by(col(Run.id).desc()))
    run = next((run for run in unfinished if run.model_dump(include=set(making)) == making), None) or Run(**making)
    if run.leased_by and run.heartbeat_at and run.heartbeat_at > now() - _LEASE and not _is_gone(run.leased_by):
        raise Conflict(f"Run {run.id} is being worked on by {run.leased_by}. Wait for it, or stop that process and try again.")
    run.leased_by, run.heartbeat_at = f"{socket.gethostname()}:{os.getpid()}", now()
    session.add(run)
    session.flush()
    return run


def _is_gone(owner: str) -> bool:
    """Whether the owner was a process of this machine that does not run any more."""
    host, _, pid = owner.rpartition(":")
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return int(pid) == os.getpid()


def _fingerprint(known: Sequence[Transcript]) -> str:
    digest = hashlib.sha256()
    for transcript in known:
        gold = [utterance.gold for _, utterance in transcript.utterances()]
        digest.update(json.dumps([transcript.text_hash(), gold]).encode())
    return digest.hexdigest()[:12]


def _open_conversations(session: Session, run: Run) -> list[int]:
    """Conversations the run has said nothing about yet, in the order they came in."""
    tagged = (
        select(col(Utterance.conversation_id))
        .join(Suggestion, col(Suggestion.utterance_id) == col(Utterance.id))
        .where(col(Suggestion.run_id) == run.id)
    )
    return list(session.scalars(select(col(Conversation.id)).where(col(Conversation.id).not_in(tagged)).order_by(col(Conversation.id))))


def _chunks(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), _BATCH):
        yield ids[start : start + _BATCH]


def _store(session: Session, run: Run, taxonomy: Taxonomy, ids: list[int], suggested: Sequence[Mapping[str, Suggested]]) -> None:
    statement = select(col(Utterance.id), col(Utterance.conversation_id), col(Utterance.key))
    places: dict[int, dict[str, int]] = {}
    for row in session.execute(statement.where(col(Utterance.conversation_id).in_(ids))):
        places.setdefault(row.conversation_id, {})[row.key] = row.id
    rows = []
    for conversation_id, by_key in zip(ids, suggested, strict=True):
        for key, suggestion in by_key.items():
            codes = proposal(suggestion.probabilities, run.threshold, taxonomy.max_codes)
            rows.append(
                {
                    "run_id": run.id,
                    "utterance_id": places[conversation_id][key],
                    "codes": join_codes(codes),
                    "confidence": round(suggestion.probabilities[codes[0]], 4),
                    "probabilities": {code: round(p, 4) for code, p in suggestion.probabilities.items() if p >= 0.01},
                    "reason": suggestion.reason,
                }
            )
    if rows:
        session.connection().execute(insert(Suggestion), rows)


def _beat(session: Session, run: Run, seconds: float) -> None:
    session.execute(update(Run).where(col(Run.id) == run.id).values(heartbeat_at=now(), seconds=round(seconds, 3)))
