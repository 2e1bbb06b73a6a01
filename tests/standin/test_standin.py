"""The stand-in as the real client sees it: right answers, quotas, log; its faults are in `test_faults`."""

import asyncio
import json
import math
import threading
from pathlib import Path
from typing import Any

import pytest
from google import genai
from google.genai import errors
from loops import run_apart

from standin import StandIn
from standin.steps import (
    BY_ROLE,
    CODES,
    FIELDS,
    FLAT,
    MODEL,
    RIGHT,
    UTTERANCES,
    ask,
    codes_by_id,
    connect,
    delay_of,
    prompt,
    quota_of,
    rows_of,
)


def test_the_answer_is_the_truth_in_the_order_of_the_schema(client: genai.Client) -> None:
    answer = ask(client)
    rows = rows_of(answer)
    assert codes_by_id(rows) == RIGHT
    assert all(list(row) == FIELDS and 0.5 <= row["confidence"] < 1 and row["second"] not in row["codes"] for row in rows)
    assert rows[0]["rationale"].startswith("The Seeker says 'Any boots?', which reads as ")
    assert answer.parsed == rows
    assert (answer.model_version, answer.candidates[0].finish_reason) == (MODEL, "STOP")
    usage = answer.usage_metadata
    assert usage.candidates_token_count == math.ceil(len(answer.text) / 1.9)
    assert usage.total_token_count == usage.prompt_token_count + usage.candidates_token_count
    assert usage.thoughts_token_count is None and usage.cached_content_token_count is None


def test_only_the_rows_that_are_wanted_come(client: genai.Client, standin: StandIn) -> None:
    assert codes_by_id(rows_of(ask(client, [2, 7]))) == {at: RIGHT[at] for at in (2, 7)}
    assert [(entry["ids"], entry["context"]) for entry in standin.log()] == [([2, 7], 8)]


IN_AN_OBJECT = {"type": "OBJECT", "properties": {"rows": BY_ROLE}}
BY_REFERENCE = {
    "type": "object",
    "properties": {"rows": {"$ref": "#/$defs/Rows"}},
    "$defs": {"Rows": json.loads(json.dumps(BY_ROLE).replace("any_of", "anyOf").replace("property_ordering", "propertyOrdering"))},
}


@pytest.mark.parametrize("schema", [{"response_schema": IN_AN_OBJECT}, {"response_schema": None, "response_json_schema": BY_REFERENCE}])
def test_the_answer_has_the_shape_of_the_schema(client: genai.Client, schema: dict[str, Any]) -> None:
    assert codes_by_id(json.loads(ask(client, **schema).text or "")["rows"]) == RIGHT


def test_a_flat_schema_takes_the_codes_of_a_role_from_earlier_requests(client: genai.Client) -> None:
    ask(client)
    assert codes_by_id(rows_of(ask(client, response_schema=FLAT))) == RIGHT


def test_a_flat_schema_takes_the_codes_of_a_role_from_the_start() -> None:
    with StandIn.start(codes=CODES) as standin, connect(standin.url) as client:
        assert codes_by_id(rows_of(ask(client, response_schema=FLAT))) == RIGHT


def test_labels_override_and_a_row_has_as_many_codes_as_allowed() -> None:
    with StandIn.start(labels={"Any boots?": ["RP", "IQ"], "Ninety.": {"Assistant": "PI"}}, most=1, model_version="other") as standin:
        with connect(standin.url) as client:
            answer = ask(client)
        rows = codes_by_id(rows_of(answer))
        assert rows == {one["id"]: standin.truth(one["role"], one["text"], CODES[one["role"]]) for one in UTTERANCES}
    assert (rows[1], rows[6], answer.model_version) == (["IQ", "RP"], ["PI"], "other")
    assert all(len(rows[at]) == 1 for at in rows if at > 1)


def test_what_is_sent_is_in_the_log_and_in_its_file(tmp_path: Path) -> None:
    with StandIn.start(log=tmp_path / "log.jsonl") as standin, connect(standin.url) as client:
        ask(client, service_tier="flex", thinking_config={"thinking_level": "minimal"}, max_output_tokens=900)
        ask(client, response_schema=FLAT, temperature=0.1, top_k=3, thinking_config={"thinking_level": "low"})
        first, second = standin.log()
        stats = standin.stats()
    assert (first["tier"], first["cap"], first["thinking"], first["sampling"], first["schema"]) == (
        "flex", 900, {"thinkingLevel": "MINIMAL"}, [], "anyOf",
    )  # fmt: skip
    assert (second["sampling"], second["schema"], second["tokens"]["thoughts"]) == (["temperature", "topK"], "flat", 120)
    assert (stats["calls"], stats["answered"], stats["bodies"], stats["bodies_answered_again"], stats["sampling"]) == (2, 2, 2, 0, 1)
    assert [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()] == [first, second]


