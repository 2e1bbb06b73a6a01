"""Labels of one or several rounds beside what a run proposed: arrays, and the pairs of labels of people and model in each arm."""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotator.core.agreement.counts import SKIPPED, Met, Ratings, Real, Whole, met_of
from annotator.core.agreement.joint_codes import code_sums
from annotator.core.agreement.judgement import Handed
from annotator.core.agreement.overview import Pool
from annotator.core.agreement.sample import Sample, sample_of
from annotator.core.influence.shown import Shown
from annotator.core.labelled import split_codes

NO_PROPOSAL = -1
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Proposed:
    """A sample, and per rating the label that the run proposes, an index into the ratings' labels or -1, and seconds or nan."""

    sample: Sample
    proposal: Whole
    seconds: Real

    @property
    def ratings(self) -> Ratings:
        """The sample's."""
        return self.sample.ratings

    @property
    def labelled(self) -> Mask:
        """Where there is a label rather than a skip."""
        return np.asarray(self.ratings.label != SKIPPED)

    @property
    def compared(self) -> Mask:
        """Where there is a label and a proposal."""
        return np.asarray(self.labelled & (self.proposal != NO_PROPOSAL))

    @property
    def equal(self) -> Mask:
        """Where the label is the proposal, as sets of codes."""
        return np.asarray(self.compared & (self.ratings.label == self.proposal))

    def of_round(self, name: str) -> "Proposed":
        """The ratings of a round, none where it is not known; annotators and roles without any are named no longer."""
        chosen = self._are(self.sample.rounds, self.sample.round, name)
        return Proposed(self.sample.only(chosen), self.proposal[chosen], self.seconds[chosen])

    def in_condition(self, name: str) -> "Proposed":
        """The ratings of one condition, which may be none; all annotators and roles keep their names and places."""
        return self.where(self._are(self.sample.conditions, self.sample.condition, name))

    def where(self, chosen: Mask) -> "Proposed":
        """Some of the ratings; all names keep their places."""
        columns = {name: getattr(self.ratings, name)[chosen] for name in ("annotator", "role", "conversation", "unit", "label")}
        mine = {name: getattr(self.sample, name)[chosen] for name in ("place", "round", "condition", "version", "repeat")}
        sample = replace(self.sample, ratings=replace(self.ratings, **columns), **mine)
        return Proposed(sample, self.proposal[chosen], self.seconds[chosen])

    def _are(self, names: tuple[str, ...], index: Whole, name: str) -> Mask:
        return np.asarray(index == names.index(name)) if name in names else np.zeros(len(index), dtype=bool)


def proposed_of(shown: Iterable[Shown]) -> Proposed:
    """The labels as arrays; repeats, which are the same person once more, are left out.

    >>> from annotator.core.agreement.judgement import Handed
    >>> found = proposed_of([Shown(Handed("ana", "c1", "Seeker", ("IQ", None, False)), ("IQ", "IQ", "RP|ACK"), (2.5, None, None))])
    >>> found.ratings.labels[found.proposal[1]] == {"RP", "ACK"}, found.equal.tolist(), found.seconds.tolist()
    (True, [True, False], [2.5, nan])
    """
    cells: dict[str | None, int] = {}
    cell, seconds = array("q"), array("d")

    def handed() -> Iterator[Handed]:
        # On its way into the sample, so that they are never all held at once.
        for one in shown:
            if not one.handed.repeat:
                for said, proposal, time in zip(one.handed.labels, one.proposals, one.seconds, strict=True):
                    if said is not None:
                        cell.append(cells.setdefault(proposal or None, len(cells)))
                        seconds.append(nan if time is None else time)
                yield one.handed

    sample = sample_of(handed())
    place = {label: at for at, label in enumerate(sample.ratings.labels)}
    of_cell = [NO_PROPOSAL if one is None else place.setdefault(frozenset(split_codes(one)), len(place)) for one in cells]
    proposal = np.array(of_cell, dtype=np.int64)[np.array(cell, dtype=np.int64)]
    labelled = replace(sample, ratings=replace(sample.ratings, labels=tuple(place)))
    return Proposed(labelled, proposal, np.array(seconds, dtype=np.float64))


@dataclass(frozen=True, slots=True)
class Arm:
    """The labels of one condition, the pairs of people's labels there, and the pairs of a person's label and the model's."""

    name: str
    labels: Proposed
    people: Pool
    model: Pool

    def of(self, annotator: int) -> "Arm":
        """What concerns one annotator, by their place among the names: their labels, and the pairs that they are in."""
        people, model = self.people.met, self.model.met
        return Arm(
            self.name,
            self.labels.where(self.labels.ratings.annotator == annotator),
            _pool(self.people.ratings, people.where((people.first == annotator) | (people.second == annotator))),
            _pool(self.model.ratings, model.where(model.first == annotator)),
        )


def arm_of(labels: Proposed, name: str) -> Arm:
    """One arm of the labels of a round, blind or assisted; skips are in no pair."""
    arm = labels.in_condition(name)
    met = met_of(arm.ratings)
    return Arm(name, arm, _pool(arm.ratings, met.where(~met.skipped)), _pool(arm.ratings, _beside_model(arm)))


def _beside_model(arm: Proposed) -> Met:
    """The model as one annotator more, who comes second in every pair; people are not paired with each other."""
    ratings, both = arm.ratings, arm.compared
    columns: list[Any] = [getattr(ratings, name)[both] for name in ("annotator", "role", "conversation", "unit", "label")]
    annotator, role, conversation, unit, label = columns
    return Met(annotator, np.full(len(unit), len(ratings.annotators)), role, conversation, unit, label, arm.proposal[both])


def _pool(ratings: Ratings, met: Met) -> Pool:
    codes = {role: code_sums(ratings.labels, met.where(met.role == at)) for at, role in enumerate(ratings.roles)}
    return Pool(ratings, met, codes, directed=False)
