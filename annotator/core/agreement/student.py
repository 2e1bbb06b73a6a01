"""The quantile of Student's t for whole degrees of freedom. SciPy has it too, for 27 MB of memory and a third of a second."""

from functools import lru_cache
from math import atan, cos, pi, sin, sqrt
from statistics import NormalDist


@lru_cache(maxsize=1024)
def t_quantile(df: int, confidence: float = 0.95) -> float:
    """How many standard errors a two-sided interval reaches to either side.

    `df` is at least 1. Source: Abramowitz and Stegun (1964), 26.7.3, 26.7.4 and, above 200, 26.7.5.

    >>> round(t_quantile(1), 3), round(t_quantile(59), 3), round(t_quantile(5000), 3)
    (12.706, 2.001, 1.96)
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    if df > 200:
        return z + (z**3 + z) / (4 * df) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * df**2) + _third(z) / (384 * df**3)
    low, high = 0.0, 1.0
    while _inside(high, df) < confidence:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _inside(middle, df) < confidence else (low, middle)
    return (low + high) / 2


def _third(z: float) -> float:
    return 3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z


def _inside(t: float, df: int) -> float:
    """P(|T| < t)."""
    angle = atan(t / sqrt(df))
    c, s = cos(angle), sin(angle)
    term = total = c if df % 2 else 1.0
    for k in range(3 if df % 2 else 2, df - 1, 2):
        term *= c * c * (k - 1) / k
        total += term
    if df % 2 == 0:
        return s * total
    return 2 / pi * (angle + (s * total if df > 1 else 0.0))
