"""The page on what the proposals of a round did, its tables and figures as files."""

import csv
import io
import json
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import PASSWORD
from fastapi.testclient import TestClient
from flow.anchored import label_all, make_anchored

from annotator.db import Database
from annotator.flow import accounts
from annotator.flow.intake import import_paths
from annotator.flow.intake_report import Options
from annotator.flow.round import Wanted, create_round
from annotator.settings import Settings
from annotator.web.app import create_app
from annotator.web.deps import COOKIE

from .forms import Reader, cells, press, text

Browse = Callable[[str], TestClient]
PATHS = ("/influence", "/influence.json", "/influence.csv", "/influence/table/codes.csv", "/influence/figure/codes.svg")
FIGURES = ("overall", "seconds", "annotators", "codes", "kept")


@pytest.fixture(scope="module")
def anchored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, Browse]]:
    """A project with a labelled round; clients of its people, and of `eve`, who is nobody."""
    folder = tmp_path_factory.mktemp("anchored") / "p"
    db = make_anchored(folder)
    with db.writing() as session:
        label_all(session, folder)
        create_round(session, Wanted("waiting", ("ana", "ben"), blind=0.5))
        tokens = {name: accounts.use_link(session, accounts.new_link(session, name), PASSWORD, days=30) for name in ("ana", "lea", "rui")}
    with TestClient(create_app(Settings(project=folder)), follow_redirects=False) as app_client:

        def browse(name: str) -> TestClient:
            client = TestClient(app_client.app, follow_redirects=False, headers={"sec-fetch-site": "same-origin"})
            if name in tokens:
                client.cookies.set(COOKIE, tokens[name])
            return client

        yield db, browse
    db.close()


@pytest.fixture
def visit(anchored: tuple[Database, Browse]) -> Browse:
    return anchored[1]


# works


def test_the_page_says_in_its_first_sentence_what_the_proposal_did(visit: Browse) -> None:
    page = visit("lea").get("/influence")
    said = cells(page)
    assert page.status_code == 200
    begin = said.index("What the proposals did main")
    assert said[begin:].startswith("What the proposals did main Seeing the proposal drew labels towards it: of the labels that would")
    assert "The model against people, on 120 blind labels: kappa 0." in said
    assert "drawn by lot, 25 %" in said
    assert "The change cannot be estimated: Assistant kappa between people, Seeker kappa between people; the blind arm has 30" in said
    assert "May the model replace an annotator? No: on blind labels it beats" in said


def test_page_json_and_csv_give_the_same_figures(visit: Browse) -> None:
    lea = visit("lea")
    found = lea.get("/influence.json").json()
    rows = list(csv.DictReader(io.StringIO(lea.get("/influence.csv").text)))
    between = next(row for row in rows if (row["figure"], row["role"], row["annotator"]) == ("kappa between people", "", ""))
    line = found["human_human"]["blind"]
    assert float(between["blind"]) == line["kappa"]
    low, high = line["ci95"]
    assert f"kappa between people {line['kappa']:.2f} {low:.2f} to {high:.2f}" in cells(lea.get("/influence"))


def test_every_table_and_figure_is_there_as_a_file(visit: Browse) -> None:
    lea = visit("lea")
    page = lea.get("/influence")
    links = [link for link in Reader(page.text).links if link.startswith("/influence")]
    answers = {link: lea.get(link) for link in links}
    assert {answer.status_code for answer in answers.values()} == {200}
    assert all("attachment" in answer.headers["content-disposition"] for answer in answers.values())
    assert {f"/influence/figure/{name}.svg?round=main" for name in FIGURES} <= set(links)
    for name in ("everybody", "annotators", "codes", "shift", "replaceable"):
        assert answers[f"/influence/table/{name}.csv?round=main"].text.count("\n") > 2
        assert answers[f"/influence/table/{name}.tex?round=main"].text.startswith("% Needs")
    assert ET.fromstring(answers["/influence/figure/codes.svg?round=main"].text).tag.endswith("svg")
    assert page.text.count("<svg") == len(FIGURES)


def test_the_score_on_assisted_labels_is_there_when_asked_for_with_a_warning(visit: Browse) -> None:
    lea = visit("lea")
    page = press(lea, lea.get("/influence"), "Show", assisted="true")
    assert "on 360 assisted labels" in text(page)
    assert "That flatters it: report the score on blind labels." in text(page)
    assert any("assisted=true" in link for link in Reader(page.text).links)


def test_before_anything_is_handed_in_the_page_says_so(browse: Browse) -> None:
    assert "Nothing was handed in yet" in text(browse("lea").get("/influence"))
    assert "no labels that were handed in yet" in browse("lea").get("/influence.json", headers={"accept": "application/json"}).text


def test_of_an_imported_round_somebody_may_vouch_for_the_draw(db: Database, browse: Browse, tmp_path: Path) -> None:
    rows = ["conversation,utterance,role,annotator,codes,text,condition,round"]
    for condition, keys in (("blind", range(10)), ("assisted", range(10, 30))):
        for who in ("dora", "emil"):
            rows += [f"v{key},{at},Seeker,{who},{('IQ', 'ACK')[at % 2]},Hi {at}.,{condition},old" for key in keys for at in range(6)]
    (tmp_path / "old.csv").write_text("\n".join(rows) + "\n")
    with db.writing() as session:
        import_paths(session, [tmp_path / "old.csv"], None, Options())
    lea = browse("lea")
    page = lea.get("/influence?round=old")
    assert "it is not known whether the blind conversations were drawn at random" in text(page)
    vouched = press(lea, page, "Show", drawn="true")
    assert "is the word of whoever asked" in text(vouched)
    assert "not known to be drawn" not in text(vouched)


# not yours


@pytest.mark.parametrize("path", PATHS)
def test_a_researcher_reads_pseudonyms(path: str, visit: Browse) -> None:
    found = visit("rui").get(path)
    assert found.status_code == 200
    assert not [name for name in ("ana", "ben", "cem", "lea") if f">{name}<" in found.text or f'"{name}"' in found.text]
    if path == "/influence.json":
        assert list(json.loads(found.text)["annotators"]) == ["annotator-1", "annotator-2", "annotator-3"]


# wrong role


@pytest.mark.parametrize("path", PATHS)
def test_annotators_and_strangers_read_nothing(path: str, visit: Browse) -> None:
    assert visit("ana").get(path).status_code == 403
    assert visit("eve").get(path).status_code == 303


# bad input


@pytest.mark.parametrize("path", PATHS)
def test_an_unknown_round_is_a_sentence(path: str, visit: Browse) -> None:
    page = visit("lea").get(f"{path}?round=<b>none</b>")
    assert (page.status_code, "Nothing was handed in for a round '<b>none</b>'. Known: main." in text(page)) == (422, True)


@pytest.mark.parametrize("name", ["table/other.csv", "table/codes.xls", "figure/other.svg", "figure/codes.gif"])
def test_a_file_that_there_is_not_is_a_sentence(name: str, visit: Browse) -> None:
    answer = visit("lea").get(f"/influence/{name}")
    assert (answer.status_code, "here" in text(answer)) == (404, True)


@pytest.mark.parametrize("query", ["assisted=perhaps", "epsilon=2", "drawn=x"])
def test_what_makes_no_sense_is_refused(query: str, visit: Browse) -> None:
    assert visit("lea").get(f"/influence?{query}").status_code == 422
