"""What in the labels themselves looks unmeant: empty cells that are no labels, labels that stand one utterance off."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from annotator.core.agreement.counts import SKIPPED, Real, Whole, totals
from annotator.core.agreement.sample import Sample

_FEWEST_LABELS, _EMPTIER = 10, 0.2
_FEWEST_PAIRS, _HIGHER, _ERRORS = 20, 0.2, 3


def suspicions(sample: Sample) -> list[str]:
    """Sentences on annotators whose shares of labels without codes are .2 or more apart, of 10 labels or more; and on those whose
    labels equal the others' clearly more often one utterance off: by .2 or more and by 3 standard errors, on 20 pairs or more.
    """
    told = sample.only(sample.ratings.label != SKIPPED)
    return [*_emptier(told), *_shifted(told)]


def _emptier(sample: Sample) -> Iterator[str]:
    ratings = sample.ratings
    empty = np.array([not label for label in ratings.labels], dtype=bool)
    size = len(ratings.annotators)
    n, n_empty = (np.bincount(ratings.annotator[chosen], minlength=size) for chosen in (slice(None), empty[ratings.label]))
    shares = sorted((n_empty[at] / n[at], name) for at, name in enumerate(ratings.annotators) if n[at] >= _FEWEST_LABELS)
    if shares and shares[-1][0] - shares[0][0] >= _EMPTIER:
        most = [one for one in reversed(shares) if one[0] - shares[0][0] >= _EMPTIER]
        told = ", ".join(f"{100 * share:.0f} % of those of {name}" for share, name in [*most, shares[0]])
        yield (
            f"Annotators differ in how many labels are without codes (∅): {told}. An empty cell counts as looked and chose nothing. "
            "Where it means not labelled yet, leave the row out."
        )


def _shifted(sample: Sample) -> Iterator[str]:
    names = sample.ratings.annotators
    if not len(sample.ratings.unit):
        return
    moved = _with_others(sample, (0, 1, -1))
    agreed, n = moved.pop(0)
    for at, name in enumerate(names[:1] if len(names) == 2 else names):  # of two nobody can tell whose are shifted
        for step, (agreed_then, n_then) in moved.items():
            if min(n[at], n_then[at]) < _FEWEST_PAIRS:
                continue
            now, then = agreed[at] / n[at], agreed_then[at] / n_then[at]
            error = sqrt(now * (1 - now) / n[at] + then * (1 - then) / n_then[at])
            if then - now >= max(_HIGHER, _ERRORS * error):
                whose = " or ".join(names) if len(names) == 2 else name
                yield (
                    f"Labels of {whose} look shifted by one: {100 * now:.0f} % of those of {name} equal another annotator's of the same "
                    f"utterance, but {100 * then:.0f} % the one of the {'next' if step > 0 else 'last'} utterance of the role. Look at how "
                    "labels and utterances were put beside each other."
                )


@dataclass(frozen=True, slots=True)
class _Times:
    """How often each key is there."""

    keys: Whole
    n: NDArray[np.intp]

    def of(self, wanted: Whole) -> NDArray[np.intp]:
        """How often each that is wanted is."""
        at = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where(self.keys[at] == wanted, self.n[at], 0)


def _with_others(sample: Sample, steps: Iterable[int]) -> dict[int, tuple[Real, Real]]:
    """{STEP: per annotator how many pairs of equal labels, and how many pairs, their labels make with those that the others gave to the
    utterance so many further on in conversation and role}.
    """
    size, n_labels = len(sample.ratings.annotators), len(sample.ratings.labels)
    order = np.argsort(sample.ratings.unit)  # what is in order is found sooner
    unit, label, who, place = (of[order] for of in (sample.ratings.unit, sample.ratings.label, sample.ratings.annotator, sample.place))
    all_units, all_labels, own_units, own_labels = (
        _Times(*np.unique(keys, return_counts=True))
        for keys in (unit, unit * n_labels + label, unit * size + who, (unit * size + who) * n_labels + label)
    )
    found = {}
    for step in steps:
        within = (place + step >= 0) & (place + step <= place.max())
        there, its_label, its_who = unit[within] + step, label[within], who[within]
        n = all_units.of(there) - own_units.of(there * size + its_who)
        agreed = all_labels.of(there * n_labels + its_label) - own_labels.of((there * size + its_who) * n_labels + its_label)
        found[step] = totals(its_who, agreed, size), totals(its_who, n, size)
    return found
