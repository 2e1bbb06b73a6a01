"""How many utterances must be labelled by several people before a test of kappa, or its interval, can tell what it should.

For the precision of one code's kappa see `precision`. All take utterances as independent; those of a conversation are not, so multiply
by a design effect (`precision.DESIGN_EFFECT`).
"""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, sqrt
from statistics import NormalDist
from typing import NamedTuple

from annotator.core.agreement.coefficients import table_of
from annotator.core.agreement.weighted import standard_errors
from annotator.errors import BadInput

_NORMAL = NormalDist()


class Size(NamedTuple):
    """How many utterances: `exact` as the formula has it, `n` rounded up."""

    n: int
    exact: float


def _size(exact: float) -> Size:
    # Rounded first to what floating point can tell apart.
    return Size(ceil(round(exact, 6)), exact)


def size_to_test(
    kappa0: float, kappa1: float, shares: Sequence[float], *, annotators: int = 2, alpha: float = 0.05, power: float = 0.8
) -> Size:
    """Utterances for a two-sided test of kappa = `kappa0` that finds a true `kappa1` with probability `power`.

    `shares` are how often each code is given, and sum to 1; all annotators are taken to give them alike, so that it is a test of
    Scott's or Fleiss' kappa. Goodness of fit: n = nc / sum (P_j(kappa1) - P_j(kappa0))² / P_j(kappa0) over "all m annotators give code
    j", P_j(k) = k p_j + (1 - k) p_j^m, and everything else; nc is the noncentrality at which chi-square with one degree of freedom has
    the power, about (z_(1 - alpha/2) + z_power)². With two codes and two annotators this is Donner and Eliasziw's, and R's kappaSize
    has the same for two to five codes and up to six annotators. Grows without limit as the kappas meet.
    Undefined: raises `BadInput` where the kappas are equal or not in -1..1, where shares are not between 0 and 1 or do not sum to 1,
    and where the shares do not allow a kappa.
    Source: Donner and Eliasziw (1992), Statistics in Medicine 11, 1511-1519; Altaye, Donner and Klar (2001), Biometrics 57, 584-588;
    numbers in Sim and Wright (2005), Physical Therapy 85, 257-268.

    >>> [size_to_test(0.4, 0.6, (share, 1 - share)).n for share in (0.5, 0.3, 0.1)]
    [165, 191, 405]
    >>> size_to_test(0, 0.4, (0.5, 0.5)).n, size_to_test(0.4, 0.6, (0.3, 0.6, 0.1)).n
    (50, 135)
    """
    return _size(_noncentrality(alpha, power) / _distance(_expected(kappa1, shares, annotators), _expected(kappa0, shares, annotators)))


def size_to_estimate(
    kappa: float, low: float, high: float | None, shares: Sequence[float], *, annotators: int = 2, alpha: float = 0.05
) -> Size:
    """Utterances for the goodness-of-fit interval of a `kappa` to lie within `low` and `high`, as expected.

    n = the larger of chi²_(1 - alpha) / sum (P_j(kappa) - P_j(limit))² / P_j(limit) over the two limits, P_j as in `size_to_test`;
    without a `high`, the one-sided interval's, chi²_(1 - 2 alpha). The interval is `goodness_of_fit`'s.
    Undefined: raises `BadInput` unless low < kappa < high, and as `size_to_test`. A `high` of 1 asks for nothing.
    Source: Donner (1999), Communications in Statistics - Theory and Methods 28, 415-429; Donner and Rotondi (2010), International
    Journal of Biostatistics 6, 31.

    >>> size_to_estimate(0.4, 0.3, 0.5, (0.3, 0.7)).n
    397
    """
    if not low < kappa < (2 if high is None else high):
        raise BadInput(f"A kappa of {kappa} is not between {low} and {high}. Give limits on both sides of it.")
    expected = _expected(kappa, shares, annotators)
    z = _NORMAL.inv_cdf(1 - alpha if high is None else 1 - alpha / 2)
    limits = [low] if high is None or high == 1 else [low, high]
    return _size(max(z**2 / _distance(expected, _expected(limit, shares, annotators)) for limit in limits))


