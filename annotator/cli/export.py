"""Labelled transcripts out."""

from pathlib import Path
from typing import Annotated

import typer

from annotator.cli.shared import Db, Project, opened

app = typer.Typer()


@app.command()
def export(
    path: Path,
    format: Annotated[str | None, typer.Option("--format", help="csv, jsonl, vogue or convokit; default: by the path's ending.")] = None,
    labels: Annotated[str, typer.Option(help="all, gold, or one annotator's name.")] = "all",
    raw: Annotated[bool, typer.Option("--raw", help="Leave out the ' before cells that a spreadsheet would run.")] = False,
    repeats: Annotated[bool, typer.Option("--repeats", help="With labels of silent repeats; csv and jsonl only.")] = False,
    project: Project = None,
    db: Db = None,
) -> None:
    """Write labelled transcripts."""
    from annotator.flow.access import EVERYTHING
    from annotator.flow.export import export_to

    with opened(project, db) as (_, database), database.reading() as session:
        export_to(session, EVERYTHING, path, format_name=format, labels=labels, raw=raw, repeats=repeats)
    print(path)
