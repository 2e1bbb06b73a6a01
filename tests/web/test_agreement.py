"""The agreement page, and its figures as JSON and CSV."""

import csv
import io
from collections.abc import Callable

import pytest
from conftest import Stage
from fastapi.testclient import TestClient
from sqlalchemy import update

from annotator.db import Database
from annotator.flow import accounts, intake
from annotator.flow.intake_report import Options
from annotator.flow.round import Wanted, create_round
from annotator.models import Role, Round, now
from annotator.paths import shipped

from .forms import hand_in_as_it_is, press, text

Browse = Callable[[str], TestClient]
ANSWERS = {"alice": ("RTI", "PCT", "PCT", "PEP", "IQ"), "bob": ("RTI", "PCT", "IQ", "PEP", "IQ")}
PATHS = ("/agreement", "/agreement.json", "/agreement.csv")


@pytest.fixture
def labelled(browse: Browse, desk_of: Callable[..., str]) -> None:
    """Alice and Bob have labelled the first five utterances and handed in; they differ in the third."""
    for name, codes in ANSWERS.items():
        for position, code in enumerate(codes, 1):
            press(browse(name), browse(name).get(f"{desk_of(name)}?at={position}"), code)
        hand_in_as_it_is(browse(name), desk_of(name))


# works


def test_without_two_who_handed_in_there_is_nothing_to_compare(browse: Browse) -> None:
    assert "Nothing to compare yet" in text(browse("lea").get("/agreement"))


@pytest.mark.usefixtures("labelled")
def test_the_figures_stand_per_role_with_what_they_rest_on(browse: Browse) -> None:
    page = text(browse("lea").get("/agreement"))
    assert "alice and bob" in page
    assert "no lower limit: all pairs are of one conversation" in page.lower()
    # po 3/4; margins PCT 2·1, IQ 1·2, PEP 1·1 of 16: pe 5/16; kappa 7/11
    assert "Seeker 0.64 – 0.75 0.31 – 4 1" in page
    assert "Assistant undefined – 1.00 1.00 – 1 1" in page
    assert "Assistant: kappa is undefined, because" in page
    assert [word in page for word in ("All roles, stratified", "All roles pooled*", "this figure flatters")] == [True] * 3


@pytest.mark.usefixtures("labelled")
def test_page_json_and_csv_give_the_same_figures(browse: Browse) -> None:
    lea = browse("lea")
    (pair,) = lea.get("/agreement.json").json()["pairs"]
    rows = list(csv.DictReader(io.StringIO(lea.get("/agreement.csv").text)))
    seeker = next(row for row in rows if (row["scope"], row["code"]) == ("Seeker", ""))
    assert pair["annotators"] == ["alice", "bob"]
    assert pair["roles"]["Seeker"]["kappa"] == pytest.approx(7 / 11) == float(seeker["kappa"])
    assert pair["roles"]["Assistant"]["kappa"] is None


@pytest.mark.usefixtures("labelled")
def test_what_changed_after_the_first_hand_in_changes_no_figure(browse: Browse, desk: str) -> None:
    before, alice = browse("lea").get("/agreement.json").json(), browse("alice")
    press(alice, alice.get(desk), "Open it again")
    press(alice, alice.get(f"{desk}?at=3"), "IQ")
    hand_in_as_it_is(alice, desk)
    after = browse("lea").get("/agreement.json").json()
    assert after.pop("after_discussion")["n_changed"] == 1
    assert after == {name: value for name, value in before.items() if name != "after_discussion"}


@pytest.mark.parametrize("path", PATHS[1:])
def test_figures_come_as_a_file(path: str, browse: Browse) -> None:
    assert path.removeprefix("/") in browse("lea").get(path).headers["content-disposition"]


@pytest.mark.usefixtures("labelled")
def test_two_rounds_over_the_same_conversation_leave_a_page_to_choose_from(
    db: Database, browse: Browse, desk_of: Callable[..., str]
) -> None:
    with db.writing() as session:
        create_round(session, Wanted("r2", ("alice", "bob")))
    hand_in_second_round(browse("alice"))
    page = browse("lea").get("/agreement?round=")
    assert "in more than one round" in text(page)
    assert "Nothing to compare yet" in text(browse("lea").get("/agreement")), "the newest round"
    chosen = press(browse("lea"), page, "Show", round="r1")
    assert (chosen.status_code, "Seeker 0.64 –" in text(chosen)) == (200, True)


