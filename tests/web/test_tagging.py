"""The first-pass page: runs, and ordering one with its plan before it is paid. One run's page: `test_run.py`."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from annotator.db import Database
from annotator.flow import runs

from .forms import attributes_of, buttons, cells, follow, press, text

Browse = Callable[[str], TestClient]
SHOW, PAY = "Show what it would do and cost", "Start and pay up to this"


@pytest.fixture
def lea(browse: Browse, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    for name in ("GOOGLE_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return browse("lea")


def n_runs(db: Database) -> int:
    with db.reading() as session:
        return len(runs.list_runs(session))


# works


def test_runs_are_listed_with_how_far_they_are(lea: TestClient) -> None:
    page = cells(lea.get("/tagging"))
    assert "Run 1 scripted finished 3 of 3 107 0" in page


def test_the_plan_of_the_local_tagger_says_that_it_costs_nothing(lea: TestClient, db: Database) -> None:
    page = press(lea, lea.get("/tagging"), SHOW)
    assert "107 utterances in 3 conversations" in text(page)
    assert "It costs nothing and sends nothing." in text(page)
    assert n_runs(db) == 1


def test_the_plan_of_a_provider_says_calls_tokens_price_and_time_and_stores_nothing(lea: TestClient, db: Database) -> None:
    page = text(press(lea, lea.get("/tagging"), SHOW, tagger="gemini", tier="flex"))
    assert "gemini-3.5-flash-lite (thinking: minimal) would be asked 3 times" in page
    assert "by the price table of 07 October 2026, flex tier" in page
    assert "Nothing was sent for this plan." in page
    assert n_runs(db) == 1


def test_without_a_key_the_plan_says_so_and_cannot_be_started(lea: TestClient, db: Database) -> None:
    page = press(lea, lea.get("/tagging"), SHOW, tagger="gemini")
    assert "There is no key for Gemini. Set GEMINI_API_KEY" in text(page)
    assert "disabled" in page.text
    assert lea.post("/tagging", data={"tagger": "gemini"}).status_code == 409
    assert n_runs(db) == 1


def test_the_plan_keeps_what_was_filled_in_and_proposes_a_limit(lea: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "of-a-test")
    page = press(lea, lea.get("/tagging"), SHOW, tagger="gemini", only="s1_*", model="gemini-3.8-flash", thinking="low")
    assert "asked 1 time," in text(page)
    assert PAY in buttons(page)
    for kept in ("s1_*", "gemini-3.8-flash", "low"):
        assert f'value="{kept}"' in page.text
    assert 0.01 <= float(attributes_of(page, "input", name="max_cost", size="8")["value"]) < 1


def test_a_started_run_belongs_to_the_server_and_has_a_page(lea: TestClient, db: Database) -> None:
    page = press(lea, lea.get("/tagging"), SHOW, sample="2", threshold="0.7")
    started = press(lea, page, "Start")
    assert started.headers["location"] == "/tagging/2"
    with db.reading() as session:
        run = runs.any_run(session, 2)
    assert (run.on_server, run.selection, run.threshold) == (True, {"sample": ["2", "1"]}, 0.7)
    assert "Run 2" in text(follow(lea, started))


# wrong role


@pytest.mark.parametrize("name", ["alice", "rui"])
def test_others_neither_see_nor_start_runs(name: str, browse: Browse, db: Database) -> None:
    person = browse(name)
    assert {person.get(path).status_code for path in ("/tagging", "/tagging/plan", "/tagging/1")} == {403}
    assert person.post("/tagging", data={"tagger": "local"}).status_code == 403
    assert n_runs(db) == 1


# bad input


@pytest.mark.parametrize(
    ("filled", "sentence"),
    [
        ({"tagger": "gemini", "max_cost": "much"}, "max_cost is 'much'; it must be a number"),
        ({"tagger": "gemini", "price": "0.3"}, "Give USD per million tokens in and out"),
        ({"tagger": "gemini", "model": "../x"}, "cannot be a model's name"),
        ({"tagger": "gemini", "model": "unheard-of", "max_cost": "1"}, "No price of unheard-of is known"),
        ({"only": "nothing-like-this"}, "No conversation is called 'nothing-like-this'"),
        ({"sample": "0"}, "sample is '0'; it must be a whole number from 1"),
        ({"threshold": "often"}, "The threshold is 'often'"),
        ({"train_on": "zoe"}, "There is no user 'zoe'"),
    ],
)
def test_what_cannot_be_is_a_sentence_beside_the_form_as_filled_in(
    filled: dict[str, str], sentence: str, lea: TestClient, db: Database
) -> None:
    for answer in (lea.get("/tagging/plan", params=filled), lea.post("/tagging", data=filled)):
        assert answer.status_code in (404, 422)
        assert sentence in text(answer)
        assert all(f'value="{value}"' in answer.text or "selected" in answer.text for value in filled.values())
    assert n_runs(db) == 1


def test_an_unknown_price_is_said_in_the_plan(lea: TestClient) -> None:
    page = text(lea.get("/tagging/plan", params={"tagger": "gemini", "model": "unheard-of"}))
    assert "No price of unheard-of is known: give it as IN/OUT" in page
