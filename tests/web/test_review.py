"""The desk without script: every act is a form found in the page. What it refuses is in `test_review_refusals.py`."""

import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update
from sqlmodel import select

from annotator.db import Database
from annotator.models import Condition, Decision, Kind, RoundConversation, Submission

from .forms import Reader, attributes_of, buttons, follow, hand_in_as_it_is, press, row, text

Browse = Callable[[str], TestClient]
Saved = Callable[[], list[Decision]]
FRAGMENT = {"hx-request": "true"}
KEY = "a-key-of-this-test"


# works


def test_a_code_button_saves_and_goes_on_to_the_next_utterance(alice: TestClient, desk: str, saved: Saved) -> None:
    answer = press(alice, alice.get(desk), "RTI")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{desk}?at=2#u2")
    assert [(one.kind, one.codes) for one in saved()] == [(Kind.CHANGE, "RTI")]


def test_the_next_page_shows_the_label_and_the_next_utterance_in_focus(alice: TestClient, desk: str) -> None:
    page = follow(alice, press(alice, alice.get(desk), "ACK"))
    assert (row(page, 1)["data-codes"], row(page, 1)["data-state"]) == ("ACK", "changed")
    assert row(page, 2)["aria-current"] == "true"
    assert "1 of 32 done" in text(page)


def test_only_the_codes_of_the_focused_role_show(alice: TestClient, desk: str) -> None:
    assert "IQ" not in buttons(alice.get(desk))
    assert "RTI" in buttons(alice.get(desk))
    assert "IQ" in buttons(alice.get(f"{desk}?at=2"))
    assert "RTI" not in buttons(alice.get(f"{desk}?at=2"))


def test_plus_builds_several_codes_and_a_plain_code_adds_the_last(alice: TestClient, desk: str, saved: Saved) -> None:
    page = follow(alice, press(alice, alice.get(f"{desk}?at=2"), "Add PCT and stay"))
    page = follow(alice, press(alice, page, "Add PEP and stay"))
    assert "building: PCT + PEP" in text(page)
    answer = press(alice, page, "IQ")
    assert answer.headers["location"] == f"{desk}?at=3#u3"
    assert [one.codes for one in saved()] == ["PCT", "PCT|PEP", "PCT|PEP|IQ"]


def test_a_code_added_twice_counts_once(alice: TestClient, desk: str, saved: Saved) -> None:
    page = follow(alice, press(alice, alice.get(f"{desk}?at=2"), "Add PCT and stay"))
    press(alice, page, "PCT")
    assert saved()[-1].codes == "PCT"


def test_a_plain_code_replaces_the_label_that_stands(alice: TestClient, desk: str) -> None:
    for code in ("RTI", "ACK"):
        page = follow(alice, press(alice, alice.get(f"{desk}?at=1"), code))
    assert row(page, 1)["data-codes"] == "ACK"


def test_confirm_takes_the_whole_proposal(alice: TestClient, desk: str, saved: Saved) -> None:
    page = follow(alice, press(alice, alice.get(f"{desk}?at=2"), "Confirm"))
    assert (row(page, 2)["data-codes"], row(page, 2)["data-state"]) == ("PCT|PEP", "confirmed")
    assert saved()[0].kind == Kind.CONFIRM


def test_confirming_a_label_goes_on_and_saves_nothing(alice: TestClient, desk: str, saved: Saved) -> None:
    press(alice, alice.get(desk), "ACK")
    answer = press(alice, alice.get(f"{desk}?at=1"), "Confirm")
    assert answer.headers["location"] == f"{desk}?at=2#u2"
    assert [one.codes for one in saved()] == ["ACK"]


def test_skip_is_done_without_a_label(alice: TestClient, desk: str, saved: Saved) -> None:
    page = follow(alice, press(alice, alice.get(desk), "Skip"))
    assert (row(page, 1)["data-state"], row(page, 1)["data-codes"]) == ("skipped", "")
    assert saved()[0].kind == Kind.SKIP


def test_a_flag_stays_where_it_is_and_can_be_taken_off(alice: TestClient, desk: str) -> None:
    flagged = follow(alice, press(alice, alice.get(f"{desk}?at=3"), "Flag"))
    assert "data-flagged" in row(flagged, 3)
    assert row(flagged, 3)["aria-current"] == "true"
    assert "data-flagged" not in row(follow(alice, press(alice, flagged, "Unflag")), 3)


