"""What the proposals of a round did to the labels."""

from pathlib import Path
from typing import Annotated

import typer

from annotator.cli.shared import Db, Json, Project, opened, say, show

app = typer.Typer()


@app.command()
def influence(
    file: Annotated[Path | None, typer.Argument(help="A long CSV; default: what was handed in in the project.")] = None,
    round: Annotated[str | None, typer.Option(help="The round; needed where several have labels.")] = None,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    drawn: Annotated[
        bool, typer.Option("--drawn-at-random", help="You know that the blind conversations were drawn at random; no table says so.")
    ] = False,
    assisted: Annotated[bool, typer.Option("--assisted", help="Score the model on assisted labels; this flatters it.")] = False,
    epsilon: Annotated[float, typer.Option(min=0, max=1, help="What the model's lower cost is worth: .2 for experts.")] = 0.2,
    seed: Annotated[int, typer.Option(min=0, help="Of intervals that are drawn.")] = 1,
    project: Project = None,
    db: Db = None,
) -> None:
    """What the proposals did: blind labels against assisted ones, for everybody, per annotator and per code."""
    from annotator import read_labels
    from annotator.core.influence.shown import Question
    from annotator.core.influence.tables import all_in_one
    from annotator.flow import influence, influence_report
    from annotator.flow.access import EVERYTHING

    question = Question(round=round, assisted=assisted, vouched=drawn, epsilon=epsilon, seed=seed)
    if file is not None:
        found = influence.report_of(read_labels(file), question)
    else:
        with opened(project, db) as (_, database), database.reading() as session:
            found = influence.report(session, EVERYTHING, question)
    for warning in found["warnings"]:
        say(f"Warning: {warning}")
    if as_json:
        show(found)
    elif as_csv:
        print(all_in_one(found).csv(), end="")
    else:
        print(influence_report.as_text(found))
