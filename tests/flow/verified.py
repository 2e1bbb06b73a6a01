"""Labels to verify reports of, reports of them, and the way from a number of a report to what verifying calls it."""

import json
import random
from collections.abc import Iterator
from typing import Any

from annotator import Judgement, agreement, agreement_of_all
from annotator.core.agreement import Asked
from annotator.core.labelled import Labelled
from annotator.flow import agreement as flow_agreement
from annotator.flow.verification import Data, Verification, verify

CODEBOOK = {"Seeker": {"A": "x", "B": "x", "C": "y", "nan": "y", "D": "z"}, "Assistant": {"A": "p", "B": "q"}}
NOT_VERIFIED = {"bootstrap", "threshold"}
"""All that is never verified."""
Rows = list[tuple[str, str, str, str, str | None]]
Place = tuple[str, str]


def judged(rows: Rows) -> list[Judgement]:
    """From (conversation, utterance, role, annotator, codes); codes are joined by |, None is a skip."""
    return [
        Judgement(who, conversation, utterance, role, None if codes is None else frozenset(filter(None, codes.split("|"))))
        for conversation, utterance, role, who, codes in rows
    ]


def side_by_side(a: str, b: str, conversations: int = 3, role: str = "Seeker") -> Rows:
    """Rows of ann and ben from labels in a row: "-" is no label, "0" the label without codes, "skip" a skip."""
    return [
        (f"c{at % conversations}", str(at), role, who, {"0": "", "skip": None}.get(codes, codes))
        for who, said in (("ann", a), ("ben", b))
        for at, codes in enumerate(said.split())
        if codes != "-"
    ]


def by_chance(seed: int, annotators: str = "ann ben", conversations: int = 4, several: float = 0.0, missing: float = 0.0) -> Rows:
    """Labels that mostly agree, in both roles, some in sets, skipped or missing."""
    draw = random.Random(seed)
    rows: Rows = []
    for at in range(8 * conversations):
        role = draw.choice(list(CODEBOOK))
        truth = draw.choice(list(CODEBOOK[role]))
        for who in annotators.split():
            codes = {truth if draw.random() < 0.7 else draw.choice(list(CODEBOOK[role]))}
            codes |= {draw.choice(list(CODEBOOK[role]))} if draw.random() < several else set()
            said = None if draw.random() < missing / 2 else "" if draw.random() < several / 4 else "|".join(codes)
            rows += [(f"c{at % conversations}", str(at), role, who, said)] if draw.random() >= missing else []
    return rows


def report_of(judgements: list[Judgement], codebook: Any = None) -> dict[str, Any]:
    return json.loads(json.dumps(agreement(judgements, codebook) | {"all": agreement_of_all(judgements, codebook)}))  # type: ignore[no-any-return]


def labelled(rows: Rows) -> list[Labelled]:
    """The same as rows of a table, which has no skips."""
    return [Labelled(*row[:4], tuple(filter(None, row[4].split("|")))) for row in rows if row[4] is not None]


def in_two_rounds(seed: int, annotators: str = "ann ben cem", several: float = 0.3) -> list[Labelled]:
    """A table of two rounds, blind and assisted, in which some were silently asked once more."""
    draw = random.Random(seed)
    rows = labelled(by_chance(seed, annotators, conversations=6, several=several, missing=0.1))
    placed = {f"c{at}": ("first" if at < 4 else "second", "blind" if at % 2 else "assisted") for at in range(6)}
    first = [row._replace(round=placed[row.conversation][0], condition=placed[row.conversation][1]) for row in rows]
    again = [row for row in first if row.conversation == "c1" and row.annotator != "cem"]
    return first + [row._replace(repeat=True, codes=row.codes if draw.random() < 0.7 else (draw.choice("AB"),)) for row in again]


def of_table(rows: list[Labelled], asked: Asked | None = None) -> dict[str, Any]:
    """All that `agree --json` prints of a table."""
    return json.loads(json.dumps(flow_agreement.report_of(rows, asked or Asked())))  # type: ignore[no-any-return]


def check(judgements: list[Judgement], report: dict[str, Any], codebook: Any = None) -> Verification:
    """What verifying says of a report of judgements alone."""
    return verify(Data.of(judgements, codebook), report)


def numbers(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every number of a report."""
    if isinstance(value, int | float):
        yield path
    for name, one in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from numbers(one, (*path, name))


LINES = {"matrix": "annotators", "rest": "annotator", "by_round": "round", "with_themselves": "annotator"}
"""Lists of lines, and what each line says it is of."""


def place(report: dict[str, Any], path: tuple[Any, ...]) -> Place:
    """Where a number is and what it is called, as a verification says it."""
    top, *rest = path
    if top == "pairs":
        at, name, *rest = rest
        who = " - ".join(report["pairs"][at]["annotators"])
        name, *rest = rest if name == "roles" else (name, *rest)
        where = f"{who}, {name}"
    elif top == "all":
        name, *rest = rest
        where = f"all, {name}"
    elif top == "overview":
        name, *more = rest
        name, *more = more if name == "roles" else (name, *more)
        where, rest = (f"overview, {name}", more) if more else ("overview", rest)
    elif top in LINES:
        of = report[top][rest.pop(0)][LINES[top]]
        where = f"{top}, {' - '.join(of) if isinstance(of, list) else of}"
    elif top == "what_if":
        role, at, *rest = rest
        where = f"{top}, {role}, {' - '.join(report[top][role][at]['codes'])}"
    elif top == "by_condition" or (top, rest[0]) == ("plan", "roles"):
        where = f"{top}, {rest[top == 'plan']}"
        rest = rest[2 if top == "plan" else 1 :]
    else:
        where, rest = (top, rest) if top in ("verdict", "plan", "after_discussion") else ("report", list(path))
    return where, ".".join(map(str, rest))


def found_in(done: Verification) -> tuple[set[Place], set[Place]]:
    checked, left = ({(one.where, one.figure) for one in found} for found in (done.checks, done.not_verified))
    return checked, left


def assert_equal_and_whole(done: Verification, report: dict[str, Any]) -> None:
    assert done.different == []
    checked, left = found_in(done)
    assert {place(report, path) for path in numbers(report)} <= checked | left
    assert not checked & left
    assert {one.figure.partition(".")[0] for one in done.not_verified} <= NOT_VERIFIED
