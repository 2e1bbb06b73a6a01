"""What seeing the model's labels did to one annotator's: the same utterances labelled blind and again assisted."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

from annotator.core.agreement.arms import Estimate, rate
from annotator.core.agreement.coefficients import Kappa, cohen_kappa


@dataclass(frozen=True, slots=True)
class Adoption:
    """Paired figures of one annotator and one model over `n` utterances; each estimate says why it is undefined.

    `agree_blind` and `agree_assisted`: the share of labels equal to the model's. `switch`: of the labels that differed from the
    model's, the share that went over to it; `leave`: of those that were equal, the share that left it. `switched` and `left` count
    these, and `p` is McNemar's: how likely so unequal counts are if going over and leaving are equally likely.
    """

    n: int
    agree_blind: Estimate
    agree_assisted: Estimate
    switch: Estimate
    leave: Estimate
    kappa_blind: Kappa
    kappa_assisted: Kappa
    switched: int
    left: int
    p: float | None
    reason: str


def adoption_of(
    model: Sequence[Any], blind: Sequence[Any], assisted: Sequence[Any], conversations: Sequence[Any] | None = None
) -> Adoption:
    """How an annotator's labels moved to the model's between labelling the same utterances blind and assisted.

    The sequences have one label per utterance, in the same order; `conversations` says which conversation each is of, and without it
    no interval can be given. Two labels agree when they are equal. Shares are `rate`s, from 0 to 1; kappas Cohen's of model and
    annotator, and kappa_assisted - kappa_blind is how much the model looks better for having been seen. p is exact, two-sided.
    It says what seeing the labels did only where nothing else changed in between: whoever labels twice also learns.
    Undefined: shares of nothing; kappas as `cohen_kappa`; p (None) where nobody moved, with its `reason`.
    Source: McNemar (1947), Psychometrika 12, 153-157, as `mcnemar_exact`; Cohen (1960), Educational and Psychological Measurement
    20, 37-46.

    >>> found = adoption_of("AABBC", blind="ABBAA", assisted="AABBA")
    >>> found.agree_blind.value, found.agree_assisted.value, round(found.switch.value, 3), found.leave.value
    (0.4, 0.8, 0.667, 0.0)
    >>> found.switched, found.left, found.p
    (2, 0, 0.5)
    """
    of = [None] * len(model) if conversations is None else conversations
    told = zip(of, model, blind, assisted, strict=True)
    moves = [(conversation, before == said, after == said) for conversation, said, before, after in told]
    switched = sum(after and not before for _, before, after in moves)
    left = sum(before and not after for _, before, after in moves)
    p = mcnemar_exact(switched, left)
    return Adoption(
        len(moves),
        _share((one, before) for one, before, _ in moves),
        _share((one, after) for one, _, after in moves),
        _share((one, after) for one, before, after in moves if not before),
        _share((one, not after) for one, before, after in moves if before),
        cohen_kappa(Counter(zip(model, blind, strict=True))),
        cohen_kappa(Counter(zip(model, assisted, strict=True))),
        switched, left, p,
        "no label went over to the model or left it" if p is None else "",
    )  # fmt: skip


def _share(told: Iterable[tuple[Any, bool]]) -> Estimate:
    """The `rate` of what is true, from (conversation, whether) of every utterance."""
    hits: Counter[Any] = Counter()
    counts: Counter[Any] = Counter()
    for conversation, hit in told:
        hits[conversation] += hit
        counts[conversation] += 1
    return rate([hits[conversation] for conversation in counts], list(counts.values()))


def mcnemar_exact(b: int, c: int) -> float | None:
    """McNemar's test of two counts of opposite moves, exact: how likely counts at least so unequal are if both ways are equally likely.

    2 P(X <= min(b, c)) for X binomial with b + c draws of probability 1/2, at most 1. It takes moves as independent, which those in one
    conversation are not quite. Undefined (None) where both are 0. Source: McNemar (1947), Psychometrika 12, 153-157; Mosteller (1952),
    Biometrics 8, 220-226.

    >>> mcnemar_exact(3, 0), mcnemar_exact(2, 2), round(mcnemar_exact(10, 2), 4), mcnemar_exact(0, 0)
    (0.25, 1.0, 0.0386, None)
    """
    n = b + c
    return min(1.0, 2 * sum(comb(n, k) for k in range(min(b, c) + 1)) / 2**n) if n else None
