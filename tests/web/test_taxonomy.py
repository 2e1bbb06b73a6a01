"""The codebook, and one code of it for the desk's drawer."""

from collections.abc import Callable

import pytest
from conftest import Stage
from fastapi.testclient import TestClient

from annotator.db import Database
from annotator.flow import tagging
from annotator.flow.project import open_project
from annotator.flow.round import Wanted, create_round
from annotator.flow.runs import Order
from annotator.paths import shipped

from .forms import Reader, attributes_of, follow, press, row, text

Browse = Callable[[str], TestClient]
CODE = "/taxonomy/code?role=Seeker&code=IQ"


# works


@pytest.mark.parametrize("name", ["alice", "lea", "rui"])
def test_everybody_reads_the_whole_codebook(name: str, browse: Browse) -> None:
    page = browse(name).get("/taxonomy")
    codes = [attributes["id"] for tag, attributes in Reader(page.text).tags if tag == "article"]
    assert (page.status_code, len(codes), len(set(codes))) == (200, 37, 37)
    assert "Every utterance gets 1 to 3 codes of its speaker's role." in text(page)


def test_a_code_says_when_to_use_it_and_when_not(alice: TestClient) -> None:
    said = text(alice.get(CODE))
    assert "IQ Initial Query Seeker · Ask for Recommendation" in said
    assert [word in said for word in ("Use when", "Not when", "Examples", "But not")] == [True] * 4


def test_one_code_is_the_markup_of_the_page_and_nothing_else(alice: TestClient) -> None:
    fragment = alice.get(CODE)
    assert fragment.text.strip() in alice.get("/taxonomy").text
    assert not {"html", "main", "form"} & {tag for tag, _ in Reader(fragment.text).tags}


def test_the_same_code_means_another_thing_in_the_other_role(alice: TestClient) -> None:
    seeker, assistant = (text(alice.get(f"/taxonomy/code?role={role}&code=RP")) for role in ("Seeker", "Assistant"))
    assert ("Refine" in seeker, "Request Preferences" in assistant) == (True, True)


def test_every_question_mark_of_the_desk_leads_to_its_code(alice: TestClient, desk: str) -> None:
    marks = [attributes for tag, attributes in Reader(alice.get(desk).text).tags if "define" in attributes.get("class", "")]
    page = alice.get("/taxonomy")
    assert len(marks) == 37
    for mark in marks:
        assert attributes_of(page, "article", id=mark["href"].partition("#")[2])
    assert {alice.get(mark["hx-get"]).status_code for mark in marks[::6]} == {200}


def test_the_codebook_is_the_newest_version(stage: Stage, alice: TestClient) -> None:
    path = stage.settings.taxonomy_file
    path.write_text(path.read_text().replace("name: Initial Query", "name: First Query"))
    open_project(stage.settings).close()
    assert "First Query" in text(alice.get("/taxonomy"))


def test_a_codebook_is_text_and_never_markup(stage: Stage, db: Database, alice: TestClient) -> None:
    source = shipped("taxonomy.yaml").read_text().replace("name: Initial Query", "name: <b>Query</b> {{7*7}}")
    stage.settings.taxonomy_file.write_text(source.replace("code: IQ\n", "code: 'I&Q #1'\n"))
    open_project(stage.settings).close()
    assert "<b>Query</b> {{7*7}}" in text(alice.get("/taxonomy"))
    tagging.tag(db, Order("scripted"))
    with db.writing() as session:
        create_round(session, Wanted("r2", ("alice",)))
    page = follow(alice, press(alice, alice.get("/review/7?at=2"), "Add I&Q #1 and stay"))
    assert "building: I&Q #1" in text(page)
    assert row(follow(alice, press(alice, page, "PCT")), 2)["data-codes"] == "I&Q #1|PCT"


# not yours, wrong role


@pytest.mark.parametrize("path", ["/taxonomy", CODE])
def test_who_is_not_signed_in_reads_nothing(path: str, browse: Browse) -> None:
    assert browse("eve").get(path).status_code == 303


# bad input


@pytest.mark.parametrize("query", ["role=Seeker&code=XXX", "role=Nobody&code=IQ", "role=Assistant&code=IQ", "role=&code="])
def test_an_unknown_code_is_not_found(query: str, alice: TestClient) -> None:
    page = alice.get(f"/taxonomy/code?{query}")
    assert (page.status_code, "The taxonomy has no code" in text(page)) == (404, True)


@pytest.mark.parametrize("query", ["", "role=Seeker", "code=IQ"])
def test_half_a_question_is_a_sentence(query: str, alice: TestClient) -> None:
    assert alice.get(f"/taxonomy/code?{query}", headers={"hx-request": "true"}).text.startswith("The form is incomplete or wrong at:")
