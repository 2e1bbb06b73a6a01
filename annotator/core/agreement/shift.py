"""How far the codes of two arms, blind and assisted, are apart as a whole, and how far they would be by chance."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import comb, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotator.core.agreement.counts import Real
from annotator.core.agreement.resampling import drawn_weights

_NUMBERS_AT_ONCE = 1_000_000
_FEWEST_DEALS = 20


@dataclass(frozen=True, slots=True)
class Shift:
    """The distance between the codes of two arms; `why` has the reason of each that is None.

    `chance95` is what it stays below in 95 of 100 cases if the arms do not differ, `p` how often chance alone makes it this large.
    """

    distance: float | None
    ci95: tuple[float, float] | None
    chance95: float | None
    p: float | None
    n_conversations: tuple[int, int]
    draws: int
    seed: int
    why: dict[str, str]


def total_variation(a: Sequence[Sequence[float]] | Real, b: Sequence[Sequence[float]] | Real, draws: int = 2000, seed: int = 1) -> Shift:
    """The total variation distance of the codes of two arms: what share of the uses would have to change to make them alike.

    `a` and `b` have a row per conversation and a column per code, the same codes in both: how often it was used.
    distance = 1/2 sum |p_j - q_j|, p_j and q_j the shares of code j in all uses of an arm; symmetric, from 0 (the same shares) to 1 (no
    code in common). It is never 0, even where the arms do not differ, and larger the fewer conversations there are; so read it against
    `chance95`, the 95th percentile over deals of the same conversations to arms of the same sizes by chance, with p = (1 + deals at
    least as far apart) / (1 + deals). The reference holds where chance dealt the conversations to the arms.
    ci95 = distance ± r, cut off at 0 and 1. r is the 95th percentile of 1/2 sum |(p*_j - p_j) - (q*_j - q_j)| over draws of conversations
    with replacement within each arm, each arm's part times sqrt(G / (G - 1)): no set of shares within that reach has a distance outside
    the interval. Percentiles of the drawn distances would not do, since drawing moves the arms apart once more: they lie above the
    true distance nearly always.
    Undefined (None): all where an arm has no code; ci95 with fewer than two conversations in an arm; chance95 and p where there are
    fewer than 20 ways to deal the conversations.
    Source: Levin, Peres and Wilmer (2009), Markov Chains and Mixing Times, 4.1; Good (2005), Permutation, Parametric, and Bootstrap
    Tests of Hypotheses, 3rd edition; Field and Welsh (2007), Journal of the Royal Statistical Society B 69, 369-390.

    >>> blind, assisted = [[6, 3, 1], [5, 4, 1], [7, 2, 1], [6, 2, 2]], [[8, 1, 1], [9, 1, 0], [8, 2, 0], [9, 0, 1], [7, 2, 1]]
    >>> found = total_variation(blind, assisted)
    >>> round(found.distance, 2), [round(limit, 1) for limit in found.ci95], round(found.chance95, 2), found.p < 0.05
    (0.22, [0.1, 0.3], 0.18, True)
    """
    blind, assisted = _used(a), _used(b)
    sizes = len(blind), len(assisted)
    if not min(sizes):
        reason = f"no code was used in the {'blind' if not sizes[0] else 'assisted'} arm"
        return Shift(None, None, None, None, sizes, draws, seed, dict.fromkeys(("distance", "ci95", "chance95", "p"), reason))
    distance = float(_apart(blind.sum(axis=0), assisted.sum(axis=0)))
    why: dict[str, str] = {}
    ci95 = chance95 = p = None
    if min(sizes) < 2:
        why["ci95"] = "an arm has one conversation, and how conversations differ cannot be told from one"
    else:
        reach = float(np.percentile(_moved(blind, draws, seed, assisted), 95))
        ci95 = max(0.0, distance - reach), min(1.0, distance + reach)
    if comb(sum(sizes), sizes[0]) < _FEWEST_DEALS:
        why |= dict.fromkeys(("chance95", "p"), f"there are fewer than {_FEWEST_DEALS} ways to deal the conversations to the arms")
    else:
        dealt = np.concatenate([_apart(first, second) for first, second in _deals(blind, assisted, draws, seed)])
        chance95 = float(np.percentile(dealt, 95))
        # Equal but for what floating point makes of them counts as equal.
        p = float((1 + (dealt >= distance - 1e-9).sum()) / (1 + draws))
    return Shift(distance, ci95, chance95, p, sizes, draws, seed, why)


def _used(counts: Any) -> Real:
    """The counts of the conversations in which a code was used."""
    table = np.asarray(counts, dtype=np.float64)
    return np.asarray(table[table.sum(axis=1) > 0]) if table.size else np.empty((0, 0))


def _shares(uses: Real) -> Real:
    return np.asarray(uses / uses.sum(axis=-1, keepdims=True))


def _apart(a: Real, b: Real) -> Real:
    """The distance between the rows of two tables of uses."""
    return np.asarray(np.abs(_shares(a) - _shares(b)).sum(axis=-1) / 2)


def _moved(blind: Real, draws: int, seed: int, assisted: Real) -> NDArray[Any]:
    """How far the difference of the arms' shares moves in each draw of their conversations."""
    moves = []
    for arm, of_arm in ((blind, seed), (assisted, seed + 1)):
        drawn = np.concatenate([_shares(weights @ arm) for weights in drawn_weights(len(arm), draws, of_arm)])
        moves.append((drawn - _shares(arm.sum(axis=0))) * sqrt(len(arm) / (len(arm) - 1)))
    return np.asarray(np.abs(moves[1] - moves[0]).sum(axis=1) / 2)


def _deals(blind: Real, assisted: Real, draws: int, seed: int) -> Iterator[tuple[Real, Real]]:
    """The uses of both arms in every deal of the conversations to them, in blocks that fit in memory."""
    generator = np.random.default_rng(seed)
    together = np.vstack((blind, assisted))
    everything = together.sum(axis=0)
    first = np.arange(len(together)) < len(blind)
    step = max(1, _NUMBERS_AT_ONCE // len(together))
    for start in range(0, draws, step):
        rows = np.tile(first, (min(step, draws - start), 1))
        dealt = generator.permuted(rows, axis=1).astype(np.float64) @ together
        yield dealt, everything - dealt
