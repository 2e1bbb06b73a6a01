"""What is taken from an answer, and what never is. Slides are in `test_slides.py`."""

import json
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.core.transcript import Transcript, Turn, Utterance, checked
from annotator.taggers.reading import LONGEST_REASON, parse_rows, read, read_confidence

from .rows import Row, asked, labels, reading, right, spoilt
from .small import TAXONOMY

FOUR = asked()
ROWS = right(FOUR)
TEXT = json.dumps(ROWS)
ALL = {1: ("YES",), 2: ("SHOW",), 3: ("YES",), 4: ("SHOW",)}
CUT_AT = TEXT.index('"id": 3')


def but(*ids: int) -> dict[int, tuple[str, ...]]:
    return {key: codes for key, codes in ALL.items() if key not in ids}


@pytest.mark.parametrize("answer", [
    TEXT,
    json.dumps(ROWS, indent=2),
    f"```json\n{TEXT}\n```",
    f"```\n{TEXT}\n```",
    f"Here are the labels [for all {{4}}] you asked for:\n\n{TEXT}\n\nLet me know if you need more.",
    f"\ufeff{TEXT}",
    TEXT[:-1] + ",]",
    TEXT.replace("},", ",},").replace(",}", "}"),
    TEXT + TEXT,
    TEXT[:-1],
    "\n".join(map(json.dumps, ROWS)),
    json.dumps({"rows": ROWS}),
    json.dumps({"note": "done", "rows": ROWS}),
    json.dumps(ROWS[::-1]),
    json.dumps([{name: row[name] for name in sorted(row, reverse=True)} for row in ROWS]),
    json.dumps([row | {"unasked": {"id": 2, "codes": ["OTH"]}} for row in ROWS]),
])  # fmt: skip
def test_whole_rows_are_taken_whatever_stands_around_them(answer: str) -> None:
    assert labels(reading(FOUR, answer)) == ALL


NO_ROWS = ("", " \n ", "I have read it. All is well.", TEXT.replace('"', "'"), "[]", "{}", "null", "[1, 2]", "{{{", "}")


@pytest.mark.parametrize("answer", NO_ROWS)
def test_an_answer_without_rows_is_refused_as_a_whole(answer: str) -> None:
    read = reading(FOUR, answer)
    assert (read.accepted, read.refused, read.cut) == ({}, {}, False)
    assert read.whole


def test_a_truncated_answer_gives_its_whole_rows_and_says_that_it_was_cut() -> None:
    read = reading(FOUR, TEXT[: CUT_AT + 40], "MAX_TOKENS")
    assert labels(read) == but(3, 4)
    assert read.cut
    assert set(read.refused) == {3, 4}


@pytest.mark.parametrize("at", range(0, len(TEXT), 7))
def test_wherever_an_answer_is_cut_nothing_wrong_is_taken(at: int) -> None:
    assert labels(reading(FOUR, TEXT[:at], "MAX_TOKENS")).items() <= ALL.items()


def test_a_cut_answer_without_text_is_empty_and_cut() -> None:
    read = reading(FOUR, "", "MAX_TOKENS")
    assert (read.whole, read.cut) == ("the answer was empty", True)


def test_endless_repetition_collapses() -> None:
    read = reading(FOUR, (json.dumps(ROWS[:2]) * 500)[:-20], "MAX_TOKENS")
    assert labels(read) == but(3, 4)
    assert "repeated rows" in read.note


@pytest.mark.parametrize(("stated", "confidence"), [
    (0.8, 0.8), (1, 1.0), (0, 0.0), (87, 0.87), (100, 1.0), ("0.7", 0.7), ("87%", 0.87), (" High ", 0.9), ("very low", 0.1),
    (float("nan"), None), (float("inf"), None), (-0.1, None), (101, None), (True, None), (None, None), ("sure", None), ("", None),
    ([0.9], None), ({}, None), (10**400, None), ("1e999", None), ("nan", None),
])  # fmt: skip
def test_stated_confidence_is_read_or_left_out(stated: Any, confidence: float | None) -> None:
    assert read_confidence(stated) == confidence
    said = reading(FOUR, spoilt(FOUR, 2, confidence=stated)).accepted[2]
    assert (said.codes, said.confidence) == (("SHOW",), confidence)


def test_without_confidence_the_label_stays_and_has_no_probability() -> None:
    (said, *_) = reading(FOUR, [{name: row[name] for name in ("id", "codes")} for row in ROWS]).accepted.values()
    assert (said.codes, said.confidence, dict(said.probabilities), said.reason, said.second) == (("YES",), None, {}, "", "")


