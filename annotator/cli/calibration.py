"""How often a run is right at the confidence it states."""

from pathlib import Path
from typing import Annotated

import typer

from annotator.cli.shared import Db, Json, Project, opened, say, show
from annotator.errors import BadInput

app = typer.Typer()


@app.command()
def calibrate(
    run: Annotated[int, typer.Argument(metavar="RUN", help="The run's number.", show_default=False)],
    against: Annotated[str | None, typer.Option(metavar="NAME|gold", help="On whose labels; default: all people's.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Use all labels, not the blind ones only; this flatters the run.")] = False,
    svg: Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="Write the reliability curve as SVG.")] = None,
    as_json: Json = False,
    project: Project = None,
    db: Db = None,
) -> None:
    """Measure how often a run is right at each confidence it states, and store the mapping."""
    from annotator.core.reliability_svg import reliability_svg
    from annotator.flow import calibration

    if svg is not None and not svg.parent.is_dir():
        raise BadInput(f"{svg.parent} is not a folder. Make it first, or give --svg another path; nothing was stored.")
    with opened(project, db) as (_, database):
        found = calibration.calibrate(database, run, against, every=every)
    if svg is not None:
        _write(svg, reliability_svg(found.figures["bins_before"], found.figures["bins_after"]))
    if found.figures["warning"]:
        say(f"Warning: {found.figures['warning']}")
    if as_json:
        show(calibration.as_dict(found))
    else:
        print(calibration.as_text(found))


def _write(path: Path, picture: str) -> None:
    try:
        path.write_text(picture, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{path} cannot be written ({error.strerror}). The calibration is stored; give --svg another path.") from error
