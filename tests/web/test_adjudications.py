"""The list of rounds with their gold, and the button that settles what is equal."""

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from flow.golden import differ

from annotator.db import Database
from annotator.flow.intake import import_paths
from annotator.flow.intake_report import Options

from .forms import buttons, cells, follow, press, text

Browse = Callable[[str], TestClient]
SETTLE = "Settle what is labelled equally in imported labels"


@pytest.fixture
def lea(browse: Browse) -> TestClient:
    return browse("lea")


# works


def test_nothing_is_there_before_two_have_handed_in(lea: TestClient) -> None:
    assert "Nothing to settle yet" in text(lea.get("/adjudication"))


def test_a_round_says_how_far_it_is(lea: TestClient, db: Database) -> None:
    with db.writing() as session:
        differ(session)
    page = cells(lea.get("/adjudication"))
    said = "32 utterances in 1 conversation Unanimous 0 Unanimous over the same proposal 2 Settled by a lead 0 In discussion 0 Waiting 30"
    assert said in page


def test_the_button_settles_imported_labels(lea: TestClient, db: Database, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("conversation,utterance,role,annotator,codes\ns1_d_1,1,Assistant,dora,RTI\ns1_d_1,1,Assistant,emil,RTI\n")
    with db.writing() as session:
        import_paths(session, [path], None, Options())
    page = lea.get("/adjudication")
    assert "Imported labels" in text(page)
    assert "Unanimous 1" in cells(follow(lea, press(lea, page, SETTLE)))


# wrong role, bad input


@pytest.mark.parametrize("name", ["alice", "rui"])
def test_it_is_for_leads(browse: Browse, name: str) -> None:
    assert browse(name).get("/adjudication").status_code == 403
    assert "Adjudication" not in text(browse(name).get("/taxonomy"))


def test_a_round_that_is_none(lea: TestClient) -> None:
    answer = lea.post("/adjudication/99/settle")
    assert (answer.status_code, "There is no such round" in text(answer)) == (404, True)
    assert SETTLE not in buttons(lea.get("/adjudication"))
