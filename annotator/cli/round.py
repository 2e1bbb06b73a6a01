"""Rounds: plan one, make it, add to it, close it, list them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from annotator.cli.shared import Db, Json, Project, opened, say, show
from annotator.errors import BadInput

app = typer.Typer(no_args_is_help=True, help="Rounds: who labels which conversations.")

Only = Annotated[list[str] | None, typer.Option(metavar="ID", help="Only these conversations; an id or a pattern like c1_*.")]
LeaveOut = Annotated[list[str] | None, typer.Option(metavar="ID", help="Not these conversations.")]
Sample = Annotated[int | None, typer.Option(min=1, help="Only so many conversations, drawn by --seed.")]
Planned = Annotated[bool, typer.Option("--plan", help="Say what it would be; store nothing.")]


@app.command("create")
def round_create(
    name: str,
    annotators: Annotated[str, typer.Option(help="Names, separated by commas.")],
    overlap: Annotated[int | None, typer.Option(help="Annotators for each conversation; default: all of them.", show_default=False)] = None,
    blind: Annotated[float, typer.Option(help="Share of conversations without proposals, 0 to 1, drawn in each scenario.")] = 0.0,
    repeats: Annotated[float, typer.Option(help="Share of everybody's conversations that come to them once more at the end.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Of all draws.")] = 1,
    run: Annotated[int | None, typer.Option(help="The run whose proposals are shown; default: the newest.", show_default=False)] = None,
    taxonomy: Annotated[str, typer.Option(metavar="VERSION", help="The beginning of a version's fingerprint; default: the newest.")] = "",
    only: Only = None,
    leave_out: LeaveOut = None,
    sample: Sample = None,
    instructions: Annotated[Path | None, typer.Option(help="A Markdown file that annotators can read on the desk.")] = None,
    plan: Planned = False,
    project: Project = None,
    db: Db = None,
    as_json: Json = False,
) -> None:
    """Draw and store who labels which conversations; --plan shows it first."""
    from annotator.flow.round import Wanted, create_round, plan_round

    selection = _selection(only, leave_out, sample, seed)
    wanted = Wanted(name, _names(annotators), overlap, blind, repeats, seed, run, taxonomy, selection, _text(instructions))
    with opened(project, db) as (_, database):
        if plan:
            with database.reading() as session:
                planned = plan_round(session, wanted)
        else:
            with database.writing() as session:
                planned = create_round(session, wanted)
    _print(planned, is_plan=plan, as_json=as_json)


@app.command("add")
def round_add(
    name: str,
    annotators: Annotated[str, typer.Option(help="Names, separated by commas; they take over what has not begun.")] = "",
    only: Only = None,
    leave_out: LeaveOut = None,
    sample: Sample = None,
    seed: Annotated[int, typer.Option(help="Of the sample; all else goes by the round's own.")] = 1,
    plan: Planned = False,
    project: Project = None,
    db: Db = None,
    as_json: Json = False,
) -> None:
    """Add annotators or conversations to a round. Nothing that somebody has begun moves."""
    from annotator.flow.round import extend_round, plan_extension

    selection = _selection(only, leave_out, sample, seed)
    with opened(project, db) as (_, database):
        if plan:
            with database.reading() as session:
                planned = plan_extension(session, name, _names(annotators), selection)
        else:
            with database.writing() as session:
                planned = extend_round(session, name, _names(annotators), selection)
    _print(planned, is_plan=plan, as_json=as_json)


@app.command("close")
def round_close(name: str, project: Project = None, db: Db = None) -> None:
    """Close a round: labels change in discussions only, equal ones become gold, annotators may see their own agreement."""
    from annotator.flow.round import close_round

    with opened(project, db) as (_, database), database.writing() as session:
        closed = close_round(session, name)
        print(
            f"Round {closed.name} is closed. What is not handed in stays as it is and counts in no agreement; "
            "of what was handed in and opened again, the first hand-in counts."
        )


@app.command("list")
def round_list(project: Project = None, db: Db = None, as_json: Json = False) -> None:
    """List the rounds."""
    from annotator.flow.round import list_rounds

    with opened(project, db) as (_, database), database.reading() as session:
        rounds = list_rounds(session)
        if as_json:
            show([_listed(*one) for one in rounds])
            return
        for made, conversations, annotators in rounds:
            closed = ", closed" if made.closed_at else ""
            print(f"{made.name:20}{conversations} conversations, {annotators} annotators, run {made.run_id or 'none'}{closed}")


@app.command("progress")
def round_progress(
    name: str,
    project: Project = None,
    db: Db = None,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the table of annotators as CSV.")] = False,
) -> None:
    """Who is how far in a round, how fast, how often proposals are accepted, and where people disagree so far."""
    from annotator.flow import progress_tables
    from annotator.flow.access import EVERYTHING
    from annotator.flow.disputed import disagreement_of
    from annotator.flow.progress import progress_of
    from annotator.flow.round import get_round

    with opened(project, db) as (_, database), database.reading() as session:
        made = get_round(session, name)
        progress, disagreement = progress_of(session, EVERYTHING, made), disagreement_of(session, made)
    if as_json:
        show(progress_tables.as_dict(progress, disagreement))
    elif as_csv:
        print(progress_tables.people_csv(progress), end="")
    else:
        print(progress_tables.as_text(progress, disagreement))


def _listed(made: Any, conversations: int, annotators: int) -> dict[str, Any]:
    told = made.model_dump(mode="json", include={"name", "run_id", "created_at", "closed_at"})
    drawn = {name: made.plan.get(name) for name in ("overlap", "blind", "repeats", "seed")}
    return {**told, "conversations": conversations, "annotators": annotators, **drawn}


def _names(joined: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in joined.split(",") if one.strip())


def _selection(only: list[str] | None, leave_out: list[str] | None, sample: int | None, seed: int) -> dict[str, list[str]]:
    given = {"only": only or [], "leave_out": leave_out or [], "sample": [str(sample), str(seed)] if sample else []}
    return {name: value for name, value in given.items() if value}


def _text(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"The instructions {path} cannot be read: {error}. Give a text file in UTF-8.") from error


def _print(plan: Any, *, is_plan: bool, as_json: bool) -> None:
    """A plan with its table of annotators."""
    if as_json:
        show(plan.as_dict())
    else:
        print("\n".join(plan.summary()) + "\n")
        wide = max(len(name) for name in ("annotator", *plan.annotators))
        print(f"{'annotator':{wide}}  conversations  utterances  blind  repeats")
        for load in plan.people:
            print(f"{load.name:{wide}}  {load.conversations:13,}  {load.utterances:10,}  {load.blind:5,}  {load.repeats:7,}")
        print("\n" + "\n".join(plan.precision()))
    if is_plan:
        say("Nothing is stored. Leave --plan out to do it.")