@pytest.mark.parametrize("kept", [ROWS[:2], [ROWS[0], *ROWS[2:]], ROWS[:1], ROWS[3:]])
def test_missing_ids_are_refused_and_the_others_taken(kept: list[Row]) -> None:
    read = reading(FOUR, kept)
    missing = set(ALL) - {row["id"] for row in kept}
    assert labels(read) == but(*missing)
    assert read.refused == dict.fromkeys(missing, "the answer has no row for it")


@pytest.mark.parametrize("extra", [5, 99, "6", "x", None, 2.5, [1], {"id": 1}, True])
def test_extra_ids_are_dropped_with_a_note(extra: Any) -> None:
    read = reading(FOUR, [*ROWS, ROWS[3] | {"id": extra}])
    assert labels(read) == ALL
    assert read.note.startswith("dropped rows for ids that were not asked for: ")


@pytest.mark.parametrize("foreign", [99, "x", None, 0, -1, True, 10**300, 1e300])
def test_a_foreign_id_beside_a_missing_one_refuses_the_whole_answer(foreign: Any) -> None:
    read = reading(FOUR, spoilt(FOUR, 1, id=foreign))
    assert (read.accepted, read.refused) == ({}, {})
    assert read.whole.startswith("ids do not match: rows for ")


def test_a_repeated_row_that_agrees_is_dropped() -> None:
    read = reading(FOUR, [*ROWS, ROWS[1] | {"confidence": 0.3}])
    assert labels(read) == ALL
    assert (read.accepted[2].confidence, read.note) == (0.8, "dropped 1 repeated rows")


@pytest.mark.parametrize("codes", [["OTH"], ["YES", "OTH"], ["SHOW"], ["ZZZ"], [], None])
def test_a_repeated_row_that_differs_refuses_its_id(codes: Any) -> None:
    read = reading(FOUR, [*ROWS, ROWS[0] | {"codes": codes}])
    assert labels(read) == but(1)
    assert read.refused == {1: "the answer has two rows for it that differ"}


@pytest.mark.parametrize("write", [str, float, lambda key: f" 0{key} "])
def test_ids_may_be_written_as_text(write: Any) -> None:
    assert labels(reading(FOUR, [row | {"id": write(row["id"])} for row in ROWS])) == ALL


@pytest.mark.parametrize("by", [-1, 1, 2, -2, 30])
@pytest.mark.parametrize("question", [
    asked("SASASA"), asked("SASASA", (2, 4, 5)), asked("SSSAAA", first=31), asked("SSSAAA", (33, 34), first=31), asked("SSSAAA", (3,)),
])  # fmt: skip
def test_ids_counted_from_elsewhere_refuse_the_whole_answer(question: Any, by: int) -> None:
    everything = replace(question, wanted=tuple(question.roles))
    for rows in (right(question), right(everything)):
        read = reading(question, [row | {"id": row["id"] + by} for row in rows])
        assert read.accepted == {}


@pytest.mark.parametrize("start", [0, 1])
def test_a_window_that_is_counted_from_its_own_start_is_refused(start: int) -> None:
    window = asked("SSAASSAASSAA", (34, 35, 36, 37), first=31)
    everything = replace(window, wanted=tuple(window.roles))
    for rows in (right(window), right(everything)):
        assert reading(window, [row | {"id": at} for at, row in enumerate(rows, start)]).accepted == {}


def test_rows_for_lines_that_were_only_shown_are_dropped() -> None:
    question = asked("SASA", (2, 3))
    read = reading(question, ROWS)
    assert labels(read) == but(1, 4)
    assert read.note == "dropped rows for ids that were not asked for: 1, 4"


@pytest.mark.parametrize(("row", "why"), [
    ({"codes": ["SHOW"]}, "SHOW is no code of Seeker"),
    ({"codes": ["YES", "SHOW"]}, "YES, SHOW is no code of Seeker"),
    ({"codes": ["ZZZ"]}, "ZZZ is no code of Seeker"),
    ({"codes": ["YE"]}, "YE is no code of Seeker"),
    ({"codes": ["YES|OTH"]}, "YES|OTH is no code of Seeker"),
    ({"codes": [""]}, " is no code of Seeker"),
    ({"codes": None}, "the answer gives it no code"),
    ({"codes": [None]}, "the answer gives it no code"),
    ({"codes": ["YES", None]}, "the answer gives it no code"),
    ({"codes": [["YES"]]}, "the answer gives it no code"),
    ({"codes": {"YES": 1}}, "the answer gives it no code"),
    ({"codes": []}, "the answer gives it no code"),
    ({"codes": 1}, "the answer gives it no code"),
    ({"codes": ["YES", "OTH", "ASK"]}, "the number of codes the answer gives it is 3; 1 to 2 are allowed"),
    ({"role": "Assistant"}, "the answer takes it for an utterance of Assistant"),
    ({"role": "assistant ", "codes": ["SHOW"]}, "the answer takes it for an utterance of Assistant"),
])  # fmt: skip
def test_a_single_row_that_is_wrong_is_refused_alone(row: Row, why: str) -> None:
    read = reading(FOUR, spoilt(FOUR, 3, **row))
    assert labels(read) == but(3)
    assert read.refused == {3: why}


