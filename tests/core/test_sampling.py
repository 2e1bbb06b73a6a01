"""Drawing a round: exactly k distinct annotators, even loads, exact shares, the same for a seed; adding moves nothing that has begun."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from math import ceil, floor
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.core.sampling import Design, Place, draw_places, draw_share, exact_share

PEOPLE = ["ana", "ben", "cem", "dan", "eva", "fay", "gus", "hal"]
SHARES = st.integers(0, 20).map(lambda number: number / 20) | st.just(1 / 3)
STRATA = st.lists(st.sampled_from("xyz"), max_size=30).map(lambda drawn: {f"c{number}": one for number, one in enumerate(drawn)})


@st.composite
def cases(draw: st.DrawFn, most: int = len(PEOPLE)) -> tuple[Design, list[str]]:
    """A design with annotators enough for it."""
    people = PEOPLE[: draw(st.integers(1, most))]
    overlap = draw(st.integers(1, len(people)) | st.none())
    return Design(overlap, draw(SHARES), draw(SHARES), draw(st.integers(0, 2**40))), people


@st.composite
def begun_rounds(draw: st.DrawFn) -> tuple[Design, list[str], list[Place]]:
    """A round as drawn, in which some work has begun."""
    design, people = draw(cases(5))
    rng = draw(st.randoms(use_true_random=False))
    chance = draw(st.sampled_from([0.0, 0.2, 0.6, 1.0]))
    places = draw_places(design, draw(STRATA), people)
    return design, people, [replace(one, begun=frozenset(name for name in one.annotators if rng.random() < chance)) for one in places]


def loads(places: Sequence[Place], people: Sequence[str]) -> list[int]:
    counted = Counter(name for place in places for name in place.annotators)
    return [counted[name] for name in people]


def is_even(numbers: Sequence[int]) -> bool:
    return max(numbers) - min(numbers) <= 1


def check_blind_share(design: Design, places: Sequence[Place], before: Sequence[Place] = ()) -> None:
    """Exact to one conversation in each stratum, and in all the nearest whole number; as far as those drawn before allow."""
    share = exact_share(design.blind)
    least = most = 0
    for stratum, size in Counter(place.stratum for place in places).items():
        blind = sum(place.blind for place in places if place.stratum == stratum)
        drawn = [place.blind for place in before if place.stratum == stratum]
        allowed = [sum(drawn), sum(drawn) + size - len(drawn)]
        low, high = (min(max(number, allowed[0]), allowed[1]) for number in (floor(share * size), ceil(share * size)))
        assert low <= blind <= high
        least, most = least + low, most + high
    assert sum(place.blind for place in places) == min(max(round(share * len(places)), least), most)


def check_overlap(design: Design, places: Sequence[Place], people: Sequence[str]) -> None:
    for place in places:
        assert len(set(place.annotators)) == len(place.annotators) == (design.overlap or len(people))
        assert set(place.repeat_of) <= set(place.annotators) <= set(people)


# A new round


@given(cases(), STRATA)
def test_each_conversation_has_k_distinct_annotators_and_loads_are_even_also_in_each_condition(
    case: tuple[Design, list[str]], strata: dict[str, str]
) -> None:
    design, people = case
    places = draw_places(design, strata, people)
    assert {place.conversation: place.stratum for place in places} == strata
    check_overlap(design, places, people)
    for part in (places, [one for one in places if one.blind], [one for one in places if not one.blind]):
        assert is_even(loads(part, people))


@given(cases(), STRATA)
def test_the_blind_share_is_exact(case: tuple[Design, list[str]], strata: dict[str, str]) -> None:
    check_blind_share(case[0], draw_places(case[0], strata, case[1]))


def check_repeats(design: Design, places: Sequence[Place], people: Sequence[str]) -> None:
    """Exact to one for everybody."""
    share = exact_share(design.repeats)
    repeats = Counter(name for place in places for name in place.repeat_of)
    for name, load in zip(people, loads(places, people), strict=True):
        assert floor(share * load) <= repeats[name] <= ceil(share * load)


@given(cases(), STRATA)
def test_everybody_repeats_their_share(case: tuple[Design, list[str]], strata: dict[str, str]) -> None:
    design, people = case
    places = draw_places(design, strata, people)
    check_repeats(design, places, people)
    in_all = sum(len(place.repeat_of) for place in places)
    assert in_all == round(exact_share(design.repeats) * sum(loads(places, people)))


@given(cases(5), STRATA, STRATA)
def test_everybody_repeats_their_share_after_newcomers_came(
    case: tuple[Design, list[str]], strata: dict[str, str], more: dict[str, str]
) -> None:
    design, people = case
    before = draw_places(design, strata, people)
    everybody = PEOPLE[:7]
    after = draw_places(design, {f"new {key}": one for key, one in more.items()}, everybody, before, everybody[len(people) :])
    check_repeats(design, after, everybody)


@given(cases(), STRATA, st.randoms(use_true_random=False))
def test_the_same_seed_gives_the_same_in_whatever_order_names_come(
    case: tuple[Design, list[str]], strata: dict[str, str], rng: Random
) -> None:
    design, people = case
    shuffled = dict(rng.sample(list(strata.items()), len(strata)))
    assert draw_places(design, strata, people) == draw_places(design, shuffled, rng.sample(people, len(people)))


def test_another_seed_gives_another_plan() -> None:
    strata = {f"c{number}": "" for number in range(40)}
    plans = {draw_places(Design(2, 0.25, 0.1, seed), strata, PEOPLE[:4]) for seed in range(5)}
    assert len(plans) == 5


def test_more_repeats_or_annotators_change_no_condition() -> None:
    strata = {f"c{number}": "" for number in range(40)}
    few = draw_places(Design(2, 0.25, 0.0, 7), strata, PEOPLE[:4])
    more = draw_places(Design(2, 0.25, 0.5, 7), strata, PEOPLE[:4])
    assert [replace(place, repeat_of=()) for place in more] == list(few)
    assert [place.blind for place in draw_places(Design(3, 0.25, 0.0, 7), strata, PEOPLE)] == [place.blind for place in few]


def test_all_pairs_of_annotators_meet_about_as_often() -> None:
    places = draw_places(Design(2, 0.2, 0.0, 1), {f"c{number}": str(number % 8) for number in range(60)}, PEOPLE[:4])
    met = Counter(place.annotators for place in places)
    assert len(met) == 6
    assert all(8 <= count <= 12 for count in met.values())


def test_small_strata_have_their_chance_of_being_blind() -> None:
    strata = {"c0": "alone", **{f"c{number}": "many" for number in range(1, 10)}}
    drawn = sum("c0" in draw_share(strata, 0.3, Random(seed)) for seed in range(400))
    assert 80 <= drawn <= 160  # 120 expected


@pytest.mark.parametrize(("share", "blind"), [(0.0, 0), (1.0, 12), (1 / 3, 4), (0.2, 2), (0.25, 3)])
def test_shares_of_twelve(share: float, blind: int) -> None:
    strata = {f"c{number}": str(number % 2) for number in range(12)}
    assert sum(place.blind for place in draw_places(Design(2, share, 0.0, 1), strata, PEOPLE[:3])) == blind


# More conversations, more annotators


@given(begun_rounds(), STRATA, st.integers(0, 3))
def test_adding_moves_nothing_that_has_begun_and_changes_no_condition(
    case: tuple[Design, list[str], list[Place]], more: dict[str, str], n_newcomers: int
) -> None:
    design, people, before = case
    newcomers = PEOPLE[len(people) : len(people) + n_newcomers]
    everybody = people + newcomers
    strata = {f"new {key}": stratum for key, stratum in more.items()}
    after = {place.conversation: place for place in draw_places(design, strata, everybody, before, newcomers)}
    assert set(after) == {place.conversation for place in before} | set(strata)
    check_overlap(design, list(after.values()), everybody)
    check_blind_share(design, list(after.values()), before)
    for old in before:
        now = after[old.conversation]
        assert now.blind == old.blind
        assert old.begun <= set(now.annotators)
        assert set(now.annotators) - set(old.annotators) <= set(newcomers)
        assert set(old.repeat_of) & old.begun <= set(now.repeat_of)
        if design.overlap is None:
            assert set(now.annotators) == set(old.annotators) | set(newcomers)


@given(begun_rounds(), STRATA)
def test_more_conversations_alone_move_nobody_and_keep_loads_even(
    case: tuple[Design, list[str], list[Place]], more: dict[str, str]
) -> None:
    design, people, before = case
    strata = {f"new {key}": stratum for key, stratum in more.items()}
    after = draw_places(design, strata, people, before)
    placed = {place.conversation: place.annotators for place in after}
    assert all(placed[old.conversation] == old.annotators for old in before)
    assert is_even(loads(after, people))


@given(begun_rounds(), st.integers(1, 3), st.randoms(use_true_random=False))
def test_adding_is_the_same_in_whatever_order_things_come(
    case: tuple[Design, list[str], list[Place]], n_newcomers: int, rng: Random
) -> None:
    design, people, before = case
    newcomers = PEOPLE[len(people) : len(people) + n_newcomers]
    everybody = people + newcomers
    shuffled = draw_places(design, {}, everybody[::-1], rng.sample(before, len(before)), newcomers[::-1])
    assert draw_places(design, {}, everybody, before, newcomers) == shuffled


def best(before: Sequence[Place], people: Sequence[str], newcomers: Sequence[str]) -> tuple[int, int]:
    """By trying everything: the most even loads there can be (the least sum of squares), and the fewest moves to them."""
    movable = [(place, name) for place in before for name in place.annotators if name not in place.begun]
    found = []
    for choice in product([None, *newcomers], repeat=len(movable)):
        gone = {(place.conversation, name): to for (place, name), to in zip(movable, choice, strict=True) if to}
        after = [[gone.get((place.conversation, name), name) for name in place.annotators] for place in before]
        if all(len(set(names)) == len(names) for names in after):
            counted = Counter(name for names in after for name in names)
            found.append((sum(counted[name] ** 2 for name in (*people, *newcomers)), len(gone)))
    return min(found)


@st.composite
def uneven_rounds(draw: st.DrawFn) -> tuple[int, list[str], list[Place]]:
    """A small round of any loads, as many extensions may leave it."""
    people = PEOPLE[: draw(st.integers(1, 4))]
    overlap = draw(st.integers(1, min(3, len(people))))
    places = []
    for number in range(draw(st.integers(1, 6 // overlap))):
        annotators = draw(st.lists(st.sampled_from(people), min_size=overlap, max_size=overlap, unique=True))
        begun = draw(st.sets(st.sampled_from(annotators)))
        places.append(Place(f"c{number}", "", draw(st.booleans()), tuple(sorted(annotators)), (), frozenset(begun)))
    return overlap, people, places


@settings(max_examples=200)
@given(uneven_rounds(), st.integers(1, 2), st.integers(0, 99))
def test_newcomers_take_over_until_loads_are_as_even_as_can_be_by_as_few_moves_as_can_be(
    case: tuple[int, list[str], list[Place]], n_newcomers: int, seed: int
) -> None:
    overlap, people, before = case
    newcomers = PEOPLE[len(people) : len(people) + n_newcomers]
    after = draw_places(Design(overlap, 0.0, 0.0, seed), {}, people + newcomers, before, newcomers)
    moves = sum(len(set(place.annotators) & set(newcomers)) for place in after)
    assert (sum(load**2 for load in loads(after, people + newcomers)), moves) == best(before, people, newcomers)


def test_a_newcomer_gets_an_even_load_and_the_share_of_blind_ones() -> None:
    strata = {f"c{number}": str(number % 8) for number in range(60)}
    before = draw_places(Design(2, 0.2, 0.0, 3), strata, PEOPLE[:3])
    after = draw_places(Design(2, 0.2, 0.0, 3), {}, PEOPLE[:4], before, ["dan"])
    assert loads(after, PEOPLE[:4]) == [30, 30, 30, 30]
    assert loads([place for place in after if place.blind], PEOPLE[:4]) == [6, 6, 6, 6]


def test_a_newcomer_into_a_round_that_all_have_begun_gets_new_conversations_only() -> None:
    before = [Place(f"c{number}", "", False, ("ana", "ben"), (), frozenset({"ana", "ben"})) for number in range(4)]
    after = draw_places(Design(2, 0.0, 0.0, 1), {"d1": "", "d2": ""}, PEOPLE[:3], before, ["cem"])
    assert loads(after, PEOPLE[:3]) == [5, 5, 2]
