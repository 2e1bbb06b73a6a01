"""The gold of a round as a list and a table; taking it back."""

import csv
import io
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from flow.golden import decide, differ, say

from annotator.db import Database
from annotator.flow.round import Wanted, create_round

from .forms import Reader, buttons, cells, follow, press, text

Browse = Callable[[str], TestClient]
LIST = "/adjudication/1/settled"


@pytest.fixture
def lea(browse: Browse, db: Database) -> TestClient:
    """Utterances 1 and 3 of s1_d_1 are unanimous, Lea settled 2."""
    with db.writing() as session:
        decide(session, differ(session), "PIP", comment="=clear")
    return browse("lea")


# works


def test_every_gold_is_listed_with_who_had_said_what(lea: TestClient) -> None:
    page = cells(lea.get(LIST))
    assert "all 3 unanimous 0 unanimous-assisted 2 adjudicated 1" in page
    assert "PIP adjudicated lea," in page
    assert "alice: PEP; bob: PCT =clear" in page


def test_one_rule_at_a_time(lea: TestClient) -> None:
    page = lea.get(f"{LIST}?rule=adjudicated")
    assert "alice: PEP; bob: PEP" not in cells(page)
    assert "Take back s1_d_1 2" in buttons(page)
    assert "Take back s1_d_1 1" not in buttons(page)


def test_the_table_holds_all_and_nothing_a_spreadsheet_runs(lea: TestClient) -> None:
    answer = lea.get(f"{LIST}.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["utterance"], row["gold"], row["rule"], row["settled_by"]) for row in rows] == [
        ("1", "RTI", "unanimous-assisted", ""), ("2", "PIP", "adjudicated", "lea"), ("3", "PEP", "unanimous-assisted", "")
    ]  # fmt: skip
    assert (rows[1]["comment"], rows[1]["labels"]) == ("'=clear", "alice: PEP; bob: PCT")
    assert answer.headers["content-disposition"] == 'attachment; filename="gold-round-1.csv"'
    assert len(list(csv.DictReader(io.StringIO(lea.get(f"{LIST}.csv?rule=adjudicated").text)))) == 1


def test_any_gold_can_be_taken_back(lea: TestClient) -> None:
    step = follow(lea, press(lea, lea.get(LIST), "Take back s1_d_1 1"))
    assert "1 of 30 waiting" in text(step)
    assert "unanimous-assisted 1" in cells(lea.get(LIST))


def test_a_long_list_has_pages(lea: TestClient, db: Database) -> None:
    with db.writing() as session:
        for conversation, n in (("s2_d_2", 38), ("s3_d_3", 37)):
            for name in ("alice", "bob"):
                say(session, name, dict.fromkeys(range(1, n + 1), "OTH"), conversation)
    first, second = lea.get(LIST), lea.get(f"{LIST}?page=2")
    assert "Page 1 of 2" in text(first)
    assert f"{LIST}?page=2" in Reader(first.text).links
    assert text(second).count("Take back") == 1 + 78 - 50
    assert len(lea.get(f"{LIST}.csv").text.splitlines()) == 79


def test_what_a_lead_has_still_to_label_is_left_out(lea: TestClient, db: Database) -> None:
    with db.writing() as session:
        create_round(session, Wanted("r2", ("lea",)))
    assert "Nothing is settled in this round yet" in text(lea.get(LIST))
    assert len(lea.get(f"{LIST}.csv").text.splitlines()) == 1


# wrong role, bad input


@pytest.mark.parametrize("name", ["alice", "rui"])
@pytest.mark.parametrize("path", [LIST, f"{LIST}.csv"])
def test_it_is_for_leads(lea: TestClient, browse: Browse, name: str, path: str) -> None:
    answer = browse(name).get(path)
    assert (answer.status_code, "PIP" in answer.text) == (403, False)


@pytest.mark.parametrize(("path", "status"), [("/adjudication/99/settled", 404), (f"{LIST}?rule=x", 422), (f"{LIST}?page=-3", 200)])
def test_odd_addresses_are_sentences(lea: TestClient, path: str, status: int) -> None:
    assert lea.get(path).status_code == status
