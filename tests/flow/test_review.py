"""Deciding, undoing, handing in: which act adds which fact, and what stands afterwards."""

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from annotator.errors import BadInput, Conflict, NotFound
from annotator.flow import desk, review
from annotator.flow.accounts import get_user
from annotator.flow.acts import Act, Asked
from annotator.models import Assignment, Decision, Kind, ReasonOpened
from flow.steps import (
    SIZES,
    act,
    assignment,
    blind,
    close_round,
    decisions,
    hand_in,
    label,
    reopen,
    row_of,
    undo,
)  # fmt: skip

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
        review.decide(session, user, alices, 1, Asked(act=Act.SKIP, act_key="a-key"))
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


# Reasons


def test_a_reason_that_is_read_again_was_opened_once(session: Session) -> None:
    at, alice = assignment(session, "alice", "s1_d_1"), get_user(session, "alice")
    assert {review.open_reason(session, alice, at, position) for position in (1, 1, 2, 1)} == {"The script says so."}
    assert len(session.scalars(select(ReasonOpened)).all()) == 2
