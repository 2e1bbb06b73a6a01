"""One round's page: how far everybody is, live; adding to it, closing it. The counting itself: `tests/flow/test_progress.py`."""

import csv
import io
import uuid
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlmodel import col, select

from annotator.db import Database
from annotator.flow.accounts import get_user
from annotator.models import Assignment, Comment, Conversation, Decision, Round, RoundConversation, Utterance, now

from .forms import Reader, attributes_of, buttons, cells, follow, press, text

Browse = Callable[[str], TestClient]
SHOW, ADD, CLOSE = "Show what would change", "Add this", "Close r1 for good"
TABLES = ("progress.csv", "conversations.csv", "disagreement.csv", "remarks.csv", "progress.json")


@pytest.fixture
def lea(browse: Browse) -> TestClient:
    return browse("lea")


def act(browser: TestClient, desk: str, position: int, **fields: str) -> None:
    answer = browser.post(f"{desk}/{position}", data={"act": "label", "act_key": uuid.uuid4().hex} | fields)
    assert answer.status_code == 303, text(answer)


def hand_in(browser: TestClient, desk: str) -> None:
    browser.post(f"{desk}/hand-in", data={"with_open": "true"})


def rows(answer: Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.text)))


def make(db: Database, lea: TestClient, **fields: object) -> str:
    """A second round of one conversation for alice and bob; its address."""
    sent = {"name": "r2", "annotators": ["alice", "bob"], "overlap": "2", "only": "s1_d_1"} | fields
    answer = lea.post("/round", data=sent)
    assert answer.status_code == 303, text(answer)
    return answer.headers["location"]


@pytest.fixture
def both(browse: Browse, desk_of: Callable[..., str]) -> None:
    """Alice and Bob hand the same conversation in, with one label of two in common."""
    for name, code in (("alice", "PCT"), ("bob", "PEP")):
        act(browse(name), desk_of(name), 1, codes="RTI", seconds="10")
        act(browse(name), desk_of(name), 2, codes=code, seconds="20")
        hand_in(browse(name), desk_of(name))


# works


def test_the_page_says_who_is_how_far(lea: TestClient, both: None) -> None:
    page = cells(lea.get("/round/1"))
    assert "2 of 6 handed in 4 of 214 utterances done" in page
    assert "alice 1 of 3 105 2 0 0 0 0 240 50 % of 2 –" in page
    assert "s1_d_1 assisted alice handed in 30 2 0 0" in page
    assert "s2_d_2 assisted alice not begun 38 0 0 0" in page


def test_disagreement_stands_by_code_with_what_it_is_called(lea: TestClient, both: None) -> None:
    page = cells(lea.get("/round/1"))
    assert "Assistant: of 1 utterances that two or more people labelled, 0 have labels that differ." in page
    assert "Seeker: of 1 utterances that two or more people labelled, 1 have labels that differ." in page
    assert "Seeker PCT Provide" in page
    assert page.index("Seeker PEP") < page.index("Assistant RTI")


def test_comments_and_flags_lead_to_where_they_are_answered(lea: TestClient, browse: Browse, desk: str, db: Database) -> None:
    act(browse("alice"), desk, 3, act="flag", reason="Two <b>things</b> at once")
    with db.writing() as session:
        where = {"assignment_id": int(desk.rpartition("/")[2]), "utterance_id": 4}
        session.add(Comment(**where, user_id=get_user(session, "alice").id or 0, body="Which of them?"))
    page = lea.get("/round/1")
    assert "s1_d_1, utterance 3 of alice: flagged “Two <b>things</b> at once”" in text(page)
    assert "s1_d_1, utterance 4 of alice: alice says “Which of them?”" in text(page)
    [link] = [link for link in Reader(page.text).links if link == f"{desk}/4/comments"]
    assert lea.get(link).status_code == 200


def test_everything_downloads(lea: TestClient, both: None) -> None:
    assert [(row["annotator"], row["per_hour"]) for row in rows(lea.get("/round/1/progress.csv"))] == [("alice", "240.0"), ("bob", "240.0")]
    assert len(rows(lea.get("/round/1/conversations.csv"))) == 6
    assert [row["code"] for row in rows(lea.get("/round/1/disagreement.csv"))] == ["PCT", "PEP", "RTI"]
    assert rows(lea.get("/round/1/remarks.csv")) == []
    assert lea.get("/round/1/progress.json").json()["all"]["labelled"] == 4
    for name in TABLES:
        assert f'filename="round-1-{name}"' in lea.get(f"/round/1/{name}").headers["content-disposition"]


