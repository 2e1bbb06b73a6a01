"""Asking a provider within limits: of money, of models, of patience; and the key, which is found nowhere."""

import logging
import sqlite3
import time
from collections import Counter
from pathlib import Path

import pytest
from standin import StandIn

from annotator.db import Database
from annotator.errors import BadInput
from annotator.flow import runs, tagging
from annotator.flow.asking import Watch
from annotator.flow.runs import progress_of
from annotator.flow.tagging import tag
from flow.asked import KEY, calls, gemini, labelled, make_project, missing, retry, stored, talks, use_standin

MODEL = "gemini-3.5-flash-lite"


# Money


def spent(db: Database) -> float:
    return sum(call.cost or 0 for call in calls(db))


def test_a_limit_is_never_passed_and_a_higher_one_goes_on(tmp_path: Path, standin: StandIn) -> None:
    db = make_project(tmp_path / "p", talks(60, 4))
    standin.faults([{"fault": "repetition", "every": 4}])
    limit = 0.02
    run = tag(db, gemini(max_cost=str(limit), concurrency="16"))
    assert "go on with a higher limit" in run.stopped
    assert 0.3 * limit < spent(db) <= limit
    assert 0 < labelled(db, run) < 240
    standin.faults([])
    again = tag(db, gemini(max_cost="5", concurrency="16"))
    assert (again.id, labelled(db, again), again.stopped) == (run.id, 240, "")
    db.close()


def test_a_limit_holds_for_all_stretches_of_a_run_together(talking: Database, standin: StandIn) -> None:
    first = tag(talking, gemini(max_cost="0.015"))
    before = spent(talking)
    again = tag(talking, gemini())
    assert first.stopped and again.stopped
    assert (again.id, again.manner["max_cost"], spent(talking)) == (first.id, "0.015", before)
    assert before <= 0.015


def test_a_dearer_model_that_answers_instead_counts_at_its_own_price(talking: Database, standin: StandIn) -> None:
    standin.faults([{"fault": "rerouted", "times": "always", "model": "gemini-4-argon"}])
    run = tag(talking, gemini(max_cost="0.05", concurrency="1"))
    assert run.stopped
    assert 0 < spent(talking) <= 0.05


@pytest.mark.parametrize("use", ["tag", "going on"])
def test_a_limit_without_a_known_price_is_refused_in_a_sentence(talking: Database, standin: StandIn, use: str) -> None:
    sentence = r"No price of gemini-9-new is known, so max_cost cannot be kept\. Give it as price IN/OUT"
    if use == "tag":
        with pytest.raises(BadInput, match=sentence):
            tag(talking, gemini(model="gemini-9-new", max_cost="1"))
    else:
        run = tag(talking, gemini(model="gemini-9-new"))
        with talking.writing() as session:
            runs.adjust(session, runs.any_run(session, run.id), {"max_cost": "1"})
        with pytest.raises(BadInput, match=sentence):
            tagging.work(talking, run.id or 0)
        assert "No price of gemini-9-new is known" in stored(talking).stopped
    assert (standin.stats()["answered"], calls(talking)) == (0, [])


def test_a_price_that_is_given_is_what_counts(talking: Database, standin: StandIn) -> None:
    run = tag(talking, gemini(price="1/10"))
    for call in calls(talking, run):
        assert call.cost == pytest.approx((call.tokens_in + 10 * call.tokens_out) / 1e6)


@pytest.mark.parametrize(("model", "limit"), [("gemini-4-argon", 0.05), ("gemini-3.8-flash", 0.02)])
def test_a_limit_is_kept_where_a_dearer_model_answers_from_the_start(
    talking: Database, standin: StandIn, model: str, limit: float
) -> None:
    standin.faults([{"fault": "rerouted", "times": "always", "model": model}])
    run = tag(talking, gemini(model="gemini-2.5-flash-lite", max_cost=str(limit)))
    assert "might pass the limit" in run.stopped
    assert 0 < spent(talking) <= limit


