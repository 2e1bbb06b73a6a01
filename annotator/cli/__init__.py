"""The command line: results to stdout, progress and messages to stderr; exit 0 done, 1 a sentence, 2 wrong usage."""

import gc
import sys

import typer
from sqlalchemy.exc import OperationalError

from annotator.cli import accounts, agreement, calibration, comparison, export, influence, intake, project, round, tagging
from annotator.cli.shared import say
from annotator.errors import AnnotatorError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Label what people do in conversations.")
working = (tagging.app, comparison.app, calibration.app, agreement.app, influence.app, export.app)
for commands in (project.start, intake.app, project.look, *working, project.run):
    app.add_typer(commands)
app.add_typer(accounts.app, name="user")
app.add_typer(round.app, name="round")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; an error of ours becomes its sentence and exit code 1."""
    # Imports and exports make millions of small values without cycles; looking through them again and again takes a third of the time.
    gc.set_threshold(100_000, 20, 20)
    try:
        app(arguments)
    except AnnotatorError as error:
        say(f"annotator: {error}")
        sys.exit(1)
    except OperationalError as error:  # a full disk, a file that may not be written, a lock that stays
        say(f"annotator: The database cannot be used: {error.orig}. Free some space, or check who may write it, and go on.")
        sys.exit(1)
