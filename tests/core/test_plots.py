"""Plots of figures with intervals: points at computed places, nothing where nothing is defined, any words and any numbers."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.core.plots import WIDTH, Point, Row, amount_plot, interval_plot, trend_plot
from core.drawn import drawn, every, number, titles, words

VALUES = st.none() | st.floats(-1, 1) | st.sampled_from([float("nan"), float("inf"), -5.0, 2.0])
POINTS = st.builds(Point, VALUES, VALUES, VALUES, st.sampled_from(["", "blind", "assisted"]), st.booleans())
LINKS = st.sampled_from([None, "/x?a=1&b=2"])
ROWS = st.builds(Row, st.text(), st.lists(POINTS, max_size=3).map(tuple), st.text(), st.booleans(), st.text(max_size=3), LINKS)
PLOTS = pytest.mark.parametrize("plot", [interval_plot, trend_plot])


def across(picture: str) -> tuple[float, float]:
    """Where 0 and 1 stand in an interval plot, from the names of its ticks."""
    ticks = {one.text: number(one, "x") for one in every(drawn(picture), "text") if one.get("text-anchor") == "middle"}
    return ticks["0.0"], ticks["1.0"]


@PLOTS
@given(title=st.text(), rows=st.lists(ROWS, max_size=8), threshold=st.none() | st.floats(-1, 1), low=st.floats(-1, 0))
def test_whatever_is_given_it_is_a_drawing_that_fits(
    plot: Callable[..., str], title: str, rows: list[Row], threshold: float | None, low: float
) -> None:
    root = drawn(plot(title, rows, threshold=threshold, low=low))
    width, height = number(root, "width"), number(root, "height")
    assert width <= WIDTH
    for one in every(root, "circle"):
        assert 0 <= number(one, "cx") <= width and 0 <= number(one, "cy") <= height
    defined = [point for row in rows for point in row.points if point.value is not None]
    series = {point.series for row in rows for point in row.points if point.series}
    assert len(every(root, "circle")) == len(defined) + len(series)
    assert len(every(root, "a")) == sum(row.href is not None for row in rows)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_points_stand_at_their_values_in_the_order_given(values: list[float]) -> None:
    picture = interval_plot("t", [Row(f"r{at}", (Point(value, value / 2, value),)) for at, value in enumerate(values)])
    nought, one = across(picture)
    circles = every(drawn(picture), "circle")
    assert [number(each, "cx") for each in circles] == pytest.approx([nought + value * (one - nought) for value in values], abs=0.011)
    assert all(upper < lower for upper, lower in pairwise(number(each, "cy") for each in circles))


def test_whiskers_reach_from_low_to_high_and_have_ends() -> None:
    picture = interval_plot("t", [Row("RP", (Point(0.6, 0.4, 0.9),))])
    nought, one = across(picture)
    whiskers = [each for each in every(drawn(picture), "line") if each.get("stroke-width") == "1.5"]
    reached = sorted({round((number(each, "x2") - nought) / (one - nought), 3) for each in whiskers})
    assert reached == [0.4, 0.9] and len(whiskers) == 4


def test_a_certain_value_of_one_is_a_point_alone() -> None:
    picture = interval_plot("t", [Row("ACK", (Point(1.0, 1.0, 1.0),))])
    (circle,) = every(drawn(picture), "circle")
    assert number(circle, "cx") == across(picture)[1]
    assert not [each for each in every(drawn(picture), "line") if each.get("stroke-width") == "1.5"]


@pytest.mark.parametrize(
    ("lowest", "low", "first", "count"),
    [
        *((0.3, -1.0, "0.0", 6), (-0.05, -1.0, "−0.2", 7), (-0.2, -1.0, "−0.2", 7), (-0.7, -1.0, "−1.0", 5)),
        *((-0.5, -1.0, "−0.5", 4), (-0.9, -0.2, "−0.2", 7), (-0.9, 0.0, "0.0", 6)),
    ],
)
def test_the_scale_begins_at_nought_or_under_the_lowest_value(lowest: float, low: float, first: str, count: int) -> None:
    root = drawn(interval_plot("t", [Row("RP", (Point(0.5, lowest, 0.6),))], low=low))
    ticks = [one.text for one in every(root, "text") if one.get("text-anchor") == "middle"]
    assert (ticks[0], ticks[-1], len(ticks)) == (first, "1.0", count)


def test_a_whisker_that_goes_on_outside_the_scale_has_no_end() -> None:
    ended, going_on = (
        drawn(interval_plot("t", [Row("RP", (Point(0.5, lowest, 0.6),))], low=-0.2)) for lowest in (-0.2, -0.21)
    )  # fmt: skip
    assert len(every(ended, "line")) == len(every(going_on, "line")) + 1


def test_what_is_undefined_says_why_and_has_no_point() -> None:
    reason = "one annotator never uses it, so that kappa is undefined"
    root = drawn(interval_plot("t", [Row("REJ", (Point(None, 0.1, 0.2),), reason), Row("OTH", (Point(float("nan")),))], threshold=0.67))
    assert every(root, "circle") == []
    assert " ".join(words(root)).endswith(f"REJ {reason} OTH undefined")
    assert titles(root) == [f"REJ: undefined; {reason}", "OTH: undefined"]


def test_the_threshold_is_a_dashed_line_at_its_value_and_named() -> None:
    picture = interval_plot("t", [Row("RP", (Point(0.5),))], threshold=0.667)
    nought, one = across(picture)
    (line,) = [each for each in every(drawn(picture), "line") if each.get("stroke-dasharray")]
    assert number(line, "x1") == pytest.approx(nought + 0.667 * (one - nought), abs=0.01)
    assert "threshold 0.67" in words(drawn(picture))


def test_a_group_has_its_heading_once() -> None:
    rows = [Row(name, (Point(0.5),), group=group) for name, group in [("a", "Seeker"), ("b", "Seeker"), ("c", "Assistant")]]
    found = words(drawn(interval_plot("t", rows)))
    assert [one for one in found if one in ("Seeker", "Assistant", "a", "b", "c")] == ["Seeker", "a", "b", "Assistant", "c"]


@PLOTS
def test_series_are_named_once_in_the_order_seen_hollow_ones_hollow(plot: Callable[..., str]) -> None:
    rows = [Row(name, (Point(0.4, series="blind", hollow=True), Point(0.6, series="assisted"))) for name in "abc"]
    root = drawn(plot("t", rows))
    assert words(root)[:2] == ["blind", "assisted"]
    assert [one.get("fill") for one in every(root, "circle")] == ["none", None] * 4


def test_two_points_of_a_row_do_not_cover_each_other() -> None:
    root = drawn(interval_plot("t", [Row("a", (Point(0.5), Point(0.5)))]))
    first, second = every(root, "circle")
    assert number(second, "cy") - number(first, "cy") > 2 * number(first, "r")


def test_long_words_are_clipped_and_whole_in_the_title() -> None:
    long = "Inquire about the item and much more than that " * 3
    root = drawn(interval_plot("t", [Row(long, (Point(0.5),), "n 41/38 " * 30)]))
    assert [one[-1] for one in words(root) if one.startswith("Inquire")] == ["…"]
    assert len([one for one in words(root) if one.startswith(("n 41", "41/38"))]) == 2
    assert titles(root)[0].startswith(long)


def test_a_link_has_the_row_for_its_name() -> None:
    root = drawn(interval_plot("t", [Row("RP", (Point(0.5),), href="/agreement?code=RP&role=Seeker")]))
    (link,) = every(root, "a")
    assert (link.get("href"), link[0].text, link[1].text) == ("/agreement?code=RP&role=Seeker", "RP: 0.500", "RP")
    assert root.get("role") == "group"


def test_faint_marks_are_fainter() -> None:
    root = drawn(interval_plot("t", [Row("RP", (Point(0.5),), "n 3/2, too few to say", faint=True)]))
    assert [one.get("opacity") for one in every(root, "g") if one.get("opacity")] == ["0.45"]


def test_a_long_plot_has_its_scale_at_both_ends() -> None:
    few, many = (words(drawn(interval_plot("t", [Row(f"r{at}", (Point(0.5),)) for at in range(n)]))) for n in (15, 40))
    assert (few.count("0.4"), many.count("0.4")) == (1, 2)


def test_what_is_told_where_nothing_else_is_said_is_every_row() -> None:
    root = drawn(interval_plot("Kappa", [Row("RP", (Point(0.5, 0.25, 0.75),), "n 9"), Row("OTH", ())]))
    assert (root[0].text, root[1].text) == ("Kappa", "RP: 0.500 (0.250 to 0.750); n 9. OTH: undefined.")
    assert drawn(interval_plot("Kappa", [], desc="Said otherwise."))[1].text == "Said otherwise."
    assert drawn(interval_plot("Kappa", []))[1].text == "Nothing to show."


# Over rounds

PILOT, SECOND, THIRD, MAIN = (Row(name, (Point(value),), "n 41") for name, value in [("p", 0.5), ("s", 0.6), ("t", None), ("m", 0.8)])


def faint_lines(picture: str) -> int:
    return sum(one.get("stroke-opacity") == "0.45" for one in every(drawn(picture), "line"))


def test_a_trend_goes_from_left_to_right_and_higher_is_more() -> None:
    circles = every(drawn(trend_plot("t", [PILOT, SECOND, MAIN])), "circle")
    assert all(one < other for one, other in pairwise(number(each, "cx") for each in circles))
    heights = [number(each, "cy") for each in circles]
    assert (heights[0] - heights[1]) * 2 == pytest.approx(heights[1] - heights[2])


def test_a_trend_breaks_where_it_is_undefined() -> None:
    assert faint_lines(trend_plot("t", [PILOT, SECOND, MAIN])) == 2
    picture = trend_plot("t", [PILOT, SECOND, THIRD, MAIN], threshold=0.67)
    assert faint_lines(picture) == 1
    assert words(drawn(picture)).count("–") == 1 and "t: undefined; n 41" in titles(drawn(picture))


def test_each_series_of_a_trend_has_its_own_line() -> None:
    rows = [
        Row(name, (Point(blind, series="blind"), Point(0.6, series="assisted"))) for name, blind in [("p", 0.4), ("s", None), ("m", 0.5)]
    ]
    assert faint_lines(trend_plot("t", rows)) == 2


def test_long_names_of_rounds_are_turned() -> None:
    def turned(names: list[str]) -> int:
        root = drawn(trend_plot("t", [Row(name, (Point(0.5),)) for name in names]))
        return sum((one.get("transform") or "").startswith("rotate(-45") for one in every(root, "text"))

    assert turned(["pilot", "main"]) == 0
    assert turned([f"round {at} with a long name" for at in range(12)]) == 12


@given(st.lists(st.floats(0.1, 1e6), min_size=1, max_size=6))
def test_amounts_stand_on_a_scale_that_ends_above_them(values: list[float]) -> None:
    root = drawn(amount_plot("t", [Row(f"r{at}", (Point(value, value / 2, value),)) for at, value in enumerate(values)], axis="seconds"))
    ticks = [one for one in every(root, "text") if one.get("text-anchor") == "middle" and one.text != "seconds"]
    nought, last = number(ticks[0], "x"), number(ticks[-1], "x")
    stop = float((ticks[-1].text or "").replace("−", "-"))
    assert (ticks[0].text, stop >= max(values) * 0.99) == ("0.0", True)
    wanted = [nought + value / stop * (last - nought) for value in values]
    assert [number(one, "cx") for one in every(root, "circle")] == pytest.approx(wanted, abs=2.5)
