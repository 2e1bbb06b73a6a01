"""Figures as a table to download: CSV that no spreadsheet takes for formulas, and LaTeX for a paper."""

import csv
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO

from annotator.core.labelled import guard
from annotator.core.latex import escaped

Cell = str | int | float | bool | None


def as_csv(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A heading and its rows; None is an empty cell.

    >>> as_csv(("name", "share"), [("=ana", 0.5), ("ben", None)])
    "name,share\\r\\n'=ana,0.5\\r\\nben,\\r\\n"
    """
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for row in (heading, *rows):
        writer.writerow([guard(cell) if isinstance(cell, str) else cell for cell in row])
    return out.getvalue()


@dataclass(frozen=True)
class Table:
    r"""A table as files: `name` is the stem of theirs, `title` one sentence, `notes` sentences to print under it.

    None is what is not known or not defined; a number that is not finite counts as None.

    >>> table = Table("kappa", "Agreement per role.", ("role", "n", "κ"), (("Seeker", 41, 0.71234), ("Assistant", 38, None)))
    >>> table.csv()
    'role,n,κ\r\nSeeker,41,0.71234\r\nAssistant,38,\r\n'
    >>> table.latex().splitlines()[6:13]  # doctest: +NORMALIZE_WHITESPACE
    ['\\toprule', 'role & n & $\\kappa$ \\\\', '\\midrule',
     'Seeker & 41 & 0.712 \\\\', 'Assistant & 38 & -- \\\\', '\\bottomrule', '\\end{tabular}']
    """

    name: str
    title: str
    heading: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.heading:
            raise ValueError(f"The table {self.name} has no columns.")
        for number, row in enumerate(self.rows, 1):
            if len(row) != len(self.heading):
                raise ValueError(f"The table {self.name}, row {number}: {len(row)} cells where the heading has {len(self.heading)}.")

    def csv(self) -> str:
        """Everything in full precision, without title and notes; None is an empty cell."""
        return as_csv(self.heading, ([_known(cell) for cell in row] for row in self.rows))

    def latex(self) -> str:
        """A floating table for pdflatex: numbers to the right, fractions with three decimals, None as a dash."""
        sides = "".join("r" if self._is_numeric(at) else "l" for at in range(len(self.heading)))
        return "\n".join([
            r"% Needs \usepackage{booktabs}.", r"\begin{table}", r"\centering",
            rf"\caption{{{escaped(self.title)}}}", rf"\label{{tab:{_label(self.name)}}}",
            rf"\begin{{tabular}}{{{sides}}}", r"\toprule", _line(map(escaped, self.heading)), r"\midrule",
            *(_line(map(_in_latex, row)) for row in self.rows),
            r"\bottomrule", r"\end{tabular}",
            *([rf"\par\smallskip{{\footnotesize {escaped(' '.join(self.notes))}\par}}"] if self.notes else []),
            r"\end{table}", "",
        ])  # fmt: skip

    def _is_numeric(self, column: int) -> bool:
        cells = [row[column] for row in self.rows if row[column] is not None]
        return bool(cells) and all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in cells)


def _known(cell: Cell) -> Cell:
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell


def _line(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"


def _in_latex(cell: Cell) -> str:
    cell = _known(cell)
    if cell is None:
        return "--"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, str):
        return escaped(cell)
    number = f"{cell:.3f}" if isinstance(cell, float) else str(cell)
    if not number.startswith("-"):
        return number
    return f"$-${number[1:]}" if number.strip("-0.") else number[1:]  # minus nothing is nothing


def _label(name: str) -> str:
    """A name as `\\ref` takes it."""
    return re.sub("[^A-Za-z0-9.:_-]", lambda sign: f"u{ord(sign[0]):x}", name)
