"""The reliability curve of a calibration as SVG: how often a run was right against what it stated.

The bins are `core/calibration.py`'s. Presentation attributes only, no style and no script, so that a strict CSP lets it stand in a
page; it takes the text's colour there, light or dark.
"""

from collections.abc import Mapping, Sequence
from html import escape
from math import sqrt
from typing import Any

_LEFT, _TOP, _SIDE, _WIDTH, _HEIGHT = 62, 16, 360, 440, 470
_SMALLEST, _LARGEST = 3.0, 11.0
_TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
Bins = Sequence[Mapping[str, Any]]


def reliability_svg(bins_before: Bins, bins_after: Bins) -> str:
    """Both in one picture: hollow points as stated, filled ones as calibrated, sized by how many observations they hold.

    >>> one = {"low": 0.8, "high": 0.9, "n": 30, "stated": 0.85, "share": 0.6, "ci95": [0.42, 0.75]}
    >>> picture = reliability_svg([one], [])
    >>> picture.startswith("<svg"), picture.count("<title>"), picture.count("<circle")
    (True, 2, 3)
    """
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" role="img" '
        'fill="currentColor" stroke="none" font-family="system-ui, sans-serif" font-size="12">',
        "<title>Reliability: the share of hits against the confidence</title>",
        f"<desc>{escape(_told('As stated', bins_before))} {escape(_told('As calibrated', bins_after))}</desc>",
        *_axes(),
        *_series(bins_before, "as stated", filled=False),
        *_series(bins_after, "as calibrated", filled=True),
        *_legend(),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _told(name: str, bins: Bins) -> str:
    points = [f"{one['stated']:.2f} was right {one['share']:.2f} of {one['n']}" for one in bins if one["n"]]
    return f"{name}: {'; '.join(points) or 'no observations'}."


def _x(value: float) -> str:
    return f"{_LEFT + value * _SIDE:.1f}"


def _y(value: float) -> str:
    return f"{_TOP + (1 - value) * _SIDE:.1f}"


def _line(start: tuple[float, float], end: tuple[float, float], **more: str) -> str:
    places = {"x1": _x(start[0]), "y1": _y(start[1]), "x2": _x(end[0]), "y2": _y(end[1]), "stroke": "currentColor"}
    return f"<line {_attributes(places | more)}/>"


def _attributes(values: Mapping[str, str]) -> str:
    return " ".join(f'{name.replace("_", "-")}="{value}"' for name, value in values.items())


def _axes() -> list[str]:
    parts = []
    for tick in _TICKS:
        parts.append(_line((tick, 0), (tick, 1), stroke_opacity="0.15"))
        parts.append(_line((0, tick), (1, tick), stroke_opacity="0.15"))
        parts.append(f'<text x="{_x(tick)}" y="{_TOP + _SIDE + 18}" text-anchor="middle">{tick:.1f}</text>')
        parts.append(f'<text x="{_LEFT - 8}" y="{_y(tick)}" dy="0.35em" text-anchor="end">{tick:.1f}</text>')
    middle = _TOP + _SIDE / 2
    return [
        *parts,
        _line((0, 0), (1, 0)),
        _line((0, 0), (0, 1)),
        _line((0, 0), (1, 1), stroke_dasharray="5 4", stroke_opacity="0.6"),
        f'<text x="{_x(0.5)}" y="{_TOP + _SIDE + 38}" text-anchor="middle">confidence (mean of the bin)</text>',
        f'<text x="18" y="{middle:.1f}" text-anchor="middle" transform="rotate(-90 18 {middle:.1f})">share of hits</text>',
    ]


def _series(bins: Bins, name: str, *, filled: bool) -> list[str]:
    found = [one for one in bins if one["n"]]
    most = max((one["n"] for one in found), default=1)
    opacity = "0.9" if filled else "0.5"
    # No line from point to point: it would run through bins of one observation as if they said as much as the others.
    whiskers = [
        _line((one["stated"], one["ci95"][0]), (one["stated"], one["ci95"][1]), stroke_opacity=opacity, stroke_width="1.5") for one in found
    ]
    return whiskers + [_point(one, most, name, filled=filled) for one in found]


def _point(one: Mapping[str, Any], most: int, name: str, *, filled: bool) -> str:
    """A bin's point, its area in proportion to what it holds, with its numbers for whoever points at it."""
    radius = max(_SMALLEST, _LARGEST * sqrt(one["n"] / most))
    low, high = one["ci95"]
    told = f"{one['n']} {name} with {one['stated']:.3f} in the mean: {one['share']:.3f} right (95 %: {low:.3f} to {high:.3f})"
    place = f'cx="{_x(one["stated"])}" cy="{_y(one["share"])}" r="{radius:.1f}"'
    return f"<circle {place} {_look(filled=filled)}><title>{told}</title></circle>"


def _look(*, filled: bool) -> str:
    return 'fill-opacity="0.75"' if filled else 'fill="none" stroke="currentColor" stroke-width="1.5" pointer-events="all"'


def _legend() -> list[str]:
    """One row under the axes."""
    at = _HEIGHT - 18
    return [
        f'<circle cx="{_LEFT + 8}" cy="{at}" r="5" {_look(filled=False)}/>',
        f'<text x="{_LEFT + 20}" y="{at}" dy="0.35em">as stated</text>',
        f'<circle cx="{_LEFT + 98}" cy="{at}" r="5" {_look(filled=True)}/>',
        f'<text x="{_LEFT + 110}" y="{at}" dy="0.35em">calibrated, out of fold</text>',
        f'<line x1="{_LEFT + 256}" y1="{at}" x2="{_LEFT + 282}" y2="{at}" stroke="currentColor" stroke-dasharray="5 4"/>',
        f'<text x="{_LEFT + 288}" y="{at}" dy="0.35em">ideal</text>',
    ]
