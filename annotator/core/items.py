"""Catalogue items as people speak of them: which a text mentions, lists of their numbers, a few facts of one.

Reading and storing them is `flow/items.py`'s.
"""

import re
from collections.abc import Container, Iterable, Iterator
from typing import Any, NamedTuple

FIELDS = ("mentioned_items", "gt_items")
"""The lists of a conversation's items, in VOGUE's own words: which were mentioned, which was chosen."""

# A number that is no part of a larger one, of a word or of a share: not `3` in 3000, 3.5, 3,000, 3rd, 3 %.
_NUMBER = r"[0-9]{1,9}(?!\w|\.[0-9]|,[0-9]{3}(?![0-9])|\s?%)"
_NOUN = r"(?<!\w)items?[\s_#:(-]{0,3}(?:(?:numbers?|nos?\.?|nr\.?)[\s#:-]{0,2})?"
_BETWEEN = r"\s{0,3}(?:[,;/&+]|(?:and|or|nor|vs\.?|versus)(?!\w))\s{0,3}(?:(?:and|or|nor)\s{1,3})?"
# Every repetition has an end, so that no text takes long.
_MENTION = re.compile(f"{_NOUN}{_NUMBER}(?:{_BETWEEN}{_NUMBER})*", re.IGNORECASE)
_NUMBERS = re.compile(_NUMBER)
_WHOLE = re.compile("-?[0-9]{1,10}")


def mentions(text: str, numbers: Container[int] | None = None) -> tuple[int, ...]:
    """The items that a text speaks of by number, each once, in its order; without `numbers` whatever the catalogue has.

    >>> mentions("I like Item05, but item 3 and 12 are warmer than 4 items of my own.", range(1, 13))
    (5, 3, 12)
    >>> mentions("ITEM-7? Or items 1, 2 and 9? Not item 3000.", {1, 2, 3, 7})
    (7, 1, 2)
    """
    if "item" not in text.lower():  # most texts
        return ()
    found = (int(number) for mention in _MENTION.finditer(text) for number in _NUMBERS.findall(mention[0]))
    return tuple(dict.fromkeys(number for number in found if numbers is None or number in numbers))


def numbers_of(value: Any) -> tuple[int, ...]:
    """The numbers of a list as a source writes it, each once; what is none (`"?"`, true, 2.5) is left out.

    >>> numbers_of([22, "17", "Item05", 22, None]), numbers_of("none"), numbers_of(None)
    ((22, 17, 5), (), ())
    """
    listed = value if isinstance(value, list | tuple) else [value]
    return tuple(dict.fromkeys(number for one in listed for number in _numbers(one)))


def _numbers(one: Any) -> Iterable[int]:
    if type(one) is int:
        return (one,)
    if not isinstance(one, str):
        return ()
    return (int(one),) if re.fullmatch(r"\s{0,9}[0-9]{1,9}\s{0,9}", one) else mentions(one)


def join_numbers(numbers: Iterable[int]) -> str:
    """A list of numbers as one cell; the empty list is an empty cell.

    >>> join_numbers((2, 7)), split_numbers("2|7"), split_numbers("")
    ('2|7', (2, 7), ())
    """
    return "|".join(map(str, numbers))


def split_numbers(cell: str) -> tuple[int, ...]:
    """The numbers of a cell that `join_numbers` wrote, each once; raises `ValueError` where a part is no whole number."""
    parts = [part.strip() for part in cell.split("|") if part.strip()]
    if not all(_WHOLE.fullmatch(part) for part in parts):
        raise ValueError(cell)
    return tuple(dict.fromkeys(map(int, parts)))


class Fact(NamedTuple):
    """One thing that a catalogue says of an item."""

    name: str
    value: str


def facts_of(meta: dict[str, Any], most: int = 8) -> tuple[Fact, ...]:
    """The short things that a catalogue says of an item: words and numbers, also one level down; no lists and no long texts.

    >>> [fact.name for fact in facts_of({"product_brand": "Finch", "reviews": "long " * 50, "detail": {"Colour": "red"}})]
    ['brand', 'Colour']
    """
    found = (Fact(_words(key), str(value).strip()) for key, value in _flat(meta) if type(value) in (str, int, float))
    return tuple(fact for fact in found if 0 < len(fact.value) <= 60)[:most]


def _flat(meta: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in meta.items():
        yield from value.items() if isinstance(value, dict) else [(key, value)]


def _words(key: Any) -> str:
    return str(key).replace("_", " ").strip().removeprefix("product ")
