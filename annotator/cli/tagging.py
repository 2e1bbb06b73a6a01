"""First pass."""

from typing import Annotated

import typer

from annotator.cli.shared import Db, Json, Project, bar, opened, show

app = typer.Typer()


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
