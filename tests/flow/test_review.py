"""Deciding, undoing, handing in: which act adds which fact, and what stands afterwards."""

import uuid
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlmodel import Session, col

from annotator.db import Database
from annotator.errors import BadInput, Conflict, NotFound
from annotator.flow import desk, review
from annotator.flow.access import EVERYTHING
from annotator.flow.accounts import get_user
from annotator.flow.agreement import report
from annotator.flow.review import Act
from annotator.flow.round import create_round
from annotator.flow.standing import Standing, flags, fold, standing
from annotator.models import Assignment, Decision, Kind
from flow.steps import (
    SIZES,
    act,
    assignment,
    blind,
    close_round,
    hand_in,
    label,
    reopen,
    rolled_back,
    undo,
    utterance_id,
)  # fmt: skip


def decisions(session: Session) -> list[tuple[Kind, str]]:
    return [(row.kind, row.codes) for row in session.execute(select(Decision.kind, Decision.codes).order_by(col(Decision.id)))]


def row_of(session: Session, name: str, conversation: str, position: int) -> desk.Row:
    opened = desk.open_desk(session, get_user(session, name), assignment(session, name, conversation))
    return opened.rows[position - 1]


# Deciding


def test_a_label_is_one_decision_in_its_order_and_the_row_shows_it(session: Session) -> None:
    row = label(session, "alice", "s1_d_1", 2, "PEP", "PCT", "PEP")
    assert decisions(session) == [(Kind.CHANGE, "PEP|PCT")]
    assert row == row_of(session, "alice", "s1_d_1", 2)


def test_confirming_takes_the_whole_proposal(session: Session) -> None:
    row = act(session, "alice", "s1_d_1", 2, Act.CONFIRM)
    assert (row.state, row.codes) == ("confirmed", ("PCT", "PEP"))
    assert decisions(session) == [(Kind.CONFIRM, "PCT|PEP")]


@pytest.mark.parametrize("first", [Act.SKIP, Act.LABEL, Act.CONFIRM])
def test_confirming_changes_nothing_where_something_was_decided(session: Session, first: Act) -> None:
    before = act(session, "alice", "s1_d_1", 1, first, *(["RP"] if first == Act.LABEL else []))
    assert act(session, "alice", "s1_d_1", 1, Act.CONFIRM) == before
    assert len(decisions(session)) == 1


def test_a_flag_does_not_keep_anybody_from_confirming(session: Session) -> None:
    act(session, "alice", "s1_d_1", 1, Act.FLAG)
    row = act(session, "alice", "s1_d_1", 1, Act.CONFIRM)
    assert (row.state, row.codes, row.flagged) == ("confirmed", ("RTI",), True)


def test_choosing_what_was_proposed_shows_as_confirmed_in_any_order(session: Session) -> None:
    assert label(session, "alice", "s1_d_1", 2, "PEP", "PCT").state == "confirmed"
    assert label(session, "alice", "s1_d_1", 2, "PEP").state == "changed"


def test_without_a_proposal_there_is_nothing_to_confirm(session: Session) -> None:
    blind(session, "r1", "s1_d_1")
    with pytest.raises(BadInput, match="no proposal to confirm"):
        act(session, "alice", "s1_d_1", 1, Act.CONFIRM)
    assert decisions(session) == []


