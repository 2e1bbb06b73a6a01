"""The project as a whole: make it, count it, check its taxonomy, serve it, copy it."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from annotator.cli.shared import Db, Json, Project, opened, say, show
from annotator.settings import Settings, read_settings

start, look, run = typer.Typer(), typer.Typer(), typer.Typer()  # where they stand in the help


@start.command()
def init(folder: Annotated[Path, typer.Argument(metavar="DIR")]) -> None:
    """Make a new project folder with the shipped taxonomy."""
    from annotator.flow.project import init_project

    init_project(folder)
    print(folder)
    say(f"Made {folder}. Next: cd {folder}, look at taxonomy.yaml, then `annotator import PATH`.")


@look.command()
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


@look.command()
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


@run.command()
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
    factory = "annotator.web.app:served"
    uvicorn.run(factory, factory=True, host=host, port=port, workers=workers, log_level="warning", access_log=False, server_header=False)


@run.command()
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


@run.command()
def backup(path: Path, project: Project = None, db: Db = None) -> None:
    """Write a consistent copy of the database, also while people work."""
    with opened(project, db) as (_, database):
        database.backup(path)
    print(path)
