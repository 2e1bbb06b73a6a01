"""What Gemini is sent, and with which key, through the real client. How it fails is in `test_gemini_fails.py`."""

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from standin import StandIn

from annotator.errors import BadInput
from annotator.taggers import make
from annotator.taggers.base import Brief
from annotator.taggers.prompt import Example
from annotator.taggers.provider import Manner

from .canned import Canned
from .gemini import KEY, QUESTION, Make, fails, labels, right
from .small import TAXONOMY


def test_a_good_answer_is_read_with_its_counts(standin: StandIn, gemini: Make) -> None:
    tagger = gemini()
    answer = tagger.ask(QUESTION)
    (entry,) = standin.log()
    assert labels(tagger, answer) == right(standin)
    assert (answer.finish, answer.model_version) == ("STOP", "gemini-3.5-flash-lite")
    assert (answer.tokens_in, answer.tokens_out, answer.tokens_cached) == (entry["tokens"]["in"], entry["tokens"]["out"], 0)


def test_thoughts_are_paid_for_and_cached_tokens_are_known(gemini: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    with StandIn.start(key=KEY, cache=10) as caching:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", caching.url)
        tagger = gemini(thinking="low")
        first, second = tagger.ask(QUESTION), tagger.ask(replace(QUESTION, wanted=(1,)))
        counts = [entry["tokens"] for entry in caching.log()]
    assert first.tokens_out == counts[0]["out"] + 120
    assert 0 == first.tokens_cached < second.tokens_cached == counts[1]["cached"]


def test_what_stands_beside_the_conversation_does_not_disturb_the_answer(standin: StandIn, gemini: Make) -> None:
    beside = {"scenario": '{"utterances": []}', "items": ("Item01",), "examples": (Example("Seeker", "Hi", ("YES",)),)}
    question = replace(QUESTION, wanted=(2, 3), **beside)
    tagger = gemini()
    assert set(labels(tagger, tagger.ask(question), question)) == {2, 3}
    assert [(entry["ids"], entry["context"]) for entry in standin.log()] == [([2, 3], 4)]


def test_one_question_is_one_request_without_sampling_in_one_user_turn(canned: Canned, gemini: Make) -> None:
    canned.say({})
    gemini().ask(QUESTION)
    ((path, body),) = canned.sent
    assert path.endswith("/models/gemini-3.5-flash-lite:generateContent")
    assert [content["role"] for content in body["contents"]] == ["user"]
    assert not {"temperature", "topP", "topK", "top_p", "top_k", "seed"} & body["generationConfig"].keys()
    assert not {"tools", "serviceTier"} & body.keys()


def test_no_word_of_the_conversation_gets_into_the_rules(canned: Canned, gemini: Make) -> None:
    canned.say({})
    gemini().ask(QUESTION)
    ((_, body),) = canned.sent
    assert all(line.text not in json.dumps(body["systemInstruction"]) for line in QUESTION.lines)
    (part,) = body["contents"][0]["parts"]
    assert [one["text"] for one in json.loads(part["text"])["utterances"]] == [line.text for line in QUESTION.lines]


@pytest.mark.parametrize(("model", "thinking", "sent"), [
    ("gemini-3.5-flash-lite", "minimal", {"thinkingLevel": "MINIMAL"}),
    ("gemini-3.8-flash", "low", {"thinkingLevel": "LOW"}),
    ("gemini-2.5-flash", "minimal", {"thinkingBudget": 0}),
    ("gemini-2.5-flash-lite", "low", {"thinkingBudget": 1024}),
])  # fmt: skip
def test_thinking_is_a_level_or_for_older_models_a_budget(
    standin: StandIn, gemini: Make, model: str, thinking: str, sent: dict[str, Any]
) -> None:
    gemini(model=model, thinking=thinking).ask(QUESTION)
    assert [entry["thinking"] for entry in standin.log()] == [sent]


@pytest.mark.parametrize(("tier", "sent"), [("standard", None), ("flex", "flex")])
def test_flex_is_asked_for_in_words(standin: StandIn, gemini: Make, tier: str, sent: str | None) -> None:
    gemini(Manner(tier=tier)).ask(QUESTION)
    assert [entry["tier"] for entry in standin.log()] == [sent]


def test_the_answer_has_room_for_rows_and_thoughts(standin: StandIn, gemini: Make) -> None:
    for thinking, room in (("minimal", 1), ("low", 1), ("low", 4)):
        gemini(thinking=thinking).ask(replace(QUESTION, room=room))
    few, more, most = [entry["cap"] for entry in standin.log()]
    assert 256 + 80 * 4 <= few == more - 1024 == most // 4 - 1024


def test_a_model_that_always_thinks_is_asked_for_as_little_as_it_can(standin: StandIn, gemini: Make) -> None:
    gemini(model="gemini-3.8-flash").ask(QUESTION)
    assert [entry["thinking"] for entry in standin.log()] == [{"thinkingLevel": "LOW"}]
    with pytest.raises(BadInput, match="always thinks; the least is low"):
        gemini(model="gemini-3.8-flash", thinking="minimal")


def test_an_endpoint_of_the_run_goes_before_the_environments(standin: StandIn, gemini: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "http://127.0.0.1:1")
    gemini(Manner(endpoint=standin.url)).ask(QUESTION)
    assert len(standin.log()) == 1


@pytest.mark.parametrize("name", ["GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_GENAI_USE_ENTERPRISE"])
def test_nothing_in_the_environment_diverts_the_question(canned: Canned, gemini: Make, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")
    canned.say({})
    gemini().ask(QUESTION)
    assert [path for path, _ in canned.sent] == ["/v1/models/gemini-3.5-flash-lite:generateContent"]


# Keys


def test_without_a_key_it_stops_and_says_what_to_set(standin: StandIn, gemini: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", " ")
    assert str(fails(gemini())) == gemini().missing()
    assert "Set GEMINI_API_KEY in the environment" in gemini().missing()
    assert standin.log() == []


def test_of_two_keys_googles_own_goes_first(standin: StandIn, gemini: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", KEY)
    monkeypatch.setenv("GEMINI_API_KEY", "wrong")
    assert gemini().ask(QUESTION).text


def test_a_key_may_end_in_the_line_it_was_copied_with(standin: StandIn, gemini: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", f" {KEY}\n")
    assert gemini().ask(QUESTION).text


def test_a_key_in_curly_quotes_stops_with_a_sentence(standin: StandIn, gemini: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", f"“{KEY}”")
    assert "Copy it again, without quotes" in str(fails(gemini()))


def test_a_key_that_the_service_repeats_is_blotted_out(canned: Canned, gemini: Make) -> None:
    canned.refuse(413, "TOO_LARGE", f"Request with {KEY} is too large")
    assert str(fails(gemini())) == "the service answered 413 TOO_LARGE: Request with [key] is too large"


# Making it


@pytest.mark.parametrize("model", ["", "a/b", "models/gemini", "x" * 101, "gemini 3", "../x"])
def test_what_cannot_be_a_models_name_is_refused(model: str) -> None:
    with pytest.raises(BadInput, match="cannot be a model's name. It looks like gemini-3.5-flash-lite."):
        make("gemini", Brief(TAXONOMY, settings={"model": model}))


def test_a_level_of_thinking_that_does_not_exist_is_refused() -> None:
    with pytest.raises(BadInput, match="thinking is 'hard'. Choose minimal, low, medium, high."):
        make("gemini", Brief(TAXONOMY, settings={"thinking": "hard"}))


def test_listing_and_making_it_loads_no_client() -> None:
    code = (
        "import sys; from annotator.taggers import *; from annotator.core.taxonomy import Taxonomy; "
        "make('gemini', Brief(Taxonomy('x', 1, 1, ()))).close(); "
        "print({'google', 'google.genai', 'httpx2', 'pydantic', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
