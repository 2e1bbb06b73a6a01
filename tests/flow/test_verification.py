"""Verifying a report: what is right is found equal, any number that was changed is found, and nothing is left out in silence."""

import json
import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.metrics.distance import masi_distance
from sqlmodel import Session

from annotator import Judgement, agreement, agreement_of_all
from annotator.core.agreement import Asked
from annotator.core.labelled import Labelled
from annotator.errors import AnnotatorError, BadInput
from annotator.flow import agreement as flow_agreement
from annotator.flow.access import EVERYTHING
from annotator.flow.acts import Act
from annotator.flow.verification import Verification, book, verify
from annotator.flow.verification.labels import codebook_in, judgements_in
from annotator.flow.verification.report import as_text, refuse_if_different
from flow.steps import SIZES, act, hand_in, label, role_at

CODEBOOK = {"Seeker": {"A": "x", "B": "x", "C": "y", "nan": "y", "D": "z"}, "Assistant": {"A": "p", "B": "q"}}
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


def of_table(rows: Rows) -> dict[str, Any]:
    """All that `agree --json` prints of a table, which has no skips."""
    labelled = [Labelled(*row[:4], tuple(filter(None, (row[4] or "").split("|")))) for row in rows]
    return json.loads(json.dumps(flow_agreement.report_of(labelled)))  # type: ignore[no-any-return]


