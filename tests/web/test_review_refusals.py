"""What the desk refuses: what is locked, what is not yours, what cannot be. Its acts are in `test_review.py`."""

import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlmodel import delete, update

from annotator.db import Database
from annotator.models import Decision, Round, RoundConversation, Suggestion, now

from .forms import Reader, attributes_of, buttons, hand_in_as_it_is, press, row, text

Browse = Callable[[str], TestClient]
Saved = Callable[[], list[Decision]]
FRAGMENT = {"hx-request": "true"}
KEY = "a-key-of-this-test"


def no_proposals(db: Database) -> None:
    with db.writing() as session:
        session.execute(delete(Suggestion))


def close_round(db: Database) -> None:
    with db.writing() as session:
        session.execute(update(Round).values(closed_at=now()))


def without_keys(page: Response) -> str:
    """A page but for the keys of its acts, which are new each time."""
    return re.sub(r'name="act_key" value="[^"]+"', "", page.text)


# locked


@pytest.mark.parametrize("act", ["confirm", "skip", "flag"])
def test_acting_on_a_handed_in_conversation_is_refused(act: str, alice: TestClient, desk: str, saved: Saved) -> None:
    page = alice.get(desk)
    hand_in_as_it_is(alice, desk)
    refused = press(alice, page, act.capitalize())
    assert refused.status_code == 409
    assert "You have handed in s1_d_1. Open it again to change it." in text(refused)
    assert saved() == []


def test_undoing_in_a_handed_in_conversation_is_refused(alice: TestClient, desk: str, saved: Saved) -> None:
    press(alice, alice.get(desk), "RTI")
    page = alice.get(desk)
    hand_in_as_it_is(alice, desk)
    assert press(alice, page, "Undo").status_code == 409
    assert len(saved()) == 1


@pytest.mark.parametrize("button", ["Confirm", "Hand in", "Undo"])
def test_a_closed_round_takes_nothing_more(button: str, alice: TestClient, desk: str, db: Database) -> None:
    press(alice, alice.get(desk), "RTI")
    page = alice.get(desk)
    close_round(db)
    refused = press(alice, page, button)
    assert (refused.status_code, "round is closed" in text(refused)) == (409, True)
    assert not {"Confirm", "Hand in"} & buttons(alice.get(desk))


# two windows


def test_an_act_from_an_older_window_is_answered_with_what_stands(alice: TestClient, desk: str, saved: Saved) -> None:
    alice.post(f"{desk}/2", data={"codes": "PCT", "act_key": "other-window", "seen": ""})
    answer = alice.post(f"{desk}/2", data={"codes": "PEP", "act_key": KEY, "seen": ""}, headers=FRAGMENT)
    assert (answer.status_code, answer.headers["content-type"]) == (409, "text/html; charset=utf-8")
    assert [tag for tag, _ in Reader(answer.text).tags][:2] == ["p", "article"]
    assert attributes_of(answer, "p")["class"] == "conflict"
    assert "This was changed in another window meanwhile." in text(answer)
    assert (row(answer, 2)["data-codes"], row(answer, 2)["data-seen"]) == ("PCT", "other-window")
    assert len(saved()) == 1


def test_without_script_it_is_the_page_with_the_sentence(alice: TestClient, desk: str, saved: Saved) -> None:
    alice.post(f"{desk}/2", data={"codes": "PCT", "act_key": "other-window"})
    page = alice.post(f"{desk}/2", data={"codes": "PEP", "act_key": KEY, "seen": ""})
    assert (page.status_code, "changed in another window" in text(page)) == (409, True)
    assert (row(page, 2)["data-codes"], row(page, 2)["aria-current"]) == ("PCT", "true")
    assert press(alice, page, "PEP").status_code == 303
    assert [one.codes for one in saved()] == ["PCT", "PEP"]


def test_who_says_nothing_of_what_was_seen_is_not_checked(alice: TestClient, desk: str) -> None:
    alice.post(f"{desk}/2", data={"codes": "PCT", "act_key": "other-window"})
    assert alice.post(f"{desk}/2", data={"codes": "PEP", "act_key": KEY}, headers=FRAGMENT).status_code == 200


