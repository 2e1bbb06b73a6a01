"""Every fault of the stand-in, in the shape that the real client gives it, and the rules that say when it strikes."""

import json
import math
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from google import genai
from google.genai import errors, types

from standin import StandIn
from standin.faults import ANSWER_FAULTS, FAULTS, REQUEST_FAULTS, STOPPING_FAULTS, TRANSPORT_FAULTS, read_rules
from standin.steps import CODES, FLAT, MODEL, RIGHT, ROWS, ask, codes_by_id, delay_of, quota_of, rows_of

# Fault → exception type, code and status; by default of the class that the code has.
RAISED: dict[str, tuple[type[Exception], int, str | None]] = {
    "rate_minute": (errors.ClientError, 429, "RESOURCE_EXHAUSTED"),
    "rate_day": (errors.ClientError, 429, "RESOURCE_EXHAUSTED"),
    "error_500": (errors.ServerError, 500, "INTERNAL"),
    "error_503": (errors.ServerError, 503, "UNAVAILABLE"),
    "error_504": (errors.ServerError, 504, "DEADLINE_EXCEEDED"),
    "html_502": (errors.ServerError, 502, "Bad Gateway"),
    "bad_schema": (errors.ClientError, 400, "INVALID_ARGUMENT"),
    "bad_request": (errors.ClientError, 400, "INVALID_ARGUMENT"),
    "key_invalid": (errors.ClientError, 400, "INVALID_ARGUMENT"),
    "unauthorized": (errors.ClientError, 401, "UNAUTHENTICATED"),
    "forbidden": (errors.ClientError, 403, "PERMISSION_DENIED"),
    "not_found": (errors.ClientError, 404, "NOT_FOUND"),
    "drop": (httpx2.RemoteProtocolError, 0, None),
    "drop_half": (httpx2.RemoteProtocolError, 0, None),
    "hang": (httpx2.ReadTimeout, 0, None),
    "html": (json.JSONDecodeError, 0, None),
    "half_body_json": (json.JSONDecodeError, 0, None),
}


@pytest.mark.parametrize("fault", RAISED)
def test_a_fault_raises_what_is_documented_and_the_next_call_goes_well(standin: StandIn, client: genai.Client, fault: str) -> None:
    kind, code, status = RAISED[fault]
    standin.faults([{"fault": fault}])
    with pytest.raises(kind) as told:
        ask(client, http_options={"timeout": 300} if fault == "hang" else None)
    assert code == 0 or (told.value.code, told.value.status) == (code, status)
    assert codes_by_id(rows_of(ask(client))) == RIGHT
    standin.reset() if fault == "hang" else None
    # The end of the log: a request that hung in the test before may be noted late.
    assert fault == "hang" or [entry["fault"] for entry in standin.log()][-2:] == [fault, None]


Answer = types.GenerateContentResponse
Check = Callable[[Answer], bool]


def unparsed(ending: str) -> Check:
    return lambda answer: answer.parsed is None and answer.candidates[0].finish_reason == ending


def without_content(ending: str) -> Check:
    return lambda answer: answer.text is None and answer.candidates[0].content is None and answer.candidates[0].finish_reason == ending


def rows(check: Callable[[list[dict[str, Any]]], bool]) -> Check:
    """A check of rows that the client has parsed without complaint."""
    return lambda answer: answer.parsed is not None and check(rows_of(answer)) and answer.candidates[0].finish_reason == "STOP"


def ids(*expected: Any) -> Check:
    return rows(lambda said: [row["id"] for row in said] == list(expected))


def odd_row(check: Callable[[dict[str, Any]], bool]) -> Check:
    """Exactly the fifth row, a Seeker's, is wrong."""
    return rows(lambda said: [row["id"] for row in said if row["codes"] != RIGHT[row["id"]]] == [5] and check(said[4]))


def moved(at: int, *, role: bool) -> Check:
    """From `at` on each row says what the next one should."""
    return rows(lambda said: all(
        said[n]["codes"] == ROWS[min(n + 1, 7) if n >= at else n]["codes"]
        and said[n]["role"] == ROWS[min(n + 1, 7) if n >= at and role else n]["role"]
        for n in range(8)
    ))  # fmt: skip


