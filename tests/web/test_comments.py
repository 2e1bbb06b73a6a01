"""The list of comments and flags: of everybody for leads, of their own for annotators."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from annotator.db import Database
from annotator.flow.round import Wanted, create_round

from .forms import Reader, text

Browse = Callable[[str], TestClient]


@pytest.fixture
def said(browse: Browse, desk_of: Callable[..., str]) -> None:
    """Alice asks twice, of which one is resolved, and flags; Bob asks once."""
    alice, bob, desk = browse("alice"), browse("bob"), desk_of("alice")
    for number, (path, sent) in enumerate((
        (f"{desk}/3/comments", {"body": "Alice asks."}), (f"{desk}/4/comments", {"body": "Alice knows."}),
        (f"{desk}/4/comments", {"body": "Now.", "resolves": "true"}), (f"{desk}/5", {"act": "flag", "reason": "Alice wonders."}),
    )):  # fmt: skip
        assert alice.post(path, data=sent | {"act_key": f"alices-key-{number}"}).status_code == 303
    assert bob.post(f"{desk_of('bob')}/3/comments", data={"body": "Bob asks.", "act_key": "bobs-first-key"}).status_code == 303


# works


@pytest.mark.parametrize(
    ("address", "shown"),
    [("/comments", {"Alice asks.", "Bob asks."}), ("/comments?show=all", {"Alice asks.", "Bob asks.", "Now."}),
     ("/comments?show=flags", {"Alice wonders."}), ("/comments?round=1", {"Alice asks.", "Bob asks."}), ("/comments?round=2", set())],
)  # fmt: skip
def test_a_lead_reads_what_waits_for_an_answer(address: str, shown: set[str], said: None, browse: Browse, db: Database) -> None:
    with db.writing() as session:
        create_round(session, Wanted("r2", ("alice",)))
    page = text(browse("lea").get(address))
    assert {one for one in ("Alice asks.", "Bob asks.", "Alice knows.", "Now.", "Alice wonders.") if one in page} == shown


def test_every_entry_leads_to_where_it_is_answered(said: None, browse: Browse) -> None:
    lea = browse("lea")
    links = {link for show in ("all", "flags") for link in Reader(lea.get(f"/comments?show={show}").text).links if link.startswith("/")}
    assert len([link for link in links if link.endswith("/comments") and link != "/comments"]) == 4
    assert {lea.get(link).status_code for link in links} == {200}


def test_the_heading_counts_what_somebody_else_said_last(said: None, browse: Browse, desk_of: Callable[..., str]) -> None:
    counted = "unresolved with somebody else's word last"
    assert counted not in text(browse("alice").get("/comments"))
    assert f"2 {counted}" in text(browse("lea").get("/comments"))
    answered = browse("lea").post(f"{desk_of('alice')}/3/comments", data={"body": "Like this.", "act_key": "leas-first-key"})
    assert answered.status_code == 303
    assert f"1 {counted}" in text(browse("lea").get("/comments"))
    shown = {name: f"1 {counted}" in text(browse(name).get("/comments?show=all")) for name in ("alice", "bob", "cem")}
    assert shown == {"alice": True, "bob": False, "cem": False}


# not yours


def test_an_annotator_reads_their_own(said: None, browse: Browse) -> None:
    shown = {name: text(browse(name).get("/comments?show=all")) for name in ("alice", "bob", "cem")}
    assert ["Alice asks." in shown[name] for name in shown] == [True, False, False]
    assert ["Bob asks." in shown[name] for name in shown] == [False, True, False]


def test_a_lead_who_has_still_to_label_a_conversation_reads_nothing_of_it(said: None, browse: Browse, db: Database) -> None:
    with db.writing() as session:
        create_round(session, Wanted("r2", ("lea",)))
    assert "No comment is unresolved" in text(browse("lea").get("/comments"))
    assert browse("lea").get("/review/1/3/comments").status_code == 404


# wrong role


def test_a_researcher_reads_pseudonyms(said: None, browse: Browse) -> None:
    page = text(browse("rui").get("/comments"))
    assert ("annotator-1" in page, "alice" in page) == (True, False)


# bad input


@pytest.mark.parametrize(
    ("query", "status"), [("?show=gold", 422), ("?round=x", 422), ("?page=x", 422), ("?page=-1", 200), ("?page=99999999999", 200),
                          ("?round=999999999999999999999", 404)]
)  # fmt: skip
def test_what_cannot_be_is_a_sentence_or_an_empty_list(query: str, status: int, alice: TestClient) -> None:
    assert alice.get(f"/comments{query}").status_code == status
