"""Figures with their intervals, drawn: a row for each (`interval_plot`), or one after the other (`trend_plot`)."""

from collections.abc import Sequence
from itertools import groupby, pairwise

from annotator.core import svg
from annotator.core.plot_parts import (
    FAINT,
    GRID,
    GUIDE,
    SMALL,
    SOFT,
    Place,
    Point,
    Row,
    Scale,
    all_told,
    joined,
    legend,
    mark,
    short,
    start_of,
    stop_of,
)

__all__ = ["Point", "Row", "amount_plot", "interval_plot", "trend_plot"]

WIDTH = 720
_LANE, _LINE = 13, 14
_LONG = 16  # rows from which the scale stands above them too
_HEIGHT = 240  # of a trend, from the start of its scale to 1
_TURNED, _SLANT = 100, 0.71  # how long a turned name gets, and how much of that goes down


def interval_plot(
    title: str, rows: Sequence[Row], *, threshold: float | None = None, low: float = -1.0, axis: str = "", desc: str = ""
) -> str:
    """A row for each figure: its name, its points with whiskers on a common scale, its note; 720 wide.

    `threshold` is a dashed line; `low` is the lowest value that the scale may begin with, `axis` its name.

    >>> rows = [Row("RP", (Point(0.71, 0.6, 0.8),), "n 41/38"), Row("OTH", (Point(None),), "one never uses it")]
    >>> picture = interval_plot("Kappa per code", rows, threshold=0.67)
    >>> picture.count("<circle"), "one never uses it" in picture
    (1, True)
    """
    return _intervals(title, rows, (start_of(rows, low), 1.0), threshold, (axis, desc))


def amount_plot(title: str, rows: Sequence[Row], *, axis: str = "", desc: str = "") -> str:
    """The same for amounts, such as seconds: the scale begins at 0 and ends at a round value above the highest.

    >>> picture = amount_plot("Seconds", [Row("ana", (Point(3.1, 2.2, 6.4),))], axis="seconds")
    >>> picture.count("<circle"), ">10.0<" in picture
    (1, True)
    """
    return _intervals(title, rows, (0.0, stop_of(rows)), None, (axis, desc))


def _intervals(title: str, rows: Sequence[Row], ends: tuple[float, float], threshold: float | None, words: tuple[str, str]) -> str:
    """A row for each figure on a scale with these ends; `words` are the scale's name and the drawing told to who cannot see it."""
    axis, desc = words
    indent = 14 if any(row.group for row in rows) else 2
    left = _between(70, _widest([row.label for row in rows], svg.FONT) + indent + 14, 220)
    right = WIDTH - _between(24 if any(row.is_defined() for row in rows) else 120, _widest([row.note for row in rows], SMALL) + 26, 220)
    scale = Scale(ends[0], left, right, ends[1])
    parts = legend(rows, (left, 12))
    top = 28.0 if parts else 6.0
    if threshold is not None:
        parts.append(_centred((scale.at(threshold), top + 6), f"threshold {short(threshold)}"))
        top += 16
    if len(rows) >= _LONG:
        parts.extend(_centred((scale.at(tick), top + 6), short(tick)) for tick in scale.ticks())
        top += 16
    drawn, foot = _rows(rows or [Row("", (), "nothing to show")], scale, (indent, top))
    parts.extend(svg.line((scale.at(tick), top), (scale.at(tick), foot), stroke_opacity=GRID if tick else SOFT) for tick in scale.ticks())
    if threshold is not None:
        parts.append(svg.line((scale.at(threshold), top), (scale.at(threshold), foot), stroke_dasharray="5 4", stroke_opacity=SOFT))
    parts.extend(_centred((scale.at(tick), foot + 12), short(tick)) for tick in scale.ticks())
    if axis:
        parts.append(svg.text(((left + right) / 2, foot + 34), axis, text_anchor="middle"))
    return svg.document(title, desc or all_told(rows), (WIDTH, foot + (44 if axis else 24)), [*parts, *drawn])


def _between(least: float, wanted: float, most: float) -> float:
    return min(max(least, wanted), most)


def _widest(words: Sequence[str], size: float) -> float:
    return max((svg.width_of(one, size) for one in words), default=0)


def _centred(at: Place, words: str) -> str:
    return svg.text(at, words, text_anchor="middle", font_size=SMALL, **svg.MIDDLE)


def _rows(rows: Sequence[Row], scale: Scale, at: Place) -> tuple[list[str], float]:
    """The rows under each other from a place on, each group under its heading, and where they end."""
    indent, foot = at
    drawn = []
    for group, members in groupby(rows, key=lambda row: row.group):
        if group:
            drawn.append(svg.text((2, foot + 16), svg.clipped(group, scale.at_one), svg.title(group), font_weight=600, **svg.MIDDLE))
            foot += 28
        for row in members:
            note = svg.wrapped(row.note if row.note or row.is_defined() else "undefined", WIDTH - scale.at_one - 20, SMALL)
            height = max(24, _LANE * len(row.points) + 10, _LINE * len(note) + 8)
            drawn.append(_row(row, note, scale, (indent, foot), height))
            foot += height
    return drawn, foot