def test_a_flag_hides_no_label(alice: TestClient, desk: str) -> None:
    press(alice, alice.get(f"{desk}?at=1"), "RTI")
    page = follow(alice, press(alice, alice.get(f"{desk}?at=1"), "Flag"))
    assert (row(page, 1)["data-codes"], row(page, 1)["data-state"]) == ("RTI", "confirmed")


def test_the_last_utterance_goes_on_to_the_first_open_one(alice: TestClient, desk: str) -> None:
    page = follow(alice, press(alice, alice.get(f"{desk}?at=32"), "Confirm"))
    assert row(page, 1)["aria-current"] == "true"


def test_reading_a_desk_saves_nothing(alice: TestClient, desk: str, saved: Saved) -> None:
    alice.get(desk)
    alice.get(f"{desk}/2")
    assert saved() == []


def test_the_reason_is_one_click_away(alice: TestClient, desk: str) -> None:
    where = next(attributes["hx-post"] for _, attributes in Reader(alice.get(desk).text).tags if "hx-post" in attributes)
    assert alice.post(where).text == "The script says so."


def test_every_link_of_a_desk_leads_somewhere(alice: TestClient, desk: str) -> None:
    links = {link for link in Reader(alice.get(desk).text).links if link.startswith("/")}
    assert {alice.get(link, follow_redirects=True).status_code for link in links} == {200}


@pytest.mark.parametrize("at", [1, 2])
def test_every_key_that_shows_does_one_thing(at: int, alice: TestClient, desk: str) -> None:
    page = Reader(alice.get(f"{desk}?at={at}").text)
    shown = [button.attributes.get("aria-keyshortcuts") for form in page.forms for button in form.buttons]
    keys = [key for key in shown if key] + ["j", "k", "/", "?"]
    assert len(keys) > 15
    assert len(keys) == len(set(keys))


# undo


def test_undo_goes_back_act_by_act_down_to_none(alice: TestClient, desk: str, saved: Saved) -> None:
    for code in ("RTI", "ACK"):
        press(alice, alice.get(f"{desk}?at=1"), code)
    states = []
    for _ in range(2):
        page = follow(alice, press(alice, alice.get(desk), "Undo"))
        states.append(row(page, 1)["data-codes"])
    assert states == ["RTI", ""]
    nothing = press(alice, page, "Undo")
    assert (nothing.status_code, "nothing left to undo" in text(nothing)) == (409, True)
    assert len(saved()) == 4, "the decisions stay, retractions are added"


def test_undo_reaches_into_another_conversation(alice: TestClient, desk_of: Callable[..., str]) -> None:
    first, second = desk_of("alice"), desk_of("alice", "s2_d_2")
    press(alice, alice.get(f"{first}?at=4"), "IQ")
    answer = press(alice, alice.get(second), "Undo")
    assert answer.headers["location"] == f"{first}?at=4#u4"
    assert row(follow(alice, answer), 4)["data-state"] == "open"


def test_undo_never_touches_what_another_did(browse: Browse, desk_of: Callable[..., str]) -> None:
    bob = browse("bob")
    press(bob, bob.get(desk_of("bob")), "RTI")
    assert press(browse("alice"), browse("alice").get(desk_of("alice")), "Undo").status_code == 409
    assert row(bob.get(desk_of("bob")), 1)["data-codes"] == "RTI"


def test_undo_takes_a_flag_and_a_skip_back(alice: TestClient, desk: str) -> None:
    press(alice, alice.get(f"{desk}?at=1"), "Skip")
    press(alice, alice.get(f"{desk}?at=1"), "Flag")
    page = follow(alice, press(alice, alice.get(desk), "Undo"))
    assert "data-flagged" not in row(page, 1)
    assert row(page, 1)["data-state"] == "skipped"
    assert row(follow(alice, press(alice, page, "Undo")), 1)["data-state"] == "open"


def test_undo_of_a_named_act_leaves_the_newer_one(alice: TestClient, desk: str) -> None:
    alice.post(f"{desk}/1", data={"act": "skip", "act_key": KEY})
    press(alice, alice.get(f"{desk}?at=2"), "IQ")
    alice.post("/review/undo", data={"act_key": "another-key", "target": KEY})
    page = alice.get(desk)
    assert (row(page, 1)["data-state"], row(page, 2)["data-codes"]) == ("open", "IQ")


# a request that comes twice


def test_a_form_submitted_twice_saves_once(alice: TestClient, desk: str, saved: Saved) -> None:
    page = alice.get(desk)
    answers = [press(alice, page, "RTI") for _ in range(2)]
    assert [answer.headers["location"] for answer in answers] == [f"{desk}?at=2#u2"] * 2
    assert len(saved()) == 1


