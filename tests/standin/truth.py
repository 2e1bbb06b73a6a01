"""The right codes of an utterance, as the stand-in knows them; what a request asks for is in `asked`."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

Labels = Mapping[str, Any]


def number(role: str, text: str) -> int:
    """A number that depends on role and text only, the same in every process."""
    return int.from_bytes(blake2b(f"{role}\n{text}".encode(), digest_size=8).digest())


def truth(role: str, text: str, codes: Iterable[str], *, most: int = 2, labels: Labels | None = None) -> list[str]:
    """Give the right codes of an utterance, sorted: one, for every fifth text two if `most` allows, out of the codes of its role.

    The order of `codes` does not matter. `labels` overrides by text: `{text: codes}` or `{text: {role: codes}}`, a code or a list of them.

    >>> truth("Seeker", "Any boots?", ["IQ", "CON", "PCT"])
    ['IQ']
    >>> truth("Seeker", "Any boots?", ["IQ", "CON", "PCT"], labels={"Any boots?": {"Seeker": "CON"}})
    ['CON']
    """
    known = (labels or {}).get(text)
    if isinstance(known, Mapping):
        known = known.get(role)
    if known is not None:
        return sorted([known] if isinstance(known, str) else known)
    left = sorted(set(codes))
    if not left:
        return []
    key = number(role, text)
    right = [left.pop(key % len(left))]
    if left and most > 1 and key // 1009 % 5 == 0:
        right.append(left.pop(key // 7919 % len(left)))
    return sorted(right)


def runner_up(role: str, text: str, codes: Sequence[str], right: Sequence[str]) -> str | None:
    """The second best code, never one of the right ones; none for every fourth text."""
    left = sorted(set(codes) - set(right))
    key = number(role, text)
    return left[key // 104729 % len(left)] if left and key // 31 % 4 else None


def confidence(role: str, text: str) -> float:
    """A stated confidence between 0.5 and 0.99."""
    return 0.5 + number(role, text) // 65537 % 50 / 100
