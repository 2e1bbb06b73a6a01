"""The utterances behind a cell of the confusion matrix."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update
from sqlmodel import col

from annotator.db import Database
from annotator.flow.round import Wanted, create_round
from annotator.models import Conversation, Round, Utterance, now

from .forms import hand_in_as_it_is, press, text

Browse = Callable[[str], TestClient]
ANSWERS = {"alice": ("RTI", "PCT", "PCT", "PEP", "IQ"), "bob": ("RTI", "PCT", "IQ", "PEP", "IQ")}
CELL = "/confused?role=Seeker&said=PCT&other=IQ"


@pytest.fixture
def labelled(browse: Browse, desk_of: Callable[..., str]) -> None:
    """Alice and Bob have labelled the first five utterances and handed in; they differ in the third."""
    for name, codes in ANSWERS.items():
        for position, code in enumerate(codes, 1):
            press(browse(name), browse(name).get(f"{desk_of(name)}?at={position}"), code)
        hand_in_as_it_is(browse(name), desk_of(name))


@pytest.fixture
def third(db: Database) -> str:
    """What was said third in their conversation."""
    with db.reading() as session:
        statement = select(col(Utterance.text)).join(Conversation, col(Conversation.id) == col(Utterance.conversation_id))
        return str(session.scalars(statement.where(col(Conversation.key) == "s1_d_1", col(Utterance.position) == 3)).one())


def close_all(db: Database) -> None:
    with db.writing() as session:
        session.execute(update(Round).values(closed_at=now()))


pytestmark = pytest.mark.usefixtures("labelled")


# works


def test_a_cell_leads_to_the_very_utterances(browse: Browse, third: str) -> None:
    page = text(browse("lea").get(CELL))
    assert "1 time, over pairs of annotators" in page
    assert third in page
    assert "alice said PCT, bob said IQ · s1_d_1, utterance 3" in page


def test_labels_that_never_met_so_are_a_sentence(browse: Browse, third: str) -> None:
    page = text(browse("lea").get("/confused?role=Seeker&said=IQ&other=PCT"))
    assert "These two labels never met" in page
    assert third not in page


def test_what_agreed_can_be_looked_at_too(browse: Browse) -> None:
    page = text(browse("lea").get("/confused?round=r1&role=Seeker&said=PCT&other=PCT"))
    assert ("PCT twice" in page, "s1_d_1, utterance 2" in page) == (True, True)


# not yours


def test_an_annotator_sees_nothing_before_the_round_is_closed_and_then_their_own(db: Database, browse: Browse, third: str) -> None:
    assert third not in text(browse("alice").get(CELL))
    close_all(db)
    page = text(browse("alice").get(CELL))
    assert ("alice said PCT, another annotator said IQ" in page, third in page) == (True, True)
    assert "bob" not in page
    assert third not in text(browse("cem").get(CELL))
    turned = text(browse("bob").get("/confused?role=Seeker&said=IQ&other=PCT"))
    assert "bob said IQ, another annotator said PCT" in turned


def test_a_researcher_reads_pseudonyms(browse: Browse, third: str) -> None:
    page = text(browse("rui").get(CELL))
    assert ("annotator-1 said PCT, annotator-2 said IQ" in page, third in page) == (True, True)
    assert not [name for name in ("alice", "bob") if name in page]


def test_who_has_still_to_label_the_conversation_is_not_shown_what_others_said(db: Database, browse: Browse, third: str) -> None:
    close_all(db)
    with db.writing() as session:
        create_round(session, Wanted("r2", ("alice", "lea")))
    for name in ("alice", "lea"):
        page = text(browse(name).get(CELL))
        assert "1 are of conversations that you have still to label" in page
        assert third not in page


# wrong role


def test_who_is_not_signed_in_sees_none(browse: Browse) -> None:
    assert browse("eve").get(CELL).status_code == 303


# bad input


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("role=Seeker&round=r9", "Nothing was handed in for a round 'r9'"),
        ("role=Seeker&condition=blind", "There are no blind labels"),
        ("role=Seeker&a=alice&b=zoe", "zoe has handed in nothing here"),
        ("role=Waiter&said=<b>&other=PCT", "These two labels never met on an utterance of Waiter"),
    ],
)
def test_what_is_not_there_is_a_sentence(browse: Browse, query: str, sentence: str) -> None:
    page = browse("lea").get(f"/confused?{query}")
    assert sentence in text(page)
    assert "<b>&" not in page.text


def test_a_page_far_out_is_empty(browse: Browse) -> None:
    assert browse("lea").get(f"{CELL}&page=99").status_code == 200
    assert browse("lea").get(f"{CELL}&page=-1").status_code == 200
