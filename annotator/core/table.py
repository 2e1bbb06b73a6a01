"""Figures as a table to download: CSV that no spreadsheet takes for formulas."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from annotator.core.labelled import guard


def as_csv(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A heading and its rows; None is an empty cell.

    >>> as_csv(("name", "share"), [("=ana", 0.5), ("ben", None)])
    "name,share\\r\\n'=ana,0.5\\r\\nben,\\r\\n"
    """
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(heading)
    writer.writerows([guard(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return out.getvalue()
