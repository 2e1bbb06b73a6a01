"""What a lead does about first passes on their pages: order and plan one, start it on the server, watch, pause, go on.

The run itself is worked on by `flow/tagging.py` in a process of its own, which `web/runner.py` starts.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlmodel import Session

from annotator.core.table import as_csv
from annotator.errors import BadInput, Conflict, NotFound
from annotator.flow import calibration, certainty, runs, tagging
from annotator.flow.access import Right, check_not_blind, require, still_blind
from annotator.flow.certainty import Certainty, Said, other_run, weakest_first
from annotator.flow.estimate import Plan, plan_of
from annotator.flow.failures import Group, grouped
from annotator.flow.failures import failures as failures_of
from annotator.flow.runs import Order, Progress
from annotator.models import Calibration, Run, User
from annotator.settings import Settings
from annotator.taggers import PROVIDERS
from annotator.taggers.provider import Provider, parse_manner

FAILURES_SHOWN = 500
_MOST_RUNS = 50


def order_from(settings: Settings, filled_in: Mapping[str, str]) -> Order:
    """The order that a form says; empty fields are left to the project's settings. Raises `BadInput` for what cannot be."""
    given = {name: value.strip() for name, value in filled_in.items() if value.strip()}
    tagger = given.pop("tagger", "local")
    selection = {name: re.findall(r"[^\s,]+", given.pop(name, "")) for name in ("only", "leave_out")}
    selection["sample"] = [str(_whole(given.pop("sample"), "sample")), "1"] if "sample" in given else []
    threshold = _share(given.pop("threshold")) if "threshold" in given else None
    train_on = tuple(one.strip() for one in given.pop("train_on", "").split(",") if one.strip())
    order = runs.order_of(settings, tagger, given if tagger in PROVIDERS else {})
    return replace(order, threshold=threshold, train_on=train_on, selection=selection)


def _whole(word: str, name: str) -> int:
    if not re.fullmatch("[1-9][0-9]{0,8}", word):
        raise BadInput(f"{name} is {word!r}; it must be a whole number from 1.")
    return int(word)


def _share(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise BadInput(f"The threshold is {word!r}; it must be a number between 0 and 1.") from None


def plan(session: Session, lead: User, order: Order) -> tuple[Plan, str]:
    """What a run of this order would do, and what is in its way on this server, if anything."""
    require(lead, Right.LEAD)
    planned, maker = plan_of(session, order)
    return planned, maker.tagger.missing() if isinstance(maker.tagger, Provider) else ""


def start(session: Session, lead: User, order: Order) -> Run:
    """Let the server run this order, or go on with the unfinished run of the same one."""
    require(lead, Right.LEAD)
    run, maker = tagging.start(session, order)
    if runs.is_worked_on(run):
        raise Conflict(f"Run {run.id} is doing just this already. Watch it on its page.")
    if isinstance(maker.tagger, Provider) and (missing := maker.tagger.missing()):
        raise Conflict(missing)
    runs.resume(session, run, {})
    return run


def list_progress(session: Session, lead: User) -> list[Progress]:
    """The newest runs with how far they are."""
    require(lead, Right.LEAD)
    return [runs.progress_of(session, run) for run in runs.list_runs(session)[:_MOST_RUNS]]


def progress(session: Session, lead: User, run_id: int) -> Progress:
    """How far a run is."""
    require(lead, Right.LEAD)
    return runs.progress_of(session, runs.any_run(session, run_id))


@dataclass(frozen=True, slots=True)
class RunPage:
    """One page of what a lead sees of a run."""

    progress: Progress
    failures: Sequence[Group]
    conversations: Sequence[Certainty]
    total: int
    calibration: Calibration | None
    other: Run | None


def look(session: Session, lead: User, run_id: int, page: int) -> RunPage:
    """A run with its failures, and its conversations by their weakest utterance; without those that the lead has yet to label blind."""
    found = progress(session, lead, run_id)
    conversations, total = weakest_first(session, found.run, page, still_blind(lead.id))
    failures = grouped(failures_of(session, found.run, FAILURES_SHOWN, still_blind(lead.id)))
    return RunPage(found, failures, conversations, total, calibration.newest(session, run_id), other_run(session, found.run))


def look_into(session: Session, lead: User, run_id: int, conversation_id: int) -> tuple[Run, Run | None, str, list[Said]]:
    """A conversation as a run sees it: the run, the one for a second opinion, the conversation's id and its utterances."""
    require(lead, Right.LEAD)
    check_not_blind(session, lead, conversation_id)
    run = runs.any_run(session, run_id)
    key, said = certainty.look_into(session, run, conversation_id)
    return run, other_run(session, run), key, said


def calibrated(session: Session, lead: User, run_id: int) -> Calibration:
    """The newest calibration of a run."""
    require(lead, Right.LEAD)
    found = calibration.newest(session, run_id)
    if found is None:
        raise NotFound(f"Run {run_id} has not been calibrated. `annotator calibrate {run_id}` does it.")
    return found


def pause(session: Session, lead: User, run_id: int) -> None:
    """Let whoever works on a run finish what is under way and stop."""
    require(lead, Right.LEAD)
    runs.pause(session, runs.any_run(session, run_id))


def go_on(session: Session, lead: User, run_id: int, manner: Mapping[str, str]) -> None:
    """Let the server go on with a run, perhaps with another limit."""
    require(lead, Right.LEAD)
    run = runs.any_run(session, run_id)
    changed = {name: value.strip() for name, value in manner.items() if value.strip()}
    parse_manner({**run.manner, **changed})
    runs.resume(session, run, changed)


def retry(session: Session, lead: User, run_id: int) -> None:
    """Let the server ask a run again about what failed."""
    require(lead, Right.LEAD)
    run = runs.any_run(session, run_id)
    if not runs.retry_failed(session, run):
        raise Conflict(f"Run {run_id} has no failures; there is nothing to ask again.")
    runs.resume(session, run, {})


def failures_csv(session: Session, lead: User, run_id: int) -> str:
    """Every utterance of a run without a suggestion, and why, as a table."""
    require(lead, Right.LEAD)
    found = failures_of(session, runs.any_run(session, run_id), but=still_blind(lead.id))
    rows = [(one.conversation, one.utterance, one.role, one.reason, one.text) for one in found]
    return as_csv(("conversation", "utterance", "role", "reason", "text"), rows)


def conversations_csv(session: Session, lead: User, run_id: int) -> str:
    """A run's conversations by their weakest utterance, as a table."""
    require(lead, Right.LEAD)
    found, _ = weakest_first(session, runs.any_run(session, run_id), None, still_blind(lead.id))
    rows = [(one.conversation, one.weakest, one.suggested, one.failures, one.differ, one.odd) for one in found]
    return as_csv(("conversation", "weakest_confidence", "with_suggestion", "without_suggestion", "differ_from_other_run", "odd"), rows)
