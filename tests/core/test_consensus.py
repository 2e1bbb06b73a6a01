"""What becomes of several labels, as properties: of sets, of people in any order, of skips."""

from collections import Counter
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.core.consensus import Codes, distinct, equal, shuffled, unanimous, union

label = st.lists(st.sampled_from(["ACK", "RC", "PEP", "PIP"]), max_size=3, unique=True).map(tuple)
labels = st.lists(label, max_size=5)
said = st.lists(label | st.none(), max_size=5)


def sets(found: tuple[Codes, ...]) -> Counter[frozenset[str]]:
    return Counter(map(frozenset, found))


@given(labels)
def test_distinct_labels_are_all_the_sets_once_and_each_was_given(given_labels: list[Codes]) -> None:
    found = distinct(given_labels)
    assert sets(found) == Counter(set(map(frozenset, given_labels)))
    assert set(found) <= set(given_labels)


@given(labels)
def test_labels_are_equal_when_there_is_at_most_one_set(given_labels: list[Codes]) -> None:
    assert equal(given_labels) == (len(set(map(frozenset, given_labels))) <= 1)


@given(labels)
def test_the_union_has_each_code_of_each_label_once(given_labels: list[Codes]) -> None:
    found = union(given_labels)
    assert set(found) == {code for one in given_labels for code in one}
    assert len(found) == len(set(found))


@given(said)
def test_a_label_is_unanimous_when_two_gave_it_and_nobody_another(all_said: list[Codes | None]) -> None:
    given_labels = [one for one in all_said if one is not None]
    found = unanimous(all_said)
    assert (found is not None) == (len(given_labels) >= 2 and len(set(map(frozenset, given_labels))) == 1)
    if found is not None:
        assert found in given_labels


@given(said)
def test_the_order_of_people_and_skips_change_nothing(all_said: list[Codes | None]) -> None:
    found = {None if one is None else frozenset(one) for order in permutations(all_said) if (one := unanimous(order)) or not one}
    assert len(found) == 1
    assert (unanimous([*all_said, None]) is None) == (unanimous(all_said) is None)


@given(said, label)
def test_what_is_contradicted_is_unanimous_no_more(all_said: list[Codes | None], more: Codes) -> None:
    found = unanimous(all_said)
    if found is not None:
        assert (unanimous([*all_said, more]) is None) == (set(more) != set(found))


@given(labels, st.integers(), st.integers(), st.randoms())
def test_a_seed_gives_one_order_whoever_comes_first(given_labels: list[Codes], first: int, second: int, chance: object) -> None:
    shown = shuffled(given_labels, first, second)
    assert Counter(shown) == Counter(given_labels)
    chance.shuffle(given_labels)  # type: ignore[attr-defined]
    assert shuffled(given_labels, first, second) == shown


@pytest.mark.parametrize("first", [("ACK",), ("RC",)])
def test_each_label_comes_first_about_as_often_as_the_other(first: Codes) -> None:
    seeds = [shuffled([("ACK",), ("RC",)], 1, utterance, 3)[0] for utterance in range(400)]
    assert 150 < seeds.count(first) < 250