def numbers(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every number of a report."""
    if isinstance(value, int | float):
        yield path
    for name, one in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from numbers(one, (*path, name))


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
    elif top in ("matrix", "rest"):
        line = report[top][rest.pop(0)]
        where = f"{top}, {' - '.join(line['annotators']) if top == 'matrix' else line['annotator']}"
    else:
        where, rest = ("verdict", rest) if top == "verdict" else ("report", list(path))
    return where, ".".join(map(str, rest))


def said_of(done: Verification) -> tuple[set[Place], set[Place]]:
    checked, left = ({(one.where, one.figure) for one in found} for found in (done.checks, done.not_verified))
    return checked, left


def assert_equal_and_whole(done: Verification, report: dict[str, Any]) -> None:
    assert done.different == []
    checked, left = said_of(done)
    assert {place(report, path) for path in numbers(report)} <= checked | left
    assert not checked & left


KINDS: dict[str, Callable[[], Rows]] = {
    "single labels": lambda: by_chance(1),
    "sets": lambda: by_chance(2, several=0.4),
    "missing labels and skips": lambda: by_chance(3, several=0.2, missing=0.3),
    "three annotators": lambda: by_chance(4, "ann ben cem", missing=0.2),
    "three who labelled everything": lambda: by_chance(5, "ann ben cem"),
    "one conversation": lambda: by_chance(6, conversations=1, several=0.2),
    "many conversations": lambda: by_chance(7, conversations=31),
    "labels without codes": lambda: side_by_side("A 0 0 B A 0", "A 0 A B 0 B"),
    "no codes at all": lambda: side_by_side("0 0 0", "0 0 0"),
    "a code named nan": lambda: side_by_side("nan nan A B nan A", "nan A A B nan nan"),
    "total agreement": lambda: side_by_side("A B C A B C D", "A B C A B C D"),
    "total disagreement": lambda: side_by_side("A B C A B C D", "B C A B C D A"),
    "one code throughout": lambda: side_by_side("A A A A", "A A A A"),
    "two codes, each another": lambda: side_by_side("A A A A", "B B B B"),
    "one annotator says the same always": lambda: side_by_side("A A A A A A", "A B C A A B"),
    "nothing in common": lambda: side_by_side("A B - -", "- - A B"),
    "nothing but skips": lambda: side_by_side("skip skip", "A skip"),
    "one utterance": lambda: side_by_side("A", "B"),
    "a code for every utterance": lambda: side_by_side("A A|B A|C A", "A|B A A A|C"),
}  # fmt: skip


@pytest.mark.parametrize("with_codebook", [False, True], ids=["no codebook", "codebook"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_is_equal_or_said_not_to_be_verified(kind: str, with_codebook: bool) -> None:
    judgements = judged(KINDS[kind]())
    codebook = CODEBOOK if with_codebook else None
    report = report_of(judgements, codebook)
    done = verify(judgements, report, codebook)
    assert_equal_and_whole(done, report)
    assert {one.figure.partition(".")[0] for one in done.not_verified} <= {"bootstrap"}


@pytest.mark.parametrize("kind", ["single labels", "sets", "three annotators", "one code throughout", "nothing in common"])
def test_the_figures_over_all_pairs_are_verified_too(kind: str) -> None:
    rows = [row for row in KINDS[kind]() if row[4] is not None]
    report = of_table(rows)
    done = verify(judged(rows), report)
    assert_equal_and_whole(done, report)
    assert {"overview, stratified", "verdict", "matrix", "rest"} <= {one.where for one in done.checks}


small_label = st.sampled_from(["A", "B", "C", "A|B", "B|C", "", None])


@settings(max_examples=15)
@given(st.lists(st.tuples(st.sampled_from("cd"), st.sampled_from(list(CODEBOOK)), *[small_label] * 3), min_size=1, max_size=9))
def test_any_labels_are_verified(utterances: list[tuple[Any, ...]]) -> None:
    judgements = judged([
        (conversation, str(at), role, who, codes)
        for at, (conversation, role, *said) in enumerate(utterances)
        for who, codes in zip(("ann", "ben", "cem"), said, strict=True)
    ])  # fmt: skip
    assert verify(judgements, report_of(judgements, CODEBOOK), CODEBOOK).different == []


# A project


def work(session: Session, name: str, step: int) -> None:
    """Somebody labels a conversation, some utterances with two codes, skips one, leaves one out, and hands it in."""
    codes = {"Seeker": ["PCT", "PEP", "RP"], "Assistant": ["RTI", "RP", "ACK"]}
    for position in range(1, SIZES["s1_d_1"] + 1):
        known = codes[role_at(session, "s1_d_1", position)]
        if position == step:
            act(session, name, "s1_d_1", position, Act.SKIP)
        elif position != 2 * step:
            label(session, name, "s1_d_1", position, *({known[position % 3]} if position % step else {known[0], known[position % 2 + 1]}))
    hand_in(session, name, "s1_d_1")


def test_the_report_of_a_project(session: Session) -> None:
    work(session, "alice", 3)
    work(session, "bob", 4)
    report = json.loads(json.dumps(flow_agreement.report(session, EVERYTHING)))
    done = verify(judgements_in(session, Asked()), report, codebook_in(session))
    assert_equal_and_whole(done, report)
    assert {one.oracle for one in done.checks} == {"scikit-learn", "statsmodels", "nltk", "by the book"}
    by_figure = {(one.where, one.figure): one for one in done.checks}
    assert by_figure["alice - bob, Assistant", "codes.RTI.kappa"].oracle == "scikit-learn"
    assert by_figure["alice - bob, stratified", "n_skipped"].theirs == 2
    assert verify(judgements_in(session, Asked(round="r1")), report, codebook_in(session)).different == []


# What was changed


@cache
def published() -> tuple[list[Judgement], dict[str, Any], Verification]:
    rows = by_chance(8, conversations=2, several=0.3)
    judgements, report = judged(rows), of_table(rows)
    return judgements, report, verify(judgements, report)


def changed(path: tuple[Any, ...], value: Callable[[Any], Any]) -> tuple[Verification, Place]:
    """What verifying says of the report in which one number is another, and where that number is."""
    judgements, report, _ = published()
    tampered = deepcopy(report)
    within = tampered
    for name in path[:-1]:
        within = within[name]
    within[path[-1]] = value(within[path[-1]])
    return verify(judgements, tampered), place(report, path)


def verified_paths() -> list[tuple[Any, ...]]:
    _, report, done = published()
    left = said_of(done)[1]
    return [path for path in numbers(report) if place(report, path) not in left]


@settings(max_examples=50)
@given(st.data())
def test_any_number_that_is_changed_is_found(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(verified_paths()))
    by = data.draw(st.floats(1e-5, 2).flatmap(lambda size: st.sampled_from([size, -size])))
    done, where = changed(path, lambda number: not number if isinstance(number, bool) else number + by)
    assert where in {(one.where, one.figure) for one in done.different}


@pytest.mark.parametrize("value", [None, "0.5", [0.5], {}], ids=["null", "a text", "a list", "an object"])
def test_what_is_no_number_any_more_is_found(value: Any) -> None:
    done, (where, figure) = changed(("pairs", 0, "stratified", "kappa"), lambda _: value)
    assert (where, figure) in {(one.where, one.figure) for one in done.different}


def test_a_number_where_nothing_is_defined_and_a_missing_reason_are_found() -> None:
    judgements = judged(KINDS["one code throughout"]())
    report = report_of(judgements)
    block = report["pairs"][0]["roles"]["Seeker"]
    assert (block["kappa"], block["ci95"]) == (None, None)
    block["kappa"], block["ci95"] = 1.0, [1.0, 1.0]
    del block["undefined"]["pi"]
    assert [one.figure for one in verify(judgements, report).different] == ["kappa", "ci95", "pi"]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda report: report["pairs"].pop(), ("report", "pairs listed")),
        (lambda report: report["pairs"][0]["roles"].pop("Seeker"), ("ann - ben", "roles listed")),
        (lambda report: report["pairs"][0]["pooled"]["codes"].pop("Seeker/A"), ("ann - ben, pooled", "codes listed")),
        (lambda report: report["pairs"][0]["roles"]["Seeker"]["confusions"].pop(), ("ann - ben, Seeker", "confusions listed")),
        (lambda report: report["pairs"][0].update(annotators=["ann", "zoe"]), ("report", "pairs listed")),
        (lambda report: report["all"].update(Guide={"alpha": 1.0}), ("all", "roles listed")),
        (lambda report: report["pairs"][0].update(pooled=1), ("ann - ben, pooled", "block")),
    ],
    ids=["pair", "role", "code", "confusion", "annotator", "one role more", "no block"],
)  # fmt: skip
def test_what_is_missing_or_too_much_is_found(change: Callable[[dict[str, Any]], Any], found: Place) -> None:
    judgements, report, _ = published()
    tampered = deepcopy(report)
    change(tampered)
    assert found in {(one.where, one.figure) for one in verify(judgements, tampered).different}


def test_numbers_that_this_version_does_not_know_are_listed() -> None:
    judgements, report, _ = published()
    tampered = deepcopy(report) | {"weather": {"rain": [1]}}
    tampered["pairs"][0]["stratified"]["new"] = 0.5
    done = verify(judgements, tampered)
    assert done.different == []
    assert {("report", "weather.rain.0"), ("ann - ben, stratified", "new")} <= {(one.where, one.figure) for one in done.not_verified}


def test_without_the_taxonomy_of_the_report_what_depends_on_it_is_left() -> None:
    judgements = judged(by_chance(9))
    done = verify(judgements, report_of(judgements, CODEBOOK))
    assert done.different == []
    left = {one.figure.partition(".")[0] for one in done.not_verified}
    assert {"s", "ac1", "categories", "kappa_weighted"} <= left


def test_other_labels_than_those_of_the_report_are_found() -> None:
    judgements, report, _ = published()
    done = verify([*judgements[:-1], replace(judgements[-1], codes=frozenset("Z"))], report)
    assert done.different
    with pytest.raises(AnnotatorError, match=r"figures of the report are not what the data give"):
        refuse_if_different(done)


@pytest.mark.parametrize("report", [{}, {"pairs": {}}, {"pairs": [{}]}, {"pairs": [{"annotators": ["a"]}]}, {"pairs": [1]}], ids=str)
def test_what_is_no_report_is_refused(report: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="Give what"):
        verify([], report)


def test_two_labels_of_one_annotator_are_refused() -> None:
    twice = judged([("c1", "1", "Seeker", "ann", "A")] * 2)
    with pytest.raises(BadInput, match="ann labelled conversation c1, utterance 1 more than once"):
        verify(twice, {"pairs": []})


# By the book


@given(*[st.frozensets(st.sampled_from("ABCD"), min_size=1)] * 2)
def test_the_distance_of_sets_is_that_of_nltk(a: frozenset[str], b: frozenset[str]) -> None:
    """Up to 3.10.0 nltk has .67 and .33 in it."""
    assert float(book.masi(a, b)) == pytest.approx(masi_distance(a, b), abs=0.004)


def test_the_text_groups_what_was_not_verified() -> None:
    done = published()[2]
    text = as_text(done)
    assert text.count("Not verified, ") == len({one.reason for one in done.not_verified})
    assert f"nltk: {sum(one.oracle == 'nltk' for one in done.checks)} figures, all equal" in text
