"""The interval for kappa of a code that is seldom used."""

from collections.abc import Callable
from math import inf

_CHI_SQUARE_95 = 3.841458820694124


def goodness_of_fit(n: int, used: int, differ: int, design_effect: float = 1.0) -> tuple[float, float] | None:
    """The 95 % interval for a rare code's kappa, where kappa ± an error reaches too far down or not far enough.

    Both annotators are taken to use the code with one probability p = used / 2n, `used` counting the uses of both and `differ` the
    utterances where only one used it. The limits are the kappas at which the chi-square distance between the counts (both, one,
    neither) and n times their expected shares p² + k p q, 2 p q (1 - k), q² + k p q reaches 3.84 times the design effect. It is an
    interval for Scott's pi, which kappa differs from where the margins do. From -1 to 1. Undefined (None) where nobody or everybody
    always used the code. Source: Donner and Eliasziw (1992), Statistics in Medicine 11, 1511-1519.

    >>> [round(limit, 3) for limit in goodness_of_fit(200, used=8, differ=2)]
    [0.335, 0.929]
    """
    p = used / (2 * n) if n else 0.0
    pq = p * (1 - p)
    if pq == 0:
        return None
    estimate = 1 - differ / (2 * n * pq)

    def too_far(kappa: float) -> bool:
        shares = (p * p + kappa * pq, 2 * pq * (1 - kappa), (1 - p) ** 2 + kappa * pq)
        apart = (n * pq * (estimate - kappa)) ** 2
        terms = [times * apart / (n * share) if share > 0 else inf for times, share in zip((1, 4, 1), shares, strict=True)]
        return sum(terms) > _CHI_SQUARE_95 * design_effect

    lowest = max(-p / (1 - p), -(1 - p) / p)
    return _edge(too_far, estimate, lowest), _edge(too_far, estimate, 1.0)


def _edge(too_far: Callable[[float], bool], inside: float, outside: float) -> float:
    """Where `too_far` begins between a point inside the interval and one at or beyond its end."""
    for _ in range(60):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if too_far(middle) else (middle, outside)
    return inside
