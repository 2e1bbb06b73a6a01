"""One run's page: how far it is, pause and go on, what failed, where it is least certain. The run itself: `tests/flow/test_asking.py`."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from e2e.server import wait_for
from fastapi.testclient import TestClient
from sqlmodel import update

from annotator.db import Database
from annotator.flow import runs
from annotator.models import Calibration, Call, Failure, Run, Suggestion, now

from .forms import Reader, buttons, cells, follow, press, text

Browse = Callable[[str], TestClient]


@pytest.fixture
def lea(browse: Browse) -> TestClient:
    return browse("lea")


def change(db: Database, **values: Any) -> None:
    with db.writing() as session:
        session.execute(update(Run).where(Run.id == 1).values(**values))


def fail(db: Database, *utterances: int, reason: str = "the service refused the text") -> None:
    """These utterances have no suggestion any more, but a reason."""
    with db.writing() as session:
        for one in utterances:
            session.delete(session.get_one(Suggestion, (one, 1)))
            session.add(Failure(run_id=1, utterance_id=one, reason=reason))


def run_of(db: Database) -> Run:
    with db.reading() as session:
        return runs.any_run(session, 1)


# works


def test_a_finished_run_shows_what_it_did_and_how_it_was_ordered(lea: TestClient) -> None:
    page = cells(lea.get("/tagging/1"))
    assert "finished 3 of 3 conversations Utterances with a suggestion 107 Without a suggestion 0" in page
    assert "scripted, version 1" in page


def test_conversations_stand_by_their_weakest_utterance(lea: TestClient, db: Database) -> None:
    with db.writing() as session:
        session.execute(update(Suggestion).where(Suggestion.utterance_id == 40).values(confidence=0.05, note="odd"))
        session.execute(update(Suggestion).where(Suggestion.utterance_id == 80).values(confidence=None))
    table = list(csv.DictReader(io.StringIO(lea.get("/tagging/1/conversations.csv").text)))
    assert [(row["conversation"], row["weakest_confidence"], row["odd"]) for row in table] == [
        ("s3_d_3", "", "0"), ("s2_d_2", "0.05", "1"), ("s1_d_1", "0.5", "0"),
    ]  # fmt: skip
    page = cells(lea.get("/tagging/1"))
    assert page.index("s3_d_3 –") < page.index("s2_d_2 0.05") < page.index("s1_d_1 0.50")


def test_failures_stand_with_their_reason_and_download_whole(lea: TestClient, db: Database) -> None:
    fail(db, 3, 4)
    assert "s1_d_1 3, 4 the service refused the text" in cells(lea.get("/tagging/1"))
    table = list(csv.DictReader(io.StringIO(lea.get("/tagging/1/failures.csv").text)))
    assert [(row["conversation"], row["utterance"], row["reason"]) for row in table] == [
        ("s1_d_1", "3", "the service refused the text"), ("s1_d_1", "4", "the service refused the text"),
    ]  # fmt: skip


def test_what_failed_is_asked_again_from_the_page(lea: TestClient, db: Database) -> None:
    fail(db, 3)
    press(lea, lea.get("/tagging/1"), "Ask again about the 1 without")
    run = run_of(db)
    assert (run.retries, run.finished_at, run.on_server) == (1, None, True)


def test_the_live_part_asks_again_only_while_something_happens(lea: TestClient, db: Database) -> None:
    still = lea.get("/tagging/1/progress")
    assert ("hx-get" in still.text, still.headers["hx-refresh"]) == (False, "true")
    change(db, finished_at=None, leased_by="elsewhere:1", heartbeat_at=now())
    live = lea.get("/tagging/1/progress")
    assert ('hx-get="/tagging/1/progress"' in live.text, "hx-refresh" in live.headers) == (True, False)
    assert buttons(lea.get("/tagging/1")) == {"Sign out", "Sign", "Pause"}


def test_a_run_is_paused_and_goes_on_with_another_limit(lea: TestClient, db: Database) -> None:
    fail(db, 3)
    with db.writing() as session:
        session.delete(session.get_one(Failure, (3, 1)))
    change(db, finished_at=None, leased_by="elsewhere:1", heartbeat_at=now(), tagger="gemini")
    press(lea, lea.get("/tagging/1"), "Pause")
    assert runs.state_of(run_of(db)) == "pausing"
    change(db, leased_by=None, heartbeat_at=None, stopped="The money ran out.")
    page = lea.get("/tagging/1")
    assert "The money ran out." in cells(page)
    assert "not asked yet: The money ran out." in lea.get("/tagging/1/failures.csv").text
    press(lea, page, "Go on", max_cost="2.50")
    run = run_of(db)
    assert (run.paused_at, run.stopped, run.manner, run.on_server) == (None, "", {"max_cost": "2.50"}, True)


def test_spent_money_and_models_are_shown(lea: TestClient, db: Database) -> None:
    with db.writing() as session:
        for model in ("gemini-a", "gemini-b"):
            session.add(Call(run_id=1, taxonomy_version_id=1, key=model, prompt_hash="h", model_version=model, cost=0.5))
    page = cells(lea.get("/tagging/1"))
    assert "Answers 2 Spent so far, USD 1.0000 Answered by gemini-a, gemini-b" in page
    assert "More than one model answered." in page
    assert lea.get("/tagging/1/run.json").json()["cost"] == 1.0


def test_a_calibrated_run_shows_probabilities_and_its_curve(lea: TestClient, db: Database) -> None:
    bins = [{"low": 0.0, "high": 0.5, "n": 10, "stated": 0.4, "share": 0.8, "ci95": [0.5, 0.9]}]
    figures = {
        "n": 10, "n_conversations": 2, "against": "everybody", "subset": "blind", "warning": "",
        "ece_before": 0.4, "ece_after": 0.1, "bins_before": bins, "bins_after": bins,
    }  # fmt: skip
    with db.writing() as session:
        session.add(Calibration(run_id=1, knots=[[0.0, 0.6], [1.0, 1.0]], figures=figures))
    page = cells(lea.get("/tagging/1"))
    assert "s1_d_1 80 %" in page
    assert "Expected calibration error 0.40 as stated, 0.10 after calibration" in page
    curve = lea.get("/tagging/1/reliability.svg")
    assert (curve.headers["content-type"], "<svg" in curve.text, "<script" in curve.text) == ("image/svg+xml", True, False)


def test_text_of_a_transcript_is_text_among_the_failures(lea: TestClient, db: Database) -> None:
    fail(db, 3, reason="<script>alert(1)</script>")
    page = lea.get("/tagging/1")
    assert "<script>alert(1)</script>" in text(page)
    assert not [1 for tag, attributes in Reader(page.text).tags if tag == "script" and "src" not in attributes]


def test_a_run_that_the_server_shall_do_is_done(lea: TestClient, db: Database) -> None:
    """A real process of its own, started by the server."""
    page = cells(follow(lea, lea.post("/tagging", data={"tagger": "scripted", "only": "s1_d_1"})))
    assert "0 of 1 conversations" in page or "1 of 1 conversations" in page
    page = wait_for(lambda: "finished" in (found := cells(lea.get("/tagging/2"))) and found, "the run to finish")
    assert "finished 1 of 1 conversations Utterances with a suggestion 32" in page


# wrong role, bad input


@pytest.mark.parametrize("path", ["", "/progress", "/run.json", "/failures.csv", "/conversations.csv"])
def test_a_run_that_is_not_there_is_not_found(path: str, lea: TestClient) -> None:
    assert lea.get(f"/tagging/99{path}").status_code == 404


@pytest.mark.parametrize("act", ["pause", "resume", "retry"])
def test_a_finished_run_is_left_alone(act: str, lea: TestClient, db: Database) -> None:
    before = run_of(db)
    answer = lea.post(f"/tagging/1/{act}")
    assert answer.status_code == 409
    assert run_of(db) == before


def test_going_on_with_nonsense_is_refused(lea: TestClient, db: Database) -> None:
    change(db, finished_at=None, paused_at=now())
    answer = lea.post("/tagging/1/resume", data={"max_cost": "-1"})
    assert (answer.status_code, "max_cost is '-1'" in cells(answer)) == (422, True)
    assert run_of(db).paused_at is not None
