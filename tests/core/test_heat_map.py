"""Heat maps: darker for more, a dash and a reason where nothing is defined, any names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.core.heat_map import Cell, heat_map
from core.drawn import drawn, every, number, titles, words

CELLS = st.builds(
    Cell, st.none() | st.floats(), st.text(max_size=8), st.text(), st.sampled_from([None, "/x"]), st.booleans()
)  # fmt: skip
GRIDS = st.tuples(st.integers(0, 4), st.integers(0, 4)).flatmap(
    lambda size: st.tuples(*(st.tuples(*[st.text()] * side) for side in size), st.tuples(*[st.tuples(*[CELLS] * size[1])] * size[0]))
)
Grid = tuple[tuple[str, ...], tuple[str, ...], tuple[tuple[Cell, ...], ...]]


def one_cell(cell: Cell) -> str:
    return heat_map("t", ["a"], ["b"], [[cell]])


@given(GRIDS, st.tuples(st.text(), st.text()))
def test_whatever_is_given_it_is_a_drawing_that_fits(grid: Grid, axes: tuple[str, str]) -> None:
    root = drawn(heat_map("t", *grid, axes=axes))
    cells = [cell for row in grid[2] for cell in row]
    links = sum(cell.href is not None for cell in cells)
    assert len(titles(root)) == len(grid[0]) + len(grid[1]) + len(cells) + links
    assert len(every(root, "a")) == links
    for one in every(root, "rect"):
        assert number(one, "x") + number(one, "width") <= number(root, "width")
        assert number(one, "y") + number(one, "height") <= number(root, "height")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_more_is_darker_and_words_stay_readable(values: list[float]) -> None:
    root = drawn(heat_map("t", ["a"], [str(at) for at in range(len(values))], [[Cell(value, "", "") for value in values]]))
    shades = [number(one, "fill-opacity") for one in every(root, "rect") if one.get("fill-opacity")]
    assert shades == [pytest.approx(0.03 + 0.33 * value if value else 0, abs=0.006) for value in values]
    assert max(shades) <= 0.36


@pytest.mark.parametrize(("paper", "ink"), [("#ffffff", "#000000"), ("#ffffff", "#1d2327"), ("#1c2226", "#e7eaec"), ("#14181b", "#e7eaec")])
def test_words_on_the_darkest_cell_have_enough_contrast(paper: str, ink: str) -> None:
    def channels(colour: str) -> list[float]:
        return [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]

    def light(colour: list[float]) -> float:
        red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in colour)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05

    cell = [0.36 * over + 0.64 * under for over, under in zip(channels(ink), channels(paper), strict=True)]
    both = sorted([light(cell), light(channels(ink))])
    assert both[1] / both[0] >= 4.5


@pytest.mark.parametrize("value", [None, float("nan")])
def test_an_undefined_cell_has_a_dash_and_its_reason_and_no_shade(value: float | None) -> None:
    root = drawn(one_cell(Cell(value, "0", "ana and ben share no utterances")))
    assert words(root) == ["b", "a", "–"] and "ana and ben share no utterances" in titles(root)
    assert all(one.get("fill") == "none" for one in every(root, "rect"))


def test_nought_and_less_have_no_shade_but_their_text() -> None:
    root = drawn(heat_map("t", ["a"], ["b", "c"], [[Cell(0.0, "0.00", ""), Cell(-0.4, "−0.40", "")]]))
    assert [one.get("fill-opacity") for one in every(root, "rect") if one.get("fill") is None] == ["0", "0"]
    assert words(root)[-2:] == ["0.00", "−0.40"]


def test_a_link_lies_over_its_cell_and_is_named() -> None:
    root = drawn(one_cell(Cell(0.5, "0.50", "ana and ben: 0.50", "/agreement?pair=1")))
    (link,) = every(root, "a")
    assert (link.get("href"), link[0].text) == ("/agreement?pair=1", "ana and ben: 0.50")
    assert [child.tag.rpartition("}")[2] for child in link] == ["title", "rect"]


def test_a_marked_cell_has_a_frame() -> None:
    plain, marked = (len(every(drawn(one_cell(Cell(0.5, "", "", marked=it))), "rect")) for it in (False, True))
    assert marked == plain + 1


def turned(names: list[str]) -> list[str]:
    root = drawn(heat_map("t", names, names, [[Cell(0.1, "1", "") for _ in names] for _ in names]))
    return [one.text or "" for one in every(root, "text") if one.get("transform")]


def test_long_names_are_turned_and_clipped_and_whole_in_their_titles() -> None:
    assert turned(["RP", "INQ", "OTH"]) == []
    long = [f"{at} Request Preferences of the Seeker" for at in range(3)]
    assert all(name.endswith("…") for name in turned(long))
    root = drawn(heat_map("t", ["a"], long, [[Cell(0.1, "1", "") for _ in long]]))
    assert set(long) <= set(titles(root))


def test_twenty_five_labels_fit_a_page() -> None:
    names = [f"LONG-CODE {at} and its whole name" for at in range(25)]
    root = drawn(heat_map("t", names, names, [[Cell(0.1, "100", "") for _ in names] for _ in names], axes=("ana", "ben")))
    assert number(root, "width") <= 1100 and words(root)[:2] == ["ana ↓", "ben →"]


def test_names_and_cells_must_match() -> None:
    with pytest.raises(ValueError, match="2 rows by 1 columns needs a cell for each"):
        heat_map("t", ["a", "b"], ["c"], [[Cell(1, "", "")]])
