"""What commands share: the project they work on, results on stdout, messages and progress on stderr."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from annotator.db import Database
from annotator.settings import Settings, read_settings

Project = Annotated[Path | None, typer.Option("--project", help="The project folder; default: here.", show_default=False)]
Db = Annotated[str | None, typer.Option("--db", help="The database's URL; default: annotator.db in the project.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


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