@pytest.mark.parametrize("codes", [["yes"], [" YES "], "Yes", ["YES", "yes"], ["\tYeS\n"]])
def test_case_and_outer_spaces_do_not_matter(codes: Any) -> None:
    assert labels(reading(FOUR, spoilt(FOUR, 3, codes=codes))) == ALL


@pytest.mark.parametrize("role", ["", "Buyer", None, 3, [], " SEEKER"])
def test_a_role_that_does_not_exist_speaks_neither_for_nor_against(role: Any) -> None:
    assert labels(reading(FOUR, spoilt(FOUR, 3, role=role))) == ALL


@pytest.mark.parametrize(("second", "kept"), [("oth", "OTH"), ("YES", ""), ("SHOW", ""), ("ZZZ", ""), (None, ""), (["OTH"], "")])
def test_the_second_choice_is_another_code_of_the_role_or_nothing(second: Any, kept: str) -> None:
    assert reading(FOUR, spoilt(FOUR, 3, second=second)).accepted[3].second == kept


def test_fewer_codes_than_the_taxonomy_wants_are_refused() -> None:
    read_two = read(replace(TAXONOMY, min_codes=2), FOUR, TEXT, "STOP")
    assert set(read_two.refused.values()) == {"the number of codes the answer gives it is 1; 2 to 2 are allowed"}


def test_a_line_whose_role_the_taxonomy_lacks_gets_nothing() -> None:
    lines = (replace(FOUR.lines[0], role="Bystander"), *FOUR.lines[1:])
    assert labels(reading(replace(FOUR, lines=lines), [ROWS[0] | {"role": "Bystander"}, *ROWS[1:]])) == but(1)


def test_a_refused_text_is_blocked_with_its_reason() -> None:
    assert reading(FOUR, "", "blocked: SAFETY").blocked == "the service refused the text (SAFETY)"


@pytest.mark.parametrize("finish", ["SAFETY", "RECITATION", "SPII", "OTHER", "LANGUAGE", "PROHIBITED_CONTENT", "MALFORMED_RESPONSE"])
def test_an_early_stop_without_text_is_a_stop_and_with_text_it_is_not(finish: str) -> None:
    assert reading(FOUR, "", finish).stopped == f"the model stopped without an answer ({finish})"
    assert labels(reading(FOUR, TEXT[:CUT_AT], finish)) == but(3, 4)


def test_neither_candidate_nor_feedback_is_an_empty_answer() -> None:
    assert reading(FOUR, "", "").whole == "the answer was empty"


def test_one_label_for_everything_is_noted() -> None:
    many = asked("S" * 9)
    assert reading(many, right(many)).note == "all 9 utterances of Seeker got the same label"


