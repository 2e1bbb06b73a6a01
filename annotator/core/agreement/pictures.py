"""The figures of agreement as drawings: codes, pairs of annotators, confusions, rounds, each annotator against the rest."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import sqrt
from typing import Any

from annotator.core.agreement.tables import by_cost, label_of, sides
from annotator.core.heat_map import Cell, heat_map
from annotator.core.plots import Point, Row, interval_plot, trend_plot

Figures = Mapping[str, Any]
Confused = Callable[[str, str, str], str | None]
"""Where the utterances are on which two labels of a role met: role, label of the row, label of the column → address."""
Between = Callable[[str, str], str | None]

MOST_LABELS = 20
"""So many labels a drawing of confusions keeps, the most used ones."""
_LIMITS = "Lines are 95 % limits, clustered by conversation."


def figures_svg(figures: Figures, confused: Confused | None = None, between: Between | None = None) -> dict[str, str]:
    """The drawings of the figures of `summary` by name: codes, pairs, confusion-ROLE, rounds, rest.

    `pairs` and `rest` are there with more than two annotators, `rounds` with more than one round. `confused` and `between` say where
    a cell of two labels, or of two annotators, leads.

    >>> line = {"kappa": 0.7, "ci95": [0.6, 0.8], "n_pairs": 40, "undefined": {}}
    >>> rounds = [{"round": name, **line} for name in ("first", "second")]
    >>> list(figures_svg({"by_round": rounds, "verdict": {"threshold": 0.67}}))
    ['rounds']
    """
    overview = figures.get("overview", {})
    threshold = figures.get("verdict", {}).get("threshold")
    # Of rounds and people there is kappa of the whole label only, which is not held against a threshold for the mean of codes.
    of_label = None if overview.get("headline") == "kappa_macro" else threshold
    found = {}
    if any(line["codes"] for line in overview.get("roles", {}).values()):
        found["codes"] = _codes(overview, threshold)
    if overview.get("n_annotators", 0) > 2 and len(figures.get("matrix", ())) > 1:
        found["pairs"] = _pairs(figures, between)
    for role, line in overview.get("roles", {}).items():
        if line["codes"]:
            found[f"confusion-{role}"] = _confusion(role, line, sides(figures), confused)
    if len(figures.get("by_round", ())) > 1:
        found["rounds"] = _trend(figures["by_round"], of_label)
    if len(figures.get("rest", ())) > 2:
        rows = [_row(one["annotator"], one) for one in figures["rest"]]
        axis = "kappa of the whole label"
        found["rest"] = interval_plot("Kappa of each annotator with the others", rows, threshold=of_label, axis=axis, desc=_told(rows))
    return found


def _told(rows: Iterable[Row]) -> str:
    return f"{_LIMITS} {'. '.join(row.told() for row in rows)}."


def _point(values: Figures) -> tuple[Point, ...]:
    low, high = values["ci95"] or (None, None)
    return (Point(values["kappa"], low, high),)


def _row(name: str, line: Figures) -> Row:
    note = f"n {line['n_pairs']:,}" if line["kappa"] is not None else line["undefined"].get("kappa", "")
    return Row(name, _point(line), note, faint=line["kappa"] is not None and line["ci95"] is None)


def _codes(overview: Figures, threshold: float | None) -> str:
    rows = [row for role, line in overview["roles"].items() for row in _code_rows(role, line)]
    return interval_plot(
        "Kappa per code, what costs most agreement first", rows, threshold=threshold, low=0.0, axis="kappa", desc=_told(rows)
    )


def _code_rows(role: str, line: Figures) -> Iterator[Row]:
    for code, values in by_cost(line):
        note = f"n {values['n_a']:,}/{values['n_b']:,}"
        if values["kappa"] is None:
            note = f"{note}, {line['undefined'].get(f'codes.{code}.kappa', '')}"
        elif values["few"]:
            note = f"{note}, too few to say"
        yield Row(code, _point(values), note, faint=values["few"], group=role)


def _trend(by_round: Iterable[Figures], threshold: float | None) -> str:
    rows = [_row(one["round"] or "(imported)", one) for one in by_round]
    return trend_plot("Kappa over rounds", rows, threshold=threshold, axis="kappa of the whole label", desc=_told(rows))


def _pairs(figures: Figures, between: Between | None) -> str:
    """Every two annotators; on the diagonal each with themselves, where they were asked once more."""
    cells = {}
    for one in figures["matrix"]:
        a, b = one["annotators"]
        for pair in ((a, b), (b, a)):
            cells[pair] = _pair(f"{a} and {b}", one, between(a, b) if between else None)
    for one in figures.get("with_themselves", ()):
        name = one["annotator"]
        cells[name, name] = _pair(f"{name}, asked once more", one, None)
    names = sorted({name for pair in cells for name in pair})
    alone = {name: Cell(None, "", f"{name} was not asked once more") for name in names}
    square = [[cells.get((a, b), alone[a]) for b in names] for a in names]
    return heat_map("Kappa of every two annotators", names, names, square)


def _pair(who: str, line: Figures, href: str | None) -> Cell:
    if line["kappa"] is None:
        return Cell(None, "", f"{who}: undefined; {line['undefined'].get('kappa', '')}", href if line["n_pairs"] else None)
    interval = "" if line["ci95"] is None else f" (95 % {line['ci95'][0]:.3f} to {line['ci95'][1]:.3f})"
    told = f"{who}: {line['kappa']:.3f}{interval}, {line['n_pairs']:,} utterances of {line['n_conversations']:,} conversations"
    return Cell(line["kappa"], f"{line['kappa']:.2f}", told, href)


def _confusion(role: str, line: Figures, names: tuple[str, str] | None, confused: Confused | None) -> str:
    """The labels of one annotator against those of another, darker for more; where pairs have no order, each is in both triangles."""
    met = Counter({(one["a"], one["b"]): one["n"] for one in line["confusions"]})
    if names is None:
        met.update({(b, a): n for (a, b), n in list(met.items())})
    met.update({(label, label): n for label, n in line["agreed"].items()})
    used: Counter[str] = Counter()
    for (a, b), n in met.items():
        used.update({a: n})
        used.update({b: n})
    labels = sorted((label for label, n in used.items() if n), key=lambda label: (-used[label], label))
    kept = labels[:MOST_LABELS]
    most = max(met.values(), default=1)

    def cell(a: str, b: str) -> Cell:
        n = met[a, b]
        return Cell(sqrt(n / most), str(n) if n else "", _met(a, b, n, names), confused(role, a, b) if confused and n else None)

    left_out = f", the {len(kept)} most used of {len(labels)}" if len(kept) < len(labels) else ""
    shown = [label_of(label) for label in kept]
    square = [[cell(a, b) for b in kept] for a in kept]
    return heat_map(f"Labels of {role}{left_out}", shown, shown, square, axes=names or ("one", "the other"))


def _met(a: str, b: str, n: int, names: tuple[str, str] | None) -> str:
    if a == b:
        return f"{' and '.join(names) if names else 'both'} said {label_of(a)}: {n:,}"
    first, second = names or ("one", "the other")
    return f"{first} said {label_of(a)}, {second} {label_of(b)}: {n:,}"
