"""Labels that stand at other utterances than theirs: what the codes of the roles betray, and what nothing can."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from annotator.taggers.prompt import Question

from .rows import ROLES, Row, asked, labels, reading
from .small import TAXONOMY

CONTENT = ("rationale", "codes", "confidence", "second")


def slide(rows: Sequence[Row], begin: int, end: int, by: int, *, role: bool = False) -> list[Row]:
    """Rows from `begin` to `end` (inclusive) say what those `by` places on should; at the edge they keep their own."""
    names = (*CONTENT, "role") if role else CONTENT
    last = len(rows) - 1
    return [
        {**row, **{name: rows[min(max(at + by, 0), last)][name] for name in names}} if begin <= at <= end else row
        for at, row in enumerate(rows)
    ]


def truthful(question: Question, codes: Sequence[str]) -> list[Row]:
    return [
        {"id": at, "role": role, "rationale": f"line {at}", "codes": [code], "confidence": 0.8, "second": None}
        for (at, role), code in zip(question.roles.items(), codes, strict=True)
        if at in question.wanted
    ]


def own(roles: str) -> list[str]:
    """A code for each line that only its role has."""
    return ["YES" if role == "S" else "SHOW" for role in roles]


def wrong(question: Question, told: list[Row], rows: list[Row]) -> dict[int, Any]:
    """What was accepted although it is the label of another line."""
    truth = {row["id"]: row["rationale"] for row in rows}
    return {key: said.codes for key, said in reading(question, told).accepted.items() if said.reason != truth[key]}


LONG = "SSSSAAAASSSSAAAA"


@pytest.mark.parametrize("role", [False, True], ids=["role stays", "role moves"])
@pytest.mark.parametrize("by", [-2, -1, 1, 2])
@pytest.mark.parametrize("roles", ["SA", "SASASASA", "SSAASSAA", LONG, "SSSSSSAAAAAA", "SAAAAAAAAAAAAAAA", "SSSSSSSA"])
def test_a_whole_answer_that_has_slid_is_refused(roles: str, by: int, role: bool) -> None:
    question = asked(roles)
    rows = truthful(question, own(roles))
    told = slide(rows, 0, len(rows) - 1, by, role=role)
    strays = sum(row["codes"] != other["codes"] for row, other in zip(told, rows, strict=True))
    # One stray of a slide by two looks like any single mistake.
    assert strays < abs(by) or wrong(question, told, rows) == {}


@pytest.mark.parametrize("role", [False, True], ids=["role stays", "role moves"])
@pytest.mark.parametrize("start", range(1, 12))
def test_a_slide_from_the_middle_on_is_refused_from_there(start: int, role: bool) -> None:
    question = asked(LONG)
    rows = truthful(question, own(LONG))
    assert wrong(question, slide(rows, start, len(rows) - 1, 1, role=role), rows) == {}


@pytest.mark.parametrize("role", [False, True], ids=["role stays", "role moves"])
def test_a_slide_across_a_single_change_of_roles_is_refused_and_the_rest_is_kept(role: bool) -> None:
    question = asked(LONG)
    rows = truthful(question, own(LONG))
    read = reading(question, slide(rows, 6, 9, 1, role=role))
    assert set(read.accepted) == {1, 2, 3, 4, 12, 13, 14, 15, 16}
    assert read.moved


def test_codes_of_both_roles_hide_a_slide_only_where_all_of_it_is_hidden() -> None:
    question = asked(LONG)
    codes = own(LONG)
    codes[4] = "ASK"  # what slides over the first change of roles could be a Seeker's
    rows = truthful(question, codes)
    assert wrong(question, slide(rows, 1, 14, 1), rows) == {}
    assert set(wrong(question, slide(rows, 1, 5, 1), rows)) == {2, 3, 4, 5, 6}


@pytest.mark.parametrize("at", range(8))
@pytest.mark.parametrize("fields", [("codes",), ("codes", "role"), ("role",)], ids=" and ".join)
def test_an_isolated_error_between_short_turns_costs_its_own_row_only(at: int, fields: tuple[str, ...]) -> None:
    question = asked("SASASASA")
    rows = truthful(question, own("SASASASA"))
    told = [one | {name: rows[at - 1][name] for name in fields} if place == at else one for place, one in enumerate(rows)]
    assert set(labels(reading(question, told))) == set(range(1, 9)) - {at + 1}


def test_an_isolated_error_between_long_turns_costs_at_most_the_turns_beside_it() -> None:
    question = asked(LONG)
    rows = truthful(question, own(LONG))
    for at in range(len(rows)):
        told = [row | {"codes": ["YES" if row["codes"] == ["SHOW"] else "SHOW"]} if place == at else row for place, row in enumerate(rows)]
        read = reading(question, told)
        assert not read.whole
        assert len(read.accepted) >= 8
        assert at % 4 in (0, 3) or len(read.accepted) == 15


def test_rows_of_lines_that_were_only_shown_betray_a_slide() -> None:
    question = asked(LONG, (2, 3))
    rows = truthful(asked(LONG), own(LONG))
    assert reading(question, slide(rows, 0, 15, 1)).accepted == {}


@pytest.mark.parametrize("skipped", range(1, 8))
def test_a_row_that_is_skipped_and_pulls_up_the_rest_is_noticed(skipped: int) -> None:
    question = asked("SASASASA")
    rows = truthful(question, own("SASASASA"))
    told = [*rows[: skipped - 1], *slide(rows, skipped - 1, 7, 1)[skipped - 1 : -1]]
    assert wrong(question, told, rows) == {}


CONVERSATIONS = st.lists(st.tuples(st.sampled_from("SA"), st.integers(1, 6)), min_size=1, max_size=8).map(
    lambda turns: "".join(role * length for role, length in turns)
)


@st.composite
def slides(draw: st.DrawFn) -> tuple[Question, list[Row], list[Row], bool]:
    """A conversation, a stretch of it that has slid, and whether every row of the stretch would be right where it landed."""
    roles = draw(CONVERSATIONS)
    assume(len(roles) > 1)
    codes = [draw(st.sampled_from(list(TAXONOMY.by_role[ROLES[role]]))) for role in roles]
    begin = draw(st.integers(0, len(roles) - 2))
    end = draw(st.integers(begin, len(roles) - 1))
    by = draw(st.sampled_from([-1, 1]))
    question = asked(roles)
    rows = truthful(question, codes)
    told = slide(rows, begin, end, by, role=draw(st.booleans()))
    hidden = all(
        row["role"] == line.role and all(TAXONOMY.known(line.role, code) for code in row["codes"])
        for row, line in zip(told, question.lines, strict=True)
    )
    return question, rows, told, hidden


@given(slides())
def test_no_label_of_another_line_is_taken_where_any_row_of_the_slide_strays(slid: tuple[Question, list[Row], list[Row], bool]) -> None:
    question, rows, told, hidden = slid
    assert hidden or wrong(question, told, rows) == {}


@given(CONVERSATIONS, st.data())
@example("SSSSAAAASSSS", None)
def test_an_isolated_error_never_costs_more_than_the_rows_that_a_slide_could_explain(roles: str, data: Any) -> None:
    assume(len(roles) > 3)
    at = data.draw(st.integers(0, len(roles) - 1)) if data else 3
    rows = truthful(asked(roles), own(roles))
    other = "YES" if rows[at]["codes"] == ["SHOW"] else "SHOW"
    read = reading(asked(roles), [row | {"codes": [other]} if place == at else row for place, row in enumerate(rows)])
    neighbours = roles[max(0, at - 1) : at + 2]
    alone = len(set(neighbours)) == 1 and 0 < at < len(roles) - 1
    assert not read.whole
    assert not alone or set(read.refused) == {at + 1}


def test_json_of_slid_rows_is_as_good_as_any() -> None:
    """What no form can betray: within one role everything looks right."""
    question = asked("SSSS")
    rows = truthful(question, ["YES", "OTH", "ASK", "YES"])
    assert len(wrong(question, json.loads(json.dumps(slide(rows, 0, 3, 1))), rows)) == 3
