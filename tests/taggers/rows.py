"""A question about lines of the small taxonomy and the rows of a right answer, for tests that spoil them."""

import json
from typing import Any

from annotator.taggers.prompt import Line, Question
from annotator.taggers.reading import Reading, read

from .small import TAXONOMY

ROLES = {"S": "Seeker", "A": "Assistant"}
CODES = {"S": ("YES", "OTH"), "A": ("SHOW",)}
"""Codes that no other role has; ASK is of both."""
Row = dict[str, Any]


def asked(roles: str = "SASA", wanted: tuple[int, ...] | None = None, first: int = 1) -> Question:
    """A question about lines of these roles, by default about all of them."""
    lines = tuple(Line(first + at, ROLES[role], f"What {role} says in line {first + at}") for at, role in enumerate(roles))
    return Question(lines, tuple(line.id for line in lines) if wanted is None else wanted)


def right(question: Question, **more: Any) -> list[Row]:
    """The rows of a right answer; every line gets its role's first code."""
    return [
        {"id": at, "role": role, "rationale": f"It says line {at}.", "codes": [CODES[role[0]][0]], "confidence": 0.8, "second": None} | more
        for at, role in question.roles.items()
        if at in question.wanted
    ]


def spoilt(question: Question, at: int, **more: Any) -> list[Row]:
    """The right rows, the one of an id changed."""
    return [row | more if row["id"] == at else row for row in right(question)]


def reading(question: Question, answer: object, finish: str = "STOP") -> Reading:
    """Read an answer: a text, or rows."""
    return read(TAXONOMY, question, answer if isinstance(answer, str) else json.dumps(answer), finish)


def labels(read: Reading) -> dict[int, tuple[str, ...]]:
    """What was accepted, as codes by id."""
    return {key: suggestion.codes for key, suggestion in read.accepted.items()}
