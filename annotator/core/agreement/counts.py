"""Who said what, counted once into whole numbers: ratings, and the pairs of labels of every two annotators per role.

Everything is an index into a list of names, so that a million pairs are counted by adding arrays. `gather` makes the arrays
from judgements; a reader of the database may fill `Ratings` directly.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotator.core.agreement.judgement import Codes, Judgement
from annotator.errors import BadInput

Whole = NDArray[np.int64]
Real = NDArray[np.float64]
SKIPPED = -1
_DENSE = 1500
"""Up to so many labels their whole table is counted, 18 MB and no sorting; above, only the cells that are met."""


@dataclass(frozen=True, slots=True)
class Ratings:
    """All labels, one per element of the five arrays, each an index into its names; `unit` is an utterance, `label` -1 a skip.

    `annotators` and `roles` are sorted. No unit has two ratings of one annotator.
    """

    annotators: tuple[str, ...]
    roles: tuple[str, ...]
    labels: tuple[Codes, ...]
    annotator: Whole
    role: Whole
    conversation: Whole
    unit: Whole
    label: Whole


@dataclass(frozen=True, slots=True)
class Cells:
    """Complete pairs of labels of two annotators in one role: cell x says that in `conversation[x]` the labels `a[x]` and `b[x]` met
    on `n[x]` utterances. `a` and `b` index `labels`; `conversation` numbers the pair's conversations, in all roles alike.
    """

    labels: tuple[Codes, ...]
    conversation: Whole
    a: Whole
    b: Whole
    n: Whole
    n_skipped: int = 0
    n_blank: int = 0

    @property
    def n_conversations(self) -> int:
        """How many conversations have a complete pair."""
        return len(used(self.conversation))

    def table(self) -> dict[tuple[Codes, Codes], int]:
        """{(label of A, label of B): how often}, over all conversations."""
        labels, size = self.labels, len(self.labels)
        key = self.a * size + self.b
        if size <= _DENSE:
            dense = totals(key, self.n, size**2)
            met = np.flatnonzero(dense)
            counts = dense[met]
        else:
            met, place = np.unique(key, return_inverse=True)
            counts = totals(place, self.n, len(met))
        return {(labels[at // size], labels[at % size]): int(n) for at, n in zip(met.tolist(), counts.tolist(), strict=True)}


def totals(index: Whole, weights: NDArray[Any], size: int) -> Real:
    """The sum of the weights of every index from 0 to size - 1.

    >>> totals(np.array([0, 2, 0]), np.array([1, 5, 2]), 3).tolist()
    [3.0, 0.0, 5.0]
    """
    return np.asarray(np.bincount(index, weights=weights, minlength=size), dtype=np.float64)


def used(index: Whole) -> Whole:
    """The different indexes in order; np.unique without sorting, for indexes of names, which are no larger than they need be.

    >>> used(np.array([2, 0, 2]))
    array([0, 2])
    """
    return np.flatnonzero(np.bincount(index))


def numbered(key: Whole, size: int) -> tuple[Whole, Whole]:
    """The different keys in order, and for each key its place among them: np.unique with the inverse, but without sorting where the
    keys, all below `size`, are not much rarer than they could be.

    >>> numbered(np.array([7, 3, 7]), 8)
    (array([3, 7]), array([1, 0, 1]))
    """
    if size > max(4 * len(key), 1 << 16):
        return np.unique(key, return_inverse=True)
    there = np.zeros(size, dtype=bool)
    there[key] = True
    place: Whole = np.cumsum(there) - 1
    return np.flatnonzero(there), place[key]


def without_copying(chosen: NDArray[Any]) -> Any:
    """What chooses the same of an array: a slice, which copies nothing, where a mask takes all."""
    return slice(None) if chosen.dtype == np.bool_ and chosen.all() else chosen


def gather(judgements: Iterable[Judgement]) -> Ratings:
    """The judgements as arrays.

    Two labels of one annotator for one utterance are refused: which of them is meant must be said, never guessed.

    >>> said = [Judgement(who, "c1", "1", "Seeker", frozenset({"ACK"})) for who in ("ben", "ana")]
    >>> found = gather(said)
    >>> found.annotators, found.annotator.tolist(), found.unit.tolist()
    (('ana', 'ben'), [1, 0], [0, 0])
    """
    names: tuple[dict[Any, int], ...] = ({}, {}, {}, {}, {})
    annotators, roles, conversations, units, labels = names
    found: list[int] = []
    for one in judgements:
        found += (
            annotators.setdefault(one.annotator, len(annotators)),
            roles.setdefault(one.role, len(roles)),
            conversations.setdefault(one.conversation, len(conversations)),
            units.setdefault((one.role, one.conversation, one.utterance), len(units)),
            SKIPPED if one.codes is None else labels.setdefault(one.codes, len(labels)),
        )
    annotator, role, conversation, unit, label = np.array(found, dtype=np.int64).reshape(-1, 5).T
    _each_once(unit, annotator, list(units), list(annotators))
    sorted_annotators, annotator = sorted_names(annotators, annotator)
    sorted_roles, role = sorted_names(roles, role)
    return Ratings(sorted_annotators, sorted_roles, tuple(labels), annotator, role, conversation, unit, label)


def _each_once(unit: Whole, annotator: Whole, units: list[tuple[str, str, str]], annotators: list[str]) -> None:
    """Refuse the first label that is the second of its annotator for its utterance."""
    key = unit * len(annotators) + annotator
    order = np.argsort(key, kind="stable")
    again = order[1:][key[order][1:] == key[order][:-1]]
    if len(again):
        at = again.min()
        _, conversation, utterance = units[unit[at]]
        raise BadInput(
            f"{annotators[annotator[at]]} labelled conversation {conversation}, utterance {utterance} more than once. If that was in "
            "more than one round, say which is meant: --round NAME. Otherwise keep one."
        )


def sorted_names(names: Mapping[str, int], index: Whole) -> tuple[tuple[str, ...], Whole]:
    """The names in order, and the index into them."""
    ordered = sorted(names)
    place = np.empty(len(ordered), dtype=np.int64)
    place[[names[name] for name in ordered]] = np.arange(len(ordered))
    return tuple(ordered), place[index]


def pairs_of(ratings: Ratings) -> dict[tuple[str, str], dict[str, Cells]]:
    """The pairs of labels of every two annotators: {(A, B): {role: Cells}}, A before B by name.

    Every pair of annotators and every role is there, even without overlap. Only utterances with a label of both count as
    pairs; those of a conversation both worked on where one skipped count in `n_skipped`, where one left nothing in `n_blank`.

    >>> said = [Judgement(who, "c1", "1", "Seeker", frozenset({"ACK"})) for who in ("ben", "ana")]
    >>> pairs_of(gather(said))["ana", "ben"]["Seeker"].n.tolist()
    [1]
    """
    met = met_of(ratings)
    n_roles, n_annotators = len(ratings.roles), len(ratings.annotators)
    pair = met.first * n_annotators + met.second
    blank = _blank(ratings, met)
    group = (pair * n_roles + met.role) * 2 + met.skipped
    order = np.argsort(group, kind="stable")
    edges = np.searchsorted(group[order], np.arange(n_annotators**2 * n_roles * 2 + 1))
    found: dict[tuple[str, str], dict[str, Cells]] = {}
    for first in range(n_annotators):
        for second in range(first + 1, n_annotators):
            base = (first * n_annotators + second) * n_roles
            rows = [order[edges[2 * (base + role)] : edges[2 * (base + role) + 1]] for role in range(n_roles)]
            skips = [int(edges[2 * (base + role) + 2] - edges[2 * (base + role) + 1]) for role in range(n_roles)]
            conversations = used(met.conversation[np.concatenate(rows)])
            found[ratings.annotators[first], ratings.annotators[second]] = {
                name: replace(
                    _cells(ratings.labels, np.searchsorted(conversations, met.conversation[of_role]), met.a[of_role], met.b[of_role]),
                    n_skipped=skipped, n_blank=int(blank[role, first, second]),
                )
                for role, (name, of_role, skipped) in enumerate(zip(ratings.roles, rows, skips, strict=True))
            }  # fmt: skip
    return found


def _cells(labels: tuple[Codes, ...], conversation: Whole, a: Whole, b: Whole) -> Cells:
    """Pairs with only the labels that are in them; equal cells are counted together."""
    there, both = numbered(np.concatenate((a, b)), len(labels))
    size = max(len(there), 1)
    key, n = np.unique((conversation * size + both[: len(a)]) * size + both[len(a) :], return_counts=True)
    return Cells(tuple(labels[at] for at in there.tolist()), key // size**2, key // size % size, key % size, n)


@dataclass(frozen=True, slots=True)
class Met:
    """Every two ratings of one utterance, one per element: of annotators `first` < `second`, labels `a` and `b`, -1 for a skip.

    All are indexes into the names of the ratings they come from.
    """

    first: Whole
    second: Whole
    role: Whole
    conversation: Whole
    unit: Whole
    a: Whole
    b: Whole

    @property
    def skipped(self) -> NDArray[np.bool_]:
        """Where one of the two skipped."""
        return np.asarray((self.a == SKIPPED) | (self.b == SKIPPED))

    def where(self, chosen: NDArray[Any]) -> "Met":
        """Some of them, by a mask or by their places."""
        chosen = without_copying(chosen)
        return Met(*(getattr(self, field.name)[chosen] for field in fields(self)))


def met_of(ratings: Ratings) -> Met:
    """Sorted by utterance and annotator, an utterance's ratings stand side by side: pair each with the next, the next but one, ...

    >>> said = [Judgement(who, "c1", "1", "Seeker", frozenset({"ACK"})) for who in ("ben", "ana", "cem")]
    >>> found = met_of(gather(said))
    >>> sorted(zip(found.first.tolist(), found.second.tolist()))
    [(0, 1), (0, 2), (1, 2)]
    """
    order = np.argsort(ratings.unit * len(ratings.annotators) + ratings.annotator, kind="stable")
    unit = ratings.unit[order]
    left, right = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for lag in range(1, len(ratings.annotators)):
        at = np.flatnonzero(unit[lag:] == unit[:-lag])
        if not len(at):
            break
        left.append(order[at])
        right.append(order[at + lag])
    a, b = np.concatenate(left), np.concatenate(right)
    return Met(
        ratings.annotator[a], ratings.annotator[b], ratings.role[a], ratings.conversation[a], ratings.unit[a],
        ratings.label[a], ratings.label[b],
    )  # fmt: skip


def _blank(ratings: Ratings, met: Met) -> Whole:
    """Per role, first and second annotator: utterances of conversations both worked on that only one of them rated."""
    n_roles, n_annotators = len(ratings.roles), len(ratings.annotators)
    n_conversations = int(ratings.conversation.max(initial=-1)) + 1
    place = (ratings.role * n_annotators + ratings.annotator) * n_conversations + ratings.conversation
    size = n_roles * n_annotators * n_conversations
    rated = np.bincount(place, minlength=size).reshape(n_roles, n_annotators, n_conversations)
    worked = (rated.sum(axis=0) > 0).astype(np.int64)
    either = rated @ worked.T
    place = (met.role * n_annotators + met.first) * n_annotators + met.second
    both = np.bincount(place, minlength=n_roles * n_annotators**2).reshape(n_roles, n_annotators, n_annotators)
    blank: Whole = either + either.transpose(0, 2, 1) - 2 * both
    return blank


def pooled(by_role: Mapping[str, Cells]) -> Cells:
    """The roles in one table, codes as `Role/CODE`; the label without codes is the same in all roles."""
    place: dict[Codes, int] = {}
    a, b = [], []
    for role, cells in by_role.items():
        qualified = [frozenset(f"{role}/{code}" for code in label) for label in cells.labels]
        index = np.array([place.setdefault(label, len(place)) for label in qualified], dtype=np.int64)
        a.append(index[cells.a])
        b.append(index[cells.b])
    parts = by_role.values()
    return Cells(
        tuple(place),
        np.concatenate([cells.conversation for cells in parts]), np.concatenate(a), np.concatenate(b),
        np.concatenate([cells.n for cells in parts]),
        sum(cells.n_skipped for cells in parts), sum(cells.n_blank for cells in parts),
    )  # fmt: skip


def collapsed(cells: Cells, category: Mapping[str, str]) -> Cells:
    """The same utterances labelled with the categories of their codes; a code without a category is one of its own.

    >>> table = {(frozenset({"PCT"}), frozenset({"PEP"})): 2}
    >>> collapsed(cells_of([table]), {"PCT": "Provide", "PEP": "Provide"}).labels
    (frozenset({'Provide'}),)
    """
    place: dict[Codes, int] = {}
    labels = [frozenset(category.get(code, code) for code in label) for label in cells.labels]
    index = np.array([place.setdefault(label, len(place)) for label in labels], dtype=np.int64)
    return replace(cells, labels=tuple(place), a=index[cells.a], b=index[cells.b])


def cells_of(conversations: Iterable[Mapping[tuple[Codes, Codes], int]]) -> Cells:
    """Cells from one table per conversation, as a script may have them.

    >>> x, y = frozenset("x"), frozenset("y")
    >>> cells_of([{(x, x): 3}, {(x, y): 1}]).conversation.tolist()
    [0, 1]
    """
    place: dict[Codes, int] = {}
    rows = [
        (at, place.setdefault(a, len(place)), place.setdefault(b, len(place)), n)
        for at, table in enumerate(conversations)
        for (a, b), n in table.items()
        if n
    ]
    conversation, a, b, n = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return Cells(tuple(place), conversation, a, b, n)
