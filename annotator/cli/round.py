"""Rounds: who labels which conversations."""

from typing import Annotated

import typer

from annotator.cli.shared import Db, Project, opened

app = typer.Typer(no_args_is_help=True, help="Rounds: who labels which conversations.")


@app.command("create")
def round_create(
    name: str,
    annotators: Annotated[str, typer.Option(help="Names, separated by commas.")],
    run: Annotated[int | None, typer.Option(help="The run whose proposals are shown; default: the newest.")] = None,
    project: Project = None,
    db: Db = None,
) -> None:
    """Give all conversations to all named annotators, with one run's proposals."""
    from annotator.flow.round import Wanted, create_round

    with opened(project, db) as (_, database), database.writing() as session:
        made = create_round(session, Wanted(name, tuple(one.strip() for one in annotators.split(",") if one.strip()), run_id=run))
    shown = f"with the proposals of run {made.run_id}" if made.run_id else "without proposals, since there is no run yet"
    print(f"Round {made.name}: {made.conversations} conversations for {', '.join(made.annotators)}, {shown}.")
    if made.left_out:
        print(f"{made.left_out} conversations are not in it: the taxonomy has no codes for their roles.")


@app.command("list")
def round_list(project: Project = None, db: Db = None) -> None:
    """List the rounds."""
    from annotator.flow.round import list_rounds

    with opened(project, db) as (_, database), database.reading() as session:
        for made, conversations, annotators in list_rounds(session):
            print(f"{made.name:20}{conversations} conversations, {annotators} annotators, run {made.run_id or 'none'}")
