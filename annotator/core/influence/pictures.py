"""What the proposal did, as drawings: blind and assisted side by side, for everybody, per annotator and per code."""

from collections.abc import Iterable, Mapping
from typing import Any

from annotator.core.influence.tables import EQUAL, KEPT, NET, OF_MODEL, SECONDS, Compared, annotators, codes, everybody
from annotator.core.plots import Point, Row, amount_plot, interval_plot

_LIMITS = "Lines are 95 % limits, clustered by conversation."


def figures_svg(report: Mapping[str, Any]) -> dict[str, str]:
    """The drawings of a report by name: overall, seconds, annotators, codes, kept; without those of which nothing is defined."""
    of_people, of_codes = annotators(report), codes(report)
    shares = [one for one in everybody(report) if one.what not in (SECONDS, NET)]
    wanted = {
        "overall": ("Blind and assisted", "", [_row(one, one.what, one.role or "all roles") for one in _by_role(shares)]),
        "annotators": ("Share of labels equal to the proposal, per annotator", "share", _rows(of_people, EQUAL)),
        "codes": ("Kappa of people with the model, per code", "kappa", _rows(of_codes, OF_MODEL)),
        "kept": ("Labels that hold a code where it is proposed", "share", _rows(of_codes, KEPT)),
    }
    times = [*(one._replace(annotator="everybody") for one in everybody(report)), *of_people]
    seconds = _rows(times, SECONDS)
    found = {}
    if any(row.is_defined() for row in seconds):
        found["seconds"] = amount_plot("Seconds per utterance", seconds, axis="seconds", desc=_told(seconds))
    return found | {name: _plot(title, rows, axis) for name, (title, axis, rows) in wanted.items() if any(row.is_defined() for row in rows)}


def _rows(compared: Iterable[Compared], what: str) -> list[Row]:
    return [_row(one, one.code or one.annotator, one.role) for one in compared if one.what == what]


def _by_role(compared: Iterable[Compared]) -> list[Compared]:
    """In groups that stand together."""
    return sorted(compared, key=lambda one: one.role)


def _row(one: Compared, label: str, group: str = "") -> Row:
    points = []
    for name, side in (("blind", one.blind), ("assisted", one.assisted)):
        low, high = side.ci95 or (None, None)
        points.append(Point(side.value, low, high, series=name, hollow=name == "blind"))
    return Row(label, tuple(points), f"n {one.blind.n:,} / {one.assisted.n:,}", faint=one.blind.few or one.assisted.few, group=group)


def _plot(title: str, rows: list[Row], axis: str) -> str:
    return interval_plot(title, rows, low=-0.2, axis=axis, desc=_told(rows))


def _told(rows: list[Row]) -> str:
    return f"{_LIMITS} {'. '.join(row.told() for row in rows)}."
