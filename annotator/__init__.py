"""Label what people do in conversations: first pass, review, agreement, export.

The public face for notebooks and scripts: load a taxonomy, read an exported table, compute agreement.

>>> from annotator import agreement_of, load_taxonomy, read_labels
"""

from pathlib import Path
from typing import Any

from annotator.core.agreement import Judgement, agreement, cohen_kappa
from annotator.core.labelled import Labelled, each_once, read_rows
from annotator.core.taxonomy import Taxonomy, parse_taxonomy
from annotator.errors import AnnotatorError, BadInput

__version__ = "0.1.0"

__all__ = [
    "AnnotatorError", "BadInput", "Judgement", "Labelled", "Taxonomy",
    "agreement", "agreement_of", "cohen_kappa", "load_taxonomy", "read_labels",
]  # fmt: skip


def load_taxonomy(path: str | Path) -> Taxonomy:
    """Read a `taxonomy.yaml`; raises `BadInput` with the line of what is wrong."""
    path = Path(path)
    try:
        return parse_taxonomy(path.read_text(encoding="utf-8"), path.name)
    except FileNotFoundError as error:
        raise BadInput(f"{path} does not exist. Check the path.") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path.name}: not UTF-8 text (byte {error.start + 1}). Save the file as UTF-8.") from error


def read_labels(path: str | Path) -> list[Labelled]:
    """Read a long CSV or TSV, one row per round, utterance and annotator, and one more of each repeat.

    Raises `BadInput` with the line of what is wrong.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            return list(each_once(read_rows(lines, path.name), path.name))
    except FileNotFoundError as error:
        raise BadInput(f"{path} does not exist. Check the path.") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path.name}: not UTF-8 text (byte {error.start + 1}). Save the table as CSV (UTF-8).") from error


def agreement_of(rows: list[Labelled]) -> dict[str, Any]:
    """Agreement between every two annotators of a long table: the same figures as `annotator agree FILE --json`."""
    labelled = (row for row in rows if row.annotator and not row.repeat)
    return agreement(Judgement(row.annotator, row.conversation, row.utterance, row.role, frozenset(row.codes)) for row in labelled)
