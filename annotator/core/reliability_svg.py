"""The reliability curve of a calibration as SVG: how often a run was right against what it stated.

The bins are `core/calibration.py`'s.
"""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

from annotator.core import svg

_LEFT, _TOP, _SIDE, _WIDTH, _HEIGHT = 62, 16, 360, 440, 470
_SMALLEST, _LARGEST = 3.0, 11.0
_TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_HOLLOW = {"fill": "none", "stroke": "currentColor", "stroke_width": 1.5, "pointer_events": "all"}
_FILLED = {"fill_opacity": 0.75}
Bins = Sequence[Mapping[str, Any]]


def reliability_svg(bins_before: Bins, bins_after: Bins) -> str:
    """Both in one picture: hollow points as stated, filled ones as calibrated, sized by how many observations they hold.

    >>> one = {"low": 0.8, "high": 0.9, "n": 30, "stated": 0.85, "share": 0.6, "ci95": [0.42, 0.75]}
    >>> picture = reliability_svg([one], [])
    >>> picture.startswith("<svg"), picture.count("<title>"), picture.count("<circle")
    (True, 2, 3)
    """
    told = f"{_told('As stated', bins_before)} {_told('As calibrated', bins_after)}"
    parts = [
        *_axes(),
        *_series(bins_before, "as stated", filled=False),
        *_series(bins_after, "as calibrated", filled=True),
        *_legend(),
    ]
    return svg.document("Reliability: the share of hits against the confidence", told, (_WIDTH, _HEIGHT), parts)


def _told(name: str, bins: Bins) -> str:
    points = [f"{one['stated']:.2f} was right {one['share']:.2f} of {one['n']}" for one in bins if one["n"]]
    return f"{name}: {'; '.join(points) or 'no observations'}."


def _place(confidence: float, share: float) -> tuple[float, float]:
    return _LEFT + confidence * _SIDE, _TOP + (1 - share) * _SIDE


def _line(start: tuple[float, float], end: tuple[float, float], **look: object) -> str:
    return svg.line(_place(*start), _place(*end), **look)


def _axes() -> list[str]:
    parts = []
    for tick in _TICKS:
        parts.append(_line((tick, 0), (tick, 1), stroke_opacity=0.15))
        parts.append(_line((0, tick), (1, tick), stroke_opacity=0.15))
        parts.append(svg.text((_place(tick, 0)[0], _TOP + _SIDE + 18), f"{tick:.1f}", text_anchor="middle"))
        parts.append(svg.text((_LEFT - 8, _place(0, tick)[1]), f"{tick:.1f}", text_anchor="end", **svg.MIDDLE))
    middle = _TOP + _SIDE / 2
    return [
        *parts,
        _line((0, 0), (1, 0)),
        _line((0, 0), (0, 1)),
        _line((0, 0), (1, 1), stroke_dasharray="5 4", stroke_opacity=0.6),
        svg.text((_place(0.5, 0)[0], _TOP + _SIDE + 38), "confidence (mean of the bin)", text_anchor="middle"),
        svg.text((18, middle), "share of hits", text_anchor="middle", transform=f"rotate(-90 18 {middle:.1f})"),
    ]


def _series(bins: Bins, name: str, *, filled: bool) -> list[str]:
    found = [one for one in bins if one["n"]]
    most = max((one["n"] for one in found), default=1)
    look = {"stroke_opacity": 0.9 if filled else 0.5, "stroke_width": 1.5}
    # No line from point to point: it would run through bins of one observation as if they said as much as the others.
    whiskers = [_line((one["stated"], one["ci95"][0]), (one["stated"], one["ci95"][1]), **look) for one in found]
    return whiskers + [_point(one, most, name, filled=filled) for one in found]


def _point(one: Mapping[str, Any], most: int, name: str, *, filled: bool) -> str:
    """A bin's point, its area in proportion to what it holds, with its numbers for whoever points at it."""
    radius = max(_SMALLEST, _LARGEST * sqrt(one["n"] / most))
    low, high = one["ci95"]
    told = f"{one['n']} {name} with {one['stated']:.3f} in the mean: {one['share']:.3f} right (95 %: {low:.3f} to {high:.3f})"
    return svg.circle(_place(one["stated"], one["share"]), radius, svg.title(told), **(_FILLED if filled else _HOLLOW))


def _legend() -> list[str]:
    """One row under the axes."""
    at = _HEIGHT - 18
    return [
        svg.circle((_LEFT + 8, at), 5, **_HOLLOW),
        svg.text((_LEFT + 20, at), "as stated", **svg.MIDDLE),
        svg.circle((_LEFT + 98, at), 5, **_FILLED),
        svg.text((_LEFT + 110, at), "calibrated, out of fold", **svg.MIDDLE),
        svg.line((_LEFT + 256, at), (_LEFT + 282, at), stroke_dasharray="5 4"),
        svg.text((_LEFT + 288, at), "ideal", **svg.MIDDLE),
    ]