def hand_in_second_round(alice: TestClient) -> None:
    second = "/review/7"
    assert "r2" in text(alice.get(second))
    press(alice, alice.get(f"{second}?at=1"), "RTI")
    hand_in_as_it_is(alice, second)


@pytest.mark.usefixtures("labelled")
@pytest.mark.parametrize(
    ("name", "words"),
    [("overall", "Seeker,"), ("codes", "Seeker,IQ"), ("confusions", "PCT,IQ"), ("reading_aids", "kappa max"), ("plan", "Seeker")],
)
def test_a_table_comes_as_csv_and_latex(name: str, words: str, browse: Browse) -> None:
    lea = browse("lea")
    table, paper = (lea.get(f"/agreement/table/{name}.{suffix}") for suffix in ("csv", "tex"))
    assert (table.headers["content-type"], words in table.text) == ("text/csv; charset=utf-8", True)
    assert (r"\begin{tabular}" in paper.text, r"\toprule" in paper.text) == (True, True)
    assert [one.headers["content-disposition"].rpartition("'")[2] for one in (table, paper)] == [f"{name}.csv", f"{name}.tex"]


@pytest.mark.usefixtures("labelled")
def test_a_figure_comes_as_svg_png_and_pdf(browse: Browse) -> None:
    drawn = [browse("lea").get(f"/agreement/figure/codes.{suffix}") for suffix in ("svg", "png", "pdf")]
    assert [one.headers["content-type"] for one in drawn] == ["image/svg+xml", "image/png", "application/pdf"]
    assert [one.content[:4] for one in drawn] == [b"<svg", b"\x89PNG", b"%PDF"]
    assert drawn[0].text in browse("lea").get("/agreement").text


@pytest.mark.usefixtures("labelled")
def test_the_methods_paragraph_is_filled_in(browse: Browse) -> None:
    told = browse("lea").get("/agreement/methods.txt").text
    for words in ("Cohen's kappa", "conversation", "r1", "two annotators", "["):
        assert words in told, words
    fragment = browse("lea").get("/agreement/methods.txt", headers={"hx-request": "true"})
    assert ("<p id=" in fragment.text, "<html" in fragment.text) == (True, False)


@pytest.mark.usefixtures("labelled")
def test_merging_what_was_confused_is_tried_at_once(browse: Browse) -> None:
    page = text(browse("lea").get("/agreement?merge=Seeker/IQ=PCT"))
    assert "If Seeker/IQ were merged into PCT:" in page
    assert "Seeker: 0.64 (–) → 1.00 (–)" in page


@pytest.mark.usefixtures("labelled")
def test_two_annotators_can_be_looked_at_alone_and_the_threshold_chosen(browse: Browse) -> None:
    page = text(browse("lea").get("/agreement?round=r1&a=alice&b=bob&threshold=0.9"))
    assert ("alice and bob: 5 utterances" in page, "all annotators" in page) == (True, True)
    assert browse("lea").get("/agreement.json?threshold=0.9").json()["verdict"]["threshold"] == 0.9
    assert browse("lea").get("/agreement.json").json()["verdict"]["threshold"] == 0.67


# not yours


@pytest.mark.usefixtures("labelled")
@pytest.mark.parametrize("path", PATHS)
def test_a_researcher_reads_pseudonyms(path: str, browse: Browse) -> None:
    found = browse("rui").get(path).text
    assert ("annotator-1" in found, "annotator-2" in found) == (True, True)
    assert not [name for name in ("alice", "bob", "lea") if name in found]


def test_labels_of_somebody_who_is_now_a_researcher_are_no_crash(db: Database, stage: Stage, browse: Browse) -> None:
    with db.writing() as session:
        intake.import_paths(session, [shipped("sample") / "transcripts" / "s1_d_1.json"], None, Options(as_name="dora"))
        accounts.add_user(session, "dora", Role.RESEARCHER)
    assert {browse("rui").get(path).status_code for path in (*PATHS, "/export", "/export/download")} == {200}


