"""What plots of figures with intervals share: points, rows, the scale, marks with whiskers, the legend.

The values are of at most 1, as kappa and its family are. What is undefined gets no mark; its row says why instead.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from annotator.core import svg

SMALL = 11
SOFT, FAINT, GRID, GUIDE = 0.7, 0.45, 0.15, 0.08
"""Opacities; words at `SOFT` keep a contrast of 4.5 on white and on dark paper."""
_RADIUS, _CAP = 4.5, 3.5
Place = tuple[float, float]


@dataclass(frozen=True)
class Point:
    """A value with the ends of its interval. None, or what is not finite, is undefined. A `series` has one look and is named once."""

    value: float | None
    low: float | None = None
    high: float | None = None
    series: str = ""
    hollow: bool = False

    def __post_init__(self) -> None:
        for name in ("value", "low", "high"):
            if (number := getattr(self, name)) is not None and not math.isfinite(number):
                object.__setattr__(self, name, None)

    def told(self) -> str:
        """The point in words."""
        if self.value is None:
            return f"{self.series} undefined".strip()
        interval = "" if self.low is None or self.high is None else f" ({self.low:.3f} to {self.high:.3f})"
        return f"{self.series} {self.value:.3f}{interval}".strip()


@dataclass(frozen=True)
class Row:
    """What the points are of. `note` says what else there is to know, or why there is no point; `faint` is not to be relied on."""

    label: str
    points: tuple[Point, ...]
    note: str = ""
    faint: bool = False
    group: str = ""
    href: str | None = None

    def told(self) -> str:
        """The row in words.

        >>> Row("RP", (Point(0.5, 0.25, 0.75, "blind"), Point(None, series="assisted")), "n 41/38").told()
        'RP: blind 0.500 (0.250 to 0.750), assisted undefined; n 41/38'
        """
        points = ", ".join(point.told() for point in self.points) or "undefined"
        return f"{self.label}: {points}" + (f"; {self.note}" if self.note else "")

    def is_defined(self) -> bool:
        """Whether there is a point to draw."""
        return any(point.value is not None for point in self.points)


def all_told(rows: Sequence[Row]) -> str:
    """All rows in words, for whoever cannot see them."""
    return ". ".join(row.told() for row in rows) + "." if rows else "Nothing to show."


@dataclass(frozen=True)
class Scale:
    """Values from `start` to `stop`, mostly 1, on pixels from `at_start` to `at_one`."""

    start: float
    at_start: float
    at_one: float
    stop: float = 1.0

    def at(self, value: float) -> float:
        """The place of a value; one that lies outside is put at the edge.

        >>> Scale(-0.2, 100, 220).at(0.4), Scale(0, 200, 0).at(-3)
        (160.0, 200.0)
        """
        share = (min(max(value, self.start), self.stop) - self.start) / (self.stop - self.start)
        return self.at_start + share * (self.at_one - self.at_start)

    def ticks(self) -> list[float]:
        """Round values from start to stop.

        >>> Scale(-0.2, 0, 1).ticks(), Scale(0, 0, 1, stop=20).ticks()
        ([-0.2, 0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.0, 4.0, 8.0, 12.0, 16.0, 20.0])
        """
        if self.stop != 1:
            return [round(self.stop * number / 5, 9) for number in range(6)]
        step = _step(self.start)
        return [round(step * number, 1) + 0.0 for number in range(round(self.start / step), round(1 / step) + 1)]


def start_of(rows: Sequence[Row], low: float) -> float:
    """Where a scale begins: at 0, or at the round value under the lowest one, but not far under `low`.

    >>> start_of([Row("a", (Point(0.1, -0.13, 0.3),))], -1), start_of([Row("a", (Point(0.1, -0.13, 0.3),))], 0)
    (-0.2, 0.0)
    """
    ends = [end for row in rows for point in row.points if point.value is not None for end in (point.value, point.low) if end is not None]
    lowest = max(min([0.0, *ends]), low)
    step = _step(lowest)
    return round(math.floor(lowest / step + 1e-9) * step, 1) + 0.0


def stop_of(rows: Sequence[Row]) -> float:
    """Where a scale of amounts ends, which begins at 0: the round value at or above the highest one.

    >>> stop_of([Row("a", (Point(3.1, 2.2, 6.4),))]), stop_of([])
    (10.0, 1.0)
    """
    ends = [end for row in rows for point in row.points if point.value is not None for end in (point.value, point.high) if end is not None]
    highest = max(ends, default=0)
    if highest < 1e-6:
        return 1.0
    power = 10.0 ** math.floor(math.log10(highest))
    return next(power * times for times in (1, 2, 2.5, 5, 10) if power * times >= highest)


def _step(lowest: float) -> float:
    return 0.2 if lowest > -0.5 else 0.5


def short(value: float) -> str:
    """A value as it stands at a scale: two decimals at most, one at least, and a real minus.

    >>> short(0.67), short(-0.2)
    ('0.67', '−0.2')
    """
    return (f"{value:.1f}" if round(value, 1) == value else f"{value:.2f}").replace("-", "−")


def mark(point: Point, scale: Scale, lane: float, *, upright: bool = False) -> str:
    """A point with whiskers in a lane along the scale; where a whisker goes on outside the scale it has no end."""
    if point.value is None:
        return ""
    middle = _place(point.value, scale, lane, upright)
    ends = [end for end in (point.low, point.high) if end is not None]
    whiskers = [_whisker(middle, _place(end, scale, lane, upright), ended=scale.start <= end <= scale.stop) for end in ends]
    look = {"fill": "none", "stroke": "currentColor", "stroke_width": 1.5} if point.hollow else {}
    return "".join([*whiskers, svg.circle(middle, _RADIUS, **look)])


def _place(value: float, scale: Scale, lane: float, upright: bool) -> Place:
    return (lane, scale.at(value)) if upright else (scale.at(value), lane)


def _whisker(middle: Place, end: Place, *, ended: bool) -> str:
    length = math.dist(middle, end)
    if length <= _RADIUS:
        return ""
    across = (_CAP * (end[1] - middle[1]) / length, _CAP * (end[0] - middle[0]) / length)
    whisker = svg.line(_rim(middle, end), end, stroke_width=1.5)
    cap = svg.line((end[0] - across[0], end[1] - across[1]), (end[0] + across[0], end[1] + across[1]), stroke_width=1.5)
    return whisker + cap if ended else whisker


def _rim(middle: Place, end: Place) -> Place:
    """Where a line from the middle of a point leaves it: a hollow one stays empty."""
    share = _RADIUS / math.dist(middle, end)
    return middle[0] + share * (end[0] - middle[0]), middle[1] + share * (end[1] - middle[1])


def joined(one: Place, other: Place) -> str:
    """A faint line from point to point."""
    if math.dist(one, other) <= 2 * _RADIUS:
        return ""
    return svg.line(_rim(one, other), _rim(other, one), stroke_opacity=FAINT)


def legend(rows: Sequence[Row], at: Place) -> list[str]:
    """A mark for each series that has a name, side by side."""
    looks = {point.series: point.hollow for row in rows for point in row.points if point.series}
    parts = []
    x, y = at
    for series, hollow in looks.items():
        parts.append(mark(Point(0, hollow=hollow), Scale(0, x + 6, x + 7), y))
        parts.append(svg.text((x + 18, y), series, **svg.MIDDLE))
        x += svg.width_of(series) + 40
    return parts
