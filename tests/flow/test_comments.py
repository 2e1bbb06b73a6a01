"""What is said about an utterance: who may read and write it, when it waits for an answer, and that it changes no label."""

import uuid
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import Session, col

from annotator.errors import Forbidden, NotFound
from annotator.flow import comments
from annotator.flow.accounts import get_user
from annotator.flow.acts import Act
from annotator.flow.comments import Listing
from annotator.flow.round import Wanted, create_round
from annotator.models import Assignment
from flow.steps import SIZES, act, assignment, decisions, dump, hand_in, row_of


def say(
    session: Session, name: str, body: str = "", *, position: int = 3, conversation: str = "s1_d_1", **more: Any
) -> comments.Thread:
    """Somebody comments on an utterance of Alice's."""
    at = assignment(session, "alice", conversation)
    sent = {"body": body, "resolves": False, "act_key": uuid.uuid4().hex} | more
    return comments.comment(session, get_user(session, name), at, position, **sent)


def bodies(session: Session, name: str, listing: Listing = Listing.UNRESOLVED, page: int = 1) -> list[str]:
    found, _ = comments.listed(session, get_user(session, name), listing, None, page)
    return [one.body for one in found]


def test_a_comment_is_no_decision_and_changes_no_row_but_its_own_count(session: Session) -> None:
    before = row_of(session, "alice", "s1_d_1", 3)
    say(session, "alice", "Why?")
    after = row_of(session, "alice", "s1_d_1", 3)
    assert (after.comments, after.state, after.seen) == (1, before.state, before.seen)
    assert decisions(session) == []


def test_the_newest_comment_decides_whether_the_thread_waits(session: Session) -> None:
    counts = [say(session, "alice", body, resolves=resolves).comments for body, resolves in (("1", 0), ("2", 0), ("", 1), ("3", 0))]
    assert counts == [1, 2, 0, 1]
    assert row_of(session, "alice", "s1_d_1", 3).comments == 1
    assert row_of(session, "alice", "s1_d_1", 4).comments == 0


def test_each_round_has_its_own_thread_for_one_utterance(session: Session) -> None:
    create_round(session, Wanted("r2", ("alice",)))
    say(session, "alice", "In r1.")
    at = assignment(session, "alice", "s1_d_1", "r2")
    assert comments.thread_of(session, get_user(session, "alice"), at, 3).said == ()


def test_who_reads_what_under_which_name(session: Session) -> None:
    say(session, "alice", "Mine.")
    say(session, "lea", "The lead's.")
    at = assignment(session, "alice", "s1_d_1")
    who = {
        name: [one.who for one in comments.thread_of(session, get_user(session, name), at, 3).said] for name in ("alice", "lea", "rui")
    }
    assert who == {"alice": ["you", "lead"], "lea": ["alice", "you"], "rui": ["annotator-1", "annotator-4"]}


@pytest.mark.parametrize(("name", "error"), [("bob", NotFound), ("cem", NotFound), ("rui", Forbidden)])
def test_nobody_else_writes(session: Session, name: str, error: type[Exception]) -> None:
    before = dump(session)
    with pytest.raises(error):
        say(session, name, "Not mine.")
    assert dump(session) == before


def test_a_lead_reads_nothing_of_what_they_have_still_to_label(session: Session) -> None:
    say(session, "alice", "I take PEP.")
    act(session, "alice", "s1_d_1", 3, Act.FLAG)
    create_round(session, Wanted("r2", ("lea",)))
    assert bodies(session, "lea") == bodies(session, "lea", Listing.FLAGS) == []
    hand_in(session, "lea", "s1_d_1", "r2")
    assert bodies(session, "lea") == ["I take PEP."]
    assert len(bodies(session, "lea", Listing.FLAGS)) == 1


def test_a_repeat_that_is_not_due_has_no_thread_for_its_annotator(session: Session) -> None:
    say(session, "lea", "How was it?")
    at = assignment(session, "alice", "s1_d_1")
    session.execute(update(Assignment).where(col(Assignment.id) == at).values(repeat=True))
    with pytest.raises(NotFound):
        comments.thread_of(session, get_user(session, "alice"), at, 3)
    assert bodies(session, "alice") == []
    assert bodies(session, "lea") == ["How was it?"]


def test_lists_hold_the_newest_of_each_thread_and_come_in_pages(session: Session) -> None:
    for position in (*range(1, 33), 1):
        say(session, "alice", f"{position}", position=position, resolves=position == 32)
    assert bodies(session, "lea") == ["1", *map(str, range(31, 1, -1))]
    assert bodies(session, "lea", Listing.ALL)[1] == "32"
    assert bodies(session, "lea", page=2) == []


def test_a_long_list_comes_in_pages(session: Session) -> None:
    for conversation, size in SIZES.items():
        for position in range(1, size + 1):
            say(session, "alice", "?", position=position, conversation=conversation)
    pages = [comments.listed(session, get_user(session, "lea"), Listing.UNRESOLVED, None, page) for page in (1, 2, 3)]
    assert [(len(found), more) for found, more in pages] == [(100, True), (7, False), (0, False)]
