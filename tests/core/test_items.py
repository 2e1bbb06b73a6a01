"""Which items a text mentions, and lists of their numbers."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.core.items import facts_of, join_numbers, mentions, numbers_of, split_numbers

CATALOGUE = range(1, 37)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("I like Item05.", (5,)),
        ("I like item 3", (3,)),
        ("ITEM 12!", (12,)),
        ("Item-7, item #8, item no. 9 and item number 10", (7, 8, 9, 10)),
        ("Item 3 and 5 are warm", (3, 5)),
        ("items 3, 4 and 12", (3, 4, 12)),
        ("items 3,4, or 12", (3, 4, 12)),
        ("Item17 or Item19 or Item24", (17, 19, 24)),
        ("Items 3 & 4, Item9/10 (items: 11; 12)", (3, 4, 9, 10, 11, 12)),
        ("Item15's wool. Is Item15 100% wool?", (15,)),
        ("Item\n6", (6,)),
        ("item 5, then Item03, then item 5", (5, 3)),
    ],
)
def test_items_are_found_as_people_write_them(text: str, found: tuple[int, ...]) -> None:
    assert mentions(text, CATALOGUE) == found


@pytest.mark.parametrize(
    "text",
    [
        "", "3 items", "item", "Which item number?", "item 3000", "item 99", "item 3.5", "item 3,000", "item 3% off", "item 3rd",
        "item3b", "myitem 3", "itemise 3", "item is 3", "the 2nd item", "item ٣",
    ],
)  # fmt: skip
def test_what_is_no_item_of_the_catalogue_is_not_found(text: str) -> None:
    assert mentions(text, CATALOGUE) == ()


def test_without_a_catalogue_any_number_is_an_item() -> None:
    assert mentions("item 3000 and item 4") == (3000, 4)


@given(st.lists(st.integers(1, 36), min_size=1, unique=True), st.sampled_from(["Item{:02}", "item {}", "ITEM-{}", "item #{}"]))
def test_every_item_that_is_written_is_found_in_its_order(numbers: list[int], written: str) -> None:
    text = "I see " + " and maybe ".join(written.format(number) for number in numbers) + ", but not 7 of them."
    assert mentions(text, CATALOGUE) == tuple(numbers)


@given(st.lists(st.integers(1, 36), min_size=2, unique=True))
def test_a_list_after_one_word_is_found_whole(numbers: list[int]) -> None:
    assert mentions(f"Items {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}.", CATALOGUE) == tuple(numbers)


@given(st.text(max_size=60), st.sets(st.integers(0, 40)))
def test_only_items_of_the_catalogue_are_found_each_once(text: str, numbers: set[int]) -> None:
    found = mentions(f"item 1 {text} items 2, {text}", numbers)
    assert set(found) <= numbers
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("text", ["item " * 200_000, "item" + " " * 10**6, "item 1" + ", 1" * 300_000, "item 1" + " and" * 300_000])
def test_no_text_takes_long(text: str) -> None:
    started = time.process_time()
    mentions(text)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("value", "numbers"),
    [
        ([2, 7], (2, 7)), (["2", " 07 ", "Item05"], (2, 7, 5)), ([22, 17, 22], (22, 17)), ("Item05 and Item06", (5, 6)), (4, (4,)),
        (None, ()), ([], ()), ({"a": 1}, ()), ([True, 2.5, None, "?"], ()),
    ],
)  # fmt: skip
def test_the_numbers_of_a_source(value: object, numbers: tuple[int, ...]) -> None:
    assert numbers_of(value) == numbers


@given(st.lists(st.integers(-99, 10**9), unique=True).map(tuple))
def test_numbers_written_are_read_again(numbers: tuple[int, ...]) -> None:
    assert split_numbers(join_numbers(numbers)) == numbers


@pytest.mark.parametrize("cell", ["x", "1|x", "1.5", "1_0", "٣", "12345678901"])
def test_a_cell_of_something_else_is_refused(cell: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        split_numbers(cell)


def test_facts_are_short_and_few() -> None:
    meta = {"product_brand": "Finch", "rating": 4.5, "reviews": "x" * 61, "categories": ["a"], "product_detail": {"Colour": "red", "": ""}}
    assert facts_of(meta) == (("brand", "Finch"), ("rating", "4.5"), ("Colour", "red"))
    assert len(facts_of({str(number): "x" for number in range(20)})) == 8