def test_an_undo_of_what_was_taken_back_already_is_answered_with_what_stands(alice: TestClient, desk: str) -> None:
    alice.post(f"{desk}/2", data={"codes": "PCT", "act_key": KEY})
    alice.post("/review/undo", data={"act_key": "other-window", "target": KEY})
    sent = {"act_key": "this-window", "target": KEY}
    answer = alice.post("/review/undo", data=sent, headers=FRAGMENT)
    assert (answer.status_code, row(answer, 2)["data-state"]) == (409, "open")
    assert "taken back already, in another window" in text(answer)
    assert row(alice.post("/review/undo", data=sent), 2)["aria-current"] == "true"


@pytest.mark.parametrize("seconds", ["-0.1", "nan", "inf", "86401", "soon"])
def test_seconds_that_cannot_be_are_a_sentence(seconds: str, alice: TestClient, desk: str, saved: Saved) -> None:
    answer = alice.post(f"{desk}/2", data={"codes": "PCT", "act_key": KEY, "seconds": seconds}, headers=FRAGMENT)
    assert (answer.status_code, "wrong at: seconds" in answer.text) == (422, True)
    assert saved() == []


def test_a_reason_longer_than_a_note_is_refused(alice: TestClient, desk: str) -> None:
    answer = alice.post(f"{desk}/2", data={"act": "flag", "act_key": KEY, "reason": "x" * 501})
    assert (answer.status_code, "wrong at: reason" in text(answer)) == (422, True)


# not yours


def test_somebody_elses_conversation_is_not_found(alice: TestClient, desk_of: Callable[..., str], saved: Saved) -> None:
    theirs = desk_of("bob")
    got = [alice.get(f"{theirs}{rest}").status_code for rest in ("", "/1")]
    rests = ("1", "1/reason", "hand-in", "reopen")
    sent = [alice.post(f"{theirs}/{rest}", data={"act": "skip", "act_key": KEY}).status_code for rest in rests]
    assert got + sent == [404] * 6
    assert saved() == []


def test_no_such_conversation_reads_like_somebody_elses(alice: TestClient, desk_of: Callable[..., str]) -> None:
    assert alice.get(desk_of("bob")).text == alice.get("/review/999999").text


def test_the_page_never_holds_what_another_decided(browse: Browse, desk_of: Callable[..., str]) -> None:
    before = without_keys(browse("alice").get(desk_of("alice")))
    bob = browse("bob")
    for button in ("CQ", "Flag"):
        press(bob, bob.get(f"{desk_of('bob')}?at=1"), button)
    hand_in_as_it_is(bob, desk_of("bob"))
    assert without_keys(browse("alice").get(desk_of("alice"))) == before


def test_a_blind_conversation_holds_no_proposal(alice: TestClient, desk: str, db: Database) -> None:
    with db.writing() as session:
        session.execute(update(RoundConversation).values(condition="blind"))
    page = alice.get(desk)
    assert {attributes["data-proposal"] for tag, attributes in Reader(page.text).tags if tag == "article"} == {""}
    assert "90 %" not in text(page)
    assert "why?" not in text(page)
    assert alice.post(f"{desk}/1/reason").status_code == 422
    refused = press(alice, page, "Confirm")
    assert (refused.status_code, "Choose a code" in text(refused)) == (422, True)


# wrong role


@pytest.mark.parametrize("path", ["/review", "/review/1", "/review/1/1"])
def test_a_researcher_has_no_desk(path: str, browse: Browse) -> None:
    page = browse("rui").get(path)
    assert (page.status_code, "This is for annotators and leads" in text(page)) == (403, True)


def test_who_is_not_signed_in_is_sent_to_sign_in_and_back(browse: Browse, desk: str) -> None:
    answer = browse("eve").get(f"{desk}?at=5")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?next={desk}%3Fat%3D5")


# bad input


def test_confirm_without_a_proposal_asks_for_a_code(alice: TestClient, desk: str, db: Database, saved: Saved) -> None:
    no_proposals(db)
    refused = press(alice, alice.get(desk), "Confirm")
    assert (refused.status_code, "There is no proposal to confirm. Choose a code." in text(refused)) == (422, True)
    assert saved() == []


