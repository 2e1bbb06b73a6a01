"""How often a run is right at the confidence it states: reliability, calibration error, discrimination, and the mapping.

Which labels count, and the fit itself, are `flow/calibration.py`'s. Nothing here needs numpy, so that pages stay light.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from math import sqrt
from typing import Any

from annotator.errors import BadInput

Observation = tuple[float, bool]
"""A stated confidence (or a probability) from 0 to 1, and whether it was a hit."""
Knots = Sequence[Sequence[float]]
Bins = Sequence[dict[str, Any]]

_Z95 = 1.959963984540054  # the normal distribution's 97.5 % point


def probability(knots: Knots, stated: float) -> float:
    """The probability of being right at a stated confidence: piecewise linear between knots, level beyond the ends.

    `knots` are [[stated, probability], ...] with rising `stated`, at least one. The value lies within the knots' own.

    >>> knots = [[0.5, 0.2], [0.7, 0.4], [0.9, 0.4]]
    >>> [round(probability(knots, stated), 3) for stated in (0.1, 0.5, 0.6, 0.8, 1.0)]
    [0.2, 0.2, 0.3, 0.4, 0.4]
    """
    if not knots:
        raise BadInput("A calibration without knots maps nothing. Measure it again: annotator calibrate RUN.")
    at = bisect_left(knots, stated, key=lambda knot: knot[0])
    if at == 0:
        return knots[0][1]
    if at == len(knots):
        return knots[-1][1]
    (left, low), (right, high) = knots[at - 1], knots[at]
    # Held between the two, because rounding could carry it past one of them.
    return min(max(low, low + (high - low) * (stated - left) / (right - left)), high)


def simplify(knots: Knots) -> list[list[float]]:
    """The same mapping in fewest knots: those that lie on the line between their neighbours go.

    >>> simplify([[0.1, 0.2], [0.2, 0.2], [0.4, 0.2], [0.5, 0.6], [0.6, 1.0]])
    [[0.1, 0.2], [0.4, 0.2], [0.6, 1.0]]
    """
    kept: list[list[float]] = []
    for knot in knots:
        while len(kept) > 1 and _on_a_line(kept[-2], kept[-1], knot):
            kept.pop()
        kept.append([float(knot[0]), float(knot[1])])
    return kept


def _on_a_line(a: Sequence[float], b: Sequence[float], c: Sequence[float]) -> bool:
    return abs((b[1] - a[1]) * (c[0] - a[0]) - (c[1] - a[1]) * (b[0] - a[0])) < 1e-12


def wilson(hits: int, n: int) -> tuple[float, float] | None:
    """Wilson's 95 % interval of a share.

    (hits + z²/2 ± z √(hits (n - hits) / n + z²/4)) / (n + z²) with z = 1.96; within 0..1, and of some width at 0 and at n hits.
    It takes the n as independent; utterances of one conversation are less than that, so it is rather too narrow.
    Undefined (None) for n = 0. Source: Wilson (1927), Journal of the American Statistical Association 22, 209-212.

    >>> [round(end, 4) for end in wilson(8, 10)], wilson(0, 0)
    ([0.4902, 0.9433], None)
    """
    if n == 0:
        return None
    middle, reach = hits + _Z95**2 / 2, _Z95 * sqrt(hits * (n - hits) / n + _Z95**2 / 4)
    low, high = ((middle + sign * reach) / (n + _Z95**2) for sign in (-1, 1))
    return max(0.0, low), min(1.0, high)


def reliability(stated_and_hit: Iterable[Observation], n_bins: int = 10) -> list[dict[str, Any]]:
    """Bins of equal width, each with `n`, the mean `stated`, the `share` of hits and its `ci95` (Wilson's).

    A bin holds what is above `low` and at most `high`; the first also holds 0. An empty bin has None for what it cannot say.
    Source: DeGroot and Fienberg (1983), The Statistician 32, 12-22; bins as in Guo et al. (2017).

    >>> bins = reliability([(0.9, True), (0.8, False), (0.7, True), (0.3, False)], n_bins=2)
    >>> [(one["low"], one["high"], one["n"], round(one["stated"], 3), round(one["share"], 3)) for one in bins]
    [(0.0, 0.5, 1, 0.3, 0.0), (0.5, 1.0, 3, 0.8, 0.667)]
    """
    edges = [at / n_bins for at in range(n_bins + 1)]
    inside: list[list[Observation]] = [[] for _ in range(n_bins)]
    for stated, hit in stated_and_hit:
        inside[bisect_left(edges, stated, 1, n_bins) - 1].append((stated, hit))
    return [_bin(edges[at], edges[at + 1], found) for at, found in enumerate(inside)]


def _bin(low: float, high: float, found: list[Observation]) -> dict[str, Any]:
    n, hits = len(found), sum(hit for _, hit in found)
    interval = wilson(hits, n)
    return {
        "low": low,
        "high": high,
        "n": n,
        "stated": sum(stated for stated, _ in found) / n if n else None,
        "share": hits / n if n else None,
        "ci95": list(interval) if interval else None,
    }


def ece(bins: Bins) -> float | None:
    """Expected calibration error: how far stated and real differ, over the bins of `reliability`.

    sum n_b / n · |mean stated - share of hits|, from 0 (calibrated, as far as these bins can tell) to 1. It depends on the bins and is
    rather too high where they hold little. Undefined (None) without observations.
    Source: Naeini et al. (2015), AAAI, 2901-2907; Guo et al. (2017), ICML, 1321-1330.

    >>> round(ece(reliability([(0.9, True), (0.8, False), (0.7, True), (0.3, False)], n_bins=2)), 3)
    0.175
    """
    n = sum(one["n"] for one in bins)
    if n == 0:
        return None
    return float(sum(one["n"] * abs(one["stated"] - one["share"]) for one in bins if one["n"]) / n)


def brier(stated_and_hit: Iterable[Observation]) -> float | None:
    """Brier score: the mean squared distance of what was stated from what came true (1 for a hit, 0 for a miss).

    mean (stated - hit)², from 0 to 1; 0.25 for whoever always states 0.5. It counts calibration and discrimination together.
    Undefined (None) without observations. Source: Brier (1950), Monthly Weather Review 78, 1-3.

    >>> round(brier([(0.9, True), (0.8, False)]), 3)
    0.325
    """
    squares = [(stated - hit) ** 2 for stated, hit in stated_and_hit]
    return sum(squares) / len(squares) if squares else None


def auroc(stated_and_hit: Iterable[Observation]) -> float | None:
    """Discrimination: the area under the ROC curve of the stated confidence, which is first of all a rank.

    The share of (hit, miss) pairs in which the hit has the higher confidence, equal ones counting half: 1 ranks perfectly, 0.5 as
    chance, below that the wrong way round. No rising mapping changes it but by making ties. Undefined (None) where all are hits or
    all are misses. Source: Hanley and McNeil (1982), Radiology 143, 29-36.

    >>> auroc([(0.9, True), (0.6, True), (0.6, False), (0.2, False)]), auroc([(0.9, True)])
    (0.875, None)
    """
    counts: dict[float, list[int]] = {}
    for stated, hit in stated_and_hit:
        counts.setdefault(stated, [0, 0])[bool(hit)] += 1
    misses, hits = (sum(pair[side] for pair in counts.values()) for side in (0, 1))
    if not hits or not misses:
        return None
    below = twice_won = 0
    for stated in sorted(counts):
        of_misses, of_hits = counts[stated]
        twice_won += of_hits * (2 * below + of_misses)
        below += of_misses
    return twice_won / (2 * hits * misses)


def summary(before: Sequence[Observation], after: Sequence[Observation]) -> dict[str, Any]:
    """The figures of a calibration: `before` as stated, `after` as calibrated (out of fold); `undefined` says why one is None.

    >>> figures = summary([(0.9, True), (0.9, False)], [(0.5, True), (0.5, False)])
    >>> round(figures["ece_before"], 3), figures["ece_after"], round(figures["brier_before"], 3), figures["brier_after"], figures["auroc"]
    (0.4, 0.0, 0.41, 0.25, 0.5)
    """
    bins_before, bins_after = reliability(before), reliability(after)
    figures: dict[str, Any] = {
        "n": len(before),
        "share": sum(hit for _, hit in before) / len(before) if before else None,
        "ece_before": ece(bins_before),
        "ece_after": ece(bins_after),
        "brier_before": brier(before),
        "brier_after": brier(after),
        "auroc": auroc(before),
    }
    reason = "there are no observations" if not before else f"all {len(before)} are {'hits' if before[0][1] else 'misses'}"
    undefined = {name: reason for name, value in figures.items() if value is None}
    return figures | {"undefined": undefined, "bins_before": bins_before, "bins_after": bins_after}
