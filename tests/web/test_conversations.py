"""My conversations, and where the start page sends."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlmodel import insert, select

from annotator.db import Database
from annotator.flow.round import Wanted, create_round
from annotator.models import Assignment, Conversation, Discussion, Round, RoundConversation, Utterance

from .forms import Reader, follow, hand_in_as_it_is, press, text

Browse = Callable[[str], TestClient]


def many(db: Database, number: int) -> None:
    """Give Alice (user 1) that many more conversations in round 1."""
    made = [{"key": f"more-{one}", "text_hash": str(one), "n_utterances": 1, "meta": {}} for one in range(number)]
    with db.writing() as session:
        ids = [row.id for row in session.connection().execute(insert(Conversation).returning(Conversation.id), made)]
        for table, columns in ((RoundConversation, {"condition": "blind"}), (Assignment, {"user_id": 1})):
            rows = [{"round_id": 1, "conversation_id": one, **columns} for one in ids]
            session.connection().execute(insert(table), rows)


# works


def test_all_my_conversations_stand_here_with_their_round(alice: TestClient) -> None:
    page = alice.get("/review")
    assert text(page).count("0 of 32") == 1
    assert [name in text(page) for name in ("s1_d_1 r1", "s2_d_2 r1", "s3_d_3 r1")] == [True] * 3


def test_every_link_leads_to_a_desk_or_a_page(alice: TestClient) -> None:
    links = [link for link in Reader(alice.get("/review").text).links if link.startswith("/")]
    assert sum(link.startswith("/review/") for link in links) == 3
    assert {alice.get(link).status_code for link in links} == {200}


def test_progress_counts_what_i_did_and_no_proposal(alice: TestClient, desk: str) -> None:
    assert text(alice.get("/review")).count("not begun") == 3
    for position, button in ((1, "RTI"), (2, "Skip"), (3, "Flag")):
        press(alice, alice.get(f"{desk}?at={position}"), button)
    assert "s1_d_1 r1 2 of 32 30 1 under way" in text(alice.get("/review"))


def test_a_taken_back_act_is_no_progress(alice: TestClient, desk: str) -> None:
    page = follow(alice, press(alice, alice.get(desk), "RTI"))
    press(alice, page, "Undo")
    assert "s1_d_1 r1 0 of 32 32 0 not begun" in text(alice.get("/review"))


def test_a_conversation_is_handed_in_until_it_is_opened_again(alice: TestClient, desk: str) -> None:
    hand_in_as_it_is(alice, desk)
    assert text(alice.get("/review")).count("handed in") == 1
    press(alice, alice.get(desk), "Open it again")
    assert "handed in" not in text(alice.get("/review"))


def facts(page: Response) -> dict[str, str]:
    """The figures above the list."""
    return dict(re.findall(r"<dt>([^<]+)</dt><dd>(?:<a [^>]+>)?(\d+)", page.text))


def test_the_sum_of_my_work_stands_on_top(alice: TestClient, desk: str) -> None:
    assert facts(alice.get("/review")) == {"Done in open rounds": "0", "Open in open rounds": "107", "To discuss": "0"}
    for position, seconds in ((1, "10"), (2, "20")):
        alice.post(f"{desk}/{position}", data={"act": "skip", "act_key": f"key-number-{position}", "seconds": seconds})
    assert facts(alice.get("/review")) == {"Done in open rounds": "2", "Open in open rounds": "105", "Per hour": "240", "To discuss": "0"}
    hand_in_as_it_is(alice, desk)
    assert facts(alice.get("/review"))["Open in open rounds"] == "75", "what was handed in is not open any more"


def test_what_is_to_be_discussed_is_one_click_away(alice: TestClient, desk: str, db: Database) -> None:
    press(alice, alice.get(f"{desk}?at=2"), "PEP")
    hand_in_as_it_is(alice, desk)
    with db.writing() as session:
        found = session.exec(select(Utterance.id).join(Conversation).where(Conversation.key == "s1_d_1").order_by(Utterance.position)).all()
        session.add_all(Discussion(round_id=1, utterance_id=one or 0, user_id=4) for one in found[1:3])
    page = alice.get("/review")
    assert facts(page)["To discuss"] == "1", "who left an utterance open is asked nothing about it"
    link = next(link for link in Reader(page.text).links if "what=discuss" in link)
    assert alice.get(link).headers["location"] == f"{desk}?at=2#u2"
    locked = alice.get(f"{desk}?at=1")
    assert "This conversation is handed in; utterance 2 is to be discussed and can be changed." in text(locked)
    assert "answered, the lead decides" not in text(locked)
    alice.post(f"{desk}/2", data={"codes": "IQ", "act_key": "key-of-the-answer"})
    assert "answered, the lead decides" in text(alice.get(desk))


def test_the_search_box_leads_to_what_holds_the_words(alice: TestClient) -> None:
    assert "Hello" in text(press(alice, alice.get("/review"), "Search", q="HELLO"))


def test_a_long_list_comes_in_pages(alice: TestClient, db: Database) -> None:
    many(db, 150)
    first = alice.get("/review")
    assert "Page 1 of 2 (153 conversations)" in text(first)
    later = next(link for link in Reader(first.text).links if "page=2" in link)
    assert len([link for link in Reader(alice.get(later).text).links if link.startswith("/review/")]) == 53


def test_a_second_round_stands_beside_the_first(alice: TestClient, db: Database) -> None:
    with db.writing() as session:
        create_round(session, Wanted("r2", ("alice",)))
    assert "s1_d_1 r2 0 of 32" in text(alice.get("/review"))


def test_what_is_of_a_closed_round_stands_last_and_says_so(alice: TestClient, db: Database) -> None:
    with db.writing() as session:
        create_round(session, Wanted("r2", ("alice",)))
        session.get_one(Round, 1).closed_at = datetime(2026, 1, 1, tzinfo=UTC)
    rows = re.findall(r"s\d_d_\d (r\d) 0 of \d+ \d+ 0 ([a-z ]+?)(?= s\d_d|$)", text(alice.get("/review")).strip())
    assert [name for name, _ in rows] == ["r2"] * 3 + ["r1"] * 3
    assert ["closed" in state for _, state in rows] == [False] * 3 + [True] * 3


@pytest.mark.parametrize(("name", "start"), [("alice", "/review"), ("lea", "/review"), ("rui", "/agreement")])
def test_the_start_page_sends_everybody_to_their_work(name: str, start: str, browse: Browse) -> None:
    assert browse(name).get("/").headers["location"] == start
    assert browse(name).get(start).status_code == 200


@pytest.mark.parametrize(
    ("name", "ways"),
    [("alice", ["/review", "/taxonomy", "/agreement", "/export"]),
     ("lea", ["/review", "/import", "/tagging", "/round", "/taxonomy", "/adjudication", "/agreement", "/comments", "/export", "/users"]),
     ("rui", ["/round", "/taxonomy", "/agreement", "/comments", "/export"])],
)  # fmt: skip
def test_the_menu_shows_only_where_one_may_go(name: str, ways: list[str], browse: Browse) -> None:
    links = Reader(browse(name).get("/taxonomy").text).links
    assert [link for link in links if link.startswith("/")] == ways
    assert {browse(name).get(way).status_code for way in ways} == {200}


# not yours


def test_nobody_elses_conversations_or_progress_stand_here(browse: Browse, desk: str) -> None:
    alice = browse("alice")
    press(alice, alice.get(desk), "RTI")
    bobs = browse("bob").get("/review")
    assert (text(bobs).count("not begun"), desk in bobs.text) == (3, False)
    assert "There is nothing to label yet" in text(browse("cem").get("/review"))


# wrong role


def test_a_researcher_has_no_conversations(browse: Browse) -> None:
    page = browse("rui").get("/review")
    assert (page.status_code, "you are signed in as researcher rui" in text(page)) == (403, True)


@pytest.mark.parametrize("path", ["/", "/review"])
def test_who_is_not_signed_in_is_sent_to_sign_in(path: str, browse: Browse) -> None:
    assert browse("eve").get(path).headers["location"] == f"/sign-in?next={path}"


# bad input


@pytest.mark.parametrize("number", ["0", "-3"])
def test_a_page_before_the_first_is_the_first(number: str, alice: TestClient) -> None:
    assert "s1_d_1" in text(alice.get(f"/review?page={number}"))


@pytest.mark.parametrize("number", ["2", "999999999999999999999"])
def test_a_page_behind_the_last_is_the_last(number: str, alice: TestClient) -> None:
    assert "s1_d_1" in text(follow(alice, alice.get(f"/review?page={number}")))


def test_a_page_that_is_no_number_is_a_sentence(alice: TestClient) -> None:
    page = alice.get("/review?page=two")
    assert (page.status_code, "wrong at: page" in text(page)) == (422, True)
