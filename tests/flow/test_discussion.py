"""Discussions: who sees which labels, when one is answered and when it is over; kappa's labels stay the first ones."""

from datetime import timedelta

import pytest
from sqlmodel import Session, col, select

from annotator.errors import Conflict, Forbidden
from annotator.flow import adjudication, settling
from annotator.flow.access import EVERYTHING
from annotator.flow.accounts import disable, get_user
from annotator.flow.agreement import report
from annotator.flow.discussion import Discussed, discussions_of, in_discussion, open_discussions
from annotator.flow.round import Wanted, create_round
from annotator.models import Comment, Discussion, now
from flow.golden import decide, differ, newest, round_id, say, stands, tick, undo, waiting
from flow.steps import assignment, blind, close_round, label, row_of, utterance_id
from flow.steps import undo as take_back

NOTE = "Is “warm” a preference?"


def discuss(session: Session, utterance: int, note: str = NOTE, round_name: str = "r1") -> None:
    tick()
    adjudication.discuss(session, get_user(session, "lea"), round_id(session, round_name), utterance, note)
    tick()


def talk(session: Session, utterance: int) -> tuple[int, int] | None:
    """How many of how many have answered; None where there is no discussion."""
    found = open_discussions(session, round_id(session)).get(utterance)
    return None if found is None else (found.n_answered, len(found.asked))


@pytest.fixture
def at(session: Session) -> int:
    """The utterance 2 of s1_d_1 that Alice labelled PEP and Bob PCT, in discussion."""
    utterance = differ(session)
    discuss(session, utterance)
    return utterance


def test_both_see_the_labels_handed_in_first_without_names(session: Session, at: int) -> None:
    seen = {name: discussions_of(session, assignment(session, name, "s1_d_1")) for name in ("alice", "bob")}
    assert seen == {
        "alice": {2: Discussed(NOTE, (("you", ("PEP",)), ("the other annotator", ("PCT",))))},
        "bob": {2: Discussed(NOTE, (("you", ("PCT",)), ("the other annotator", ("PEP",))))},
    }
    assert row_of(session, "alice", "s1_d_1", 2).discussed == seen["alice"][2]
    assert discussions_of(session, assignment(session, "alice", "s2_d_2")) == {}
    assert in_discussion(session, round_id(session), at)


def test_it_shows_no_proposal_in_the_blind_condition(session: Session, at: int) -> None:
    blind(session, "r1", "s1_d_1")
    row = row_of(session, "alice", "s1_d_1", 2)
    assert (row.proposal, row.discussed is not None) == ((), True)


def test_it_is_answered_when_everybody_has_decided_or_commented_since(session: Session, at: int) -> None:
    assert (talk(session, at), waiting(session)) == ((0, 2), list(range(4, 33)))
    label(session, "alice", "s1_d_1", 2, "PEP")
    assert talk(session, at) == (1, 2)
    mine = {name: row_of(session, name, "s1_d_1", 2).discussed for name in ("alice", "bob")}
    assert {name: one and one.answered for name, one in mine.items()} == {"alice": True, "bob": False}
    bob = get_user(session, "bob").id or 0
    session.add(Comment(assignment_id=assignment(session, "bob", "s1_d_1"), utterance_id=at, user_id=bob, body="Yes."))
    session.flush()
    assert (talk(session, at), waiting(session)[0]) == ((2, 2), 2)


def test_a_leads_comment_and_a_decision_taken_back_answer_nothing(session: Session, at: int) -> None:
    lea = get_user(session, "lea").id or 0
    session.add(Comment(assignment_id=assignment(session, "bob", "s1_d_1"), utterance_id=at, user_id=lea, body="Well?"))
    label(session, "alice", "s1_d_1", 2, "IQ")
    take_back(session, "alice")
    assert talk(session, at) == (0, 2)


def test_acts_go_on_though_handed_in_and_closed_and_kappa_keeps_the_first_labels(session: Session, at: int) -> None:
    close_round(session, "r1")
    before = report(session, EVERYTHING)
    for name in ("alice", "bob"):
        label(session, name, "s1_d_1", 2, "IQ")
    with pytest.raises(Conflict):
        label(session, "bob", "s1_d_1", 3, "IQ")
    after = report(session, EVERYTHING)
    assert after.pop("after_discussion")["n_changed"] == 2, "a figure of its own"
    assert after == {name: value for name, value in before.items() if name != "after_discussion"}
    step = settling.step(session, get_user(session, "lea"), round_id(session), at)
    assert step is not None
    assert {(one.codes, one.first, one.discussed) for one in step.options} == {
        (("PEP",), True, 0), (("PCT",), True, 0), (("IQ",), False, 2)
    }  # fmt: skip
    assert step.union == (), "they say the same now"
    assert stands(session, at) is None, "what is equal only after talking is not unanimous"


