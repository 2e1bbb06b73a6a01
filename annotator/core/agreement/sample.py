"""All labels that figures may be made of, with what tells them apart: round, condition, taxonomy version, first pass or repeat."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotator.core.agreement.counts import SKIPPED, Ratings, Whole, numbered, sorted_names, used
from annotator.core.agreement.judgement import Handed
from annotator.core.labelled import Labelled, join_codes, split_codes
from annotator.errors import BadInput

_BLANK = SKIPPED - 1
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Sample:
    """Ratings, and per rating its utterance's place among those of its role in the conversation, from 0, an index into the names of
    its round, condition and taxonomy version, and whether it is a repeat.

    `conversations` are the names that `ratings.conversation` indexes.
    """

    ratings: Ratings
    place: Whole
    conversations: tuple[str, ...]
    rounds: tuple[str, ...]
    conditions: tuple[str, ...]
    versions: tuple[str, ...]
    round: Whole
    condition: Whole
    version: Whole
    repeat: NDArray[np.bool_]

    def only(self, chosen: NDArray[np.bool_]) -> "Sample":
        """Some of the ratings; annotators and roles of which none is left are named no longer."""
        ratings = self.ratings
        columns = {name: getattr(ratings, name)[chosen] for name in ("conversation", "unit", "label")}
        annotators, annotator = _used(ratings.annotators, ratings.annotator[chosen])
        roles, role = _used(ratings.roles, ratings.role[chosen])
        kept = replace(ratings, annotators=annotators, annotator=annotator, roles=roles, role=role, **columns)
        mine = {name: getattr(self, name)[chosen] for name in ("place", "round", "condition", "version", "repeat")}
        return replace(self, ratings=kept, **mine)

    def of_round(self, name: str) -> "Sample":
        """The ratings of one round; none where nothing was said in it."""
        return self.only(self.round == (self.rounds.index(name) if name in self.rounds else -1))

    def of_annotators(self, names: Collection[str]) -> "Sample":
        """The ratings of some annotators; raises `BadInput` for one who is in none of them."""
        for name in names:
            if name not in self.ratings.annotators:
                raise BadInput(f"{name} has handed in nothing here. Who has: {', '.join(self.ratings.annotators) or 'nobody'}.")
        wanted = [name in set(names) for name in self.ratings.annotators]
        return self.only(np.array(wanted, dtype=bool)[self.ratings.annotator])

    @property
    def first(self) -> "Sample":
        """Without repeats, which are the same person once more."""
        return self.only(~self.repeat) if self.repeat.any() else self

    def named(self, column: str, chosen: NDArray[np.bool_] | None = None) -> list[str]:
        """The names in use, or of those of some of the ratings: `rounds`, `conditions` or `versions`."""
        names: tuple[str, ...] = getattr(self, column)
        index: Whole = getattr(self, column[:-1])
        return sorted(names[at] for at in used(index if chosen is None else index[chosen], len(names)))

    def check_each_once(self) -> None:
        """Raise `BadInput` where an annotator labelled an utterance more than once, as in two rounds: which is meant must be said."""
        ratings = self.ratings
        key = ratings.unit * len(ratings.annotators) + ratings.annotator
        order = np.argsort(key, kind="stable")
        again = order[1:][key[order][1:] == key[order][:-1]]
        if len(again):
            at = again.min()
            raise BadInput(
                f"{ratings.annotators[ratings.annotator[at]]} labelled conversation {self.conversations[ratings.conversation[at]]} more "
                "than once, in more than one round. Say which is meant: --round NAME. Otherwise keep one."
            )


def _used(names: tuple[str, ...], index: Whole) -> tuple[tuple[str, ...], Whole]:
    kept, place = numbered(index, len(names))
    return tuple(names[at] for at in kept.tolist()), place


def sample_of(handed: Iterable[Handed]) -> Sample:
    """The labels as arrays. Utterances are known by conversation, role and place, so both annotators' lists must be of one text.

    >>> found = sample_of([Handed("ana", "c1", "Seeker", ("IQ", None, False)), Handed("ben", "c1", "Seeker", ("IQ", "ACK", ""))])
    >>> found.ratings.unit.tolist(), found.ratings.label.tolist()
    ([0, 2, 0, 1, 2], [0, -1, 0, 1, 2])
    """
    names = {name: _Places() for name in Handed._fields}
    cells = names["labels"]
    cells |= {None: 0, False: 1}
    chunks = [_numbered(chunk, names) for chunk in _chunks(handed)] or [_numbered([], names)]
    size, cell = (np.concatenate([chunk[name] for chunk in chunks]) for name in ("size", "labels"))
    labels = _Places()
    of_cell = [_BLANK, SKIPPED, *(labels[frozenset(split_codes(one))] for one in list(cells)[2:])]
    said = np.array(of_cell, dtype=np.int64)[cell]
    kept = said > _BLANK
    said = said[kept]
    within = (np.arange(len(cell)) - np.repeat(np.cumsum(size) - size, size))[kept]
    of = {name: np.repeat(np.concatenate([chunk[name] for chunk in chunks]), size)[kept] for name in names if name != "labels"}
    unit = (of["conversation"] * max(len(names["role"]), 1) + of["role"]) * int(size.max(initial=0)) + within
    annotators, annotator = sorted_names(names["annotator"], of["annotator"])
    roles, role = sorted_names(names["role"], of["role"])
    repeat = np.array(list(names["repeat"]), dtype=bool)[of["repeat"]]
    return Sample(
        Ratings(annotators, roles, tuple(labels), annotator, role, of["conversation"], unit, said),
        within, tuple(names["conversation"]), tuple(names["round"]), tuple(names["condition"]), tuple(names["version"]),
        of["round"], of["condition"], of["version"], repeat,
    )  # fmt: skip


class _Places(dict[Any, int]):
    """Numbers what it is asked for, in the order of being asked."""

    def __missing__(self, key: Any) -> int:
        self[key] = place = len(self)
        return place


def _chunks(handed: Iterable[Handed]) -> Iterator[list[Handed]]:
    """A few at a time, so that a reader of the database need not hold them all."""
    handed = iter(handed)
    while chunk := list(islice(handed, _CHUNK)):
        yield chunk


def _numbered(handed: Sequence[Handed], names: Mapping[str, _Places]) -> dict[str, Whole]:
    """Each column as numbers, the labels one after the other, and how many of them each has."""
    columns = dict(zip(Handed._fields, zip(*handed, strict=True), strict=True)) if handed else dict.fromkeys(Handed._fields, ())
    sizes = np.fromiter(map(len, columns["labels"]), dtype=np.int64, count=len(handed))
    columns["labels"] = tuple(chain.from_iterable(columns["labels"]))
    found = {name: np.fromiter(map(names[name].__getitem__, column), np.int64, len(column)) for name, column in columns.items()}
    return found | {"size": sizes}


def sample_of_rows(rows: Iterable[Labelled]) -> Sample:
    """The labels of a long table; rows without an annotator say which utterances there are, and are no labels.

    >>> row = Labelled("c1", "1", "Seeker", "ana", ("IQ",))
    >>> sample_of_rows([row, row._replace(annotator="ben", utterance="2")]).ratings.unit.tolist()
    [0, 1]
    """
    places: dict[tuple[str, str], dict[str, int]] = {}
    handed: dict[tuple[Any, ...], dict[int, str]] = {}
    for row in rows:
        place = places.setdefault((row.conversation, row.role), {})
        at = place.setdefault(row.utterance, len(place))
        if row.annotator:
            key = (row.annotator, row.conversation, row.role, row.round, row.condition, row.taxonomy_version, row.repeat)
            handed.setdefault(key, {})[at] = join_codes(row.codes)
    return sample_of(
        Handed(annotator, conversation, role, tuple(map(said.get, range(max(said) + 1))), *told)
        for (annotator, conversation, role, *told), said in handed.items()
    )
