"""A conversation as a run sees it: proposals, reasons and failures for the lead, and no decision of anybody."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlmodel import update

from annotator.db import Database
from annotator.flow import tagging
from annotator.flow.round import Wanted, create_round
from annotator.flow.runs import Order
from annotator.models import Condition, Failure, RoundConversation, Suggestion

from .forms import Reader, cells, hand_in_as_it_is, press

Browse = Callable[[str], TestClient]
PAGE = "/tagging/1/conversation/1"


# works


def test_every_utterance_stands_with_what_the_run_says_and_why(browse: Browse) -> None:
    page = cells(browse("lea").get(PAGE))
    assert "s1_d_1 as run 1 sees it" in page
    assert "PCT PEP stated 0.80" in page
    assert "The script says so." in page


def test_a_second_choice_a_note_and_a_failure_are_shown(browse: Browse, db: Database) -> None:
    with db.writing() as session:
        session.execute(update(Suggestion).where(Suggestion.utterance_id == 2).values(second="RP", note="reads like an instruction"))
        session.delete(session.get_one(Suggestion, (3, 1)))
        session.add(Failure(run_id=1, utterance_id=3, reason="the service refused the text"))
        session.delete(session.get_one(Suggestion, (4, 1)))
    page = cells(browse("lea").get(PAGE))
    assert "stated 0.80 or RP reads like an instruction" in page
    assert "3 nothing: the service refused the text" in page
    assert "4 not asked yet" in page


def test_where_another_run_differs_is_said(browse: Browse, db: Database) -> None:
    assert "says" not in cells(browse("lea").get(PAGE)).replace("The script says", "")
    tagging.tag(db, Order("local"))
    assert "run 2 (local) says" in cells(browse("lea").get(PAGE))


def test_the_page_of_the_run_leads_here(browse: Browse) -> None:
    lea = browse("lea")
    assert PAGE in Reader(lea.get("/tagging/1").text).links


def test_what_people_decided_is_not_here(browse: Browse, desk: str) -> None:
    before = browse("lea").get(PAGE).text
    alice = browse("alice")
    press(alice, alice.get(desk), "EF")
    assert browse("lea").get(PAGE).text == before


# not yours, wrong role


def test_a_lead_who_labels_a_conversation_blind_sees_its_proposals_afterwards(browse: Browse, db: Database) -> None:
    lea = browse("lea")
    with db.writing() as session:
        made = create_round(session, Wanted("r2", ("lea",)))
        assert made.conversations == 3
        session.execute(update(RoundConversation).where(RoundConversation.round_id == 2).values(condition=Condition.BLIND))
    refused = lea.get(PAGE)
    assert (refused.status_code, "You label this conversation blind" in cells(refused)) == (403, True)
    mine = next(link for link in Reader(lea.get("/review").text).links if link.startswith("/review/"))
    assert hand_in_as_it_is(lea, mine).status_code == 303
    pages = [lea.get(f"/tagging/1/conversation/{number}").status_code for number in (1, 2, 3)]
    assert sorted(pages) == [200, 403, 403]


@pytest.mark.parametrize("name", ["alice", "rui"])
def test_others_see_no_proposals_here(name: str, browse: Browse) -> None:
    assert browse(name).get(PAGE).status_code == 403


# bad input


@pytest.mark.parametrize("path", ["/tagging/1/conversation/99", "/tagging/99/conversation/1", "/tagging/1/conversation/x"])
def test_what_is_not_there_is_not_found(path: str, browse: Browse) -> None:
    assert browse("lea").get(path).status_code in (404, 422)
