"""Labelled transcripts to download."""

import csv
import io
import zipfile
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlmodel import col, update

from annotator.db import Database
from annotator.exporters import EXPORTERS
from annotator.models import Gold, Utterance

from .forms import Reader, press, text

Browse = Callable[[str], TestClient]


def download(browser: TestClient, format: str = "csv", labels: str | None = None) -> Response:
    chosen = {"format": format} | ({"labels": labels} if labels else {})
    return press(browser, browser.get("/export"), "Download", **chosen)


def rows(answer: Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, text(answer)
    return list(csv.DictReader(io.StringIO(answer.text)))


def choices(browser: TestClient, field: str = "labels") -> list[str]:
    """What the page offers."""
    return [option.value for form in Reader(browser.get("/export").text).forms for option in form.options if option.name == field]


@pytest.fixture
def labelled(browse: Browse, desk_of: Callable[..., str]) -> None:
    """Alice and Bob have each labelled the first utterance."""
    for name, code in (("alice", "RTI"), ("bob", "CQ")):
        press(browse(name), browse(name).get(desk_of(name)), code)


pytestmark = pytest.mark.usefixtures("labelled")


# works


@pytest.mark.parametrize("format", EXPORTERS)
def test_every_format_that_the_page_offers_can_be_had(format: str, browse: Browse) -> None:
    assert format in choices(browse("lea"), "format")
    answer = download(browse("lea"), format, "alice")
    assert answer.status_code == 200
    assert format in answer.headers["content-disposition"]


def test_a_format_of_many_files_comes_as_a_zip(browse: Browse) -> None:
    with zipfile.ZipFile(io.BytesIO(download(browse("lea"), "vogue", "alice").content)) as packed:
        assert any(name.endswith("s1_d_1.json") for name in packed.namelist())


def test_an_untouched_proposal_is_no_label(browse: Browse) -> None:
    said = [row for row in rows(download(browse("lea"), labels="all")) if row["annotator"]]
    assert [(row["annotator"], row["utterance"], row["codes"]) for row in said] == [("alice", "1", "RTI"), ("bob", "1", "CQ")]


def test_a_lead_chooses_whose_labels(browse: Browse) -> None:
    assert choices(browse("lea")) == ["all", "gold", "alice", "bob", "cem", "lea", "rui"]
    assert {row["annotator"] for row in rows(download(browse("lea"), labels="bob"))} == {"", "bob"}


def test_a_cell_that_a_spreadsheet_would_run_is_guarded_unless_programs_ask(browse: Browse, db: Database) -> None:
    with db.writing() as session:
        session.execute(update(Utterance).where(col(Utterance.id) == 1).values(text="=1+1"))
    texts = {raw: rows(browse("lea").get(f"/export/download?raw={raw}"))[0]["text"] for raw in ("true", "false")}
    assert texts == {"true": "=1+1", "false": "'=1+1"}
    assert browse("lea").get("/export/download?raw=perhaps").status_code == 422


@pytest.mark.parametrize(("name", "offered"), [("lea", True), ("rui", True), ("alice", False)])
def test_leads_and_researchers_may_have_repeats(name: str, offered: bool, browse: Browse) -> None:
    assert [box for form in Reader(browse(name).get("/export").text).forms for box in form.boxes] == ["raw", "repeats"][: 1 + offered]
    answer = browse(name).get("/export/download?repeats=true")
    assert (answer.status_code, "repeat" in answer.text.splitlines()[0]) == ((200, True) if offered else (403, False))
    assert "repeat" not in browse(name).get("/export/download").text


# not yours


def test_an_annotator_gets_their_own_labels_and_no_choice(browse: Browse) -> None:
    assert choices(browse("alice")) == ["alice"]
    assert ["choose gold" in text(browse(name).get("/export")) for name in ("alice", "lea")] == [False, True]
    assert {row["annotator"] for row in rows(download(browse("alice")))} == {"", "alice"}


@pytest.mark.parametrize("labels", ["all", "gold", "alice"])
@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_no_way_of_asking_gives_an_annotator_anothers_label_or_gold(
    format: str, labels: str, db: Database, alice: TestClient
) -> None:
    with db.writing() as session:
        session.add(Gold(utterance_id=1, codes="EAI", rule="adjudicated"))
    answer = alice.get("/export/download", params={"format": format, "labels": labels})
    assert answer.status_code == 200
    assert not [word for word in ("bob", "CQ", "EAI") if word in answer.text]


def test_asking_for_anothers_labels_by_name_is_refused(alice: TestClient) -> None:
    page = alice.get("/export/download?labels=bob")
    assert (page.status_code, "Nobody here is called 'bob'" in text(page)) == (422, True)


def test_a_researcher_gets_all_labels_under_pseudonyms(browse: Browse) -> None:
    rui = browse("rui")
    assert choices(rui) == ["all", "gold", "annotator-1", "annotator-2", "annotator-3", "annotator-4"]
    assert {row["annotator"] for row in rows(download(rui, labels="all"))} == {"", "annotator-1", "annotator-2"}
    assert rui.get("/export/download?labels=alice").status_code == 422


# wrong role


@pytest.mark.parametrize("path", ["/export", "/export/download"])
def test_who_is_not_signed_in_gets_nothing(path: str, browse: Browse) -> None:
    assert browse("eve").get(path).status_code == 303


# bad input


WRONG = [
    ("format=xlsx", "xlsx"),
    ("labels=nobody", "Nobody here is called 'nobody'"),
    ("format=vogue&labels=gold&repeats=true", "cannot tell repeats from first labels"),
]


@pytest.mark.parametrize(("query", "sentence"), WRONG)
def test_what_cannot_be_had_is_a_sentence(query: str, sentence: str, browse: Browse) -> None:
    page = browse("lea").get(f"/export/download?{query}")
    assert (page.status_code, sentence in text(page)) == (422, True)


def test_a_format_of_one_label_says_what_to_choose(browse: Browse) -> None:
    page = download(browse("lea"), "vogue", "all")
    assert (page.status_code, "Go to the start" in text(page)) == (422, True)