def _row(row: Row, note: Sequence[str], scale: Scale, at: Place, height: float) -> str:
    """One row whose upper left corner is `at`."""
    left, top = at
    middle = top + height / 2
    look = {"text_decoration": "underline" if row.href else None, "fill_opacity": SOFT if row.faint else None, **svg.MIDDLE}
    label = svg.text((left, middle), svg.clipped(row.label, scale.at_start - left - 10), **look)
    first = middle - _LANE * (len(row.points) - 1) / 2
    marks = [mark(point, scale, first + _LANE * number) for number, point in enumerate(row.points)]
    words = []
    for number, line in enumerate(note):
        place = (scale.at_one + 16, middle + _LINE * (number - (len(note) - 1) / 2))
        words.append(svg.text(place, line, font_size=SMALL, fill_opacity=SOFT, **svg.MIDDLE))
    return svg.element(
        "g",
        svg.title(row.told()),
        svg.rect((0, top), (WIDTH, height), fill="none", pointer_events="all"),
        svg.line((scale.at_start, middle), (scale.at_one, middle), stroke_opacity=GUIDE),
        svg.link(row.href, row.told(), label),
        svg.element("g", *marks, opacity=FAINT if row.faint else None),
        *words,
    )


def trend_plot(
    title: str, rows: Sequence[Row], *, threshold: float | None = None, low: float = -1.0, axis: str = "", desc: str = ""
) -> str:
    """A figure over rounds, in the order given: a column for each with its points and whiskers, at most 720 wide.

    A line leads from point to point of a series and breaks where one is undefined; `group` is not shown.

    >>> rows = [Row("first", (Point(0.61, 0.5, 0.7),)), Row("second", (Point(None),), "no shared units"), Row("third", (Point(0.8),))]
    >>> picture = trend_plot("Kappa over rounds", rows, threshold=0.67)
    >>> picture.count("<circle"), "second: undefined; no shared units" in picture
    (2, True)
    """
    name = "" if threshold is None else f"threshold {short(threshold)}"
    right = max(20, svg.width_of(name, SMALL) + 8)
    pitch = min((WIDTH - 56 - right) / max(len(rows), 1), 150)
    widest = _widest([row.label for row in rows], SMALL)
    turned = widest > pitch - 8
    left = max(56, min(widest, _TURNED) * _SLANT - pitch / 2 + 8) if turned else 56
    pitch = min(pitch, (WIDTH - left - right) / max(len(rows), 1))
    width = max(left + pitch * len(rows) + right, 320)
    parts = legend(rows, (left, 12))
    top = 36 if parts else 14
    foot = top + _HEIGHT
    scale = Scale(start_of(rows, low), foot, top)
    for tick in scale.ticks():
        parts.append(svg.line((left, scale.at(tick)), (width - right, scale.at(tick)), stroke_opacity=GRID if tick else SOFT))
        parts.append(svg.text((left - 8, scale.at(tick)), short(tick), text_anchor="end", font_size=SMALL, **svg.MIDDLE))
    if threshold is not None:
        at = scale.at(threshold)
        parts.append(svg.line((left, at), (width - right, at), stroke_dasharray="5 4", stroke_opacity=SOFT))
        parts.append(svg.text((width - right + 4, at), name, font_size=SMALL, **svg.MIDDLE))
    if axis:
        middle = (top + foot) / 2
        parts.append(svg.text((12, middle), axis, text_anchor="middle", transform=f"rotate(-90 12 {middle:.0f})"))
    columns = [left + pitch * (number + 0.5) for number in range(len(rows))]
    parts.extend(_runs(rows, scale, columns))
    parts.extend(_column(row, scale, column, pitch, turned) for row, column in zip(rows, columns, strict=True))
    depth = min(widest, _TURNED) * _SLANT + 24 if turned else 42 if any(row.note for row in rows) else 26
    return svg.document(title, desc or all_told(rows), (width, foot + depth), parts)


def _runs(rows: Sequence[Row], scale: Scale, columns: Sequence[float]) -> list[str]:
    """Lines from point to point of each series."""
    parts = []
    for series in dict.fromkeys(point.series for row in rows for point in row.points):
        places = [_find(row, series, scale, column) for row, column in zip(rows, columns, strict=True)]
        parts += [joined(one, other) for one, other in pairwise(places) if one and other]
    return parts


def _lane(row: Row, number: int, column: float) -> float:
    return column + _LANE * (number - (len(row.points) - 1) / 2)


def _find(row: Row, series: str, scale: Scale, column: float) -> Place | None:
    """Where a series has its point in a column."""
    for number, point in enumerate(row.points):
        if point.series == series and point.value is not None:
            return _lane(row, number, column), scale.at(point.value)
    return None


def _column(row: Row, scale: Scale, column: float, pitch: float, turned: bool) -> str:
    """One round: its points, and its name under the axis."""
    foot = scale.at_start
    marks = [mark(point, scale, _lane(row, number, column), upright=True) for number, point in enumerate(row.points)]
    look = {"font_size": SMALL, "text_decoration": "underline" if row.href else None}
    if turned:
        turn = f"rotate(-45 {column:.1f} {foot + 14:.1f})"
        name = svg.text((column, foot + 14), svg.clipped(row.label, _TURNED, SMALL), text_anchor="end", transform=turn, **look)
    else:
        name = svg.text((column, foot + 18), row.label, text_anchor="middle", **look)
    note = [] if turned or not row.note else [_centred((column, foot + 31), svg.clipped(row.note, pitch - 4, SMALL))]
    gap = [] if row.is_defined() else [_centred((column, foot - 10), "–")]
    return svg.element(
        "g",
        svg.title(row.told()),
        svg.rect((column - pitch / 2, scale.at_one), (pitch, foot - scale.at_one), fill="none", pointer_events="all"),
        svg.element("g", *marks, *gap, opacity=FAINT if row.faint else None),
        svg.link(row.href, row.told(), name),
        *note,
    )
