"""The command line: results to stdout, progress and messages to stderr; exit 0 done, 1 a sentence, 2 wrong usage."""

import gc
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from annotator.db import Database
from annotator.errors import AnnotatorError, BadInput
from annotator.models import Role
from annotator.settings import Settings, read_settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Label what people do in conversations.")
user_app = typer.Typer(no_args_is_help=True, help="People: add them, give them one-time links.")
round_app = typer.Typer(no_args_is_help=True, help="Rounds: who labels which conversations.")
app.add_typer(user_app, name="user")
app.add_typer(round_app, name="round")

Project = Annotated[Path | None, typer.Option("--project", help="The project folder; default: here.", show_default=False)]
Db = Annotated[str | None, typer.Option("--db", help="The database's URL; default: annotator.db in the project.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; an error of ours becomes its sentence and exit code 1."""
    # Imports and exports make millions of small values without cycles; looking through them again and again takes a third of the time.
    gc.set_threshold(100_000, 20, 20)
    try:
        app(arguments)
    except AnnotatorError as error:
        say(f"annotator: {error}")
        sys.exit(1)


def say(text: str) -> None:
    """A message for the person, beside the result."""
    print(text, file=sys.stderr, flush=True)


def show(value: Any) -> None:
    """A result as JSON."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


@contextmanager
def opened(project: Path | None, db: str | None) -> Iterator[tuple[Settings, Database]]:
    """The project of a command."""
    from annotator.flow.project import open_project

    settings = read_settings(project, db)
    database = open_project(settings)
    try:
        yield settings, database
    finally:
        database.close()


@contextmanager
def bar(title: str, unit: str) -> Iterator[Any]:
    """A progress bar on stderr: call it with (done, total, text)."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    texts = (TextColumn("{task.percentage:>3.0f} %"), TextColumn("{task.fields[note]}"))
    columns = (TextColumn(title), BarColumn(), *texts, TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=None, note="")
        yield lambda done, total, note="": progress.update(task, completed=done, total=total, note=note or f"{done} {unit}")


@app.command()
def init(folder: Annotated[Path, typer.Argument(metavar="DIR")]) -> None:
    """Make a new project folder with the shipped taxonomy."""
    from annotator.flow.project import init_project

    init_project(folder)
    print(folder)
    say(f"Made {folder}. Next: cd {folder}, look at taxonomy.yaml, then `annotator import PATH`.")


@app.command("import")
def import_(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files or folders.")],
    format: Annotated[str | None, typer.Option("--format", help="vogue, csv, jsonl, convokit or text; default: found out.")] = None,
    as_name: Annotated[str | None, typer.Option("--as", metavar="NAME", help="Whose the labels are where the file does not say.")] = None,
    map_: Annotated[list[str] | None, typer.Option("--map", metavar="OLD=NEW", help="Rename a code; ROLE/OLD=NEW for one role.")] = None,
    on_unknown: Annotated[Literal["skip", "error"], typer.Option("--on-unknown", help="What a code outside the taxonomy does.")] = "skip",
    project: Project = None,
    db: Db = None,
    as_json: Json = False,
) -> None:
    """Import conversations, with the labels, gold and proposals that come along: all of it, or nothing."""
    from annotator.flow.intake import import_paths
    from annotator.flow.intake_report import Options

    options = Options(as_name=as_name, renamed=_renamed(map_ or []), unknown_is_error=on_unknown == "error")
    with opened(project, db) as (_, database), bar("Importing", "conversations") as progress, database.writing() as session:
        report = import_paths(
            session, paths, format, options,
            lambda source, report: progress(source.done, source.total, f"{report.conversations} conversations"),
        )  # fmt: skip
    if as_json:
        show(report.as_dict())
    else:
        print("\n".join(report.sentences()))


def _renamed(pairs: list[str]) -> dict[str, str]:
    for pair in pairs:
        if not all(pair.partition("=")[::2]):
            raise BadInput(f"--map {pair} is not of the form OLD=NEW.")
    return {old: new for old, _, new in (pair.partition("=") for pair in pairs)}


@app.command()
def stats(project: Project = None, db: Db = None, as_json: Json = False) -> None:
    """Count what the project holds."""
    from annotator.flow.stats import count_all

    with opened(project, db) as (_, database), database.reading() as session:
        found = count_all(session)
    if as_json:
        show(found)
        return
    for name in ("conversations", "turns", "utterances", "tokens"):
        print(f"{name:14}{found[name]:>9}")
    for role, counts in found["roles"].items():
        print(f"{role:14}{counts['utterances']:>9} utterances in {counts['turns']} turns")
    for name, counts in found["annotators"].items():
        print(f"{name:14}{counts['labels']:>9} labels, {counts['skipped']} skipped")


@app.command()
def taxonomy(project: Project = None, db: Db = None, as_json: Json = False) -> None:
    """Check taxonomy.yaml and make it the project's newest version."""
    from annotator.flow.taxonomy import current

    with opened(project, db) as (_, database), database.reading() as session:
        version, found = current(session)
    counts = {role: len(codes) for role, codes in found.by_role.items()}
    if as_json:
        show({"name": found.name, "version": version.fingerprint, "codes": counts})
    else:
        print(f"{found.name}, version {version.fingerprint}: " + ", ".join(f"{n} codes for {role}" for role, n in counts.items()))


@app.command()
def tag(
    tagger: Annotated[str, typer.Option(help="Which tagger.")] = "local",
    plan: Annotated[bool, typer.Option("--plan", help="Say what it would do and cost; send and store nothing.")] = False,
    train_on: Annotated[list[str] | None, typer.Option("--train-on", metavar="NAME", help="Learn from NAME's imported labels too.")] = None,
    threshold: Annotated[float | None, typer.Option(help="From this probability on a second code joins the proposal.")] = None,
    setting: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting of the tagger.")] = None,
    project: Project = None,
    db: Db = None,
    as_json: Json = False,
) -> None:
    """First pass: propose codes for every utterance. An interrupted run goes on where it was."""
    from annotator.flow import tagging

    order = tagging.Order(tagger, dict(pair.partition("=")[::2] for pair in setting or []), threshold, tuple(train_on or ()))
    with opened(project, db) as (_, database):
        if plan:
            planned = tagging.plan(database, order)
            text = (
                f"The {tagger} tagger would propose codes for {planned.utterances} utterances in {planned.conversations} "
                f"conversations, learning from {planned.known_utterances} labelled utterances. It costs nothing and sends nothing."
            )
            show(tagging.plan_dict(planned)) if as_json else print(text)
            return
        with bar("Tagging", "conversations") as progress:
            run = tagging.tag(database, order, progress)
    if as_json:
        show(run.model_dump(mode="json", include={"id", "tagger", "version", "threshold", "n_conversations", "n_utterances", "seconds"}))
    else:
        size = f"{run.n_utterances} utterances of {run.n_conversations} conversations"
        print(f"Run {run.id}: {run.tagger} proposed codes for {size} in {run.seconds:.1f} s.")


@user_app.command("add")
def user_add(name: str, role: Annotated[Role, typer.Option()] = Role.ANNOTATOR, project: Project = None, db: Db = None) -> None:
    """Add a person and print their one-time link."""
    from annotator.flow import accounts

    with opened(project, db) as (settings, database), database.writing() as session:
        _print_link(settings, name, accounts.add_user(session, name, role))


@user_app.command("link")
def user_link(name: str, project: Project = None, db: Db = None) -> None:
    """Print a new one-time link: for whom lost theirs, or forgot the password."""
    from annotator.flow import accounts

    with opened(project, db) as (settings, database), database.writing() as session:
        _print_link(settings, name, accounts.new_link(session, name))


def _print_link(settings: Settings, name: str, token: str) -> None:
    print(f"{settings.base_url.rstrip('/')}/link/{token}")
    say(f"Give this link to {name}. It works once, for 7 days.")


@user_app.command("list")
def user_list(project: Project = None, db: Db = None, as_json: Json = False) -> None:
    """List everybody."""
    from annotator.flow import accounts

    with opened(project, db) as (_, database), database.reading() as session:
        people = [(user.name, str(user.role), accounts.state_of(user)) for user in accounts.list_users(session)]
    if as_json:
        show([{"name": name, "role": role, "state": state} for name, role, state in people])
    for name, role, state in people if not as_json else []:
        print(f"{name:20}{role:12}{state}")


@user_app.command("disable")
def user_disable(name: str, project: Project = None, db: Db = None) -> None:
    """Sign a person out and let them in no more; their labels stay."""
    from annotator.flow import accounts

    with opened(project, db) as (_, database), database.writing() as session:
        accounts.disable(session, name)
    print(f"{name} is disabled. A new link lets them in again.")


@round_app.command("create")
def round_create(
    name: str,
    annotators: Annotated[str, typer.Option(help="Names, separated by commas.")],
    run: Annotated[int | None, typer.Option(help="The run whose proposals are shown; default: the newest.")] = None,
    project: Project = None,
    db: Db = None,
) -> None:
    """Give all conversations to all named annotators, with one run's proposals."""
    from annotator.flow.round import create_round

    with opened(project, db) as (_, database), database.writing() as session:
        made = create_round(session, name, [one.strip() for one in annotators.split(",") if one.strip()], run)
    shown = f"with the proposals of run {made.run_id}" if made.run_id else "without proposals, since there is no run yet"
    print(f"Round {made.name}: {made.conversations} conversations for {', '.join(made.annotators)}, {shown}.")
    if made.left_out:
        print(f"{made.left_out} conversations are not in it: the taxonomy has no codes for their roles.")


@round_app.command("list")
def round_list(project: Project = None, db: Db = None) -> None:
    """List the rounds."""
    from annotator.flow.round import list_rounds

    with opened(project, db) as (_, database), database.reading() as session:
        for made, conversations, annotators in list_rounds(session):
            print(f"{made.name:20}{conversations} conversations, {annotators} annotators, run {made.run_id or 'none'}")


@app.command()
def agree(
    file: Annotated[Path | None, typer.Argument(help="A long CSV; default: what was handed in in the project.")] = None,
    round: Annotated[str | None, typer.Option(help="Only this round.")] = None,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    project: Project = None,
    db: Db = None,
) -> None:
    """Cohen's kappa between every two annotators, per role and over roles."""
    from annotator import read_labels
    from annotator.flow import agreement
    from annotator.flow.access import EVERYTHING

    if file is not None:
        figures = agreement.report_of(read_labels(file), round)
    else:
        with opened(project, db) as (_, database), database.reading() as session:
            figures = agreement.report(session, EVERYTHING, round)
    if as_json:
        show(figures)
    elif as_csv:
        print(agreement.as_csv(figures), end="")
    else:
        print(agreement.as_text(figures))


@app.command()
def export(
    path: Path,
    format: Annotated[str | None, typer.Option("--format", help="csv, jsonl, vogue or convokit; default: by the path's ending.")] = None,
    labels: Annotated[str, typer.Option(help="all, gold, or one annotator's name.")] = "all",
    raw: Annotated[bool, typer.Option("--raw", help="Leave out the ' before cells that a spreadsheet would run.")] = False,
    project: Project = None,
    db: Db = None,
) -> None:
    """Write labelled transcripts."""
    from annotator.flow.access import EVERYTHING
    from annotator.flow.export import export_to

    with opened(project, db) as (_, database), database.reading() as session:
        export_to(session, EVERYTHING, path, format_name=format, labels=labels, raw=raw)
    print(path)


@app.command()
def serve(
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: Annotated[int, typer.Option(min=1)] = 1,
    project: Project = None,
    db: Db = None,
) -> None:
    """Serve the pages."""
    settings = read_settings(project, db)
    settings.check_serving(host)
    with opened(project, db):
        pass  # say what is wrong with the project here, not in a worker's log
    run_server(settings, host, port, workers)


def run_server(settings: Settings, host: str, port: int, workers: int = 1) -> None:
    """Run uvicorn until Ctrl-C."""
    import uvicorn

    os.environ["ANNOTATOR_PROJECT"] = str(settings.project.resolve())
    os.environ["ANNOTATOR_DATABASE_URL"] = settings.database_url
    say(f"Serving on http://{host}:{port} (Ctrl-C stops; every saved label is on disk).")
    factory = "annotator.web.app:create_app"
    uvicorn.run(factory, factory=True, host=host, port=port, workers=workers, log_level="warning", access_log=False, server_header=False)


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]")] = Path("annotator-demo"),
    port: int = 8000,
    serve_it: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve the pages afterwards.")] = True,
) -> None:
    """A sample project with first pass, a lead and two annotators; prints their links and serves the pages."""
    from annotator.flow.project import make_demo

    settings = Settings(project=folder, base_url=f"http://127.0.0.1:{port}")
    made = make_demo(settings, say)
    for name, token in made.tokens.items():
        where = f"/link/{token}" if token else "/sign-in (with the password chosen before)"
        print(f"{name:6}{settings.base_url}{where}")
    sys.stdout.flush()
    say("Open one of these links (each works once): lea leads, ana and ben annotate.")
    if serve_it:
        # A fresh process: the one that trained the tagger holds memory that serving never needs.
        os.environ["ANNOTATOR_BASE_URL"] = settings.base_url
        command = [sys.executable, "-m", "annotator", "serve", "--project", str(folder), "--port", str(port)]
        os.execv(sys.executable, command)  # noqa: S606


@app.command()
def backup(path: Path, project: Project = None, db: Db = None) -> None:
    """Write a consistent copy of the database, also while people work."""
    with opened(project, db) as (_, database):
        database.backup(path)
    print(path)