HOSTILE = {
    "a million braces": "{" * 1_000_000,
    "braces and quotes": '{"' * 300_000,
    "deep objects": '{"a":' * 100_000,
    "deep lists": "[" * 1_000_000,
    "closed deep lists": "[" * 100_000 + "]" * 100_000,
    "a huge number": f'[{{"id": {"9" * 100_000}, "codes": ["YES"]}}]',
    "half a row a thousand times": TEXT[:60] * 5_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_read_quickly_and_gives_nothing(text: str) -> None:
    began = time.perf_counter()
    assert reading(FOUR, text).accepted == {}
    assert time.perf_counter() - began < 5


def test_rows_before_a_deep_nest_are_kept() -> None:
    assert labels(reading(FOUR, TEXT[: CUT_AT - 2] + '{"a":' * 100_000)) == but(3, 4)


@pytest.mark.parametrize("depth", [10, 500, 900, 940, 960, 980, 985, 990, 995, 2_000])
def test_values_of_any_depth_are_no_ids_and_no_codes(depth: int) -> None:
    deep = "[" * depth + "]" * depth
    for name in ("id", "codes", "role", "confidence", "rationale", "second"):
        found = reading(FOUR, f"[{TEXT[1:-1]}, " + json.dumps(ROWS[0] | {name: "DEEP"}).replace('"DEEP"', deep) + "]")
        assert found.whole or all(said.codes in (("YES",), ("SHOW",)) for said in found.accepted.values())


def test_of_a_key_that_is_there_twice_the_last_counts() -> None:
    assert labels(reading(FOUR, TEXT.replace('"codes": ["YES"]', '"codes": ["SHOW"], "codes": ["YES"]'))) == ALL


@pytest.mark.parametrize("odd", ["\ud800", "a\udfffb", "\x00", "x\x1b[31m", "tab\tand\nline", "\U0001f600", "ok"])
@pytest.mark.parametrize("name", ["rationale", "codes", "role", "second", "id"])
def test_what_is_kept_of_an_answer_can_be_stored(name: str, odd: str) -> None:
    read = reading(FOUR, [*ROWS, *spoilt(FOUR, 3, **{name: [odd] if name == "codes" else odd})])
    texts = [read.whole, read.note, *read.refused.values(), *(said.reason for said in read.accepted.values())]
    for text in filter(None, texts):
        checked(Transcript("c", (Turn("Seeker", (Utterance("u", text),), 1),)))
        assert text.isprintable()


def test_a_long_rationale_is_cut() -> None:
    reason = reading(FOUR, spoilt(FOUR, 3, rationale="word " * 10_000)).accepted[3].reason
    assert len(reason) <= LONGEST_REASON


def test_objects_inside_a_whole_row_are_no_rows() -> None:
    inner = 'She says {"id": 2, "codes": ["ASK"]}, {\'id\': 3}'
    assert labels(reading(FOUR, json.dumps(spoilt(FOUR, 1, rationale=inner))[:-1])) == ALL


NAMES = st.sampled_from(["id", "role", "rationale", "codes", "code", "confidence", "second", "x"])
KNOWN_WORDS = st.sampled_from(["YES", "SHOW", "ASK", "Seeker", "Assistant", 1, 2, 3, 4])
JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | KNOWN_WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=7),
    max_leaves=30,
)
ROWISH = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.integers(-1, 6) | st.sampled_from(["1", "2", 3.0, True, None]),
            "codes": st.lists(st.sampled_from(["YES", "OTH", "SHOW", "ASK", "ZZZ", "yes"]), max_size=4),
        },
        optional={"role": st.sampled_from(["Seeker", "Assistant", "x"]), "confidence": JSONISH, "rationale": JSONISH, "second": JSONISH},
    ),
    max_size=8,
)
TEXTS = st.text() | st.text(alphabet='{}[]",:\\ 123idcodesYESHOW\n')
ANSWERS = TEXTS | (JSONISH | ROWISH).map(json.dumps) | ROWISH.map(lambda rows: json.dumps(rows)[:-9])
FINISHES = st.sampled_from(["STOP", "MAX_TOKENS", "SAFETY", "", "blocked: OTHER"])
QUESTIONS = st.builds(
    lambda roles, keep: asked(roles, tuple(at for at in range(1, len(roles) + 1) if keep >> at & 1) or (1,)),
    st.text("SA", min_size=1, max_size=6),
    st.integers(0, 255),
)


@given(QUESTIONS, ANSWERS, FINISHES)
def test_whatever_comes_reading_never_raises_and_takes_only_what_may_be_said(question: Any, text: str, finish: str) -> None:
    read = reading(question, text, finish)
    for key, said in read.accepted.items():
        assert key in question.wanted
        assert 1 <= len(said.codes) <= TAXONOMY.max_codes
        assert all(TAXONOMY.known(question.roles[key], code) for code in (*said.codes, *filter(None, [said.second])))
        assert said.confidence is None or 0 <= said.confidence <= 1
    assert not read.accepted.keys() & read.refused.keys()
    whole = read.whole or read.stopped or read.blocked
    assert bool(whole) != (read.accepted.keys() | read.refused.keys() == set(question.wanted))


@given(ROWISH)
def test_the_order_of_rows_with_ids_of_their_own_does_not_matter(rows: list[Row]) -> None:
    own = list({str(row["id"]).removesuffix(".0"): row for row in rows}.values())
    assert reading(FOUR, own) == reading(FOUR, own[::-1])


@given(st.text())
def test_any_text_gives_rows_with_an_id_or_none(text: str) -> None:
    assert all("id" in row for row in parse_rows(text))