def test_a_limit_counts_what_an_answer_that_never_came_may_have_cost(talking: Database, standin: StandIn) -> None:
    standin.faults([{"fault": "half_body_json", "share": 0.45}])
    run = tag(talking, gemini(max_cost="0.02"))
    served = standin.stats()
    assert "might pass the limit" in run.stopped
    assert (served["tokens_in"] * 0.30 + served["tokens_out"] * 2.50) / 1e6 <= 0.02


def test_answers_of_which_nothing_can_be_used_stop_the_run_after_five_conversations(talking: Database, standin: StandIn) -> None:
    standin.faults([{"fault": "not_json", "times": "always"}])
    run = tag(talking, gemini(concurrency="1"))
    assert run.stopped.startswith("5 conversations in a row got answers of which nothing can be used: the answer holds no rows")
    assert (labelled(talking, run), len(missing(talking, run))) == (0, 72)
    standin.faults([])
    assert labelled(talking, retry(talking, tag(talking, gemini()))) == 72


def test_texts_that_the_service_refuses_do_not_stop_the_run(talking: Database, standin: StandIn) -> None:
    standin.faults([{"fault": "blocked", "times": "always"}])
    run = tag(talking, gemini())
    assert (run.stopped, run.finished_at is not None, len(missing(talking, run))) == ("", True, 72)


# Another model


def test_another_model_that_answers_is_told_of_once_and_kept_with_each_answer(talking: Database, standin: StandIn) -> None:
    standin.faults([{"fault": "rerouted", "every": 2}])
    told: list[str] = []
    run = tag(talking, gemini(), Watch(tell=told.append))
    assert (labelled(talking, run), len(told)) == (72, 1)
    assert f"{MODEL} was expected and gemini-3.9-elsewhere answered" in told[0]
    assert Counter(call.model_version for call in calls(talking)) == {MODEL: 6, "gemini-3.9-elsewhere": 6}
    with talking.reading() as session:
        assert "do not treat this run as one tagger" in progress_of(session, run).sentences()[-1]


def test_where_it_shall_stop_for_another_model_the_answer_is_kept_and_used_once_it_may_go_on(talking: Database, standin: StandIn) -> None:
    standin.faults([{"fault": "rerouted", "times": "always"}])
    run = tag(talking, gemini(on_reroute="stop", concurrency="2"))
    assert (labelled(talking, run), run.finished_at) == (0, None)
    assert "--on-reroute warn" in run.stopped and "gemini-3.9-elsewhere answered" in run.stopped
    assert 1 <= len(calls(talking)) == standin.stats()["answered"] < 12
    again = tag(talking, gemini(on_reroute="stop"))
    assert (again.id, labelled(talking, again), again.stopped) == (run.id, 0, run.stopped)
    told: list[str] = []
    last = tag(talking, gemini(on_reroute="warn"), Watch(tell=told.append))
    assert (last.id, labelled(talking, last), len(calls(talking)), standin.stats()["bodies_answered_again"]) == (run.id, 72, 12, 0)


# Patience


