"""What kappa would be if two codes were merged, or if people stopped confusing them: where refining the taxonomy pays most."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from annotator.core.agreement.counts import SKIPPED, Met, Ratings, Whole, totals
from annotator.core.agreement.joint import code_sums
from annotator.core.agreement.judgement import Codes
from annotator.core.agreement.overview import Pool
from annotator.errors import BadInput

_MOST = 10
"""So many pairs of codes are tried per role, the most confused ones."""


@dataclass(frozen=True, slots=True)
class _Sums:
    """Kappa's numerator and denominator of one role over the pairs of annotators, and the kappas of its codes."""

    above: float
    below: float
    codes: Mapping[str, float]


def what_if(pool: Pool, headline: str) -> dict[str, list[dict[str, Any]]]:
    """{ROLE: [{"codes": [x, y], "n", "now", "merged", "settled", "overall_now", "overall_merged", "overall_settled"}]}.

    For the most confused codes of each role, in the order of what settling them would gain: the role's figure and that over all
    roles as they are, with the two codes merged, and if both annotators had said the same wherever exactly these two stand against
    each other (the first's code is kept). The figure is the one that `headline` names, "kappa" or "kappa_macro".
    """
    met, labels = pool.met, pool.ratings.labels
    of_role = {role: met.where(met.role == at) for at, role in enumerate(pool.roles)}
    now = {role: _sums(labels, found, headline) for role, found in of_role.items()}
    found: dict[str, list[dict[str, Any]]] = {}
    for role, pairs in of_role.items():
        rows = []
        for (x, y), n in _confused(labels, pairs)[:_MOST]:
            merged = _sums(*_merged(labels, pairs, {x: y}), headline)
            settled = _sums(labels, _settled(labels, pairs, x, y), headline)
            row: dict[str, Any] = {"codes": [x, y], "n": n}
            for name, sums in (("now", now[role]), ("merged", merged), ("settled", settled)):
                row |= {name: _figure([sums], headline), f"overall_{name}": _figure([*(now | {role: sums}).values()], headline)}
            rows.append(row)
        found[role] = sorted(rows, key=lambda row: -((row["settled"] or 0) - (row["now"] or 0)))
    return found


def _confused(labels: Sequence[Codes], met: Met) -> list[tuple[tuple[str, str], int]]:
    """The pairs of codes of which one annotator said one and the other the other, all else being equal; the rarer code first."""
    uses: Counter[str] = Counter()
    found: Counter[tuple[str, str]] = Counter()
    size = max(len(labels), 1)
    keys, counts = np.unique(met.a * size + met.b, return_counts=True)
    for key, n in zip(keys.tolist(), counts.tolist(), strict=True):
        a, b = labels[key // size], labels[key % size]
        uses.update(dict.fromkeys(a, n))
        uses.update(dict.fromkeys(b, n))
        if len(a - b) == 1 == len(b - a):
            x, y = sorted((*(a - b), *(b - a)))
            found[x, y] += n
    ordered = [((x, y) if (uses[x], x) < (uses[y], y) else (y, x), n) for (x, y), n in found.items()]
    return sorted(ordered, key=lambda one: (-one[1], one[0]))


def _sums(labels: tuple[Codes, ...], met: Met, headline: str) -> _Sums:
    if not len(met.a):
        return _Sums(0.0, 0.0, {})
    if headline == "kappa_macro":
        codes = code_sums(labels, met)
        return _Sums(0.0, 0.0, {code: float(kappa) for code, kappa in zip(codes.codes, codes.kappa, strict=True) if not np.isnan(kappa)})
    return _Sums(*_above_and_below(met, len(labels)), {})


def _above_and_below(met: Met, n_labels: int) -> tuple[float, float]:
    pairs, pair = np.unique(met.first * (int(met.second.max()) + 1) + met.second, return_inverse=True)
    size = len(pairs) * n_labels
    n, agreed = totals(pair, np.ones(len(pair)), len(pairs)), totals(pair, met.a == met.b, len(pairs))
    a, b = (totals(pair * n_labels + label, np.ones(len(pair)), size).reshape(-1, n_labels) for label in (met.a, met.b))
    chance = (a * b).sum(axis=1) / n
    return float((agreed - chance).sum()), float((n - chance).sum())


def _figure(parts: Sequence[_Sums], headline: str) -> float | None:
    if headline == "kappa_macro":
        kappas = [kappa for part in parts for kappa in part.codes.values()]
        return sum(kappas) / len(kappas) if kappas else None
    below = sum(part.below for part in parts)
    return sum(part.above for part in parts) / below if below > 1e-9 else None


def _merged(labels: Sequence[Codes], met: Met, into: Mapping[str, str]) -> tuple[tuple[Codes, ...], Met]:
    place: dict[Codes, int] = {}
    index = np.array([place.setdefault(frozenset(into.get(code, code) for code in label), len(place)) for label in labels], dtype=np.int64)
    return tuple(place), replace(met, a=index[met.a], b=index[met.b])


def _settled(labels: Sequence[Codes], met: Met, x: str, y: str) -> Met:
    size = max(len(labels), 1)
    keys, place = np.unique(met.a * size + met.b, return_inverse=True)
    met_labels = [(labels[key // size], labels[key % size]) for key in keys.tolist()]
    apart = np.array([(a - b) | (b - a) == {x, y} and len(a - b) == 1 for a, b in met_labels], dtype=bool)
    return replace(met, b=np.where(apart[place], met.a, met.b))


def merged(ratings: Ratings, into: Mapping[str, str]) -> Ratings:
    """The ratings as if codes had been others: `into` maps CODE or ROLE/CODE to the code it becomes.

    Raises `BadInput` for a code that nobody used in that role.
    """
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
