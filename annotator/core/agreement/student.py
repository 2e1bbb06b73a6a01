"""Student's t: its tail and its quantile. SciPy has both too, for 27 MB of memory and a third of a second.

Degrees of freedom may be fractions, as where two errors of different sizes are put together.
"""

from functools import lru_cache
from math import exp, lgamma, log
from statistics import NormalDist


@lru_cache(maxsize=1024)
def t_quantile(df: float, confidence: float = 0.95) -> float:
    """How many standard errors a two-sided interval reaches to either side.

    `df` is at least 1. Source: the inverse of `t_tail`; above 200, Abramowitz and Stegun (1964), 26.7.5.

    >>> round(t_quantile(1), 3), round(t_quantile(17.78), 3), round(t_quantile(59), 3), round(t_quantile(5000), 3)
    (12.706, 2.103, 2.001, 1.96)
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    if df > 200:
        return z + (z**3 + z) / (4 * df) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * df**2) + _third(z) / (384 * df**3)
    outside = (1 - confidence) / 2
    low, high = 0.0, 1.0
    while t_tail(high, df) > outside:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if t_tail(middle, df) > outside else (low, middle)
    return (low + high) / 2


def _third(z: float) -> float:
    return 3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z


def t_tail(t: float, df: float) -> float:
    """P(T > t), the one-sided p-value of a t for "greater"; that for "less" is `t_tail(-t, df)`.

    Half the regularised incomplete beta function I_x(df / 2, 1 / 2) at x = df / (df + t²), and for t below 0 the rest. From 0 to 1,
    and exact to ten digits however small. `df` is above 0, not necessarily whole.
    Source: Abramowitz and Stegun (1964), 26.5.27 and 26.7.1.

    >>> round(t_tail(1.812, 10), 3), round(t_tail(-1.812, 10), 3), t_tail(0, 3.5)
    (0.05, 0.95, 0.5)
    """
    upper = _beta(df / (df + t * t), t * t / (df + t * t), df / 2, 0.5) / 2
    return upper if t > 0 else 1 - upper


def _beta(x: float, rest: float, a: float, b: float) -> float:
    """The regularised incomplete beta function at x = 1 - `rest`, by its continued fraction, evaluated from the front (Lentz)."""
    if not x or not rest:
        return float(not rest)
    if x > (a + 1) / (a + b + 2):  # there the fraction of the complement converges fast, this one not
        return 1 - _beta(rest, x, b, a)
    value, c, d = 1.0, 1.0, 0.0
    for m in range(1000):
        down = -(a + m) * (a + b + m) / ((a + 2 * m) * (a + 2 * m + 1))
        up = (m + 1) * (b - m - 1) / ((a + 2 * m + 1) * (a + 2 * m + 2))
        for step in (down * x, up * x):
            c, d = 1 + step / c, 1 / (1 + step * d)
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return exp(a * log(x) + b * log(rest) + lgamma(a + b) - lgamma(a) - lgamma(b)) / (a * value)
