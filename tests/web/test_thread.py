"""The comments on one utterance: beside the desk, and as a page without script."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from annotator.db import Database
from annotator.models import Comment, Decision

from .forms import Reader, follow, hand_in_as_it_is, press, row, text

Browse = Callable[[str], TestClient]
Saved = Callable[[], list[Decision]]
FRAGMENT = {"hx-request": "true"}
KEY = "a-key-of-this-test"


@pytest.fixture
def thread(desk: str) -> str:
    """The address of the comments on the third utterance of Alice's first desk."""
    return f"{desk}/3/comments"


# works


def test_what_is_said_stands_there_and_the_desk_counts_it(alice: TestClient, desk: str, thread: str, saved: Saved) -> None:
    page = follow(alice, press(alice, alice.get(thread), "Comment", body="Two <codes> at once?"))
    assert "you" in text(page)
    assert "Two <codes> at once?" in text(page)
    assert (row(alice.get(desk), 3)["data-comments"], thread in Reader(alice.get(desk).text).links) == ("1", True)
    assert saved() == [], "a comment is no decision"


def test_a_lead_answers_and_the_annotator_resolves(browse: Browse, thread: str, desk: str) -> None:
    alice, lea = browse("alice"), browse("lea")
    press(alice, alice.get(thread), "Comment", body="Which one?")
    assert "alice" in text(lea.get(thread))
    press(lea, lea.get(thread), "Comment", body="The first.")
    page = alice.get(thread)
    assert ("lead" in text(page), "lea " in text(page)) == (True, False), "a lead's name does not matter to annotators"
    assert row(alice.get(desk), 3)["data-comments"] == "2"
    page = follow(alice, press(alice, page, "Resolve"))
    assert "resolved" in text(page)
    assert row(alice.get(desk), 3)["data-comments"] == "0"


def test_what_is_said_after_resolving_waits_again(alice: TestClient, desk: str, thread: str) -> None:
    for number, sent in enumerate(({"body": "One."}, {"resolves": "true"}, {"body": "Two."})):
        alice.post(thread, data=sent | {"act_key": f"key-number-{number}"})
    assert row(alice.get(desk), 3)["data-comments"] == "1"


def test_a_form_sent_twice_says_it_once(alice: TestClient, desk: str, thread: str) -> None:
    page = alice.get(thread)
    for _ in range(2):
        assert press(alice, page, "Comment", body="Once.").status_code == 303
    assert row(alice.get(desk), 3)["data-comments"] == "1"


def test_commenting_stays_possible_after_handing_in(alice: TestClient, desk: str, thread: str) -> None:
    hand_in_as_it_is(alice, desk)
    assert press(alice, alice.get(thread), "Comment", body="Late.").status_code == 303


def test_a_fragment_is_the_thread_with_the_new_count_for_the_row(alice: TestClient, thread: str) -> None:
    shown = alice.get(thread, headers=FRAGMENT)
    assert Reader(shown.text).tags[0][0] == "section"
    said = alice.post(thread, data={"body": "Why?", "act_key": KEY}, headers=FRAGMENT)
    tags = Reader(said.text).tags
    assert ("div", {"hx-swap-oob": "innerHTML:#about-3"}) in tags
    assert "1 comment" in text(said)
    assert not {"html", "main"} & {tag for tag, _ in tags}


def test_a_lead_sees_the_label_it_is_about(browse: Browse, desk: str, thread: str) -> None:
    press(browse("alice"), browse("alice").get(f"{desk}?at=3"), "IQ")
    assert "Labelled IQ" in text(browse("lea").get(thread))


# not yours


def test_another_annotator_neither_reads_nor_writes(browse: Browse, thread: str, db: Database) -> None:
    bob = browse("bob")
    assert bob.get(thread).status_code == 404
    assert bob.post(thread, data={"body": "Mine?", "act_key": KEY}).status_code == 404
    with db.reading() as session:
        assert session.exec(select(Comment)).all() == []


# wrong role


def test_a_researcher_reads_under_pseudonyms_and_writes_nothing(browse: Browse, thread: str) -> None:
    alice, rui = browse("alice"), browse("rui")
    press(alice, alice.get(thread), "Comment", body="Why?")
    page = rui.get(thread)
    assert ("annotator-1" in text(page), "alice" in text(page)) == (True, False)
    assert rui.post(thread, data={"body": "Because.", "act_key": KEY}).status_code == 403


def test_nobodys_comment_is_401(browse: Browse, thread: str) -> None:
    assert browse("eve").post(thread, data={"body": "Hi.", "act_key": KEY}, headers=FRAGMENT).status_code == 401


# bad input


@pytest.mark.parametrize("body", ["", "  \n "])
def test_an_empty_comment_is_refused(body: str, alice: TestClient, thread: str) -> None:
    answer = alice.post(thread, data={"body": body, "act_key": KEY}, headers=FRAGMENT)
    assert (answer.status_code, answer.text) == (422, "The comment is empty. Write something, or resolve what was said.")


def test_a_comment_too_long_is_refused(alice: TestClient, thread: str) -> None:
    answer = alice.post(thread, data={"body": "x" * 2001, "act_key": KEY})
    assert (answer.status_code, "wrong at: body" in text(answer)) == (422, True)


def test_a_key_used_for_other_words_is_refused(alice: TestClient, thread: str) -> None:
    codes = [alice.post(thread, data={"body": body, "act_key": KEY}).status_code for body in ("One.", "Two.")]
    assert codes == [303, 409]


@pytest.mark.parametrize("position", ["0", "33", "999999999999999999999"])
def test_an_utterance_that_is_not_there_is_not_found(position: str, alice: TestClient, desk: str) -> None:
    assert alice.get(f"{desk}/{position}/comments").status_code == 404
