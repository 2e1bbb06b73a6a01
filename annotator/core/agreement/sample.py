"""All labels that figures may be made of, with what tells them apart: round, condition, taxonomy version, first pass or repeat."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from operator import itemgetter
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from annotator.core.agreement.asked import Corpus
from annotator.core.agreement.counts import SKIPPED, Ratings, Whole, numbered, sorted_names, used, without_copying
from annotator.core.agreement.judgement import Codes, Handed
from annotator.core.labelled import Labelled, split_codes
from annotator.errors import BadInput

_BLANK = SKIPPED - 1
_CHUNK = 500
_OF_ROW = ("annotator", "conversation", "role", "round", "condition", "taxonomy_version", "repeat", "codes")
"""What a row of a long table tells of its label, in the order of `Handed`."""

_Row = TypeVar("_Row")


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
        ratings, chosen = self.ratings, without_copying(chosen)
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
        return sorted(names[at] for at in used(index if chosen is None else index[chosen]).tolist())

    def check_each_once(self) -> None:
        """Raise `BadInput` where an annotator labelled an utterance more than once, as in two rounds: which is meant must be said."""
        ratings = self.ratings
        key = ratings.unit * len(ratings.annotators) + ratings.annotator
        order = np.argsort(key, kind="stable")
        again = order[1:][key[order][1:] == key[order][:-1]]
        if len(again):
            at = again.min()
            who, where = ratings.annotators[ratings.annotator[at]], self.conversations[ratings.conversation[at]]
            rounds = ", ".join(filter(None, self.rounds)) or "there is none"
            raise BadInput(
                f"{who} labelled conversation {where} more than once, in more than one round. Choose one with --round NAME: {rounds}."
            )


def _used(names: tuple[str, ...], index: Whole) -> tuple[tuple[str, ...], Whole]:
    kept, place = numbered(index, len(names))
    return (names, index) if len(kept) == len(names) else (tuple(names[at] for at in kept.tolist()), place)


def sample_of(handed: Iterable[Handed]) -> Sample:
    """The labels as arrays. Utterances are known by conversation, role and place, so both annotators' lists must be of one text.

    >>> found = sample_of([Handed("ana", "c1", "Seeker", ("IQ", None, False)), Handed("ben", "c1", "Seeker", ("IQ", "ACK", ""))])
    >>> found.ratings.unit.tolist(), found.ratings.label.tolist()
    ([0, 2, 0, 1, 2], [0, -1, 0, 1, 2])
    """
    names = {name: _Places() for name in Handed._fields if name != "labels"}
    cells = _Places({None: 0, False: 1})
    found = _Columns((*names, "size", "cell"))
    for chunk in _chunks(handed):
        columns = dict(zip(Handed._fields, zip(*chunk, strict=True), strict=True))
        labels = columns.pop("labels")
        found.add({name: names[name].numbers(column) for name, column in columns.items()})
        found.add({"size": [len(one) for one in labels], "cell": cells.numbers(list(chain.from_iterable(labels)))})
    of = found.whole()
    size, cell = of.pop("size"), of.pop("cell")
    kinds = _Places()
    of_cell = [_BLANK, SKIPPED, *(kinds[frozenset(split_codes(one))] for one in list(cells)[2:])]
    said = np.array(of_cell, dtype=np.int64)[cell]
    kept = without_copying(said > _BLANK)
    within = np.arange(len(cell)) - np.repeat(np.cumsum(size) - size, size)
    return _sample(names, {name: np.repeat(index, size)[kept] for name, index in of.items()}, within[kept], (tuple(kinds), said[kept]))


def sample_of_rows(rows: Iterable[Labelled]) -> Sample:
    """The labels of a long table; rows without an annotator say which utterances there are, and are no labels.

    >>> row = Labelled("c1", "1", "Seeker", "ana", ("IQ",))
    >>> sample_of_rows([row, row._replace(annotator="ben", utterance="2")]).ratings.unit.tolist()
    [0, 1]
    """
    return table_of_rows(rows)[0]


def table_of_rows(rows: Iterable[Labelled]) -> tuple[Sample, Corpus]:
    """The same, and how much there is to label; the rows are read once and not kept."""
    names = {name: _Places() for name in Handed._fields if name != "labels"}
    codes, places = _Places(), defaultdict[tuple[str, str], _Places](_Places)
    found = _Columns((*names, "codes", "within"))
    for chunk in _chunks(rows):
        within = [places[row.conversation, row.role][row.utterance] for row in chunk]
        told = [_TOLD(row) for row in chunk if row.annotator]
        columns = zip((names | {"codes": codes}).items(), zip(*told, strict=True), strict=True) if told else ()
        found.add({name: place.numbers(column) for (name, place), column in columns})
        found.add({"within": [at for at, row in zip(within, chunk, strict=True) if row.annotator]})
    of = found.whole()
    kinds = _Places()
    of_codes = np.array([kinds[frozenset(one)] for one in codes], dtype=np.int64)
    n_utterances = Counter[str]()
    for (_, role), utterances in places.items():
        n_utterances[role] += len(utterances)
    corpus = Corpus(len({conversation for conversation, _ in places}), n_utterances)
    said = of_codes[of.pop("codes")]
    return _sample(names, of, of.pop("within"), (tuple(kinds), said)), corpus


_TOLD = itemgetter(*map(Labelled._fields.index, _OF_ROW))


class _Places(dict[Any, int]):
    """Numbers what it is asked for, in the order of being asked."""

    __slots__ = ()

    def __missing__(self, key: Any) -> int:
        self[key] = place = len(self)
        return place

    def numbers(self, values: Collection[Any]) -> NDArray[np.int32]:
        """The number of each."""
        return np.fromiter(map(self.__getitem__, values), np.int32, len(values))


class _Columns:
    """Columns of whole numbers that grow."""

    def __init__(self, names: Iterable[str]) -> None:
        self._parts: dict[str, list[NDArray[np.int32]]] = {name: [] for name in names}

    def add(self, parts: Mapping[str, Sequence[int] | NDArray[np.int32]]) -> None:
        """Put something at the end of some of them."""
        for name, part in parts.items():
            self._parts[name].append(np.asarray(part, dtype=np.int32))

    def whole(self) -> dict[str, Whole]:
        """All of every column, which is then gone from here."""
        parts, self._parts = self._parts, {}
        return {name: np.concatenate([np.empty(0, dtype=np.int32), *parts.pop(name)], dtype=np.int64) for name in list(parts)}


def _chunks(rows: Iterable[_Row]) -> Iterator[list[_Row]]:
    """Some at a time, so that who reads them need not hold them all."""
    rows = iter(rows)
    while chunk := list(islice(rows, _CHUNK)):
        yield chunk


def _sample(names: Mapping[str, _Places], of: dict[str, Whole], within: Whole, said: tuple[tuple[Codes, ...], Whole]) -> Sample:
    """A sample of one element per label: `of` indexes the names, `within` is the utterance's place; what was said, and by which."""
    unit = (of["conversation"] * max(len(names["role"]), 1) + of["role"]) * (int(within.max(initial=-1)) + 1) + within
    annotators, annotator = sorted_names(names["annotator"], of.pop("annotator"))
    roles, role = _used(*sorted_names(names["role"], of.pop("role")))
    repeat = np.array(list(names["repeat"]), dtype=bool)[of.pop("repeat")]
    return Sample(
        Ratings(annotators, roles, said[0], annotator, role, of["conversation"], unit, said[1]),
        within, tuple(names["conversation"]), tuple(names["round"]), tuple(names["condition"]), tuple(names["version"]),
        of["round"], of["condition"], of["version"], repeat,
    )  # fmt: skip
