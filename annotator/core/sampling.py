"""Drawing a round: which conversations are blind, who labels which, and who labels which of them a second time.

All draws follow from a seed, and none depends on the order in which conversations or annotators are given. How many labels
a figure needs is `core/precision.py`'s.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import combinations
from math import ceil, floor
from random import Random
from typing import TypeVar

_One = TypeVar("_One", str, tuple[str, str])


@dataclass(frozen=True, slots=True)
class Design:
    """How a round is drawn: annotators per conversation (None: all of them), the shares of blind ones and of repeats (0 to 1)."""

    overlap: int | None
    blind: float
    repeats: float
    seed: int


@dataclass(frozen=True, slots=True)
class Place:
    """A conversation in a round: its condition, who labels it, who of them once more, and whose work on it has begun."""

    conversation: str
    stratum: str
    blind: bool
    annotators: tuple[str, ...]
    repeat_of: tuple[str, ...] = ()
    begun: frozenset[str] = field(default=frozenset(), compare=False)

    @property
    def condition(self) -> str:
        """The condition in the word that rows and exports hold."""
        return "blind" if self.blind else "assisted"


def draw_places(
    design: Design,
    strata: Mapping[str, str],
    annotators: Collection[str],
    before: Sequence[Place] = (),
    newcomers: Collection[str] = (),
) -> tuple[Place, ...]:
    """Place the conversations of `strata` (conversation → stratum) among `annotators`, after what was placed `before`.

    Every conversation gets exactly `overlap` annotators; loads are within one of each other, in the blind and in the
    assisted part too, and with places `before` as even as those allow. Of each stratum a share is blind, to within one
    conversation. `newcomers` are those of the `annotators` who come into a round that has places: they take over from the
    most loaded what has not begun, by as few moves as make loads even. With overlap None they get everything instead.
    Conditions drawn before never change, and what has begun never moves. There must be at least `overlap` annotators.

    >>> places = draw_places(Design(2, 0.5, 0.0, 7), {"c1": "x", "c2": "x", "c3": "y", "c4": "y"}, ["ana", "ben", "cem", "dan"])
    >>> [" ".join([place.conversation, place.condition, *place.annotators]) for place in places]
    ['c1 assisted cem dan', 'c2 blind ana dan', 'c3 blind ben cem', 'c4 assisted ana ben']
    """

    def stream(what: str) -> Random:  # one for each draw, so that more repeats change no condition
        return Random(f"{design.seed} {len(before)} {what}")  # noqa: S311 - a draw anyone may repeat, no secret

    before = sorted(before, key=lambda place: place.conversation)
    known = {place.conversation: place.stratum for place in before}
    drawn = {place.conversation: place.blind for place in before}
    blind = draw_share({**known, **strata}, design.blind, stream("blind"), drawn)
    new = [Place(one, strata[one], one in blind, ()) for one in sorted(strata)]
    if design.overlap is None:
        places = [replace(place, annotators=tuple(sorted({*place.annotators, *newcomers}))) for place in before]
        places += [replace(place, annotators=tuple(sorted(annotators))) for place in new]
    else:
        dealt = _allocate(new, before, annotators, design.overlap, stream("allocate"))
        places = _take_over(before, dealt, sorted(newcomers), stream("take over")) + dealt
    return _with_repeats(sorted(places, key=lambda place: place.conversation), design.repeats, stream("repeats"))


def exact_share(share: float) -> Fraction:
    """The share that was meant: 0.1 is a tenth, and 0.3333333 a third.

    >>> exact_share(0.1), exact_share(1 / 3)
    (Fraction(1, 10), Fraction(1, 3))
    """
    return Fraction(share).limit_denominator(10_000)


def draw_share(strata: Mapping[_One, str], share: float, rng: Random, drawn: Mapping[_One, bool] | None = None) -> set[_One]:
    """Draw a share of each stratum: share * size, rounded down or up, and over all strata together the nearest whole number.

    Which strata round up is drawn too, by what rounding down would take from them; so small strata get their chance.
    `drawn` says for some whether they were drawn before. They stay as they are, count towards the share, and are not
    in the answer.

    >>> sorted(draw_share({"a": "x", "b": "x", "c": "x", "d": "x"}, 0.5, Random(1)))
    ['b', 'c']
    """
    drawn = drawn or {}
    wanted = exact_share(share)
    sizes = Counter(strata.values())
    already = Counter(strata[one] for one, is_drawn in drawn.items() if is_drawn)
    open_: dict[str, list[_One]] = {stratum: [] for stratum in sorted(sizes)}
    for one in sorted(strata):
        if one not in drawn:
            open_[strata[one]].append(one)

    def within(number: int, stratum: str) -> int:
        return min(max(number - already[stratum], 0), len(open_[stratum]))

    low = {stratum: within(floor(wanted * sizes[stratum]), stratum) for stratum in open_}
    could = [stratum for stratum in open_ if within(ceil(wanted * sizes[stratum]), stratum) > low[stratum]]
    missing = max(0, round(wanted * len(strata)) - already.total() - sum(low.values()))
    chances = {stratum: rng.random() ** (1 / float(wanted * sizes[stratum] % 1)) for stratum in could}
    for stratum in sorted(could, key=lambda stratum: -chances[stratum])[:missing]:
        low[stratum] += 1
    return {one for stratum, members in open_.items() for one in rng.sample(members, low[stratum])}


def _with_repeats(places: Sequence[Place], share: float, rng: Random) -> tuple[Place, ...]:
    """Repeats for a share of everybody's conversations, exact to one.

    Those drawn before stay with who still labels the conversation, but for those that somebody whose load shrank has too
    many of and has not begun.
    """
    pairs = {(name, place.conversation): name for place in places for name in place.annotators}
    begun = {(name, place.conversation) for place in places for name in place.begun}
    kept = {(name, place.conversation): True for place in places for name in place.repeat_of if name in place.annotators}
    for name, load in sorted(Counter(pairs.values()).items()):
        mine = [pair for pair in kept if pair[0] == name]
        loose = [pair for pair in mine if pair not in begun]
        surplus = len(mine) - ceil(exact_share(share) * load)
        for pair in rng.sample(loose, min(max(surplus, 0), len(loose))):
            del kept[pair]
    repeats = {*kept, *draw_share(pairs, share, rng, kept)}
    return tuple(
        replace(place, repeat_of=tuple(name for name in place.annotators if (name, place.conversation) in repeats)) for place in places
    )


# Who labels which


def _allocate(new: Sequence[Place], before: Sequence[Place], annotators: Collection[str], overlap: int, rng: Random) -> list[Place]:
    """Give each new place its annotators.

    First how many everybody gets of each part, last which. By the theorem of Gale and Ryser the last step always goes out
    even when each conversation takes those who have most left to get.
    """
    people = sorted(annotators)
    rng.shuffle(people)  # who gets one more where it does not go out even
    parts = {is_blind: [place.conversation for place in new if place.blind == is_blind] for is_blind in (True, False)}
    quotas = _quotas(people, overlap, {is_blind: len(part) for is_blind, part in parts.items()}, _by_part(before))
    met = _meetings(before)
    dealt: dict[str, tuple[str, ...]] = {}
    for is_blind, part in parts.items():
        rng.shuffle(part)
        dealt |= _deal(dict.fromkeys(part, overlap), quotas[is_blind], met, rng)
    return [replace(place, annotators=dealt[place.conversation]) for place in new]


def _quotas(
    people: Sequence[str], overlap: int, size: Mapping[bool, int], held: Mapping[bool, Counter[str]]
) -> dict[bool, dict[str, int]]:
    """How many new blind (True) and assisted (False) conversations each person gets: all loads first, then the blind ones even."""
    n = size[True] + size[False]
    total = _fill(people, overlap * n, lambda one, got: held[True][one] + held[False][one] + got, high=dict.fromkeys(people, n))
    blind = _fill(
        people,
        overlap * size[True],
        # Among those with as few blind ones, whoever would have more assisted ones than others.
        lambda one, got: (held[True][one] + got, -(held[False][one] + total[one] - got)),
        low={one: max(0, total[one] - size[False]) for one in people},
        high={one: min(size[True], total[one]) for one in people},
    )
    return {True: blind, False: {one: total[one] - blind[one] for one in people}}


def _by_part(places: Sequence[Place]) -> dict[bool, Counter[str]]:
    """Loads of the blind (True) and of the assisted (False) places."""
    return {is_blind: _loads(place for place in places if place.blind == is_blind) for is_blind in (True, False)}


def _meetings(places: Iterable[Place]) -> Counter[tuple[str, str]]:
    """How often two people label the same conversation."""
    return Counter(pair for place in places for pair in combinations(sorted(place.annotators), 2))


def _loads(places: Iterable[Place]) -> Counter[str]:
    return Counter(name for place in places for name in place.annotators)


def _fill(
    people: Sequence[str],
    units: int,
    level: Callable[[str, int], int | tuple[int, int]],
    *,
    high: Mapping[str, int],
    low: Mapping[str, int] | None = None,
) -> dict[str, int]:
    """Give out units one by one, each to whoever is lowest: `level` of a person and what they got. Everybody gets `low` to `high`."""
    got = dict(low or dict.fromkeys(people, 0))
    heap = [(level(one, got[one]), order, one) for order, one in enumerate(people) if got[one] < high[one]]
    heapq.heapify(heap)
    for _ in range(units - sum(got.values())):
        _, order, one = heapq.heappop(heap)
        got[one] += 1
        if got[one] < high[one]:
            heapq.heappush(heap, (level(one, got[one]), order, one))
    return got


def _deal(
    seats: Mapping[str, int], quotas: Mapping[str, int], met: Counter[tuple[str, str]], rng: Random
) -> dict[str, tuple[str, ...]]:
    """For each conversation as many distinct people as it has seats: who has most left to get, then who met the others least."""
    left = dict(sorted(quotas.items()))
    dealt = {}
    for conversation, number in seats.items():
        chosen: list[str] = []
        luck = {one: rng.random() for one in left}
        for _ in range(number):
            waiting = [one for one in left if one not in chosen]
            meetings = {one: sum(met[min(one, other), max(one, other)] for other in chosen) for one in waiting}
            chosen.append(min(waiting, key=lambda one: (-left[one], meetings[one], luck[one])))
        for one in chosen:
            left[one] -= 1
        dealt[conversation] = tuple(sorted(chosen))
        met.update(combinations(dealt[conversation], 2))
    return dealt


# Who takes over what has not begun


def _take_over(before: Sequence[Place], dealt: Sequence[Place], newcomers: Sequence[str], rng: Random) -> list[Place]:
    """The places of `before` after newcomers took over from the most loaded, until no move makes loads more even."""
    load = _loads([*before, *dealt])
    taken = dict.fromkeys(newcomers, 0)
    leaving = _Leaving(before, len(newcomers), rng)
    givers = {name for place in before for name in place.annotators}
    while newcomers and givers:
        taker = min(newcomers, key=lambda one: (load[one], taken[one], one))
        giver = max(sorted(givers), key=lambda one: load[one])
        if load[giver] - load[taker] < 2:
            break
        if leaving.add(giver):
            load[giver] -= 1
            load[taker] += 1
            taken[taker] += 1
        else:
            givers.remove(giver)  # what cannot leave now cannot later either: others only give more
    seats = {place.conversation: len(gone) for place in sorted(before, key=lambda place: not place.blind) if (gone := leaving.of(place))}
    takers = _deal(seats, taken, _meetings([*before, *dealt]), rng)
    return [
        replace(place, annotators=tuple(sorted({*place.annotators, *takers.get(place.conversation, ())} - leaving.of(place))))
        for place in before
    ]


class _Leaving:
    """Who leaves which conversation. A conversation is left by at most as many as can come, so that annotators stay distinct."""

    def __init__(self, places: Sequence[Place], seats: int, rng: Random) -> None:
        self._seats = seats
        self._gone: dict[str, set[str]] = {place.conversation: set() for place in places}
        self._movable: dict[str, list[Place]] = {}
        for place in rng.sample(sorted(places, key=lambda place: place.conversation), len(places)):
            for name in place.annotators:
                if name not in place.begun:
                    self._movable.setdefault(name, []).append(place)
        self._stays = _by_part(places)
        self._share = {is_blind: stays.total() for is_blind, stays in self._stays.items()}

    def of(self, place: Place) -> set[str]:
        """Who leaves a conversation."""
        return self._gone[place.conversation]

    def add(self, giver: str) -> bool:
        """Let a giver leave one conversation more; where all of theirs are full, somebody else may leave another one instead."""
        reached: dict[str, str] = {}  # conversation → who would leave it
        instead: dict[str, Place | None] = {giver: None}  # person → the conversation they would stay in
        waiting = [giver]
        for person in waiting:
            for place in self._candidates(person):
                if place.conversation in reached or person in self.of(place):
                    continue
                reached[place.conversation] = person
                if len(self.of(place)) < self._seats:
                    self._settle(place, reached, instead)
                    return True
                for other in sorted(self.of(place)):
                    if other not in instead:
                        instead[other] = place
                        waiting.append(other)
        return False

    def _candidates(self, person: str) -> list[Place]:
        """What somebody may leave, first of the condition of which they have more than their share."""
        more_blind = self._stays[True][person] * self._share[False] > self._stays[False][person] * self._share[True]
        return sorted(self._movable.get(person, ()), key=lambda place: place.blind != more_blind)

    def _settle(self, place: Place | None, reached: Mapping[str, str], instead: Mapping[str, Place | None]) -> None:
        while place is not None:
            person = reached[place.conversation]
            self.of(place).add(person)
            self._stays[place.blind][person] -= 1
            place = instead[person]
            if place is not None:
                self.of(place).remove(person)
                self._stays[place.blind][person] += 1
