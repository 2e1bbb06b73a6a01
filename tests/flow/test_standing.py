"""Which acts stand: for the desk, for agreement, and after undoing; in SQL and folded alike."""

import uuid
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlmodel import Session, col

from annotator.db import Database
from annotator.flow import desk
from annotator.flow.access import EVERYTHING
from annotator.flow.accounts import get_user
from annotator.flow.acts import Act
from annotator.flow.agreement import report
from annotator.flow.round import Wanted, create_round
from annotator.flow.standing import UNSURES, Standing, flags, fold, marked, standing
from annotator.models import Decision, Kind
from flow.steps import (
    act,
    assignment,
    decisions,
    hand_in,
    label,
    reopen,
    rolled_back,
    row_of,
    undo,
    utterance_id,
)  # fmt: skip

# What agreement reads


def seeker_po(session: Session) -> float:
    (pair,) = report(session, EVERYTHING)["pairs"]
    return float(pair["roles"]["Seeker"]["po"])


def test_agreement_uses_the_label_standing_at_the_first_submission(session: Session) -> None:
    for name, code in (("alice", "PEP"), ("bob", "PEP")):
        label(session, name, "s1_d_1", 2, code)
        hand_in(session, name, "s1_d_1")
    reopen(session, "alice", "s1_d_1")
    label(session, "alice", "s1_d_1", 2, "PCT")
    hand_in(session, "alice", "s1_d_1")
    assert seeker_po(session) == 1
    assert row_of(session, "alice", "s1_d_1", 2).codes == ("PCT",)


def test_taking_a_label_back_after_handing_in_does_not_matter_and_before_does(session: Session) -> None:
    label(session, "alice", "s1_d_1", 2, "PCT")
    label(session, "alice", "s1_d_1", 2, "PEP")
    label(session, "bob", "s1_d_1", 2, "PEP")
    label(session, "bob", "s1_d_1", 2, "PCT")
    undo(session, "bob")
    for name in ("alice", "bob"):
        hand_in(session, name, "s1_d_1")
    reopen(session, "alice", "s1_d_1")
    undo(session, "alice")
    undo(session, "alice")
    assert row_of(session, "alice", "s1_d_1", 2).state == "open"
    assert seeker_po(session) == 1


def test_what_was_labelled_only_after_the_first_submission_never_counts(session: Session) -> None:
    for name in ("alice", "bob"):
        label(session, name, "s1_d_1", 2, "PEP")
        hand_in(session, name, "s1_d_1")
        reopen(session, name, "s1_d_1")
        label(session, name, "s1_d_1", 3, "PEP")
        hand_in(session, name, "s1_d_1")
    assert report(session, EVERYTHING)["pairs"][0]["roles"]["Seeker"]["n_utterances"] == 1


# Undo is the inverse of deciding

acts = st.lists(
    st.tuples(st.sampled_from(["s1_d_1", "s2_d_2"]), st.sampled_from([3, 4]), st.sampled_from([*Act, "undo"])), max_size=14
)


def stands(session: Session) -> dict[tuple[int, int], Any]:
    """What stands, as `standing` and `flags` say it in SQL."""
    labels = {(row.assignment_id, row.utterance_id): (row.id, row.kind, row.codes) for row in session.execute(standing())}
    flagged = {(row.assignment_id, row.utterance_id): row.reason for row in session.execute(flags())}
    unsure = {(row.assignment_id, row.utterance_id) for row in session.execute(marked(UNSURES))}
    return {key: (labels.get(key), key in flagged, flagged.get(key, ""), key in unsure) for key in {*labels, *flagged, *unsure}}


def folded(session: Session) -> dict[tuple[int, int], Any]:
    """What stands, as `fold` says it."""
    found: dict[tuple[int, int], Any] = {}
    for (at,) in session.execute(select(col(Decision.assignment_id)).distinct()).all():
        mine = session.scalars(select(Decision).where(col(Decision.assignment_id) == at).order_by(col(Decision.id)))
        for utterance, one in fold(mine).items():
            said = (one.label_id, one.kind, "|".join(one.codes)) if one.kind else None
            if replace(one, seen="") != Standing():
                found[at, utterance] = (said, one.flagged, one.flag_reason, one.unsure)
    return found


def left_to_undo(session: Session) -> int:
    """How many presses stand: a turn confirmed at once is one."""
    made = session.scalars(select(Decision)).all()
    taken_back = {one.retracts_id for one in made}
    return len({one.group_key or one.act_key for one in made if one.kind != Kind.RETRACT and one.id not in taken_back})


def perform(session: Session, conversation: str, position: int, what: Any) -> None:
    """One act of alice, or an undo where there is something to undo."""
    if what != "undo":
        act(session, "alice", conversation, position, what, *(["RP"] if what == Act.LABEL else []))  # RP is a code of both roles
    elif left_to_undo(session):
        undo(session, "alice")


@settings(max_examples=25)
@given(steps=acts)
def test_what_stands_is_the_same_in_sql_and_folded_and_undoing_everything_leaves_nothing(shared_db: Database, steps: list[Any]) -> None:
    with rolled_back(shared_db) as session:
        for step in steps:
            perform(session, *step)
            assert stands(session) == folded(session)
        for _ in range(left_to_undo(session)):
            undo(session, "alice")
        assert stands(session) == folded(session) == {}


@settings(max_examples=25)
@given(steps=acts, last=st.sampled_from(list(Act)))
def test_undo_after_any_act_restores_what_stood(shared_db: Database, steps: list[Any], last: Act) -> None:
    with rolled_back(shared_db) as session:
        for step in steps:
            perform(session, *step)
        before, many = stands(session), len(decisions(session))
        perform(session, "s1_d_1", 3, last)
        if len(decisions(session)) > many:
            undo(session, "alice")
        assert stands(session) == before


def test_decisions_are_only_ever_added(session: Session) -> None:
    label(session, "alice", "s1_d_1", 2, "PEP")
    undo(session, "alice")
    kinds = [kind for kind, _ in decisions(session)]
    assert kinds == [Kind.CHANGE, Kind.RETRACT]


def test_the_desk_of_a_round_made_later_starts_open(session: Session) -> None:
    label(session, "alice", "s1_d_1", 2, "PEP")
    create_round(session, Wanted("r2", ("alice",)))
    later = desk.open_desk(session, get_user(session, "alice"), assignment(session, "alice", "s1_d_1", "r2"))
    assert {row.state for row in later.rows} == {"open"}
    assert session.scalar(select(func.count()).where(col(Decision.utterance_id) == utterance_id(session, "s1_d_1", 2))) == 1


def test_a_key_is_an_act_of_one_assignment(session: Session) -> None:
    key = uuid.uuid4().hex
    act(session, "alice", "s1_d_1", 1, Act.SKIP, key=key)
    act(session, "alice", "s2_d_2", 1, Act.SKIP, key=key)
    assert len(decisions(session)) == 2
