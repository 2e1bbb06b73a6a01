"""What each way that Gemini can fail becomes: busy, unanswerable or stopped, with a sentence; or an answer that says so."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from standin import StandIn
from standin.faults import REFUSAL_FAULTS, REQUEST_FAULTS, STOPPING_FAULTS, TRANSPORT_FAULTS

from annotator.taggers.provider import Busy, Manner, Stopped, Unanswerable

from .canned import Canned
from .gemini import KEY, QUESTION, Make, fails, labels, right
from .rows import asked

BECOMES: dict[str, tuple[type[Exception], str]] = {
    "rate_minute": (Busy, "the account's rate limit was reached"),
    "error_500": (Busy, "the service is overloaded (500 INTERNAL)"),
    "error_503": (Busy, "the service is overloaded (503 UNAVAILABLE)"),
    "error_504": (Busy, "the service is overloaded (504 DEADLINE_EXCEEDED)"),
    "drop": (Busy, "the connection to the service failed (RemoteProtocolError)"),
    "drop_half": (Busy, "the connection to the service failed (RemoteProtocolError)"),
    "html": (Busy, "the service answered with something that is not JSON"),
    "html_502": (Busy, "the service is overloaded (502 Bad Gateway)"),
    "half_body_json": (Busy, "the service answered with something that is not JSON"),
    "hang": (Busy, "the connection to the service failed (ReadTimeout)"),
    "bad_schema": (Unanswerable, ""),
    "bad_request": (Unanswerable, "the service refused the question: Request contains an invalid argument."),
    "rate_day": (Stopped, "Today's quota of the account is used up. It comes back at midnight Pacific time"),
    "unauthorized": (Stopped, "Gemini refused the key (401 UNAUTHENTICATED). Check GOOGLE_API_KEY or GEMINI_API_KEY"),
    "forbidden": (Stopped, "Gemini refused the key (403 PERMISSION_DENIED)."),
    "not_found": (Stopped, "Gemini has no model gemini-3.5-flash-lite for this key. It has: gemini-2.5-flash, gemini-2.5-flash-lite, gem"),
    "key_invalid": (Stopped, "Gemini refused the key (400 INVALID_ARGUMENT)."),
}


def test_every_fault_of_the_wire_is_among_those_tried() -> None:
    assert BECOMES.keys() == {*TRANSPORT_FAULTS, *REQUEST_FAULTS, *STOPPING_FAULTS}


@pytest.mark.parametrize("fault", [fault for fault in BECOMES if fault != "bad_schema"])
def test_a_fault_becomes_one_of_three_errors_with_a_sentence(standin: StandIn, gemini: Make, fault: str) -> None:
    kind, sentence = BECOMES[fault]
    standin.faults([{"fault": fault, "times": "always"}])
    error = fails(gemini(Manner(timeout=0.4 if fault == "hang" else 20)))
    standin.reset()
    assert isinstance(error, kind)
    assert str(error).startswith(sentence)


@pytest.mark.parametrize("fault", [fault for fault, (kind, _) in BECOMES.items() if kind is Busy and fault != "hang"])
def test_nothing_is_repeated_by_itself_and_the_next_question_goes_well(standin: StandIn, gemini: Make, fault: str) -> None:
    standin.faults([fault])
    tagger = gemini()
    fails(tagger)
    assert len(standin.log()) == 1
    assert labels(tagger, tagger.ask(QUESTION)) == right(standin)


def test_a_rate_limit_says_how_long_to_wait(standin: StandIn, gemini: Make) -> None:
    standin.faults([{"fault": "rate_minute", "delay": 27}, {"fault": "rate_minute", "delay": 0.35}])
    waits = [fails(gemini()) for _ in range(2)]
    assert [(error.wait, error.rate) for error in waits if isinstance(error, Busy)] == [(27.0, True), (0.35, True)]


def test_an_overload_is_no_rate_limit(standin: StandIn, gemini: Make) -> None:
    standin.faults(["error_503"])
    error = fails(gemini())
    assert isinstance(error, Busy)
    assert (error.wait, error.rate) == (None, False)


def test_a_service_that_is_not_there_is_busy(gemini: Make) -> None:
    assert str(fails(gemini(Manner(endpoint="http://127.0.0.1:1")))) == "the connection to the service failed (ConnectError)"


def test_a_wrong_key_stops(standin: StandIn, gemini: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "wrong")
    assert isinstance(fails(gemini()), Stopped)


def test_an_unknown_model_stops_and_names_those_there_are(standin: StandIn, gemini: Make) -> None:
    error = fails(gemini(model="gemini-0"))
    assert str(error).startswith("Gemini has no model gemini-0 for this key. It has: gemini-2.5-flash, ")


def test_models_that_cannot_be_listed_are_not_the_error(standin: StandIn, gemini: Make) -> None:
    standin.faults([{"fault": "error_500", "on": "models", "times": "always"}])
    assert str(fails(gemini(model="gemini-0"))).endswith("It has: none that can be listed.")


def test_a_schema_that_is_refused_gives_way_to_the_flat_one_for_good(standin: StandIn, gemini: Make) -> None:
    standin.faults([{"fault": "bad_schema", "times": "always"}])
    tagger = gemini()
    answers = [tagger.ask(QUESTION) for _ in range(2)]
    assert [labels(tagger, answer) for answer in answers] == [right(standin)] * 2
    assert [(entry["schema"], entry["status"]) for entry in standin.log()] == [("anyOf", 400), ("flat", 200), ("flat", 200)]


def test_a_schema_that_is_refused_to_many_at_once_gives_way_for_all(gemini: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    with StandIn.start(key=KEY, faults=[{"fault": "bad_schema", "times": "always"}]) as strict, ThreadPoolExecutor(8) as pool:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", strict.url)
        tagger = gemini()
        answers = list(pool.map(tagger.ask, [QUESTION] * 40))
        assert [labels(tagger, answer) for answer in answers] == [right(strict)] * 40


def test_a_question_that_is_refused_in_both_shapes_leaves_the_shape_as_it_was(standin: StandIn, gemini: Make) -> None:
    standin.faults([{"fault": "bad_request", "times": 2}])
    tagger = gemini()
    assert isinstance(fails(tagger), Unanswerable)
    tagger.ask(QUESTION)
    assert [entry["schema"] for entry in standin.log()] == ["anyOf", "flat", "anyOf"]


def test_once_flat_a_refused_question_is_not_asked_again(standin: StandIn, gemini: Make) -> None:
    standin.faults(["bad_schema", {"fault": "bad_request", "times": "always", "match": "line 9"}])
    tagger = gemini()
    tagger.ask(QUESTION)
    assert isinstance(fails(tagger, asked(first=9)), Unanswerable)
    assert len(standin.log()) == 3


ENDINGS = {"blocked": "blocked: PROHIBITED_CONTENT", "safety": "SAFETY", "recitation": "RECITATION", "spii": "SPII", "other_stop": "OTHER"}


@pytest.mark.parametrize("fault", REFUSAL_FAULTS)
def test_a_refusal_is_an_answer_without_text_that_says_why(standin: StandIn, gemini: Make, fault: str) -> None:
    standin.faults([fault])
    answer = gemini().ask(QUESTION)
    assert (answer.text, answer.finish) == ("", ENDINGS.get(fault, ""))


def test_an_answer_that_thoughts_used_up_is_cut_and_empty_and_paid_for(standin: StandIn, gemini: Make) -> None:
    standin.faults(["max_tokens_empty"])
    answer = gemini().ask(QUESTION)
    assert (answer.text, answer.finish, answer.tokens_out) == ("", "MAX_TOKENS", standin.log()[0]["cap"])


def test_another_model_that_answers_is_told(standin: StandIn, gemini: Make) -> None:
    standin.faults([{"fault": "rerouted", "model": "gemini-9"}])
    assert gemini().ask(QUESTION).model_version == "gemini-9"


# Bodies that no service should send


def candidate(*parts: object, **more: object) -> object:
    return {"candidates": [{"content": {"parts": list(parts)}, "finishReason": "STOP", **more}]}


def test_thoughts_are_no_text_and_parts_are_joined(canned: Canned, gemini: Make) -> None:
    canned.say(candidate({"text": "hm", "thought": True}, {"text": "[{"}, {"text": "}]"}))
    assert gemini().ask(QUESTION).text == "[{}]"


def test_what_cannot_be_stored_is_not_kept(canned: Canned, gemini: Make) -> None:
    canned.say(candidate({"text": "a\ud800b\x00c\U0001f600"}))
    assert gemini().ask(QUESTION).text == "a?b c\U0001f600"


@pytest.mark.parametrize("body", [{}, [], None, "x", {"candidates": []}, {"candidates": [None]}, {"candidates": {}}, candidate(), b""])
def test_a_body_that_says_nothing_is_an_empty_answer(canned: Canned, gemini: Make, body: object) -> None:
    canned.say(body)
    answer = gemini().ask(QUESTION)
    assert (answer.text, answer.model_version, answer.tokens_in) == ("", "gemini-3.5-flash-lite", 0)


@pytest.mark.parametrize("body", [5, b"\xff\xfe", b"{", candidate({"text": 5}), candidate(finishReason=7), {"usageMetadata": "much"}])
def test_a_body_of_another_shape_is_busy(canned: Canned, gemini: Make, body: object) -> None:
    canned.say(body)
    assert isinstance(fails(gemini()), Busy)


@pytest.mark.filterwarnings("ignore:.* is not a valid:UserWarning")
def test_words_that_are_new_are_kept_as_they_are(canned: Canned, gemini: Make) -> None:
    canned.say(candidate(finishReason="BRAND_NEW"))
    assert gemini().ask(QUESTION).finish == "BRAND_NEW"
    canned.say({"promptFeedback": {"blockReason": "BRAND_NEW"}})
    assert gemini().ask(QUESTION).finish == "blocked: BRAND_NEW"


PER_DAY = {"violations": [{"quotaId": "GenerateRequestsPerDayPerProject"}]}
REFUSED: tuple[tuple[int, str, object, type[Exception]], ...] = (
    (429, "", None, Busy),
    (429, "", {"retryDelay": "1s"}, Busy),
    (429, "", [{"violations": None}, {"violations": 5}, "x", None], Busy),
    (429, "", [{"retryDelay": None}, {"retryDelay": "soon"}], Busy),
    (429, "", [PER_DAY, {"retryDelay": "27s"}], Stopped),
    (408, "", None, Busy),
    (499, "CANCELLED", None, Busy),
    (501, "", None, Busy),
    (524, "", None, Busy),
    (402, "", None, Stopped),
    (400, "FAILED_PRECONDITION", None, Stopped),
    (409, "ABORTED", None, Busy),
    (413, "", None, Unanswerable),
)


@pytest.mark.parametrize(("code", "status", "details", "kind"), REFUSED)
def test_other_refusals_become_one_of_three_errors_too(
    canned: Canned, gemini: Make, code: int, status: str, details: object, kind: type[Exception]
) -> None:
    canned.refuse(code, status, "No.", details)
    assert type(fails(gemini())) is kind
    assert len(canned.sent) == 1


@pytest.mark.parametrize("body", [b"", b"no", b'"quota"', b"[]", {"error": "boom"}, {"error": {"code": "x", "status": 5, "message": None}}])
@pytest.mark.parametrize(("code", "kind"), [(400, Unanswerable), (429, Busy), (503, Busy), (403, Stopped)])
def test_a_refusal_in_any_body_is_told_by_its_status(canned: Canned, gemini: Make, body: object, code: int, kind: type[Exception]) -> None:
    canned.say(body, code)
    error = fails(gemini())
    assert isinstance(error, kind)
    assert not str(error).endswith(": ")


def test_an_array_of_errors_is_read_as_one(canned: Canned, gemini: Make) -> None:
    canned.say([{"error": {"code": 429, "message": "", "status": "", "details": [{"retryDelay": "7s"}]}}], 429)
    error = fails(gemini())
    assert isinstance(error, Busy) and error.wait == 7.0


# Answers that are odd in other ways


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 50_000])
def test_a_text_nested_without_end_is_something_that_cannot_be_read(canned: Canned, gemini: Make, text: str) -> None:
    canned.say(candidate({"text": text}))
    try:
        answer = gemini().ask(QUESTION)
    except Busy as busy:
        assert busy.billed
    else:
        assert answer.text == text


@pytest.mark.parametrize("usage", [
    None, {}, {"promptTokenCount": -5, "candidatesTokenCount": 7}, {"promptTokenCount": 10, "candidatesTokenCount": -7},
    {"promptTokenCount": 10**12},
])  # fmt: skip
def test_figures_that_cannot_be_are_no_figures(canned: Canned, gemini: Make, usage: object) -> None:
    canned.say({**candidate({"text": "[]"}), "usageMetadata": usage})
    answer = gemini().ask(QUESTION)
    assert (answer.counted, answer.tokens_in, answer.tokens_cached, answer.tokens_out) == (False, 0, 0, 0)


def test_a_model_that_is_named_oddly_is_shown_without_what_a_terminal_runs(canned: Canned, gemini: Make) -> None:
    canned.say({**candidate({"text": "[]"}), "modelVersion": "gem\x1b]0;x\x07ini" + "9" * 1000})
    version = gemini().ask(QUESTION).model_version
    assert (version[:12], len(version)) == ("gem?0?x?ini9", 100)


def test_a_key_that_the_service_echoes_is_not_kept(canned: Canned, gemini: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "AIza-not-a-real-key")
    canned.say(candidate({"text": '[{"rationale": "you sent AIza-not-a-real-key"}]'}))
    assert gemini().ask(QUESTION).text == '[{"rationale": "you sent [key]"}]'