def test_models_are_listed_and_tokens_counted(client: genai.Client) -> None:
    assert f"models/{MODEL}" in [model.name for model in client.models.list()]
    assert client.models.get(model=MODEL).name == f"models/{MODEL}"
    assert client.models.count_tokens(model=MODEL, contents="x" * 32).total_tokens == 10
    for call in (lambda: ask(client, model="gemini-0"), lambda: client.models.get(model="gemini-0")):
        with pytest.raises(errors.ClientError, match="models/gemini-0 is not found") as told:
            call()
        assert (told.value.code, told.value.status) == (404, "NOT_FOUND")


def test_both_versions_of_the_api_are_there(standin: StandIn) -> None:
    options = {"base_url": standin.url, "api_version": "v1beta", "client_args": {"trust_env": False}}
    with genai.Client(api_key="test-key", http_options=options, vertexai=False) as client:
        assert codes_by_id(rows_of(ask(client))) == RIGHT


def test_a_wrong_key_is_refused_as_google_does(standin: StandIn) -> None:
    with connect(standin.url, key="wrong") as client:
        for call in (lambda: ask(client), lambda: client.models.list(), lambda: client.models.count_tokens(model=MODEL, contents="x")):
            with pytest.raises(errors.ClientError) as told:
                call()
            assert (told.value.code, told.value.status) == (400, "INVALID_ARGUMENT")
            assert told.value.details["error"]["details"][0]["reason"] == "API_KEY_INVALID"


def test_a_long_system_instruction_is_cached_the_second_time(client: genai.Client) -> None:
    seen = [ask(client, system_instruction="x" * 14_000).usage_metadata.cached_content_token_count for _ in range(2)]
    assert seen == [None, 4375]


def test_the_minute_quota_says_when_to_come_back_and_the_day_quota_does_not() -> None:
    with StandIn.start(rpm=2, minute=0.5, rpd=3) as standin, connect(standin.url) as client:
        ask(client), ask(client)
        with pytest.raises(errors.ClientError) as told:
            ask(client)
        assert (told.value.code, told.value.status, quota_of(told.value)) == (
            429, "RESOURCE_EXHAUSTED", "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
        )  # fmt: skip
        threading.Event().wait(delay_of(told.value))
        ask(client)
        with pytest.raises(errors.ClientError) as told:
            ask(client)
        assert (delay_of(told.value), quota_of(told.value)) == (None, "GenerateRequestsPerDayPerProjectPerModel-FreeTier")
        assert standin.stats()["statuses"] == {"200": 3, "429": 2}


def test_flex_is_shed_and_standard_is_not() -> None:
    with StandIn.start(shed_every=2) as standin, connect(standin.url) as client:
        ask(client, service_tier="flex")
        with pytest.raises(errors.ServerError):
            ask(client, service_tier="flex")
        ask(client)
        assert [entry["status"] for entry in standin.log()] == [200, 503, 200]


def test_the_cap_is_kept_where_that_is_asked_for() -> None:
    with StandIn.start(keep_cap=True) as standin, connect(standin.url) as client:
        cut = ask(client, max_output_tokens=100)
        none = ask(client, max_output_tokens=100, thinking_config={"thinking_level": "high"})
    assert [answer.candidates[0].finish_reason for answer in (cut, none)] == ["MAX_TOKENS", "MAX_TOKENS"]
    assert (len(cut.text), none.text, none.usage_metadata.thoughts_token_count) == (190, None, 100)


def test_calls_overlap_and_each_is_answered_once() -> None:
    with StandIn.start(latency=0.3, jitter=0.01) as standin:

        async def all_of_them() -> list[Any]:
            async with connect(standin.url).aio as client:
                return await asyncio.gather(*(client.models.generate_content(model=MODEL, contents=f"{at} {prompt()}") for at in range(8)))

        answers = run_apart(all_of_them())
        stats = standin.stats()
    assert len({answer.response_id for answer in answers}) == 8
    assert stats["busiest"] >= 4 and (stats["answered"], stats["bodies"], stats["bodies_answered_again"]) == (8, 8, 0)


def test_it_ends_when_told_and_says_when_it_cannot_start() -> None:
    standin = StandIn.start()
    standin.stop()
    standin.stop()
    assert standin.process.returncode is not None
    with pytest.raises(RuntimeError, match="did not start: status 2"):
        StandIn.start(colour="red")
