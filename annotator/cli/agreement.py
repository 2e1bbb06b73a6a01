"""Agreement between people."""

from pathlib import Path
from typing import Annotated

import typer

from annotator.cli import verification
from annotator.cli.shared import Db, Json, Project, opened, show

app = typer.Typer()


@app.command()
def agree(
    file: Annotated[Path | None, typer.Argument(help="A long CSV; default: what was handed in in the project.")] = None,
    round: Annotated[str | None, typer.Option(help="Only this round.")] = None,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Work every figure out anew with other libraries and say what differs.")] = False,
    saved: Annotated[
        Path | None, typer.Option("--report", metavar="PATH", help="Verify this saved `agree --json`, not figures made now.")
    ] = None,
    project: Project = None,
    db: Db = None,
) -> None:
    """Cohen's kappa between every two annotators, per role and over roles."""
    from annotator import read_labels
    from annotator.core.agreement import Asked
    from annotator.flow import agreement, agreement_report
    from annotator.flow.access import EVERYTHING

    asked = Asked(round=round)
    if verify or saved is not None:
        verification.verify(file, asked, saved, (project, db), as_json)
        return
    if file is not None:
        figures = agreement.report_of(read_labels(file), asked)
    else:
        with opened(project, db) as (_, database), database.reading() as session:
            figures = agreement.report(session, EVERYTHING, asked)
    if as_json:
        show(figures)
    elif as_csv:
        print(agreement_report.as_csv(figures), end="")
    else:
        print(agreement_report.as_text(figures))