def test_the_live_part_comes_only_when_something_happened_and_stops_when_the_round_is_closed(
    lea: TestClient, browse: Browse, desk: str, db: Database
) -> None:
    asks = attributes_of(lea.get("/round/1"), "section", id="progress")["hx-get"]
    assert (lea.get(asks).status_code, lea.get(asks).text) == (204, "")
    act(browse("alice"), desk, 1, codes="RTI")
    live = lea.get(asks)
    assert "1 of 214 utterances done" in cells(live)
    assert "hx-refresh" not in live.headers
    assert lea.get(attributes_of(live, "section", id="progress")["hx-get"]).status_code == 204
    with db.writing() as session:
        session.get_one(Round, 1).closed_at = now()
    last = lea.get(asks)
    assert ("hx-get" in last.text, last.headers["hx-refresh"]) == (False, "true")


def test_many_conversations_come_in_pages(lea: TestClient, db: Database) -> None:
    with db.writing() as session:
        for number in range(120):
            session.add(Conversation(key=f"t{number:03}", text_hash="x", n_utterances=1))
        session.flush()
        for one in session.exec(select(Conversation).where(col(Conversation.key).startswith("t"))).all():
            session.add(RoundConversation(round_id=1, conversation_id=one.id or 0, condition="blind"))
            session.add(Assignment(round_id=1, conversation_id=one.id or 0, user_id=1))
    first, second = lea.get("/round/1"), lea.get("/round/1?page=2")
    assert ("t096" in text(first), "t097" in text(first), "Page 1 of 2 (123 conversations)" in text(first)) == (True, False, True)
    assert ("t096" in text(second), "t119" in text(second)) == (False, True)
    assert "page=2" in attributes_of(second, "section", id="progress")["hx-get"]
    assert "Page 2 of 2" in text(lea.get("/round/1?page=99"))


def test_the_plan_and_the_instructions_are_shown(lea: TestClient, db: Database) -> None:
    said = "# Hello\n\n<script>alert(1)</script> [x](javascript:alert(1))"
    address = make(db, lea, blind="100", repeats="100", seed="5", instructions=said)
    page = lea.get(address)
    assert "Annotators each 2 Blind 100 % Silent repeats 100 % Seed 5 Only s1_d_1" in cells(page)
    assert "<h3>Hello</h3>" in page.text
    assert "<script>alert(1)</script>" in text(page)
    assert not [1 for tag, attributes in Reader(page.text).tags if tag == "script" and "src" not in attributes]
    assert not [link for link in Reader(page.text).links if "javascript" in link]
    assert "Silent repeats handed in 0 of 2" in cells(page)


def test_people_and_conversations_are_added_after_a_look_at_the_plan(lea: TestClient, db: Database) -> None:
    address = make(db, lea)
    plan = lea.get(f"{address}/add", params={"annotators": ["cem"], "all_others": "yes"})
    assert "New in it: cem, 2 conversations." in text(plan)
    assert rows(lea.get(f"{address}/add.csv", params={"annotators": ["cem"], "table": "annotators"}))[2]["annotator"] == "cem"
    with db.reading() as session:
        assert len(session.exec(select(Assignment).where(Assignment.round_id == 2)).all()) == 2
    assert press(lea, plan, ADD).headers["location"] == address
    with db.reading() as session:
        given = session.exec(select(Assignment.user_id).where(Assignment.round_id == 2)).all()
        cem = get_user(session, "cem").id
    assert (len(given), cem in given) == (6, True)
    assert not [1 for _, one in Reader(lea.get(address).text).tags if one.get("name") == "annotators" and one["value"] == "cem"]


def test_the_plan_of_an_addition_names_what_changes_hands(lea: TestClient, db: Database) -> None:
    address = make(db, lea, only="*")
    plan = lea.get(f"{address}/add", params={"annotators": ["cem"]})
    moves = rows(lea.get(f"{address}/add.csv", params={"annotators": ["cem"], "table": "changes"}))
    assert ([one["come"] for one in moves], {one["gone"] for one in moves}) == (["cem", "cem"], {"alice", "bob"})
    assert [f"{one['conversation']} {one['gone']} cem – –" in cells(plan) for one in moves] == [True, True]
    assert "What changes hands" not in text(lea.get("/round/plan", params={"name": "r3", "annotators": ["cem"]}))


def test_the_way_back_from_an_addition_keeps_what_was_filled_in(lea: TestClient, db: Database) -> None:
    address = make(db, lea)
    plan = lea.get(f"{address}/add", params={"annotators": ["cem"], "only": "s2_*"})
    form = lea.get(next(link for link in Reader(plan.text).links if link.startswith(f"{address}?")))
    assert attributes_of(form, "input", name="only")["value"] == "s2_*"
    assert "checked" in attributes_of(form, "input", name="annotators", value="cem")


