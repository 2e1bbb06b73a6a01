"""All labels that figures may be made of, with what tells them apart: round, condition, taxonomy version, first pass or repeat."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotator.core.agreement.counts import SKIPPED, Ratings, Whole, sorted_names
from annotator.core.agreement.judgement import Codes, Handed
from annotator.core.labelled import Labelled, join_codes, split_codes
from annotator.errors import BadInput

_BLANK = SKIPPED - 1


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

    def named(self, column: str) -> list[str]:
        """The names in use: `rounds`, `conditions` or `versions`."""
        names: tuple[str, ...] = getattr(self, column)
        return sorted(names[at] for at in np.unique(getattr(self, column[:-1])).tolist())

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
    used = np.unique(index)
    return tuple(names[at] for at in used.tolist()), np.searchsorted(used, index)


def sample_of(handed: Iterable[Handed]) -> Sample:
    """The labels as arrays. Utterances are known by conversation, role and place, so both annotators' lists must be of one text.

    >>> found = sample_of([Handed("ana", "c1", "Seeker", ("IQ", None, False)), Handed("ben", "c1", "Seeker", ("IQ", "ACK", ""))])
    >>> found.ratings.unit.tolist(), found.ratings.label.tolist()
    ([0, 2, 0, 1, 2], [0, -1, 0, 1, 2])
    """
    handed = list(handed)
    names: dict[str, dict[str, int]] = {name: {} for name in ("annotator", "conversation", "role", "round", "condition", "version")}
    index = {name: np.array([place.setdefault(getattr(one, name), len(place)) for one in handed]) for name, place in names.items()}
    sizes = np.array([len(one.labels) for one in handed], dtype=np.int64)
    cells: dict[Any, int] = {None: 0, False: 1}
    cell = np.array([cells.setdefault(one, len(cells)) for one in chain.from_iterable(one.labels for one in handed)], dtype=np.int64)
    labels: dict[Codes, int] = {}
    of_cell = [_BLANK, SKIPPED, *(labels.setdefault(frozenset(split_codes(one)), len(labels)) for one in list(cells)[2:])]
    said = np.array(of_cell, dtype=np.int64)[cell]
    places = np.arange(len(said)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    block = index["conversation"].astype(np.int64) * max(len(names["role"]), 1) + index["role"]
    longest = int(sizes.max(initial=0))
    kept = said > _BLANK
    spread = {name: np.repeat(of_name.astype(np.int64), sizes)[kept] for name, of_name in index.items()}
    annotators, annotator = sorted_names(names["annotator"], spread["annotator"])
    roles, role = sorted_names(names["role"], spread["role"])
    ratings = Ratings(
        annotators, roles, tuple(labels),
        annotator, role, spread["conversation"], (np.repeat(block, sizes) * longest + places)[kept], said[kept],
    )  # fmt: skip
    repeat = np.repeat(np.array([one.repeat for one in handed], dtype=bool), sizes)[kept]
    return Sample(
        ratings, places[kept], tuple(names["conversation"]), tuple(names["round"]), tuple(names["condition"]), tuple(names["version"]),
        spread["round"], spread["condition"], spread["version"], repeat,
    )  # fmt: skip


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
