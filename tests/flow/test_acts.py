"""Marks, a turn confirmed at once, and what happens when two windows show one utterance."""

import uuid
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from annotator.errors import BadInput, Conflict, Outdated
from annotator.flow import review
from annotator.flow.accounts import get_user
from annotator.flow.acts import Act, Asked
from annotator.flow.rows import Row
from annotator.models import Assignment, Decision, Discussion, Gold, Kind
from flow.steps import act, assignment, blind, close_round, decisions, hand_in, label, row_of, undo, utterance_id


def ask(session: Session, position: int, key: str = "", **asked: Any) -> Row:
    """Alice does something in s1_d_1."""
    at, alice = assignment(session, "alice", "s1_d_1"), get_user(session, "alice")
    what = Asked(act_key=key or uuid.uuid4().hex, **asked)
    if what.act == Act.CONFIRM_TURN:
        return review.confirm_turn(session, alice, at, position, what)[0]
    return review.decide(session, alice, at, position, what)


def turn(session: Session, position: int, key: str = "", **asked: Any) -> tuple[Row, ...]:
    """Alice confirms a turn of s1_d_1."""
    at, alice = assignment(session, "alice", "s1_d_1"), get_user(session, "alice")
    what = Asked(act=Act.CONFIRM_TURN, act_key=key or uuid.uuid4().hex, **asked)
    return review.confirm_turn(session, alice, at, position, what)


# Marks


def test_unsure_is_a_mark_beside_label_and_flag(session: Session) -> None:
    label(session, "alice", "s1_d_1", 2, "PEP")
    act(session, "alice", "s1_d_1", 2, Act.FLAG)
    row = act(session, "alice", "s1_d_1", 2, Act.UNSURE)
    assert (row.codes, row.flagged, row.unsure) == (("PEP",), True, True)
    assert not act(session, "alice", "s1_d_1", 2, Act.SURE).unsure
    assert [undo(session, "alice").row.unsure for _ in range(2)] == [True, False]


def test_a_flag_has_its_reason_until_it_is_taken_off(session: Session) -> None:
    assert ask(session, 2, act=Act.FLAG, reason=" Two at once? ").flag_reason == "Two at once?"
    assert ask(session, 2, act=Act.SKIP, reason="not for skips").flag_reason == "Two at once?"
    assert ask(session, 2, act=Act.UNFLAG).flag_reason == ""
    assert undo(session, "alice").row.flag_reason == "Two at once?"


def test_seconds_are_those_of_the_label_that_stands(session: Session) -> None:
    assert row_of(session, "alice", "s1_d_1", 2).seconds is None
    assert ask(session, 2, act=Act.LABEL, codes=("PEP",), seconds=4.5).seconds == 4.5
    assert ask(session, 2, act=Act.FLAG, seconds=6.0).seconds == 4.5
    assert ask(session, 2, act=Act.LABEL, codes=("PCT",), seconds=9.25).seconds == 9.25
    assert [one.seconds for one in session.scalars(select(Decision).order_by(col(Decision.id)))] == [4.5, 6.0, 9.25]


# A turn at once: the second turn of s1_d_1 has utterances 2 to 5


def test_a_turn_is_confirmed_as_one_act_and_taken_back_as_one(session: Session) -> None:
    before = [row_of(session, "alice", "s1_d_1", position) for position in range(1, 7)]
    rows = turn(session, 3, key="the-turn")
    assert [(row.position, row.state, row.seen) for row in rows] == [(position, "confirmed", "the-turn") for position in range(2, 6)]
    assert rows == tuple(row_of(session, "alice", "s1_d_1", position) for position in range(2, 6))
    undone = undo(session, "alice")
    assert ([row.position for row in undone.rows], undone.kind) == ([2, 3, 4, 5], Kind.CONFIRM)
    assert [row_of(session, "alice", "s1_d_1", position).state for position in range(1, 7)] == [row.state for row in before]
    with pytest.raises(Conflict, match="nothing left"):
        undo(session, "alice")