def _noncentrality(alpha: float, power: float) -> float:
    """The noncentrality at which chi-square with one degree of freedom exceeds its 1 - alpha quantile with probability `power`."""
    if not 0 < alpha < power < 1:
        raise BadInput(f"An alpha of {alpha} and a power of {power}: give both between 0 and 1, alpha below power.")
    z = _NORMAL.inv_cdf(1 - alpha / 2)
    low, high = 0.0, z - _NORMAL.inv_cdf(1 - power) + 1
    for _ in range(100):
        middle = (low + high) / 2
        # The square of a normal with mean `middle`: it gets out on the far side too, though hardly ever.
        low, high = (middle, high) if _NORMAL.cdf(middle - z) + _NORMAL.cdf(-middle - z) < power else (low, middle)
    return low * low


def _expected(kappa: float, shares: Sequence[float], annotators: int) -> list[float]:
    """The chance that all annotators give code j, per code, and that they do not all agree."""
    _check(shares)
    same = [kappa * share + (1 - kappa) * share**annotators for share in shares]
    if not -1 <= kappa < 1 or min(same) <= 0:
        raise BadInput(f"A kappa of {kappa} cannot be with codes used in shares of {', '.join(f'{share:g}' for share in shares)}.")
    return [*same, (1 - kappa) * (1 - sum(share**annotators for share in shares))]


def _check(shares: Sequence[float]) -> None:
    if abs(sum(shares) - 1) > 1e-6 or not all(0 < share < 1 for share in shares):
        raise BadInput(f"Shares of {', '.join(f'{share:g}' for share in shares)}: give one above 0 for every code, and let them sum to 1.")


def _distance(found: Sequence[float], expected: Sequence[float]) -> float:
    distance = sum((a - b) ** 2 / b for a, b in zip(found, expected, strict=True))
    if distance == 0:
        raise BadInput("Both kappas are the same, and no number of utterances can tell them apart. Give two different ones.")
    return distance


# Tests by kappa and its large-sample error


def size_for_margins(
    kappa0: float, kappa1: float, rates: tuple[float, float], *, alpha: float = 0.05, power: float = 0.8, two_sided: bool = False
) -> Size:
    """Utterances for a test of kappa = `kappa0` against `kappa1` of one code, which two annotators use at different `rates`.

    n = ((z_alpha √Q(kappa0) + z_power √Q(kappa1)) / (kappa1 - kappa0))², z_alpha of 1 - alpha, or 1 - alpha / 2 where it is two-sided,
    and Q(k) n times the squared error (`standard_errors`) of the table with these rates and kappa k. Mind which kappa is the
    hypothesis: 117 utterances for .70 against .85 become 96 for .85 against .70.
    Undefined: raises `BadInput` where the kappas are equal, a rate is not between 0 and 1, or the rates do not allow such a kappa.
    Source: Cantor (1996), Sample-size calculations for Cohen's kappa, Psychological Methods 1, 150-153.

    >>> size_for_margins(0.70, 0.85, (0.5, 0.5)).n, size_for_margins(0.85, 0.70, (0.5, 0.5)).n
    (117, 96)
    """
    return _size(_tested(kappa0, kappa1, [_spread(kappa, *rates) for kappa in (kappa0, kappa1)], _z_alpha(alpha, two_sided), power))


def _z_alpha(alpha: float, two_sided: bool) -> float:
    return _NORMAL.inv_cdf(1 - alpha / 2 if two_sided else 1 - alpha)


def _tested(kappa0: float, kappa1: float, spreads: Sequence[float], z_alpha: float, power: float) -> float:
    if kappa0 == kappa1:
        raise BadInput("Both kappas are the same, and no number of utterances can tell them apart. Give two different ones.")
    return ((z_alpha * sqrt(spreads[0]) + _NORMAL.inv_cdf(power) * sqrt(spreads[1])) / (kappa1 - kappa0)) ** 2


def _spread(kappa: float, a: float, b: float) -> float:
    """n times the variance of kappa where two annotators use a code at rates a and b."""
    pe = a * b + (1 - a) * (1 - b)
    po = kappa * (1 - pe) + pe
    both = (po + a + b - 1) / 2
    cells = [[both, a - both], [b - both, po - both]]
    error = standard_errors(table_of(cells)).se if min(min(row) for row in cells) > -1e-12 else None
    if error is None:
        raise BadInput(f"A kappa of {kappa} cannot be where two annotators use a code at rates of {a:g} and {b:g}.")
    return error**2


