"""Searching my conversations, my last acts, and the way to the next place."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlmodel import update

from annotator.db import Database
from annotator.models import Utterance

from .forms import Reader, attributes_of, follow, press, row, text

Browse = Callable[[str], TestClient]
FRAGMENT = {"hx-request": "true"}


# works


def test_what_holds_the_words_links_to_its_place(alice: TestClient, desk: str, db: Database) -> None:
    with db.writing() as session:
        session.execute(update(Utterance).where(Utterance.position == 5).values(text="A <b>xylophone</b>, please"))
    page = alice.get("/review/search?q=XYLOPHONE%20please")
    links = [link for link in Reader(page.text).links if link.startswith("/review/") and "at=5" in link]
    assert (len(links), "A <b>xylophone</b>, please" in text(page)) == (3, True)
    assert row(alice.get(links[0]), 5)["aria-current"] == "true"


def test_right_to_left_text_is_found_and_shown_as_such(alice: TestClient, db: Database) -> None:
    with db.writing() as session:
        session.execute(update(Utterance).where(Utterance.id == 5).values(text="אני מחפשת שמלה"))
    page = press(alice, alice.get("/review/search"), "Search", q="שמלה")
    assert attributes_of(page, "a", dir="auto")["href"].startswith("/review/")
    assert "אני מחפשת שמלה" in text(page)


def test_many_come_in_pages(alice: TestClient, db: Database) -> None:
    with db.writing() as session:
        session.execute(update(Utterance).values(text="here & everywhere"))
    first = alice.get("/review/search", params={"q": "& everywhere"})
    further = next(link for link in Reader(first.text).links if "page=2" in link)
    assert len([link for link in Reader(alice.get(further).text).links if "at=" in link]) == 7


def test_more_words_than_can_be_looked_for_are_a_sentence(alice: TestClient) -> None:
    answer = alice.get("/review/search", params={"q": "a b c d e f g h i"})
    assert (answer.status_code, "8 at most" in text(answer)) == (422, True)


def test_the_pages_end_somewhere_and_the_last_says_so(alice: TestClient, db: Database) -> None:
    with db.writing() as session:
        session.connection().exec_driver_sql("""
            WITH RECURSIVE number(n) AS (SELECT 1000 UNION ALL SELECT n + 1 FROM number WHERE n < 11100)
            INSERT INTO utterance (conversation_id, key, position, turn_position, role, text)
            SELECT 1, n, n, 1, 'Seeker', 'many' FROM number
        """)
    pages = [alice.get("/review/search", params={"q": "many", "page": number}) for number in (99, 100, 101)]
    assert [any("page=" in link and "page=9" not in link for link in Reader(page.text).links) for page in pages] == [True, False, False]
    assert ["There are more" in text(page) for page in pages] == [False, True, True]


def test_without_words_my_last_acts_stand_there(alice: TestClient, desk: str) -> None:
    assert "You have done nothing here yet." in text(alice.get("/review/search"))
    press(alice, alice.get(f"{desk}?at=2"), "PEP")
    alice.post(f"{desk}/7", data={"act": "confirm-turn", "act_key": "a-key-of-this-test"})
    for address in ("/review/search", "/review/recent"):
        page = text(alice.get(address))
        assert "labelled PEP" in page
        assert "confirmed a turn of " in page


def test_the_last_acts_as_a_fragment_each_lead_to_their_place(alice: TestClient, desk: str) -> None:
    press(alice, alice.get(f"{desk}?at=2"), "PEP")
    press(alice, alice.get(desk), "Undo")
    answer = alice.get("/review/recent", headers=FRAGMENT)
    reader = Reader(answer.text)
    assert ("html" in {tag for tag, _ in reader.tags}, reader.links) == (False, [f"{desk}?at=2#u2"])
    assert "taken back" in reader.text


@pytest.mark.parametrize("what", ["open", "low", "flagged", "differs", "discuss"])
def test_the_way_to_the_next_place_or_a_sentence(what: str, alice: TestClient, desk: str) -> None:
    number = desk.rpartition("/")[2]
    answer = alice.get("/review/next", params={"what": what, "assignment": number, "after": 3})
    if what == "open":
        assert answer.headers["location"] == f"{desk}?at=4#u4"
    else:
        assert answer.headers["location"] == f"{desk}?at=3&none={what}#u3"
        page = follow(alice, answer)
        assert (row(page, 3)["aria-current"], "in your conversations" in text(page)) == ("true", True)


# not yours, wrong role


def test_nothing_is_found_in_what_is_not_mine(browse: Browse, db: Database) -> None:
    with db.writing() as session:
        session.execute(update(Utterance).values(text="xylophone"))
    assert "No utterance of your conversations holds" in text(browse("cem").get("/review/search?q=xylophone"))


@pytest.mark.parametrize("path", ["/review/search?q=a", "/review/recent", "/review/next?what=open&assignment=1"])
def test_a_researcher_has_nothing_to_find(path: str, browse: Browse) -> None:
    assert browse("rui").get(path).status_code == 403


# bad input


@pytest.mark.parametrize("query", ["q=" + "x" * 101, "q=a&page=x"])
def test_what_cannot_be_searched_is_a_sentence(query: str, alice: TestClient) -> None:
    answer = alice.get(f"/review/search?{query}")
    assert (answer.status_code, "wrong at: " in text(answer)) == (422, True)


@pytest.mark.parametrize("query", ["q=%20%20", "q=a&page=-4", "q=a&page=999999999999", "q=%00", "q=%25%5F%5C"])
def test_odd_searches_find_nothing_or_something(query: str, alice: TestClient) -> None:
    assert alice.get(f"/review/search?{query}").status_code == 200


@pytest.mark.parametrize("query", ["", "?what=gold&assignment=1", "?what=open", "?what=open&assignment=1&after=x"])
def test_a_way_that_cannot_be_is_a_sentence(query: str, alice: TestClient) -> None:
    assert alice.get(f"/review/next{query}").status_code == 422


def test_a_reason_for_nothing_that_cannot_be_shows_none(alice: TestClient, desk: str) -> None:
    assert "notice" not in alice.get(f"{desk}?none=<script>").text