@pytest.mark.usefixtures("labelled")
def test_an_annotator_reads_nothing_of_an_open_round(alice: TestClient) -> None:
    page = text(alice.get("/agreement"))
    assert "Your agreement with the others stands here as soon as a round is closed" in page
    nothing = alice.get("/agreement.json").json()
    assert (nothing["pairs"], nothing["rounds"], nothing["overview"]["n_utterances"]) == ([], [], 0)
    assert len(alice.get("/agreement.csv").text.splitlines()) == 1
    refused = alice.get("/agreement?round=r1")
    assert (refused.status_code, "No closed round of yours is called 'r1'" in text(refused)) == (422, True)


@pytest.mark.usefixtures("labelled")
def test_an_annotator_reads_their_own_agreement_of_a_closed_round(db: Database, alice: TestClient, browse: Browse) -> None:
    with db.writing() as session:
        session.execute(update(Round).values(closed_at=now()))
    answers = [alice.get(path) for path in PATHS]
    assert ("alice and annotator-1" in text(answers[0]), "Seeker 0.64" in text(answers[0])) == (True, True)
    assert answers[1].json()["pairs"][0]["annotators"] == ["alice", "annotator-1"]
    assert not [name for answer in answers for name in ("bob", "cem", "lea") if name in answer.text]
    assert "stands here as soon as" in text(browse("cem").get("/agreement"))


@pytest.mark.usefixtures("labelled")
def test_an_annotator_is_planned_nothing_and_shown_no_threshold(db: Database, alice: TestClient) -> None:
    with db.writing() as session:
        session.execute(update(Round).values(closed_at=now()))
    page = text(alice.get("/agreement"))
    assert [words in page for words in ("How many more", "What if", "For the paper", "Threshold", "Each against the rest")] == [False] * 5
    assert ("You said" in page, "You and each of the others" in page) == (True, True)
    assert alice.get("/agreement/methods.txt").status_code == 403
    assert [alice.get(f"/agreement/table/{name}.csv").status_code for name in ("plan", "what_if")] == [404, 404]
    assert "bob" not in alice.get("/agreement/table/confusions.csv").text + alice.get("/agreement/table/pairs.csv").text


# wrong role


@pytest.mark.parametrize("path", PATHS)
def test_who_is_not_signed_in_reads_no_agreement(path: str, browse: Browse) -> None:
    assert browse("eve").get(path).status_code == 303
    assert browse("eve").get(path, headers={"accept": "application/json"}).status_code == 401


# bad input


@pytest.mark.parametrize("path", PATHS)
def test_an_unknown_round_is_a_sentence(path: str, browse: Browse) -> None:
    page = browse("lea").get(f"{path}?round=<b>none</b>")
    assert (page.status_code, "Nothing was handed in for a round '<b>none</b>'" in text(page)) == (422, True)


@pytest.mark.usefixtures("labelled")
@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        ("a=alice", 422, "Choose two different annotators to look at"),
        ("a=alice&b=alice", 422, "Choose two different annotators to look at"),
        ("a=alice&b=<i>zoe", 422, "<i>zoe has handed in nothing here"),
        ("condition=blind", 422, "There are no blind labels"),
        ("merge=nonsense", 422, "does not say which code to merge into which"),
        ("merge=XX=PCT", 422, "Nobody used the code XX"),
        ("threshold=7", 422, "threshold"),
        ("half_width=0", 422, "half_width"),
        ("half_width=1e-20", 422, "half_width"),
        ("code_half_width=1e-300", 422, "code_half_width"),
        ("merge=IQ=PCT|PEP", 422, "is no single code"),
    ],
)
def test_what_cannot_be_shown_is_a_sentence(query: str, status: int, sentence: str, browse: Browse) -> None:
    page = browse("lea").get(f"/agreement?{query}")
    assert (page.status_code, sentence in text(page)) == (status, True)


@pytest.mark.usefixtures("labelled")
@pytest.mark.parametrize("path", ["table/none.csv", "table/codes.docx", "figure/none.svg", "figure/codes.gif", "figure/a_2F_b.svg"])
def test_a_file_that_there_is_not_is_a_sentence(path: str, browse: Browse) -> None:
    answer = browse("lea").get(f"/agreement/{path}")
    assert (answer.status_code, "The page links those that there are" in text(answer)) == (404, True)
