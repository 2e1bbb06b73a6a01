"""Coefficients in which some disagreements count less than others, and the large-sample errors of kappa of any weights.

A weight says how far two labels agree: 1 for the same, 0 for not at all. Tables and undefined cases are as in `coefficients`.
"""

from collections.abc import Callable, Mapping, Sequence
from math import sqrt
from typing import Any, NamedTuple

from annotator.core.agreement.coefficients import NO_PAIR, ONE_CODE, ONE_LABEL, Cells, Kappa, margins

Weight = Callable[[Any, Any], float]


class Errors(NamedTuple):
    """Standard errors of a kappa: `se` for its interval, `se0` only for testing that kappa is 0; None where kappa is undefined."""

    se: float | None
    se0: float | None


def same(a: Any, b: Any) -> float:
    """The weight of the ordinary kappa: 1 for equal labels, else 0."""
    return float(a == b)


def ordered_weight(levels: Sequence[Any], power: int = 1) -> Weight:
    """Labels on a scale, in the order given, which is never guessed: 1 - (steps apart / most steps)^power; 1 linear, 2 quadratic.

    >>> ordered_weight(["low", "mid", "high"])("low", "mid")
    0.5
    """
    place = {level: at for at, level in enumerate(levels)}
    return lambda a, b: 1 - (abs(place[a] - place[b]) / (len(levels) - 1)) ** power if a != b else 1.0


def category_weight(category: Mapping[Any, Any], near: float = 0.5) -> Weight:
    """The taxonomy's distance: the same code agrees by 1, another of the same category by `near`, one of another category by 0.

    >>> weight = category_weight({"PCT": "Provide", "PEP": "Provide", "ACK": "Respond"})
    >>> weight("PCT", "PCT"), weight("PCT", "PEP"), weight("PCT", "ACK")
    (1.0, 0.5, 0.0)
    """
    return lambda a, b: 1.0 if a == b else near if a in category and category[a] == category.get(b) else 0.0


def weighted_kappa(table: Cells, weight: Weight = same) -> Kappa:
    """Cohen's weighted kappa: confusions that `weight` calls near count in part.

    (po - pe) / (1 - pe), po = sum p_ij w_ij, pe = sum r_i c_j w_ij, w_ij the weight of A's label i and B's label j. With `same`
    it is Cohen's kappa. Up to 1. It compares only with kappas of the same weights. Undefined (None) without pairs, and where
    chance agreement is 1. Weights need not be symmetric; then it matters who is A.
    Source: Cohen (1968), Psychological Bulletin 70, 213-220.

    >>> near = category_weight({"c1": "x", "c2": "x", "c3": "y"})
    >>> table = {("c1", "c1"): 5, ("c1", "c2"): 3, ("c3", "c3"): 4}
    >>> round(weighted_kappa(table, near).kappa, 3), round(weighted_kappa(table).kappa, 3)
    (0.763, 0.591)
    """
    sums = margins(table)
    n = sums.n
    if not n:
        return Kappa(0, None, None, None, NO_PAIR)
    observed = sum(count * weight(a, b) for (a, b), count in table.items())
    chance = sum(r * c * weight(a, b) for a, r in sums.rows.items() for b, c in sums.columns.items() if r and c)
    po, pe = observed / n, chance / n**2
    if abs(1 - pe) < 1e-12:
        return Kappa(int(n), po, pe, None, ONE_LABEL)
    return Kappa(int(n), po, pe, (observed * n - chance) / (n**2 - chance))


def gwet_ac2(table: Cells, levels: Sequence[Any], weight: Weight) -> Kappa:
    """Gwet's AC2: AC1 with weights. `levels` are all labels there are to choose from, used or not.

    po = sum p_ij w_ij, pe = sum of all w_ij / (k (k - 1)) * sum m_i (1 - m_i). Up to 1. Undefined (None) without pairs and with
    one level. Source: Gwet (2014), Handbook of Inter-Rater Reliability, 4th edition, chapter 3.

    >>> levels = ["low", "mid", "high"]
    >>> table = {("low", "low"): 5, ("mid", "high"): 3, ("high", "high"): 4}
    >>> round(gwet_ac2(table, levels, ordered_weight(levels, 2)).kappa, 3)
    0.843
    """
    sums = margins(table)
    n, k = sums.n, len(levels)
    if not n or k == 1:
        return Kappa(int(n), None, None, None, ONE_CODE if n else NO_PAIR)
    po = sum(count * weight(a, b) for (a, b), count in table.items()) / n
    mean = [used / (2 * n) for used in (sums.rows + sums.columns).values()]
    pe = sum(weight(a, b) for a in levels for b in levels) / (k * (k - 1)) * sum(share * (1 - share) for share in mean)
    return Kappa(int(n), po, pe, (po - pe) / (1 - pe))


def standard_errors(table: Cells, weight: Weight = same) -> Errors:
    """Large-sample errors of kappa or weighted kappa, for utterances that are independent of each other.

    se² = (sum p_ij [w_ij - (1 - k)(w_i. + w_.j)]² - [k - pe (1 - k)]²) / (n (1 - pe)²), with w_i. = sum c_j w_ij and
    w_.j = sum r_i w_ij; se0² = (sum r_i c_j [w_ij - w_i. - w_.j]² - pe²) / (n (1 - pe)²). None where kappa is undefined.
    Utterances of one conversation are not independent: `cluster_errors` is what a report gives.
    Source: Fleiss, Cohen and Everitt (1969), Psychological Bulletin 72, 323-327.

    >>> found = standard_errors({("yes", "yes"): 20, ("yes", "no"): 5, ("no", "yes"): 10, ("no", "no"): 15})
    >>> round(found.se, 4), round(found.se0, 4)
    (0.127, 0.1386)
    """
    found, sums = weighted_kappa(table, weight), margins(table)
    if found.kappa is None or found.pe is None:
        return Errors(None, None)
    n, rest = sums.n, 1 - found.kappa
    rows = {a: used / n for a, used in sums.rows.items() if used}
    columns = {b: used / n for b, used in sums.columns.items() if used}
    of_row = {a: sum(share * weight(a, b) for b, share in columns.items()) for a in rows}
    of_column = {b: sum(share * weight(a, b) for a, share in rows.items()) for b in columns}
    spread = sum(count / n * (weight(a, b) - rest * (of_row[a] + of_column[b])) ** 2 for (a, b), count in table.items() if count)
    spread -= (found.kappa - found.pe * rest) ** 2
    spread0 = sum(r * c * (weight(a, b) - of_row[a] - of_column[b]) ** 2 for a, r in rows.items() for b, c in columns.items())
    scale = sqrt(n) * (1 - found.pe)
    # What is 0 may come out a hair below it.
    return Errors(sqrt(max(spread, 0.0)) / scale, sqrt(max(spread0 - found.pe**2, 0.0)) / scale)