SHOWS: dict[str, Check] = {
    "fenced": lambda answer: unparsed("STOP")(answer) and answer.text.startswith("```json\n["),
    "prose_around": lambda answer: unparsed("STOP")(answer) and codes_by_id(json.loads(answer.text.split("\n\n")[1])) == RIGHT,
    "truncated": lambda answer: unparsed("MAX_TOKENS")(answer) and answer.text.startswith('[{"id": 1'),
    "max_tokens_empty": lambda answer: answer.text is None and answer.candidates[0].finish_reason == "MAX_TOKENS",
    "repetition": lambda answer: unparsed("MAX_TOKENS")(answer) and answer.text.count('"id": 1,') > 5,
    "trailing_comma": lambda answer: unparsed("STOP")(answer) and answer.text.endswith("},]"),
    "single_quotes": lambda answer: unparsed("STOP")(answer) and answer.text.startswith("[{'id': 1"),
    "not_json": unparsed("STOP"),
    "empty": lambda answer: unparsed("STOP")(answer) and not answer.text,
    "nan_confidence": rows(lambda said: all(math.isnan(row["confidence"]) for row in said)),
    "word_confidence": rows(lambda said: all(row["confidence"] in ("low", "medium", "high") for row in said)),
    "percent_confidence": rows(lambda said: all(50 <= row["confidence"] < 100 for row in said)),
    "missing_confidence": rows(lambda said: all("confidence" not in row for row in said)),
    "missing_tail": ids(1, 2, 3, 4, 5),
    "missing_middle": ids(1, 2, 3, 4, 6, 7, 8),
    "extra_ids": ids(1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
    "duplicate_same": rows(lambda said: [row["id"] for row in said] == [1, 2, 3, 4, 5, 5, 6, 7, 8] and said[4] == said[5]),
    "duplicate_different": rows(lambda said: said[4]["id"] == said[5]["id"] == 5 and said[4]["codes"] != said[5]["codes"]),
    "string_ids": ids(*"12345678"),
    "renumbered": ids(0, 1, 2, 3, 4, 5, 6, 7),
    "slid": moved(0, role=False),
    "slid_rows": moved(0, role=True),
    "slid_tail": moved(3, role=False),
    "wrong_role": odd_row(lambda row: row["role"] == "Seeker" and set(row["codes"]) <= {"RS", "EO", "PI"}),
    "flipped_role": odd_row(lambda row: row["role"] == "Assistant" and set(row["codes"]) <= {"RS", "EO", "PI"}),
    "unknown_code": odd_row(lambda row: row["codes"] == ["ZZZ"]),
    "null_code": odd_row(lambda row: row["codes"] == [None]),
    "empty_codes": odd_row(lambda row: row["codes"] == []),
    "nearest_code": odd_row(lambda row: [code[:-1] for code in row["codes"]] == RIGHT[5]),
    "case_space": rows(lambda said: all(row["codes"] == [f" {code.lower()} " for code in RIGHT[row["id"]]] for row in said)),
    "too_many_codes": odd_row(lambda row: set(row["codes"]) == set(CODES["Seeker"])),
    "blocked": lambda answer: answer.candidates is None and answer.prompt_feedback.block_reason == "PROHIBITED_CONTENT",
    "safety": without_content("SAFETY"),
    "recitation": without_content("RECITATION"),
    "spii": without_content("SPII"),
    "other_stop": without_content("OTHER"),
    "no_candidates": lambda answer: answer.candidates is None and answer.prompt_feedback is None and answer.text is None,
    "rerouted": lambda answer: answer.model_version != MODEL and codes_by_id(rows_of(answer)) == RIGHT,
}  # fmt: skip


@pytest.mark.parametrize("fault", SHOWS)
def test_a_fault_of_the_answer_shows_as_documented_once(standin: StandIn, client: genai.Client, fault: str) -> None:
    standin.faults([fault])
    assert SHOWS[fault](ask(client, max_output_tokens=5000))
    assert codes_by_id(rows_of(ask(client))) == RIGHT
    assert [(entry["fault"], entry["status"]) for entry in standin.log()] == [(fault, 200), (None, 200)]


def test_every_fault_is_seen_through_the_client() -> None:
    assert len(FAULTS) == len(set(FAULTS)) == len((*ANSWER_FAULTS, *TRANSPORT_FAULTS, *REQUEST_FAULTS, *STOPPING_FAULTS))
    assert set(SHOWS) == set(ANSWER_FAULTS) and set(RAISED) == set(FAULTS) - set(ANSWER_FAULTS)


def test_a_rule_strikes_where_its_text_is_and_as_often_as_it_says(standin: StandIn, client: genai.Client) -> None:
    standin.faults([{"fault": "empty", "match": "no such text"}, {"fault": "unknown_code", "match": "Ninety", "times": "always"}])
    assert codes_by_id(rows_of(ask(client)))[6] == ["ZZZ"]
    standin.faults([{"fault": "empty", "every": 3}])
    assert [ask(client).text for _ in range(6)].count("") == 2
    standin.faults([{"fault": "empty", "times": 2}])
    assert [ask(client).text == "" for _ in range(3)] == [True, True, False]
    assert standin.rules()[0]["times"] == 0


def test_a_fault_that_cannot_show_is_kept(standin: StandIn, client: genai.Client) -> None:
    standin.faults([{"fault": "slid"}, {"fault": "max_tokens_empty", "until": 2000, "times": "always"}])
    assert codes_by_id(rows_of(ask(client, [3], max_output_tokens=2000))) == {3: RIGHT[3]}
    assert ask(client, [3], max_output_tokens=1999).text is None
    assert codes_by_id(rows_of(ask(client))) != RIGHT


def test_bad_schema_spares_the_flat_one(standin: StandIn, client: genai.Client) -> None:
    standin.faults([{"fault": "bad_schema", "times": "always"}])
    with pytest.raises(errors.ClientError, match="Request contains an invalid argument"):
        ask(client)
    assert codes_by_id(rows_of(ask(client, response_schema=FLAT))) == RIGHT


def test_a_rate_limit_carries_its_delay(standin: StandIn, client: genai.Client) -> None:
    standin.faults([{"fault": "rate_minute", "delay": 27}, {"fault": "rate_day"}])
    for delay, period in ((27, "Minute"), (None, "Day")):
        with pytest.raises(errors.ClientError) as told:
            ask(client)
        assert delay_of(told.value) == delay and f"Per{period}Per" in quota_of(told.value)


def test_faults_of_other_methods(standin: StandIn, client: genai.Client) -> None:
    standin.faults([{"fault": "error_503", "on": "countTokens"}, {"fault": "forbidden", "on": "models"}])
    with pytest.raises(errors.ServerError):
        client.models.count_tokens(model=MODEL, contents="x")
    with pytest.raises(errors.ClientError):
        client.models.list()
    assert codes_by_id(rows_of(ask(client))) == RIGHT


@pytest.mark.parametrize("rule", ["tired", {"fault": "slid", "when": 3}, {"fault": "slid", "on": "streams"}])
def test_a_rule_that_does_not_exist_is_refused(rule: Any) -> None:
    with pytest.raises(ValueError, match="there is no|a rule has no"):
        read_rules([rule])