def test_what_was_opened_again_is_named_apart_before_closing_and_counts_after(
    lea: TestClient, browse: Browse, desk: str, both: None
) -> None:
    press(browse("alice"), browse("alice").get(desk), "Open it again")
    page = lea.get("/round/1")
    said = "4 of 6 are not handed in; what was done in them stays stored, but is in no figure of agreement. "
    assert f"{said}1 of 6 was handed in once and opened again; the first hand-in counts." in text(page)
    closed = follow(lea, press(lea, page, CLOSE))
    assert "2 of 6 handed in" in text(closed)
    assert ("handed in once" in text(closed), "2 of 6" in text(lea.get("/round"))) == (True, True)


def test_a_round_is_closed_after_plain_words_and_nothing_more_can_be_done(
    lea: TestClient, browse: Browse, desk: str, db: Database, both: None
) -> None:
    page = lea.get("/round/1")
    assert "it cannot be opened again. 4 of 6 are not handed in" in text(page)
    closed = follow(lea, press(lea, page, CLOSE))
    assert "closed on" in text(closed)
    assert not buttons(closed) & {SHOW, CLOSE}
    assert browse("alice").post(f"{desk}/3", data={"act": "skip", "act_key": uuid.uuid4().hex}).status_code == 409
    again = lea.post("/round/1/close")
    assert (again.status_code, "was closed on" in text(again)) == (409, True)
    refused = lea.post("/round/1/add", data={"annotators": ["cem"]})
    assert (refused.status_code, "is closed" in text(refused)) == (409, True)


def test_a_round_from_a_file_is_shown_and_can_not_be_added_to(lea: TestClient, db: Database) -> None:
    with db.writing() as session:
        session.add(Round(name="theirs", taxonomy_version_id=1))
    page = lea.get("/round/2")
    assert "It came with labels from a file." in text(page)
    assert SHOW not in buttons(page)
    refused = lea.post("/round/2/add", data={"annotators": ["cem"]})
    assert (refused.status_code, "came from a file" in text(refused)) == (422, True)


# wrong role


def test_researchers_watch_with_pseudonyms_and_change_nothing(browse: Browse, lea: TestClient, db: Database, both: None) -> None:
    rui = browse("rui")
    page = rui.get("/round/1")
    assert "annotator-1 1 of 3" in cells(page)
    assert not buttons(page) & {SHOW, CLOSE}
    seen = "".join(rui.get(f"/round/1{path}").text for path in ("", "/progress", *(f"/{name}" for name in TABLES)))
    assert not [name for name in ("alice", "bob", "lea") if name in seen]
    assert [rui.get("/round/1/add").status_code, rui.post("/round/1/add").status_code, rui.post("/round/1/close").status_code] == [403] * 3
    with db.reading() as session:
        assert session.get_one(Round, 1).closed_at is None


def test_annotators_see_nothing_of_it(browse: Browse, db: Database) -> None:
    alice = browse("alice")
    paths = ["/round/1", "/round/1/add", "/round/1/add.csv", "/round/1/progress", *(f"/round/1/{name}" for name in TABLES)]
    assert {alice.get(path).status_code for path in paths} == {403}
    assert {alice.get("/round/99").status_code, alice.post("/round/1/close").status_code} == {403}


# bad input


@pytest.mark.parametrize("path", ["", "/progress", "/add", "/add.csv", *(f"/{name}" for name in TABLES)])
def test_a_round_that_is_not_there_is_not_found(path: str, lea: TestClient) -> None:
    for number in ("99", "99999999999999999999999"):
        assert lea.get(f"/round/{number}{path}").status_code == 404


@pytest.mark.parametrize(
    ("filled", "sentence"),
    [
        ({}, "Say what to add"),
        ({"annotators": ["alice"]}, "alice is in round r1 already."),
        ({"annotators": ["zoe"]}, "There is no user 'zoe'"),
        ({"all_others": "yes"}, "has all of these conversations already"),
        ({"only": "nothing-like-this"}, "No conversation is called 'nothing-like-this'"),
        ({"sample": "many"}, "The number of conversations drawn by lot is 'many'"),
    ],
)
def test_what_cannot_be_added_is_a_sentence_beside_the_form_as_filled_in(
    filled: dict[str, str], sentence: str, lea: TestClient, db: Database
) -> None:
    for answer in (lea.get("/round/1/add", params=filled), lea.post("/round/1/add", data=filled)):
        assert answer.status_code in (404, 409, 422)
        assert sentence in text(answer)
        assert attributes_of(answer, "input", name="only")["value"] == filled.get("only", "")
    with db.reading() as session:
        assert len(session.exec(select(Assignment)).all()) == 6
        assert session.exec(select(Decision)).all() == []
        assert session.exec(select(Utterance)).first() is not None
