"""What kappa would be if two codes were merged, or if people stopped confusing them: where refining the taxonomy pays most."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan
from typing import Any

import numpy as np

from annotator.core.agreement.coefficients import ALL_ONE_LABEL
from annotator.core.agreement.counts import SKIPPED, Met, Ratings, Whole, numbered, totals
from annotator.core.agreement.judgement import Codes
from annotator.core.agreement.overview import Pool
from annotator.core.agreement.report import NO_CODE
from annotator.errors import BadInput

_MOST = 10
"""So many pairs of codes are tried per role, the most confused ones."""


@dataclass(frozen=True, slots=True)
class _Sums:
    """Kappa's numerator and denominator, sums over the pairs of annotators."""

    above: float
    below: float

    @property
    def kappa(self) -> float | None:
        """Undefined where all used one label only."""
        return self.above / self.below if self.below > 1e-9 else None


_Parts = Mapping[str, _Sums]
"""What a figure is made of, one part per kappa: the mean of codes has one per code, kappa of the whole label a single one per role."""


@dataclass(frozen=True, slots=True)
class _Role:
    """The pairs of labels of one role, `pair` numbering the pairs of annotators, who are `people`, of which each has `n`; what each pair
    of labels confuses, an index into `confusions` or -1; and the parts of its figure as it is.
    """

    labels: Sequence[Codes]
    people: tuple[Whole, Whole]
    pair: Whole
    n: Whole
    a: Whole
    b: Whole
    confusions: Sequence[tuple[tuple[str, str], int]]
    confused: Whole
    now: _Parts

    def sums(self, index: Whole, b: Whole, size: int) -> _Sums:
        """Kappa where the labels are `index[label]`, of `size` kinds, and the second annotator's were b."""
        a, b = index[self.a], index[b]
        first, second = self.people
        n_people = int(max(first.max(initial=-1), second.max(initial=-1))) + 1
        said = [np.bincount(who[self.pair] * size + one, minlength=n_people * size) for who, one in ((first, a), (second, b))]
        counts = (said[0] + said[1]).reshape(n_people, size)
        share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        chance = float((self.n * np.einsum("ij,ij->i", share[first], share[second])).sum())
        return _Sums(float((a == b).sum()) - chance, float(self.n.sum()) - chance)

    def of_code(self, codes: Codes, b: Whole) -> _Sums:
        """Kappa of any of these codes against the rest: that of `sums` with two kinds, counted at once."""
        holds = np.array([not codes.isdisjoint(label) for label in self.labels], dtype=np.int64)
        kind = self.pair * 4 + holds[self.a] * 2 + holds[b]
        _, only_b, only_a, both = np.bincount(kind, minlength=len(self.n) * 4).reshape(len(self.n), 4).T
        first, second = self.people
        n_people = int(max(first.max(initial=-1), second.max(initial=-1))) + 1
        said = totals(first, self.n, n_people) + totals(second, self.n, n_people)
        share = (totals(first, only_a + both, n_people) + totals(second, only_b + both, n_people)) / np.maximum(said, 1)
        r, c = share[first], share[second]
        chance = float((self.n * (r * c + (1 - r) * (1 - c))).sum())
        return _Sums(float((self.n - only_a - only_b).sum()) - chance, float(self.n.sum()) - chance)


def what_if(pool: Pool, headline: str) -> dict[str, list[dict[str, Any]]]:
    """{ROLE: [{"codes": [x, y], "n", "now", "merged", "settled", "overall_now", "overall_merged", "overall_settled"}]}.

    For the most confused codes of each role, in the order of what settling them would gain: the role's figure and that over all
    roles as they are, with the two codes merged, and if both annotators had said the same wherever exactly these two stand against
    each other (the first's code is kept); `undefined` says why where there is none. The figure is the one that `headline` names,
    "kappa" or "kappa_macro".
    """
    of_codes = headline == "kappa_macro"
    roles = {role: _role(pool, at, role, of_codes=of_codes) for at, role in enumerate(pool.roles)}
    now = {name: role.now for name, role in roles.items()}
    found: dict[str, list[dict[str, Any]]] = {}
    for name, role in roles.items():
        rows = []
        for at, ((x, y), n) in enumerate(role.confusions):
            row: dict[str, Any] = {"codes": [x, y], "n": n}
            figures = {"now": role.now, "merged": _merged(role, x, y, of_codes), "settled": _settled(role, at, (x, y), of_codes)}
            for what, parts in figures.items():
                row |= {what: _figure([parts], of_codes), f"overall_{what}": _figure([*(now | {name: parts}).values()], of_codes)}
            missing = [name for name, value in row.items() if value is None]
            rows.append(row | {"undefined": dict.fromkeys(missing, NO_CODE if of_codes else ALL_ONE_LABEL)})
        found[name] = sorted(rows, key=lambda row: -((row["settled"] or 0) - (row["now"] or 0)))
    return found