def test_a_quota_a_minute_is_waited_for(talking: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with StandIn.start(rpm=4, minute=1.0) as standin:
        use_standin(monkeypatch, standin)
        run = tag(talking, gemini())
        log = standin.log()
    assert (labelled(talking, run), missing(talking, run)) == (72, [])
    refused = [entry["at"] for entry in log if entry["status"] == 429]
    answered = [entry["at"] for entry in log if entry["status"] == 200]
    assert len(answered) == 12 and 1 <= len(refused) <= 20
    assert answered[-1] - answered[0] >= 1.9


def test_a_pace_that_is_ordered_is_kept(talking: Database, standin: StandIn) -> None:
    labelled(talking, tag(talking, gemini(rpm="600")))
    at = sorted(entry["at"] for entry in standin.log())
    assert at[-1] - at[0] >= 11 * 0.1 - 0.3


def test_todays_quota_stops_at_once_says_when_it_comes_back_and_everything_is_kept(
    talking: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with StandIn.start(rpd=5) as standin:
        use_standin(monkeypatch, standin)
        run = tag(talking, gemini())
        assert len(calls(talking)) == standin.stats()["answered"] == 5
        assert standin.stats()["calls"] <= 5 + 8
        assert "comes back at midnight Pacific time (20" in run.stopped and "UTC): go on then" in run.stopped
        assert (labelled(talking, run), len(missing(talking, run))) == (30, 42)
        standin.reset()
        again = tag(talking, gemini())
        stats = standin.stats()
    assert (again.stopped != "", labelled(talking, again), stats["answered"]) == (True, 60, 5)


@pytest.mark.parametrize(("fault", "said"), [
    ("error_503", "the service is overloaded (503 UNAVAILABLE)"), ("bad_request", "the service refused the question: "),
])  # fmt: skip
def test_a_service_that_answers_nothing_stops_the_run_after_five_questions(
    fault: str, said: str, talking: Database, standin: StandIn
) -> None:
    standin.faults([{"fault": fault, "times": "always"}])
    run = tag(talking, gemini(concurrency="2"))
    assert run.stopped.startswith(f"5 questions in a row got no answer: {said}")
    assert labelled(talking, run) == 0
    assert len([one for one in missing(talking, run) if one.reason.startswith(said)]) <= 6 * 6
    standin.faults([])
    again = tag(talking, gemini())
    assert labelled(talking, retry(talking, again)) == 72


def test_a_schema_that_is_refused_to_many_at_once_is_given_up_by_all(talking: Database, standin: StandIn) -> None:
    standin.faults([{"fault": "bad_schema", "times": "always"}])
    assert labelled(talking, tag(talking, gemini())) == 72


def test_a_service_that_hangs_is_waited_for_only_so_long(tmp_path: Path, standin: StandIn) -> None:
    db = make_project(tmp_path / "p", talks(1))
    standin.faults([{"fault": "hang", "times": "always", "delay": 60}])
    begun = time.monotonic()
    run = tag(db, gemini(timeout="0.2"))
    assert time.monotonic() - begun < 15
    assert [one.reason[:39] for one in missing(db, run)] == ["the connection to the service failed (R"] * 6
    standin.reset()
    assert labelled(db, retry(db, run)) == 6
    db.close()


# The key


def test_a_wrong_key_stops_the_run_and_is_found_nowhere(
    tmp_path: Path, standin: StandIn, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    key = "AIzaSy-very-wrong-and-very-secret"
    monkeypatch.setenv("GEMINI_API_KEY", key)
    caplog.set_level(logging.DEBUG)
    db = make_project(tmp_path / "p", talks(12))
    run = tag(db, gemini())
    assert run.stopped.startswith("Gemini refused the key (400 INVALID_ARGUMENT). Check GOOGLE_API_KEY or GEMINI_API_KEY")
    assert (calls(db), len(missing(db, run))) == ([], 72)
    db.close()
    assert_nowhere(key, tmp_path, caplog.text, *capfd.readouterr())


def test_a_good_key_is_found_nowhere_either(
    tmp_path: Path, standin: StandIn, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    db = make_project(tmp_path / "p", talks(2))
    standin.faults([{"fault": "error_500"}])
    assert labelled(db, tag(db, gemini())) == 12
    db.close()
    assert_nowhere(KEY, tmp_path, caplog.text, *capfd.readouterr())


def assert_nowhere(key: str, folder: Path, *said: str) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.name == "annotator.db" for path in files)
    assert [path.name for path in files if key.encode() in path.read_bytes()] == []
    assert [text for text in said if key in text] == []
    with sqlite3.connect(folder / "p" / "annotator.db") as connection:
        assert key not in "\n".join(connection.iterdump())
    connection.close()


def test_without_a_key_it_says_so_and_goes_on_once_there_is_one(
    talking: Database, standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GEMINI_API_KEY")
    run = tag(talking, gemini())
    assert run.stopped == "There is no key for Gemini. Set GEMINI_API_KEY in the environment of the command or server, and go on."
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    again = tag(talking, gemini())
    assert (again.id, labelled(talking, again)) == (run.id, 72)
