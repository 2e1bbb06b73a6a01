"""Runs as rows: which there are, who works on one, how far it is, what it has said of each utterance.

What fills them is `flow/tagging.py` (in this process) and `flow/asking.py` (a provider).
"""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, delete, func, or_, select, update
from sqlmodel import Session, col

from annotator.errors import BadInput, Conflict, NotFound
from annotator.flow.outcomes import chosen, counted, open_conversations
from annotator.models import Call, Failure, Run, Suggestion, now
from annotator.settings import Settings
from annotator.taggers import PROVIDERS
from annotator.taggers.provider import manner_names, parse_manner, parted

_LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Order:
    """What to run: the tagger with its settings, the threshold (None: the tagger's own), imported names to learn from.

    `selection` says which conversations: patterns under `only` and `leave_out`, `sample` as [how many, seed]; empty is all.
    `manner` says how to go about it and may differ from start to start.
    """

    tagger: str = "local"
    settings: dict[str, str] = field(default_factory=dict)
    threshold: float | None = None
    train_on: tuple[str, ...] = ()
    selection: dict[str, list[str]] = field(default_factory=dict)
    manner: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. `state` is finished, running, waiting (for the server), paused or interrupted; money is in USD."""

    run: Run
    state: str
    conversations: int
    chosen: int
    utterances: int
    failures: int
    spent: float | None
    calls: int
    kept: int
    model_versions: tuple[str, ...]

    @property
    def n_open(self) -> int:
        """Conversations still to do."""
        return max(0, self.chosen - self.conversations)

    @property
    def is_live(self) -> bool:
        """Whether something happens, or will in a moment."""
        return self.state in ("running", "waiting", "pausing")

    @property
    def is_paid(self) -> bool:
        """Whether going on costs money."""
        return self.run.tagger in PROVIDERS

    @property
    def left(self) -> str:
        """How long the rest may take at the pace so far; empty where that cannot be said yet."""
        if not self.run.seconds or self.conversations < 3:
            return ""
        return duration(self.run.seconds * self.n_open / self.conversations)

    def as_dict(self) -> dict[str, Any]:
        """The run and its progress as JSON values."""
        told = {"id", "tagger", "version", "settings", "manner", "selection", "threshold", "seconds", "stopped"}
        return self.run.model_dump(mode="json", include=told) | {
            "state": self.state,
            "n_conversations": self.conversations,
            "n_chosen": self.chosen,
            "n_utterances": self.utterances,
            "n_failures": self.failures,
            "n_calls": self.calls,
            "n_kept": self.kept,
            "cost": self.spent,
            "model_versions": list(self.model_versions),
        }

    def sentences(self) -> list[str]:
        """The same for people."""
        run = self.run
        size = f"{self.utterances:,} utterances of {self.conversations:,} conversations"
        lines = [f"Run {run.id}: {run.tagger} proposed codes for {size} in {run.seconds:.1f} s."]
        if self.calls or self.kept:
            money = "an unknown price" if self.spent is None else f"{self.spent:.4f} USD"
            reused = f" and {self.kept:,} kept from earlier runs" if self.kept else ""
            lines.append(f"{self.calls:,} answers of {', '.join(self.model_versions)}{reused}, {money}.")
        if self.failures:
            again = f"`annotator tag --run {run.id} --failures` lists them, --retry-failed asks again"
            lines.append(f"{self.failures:,} utterances have no suggestion: {again}.")
        if len(self.model_versions) > 1:
            lines.append("More than one model answered: do not treat this run as one tagger.")
        return lines


def duration(seconds: float) -> str:
    """A time as people say it.

    >>> duration(42), duration(600), duration(9000)
    ('42 s', '10 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def order_of(settings: Settings, tagger: str, given: Mapping[str, str]) -> Order:
    """An order from NAME=VALUE pairs, over the project's own settings where a provider is asked."""
    if tagger not in PROVIDERS:
        paid = sorted(given.keys() & {"model", "thinking", "fresh", *manner_names()})
        if paid:
            what = f"{', '.join(paid)} is for language models, and the {tagger} tagger is none"
            raise BadInput(f"{what}. Add --tagger gemini, or leave it out.")
        return Order(tagger, dict(given))
    names = parted({name: value for name, value in {**settings.provider, **given}.items() if value})
    return Order(tagger, names.settings, manner=names.manner)


def newest_run(session: Session) -> Run | None:
    """The newest finished run that proposes anything."""
    proposes = select(col(Suggestion.run_id)).where(col(Suggestion.run_id) == col(Run.id)).exists()
    statement = select(Run).where(col(Run.finished_at).is_not(None), proposes).order_by(col(Run.id).desc()).limit(1)
    return session.scalars(statement).one_or_none()


def get_run(session: Session, run_id: int) -> Run:
    """A finished run by its number."""
    run = session.get(Run, run_id)
    if run is None or run.finished_at is None:
        known = ", ".join(str(row) for row in session.scalars(select(col(Run.id)).where(col(Run.finished_at).is_not(None))))
        raise BadInput(f"There is no finished run {run_id}. Finished: {known or 'none'}.")
    return run


def any_run(session: Session, run_id: int | None = None) -> Run:
    """A run by its number, finished or not; without a number the newest."""
    if run_id is None:
        run = session.scalars(select(Run).order_by(col(Run.id).desc()).limit(1)).one_or_none()
    else:
        run = session.get(Run, run_id) if run_id < 2**63 else None  # more than a database's integer holds
    if run is None:
        known = ", ".join(map(str, session.scalars(select(col(Run.id)).order_by(col(Run.id))))) or "none; `annotator tag` makes one"
        sentence = f"There is no run {run_id}. Known: {known}."
        raise NotFound("There is no run yet: `annotator tag` makes one." if run_id is None else sentence)
    return run


def list_runs(session: Session) -> list[Run]:
    """Every run, the newest first."""
    return list(session.scalars(select(Run).order_by(col(Run.id).desc())))


# Who works on it


def open_run(session: Session, making: dict[str, Any], order: Order) -> Run:
    """The unfinished run of the same making, or a new one."""
    unfinished = session.scalars(select(Run).where(col(Run.finished_at).is_(None)).order_by(col(Run.id).desc()))
    run = next((run for run in unfinished if run.model_dump(include=set(making)) == making), None) or Run(**making)
    run.manner = run.manner | order.manner
    session.add(run)
    session.flush()
    return run


def take_lease(session: Session, run: Run) -> None:
    """Make this process the one that works on the run, or say who does."""
    if run.leased_by and run.heartbeat_at and run.heartbeat_at > now() - _LEASE and not _is_gone(run.leased_by):
        raise Conflict(f"Run {run.id} is being worked on by {run.leased_by}. Wait for it, or stop that process and try again.")
    run.leased_by, run.heartbeat_at = _me(), now()
    run.paused_at, run.stopped = None, ""
    session.add(run)
    session.flush()


def beat(session: Session, run: Run, seconds: float) -> bool:
    """Say that this process is alive; false where the run was paused or is another's by now."""
    mine = and_(col(Run.id) == run.id, col(Run.leased_by) == _me(), col(Run.paused_at).is_(None))
    beaten: Any = session.execute(update(Run).where(mine).values(heartbeat_at=now(), seconds=round(seconds, 3)))
    return bool(beaten.rowcount)


def return_lease(session: Session, run: Run, *, seconds: float, stopped: str = "", paused: bool = False) -> None:
    """Give the run back; count what it holds, and close it when nothing is left to do. One that is another's by now is left alone."""
    stored = session.get_one(Run, run.id)
    if stored.leased_by == _me():
        stored.leased_by = stored.heartbeat_at = None
        stored.seconds = round(seconds, 3)
        stored.n_utterances, stored.n_conversations = counted(session, run)
        if not open_conversations(session, stored):
            stored.finished_at = now()
        elif stopped or paused:
            stored.stopped, stored.paused_at = stopped or stored.stopped, stored.paused_at or now()
        session.add(stored)
        session.flush()
    for name in ("n_utterances", "n_conversations", "finished_at", "seconds", "stopped", "paused_at", "leased_by", "heartbeat_at"):
        setattr(run, name, getattr(stored, name))


def _me() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


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


def is_worked_on(run: Run) -> bool:
    """Whether some process works on the run, as far as its row says."""
    alive = run.heartbeat_at is not None and run.heartbeat_at > now() - _LEASE
    return run.leased_by is not None and alive and not (_is_gone(run.leased_by) and run.leased_by != _me())


# From the lead's page


def runs_for_server(session: Session) -> list[int]:
    """Runs that the server shall work on and nobody does."""
    wanted = select(Run).where(col(Run.on_server), col(Run.finished_at).is_(None), col(Run.paused_at).is_(None))
    return [run.id or 0 for run in session.scalars(wanted.order_by(col(Run.id))) if not is_worked_on(run)]


def pause(session: Session, run: Run, stopped: str = "") -> None:
    """Ask whoever works on the run to finish what is under way and stop; `stopped` says why, where nobody asked for it."""
    if run.finished_at is not None:
        raise Conflict(f"Run {run.id} is finished; there is nothing to pause.")
    run.paused_at, run.stopped = run.paused_at or now(), stopped or run.stopped
    session.add(run)


def resume(session: Session, run: Run, manner: Mapping[str, str]) -> None:
    """Let the server go on with a run."""
    if run.finished_at is not None:
        raise Conflict(f"Run {run.id} is finished; there is nothing to go on with.")
    run.on_server, run.paused_at, run.stopped = True, None, ""
    adjust(session, run, manner)


def adjust(session: Session, run: Run, manner: Mapping[str, str]) -> None:
    """Go about a run in another manner from its next start on; raises `BadInput` for what cannot be."""
    parse_manner({**run.manner, **manner})
    run.manner = {**run.manner, **manner}
    session.add(run)


def retry_failed(session: Session, run: Run) -> int:
    """Put the utterances without a suggestion back to be asked again; returns how many. The answers so far stay."""
    if is_worked_on(run):
        raise Conflict(f"Run {run.id} is being worked on by {run.leased_by}. Wait for it, or pause it first.")
    failed = session.scalar(select(func.count()).where(col(Failure.run_id) == run.id)) or 0
    if failed:
        session.execute(delete(Failure).where(col(Failure.run_id) == run.id))
        run.retries, run.finished_at, run.paused_at, run.stopped = run.retries + 1, None, None, ""
        session.add(run)
    return failed


# How far it is


def progress_of(session: Session, run: Run) -> Progress:
    """What a run has done so far."""
    utterances = run.n_utterances if run.finished_at and run.n_utterances else counted(session, run)[0]
    failures = session.scalar(select(func.count()).where(col(Failure.run_id) == run.id)) or 0
    calls, unknown, spent = session.execute(
        select(func.count(), func.count().filter(col(Call.cost).is_(None)), func.coalesce(func.sum(col(Call.cost)), 0.0)).where(
            col(Call.run_id) == run.id
        )
    ).one()
    total = chosen(session, run.selection)
    n_open = 0 if run.finished_at else len(open_conversations(session, run))
    return Progress(
        run=run,
        state=state_of(run),
        conversations=len(total) - n_open,
        chosen=len(total),
        utterances=utterances,
        failures=failures,
        spent=None if unknown else float(spent),
        calls=calls,
        kept=_n_kept(session, run.id),
        model_versions=model_versions(session, run.id),
    )


def _n_kept(session: Session, run_id: int | None) -> int:
    """How many answers of earlier runs its suggestions were read from."""
    theirs = select(col(Suggestion.call_id)).join(Call, col(Call.id) == col(Suggestion.call_id)).where(col(Call.run_id) != run_id)
    return session.scalar(select(func.count()).select_from(theirs.where(col(Suggestion.run_id) == run_id).distinct().subquery())) or 0


def model_versions(session: Session, run_id: int | None) -> tuple[str, ...]:
    """The models that really answered, the first one first; also of answers that an earlier run has paid for."""
    used = select(col(Suggestion.call_id)).where(col(Suggestion.run_id) == run_id, col(Suggestion.call_id).is_not(None))
    mine = or_(col(Call.run_id) == run_id, col(Call.id).in_(used))
    statement = select(col(Call.model_version)).where(mine).group_by(col(Call.model_version))
    return tuple(session.scalars(statement.order_by(func.min(col(Call.id)))))


def state_of(run: Run) -> str:
    """Finished, running, waiting, paused or interrupted."""
    if run.finished_at is not None:
        return "finished"
    if is_worked_on(run):
        return "running" if run.paused_at is None else "pausing"
    if run.paused_at is not None:
        return "paused"
    return "waiting" if run.on_server else "interrupted"