def _role(pool: Pool, at: int, name: str, *, of_codes: bool) -> _Role:
    met, labels, codes = pool.met.where(pool.met.role == at), pool.ratings.labels, pool.codes[name]
    n_annotators = len(pool.ratings.annotators)
    pairs, pair = numbered(met.first * n_annotators + met.second, n_annotators**2)
    people = (pairs // n_annotators, pairs % n_annotators) if n_annotators else (pairs, pairs)
    confusions, confused = _confused(labels, met, dict(zip(codes.codes, codes.n_a + codes.n_b, strict=True)))
    role = _Role(labels, people, pair, np.bincount(pair), met.a, met.b, confusions, confused, {})
    if of_codes:
        known = zip(codes.codes, codes.kappa.tolist(), codes.weight.tolist(), strict=True)
        now = {code: _Sums(0.0, 0.0) if isnan(kappa) else _Sums(kappa * weight, weight) for code, kappa, weight in known}
        return replace(role, now=now)
    return replace(role, now={"": role.sums(np.arange(len(labels)), met.b, len(labels))})


def _confused(labels: Sequence[Codes], met: Met, uses: Mapping[str, float]) -> tuple[list[tuple[tuple[str, str], int]], Whole]:
    """The pairs of codes of which one annotator said one and the other the other, all else being equal, the rarer code first; and for
    each pair of labels which of them, or -1.
    """
    found: Counter[tuple[str, str]] = Counter()
    size = max(len(labels), 1)
    keys, place = numbered(met.a * size + met.b, size**2)
    of_key: list[tuple[str, str] | None] = []
    for key, n in zip(keys.tolist(), np.bincount(place).tolist(), strict=True):
        here, there = labels[key // size] - labels[key % size], labels[key % size] - labels[key // size]
        of_key.append(None)
        if len(here) == 1 == len(there):
            x, y = sorted((*here, *there), key=lambda code: (uses[code], code))
            of_key[-1] = x, y
            found[x, y] += n
    most = sorted(found.items(), key=lambda one: (-one[1], one[0]))[:_MOST]
    at = {codes: index for index, (codes, _) in enumerate(most)}
    return most, np.array([at.get(codes, -1) if codes else -1 for codes in of_key], dtype=np.int64)[place]


def _merged(role: _Role, x: str, y: str, of_codes: bool) -> _Parts:
    if of_codes:
        return {code: sums for code, sums in role.now.items() if code != x} | {y: role.of_code(frozenset({x, y}), role.b)}
    place: dict[Codes, int] = {}
    index = [place.setdefault((label - {x}) | {y} if x in label else label, len(place)) for label in role.labels]
    return {"": role.sums(np.array(index, dtype=np.int64), role.b, len(place))}


def _settled(role: _Role, at: int, codes: tuple[str, str], of_codes: bool) -> _Parts:
    b = np.where(role.confused == at, role.a, role.b)
    if of_codes:
        return {**role.now} | {code: role.of_code(frozenset({code}), b) for code in codes}
    return {"": role.sums(np.arange(len(role.labels)), b, len(role.labels))}


def _figure(roles: Sequence[_Parts], of_codes: bool) -> float | None:
    """The mean of the codes' kappas of all roles, or their stratified kappa."""
    parts = [part for role in roles for part in role.values()]
    if of_codes:
        kappas = [kappa for part in parts if (kappa := part.kappa) is not None]
        return sum(kappas) / len(kappas) if kappas else None
    return _Sums(sum(part.above for part in parts), sum(part.below for part in parts)).kappa


def merged(ratings: Ratings, into: Mapping[str, str]) -> Ratings:
    """The ratings as if codes had been others: `into` maps CODE or ROLE/CODE to the code it becomes.

    Raises `BadInput` for a code that nobody used in that role.
    """
    for code in into.values():
        if "|" in code:
            raise BadInput(f"{code} is no single code, as | joins several. Give one to merge into, as OLD=NEW.")
    roles = {role: at for at, role in enumerate(ratings.roles)}
    place: dict[Codes, int] = {}
    index = np.full((len(roles), len(ratings.labels) + 1), SKIPPED)
    left = set(into)
    for role, at in roles.items():
        for said in np.unique(ratings.label[(ratings.role == at) & (ratings.label != SKIPPED)]).tolist():
            index[at, said] = place.setdefault(_renamed(role, ratings.labels[said], into, left), len(place))
    if left:
        raise BadInput(f"Nobody used the code {', '.join(sorted(left))}. Give codes that are in the labels, as OLD=NEW or ROLE/OLD=NEW.")
    label: Whole = index[ratings.role, ratings.label]
    return replace(ratings, labels=tuple(place), label=label)


def _renamed(role: str, label: Codes, into: Mapping[str, str], left: set[str]) -> Codes:
    found = set()
    for code in label:
        wanted = f"{role}/{code}" if f"{role}/{code}" in into else code
        left.discard(wanted)
        found.add(into.get(wanted, code))
    return frozenset(found)
