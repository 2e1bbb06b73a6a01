"""Errors of kappa by drawing conversations anew, or leaving out one at a time: slower than the linearised ones, and their check.

Kappa of any set of conversations follows from three sums per conversation: agreements and both annotators' uses of each label.
A draw is a weight per conversation, so that a thousand draws are one product of matrices.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import numpy as np

from annotator.core.agreement.counts import Cells, Real, totals
from annotator.core.agreement.intervals import Uses

_NUMBERS_AT_ONCE = 20_000_000
_FEW_NUMBERS = 50_000


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the draws gave: the error and the 95 % interval of their percentiles; None where too few draws have a kappa."""

    draws: int
    seed: int
    se: float | None
    ci95: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class _Sums:
    """Per conversation (a row): utterances that agree, and how often each label (a column) was used by A and by B."""

    agreed: Real
    a: Real
    b: Real

    def weighted(self, weights: Real) -> "_Sums":
        """The sums of every weighting (a row) of the conversations."""
        return _Sums(weights @ self.agreed, weights @ self.a, weights @ self.b)


def _sums(parts: Sequence[Cells]) -> list[_Sums]:
    present = np.unique(np.concatenate([part.conversation for part in parts]))
    found = []
    for part in parts:
        conversation = np.searchsorted(present, part.conversation)
        size = max(len(part.labels), 1)

        a, b = (totals(conversation * size + at, part.n, len(present) * size).reshape(-1, size) for at in (part.a, part.b))
        found.append(_Sums(totals(conversation, part.n * (part.a == part.b), len(present)), a, b))
    return found


def _kappas(parts: Sequence[_Sums]) -> Real:
    """Kappa, over the parts, of every row; nan where it is undefined."""
    above, below = np.zeros(len(parts[0].agreed)), np.zeros(len(parts[0].agreed))
    for part in parts:
        n = part.a.sum(axis=1)
        chance = (part.a * part.b).sum(axis=1) / np.maximum(n, 1)
        above += part.agreed - chance
        below += n - chance
    return np.asarray(np.where(below > 1e-9, above / np.maximum(below, 1e-9), np.nan))


def bootstrap(parts: Sequence[Cells], draws: int = 2000, seed: int = 1) -> Drawn:
    """The error of kappa (of one part) or stratified kappa (of several) from conversations drawn with replacement, seeded.

    se = standard deviation over the draws, ci95 = their 2.5th and 97.5th percentile. A draw in which kappa is undefined is left
    out. None with fewer than two conversations. For a paired difference use the same seed.
    Source: Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapters 6 and 13; Field and Welsh (2007), Journal of
    the Royal Statistical Society B 69, 369-390.

    >>> from annotator.core.agreement.counts import cells_of
    >>> x, y = frozenset("x"), frozenset("y")
    >>> told = [{(x, x): 9, (y, y): 8, (y, x): 1}, {(x, x): 7, (y, y): 6, (x, y): 4}, {(x, x): 9, (y, y): 3, (y, x): 1}] * 10
    >>> found = bootstrap([cells_of(told)])
    >>> found == bootstrap([cells_of(told)]), round(found.se, 2)
    (True, 0.03)
    """
    sums = _sums(parts)
    n = len(sums[0].agreed)
    if n < 2:
        return Drawn(draws, seed, None, None)
    kappas = [_kappas([one.weighted(weights) for one in sums]) for weights in _weights(n, draws, seed)]
    return summary(np.concatenate(kappas), draws, seed)


def bootstrap_codes(uses: Uses, draws: int = 2000, seed: int = 1) -> dict[str, Drawn]:
    """`bootstrap` of the kappa of every code against the rest, all from the same draws."""
    present = uses.n > 0
    if present.sum() < 2:
        return {code: Drawn(draws, seed, None, None) for code in uses.codes}
    per_draw = []
    for weights in drawn_weights(int(present.sum()), draws, seed):
        n, a, b, both = ((weights @ column[present]) for column in (uses.n[:, None], uses.a, uses.b, uses.both))
        chance = a * b + (n - a) * (n - b)
        with np.errstate(invalid="ignore", divide="ignore"):
            per_draw.append(((n - a - b + 2 * both) * n - chance) / (n * n - chance))
    kappas = np.concatenate(per_draw)
    return {code: summary(kappas[:, at], draws, seed) for at, code in enumerate(uses.codes)}


def _weights(n: int, draws: int, seed: int) -> Iterable[Real]:
    """Many pairs of annotators have few conversations each, and then the same draws serve them all."""
    return _few_weights(n, draws, seed) if n * draws <= _FEW_NUMBERS else drawn_weights(n, draws, seed)


@lru_cache(maxsize=64)
def _few_weights(n: int, draws: int, seed: int) -> tuple[Real, ...]:
    return tuple(drawn_weights(n, draws, seed))


def drawn_weights(n: int, draws: int, seed: int) -> Iterator[Real]:
    """How often each of `n` conversations is in each draw (a row), in blocks that fit in memory."""
    generator = np.random.default_rng(seed)
    step = max(1, _NUMBERS_AT_ONCE // n)
    for start in range(0, draws, step):
        rows = min(step, draws - start)
        picked = generator.integers(0, n, size=(rows, n)) + np.arange(rows)[:, None] * n
        yield np.bincount(picked.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)


def summary(kappas: Real, draws: int, seed: int) -> Drawn:
    """Error and interval of drawn figures; None where fewer than half of the draws have one."""
    defined = kappas[~np.isnan(kappas)]
    if len(defined) * 2 < draws or len(defined) < 2:
        return Drawn(draws, seed, None, None)
    low, high = np.percentile(defined, [2.5, 97.5])
    return Drawn(draws, seed, float(defined.std(ddof=1)), (float(low), float(high)))


def jackknife_error(parts: Sequence[Cells]) -> float | None:
    """The error of kappa from leaving out one conversation at a time: sqrt((G - 1) / G sum (kappa without g - their mean)²).

    None with fewer than two conversations, or where kappa is undefined without one of them.
    Source: Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 11.

    >>> from annotator.core.agreement.counts import cells_of
    >>> x, y = frozenset("x"), frozenset("y")
    >>> told = [{(x, x): 9, (y, y): 8, (y, x): 1}, {(x, x): 7, (y, y): 6, (x, y): 4}, {(x, x): 9, (y, y): 3, (y, x): 1}] * 10
    >>> round(jackknife_error([cells_of(told)]), 2)
    0.03
    """
    sums = _sums(parts)
    n = len(sums[0].agreed)
    if n < 2:
        return None
    kappas = _kappas([_Sums(one.agreed.sum() - one.agreed, one.a.sum(axis=0) - one.a, one.b.sum(axis=0) - one.b) for one in sums])
    return None if np.isnan(kappas).any() else sqrt((n - 1) / n * float(((kappas - kappas.mean()) ** 2).sum()))
