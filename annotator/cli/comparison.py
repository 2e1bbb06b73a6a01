"""A run compared with an annotator, gold or another run."""

from pathlib import Path
from typing import Annotated

import typer

from annotator.cli.shared import Db, Json, Project, opened, say, show

app = typer.Typer()


@app.command()
def compare(
    run: Annotated[int, typer.Argument(metavar="RUN", help="The run's number.", show_default=False)],
    what: Annotated[
        str,
        typer.Argument(metavar="WHAT", help="Another run's number, an annotator's name, or gold. A number always means a run."),
    ],
    every: Annotated[bool, typer.Option("--all", help="Use all labels, not the blind ones only; this flatters the run.")] = False,
    round: Annotated[str | None, typer.Option(help="Only the annotator's labels of this round.")] = None,
    disagreements: Annotated[int, typer.Option(min=0, help="How many disagreements the text shows; the files have all.")] = 15,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write everything into this folder too.")] = None,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the codes as CSV.")] = False,
    project: Project = None,
    db: Db = None,
) -> None:
    """How well a run matches an annotator, gold or another run: per role and code, with what to look at."""
    from annotator.flow import comparison, comparison_report
    from annotator.flow.access import EVERYTHING

    with opened(project, db) as (_, database), database.reading() as session:
        found = comparison.report(session, EVERYTHING, run, what, every=every, round_name=round)
    if out is not None:
        say(f"Wrote {', '.join(path.name for path in comparison_report.write_files(found, out))} to {out}.")
    if found["warning"]:
        say(f"Warning: {found['warning']}")
    if as_json:
        show(found)
    elif as_csv:
        print(comparison_report.codes_csv(found), end="")
    else:
        print(comparison_report.as_text(found, disagreements))
