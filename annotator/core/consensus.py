"""What becomes of the labels that several people gave one utterance: settled where they are equal, else a choice for a lead.

A label is a set of codes, written as a tuple in the order somebody chose them; `None` is a skip.
"""

import random
from collections.abc import Iterable

Codes = tuple[str, ...]


def distinct(labels: Iterable[Codes]) -> tuple[Codes, ...]:
    """The labels that differ as sets, each as it was first written.

    >>> distinct([("ACK", "RC"), ("RC", "ACK"), ("RC",)])
    (('ACK', 'RC'), ('RC',))
    """
    found: dict[frozenset[str], Codes] = {}
    for label in labels:
        found.setdefault(frozenset(label), label)
    return tuple(found.values())


def equal(labels: Iterable[Codes]) -> bool:
    """Whether all labels are the same set of codes; true of none and of one.

    >>> equal([("ACK", "RC"), ("RC", "ACK")]), equal([("ACK",), ("RC",)])
    (True, False)
    """
    return len(distinct(labels)) <= 1


def union(labels: Iterable[Codes]) -> Codes:
    """Every code that some label has, once, in the order they come.

    >>> union([("ACK",), ("RC", "ACK")])
    ('ACK', 'RC')
    """
    return tuple(dict.fromkeys(code for label in labels for code in label))


def unanimous(said: Iterable[Codes | None]) -> Codes | None:
    """The label that two or more people gave and nobody contradicted, or None: then a lead must choose.

    Skips contradict nobody and count for nothing. The empty label is a label where the taxonomy allows it.

    >>> unanimous([("ACK",), ("ACK",), None]), unanimous([("ACK",), None]), unanimous([(), ()])
    (('ACK',), None, ())
    """
    labels = [label for label in said if label is not None]
    return labels[0] if len(labels) >= 2 and equal(labels) else None


def shuffled(labels: Iterable[Codes], *seed: int) -> tuple[Codes, ...]:
    """The labels in an order that depends on the seed and on nothing else: not on who gave which, nor on who was first.

    >>> shuffled([("RC",), ("ACK",)], 1, 7, 3) == shuffled([("ACK",), ("RC",)], 1, 7, 3)
    True
    """
    ordered = sorted(labels, key=lambda label: (sorted(label), label))
    random.Random(repr(seed)).shuffle(ordered)  # noqa: S311 - an order anyone may repeat, no secret
    return tuple(ordered)
