"""The interval for kappa of a code that is seldom used."""

from math import acos, cos, pi, sqrt

_CHI_SQUARE_95 = 3.841458820694124


def goodness_of_fit(n: float, used: float, differ: float, design_effect: float = 1.0) -> tuple[float, float] | None:
    """The 95 % interval for a rare code's kappa, where kappa ± an error reaches too far down or not far enough.

    Both annotators are taken to use the code with one probability p = used / 2n, q = 1 - p; `used` counts the uses of both and
    `differ` the utterances where only one used it. The limits are the kappas k at which the chi-square distance between the counts
    (both, one, neither) and n times their expected shares p² + k p q, 2 p q (1 - k), q² + k p q,
    n p q (e - k)² (1 + k) / ((1 - k)(p q + (p² + q²) k + p q k²)) with e = 1 - differ / (2 n p q),
    is 3.84 times the design effect. It is an interval for Scott's pi, which kappa differs from where the margins do. From -1 to 1.
    Undefined (None) where nobody or everybody always used the code.
    Source: Donner and Eliasziw (1992), Statistics in Medicine 11, 1511-1519.

    >>> [round(limit, 3) for limit in goodness_of_fit(200, used=8, differ=2)]
    [0.335, 0.929]
    """
    p = used / (2 * n) if n else 0.0
    pq = p * (1 - p)
    if pq == 0:
        return None
    estimate = 1 - differ / (2 * n * pq)
    allowed = _CHI_SQUARE_95 * design_effect
    # Cleared of fractions it is a cubic: one root lies below all possible kappas, one in either direction from the estimate.
    margins = (1 - 2 * pq) / pq - 1
    _, low, high = _roots(
        n + allowed,
        n * (1 - 2 * estimate) + allowed * margins,
        n * (estimate**2 - 2 * estimate) - allowed * margins,
        n * estimate**2 - allowed,
    )
    lowest = max(-p / (1 - p), -(1 - p) / p)
    return min(max(low, lowest), estimate), max(min(high, 1.0), estimate)


def _roots(a: float, b: float, c: float, d: float) -> tuple[float, float, float]:
    """The three real roots of a x³ + b x² + c x + d, from the smallest, by cosines."""
    b, c, d = b / a, c / a, d / a
    size = sqrt(max(b * b / 9 - c / 3, 0.0))
    if size == 0:
        return (-b / 3,) * 3
    turn = acos(max(-1.0, min(1.0, (b * c / 6 - d / 2 - b**3 / 27) / size**3))) / 3
    low, middle, high = (2 * size * cos(turn - 2 * pi * k / 3) - b / 3 for k in (2, 1, 0))
    return low, middle, high