@pytest.mark.parametrize("act", ["confirm", "skip", "flag", "label"])
def test_a_request_replayed_later_saves_once(act: str, alice: TestClient, desk: str, saved: Saved) -> None:
    sent = {"act": act, "act_key": KEY} | ({"codes": "RTI"} if act == "label" else {})
    alice.post(f"{desk}/1", data=sent)
    press(alice, alice.get(f"{desk}?at=2"), "IQ")
    assert alice.post(f"{desk}/1", data=sent).status_code == 303
    assert len(saved()) == 2


def test_an_undo_sent_twice_takes_one_act_back(alice: TestClient, desk: str) -> None:
    for position in (1, 2):
        press(alice, alice.get(f"{desk}?at={position}"), "Confirm")
    page = alice.get(desk)
    answers = [press(alice, page, "Undo") for _ in range(2)]
    assert [answer.headers["location"] for answer in answers] == [f"{desk}?at=2#u2"] * 2
    assert row(alice.get(desk), 1)["data-state"] == "confirmed"


def test_a_replay_of_an_undone_act_does_not_bring_it_back(alice: TestClient, desk: str) -> None:
    page = alice.get(desk)
    press(alice, page, "RTI")
    press(alice, alice.get(desk), "Undo")
    press(alice, page, "RTI")
    assert row(alice.get(desk), 1)["data-state"] == "open"


def test_one_key_for_two_utterances_is_refused(alice: TestClient, desk: str, saved: Saved) -> None:
    answers = [alice.post(f"{desk}/{position}", data={"act": "skip", "act_key": KEY}) for position in (1, 2)]
    assert [answer.status_code for answer in answers] == [303, 409]
    assert len(saved()) == 1


# handing in


def test_handing_in_with_open_utterances_says_which_and_asks(alice: TestClient, desk: str) -> None:
    press(alice, alice.get(desk), "RTI")
    page = press(alice, alice.get(desk), "Hand in")
    assert page.status_code == 409
    assert "31 utterances are still open: 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and more." in text(page)
    assert row(page, 2)["aria-current"] == "true"
    (alert,) = re.findall(r'<p id="alert" role="alert">([^<]+)<', page.text)
    assert alert.startswith("31 utterances are still open: 2, 3"), "the head stays in sight"
    assert f"<p><b>{alert}</b></p>" in page.text, "it stands beside the button too"
    assert press(alice, page, "Hand in with 31 open").headers["location"] == "/review"
    assert "handed in" in text(alice.get("/review"))


def test_after_a_refused_hand_in_every_link_and_form_still_works(alice: TestClient, desk: str) -> None:
    page = press(alice, alice.get(desk), "Hand in")
    links = {str(page.url.join(link)) for link in Reader(page.text).links if not link.startswith("#")}
    assert {alice.get(link, follow_redirects=True).status_code for link in links} == {200}
    assert press(alice, page, "Confirm").headers["location"] == f"{desk}?at=2#u2"


def test_a_conversation_with_nothing_open_is_handed_in_at_once(alice: TestClient, desk: str) -> None:
    for position in range(1, 33):
        answer = alice.post(f"{desk}/{position}", data={"act": "confirm", "act_key": f"key-number-{position}"})
    assert answer.headers["location"] == f"{desk}?at=33#u33"
    assert press(alice, alice.get(desk), "Hand in").headers["location"] == "/review"


def test_a_handed_in_conversation_shows_no_acts_and_can_be_opened_again(alice: TestClient, desk: str) -> None:
    hand_in_as_it_is(alice, desk)
    page = alice.get(desk)
    assert "You handed this conversation in on" in text(page)
    assert "Confirm" not in buttons(page)
    assert "data-locked" in attributes_of(page, "main")
    reopened = follow(alice, press(alice, page, "Open it again"))
    assert press(alice, reopened, "RTI").status_code == 303


def test_handing_in_twice_is_one_submission(alice: TestClient, desk: str, db: Database) -> None:
    refused = press(alice, alice.get(desk), "Hand in")
    for _ in range(2):
        assert press(alice, refused, "Hand in with 32 open").status_code == 303
    with db.reading() as session:
        assert len(session.exec(select(Submission)).all()) == 1


# marks, a turn at once, what a row tells


def test_a_flag_with_a_reason_shows_it(alice: TestClient, desk: str) -> None:
    page = follow(alice, alice.post(f"{desk}/3", data={"act": "flag", "act_key": KEY, "reason": "Two <at> once?"}))
    assert "⚑ flagged: Two <at> once?" in text(page)


