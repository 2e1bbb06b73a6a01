"""Files in."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from annotator.cli.shared import Db, Json, Project, bar, opened, show

app = typer.Typer()


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
    from annotator.flow.intake_report import Options, renames

    options = Options(as_name=as_name, renamed=renames(map_ or []), unknown_is_error=on_unknown == "error")
    with opened(project, db) as (_, database), bar("Importing", "conversations") as progress, database.writing() as session:
        report = import_paths(
            session, paths, format, options,
            lambda source, report: progress(source.done, source.total, f"{report.conversations} conversations"),
        )  # fmt: skip
    if as_json:
        show(report.as_dict())
    else:
        print("\n".join(report.sentences()))
