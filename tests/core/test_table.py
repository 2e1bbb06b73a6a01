"""Tables as files: CSV that reads back, LaTeX with one line for each row whatever the cells hold."""

import csv
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.core.labelled import unguard
from annotator.core.table import Table, as_csv
from core.test_latex import special_in

CELLS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text())
TABLES = st.integers(1, 4).flatmap(
    lambda width: st.builds(
        Table,
        name=st.text(),
        title=st.text(),
        heading=st.tuples(*[st.text()] * width),
        rows=st.lists(st.tuples(*[CELLS] * width), max_size=4).map(tuple),
        notes=st.lists(st.text(), max_size=2).map(tuple),
    )
)


def told(cell: object) -> str:
    """A cell as a reader gets it: an empty one for what is not known, floats to the last digit."""
    return "" if cell is None or cell != cell or cell in (float("inf"), float("-inf")) else str(cell)


def one_cell(cell: object) -> str:
    """How the only cell of a table stands in LaTeX."""
    return Table("t", "T.", ("x",), ((cell,),)).latex().splitlines()[9].removesuffix(r" \\")  # type: ignore[arg-type]


@given(TABLES)
def test_csv_reads_back(table: Table) -> None:
    rows = list(csv.reader(StringIO(table.csv(), newline=""), strict=True))
    assert [tuple(map(unguard, row)) for row in rows] == [table.heading, *(tuple(map(told, row)) for row in table.rows)]


@given(TABLES)
def test_latex_has_a_line_for_each_row_and_nothing_special_in_it(table: Table) -> None:
    lines = table.latex().split("\n")
    assert lines[6] == r"\toprule" and lines[8] == r"\midrule" and lines[9 + len(table.rows)] == r"\bottomrule"
    for line in [lines[7], *lines[9 : 9 + len(table.rows)]]:
        assert line.endswith(r" \\")
        cells = line.removesuffix(r" \\").split(" & ")
        assert len(cells) == len(table.heading)
        assert [special_in(cell) for cell in cells] == [[]] * len(cells)
    assert len(lines) == 9 + len(table.rows) + (5 if table.notes else 4)
    assert table.latex().isascii()


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        *((0.5, "0.500"), (1.0, "1.000"), (-0.1234, "$-$0.123"), (-0.0001, "0.000"), (-0.0, "0.000"), (41, "41"), (-2, "$-$2")),
        *((None, "--"), (float("nan"), "--"), (float("-inf"), "--"), (True, "yes"), (False, "no")),
        *(("-0.5", "-0.5"), ("RP & OTH", r"RP \& OTH")),
    ],
)
def test_a_cell_in_latex(cell: object, expected: str) -> None:
    assert one_cell(cell) == expected


def test_numbers_stand_to_the_right() -> None:
    rows = (("a", 1, 0.5, None, True, "x"), ("b", None, -1, None, False, 2))
    assert r"\begin{tabular}{lrrlll}" in Table("t", "T.", tuple("abcdef"), rows).latex()


def test_label_caption_and_notes() -> None:
    lines = Table("a_b ä", "κ of A & B.", ("x",), (), ("One.", "Two_.")).latex().splitlines()
    assert lines[3:5] == [r"\caption{$\kappa$ of A \& B.}", r"\label{tab:a_bu20ue4}"]
    assert lines[-2] == r"\par\smallskip{\footnotesize One. Two\_.\par}"


def test_a_heading_is_guarded_too() -> None:
    assert as_csv(("=cmd()", "n"), []) == "'=cmd(),n\r\n"


def test_a_row_must_fit_the_heading() -> None:
    with pytest.raises(ValueError, match="row 2: 1 cells where the heading has 2"):
        Table("t", "T.", ("a", "b"), ((1, 2), (3,)))
    with pytest.raises(ValueError, match="no columns"):
        Table("t", "T.", (), ())
