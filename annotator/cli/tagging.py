"""First pass: plan it, run it, go on with it, see what failed."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Any

import typer

from annotator.cli.shared import Db, Json, Project, bar, opened, say, show
from annotator.db import Database
from annotator.errors import BadInput, Conflict

app = typer.Typer()

_MANNER = ("tier", "rpm", "concurrency", "max_cost", "price", "on_reroute")


@app.command()
def tag(
    tagger: Annotated[str, typer.Option(help="local, or gemini.")] = "local",
    plan: Annotated[bool, typer.Option("--plan", help="Say what it would do and cost; send and store nothing.")] = False,
    model: Annotated[str | None, typer.Option(help="The provider's model.")] = None,
    thinking: Annotated[str | None, typer.Option(help="How much it thinks: minimal, low, medium or high.")] = None,
    tier: Annotated[str | None, typer.Option(help="standard, or flex: half the price, slower.")] = None,
    max_cost: Annotated[float | None, typer.Option(help="USD; the run stops before it is passed.")] = None,
    price: Annotated[str | None, typer.Option(metavar="IN/OUT", help="USD per million tokens, instead of the price table.")] = None,
    rpm: Annotated[float | None, typer.Option(help="Requests a minute that your account allows.")] = None,
    concurrency: Annotated[int | None, typer.Option(help="Questions under way at once, at most.")] = None,
    on_reroute: Annotated[str | None, typer.Option(help="warn or stop, when another model answers than was asked.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask again also what an earlier run was answered.")] = False,
    only: Annotated[list[str] | None, typer.Option(metavar="ID", help="Only these conversations; an id or a pattern like c1_*.")] = None,
    leave_out: Annotated[list[str] | None, typer.Option(metavar="ID", help="Not these conversations.")] = None,
    sample: Annotated[int | None, typer.Option(min=1, help="Only so many conversations, drawn by --seed.")] = None,
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 1,
    train_on: Annotated[list[str] | None, typer.Option("--train-on", metavar="NAME", help="Learn from NAME's imported labels too.")] = None,
    threshold: Annotated[float | None, typer.Option(help="From this probability on a second code joins the proposal.")] = None,
    setting: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Any setting of the tagger.")] = None,
    run: Annotated[int | None, typer.Option(help="Go on with this run, as it was ordered.")] = None,
    failures: Annotated[bool, typer.Option("--failures", help="List what has no suggestion in the run (the newest), and why.")] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Ask the run (the newest) again about what failed.")] = False,
    project: Project = None,
    db: Db = None,
    as_json: Json = False,
) -> None:
    """First pass: propose codes for every utterance. An interrupted run goes on where it was; Ctrl-C keeps everything."""
    given = {"tier": tier, "max_cost": max_cost, "price": price, "rpm": rpm, "concurrency": concurrency, "on_reroute": on_reroute}
    settings = {"model": model, "thinking": thinking, "fresh": "yes" if fresh else None}
    selection = {"only": only or [], "leave_out": leave_out or [], "sample": [str(sample), str(seed)] if sample else []}
    from annotator.flow.runs import order_of

    with opened(project, db) as (found, database):
        if failures:
            _list_failures(database, run, as_json=as_json)
            return
        if run is not None or retry_failed:
            _check_no_order({**settings, **selection, "train_on": train_on, "threshold": threshold, "set": setting, "plan": plan or None})
            _go_on(database, run, _words(given), retry=retry_failed, as_json=as_json)
            return
        # The project's settings count least, then options, then --set.
        order = order_of(found, tagger, _words(settings) | _words(given) | _pairs(setting or []))
        order = replace(order, threshold=threshold, train_on=tuple(train_on or ()), selection=selection)
        (_plan if plan else _run)(database, order, as_json=as_json)


def _words(given: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in given.items() if value is not None}


def _pairs(pairs: list[str]) -> dict[str, str]:
    for pair in pairs:
        if not pair.partition("=")[1]:
            raise BadInput(f"--set {pair} is not of the form NAME=VALUE.")
    return dict(pair.partition("=")[::2] for pair in pairs)


def _plan(database: Database, order: Any, *, as_json: bool) -> None:
    from annotator.flow.estimate import plan, plan_dict

    planned = plan(database, order)
    show(plan_dict(planned)) if as_json else print("\n".join(planned.sentences()))


def _check_no_order(given: dict[str, Any]) -> None:
    """A run goes on as it was ordered; an option that would be passed over in silence is refused."""
    for name, value in given.items():
        if value not in (None, []):
            option = f"--{name.replace('_', '-')}"
            raise BadInput(f"A run goes on as it was ordered, so {option} says nothing here. Leave {option} out, or start a new run.")


def _list_failures(database: Database, run_id: int | None, *, as_json: bool) -> None:
    from annotator.flow import runs
    from annotator.flow.failures import failures, grouped

    with database.reading() as session:
        run = runs.any_run(session, run_id)
        found = failures(session, run)
    if as_json:
        show({"run": run.id, "failures": [one.as_dict() for one in found]})
        return
    for group in grouped(found):
        print(f"{group.conversation}, {group.which}: {group.reason.removesuffix('.')}.")
    again = f" `annotator tag --run {run.id} --retry-failed` asks again; --json lists each with its text." if found else ""
    say(f"Run {run.id}: {len(found)} utterances have no suggestion.{again}")


def _run(database: Database, order: Any, *, as_json: bool) -> None:
    from annotator.flow import tagging

    with _watched() as watch:
        run = tagging.tag(database, order, watch)
    _report(database, run, as_json=as_json)


def _go_on(database: Database, run_id: int | None, manner: dict[str, str], *, retry: bool, as_json: bool) -> None:
    from annotator.flow import runs, tagging

    with database.writing() as session:
        run = runs.any_run(session, run_id)
        runs.adjust(session, run, manner)
        failed = runs.retry_failed(session, run) if retry else 1
    if not failed:
        say(f"Run {run.id} has no failures; there is nothing to ask again.")
    else:
        with _watched() as watch:
            run = tagging.work(database, run.id or 0, watch)
    _report(database, run, as_json=as_json)


@contextmanager
def _watched() -> Iterator[Any]:
    """A progress bar; Ctrl-C (or an orderly kill) finishes what is under way and stops, a second one stops at once."""
    from annotator.flow.asking import Watch

    halt = threading.Event()

    def stop(number: int, frame: Any) -> None:
        if halt.is_set():
            raise KeyboardInterrupt
        say("Finishing what is under way; nothing new is asked. Ctrl-C again stops at once.")
        halt.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with bar("Tagging", "conversations") as progress:
            yield Watch(progress, lambda sentence: say(f"Note: {sentence}"), halt)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _report(database: Database, run: Any, *, as_json: bool) -> None:
    """What a run has now; exit code 1 where it stopped before its end, but for a run of the server, whose page says so."""
    from annotator.flow import runs

    with database.reading() as session:
        progress = runs.progress_of(session, run)
    if as_json:
        show(progress.as_dict())
    else:
        print("\n".join(progress.sentences()))
    if run.finished_at is None and not run.on_server:
        raise Conflict(run.stopped or f"Stopped with {progress.n_open} conversations to go; everything so far is kept.")
    sys.stdout.flush()