def test_together_is_of_what_each_says_now(session: Session, at: int) -> None:
    label(session, "alice", "s1_d_1", 2, "IQ")
    step = settling.step(session, get_user(session, "lea"), round_id(session), at)
    assert step is not None
    assert ({one.codes for one in step.options}, set(step.union)) == ({("PEP",), ("PCT",), ("IQ",)}, {"IQ", "PCT"})


def test_gold_ends_it_and_taking_that_back_opens_it_again(session: Session, at: int) -> None:
    decide(session, at, "PEP")
    assert (in_discussion(session, round_id(session), at), talk(session, at)) == (False, None)
    assert discussions_of(session, assignment(session, "alice", "s1_d_1")) == {}
    with pytest.raises(Conflict):
        label(session, "alice", "s1_d_1", 2, "PEP")
    undo(session)
    assert (in_discussion(session, round_id(session), at), talk(session, at)) == (True, (0, 2))


def test_what_is_told_afterwards_holds_both_labels(session: Session, at: int) -> None:
    label(session, "bob", "s1_d_1", 2, "PEP")
    made = decide(session, at, "PEP")
    told = settling.told(session, get_user(session, "lea"), round_id(session), made.id or 0)
    assert told is not None
    assert [(one.name, one.codes, one.later) for one in told.voices] == [("alice", ("PEP",), None), ("bob", ("PCT",), ("PEP",))]


def test_asking_the_same_twice_is_once_and_asking_anew_waits_anew(session: Session, at: int) -> None:
    discuss(session, at)
    assert len(session.exec(select(Discussion)).all()) == 1
    for name in ("alice", "bob"):
        label(session, name, "s1_d_1", 2, "IQ")
    discuss(session, at)
    assert (len(session.exec(select(Discussion)).all()), talk(session, at)) == (2, (0, 2))
    discuss(session, at, "Or an inquiry?")
    assert discussions_of(session, assignment(session, "bob", "s1_d_1"))[2].note == "Or an inquiry?"


def test_who_has_yet_to_hand_in_sees_nothing_of_it(session: Session) -> None:
    create_round(session, Wanted("r3", ("alice", "bob", "cem")))
    at = utterance_id(session, "s1_d_1", 2)
    for name, code in (("alice", "PEP"), ("bob", "PCT")):
        say(session, name, {2: code}, round_name="r3")
    discuss(session, at, round_name="r3")
    cem = assignment(session, "cem", "s1_d_1", "r3")
    assert discussions_of(session, cem) == {}
    say(session, "cem", {2: "IQ"}, round_name="r3")
    another = "another annotator"
    assert discussions_of(session, cem)[2].labels == (("you", ("IQ",)), (another, ("PCT",)), (another, ("PEP",)))
    assert discussions_of(session, assignment(session, "alice", "s1_d_1")) == {}, "of another round"


def test_who_cannot_sign_in_is_not_waited_for(session: Session, at: int) -> None:
    disable(session, "bob")
    assert talk(session, at) == (0, 1)
    label(session, "alice", "s1_d_1", 2, "IQ")
    assert waiting(session)[0] == 2


def test_what_is_settled_or_nobodys_cannot_be_sent_back(session: Session) -> None:
    differ(session)
    with pytest.raises(Conflict, match="is settled"):
        discuss(session, utterance_id(session, "s1_d_1", 1))
    with pytest.raises(Conflict, match="Nobody who labelled"):
        discuss(session, utterance_id(session, "s1_d_1", 9))
    with pytest.raises(Forbidden):
        adjudication.discuss(session, get_user(session, "alice"), round_id(session), utterance_id(session, "s1_d_1", 2), "")


def test_a_repeat_knows_of_no_discussion(session: Session, at: int) -> None:
    one = session.get_one(adjudication.Assignment, assignment(session, "alice", "s1_d_1"))
    one.repeat = True
    session.flush()
    assert discussions_of(session, one.id or 0) == {}


def test_an_answer_is_later_than_the_question_by_the_clock(session: Session, at: int) -> None:
    found = session.exec(select(Discussion).order_by(col(Discussion.id))).one()
    label(session, "alice", "s1_d_1", 2, "IQ")
    found.opened_at = now() + timedelta(seconds=1)
    session.flush()
    assert talk(session, at) == (0, 2)
    assert newest(session, at) is None