def size_for_any_table(
    kappa0: float, kappa1: float, shares: Sequence[float], *, alpha: float = 0.05, power: float = 0.8, two_sided: bool = False
) -> Size:
    """Utterances for a test of kappa = `kappa0` against `kappa1` over several codes, enough whatever the confusions are.

    `shares` are how often each code is given, by both annotators alike. n as in `size_for_margins`, with the largest Q(k) that any
    table with these shares and kappa k has. With shares and kappa fixed, Q is linear in the cells of the table, so the largest is that
    of a linear programme.
    Undefined: raises `BadInput` where the kappas are equal, the shares do not sum to 1, or they do not allow such a kappa.
    Source: Flack, Afifi, Lachenbruch and Schouten (1988), Sample size determinations for the two rater kappa statistic, Psychometrika
    53, 321-325.

    >>> [size_for_any_table(0.4, 0.6, (0.2, 0.25, 0.55), power=power).n for power in (0.8, 0.9)]
    [101, 136]
    """
    _check(shares)
    return _size(_tested(kappa0, kappa1, [_largest_spread(kappa, shares) for kappa in (kappa0, kappa1)], _z_alpha(alpha, two_sided), power))


def _largest_spread(kappa: float, shares: Sequence[float]) -> float:
    """The largest n times the variance of kappa that a table with these margins on both sides and this kappa has."""
    codes = range(len(shares))
    pe = sum(share**2 for share in shares)
    po = kappa * (1 - pe) + pe
    # Whichever of two codes A chose, the gain is the same: a cell is a pair of codes, half of it in either row.
    cells = [(i, j) for i in codes for j in codes if i <= j]
    gain = [(float(i == j) - (1 - kappa) * (shares[i] + shares[j])) ** 2 for i, j in cells]
    sums = [[((i == code) + (j == code)) / 2 for i, j in cells] for code in codes]
    most = _maximum(gain, [*sums, [float(i == j) for i, j in cells]], [*shares, po]) if po >= 0 else None
    if most is None:
        raise BadInput(f"A kappa of {kappa} cannot be with codes used in shares of {', '.join(f'{share:g}' for share in shares)}.")
    return (most - (kappa - pe * (1 - kappa)) ** 2) / (1 - pe) ** 2


def _maximum(gain: Sequence[float], rows: Sequence[Sequence[float]], totals: Sequence[float]) -> float | None:
    """The largest sum of gain x with x >= 0 and rows x = totals (>= 0), or None where there is no such x: the simplex method in fractions.

    Fractions, because it must see an exact 0; Bland's rule, because it must not go round in circles.
    """
    # Each row starts with a variable of its own, so dear that none is left where it can be done without.
    dear = Fraction(10**6)
    width = len(gain)
    table = [[*map(Fraction, row), Fraction(total)] for row, total in zip(rows, totals, strict=True)]
    basis = list(range(width, width + len(rows)))
    better = [Fraction(of) + dear * sum(row[at] for row in table) for at, of in enumerate(gain)]
    value = -dear * sum(row[-1] for row in table)
    while (enters := next((at for at, of in enumerate(better) if of > 0), None)) is not None:
        # Never unbounded: no cell of a table of shares is above 1.
        _, _, leaves = min((row[-1] / row[enters], basis[at], at) for at, row in enumerate(table) if row[enters] > 0)
        pivot = [one / table[leaves][enters] for one in table[leaves]]
        table = [pivot if at == leaves else _without(row, pivot, row[enters]) for at, row in enumerate(table)]
        value += better[enters] * pivot[-1]
        better = _without(better, pivot[:-1], better[enters])
        basis[leaves] = enters
    left = sum(row[-1] for at, row in zip(basis, table, strict=True) if at >= width)
    return float(value) if not left else None


def _without(row: list[Fraction], pivot: list[Fraction], times: Fraction) -> list[Fraction]:
    return [a - times * b if b else a for a, b in zip(row, pivot, strict=True)] if times else row
