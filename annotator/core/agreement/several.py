"""Coefficients of any number of annotators, of whom not everyone labels every utterance, and alpha over sets of codes."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from annotator.core.agreement.coefficients import NO_PAIR, ONE_CODE, ONE_LABEL, Kappa
from annotator.core.agreement.counts import SKIPPED, Cells, Ratings, Real, Whole, numbered, totals
from annotator.core.agreement.sets import jaccard_distance, masi_distance

Distance = Callable[[Any, Any], float]

NOBODY_TWICE = "no utterance has labels of two annotators"
NO_DISTANCE = "no two labels differ, so chance agreement is 1"


@dataclass(frozen=True, slots=True)
class Units:
    """Labels by unit: entry x says that `n[x]` annotators gave unit `unit[x]` the label `label[x]`, sorted by unit and label."""

    labels: tuple[Any, ...]
    unit: Whole
    label: Whole
    n: Whole

    @property
    def sizes(self) -> Real:
        """How many labels each unit has."""
        return totals(self.unit, self.n, 0)


def units_of(labels: Sequence[Hashable], unit: Whole, label: Whole) -> Units:
    """Units from one element per label given, `label` an index into `labels`; units are numbered anew."""
    _, place = numbered(unit, int(unit.max(initial=-1)) + 1)
    size = max(len(labels), 1)
    key, n = np.unique(place * size + label, return_counts=True)
    return Units(tuple(labels), key // size, key % size, n)


def units_of_ratings(ratings: Iterable[Sequence[Hashable | None]]) -> Units:
    """Units from a row of labels per annotator, None where one gave no label.

    >>> units_of_ratings([["a", "b", None], ["a", None, None]]).n.tolist()
    [2, 1]
    """
    place: dict[Hashable, int] = {}
    rows = [(unit, place.setdefault(label, len(place))) for row in ratings for unit, label in enumerate(row) if label is not None]
    unit, label = np.array(rows, dtype=np.int64).reshape(-1, 2).T
    return units_of(tuple(place), unit, label)


def units_of_counts(counts: Iterable[Mapping[Hashable, int]]) -> Units:
    """Units from how many annotators gave each label, one mapping per utterance.

    >>> round(fleiss_kappa(units_of_counts([{"yes": 3}, {"yes": 2, "no": 1}, {"yes": 2, "no": 1}, {"yes": 3}])).kappa, 3)
    -0.2
    """
    place: dict[Hashable, int] = {}
    rows = [
        (unit, place.setdefault(label, len(place)))
        for unit, of_unit in enumerate(counts)
        for label, n in of_unit.items()
        for _ in range(n)
    ]
    unit, label = np.array(rows, dtype=np.int64).reshape(-1, 2).T
    return units_of(tuple(place), unit, label)


def units_of_role(ratings: Ratings, role: int) -> Units:
    """The labels of one role; skips are none."""
    of_role = (ratings.role == role) & (ratings.label != SKIPPED)
    return units_of(ratings.labels, ratings.unit[of_role], ratings.label[of_role])


def _family(units: Units, chance: Callable[[Real], float]) -> Kappa:
    """po over units with two labels and more, chance from the mean over all units of the shares of their labels."""
    sizes = units.sizes
    several = sizes >= 2
    n = int(several.sum())
    if n == 0:
        return Kappa(0, None, None, None, NOBODY_TWICE)
    agreeing = totals(units.unit, units.n * (units.n - 1), 0)[several]
    po = float((agreeing / (sizes[several] * (sizes[several] - 1))).mean())
    shares = totals(units.label, units.n / sizes[units.unit], len(units.labels)) / len(sizes)
    pe = chance(shares)
    return Kappa(n, po, pe, None, ONE_LABEL) if 1 - pe < 1e-12 else Kappa(n, po, pe, (po - pe) / (1 - pe))


def fleiss_kappa(units: Units) -> Kappa:
    """Fleiss' kappa for several annotators, none of whom need be the same from utterance to utterance.

    po = mean over utterances of the share of pairs of annotators who agree, pe = sum over labels of (mean share of the label)².
    Where utterances have different numbers of labels it is Gwet's form: po over those with at least two, shares over all.
    From -1 to 1. Undefined (None) where no utterance has two labels, and where one label only was used.
    Source: Fleiss (1971), Psychological Bulletin 76, 378-382; Gwet (2014), Handbook of Inter-Rater Reliability, chapter 2.

    >>> round(fleiss_kappa(units_of_ratings([["a", "b", "b", "a"], ["a", "b", "a", "a"], ["a", "b", "b", "c"]])).kappa, 3)
    0.415
    """
    return _family(units, lambda shares: float(shares @ shares))


def fleiss_error(units: Units) -> float | None:
    """The standard error of Fleiss' kappa if the truth were 0, for testing that only; every unit has the same number of labels.

    sqrt(2 / (N m (m - 1))) sqrt((sum p q)² - sum p q (q - p)) / sum p q. The one printed in 1971 is wrong.
    None where kappa is undefined or the numbers differ. Source: Fleiss, Nee and Landis (1979), Psychological Bulletin 86, 974-977.

    >>> round(fleiss_error(units_of_ratings([["a", "b", "b", "a"], ["a", "b", "a", "a"], ["a", "b", "b", "c"]])), 3)
    0.238
    """
    sizes = units.sizes
    if fleiss_kappa(units).kappa is None or len(set(sizes.tolist())) != 1:
        return None
    m = float(sizes[0])
    p = totals(units.label, units.n, 0) / (len(sizes) * m)
    pq = p * (1 - p)
    spread = float(pq.sum() ** 2 - (pq * (1 - 2 * p)).sum())
    return float(np.sqrt(2 / (len(sizes) * m * (m - 1)) * spread) / pq.sum())


def gwet_ac1_of_several(units: Units, codebook: int | None = None) -> Kappa:
    """Gwet's AC1 for several annotators; po and shares as in `fleiss_kappa`, pe = sum of share (1 - share) / (k - 1).

    `codebook` is k, how many codes there are to choose from. Undefined (None) where no utterance has two labels, and with one code.
    Source: Gwet (2008), British Journal of Mathematical and Statistical Psychology 61, 29-48.

    >>> round(gwet_ac1_of_several(units_of_ratings([["a", "b", "b", "a"], ["a", "b", "a", "a"], ["a", "b", "b", "c"]]), 3).kappa, 3)
    0.534
    """
    k = max(codebook or 0, len(np.unique(units.label)))
    if k == 1:
        return Kappa(0, None, None, None, ONE_CODE)
    return _family(units, lambda shares: float((shares * (1 - shares)).sum()) / (k - 1))


def randolph_kappa(units: Units, codebook: int | None = None) -> Kappa:
    """Bennett's S for several annotators (Randolph's free-marginal kappa, Brennan-Prediger): pe = 1 / k.

    Undefined (None) where no utterance has two labels, and with a codebook of one code.
    Source: Randolph (2005), Joensuu Learning and Instruction Symposium.

    >>> round(randolph_kappa(units_of_ratings([["a", "b", "b", "a"], ["a", "b", "a", "a"], ["a", "b", "b", "c"]]), 3).kappa, 3)
    0.5
    """
    k = max(codebook or 0, len(np.unique(units.label)))
    return Kappa(0, None, None, None, ONE_CODE) if k == 1 else _family(units, lambda shares: 1 / k)


def krippendorff_alpha(units: Units, distance: Distance | None = None) -> Kappa:
    """Krippendorff's alpha: any number of annotators, missing labels, any distance between labels; nominal without one.

    1 - Do / De. Do = mean distance of two labels of the same utterance, each utterance with m >= 2 labels weighing m; De = mean
    distance of any two labels of those utterances. po and pe of the result are 1 - Do and 1 - De. With `jaccard_distance` or
    `masi_distance` labels may be sets. From below 0 to 1; 0 where all labels but one are the same.
    Undefined (None) where no utterance has two labels, and where no two labels are any distance apart.
    Source: Krippendorff (2011), Computing Krippendorff's Alpha-Reliability.

    >>> rows = [[1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None], [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3]]
    >>> rows += [[None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None], [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None]]
    >>> round(krippendorff_alpha(units_of_ratings(rows)).kappa, 3)
    0.743
    """
    return _alpha(units, lambda labels: distances(labels, distance))


def _alpha(units: Units, between: Callable[[Sequence[Any]], Real]) -> Kappa:
    sizes = units.sizes
    several = np.flatnonzero(sizes[units.unit] >= 2)
    if not len(several):
        return Kappa(0, None, None, None, NOBODY_TWICE)
    used, label = numbered(units.label[several], len(units.labels))
    unit, n = units.unit[several], units.n[several].astype(np.float64)
    apart = between([units.labels[at] for at in used.tolist()])
    used_by = totals(label, n, len(used))
    within = _within(unit, label, n / (sizes[unit] - 1), n, apart) / float(n.sum())
    return _from_distances(int(np.count_nonzero(np.diff(unit))) + 1, within, used_by, apart)


def _from_distances(n: int, within: float, used: Real, apart: Real) -> Kappa:
    """Alpha from the mean distance within utterances and how often each label was used."""
    said = float(used.sum())
    expected = float(used @ (apart @ used)) / (said * (said - 1))
    if expected == 0:
        return Kappa(n, 1 - within, 1.0, None, NO_DISTANCE)
    return Kappa(n, 1 - within, 1 - expected, 1 - within / expected)


def alphas_over_sets(found: Units | Cells) -> dict[str, Kappa]:
    """`krippendorff_alpha` with the distances of `jaccard_distance` and `masi_distance`, of many annotators or of a pair.

    {"jaccard": ..., "masi": ...}; the labels are sets of codes. A pair's two labels of an utterance are both there.

    >>> rows = [[frozenset("A"), frozenset("AB"), frozenset("C")], [frozenset("A"), frozenset("A"), frozenset("C")]]
    >>> {name: round(alpha.kappa, 3) for name, alpha in alphas_over_sets(units_of_ratings(rows)).items()}
    {'jaccard': 0.737, 'masi': 0.667}
    """
    if isinstance(found, Units):
        return {name: _alpha(found, partial(_set_distance, name)) for name in ("jaccard", "masi")}
    n = int(found.n.sum())
    if n == 0:
        return dict.fromkeys(("jaccard", "masi"), Kappa(0, None, None, None, NO_PAIR))
    used = totals(np.concatenate((found.a, found.b)), np.concatenate((found.n, found.n)), len(found.labels))
    return {
        name: _from_distances(n, float((found.n * apart[found.a, found.b]).sum()) / n, used, apart)
        for name, apart in set_distances(found.labels).items()
    }


def _within(unit: Whole, label: Whole, weighted: Real, n: Real, between: Real) -> float:
    """The sum of distances within units: entries of one unit stand side by side, so pair each with the next, the next but one, ..."""
    total = 0.0
    for lag in range(1, len(unit)):
        at = np.flatnonzero(unit[lag:] == unit[:-lag])
        if not len(at):
            break
        total += 2 * float((weighted[at] * n[at + lag] * between[label[at], label[at + lag]]).sum())
    return total


def distances(labels: Sequence[Any], distance: Distance | None) -> Real:
    """The distance of every two labels; 1 between different ones where no distance is given."""
    if distance is None:
        return 1.0 - np.eye(len(labels))
    return np.array([[distance(a, b) for b in labels] for a in labels], dtype=np.float64).reshape(len(labels), len(labels))


def set_distances(labels: Sequence[frozenset[str]]) -> Mapping[str, Real]:
    """Jaccard and MASI distances of every two sets, as `jaccard_distance` and `masi_distance` give them, all at once."""
    codes = sorted(frozenset().union(*labels))
    holds = np.array([[code in label for code in codes] for label in labels], dtype=np.float64).reshape(len(labels), len(codes))
    size = holds.sum(axis=1).astype(np.int64)
    base = int(size.max(initial=0)) + 1
    # A distance follows from three small numbers: how many codes either set has, and how many they share.
    key = ((size * base**2)[:, None] + size * base) + (holds @ holds.T).astype(np.int64)
    known = np.zeros((2, base**3))
    for here, there, shared in product(range(base), repeat=3):
        if shared <= min(here, there):
            a, b = frozenset(map(str, range(here))), frozenset(map(str, range(here - shared, here - shared + there)))
            known[:, (here * base + there) * base + shared] = jaccard_distance(a, b), masi_distance(a, b)
    return {"jaccard": known[0][key], "masi": known[1][key]}


def _set_distance(name: str, labels: Sequence[frozenset[str]]) -> Real:
    return set_distances(labels)[name]
