"""Cells in rows and columns, darker for more: pairs of annotators, or the labels of one against those of another."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from annotator.core import svg

_SMALL = 11
_LIGHTEST, _DARKEST = 0.03, 0.36  # opacities: on the darkest cell words keep a contrast of 4.5, on white and on dark paper
_SOFT = 0.7
_TURNED, _SLANT = 130, 0.71  # how long a turned name gets, and how much of that goes up
_CELL = (26, 80)  # least and most width
_LEVEL = 560  # so wide a row of names may get before they are turned
_TALL = 26


@dataclass(frozen=True)
class Cell:
    """`value` from 0, no colour, to 1, the darkest; below 0 is as 0. None, or not finite, is undefined. `told` is the cell in words."""

    value: float | None
    text: str
    told: str
    href: str | None = None
    marked: bool = False


def heat_map(
    title: str,
    row_names: Sequence[str],
    column_names: Sequence[str],
    cells: Sequence[Sequence[Cell]],
    *,
    axes: tuple[str, str] = ("", ""),
    desc: str = "",
) -> str:
    """Each cell with its text, the darker the greater its value; an undefined one is empty but for a dash and says why in `told`.

    `axes` names what the rows and what the columns are. Opacity grows evenly with the value, and with it, nearly, how dark a cell looks;
    give the square root of shares where small ones are to be seen.

    >>> cells = [[Cell(0.71, ".71", "ana and ben: .71"), Cell(None, "", "ana and cem share no utterances")]]
    >>> picture = heat_map("Kappa of each pair", ["ana"], ["ben", "cem"], cells)
    >>> picture.count(">.71</text>"), picture.count(">–</text>")
    (1, 1)
    """
    if len(cells) != len(row_names) or any(len(row) != len(column_names) for row in cells):
        raise ValueError(f"A drawing of {len(row_names)} rows by {len(column_names)} columns needs a cell for each.")
    widest = max(map(svg.width_of, column_names), default=0)
    turned = (widest + 8) * len(column_names) > _LEVEL or widest + 8 > _CELL[1]
    least = _CELL[0] if turned else max(_CELL[0], widest + 8)
    wide = _between(least, max((svg.width_of(cell.text, _SMALL) for row in cells for cell in row), default=0) + 10, _CELL[1])
    rows, columns = axes
    corner = [f"{rows} ↓"] * bool(rows) + [f"{columns} →"] * bool(columns)
    left = _between(40, max(map(svg.width_of, [*row_names, *corner]), default=0) + 12, 190)
    reach = min(widest, _TURNED) * _SLANT
    top = max(reach + 14 if turned else 24, 18 * len(corner) + 6)
    over = max(reach - wide / 2 + 8, 2) if turned else 2
    parts = [
        svg.text((2, top - 18 * (len(corner) - at) + 8), svg.clipped(name, left - 8), fill_opacity=_SOFT) for at, name in enumerate(corner)
    ]
    parts += [_column_name(name, (left + wide * (at + 0.5), top - 7), turned) for at, name in enumerate(column_names)]
    for number, (name, row) in enumerate(zip(row_names, cells, strict=True)):
        y = top + _TALL * number
        shown = svg.clipped(name, left - 10)
        parts.append(svg.text((left - 8, y + _TALL / 2), shown, svg.title(name), text_anchor="end", **svg.MIDDLE))
        parts += [_cell(cell, (left + wide * at, y), wide) for at, cell in enumerate(row)]
    size = (left + wide * len(column_names) + over, top + _TALL * len(row_names) + 2)
    return svg.document(title, desc or _told(row_names, column_names, axes), size, parts)


def _between(least: float, wanted: float, most: float) -> float:
    return min(max(least, wanted), most)


def _told(row_names: Sequence[str], column_names: Sequence[str], axes: tuple[str, str]) -> str:
    rows, columns = (f"{name}: " if name else "" for name in axes)
    return f"Rows: {rows}{', '.join(row_names)}. Columns: {columns}{', '.join(column_names)}. Darker is more; a dash is undefined."


def _column_name(name: str, at: tuple[float, float], turned: bool) -> str:
    if not turned:
        return svg.text(at, name, svg.title(name), text_anchor="middle")
    x, y = at
    return svg.text((x + 4, y), svg.clipped(name, _TURNED), svg.title(name), transform=f"rotate(-45 {x + 4:.1f} {y:.1f})")


def _cell(cell: Cell, at: tuple[float, float], wide: float) -> str:
    """A cell whose upper left corner is `at`. The link lies over it: a page's colour of links would be hard to read on the dark."""
    x, y = at
    corner, size, middle = (x + 0.5, y + 0.5), (wide - 1, _TALL - 1), (x + wide / 2, y + _TALL / 2)
    look = {"text_anchor": "middle", "font_size": _SMALL, **svg.MIDDLE}
    if cell.value is None or not math.isfinite(cell.value):
        box = svg.rect(
            (x + 2, y + 2), (wide - 4, _TALL - 4), fill="none", stroke="currentColor", stroke_opacity=0.35, stroke_dasharray="2 3"
        )
        text = svg.text(middle, "–", fill_opacity=_SOFT, **look)
    else:
        box = svg.rect(corner, size, fill_opacity=_opacity(cell.value))
        text = svg.text(middle, svg.clipped(cell.text, wide - 4, _SMALL), **look) if cell.text else ""
    frame = [svg.rect((x + 1.5, y + 1.5), (wide - 3, _TALL - 3), fill="none", stroke="currentColor")] if cell.marked else []
    cover = svg.rect(corner, size, fill="none", pointer_events="all")
    return svg.element("g", svg.title(cell.told), box, text, *frame, svg.link(cell.href, cell.told, cover))


def _opacity(value: float) -> float:
    return _LIGHTEST + (_DARKEST - _LIGHTEST) * min(value, 1.0) if value > 0 else 0.0
