"""Margins of annotators who each label with several others: how often each uses each label, whoever the other is.

Chance agreement of two annotators is the sum over labels of the product of their margins. With margins of the pair's own few
utterances it would rise with their agreement: kappa k of n utterances would tend to k (n - 1) / (n - k), and to 0 for n = 1.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotator.core.agreement.counts import Real, Whole, numbered, totals, used


@dataclass(frozen=True, slots=True)
class Margins:
    """Per stratum chance agreement `pe`, and whether both used one and the same label only; per pair of labels `moved`: pe, and what
    its two labels move in the sum of n pe by being in the two margins.
    """

    pe: Real
    one_label: NDArray[np.bool_]
    moved: Real


def margins_of(people: tuple[Whole, Whole], place: Whole, n: Real, met: tuple[Whole, Whole, Whole]) -> Margins:
    """From the two people and the role and part of each stratum, with how many pairs of labels it has; and each pair of labels:
    stratum, a, b. A person is an annotator in one role and part.
    """
    if len(np.unique(np.concatenate(people))) == 2 * len(n):
        return _of_two(n, *met)
    stratum, a, b = met
    found, local = Margins(np.zeros(len(n)), np.zeros(len(n), dtype=bool), np.zeros(len(a))), np.zeros(len(n), dtype=np.int64)
    for at in used(place).tolist():
        strata, here = np.flatnonzero(place == at), place[stratum] == at
        _, person = numbered(np.concatenate([of[strata] for of in people]), int(max(of.max() for of in people)) + 1)
        local[strata] = np.arange(len(strata))
        there = local[stratum[here]]
        pair = (person[: len(strata)], person[len(strata) :])
        found.pe[strata], found.one_label[strata], found.moved[here] = _of_several(pair, n[strata], (there, a[here], b[here]))
    return found


def _of_two(n: Real, stratum: Whole, a: Whole, b: Whole) -> Margins:
    """Where nobody is in two strata: the margins are the pair's own."""
    size = int(max(a.max(initial=0), b.max(initial=0))) + 1
    kinds, place = numbered(np.concatenate((stratum * size + a, stratum * size + b)), len(n) * size)
    of_a, of_b = place[: len(a)], place[len(a) :]
    by_a, by_b = (np.bincount(of, minlength=len(kinds)) for of in (of_a, of_b))
    chance = totals(kinds // size, by_a * by_b, len(n))
    pe = chance / n**2
    return Margins(pe, chance == n**2, (by_b[of_a] + by_a[of_b]) / n[stratum] - pe[stratum])


def _of_several(people: tuple[Whole, Whole], n: Real, met: tuple[Whole, Whole, Whole]) -> tuple[Real, NDArray[np.bool_], Real]:
    """The same of one role and part, whose people are numbered from 0."""
    (first, second), (stratum, a, b) = people, met
    n_people, by_a, by_b = int(max(first.max(), second.max())) + 1, first[stratum], second[stratum]
    labels, label = numbered(np.concatenate((a, b)), int(max(a.max(), b.max())) + 1)
    a, b = label[: len(a)], label[len(a) :]
    shape = (n_people, len(labels))
    key = np.concatenate((by_a * len(labels) + a, by_b * len(labels) + b))
    counts = np.bincount(key, minlength=n_people * len(labels)).reshape(shape).astype(np.float64)
    said = counts.sum(axis=1)
    share, weight = counts / said[:, None], np.zeros((n_people, n_people))
    np.add.at(weight, (np.concatenate(people), np.concatenate((second, first))), np.concatenate((n, n)))
    # What each label of a person would meet in the others, weighted by how often they meet. Not by @, which starts threads: for tables
    # as small as these that takes ten times as long.
    meets = np.einsum("ij,jk->ik", weight, share)
    chance, of = np.einsum("ij,ij->i", counts[first], counts[second]), said[first] * said[second]
    moves = (meets - np.einsum("ij,ij->i", share, meets)[:, None]) / said[:, None]
    return chance / of, chance == of, (chance / of)[stratum] + moves[by_a, a] + moves[by_b, b]


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
    for who, by in ((first, a), (second, b)):
        np.add.at(said, who, n)
        np.add.at(uses, who, by)
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