def test_unsure_stays_where_it_is_and_can_be_taken_off(alice: TestClient, desk: str) -> None:
    for act, shown in (("unsure", True), ("sure", False)):
        answer = alice.post(f"{desk}/3", data={"act": act, "act_key": f"key-of-{act}"})
        assert answer.headers["location"] == f"{desk}?at=3#u3"
        assert ("data-unsure" in row(follow(alice, answer), 3)) == shown


def test_a_turn_confirmed_goes_on_to_the_next_turn(alice: TestClient, desk: str, saved: Saved) -> None:
    answer = alice.post(f"{desk}/3", data={"act": "confirm-turn", "act_key": KEY})
    assert answer.headers["location"] == f"{desk}?at=6#u6"
    assert [(one.kind, one.group_key) for one in saved()] == [(Kind.CONFIRM, KEY)] * 4


def test_a_turn_is_answered_and_taken_back_as_all_its_rows(alice: TestClient, desk: str) -> None:
    whole = alice.post(f"{desk}/3", data={"act": "confirm-turn", "act_key": KEY}, headers=FRAGMENT)
    undone = alice.post("/review/undo", data={"act_key": "another-key", "target": KEY}, headers=FRAGMENT)
    for answer, state, seen in ((whole, "confirmed", KEY), (undone, "open", "another-key")):
        rows = [attributes for tag, attributes in Reader(answer.text).tags if tag == "article"]
        assert [one["data-position"] for one in rows] == ["2", "3", "4", "5"]
        assert {(one["data-turn"], one["data-state"], one["data-seen"]) for one in rows} == {("2", state, seen)}


@pytest.mark.parametrize(("condition", "word"), [("assisted", "changed"), ("blind", "labelled")])
def test_a_label_without_a_proposal_is_no_change(condition: Condition, word: str, alice: TestClient, desk: str, db: Database) -> None:
    with db.writing() as session:
        session.exec(update(RoundConversation).values(condition=condition))
    answer = alice.post(f"{desk}/2", data={"codes": "IQ", "act_key": KEY}, headers=FRAGMENT)
    assert row(answer, 2)["data-state"] == "changed"
    assert re.findall("✎ ([a-z]+)", text(answer)) == [word]


def test_a_row_tells_what_the_desk_needs_to_know(alice: TestClient, desk: str) -> None:
    fresh = row(alice.get(desk), 2)
    told = ("data-turn", "data-seen", "data-seconds", "data-confidence", "data-comments")
    assert [fresh[name] for name in told] == ["2", "", "", "0.8", "0"]
    assert not {"data-differs", "data-flagged", "data-unsure", "data-discuss"} & set(fresh)
    alice.post(f"{desk}/2", data={"codes": "PEP", "act_key": KEY, "seconds": "12.5", "seen": ""})
    now = row(alice.get(desk), 2)
    assert [now[name] for name in told] == ["2", KEY, "12.5", "0.8", "0"]
    assert "data-differs" in now


# fragments


@pytest.mark.parametrize("sent", [{"codes": "RTI"}, {"act": "confirm"}, {"act": "skip"}, {"act": "flag"}])
def test_a_fragment_answer_holds_only_the_row(sent: dict[str, str], alice: TestClient, desk: str) -> None:
    answer = alice.post(f"{desk}/1", data={"act_key": KEY, **sent}, headers=FRAGMENT)
    tags = [tag for tag, _ in Reader(answer.text).tags]
    assert (answer.status_code, tags[0], tags.count("article")) == (200, "article", 1)
    assert not {"html", "form", "main", "script"} & set(tags)


def test_the_fragment_is_the_markup_of_the_page(alice: TestClient, desk: str) -> None:
    fragment = alice.post(f"{desk}/5", data={"codes": "IQ", "act_key": KEY}, headers=FRAGMENT)
    assert fragment.text.strip() in alice.get(f"{desk}?at=1").text
    assert alice.get(f"{desk}/5").text == fragment.text


def test_an_undo_as_a_fragment_is_the_row_as_it_stands_again(alice: TestClient, desk: str) -> None:
    press(alice, alice.get(f"{desk}?at=3"), "IQ")
    answer = alice.post("/review/undo", data={"act_key": KEY}, headers=FRAGMENT)
    assert (row(answer, 3)["data-state"], row(answer, 3)["data-assignment"]) == ("open", desk.rpartition("/")[2])