def test_only_what_is_open_of_a_turn_is_confirmed(session: Session) -> None:
    label(session, "alice", "s1_d_1", 2, "PEP")
    act(session, "alice", "s1_d_1", 4, Act.SKIP)
    assert [row.state for row in turn(session, 3)] == ["changed", "confirmed", "skipped", "confirmed"]
    undo(session, "alice")
    assert [row_of(session, "alice", "s1_d_1", position).state for position in range(2, 6)] == ["changed", "open", "skipped", "open"]


def test_confirming_a_turn_twice_adds_nothing(session: Session) -> None:
    first = turn(session, 3, key="the-turn")
    assert turn(session, 3, key="the-turn") == first, "the same request again"
    assert turn(session, 3, key="another-key") == first, "nothing is open any more"
    assert len(decisions(session)) == 4


def test_a_turn_confirmed_late_again_does_not_come_back_after_its_undo(session: Session) -> None:
    turn(session, 3, key="the-turn")
    undo(session, "alice")
    assert {row.state for row in turn(session, 3, key="the-turn")} == {"open"}


def test_a_turn_without_proposals_has_nothing_to_confirm(session: Session) -> None:
    blind(session, "r1", "s1_d_1")
    with pytest.raises(BadInput, match="no proposal to confirm in this turn"):
        turn(session, 3)


def test_the_seconds_of_a_turn_are_of_the_utterance_in_focus(session: Session) -> None:
    rows = turn(session, 3, seconds=7.0)
    assert [row.seconds for row in rows] == [None, 7.0, None, None]


@pytest.mark.parametrize("target", ["the-turn", "the-turn.3"])
def test_an_undo_that_names_one_of_a_turn_takes_all_of_it_back(session: Session, target: str) -> None:
    turn(session, 3, key="the-turn")
    label(session, "alice", "s1_d_1", 3, "PEP")
    undone = undo(session, "alice", target=target)
    assert [(row.position, row.state) for row in undone.rows] == [(2, "open"), (3, "changed"), (4, "open"), (5, "open")]


def test_the_same_undo_of_a_turn_twice_answers_the_same(session: Session) -> None:
    turn(session, 3)
    alice = get_user(session, "alice")
    first, second = (review.undo(session, alice, act_key="undo-key-1") for _ in range(2))
    assert first == second
    assert len(decisions(session)) == 8
    assert {row.seen for row in first.rows} == {"undo-key-1"}


def test_a_key_used_for_something_else_confirms_no_turn(session: Session) -> None:
    act(session, "alice", "s1_d_1", 9, Act.SKIP, key="same-key-1")
    with pytest.raises(Outdated, match="used already"):
        turn(session, 3, key="same-key-1")


# Two windows


def test_an_act_that_saw_what_stands_is_saved(session: Session) -> None:
    assert ask(session, 2, act=Act.LABEL, codes=("PEP",), seen="", key="first-act").seen == "first-act"
    assert ask(session, 2, act=Act.FLAG, seen="first-act", key="second-act").seen == "second-act"
    assert ask(session, 2, act=Act.LABEL, codes=("PCT",), seen="second-act").codes == ("PCT",)


@pytest.mark.parametrize("act_", [Act.LABEL, Act.CONFIRM, Act.SKIP, Act.FLAG, Act.UNSURE, Act.CONFIRM_TURN])
def test_an_act_that_saw_an_older_state_is_refused_with_what_stands(session: Session, act_: Act) -> None:
    stands = ask(session, 2, act=Act.LABEL, codes=("PEP",), seen="")
    for seen in ("", "of-another-window"):
        with pytest.raises(Outdated, match="another window") as caught:
            ask(session, 2, act=act_, codes=("PCT",), seen=seen)
        assert caught.value.rows == (stands,)
    assert len(decisions(session)) == 1


def test_a_retraction_and_a_mark_are_newer_states_too(session: Session) -> None:
    label(session, "alice", "s1_d_1", 2, "PEP")
    seen = act(session, "alice", "s1_d_1", 2, Act.FLAG).seen
    undo(session, "alice")
    with pytest.raises(Outdated):
        ask(session, 2, act=Act.SKIP, seen=seen)


def test_a_request_that_comes_again_is_answered_whatever_it_saw(session: Session) -> None:
    ask(session, 2, act=Act.LABEL, codes=("PEP",), seen="", key="first-act")
    now = label(session, "alice", "s1_d_1", 2, "PCT")
    assert ask(session, 2, act=Act.LABEL, codes=("PEP",), seen="", key="first-act") == now