@pytest.mark.parametrize(
    ("codes", "said"),
    [((), "1 to 3 codes"), (("IQ", "PCT", "PEP", "RP"), "1 to 3"), (("RTI",), "RTI is not a code of Seeker")],
)
def test_a_label_that_the_taxonomy_does_not_allow_is_refused(session: Session, codes: tuple[str, ...], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        label(session, "alice", "s1_d_1", 2, *codes)


def test_the_newest_label_stands_and_the_older_ones_stay(session: Session) -> None:
    label(session, "alice", "s1_d_1", 2, "PEP")
    act(session, "alice", "s1_d_1", 2, Act.SKIP)
    assert row_of(session, "alice", "s1_d_1", 2).state == "skipped"
    label(session, "alice", "s1_d_1", 2, "PCT")
    assert row_of(session, "alice", "s1_d_1", 2).codes == ("PCT",)
    assert [codes for _, codes in decisions(session)] == ["PEP", "", "PCT"]


def test_a_flag_hides_no_label_and_a_label_no_flag(session: Session) -> None:
    label(session, "alice", "s1_d_1", 2, "PEP")
    row = act(session, "alice", "s1_d_1", 2, Act.FLAG)
    assert (row.codes, row.flagged) == (("PEP",), True)
    assert label(session, "alice", "s1_d_1", 2, "PCT").flagged
    assert not act(session, "alice", "s1_d_1", 2, Act.UNFLAG).flagged


def test_a_decision_holds_its_condition_and_taxonomy_version(session: Session) -> None:
    blind(session, "r1", "s2_d_2")
    label(session, "alice", "s1_d_1", 2, "PEP")
    label(session, "alice", "s2_d_2", 1, "RTI")
    made = session.scalars(select(Decision).order_by(col(Decision.id))).all()
    assert [one.condition for one in made] == ["assisted", "blind"]
    assert {one.taxonomy_version_id for one in made} == {1}


# The same request again


def test_the_same_act_twice_is_saved_once(session: Session) -> None:
    rows = [act(session, "alice", "s1_d_1", 2, Act.LABEL, "PEP", key="same-key-1") for _ in range(3)]
    assert rows[0] == rows[1] == rows[2]
    assert len(decisions(session)) == 1


def test_a_late_copy_of_an_older_act_does_not_come_back(session: Session) -> None:
    act(session, "alice", "s1_d_1", 2, Act.LABEL, "PEP", key="same-key-1")
    label(session, "alice", "s1_d_1", 2, "PCT")
    assert act(session, "alice", "s1_d_1", 2, Act.LABEL, "PEP", key="same-key-1").codes == ("PCT",)


def test_a_late_copy_after_handing_in_is_no_error(session: Session) -> None:
    act(session, "alice", "s1_d_1", 2, Act.LABEL, "PEP", key="same-key-1")
    hand_in(session, "alice", "s1_d_1")
    assert act(session, "alice", "s1_d_1", 2, Act.LABEL, "PEP", key="same-key-1").codes == ("PEP",)


def test_the_same_undo_twice_undoes_once(session: Session) -> None:
    label(session, "alice", "s1_d_1", 2, "PEP")
    label(session, "alice", "s1_d_1", 3, "PEP")
    alice = get_user(session, "alice")
    assert [review.undo(session, alice, act_key="undo-key-1").row.position for _ in range(2)] == [3, 3]
    assert row_of(session, "alice", "s1_d_1", 2).codes == ("PEP",)


def test_two_people_may_use_the_same_key(session: Session) -> None:
    act(session, "alice", "s1_d_1", 2, Act.LABEL, "PEP", key="same-key-1")
    act(session, "bob", "s1_d_1", 2, Act.LABEL, "PCT", key="same-key-1")
    assert [codes for _, codes in decisions(session)] == ["PEP", "PCT"]


# Undo


def test_undo_takes_back_the_newest_act_in_any_conversation(session: Session) -> None:
    label(session, "alice", "s1_d_1", 2, "PEP")
    label(session, "alice", "s2_d_2", 1, "RTI")
    act(session, "alice", "s1_d_1", 5, Act.FLAG)
    undone = [undo(session, "alice") for _ in range(3)]
    assert [(one.kind, one.row.position, one.row.flagged) for one in undone] == [
        (Kind.FLAG, 5, False), (Kind.CHANGE, 1, False), (Kind.CHANGE, 2, False),
    ]  # fmt: skip
    with pytest.raises(Conflict, match="nothing left to undo"):
        undo(session, "alice")


def test_undo_brings_back_what_stood_before(session: Session) -> None:
    label(session, "alice", "s1_d_1", 2, "PEP")
    label(session, "alice", "s1_d_1", 2, "PCT")
    assert undo(session, "alice").row.codes == ("PEP",)
    assert undo(session, "alice").row.state == "open"


def test_undo_can_name_the_act_it_means(session: Session) -> None:
    act(session, "alice", "s1_d_1", 2, Act.LABEL, "PEP", key="first-act")
    label(session, "alice", "s1_d_1", 3, "PEP")
    assert undo(session, "alice", target="first-act").row.position == 2
    with pytest.raises(Conflict):
        undo(session, "alice", target="first-act")


def test_undo_never_reaches_anothers_act(session: Session) -> None:
    act(session, "bob", "s1_d_1", 2, Act.LABEL, "PEP", key="bobs-act")
    for target in (None, "bobs-act"):
        with pytest.raises(Conflict, match="nothing left"):
            undo(session, "alice", target=target)


def test_undo_does_not_open_what_is_handed_in(session: Session) -> None:
    label(session, "alice", "s1_d_1", 2, "PEP")
    hand_in(session, "alice", "s1_d_1")
    with pytest.raises(Conflict, match="You have handed in s1_d_1"):
        undo(session, "alice")


# Not yours, not open


@pytest.mark.parametrize("name", ["bob", "cem", "lea"])
def test_anothers_conversation_is_not_there(session: Session, name: str) -> None:
    alices, user = assignment(session, "alice", "s1_d_1"), get_user(session, name)
    with pytest.raises(NotFound):
        review.decide(session, user, alices, 1, act=Act.SKIP, act_key="a-key")
    with pytest.raises(NotFound):
        review.hand_in(session, user, alices, with_open=True)
    with pytest.raises(NotFound):
        review.reopen(session, user, alices)
    with pytest.raises(NotFound):
        desk.open_desk(session, user, alices)


def test_what_does_not_exist_is_refused_in_the_same_words_as_what_is_anothers(session: Session) -> None:
    said = []
    for at in (assignment(session, "bob", "s1_d_1"), 99_999):
        with pytest.raises(NotFound) as caught:
            desk.open_desk(session, get_user(session, "alice"), at)
        said.append(str(caught.value))
    assert said[0] == said[1]


def test_an_utterance_beyond_the_last_is_not_there(session: Session) -> None:
    for position in (0, SIZES["s1_d_1"] + 1):
        with pytest.raises(NotFound, match="no such utterance"):
            act(session, "alice", "s1_d_1", position, Act.SKIP)


def test_imported_labels_are_on_nobodys_desk(session: Session) -> None:
    session.add(Assignment(round_id=1, conversation_id=1, user_id=get_user(session, "cem").id or 0))
    assert [one.round for one in desk.my_conversations(session, get_user(session, "cem"))[0]] == ["r1"]


def test_after_handing_in_nothing_can_be_decided_until_it_is_open_again(session: Session) -> None:
    hand_in(session, "alice", "s1_d_1")
    with pytest.raises(Conflict, match="Open it again"):
        label(session, "alice", "s1_d_1", 2, "PEP")
    label(session, "alice", "s2_d_2", 1, "RTI")
    reopen(session, "alice", "s1_d_1")
    label(session, "alice", "s1_d_1", 2, "PEP")


def test_a_closed_round_takes_no_act_at_all(session: Session) -> None:
    label(session, "alice", "s1_d_1", 2, "PEP")
    close_round(session, "r1")
    for attempt in (
        lambda: label(session, "alice", "s1_d_1", 2, "PCT"),
        lambda: undo(session, "alice"),
        lambda: hand_in(session, "alice", "s1_d_1"),
        lambda: reopen(session, "alice", "s1_d_1"),
    ):
        with pytest.raises(Conflict, match="round is closed"):
            attempt()


# Handing in


def test_handing_in_names_what_is_still_open(session: Session) -> None:
    for position in range(3, SIZES["s1_d_1"] + 1):
        act(session, "alice", "s1_d_1", position, Act.CONFIRM if position % 2 else Act.SKIP)
    at = assignment(session, "alice", "s1_d_1")
    outcome = review.hand_in(session, get_user(session, "alice"), at)
    assert (outcome.handed_in, outcome.open_positions) == (False, (1, 2))
    assert outcome.sentence == "2 utterances are still open: 1, 2."
    assert desk.open_desk(session, get_user(session, "alice"), at).handed_in_at is None


def test_handing_in_with_open_ones_gives_them_no_label(session: Session) -> None:
    assert hand_in(session, "alice", "s1_d_1").handed_in
    assert decisions(session) == []
    found, _ = desk.my_conversations(session, get_user(session, "alice"))
    assert [(one.conversation, one.handed_in, one.n_open) for one in found[:2]] == [("s1_d_1", True, 32), ("s2_d_2", False, 38)]


def test_handing_in_and_opening_twice_is_no_error(session: Session) -> None:
    for _ in range(2):
        assert hand_in(session, "alice", "s1_d_1").handed_in
    for _ in range(2):
        reopen(session, "alice", "s1_d_1")
    label(session, "alice", "s1_d_1", 2, "PEP")


def test_progress_counts_acts_and_no_proposals(session: Session) -> None:
    def progress() -> tuple[int, int]:
        first = desk.my_conversations(session, get_user(session, "alice"))[0][0]
        return first.n_done, first.n_flagged

    assert progress() == (0, 0)
    label(session, "alice", "s1_d_1", 2, "PEP")
    act(session, "alice", "s1_d_1", 3, Act.SKIP)
    act(session, "alice", "s1_d_1", 3, Act.FLAG)
    assert progress() == (2, 1)


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
    found: dict[tuple[int, int], Any] = {}
    flagged = {(row.assignment_id, row.utterance_id) for row in session.execute(flags())}
    for row in session.execute(standing()):
        found[row.assignment_id, row.utterance_id] = (row.id, row.kind, row.codes)
    return {key: (found.get(key), key in flagged) for key in {*found, *flagged}}


def folded(session: Session) -> dict[tuple[int, int], Any]:
    """What stands, as `fold` says it."""
    found: dict[tuple[int, int], Any] = {}
    for (at,) in session.execute(select(col(Decision.assignment_id)).distinct()).all():
        mine = session.scalars(select(Decision).where(col(Decision.assignment_id) == at).order_by(col(Decision.id)))
        for utterance, one in fold(mine).items():
            said = (one.label_id, one.kind, "|".join(one.codes)) if one.kind else None
            if one != Standing():
                found[at, utterance] = (said, one.flagged)
    return found


def left_to_undo(session: Session) -> int:
    kinds = [kind for kind, _ in decisions(session)]
    return len(kinds) - 2 * kinds.count(Kind.RETRACT)


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
    create_round(session, "r2", ["alice"])
    later = desk.open_desk(session, get_user(session, "alice"), assignment(session, "alice", "s1_d_1", "r2"))
    assert {row.state for row in later.rows} == {"open"}
    assert session.scalar(select(func.count()).where(col(Decision.utterance_id) == utterance_id(session, "s1_d_1", 2))) == 1


def test_a_key_is_an_act_of_one_assignment(session: Session) -> None:
    key = uuid.uuid4().hex
    act(session, "alice", "s1_d_1", 1, Act.SKIP, key=key)
    act(session, "alice", "s2_d_2", 1, Act.SKIP, key=key)
    assert len(decisions(session)) == 2