@pytest.mark.parametrize(
    ("codes", "sentence"),
    [
        (["IQ"], "IQ is not a code of Assistant"),
        (["XXX"], "XXX is not a code of Assistant"),
        (["RTI", "ACK", "CQ", "RS"], "A label has 1 to 3 codes, this one 4."),
        ([], "A label has 1 to 3 codes, this one 0."),
        (["RTI|ACK"], "is not a code of Assistant"),
        ([""], "is not a code of Assistant"),
    ],
)
def test_a_label_that_the_taxonomy_has_not_is_refused(
    codes: list[str], sentence: str, alice: TestClient, desk: str, saved: Saved
) -> None:
    refused = alice.post(f"{desk}/1", data={"codes": codes, "act_key": KEY})
    assert (refused.status_code, sentence in text(refused)) == (422, True)
    assert saved() == []


@pytest.mark.parametrize("position", ["0", "33", "-1", "999999999999999999999"])
def test_an_unknown_utterance_is_not_found(position: str, alice: TestClient, desk: str, saved: Saved) -> None:
    assert alice.post(f"{desk}/{position}", data={"act": "skip", "act_key": KEY}).status_code == 404
    assert alice.get(f"{desk}/{position}").status_code == 404
    assert saved() == []


@pytest.mark.parametrize("path", ["/review/999999999999999999999", "/review/x", "/review/1/x", "/review/1.5"])
def test_an_address_that_cannot_be_is_a_sentence(path: str, alice: TestClient) -> None:
    page = alice.get(path)
    assert page.status_code in (404, 422)
    assert "Go to the start" in text(page)


@pytest.mark.parametrize(
    "form", [{"act": "skip"}, {"act_key": "short"}, {"act_key": "x" * 65}, {"act_key": "<script>!"}, {"act_key": KEY, "act": "gold"}]
)
def test_a_malformed_form_is_refused(form: dict[str, str], alice: TestClient, desk: str, saved: Saved) -> None:
    refused = alice.post(f"{desk}/1", data=form)
    assert (refused.status_code, "The form is incomplete or wrong at: act" in text(refused)) == (422, True)
    assert saved() == []


@pytest.mark.parametrize("query", ["?at=0", "?at=-5", "?at=999999999999999999999", "?built=IQ&built=NONE"])
def test_a_place_that_is_not_there_shows_the_first_open_utterance(query: str, alice: TestClient, desk: str) -> None:
    page = alice.get(f"{desk}{query}")
    assert row(page, 1)["aria-current"] == "true"
    assert "building" not in text(page)


def test_there_is_no_reason_where_nothing_was_proposed(alice: TestClient, desk: str, db: Database) -> None:
    no_proposals(db)
    assert alice.post(f"{desk}/1/reason").status_code == 422


# as fragments


def test_a_refusal_as_a_fragment_is_the_bare_sentence(alice: TestClient, desk: str) -> None:
    answer = alice.post(f"{desk}/1", data={"codes": "IQ", "act_key": KEY}, headers=FRAGMENT)
    assert answer.status_code == 422
    assert answer.text == "IQ is not a code of Assistant in this taxonomy. Choose one of its codes."
    assert answer.headers["content-type"].startswith("text/plain")


def test_what_another_persons_page_sends_is_401_whoever_is_signed_in(alice: TestClient, desk: str, saved: Saved) -> None:
    form = {"act": "skip", "act_key": KEY}
    for headers in ({"annotator-user": "999"}, {"annotator-user": ""}):
        answer = alice.post(f"{desk}/1", data=form, headers=FRAGMENT | headers)
        assert (answer.status_code, "Somebody else has signed in" in answer.text) == (401, True)
    assert saved() == []


def test_nobodys_fragment_is_401_so_that_the_desk_keeps_its_queue(browse: Browse, desk: str) -> None:
    answer = browse("eve").post(f"{desk}/1", data={"act": "skip", "act_key": KEY}, headers=FRAGMENT)
    assert (answer.status_code, "Sign in to go on" in answer.text) == (401, True)
