"""Margins of annotators who each label with several others: how often each uses each label, whoever the other is.

Chance agreement of two annotators is the sum over labels of the product of their margins. With margins of the pair's own few
utterances it would rise with their agreement: kappa k of n utterances would tend to k (n - 1) / (n - k), and to 0 for n = 1.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotator.core.agreement.counts import Real, Whole, totals

_NUMBERS_AT_ONCE = 200_000


@dataclass(frozen=True, slots=True)
class Margins:
    """Per stratum chance agreement `pe`, and whether both used one and the same label only; per pair of labels `moved`: pe, and what
    its two labels move in the sum of n pe by being in the two margins.
    """

    pe: Real
    one_label: NDArray[np.bool_]
    moved: Real


def margins_of(people: tuple[Whole, Whole], n: Real, met: tuple[Whole, Whole, Whole], n_people: int) -> Margins:
    """From the two people of each stratum with how many pairs of labels it has, and each pair of labels: stratum, a, b.

    A person, 0 to `n_people` - 1, is an annotator in one role and part.
    """
    first, second = people
    stratum, a, b = met
    by_a, by_b = first[stratum], second[stratum]
    said = totals(by_a, np.ones(len(a)), n_people) + totals(by_b, np.ones(len(b)), n_people)
    size, n_labels = np.maximum(said, 1), int(max(a.max(initial=0), b.max(initial=0))) + 1
    order = np.argsort(np.concatenate(people), kind="stable")
    starts = np.searchsorted(np.concatenate(people)[order], np.arange(n_people))
    other, weight = np.concatenate((second, first))[order], np.concatenate((n, n))[order][:, None]
    met_by_chance, own, moved = np.zeros(len(n)), np.zeros(n_people), np.zeros(len(a))
    step = max(1, _NUMBERS_AT_ONCE // max(len(n), n_people, 1))
    for low in range(0, n_labels if len(a) else 0, step):
        width = min(step, n_labels - low)
        here_a, here_b = ((a >= low) & (a < low + width), (b >= low) & (b < low + width))
        counts = sum(
            totals(by[here] * width + label[here] - low, np.ones(here.sum()), n_people * width)
            for by, label, here in ((by_a, a, here_a), (by_b, b, here_b))
        ).reshape(n_people, width)  # type: ignore[union-attr]
        met_by_chance += np.einsum("ij,ij->i", counts[first], counts[second])
        # What each label of a person would meet in the others, weighted by how often they meet.
        meets = np.add.reduceat((counts / size[:, None])[other] * weight, starts, axis=0)
        own += np.einsum("ij,ij->i", counts / size[:, None], meets)
        moved[here_a] += meets[by_a[here_a], a[here_a] - low] / size[by_a[here_a]]
        moved[here_b] += meets[by_b[here_b], b[here_b] - low] / size[by_b[here_b]]
    pe = met_by_chance / (size[first] * size[second])
    moved += pe[stratum] - (own / size)[by_a] - (own / size)[by_b]
    return Margins(pe, met_by_chance == said[first] * said[second], moved)


@dataclass(frozen=True, slots=True)
class CodeMargins:
    """The same of using a code or not, a column per code, a row per two annotators: what moves where a label does not hold the code, by
    the first's and the second's margin, and how much more where it does.
    """

    pe: Real
    one_label: NDArray[np.bool_]
    none_a: Real
    none_b: Real
    more_a: Real
    more_b: Real


def code_margins(people: tuple[Whole, Whole], n: Real, a: Real, b: Real, n_people: int) -> CodeMargins:
    """From the two people of each row, how many pairs of labels it has (one column), and uses by the first and the second."""
    first, second = people
    said, uses = np.zeros((n_people, 1)), np.zeros((n_people, a.shape[1]))
    for who, used in ((first, a), (second, b)):
        np.add.at(said, who, n)
        np.add.at(uses, who, used)
    share = uses / np.maximum(said, 1)
    r, c = share[first], share[second]
    pe = r * c + (1 - r) * (1 - c)
    # How much more a use meets than none, over all whom somebody is paired with.
    gain = np.zeros_like(uses)
    np.add.at(gain, first, n * (2 * c - 1))
    np.add.at(gain, second, n * (2 * r - 1))
    gain /= np.maximum(said, 1)
    never, always = uses == 0, uses == said
    one_label = (never[first] & never[second]) | (always[first] & always[second])
    return CodeMargins(pe, one_label, -(share * gain)[first], -(share * gain)[second], gain[first], gain[second])
