"""Verifying a report: what is right is found equal, any number that was changed is found, and nothing is left out in silence."""

from collections.abc import Callable
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.metrics.distance import masi_distance

from annotator.core.labelled import Labelled
from annotator.errors import AnnotatorError, BadInput
from annotator.flow.verification import Data, Verification, as_text, book, data_of, refuse_if_different, verify
from flow.verified import (
    CODEBOOK,
    Place,
    Rows,
    assert_equal_and_whole,
    by_chance,
    check,
    found_in,
    in_two_rounds,
    judged,
    labelled,
    numbers,
    of_table,
    place,
    report_of,
    side_by_side,
)  # fmt: skip

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
    assert_equal_and_whole(check(judgements, report, codebook), report)


@pytest.mark.parametrize("kind", ["single labels", "sets", "three annotators", "one code throughout", "nothing in common"])
def test_the_figures_over_all_pairs_are_verified_too(kind: str) -> None:
    rows = labelled(KINDS[kind]())
    report = of_table(rows)
    done = verify(data_of(rows), report)
    assert_equal_and_whole(done, report)
    assert {"overview, stratified", "verdict", "matrix", "rest", "plan"} <= {one.where for one in done.checks}


small_label = st.sampled_from(["A", "B", "C", "A|B", "B|C", "", None])


@settings(max_examples=15)
@given(st.lists(st.tuples(st.sampled_from("cd"), st.sampled_from(list(CODEBOOK)), *[small_label] * 3), min_size=1, max_size=9))
def test_any_labels_are_verified(utterances: list[tuple[Any, ...]]) -> None:
    judgements = judged([
        (conversation, str(at), role, who, codes)
        for at, (conversation, role, *said) in enumerate(utterances)
        for who, codes in zip(("ann", "ben", "cem"), said, strict=True)
    ])  # fmt: skip
    assert check(judgements, report_of(judgements, CODEBOOK), CODEBOOK).different == []


# What was changed


@cache
def published() -> tuple[list[Labelled], dict[str, Any], Verification]:
    rows = in_two_rounds(8, "ann ben")
    report = of_table(rows)
    return rows, report, verify(data_of(rows), report)


def changed(path: tuple[Any, ...], value: Callable[[Any], Any]) -> tuple[Verification, Place]:
    """What verifying says of the report in which one number is another, and where that number is."""
    rows, report, _ = published()
    tampered = deepcopy(report)
    within = tampered
    for name in path[:-1]:
        within = within[name]
    within[path[-1]] = value(within[path[-1]])
    return verify(data_of(rows), tampered), place(report, path)


def verified_paths() -> list[tuple[Any, ...]]:
    _, report, done = published()
    left = found_in(done)[1]
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
    assert [one.figure for one in check(judgements, report).different] == ["kappa", "ci95", "pi"]


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
    rows, report, _ = published()
    tampered = deepcopy(report)
    change(tampered)
    assert found in {(one.where, one.figure) for one in verify(data_of(rows), tampered).different}


def test_numbers_that_this_version_does_not_know_are_listed() -> None:
    rows, report, _ = published()
    tampered = deepcopy(report) | {"weather": {"rain": [1]}}
    tampered["pairs"][0]["stratified"]["new"] = 0.5
    done = verify(data_of(rows), tampered)
    assert done.different == []
    assert {("report", "weather.rain.0"), ("ann - ben, stratified", "new")} <= {(one.where, one.figure) for one in done.not_verified}


def test_without_the_taxonomy_of_the_report_what_depends_on_it_is_left() -> None:
    judgements = judged(by_chance(9))
    done = check(judgements, report_of(judgements, CODEBOOK))
    assert done.different == []
    left = {one.figure.partition(".")[0] for one in done.not_verified}
    assert {"s", "ac1", "categories", "kappa_weighted"} <= left


def test_other_labels_than_those_of_the_report_are_found() -> None:
    rows, report, _ = published()
    done = verify(data_of([*rows[:-1], rows[-1]._replace(codes=("Z",))]), report)
    assert done.different
    with pytest.raises(AnnotatorError, match=r"figures of the report are not what the data give"):
        refuse_if_different(done)


@pytest.mark.parametrize("report", [{}, {"pairs": {}}, {"pairs": [{}]}, {"pairs": [{"annotators": ["a"]}]}, {"pairs": [1]}], ids=str)
def test_what_is_no_report_is_refused(report: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="Give what"):
        verify(Data([]), report)


def test_two_labels_of_one_annotator_are_refused() -> None:
    twice = judged([("c1", "1", "Seeker", "ann", "A")] * 2)
    with pytest.raises(BadInput, match="ann labelled conversation c1, utterance 1 more than once"):
        check(twice, {"pairs": []})


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