def test_what_another_does_is_no_newer_state_of_mine(session: Session) -> None:
    label(session, "bob", "s1_d_1", 2, "PEP")
    assert ask(session, 2, act=Act.LABEL, codes=("PCT",), seen="").codes == ("PCT",)


def test_an_act_taken_back_in_another_window_cannot_be_taken_back_again(session: Session) -> None:
    act(session, "alice", "s1_d_1", 2, Act.LABEL, "PEP", key="first-act")
    undone = undo(session, "alice", target="first-act")
    with pytest.raises(Outdated, match="taken back already") as caught:
        undo(session, "alice", target="first-act")
    assert caught.value.rows == undone.rows


@pytest.mark.parametrize(("first", "second"), [("s1_d_1", "s2_d_2"), ("s2_d_2", "s1_d_1")])
def test_of_two_acts_with_the_same_key_the_newest_is_taken_back(session: Session, first: str, second: str) -> None:
    for conversation in (first, second):
        act(session, "alice", conversation, 2, Act.SKIP, key="a-key-of-two")
    assert undo(session, "alice", target="a-key-of-two").row.assignment_id == assignment(session, "alice", second)


def test_an_undo_whose_key_an_act_elsewhere_has_undoes_once(session: Session) -> None:
    alice = get_user(session, "alice")
    for conversation, key in (("s1_d_1", "an-older-one"), ("s3_d_3", "undo-key-1"), ("s2_d_2", "a-newer-one")):
        act(session, "alice", conversation, 2, Act.SKIP, key=key)
    first, again = (review.undo(session, alice, act_key="undo-key-1") for _ in range(2))
    assert first.row.assignment_id == assignment(session, "alice", "s2_d_2")
    assert (again, len(decisions(session))) == (first, 4)


# What a lead sent back for discussion


def sent_back(session: Session, position: int) -> None:
    """Alice and bob hand s1_d_1 in with a label each, and the utterance is sent back to them."""
    for name, code in (("alice", "PEP"), ("bob", "PCT")):
        label(session, name, "s1_d_1", position, code)
        hand_in(session, name, "s1_d_1")
    lea, round_id = get_user(session, "lea"), session.get_one(Assignment, assignment(session, "alice", "s1_d_1")).round_id
    session.add(Discussion(round_id=round_id, utterance_id=utterance_id(session, "s1_d_1", position), user_id=lea.id or 0, note="Why?"))
    session.flush()


def test_the_desk_shows_what_is_asked_with_both_labels(session: Session) -> None:
    sent_back(session, 2)
    for name, own, other in (("alice", "PEP", "PCT"), ("bob", "PCT", "PEP")):
        discussed = row_of(session, name, "s1_d_1", 2).discussed
        assert discussed is not None
        assert (discussed.note, discussed.labels) == ("Why?", (("you", (own,)), ("the other annotator", (other,))))
    assert row_of(session, "alice", "s1_d_1", 3).discussed is None


@pytest.mark.parametrize("closed", [False, True])
def test_an_utterance_in_discussion_takes_acts_after_handing_in_and_closing(session: Session, closed: bool) -> None:
    sent_back(session, 2)
    if closed:
        close_round(session, "r1")
    row = label(session, "alice", "s1_d_1", 2, "PCT")
    assert row.codes == ("PCT",)
    assert row == row_of(session, "alice", "s1_d_1", 2)
    assert undo(session, "alice").row.codes == ("PEP",)
    with pytest.raises(Conflict, match="closed" if closed else "handed in"):
        label(session, "alice", "s1_d_1", 3, "PEP")


def test_gold_ends_a_discussion_and_locks_its_utterance_again(session: Session) -> None:
    sent_back(session, 2)
    round_id = session.get_one(Assignment, assignment(session, "alice", "s1_d_1")).round_id
    session.add(Gold(utterance_id=utterance_id(session, "s1_d_1", 2), codes="PCT", rule="adjudicated", round_id=round_id))
    session.flush()
    assert row_of(session, "alice", "s1_d_1", 2).discussed is None
    with pytest.raises(Conflict, match="handed in"):
        label(session, "alice", "s1_d_1", 2, "PCT")
