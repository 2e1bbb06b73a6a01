"""Gold: settled by equal labels, by leads, taken back, undone; what waits for whom. Gold never alters a decision."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import Session, col

from annotator.db import Database
from annotator.errors import BadInput, Conflict, Forbidden, NotFound
from annotator.flow import adjudication, queue, settling
from annotator.flow.accounts import get_user
from annotator.flow.adjudication import settle, settle_all, settle_round
from annotator.flow.intake import import_paths
from annotator.flow.intake_report import Options
from annotator.flow.round import Wanted, create_round
from annotator.models import Gold, Round, Rule
from flow.golden import (
    FIRST,
    decide,
    differ,
    newest,
    other_lead,
    round_id,
    say,
    stands,
    undo,
    waiting,
)  # fmt: skip
from flow.steps import assignment, blind, dump, hand_in, label, reopen, rolled_back, utterance_id

UNANIMOUS, ASSISTED, ADJUDICATED = Rule.UNANIMOUS, Rule.UNANIMOUS_ASSISTED, Rule.ADJUDICATED


def all_gold(session: Session) -> list[tuple[int, str, str, int | None]]:
    rows = session.scalars(select(Gold).order_by(col(Gold.id)))
    return [(row.utterance_id, row.codes, row.rule, row.user_id) for row in rows]


# By themselves


def test_equal_labels_are_gold_once_two_have_handed_in(session: Session) -> None:
    say(session, "alice", {1: "RTI", 2: "PEP"})
    assert all_gold(session) == []
    say(session, "bob", {1: "RTI", 2: "PCT"})
    first, second = (utterance_id(session, "s1_d_1", position) for position in (1, 2))
    assert (stands(session, first), stands(session, second)) == (("RTI", ASSISTED), None)
    assert waiting(session) == [2, *range(3, 33)]


@pytest.mark.parametrize(("position", "is_blind", "rule"), [(1, False, ASSISTED), (1, True, UNANIMOUS), (32, False, UNANIMOUS)])
def test_gold_says_whether_the_equal_labels_were_made_over_one_proposal(
    session: Session, position: int, is_blind: bool, rule: Rule
) -> None:
    if is_blind:
        blind(session, "r1", "s1_d_1")
    at = utterance_id(session, "s1_d_1", position)
    if rule == UNANIMOUS and not is_blind:
        forget_proposal(session, at)
    for name in ("alice", "bob"):
        say(session, name, {position: "OTH"})
    assert stands(session, at) == ("OTH", rule)


def forget_proposal(session: Session, utterance: int) -> None:
    found = session.scalars(select(adjudication.Suggestion).where(col(adjudication.Suggestion.utterance_id) == utterance)).one()
    session.delete(found)
    session.flush()


def test_the_same_codes_in_another_order_are_equal(session: Session) -> None:
    say(session, "alice", {2: "PEP|PCT"})
    say(session, "bob", {2: "PCT|PEP"})
    assert stands(session, utterance_id(session, "s1_d_1", 2)) == ("PEP|PCT", ASSISTED)


def test_settling_again_adds_nothing(session: Session) -> None:
    differ(session)
    before = all_gold(session)
    settle(session, round_id(session), session.get_one(Round, round_id(session)).id or 0)
    settle_round(session, session.get_one(Round, round_id(session)))
    settle_all(session, get_user(session, "lea"), round_id(session))
    assert all_gold(session) == before


@pytest.fixture
def third(session: Session) -> str:
    """Cem labels the same conversations in round r3, with Alice and Bob."""
    create_round(session, Wanted("r3", ("alice", "bob", "cem")))
    return "r3"


def test_a_skip_contradicts_nobody_but_one_label_is_not_enough(session: Session, third: str) -> None:
    labels = {"alice": {1: "RTI", 2: "PEP", 3: ""}, "bob": {1: "RTI", 2: "", 3: ""}, "cem": {1: "", 2: "", 3: ""}}
    for name, said in labels.items():
        say(session, name, said, round_name=third)
    found = [stands(session, utterance_id(session, "s1_d_1", position), third) for position in (1, 2, 3)]
    assert found == [("RTI", ASSISTED), None, None]
    assert waiting(session, round_name=third)[:3] == [2, 3, 4]


def test_a_later_contradiction_withdraws_what_was_unanimous(session: Session, third: str) -> None:
    at = utterance_id(session, "s1_d_1", 2)
    for name in ("alice", "bob"):
        say(session, name, {2: "PEP"}, round_name=third)
    assert 2 not in waiting(session, round_name=third)
    say(session, "cem", {2: "PCT"}, round_name=third)
    assert [(codes, rule, by) for _, codes, rule, by in all_gold(session)] == [("PEP", ASSISTED, None), ("PEP", Rule.WITHDRAWN, None)]
    assert (stands(session, at, third), 2 in waiting(session, round_name=third)) == (None, True)


def test_what_a_lead_settled_or_took_back_stays_whoever_hands_in_later(session: Session, third: str) -> None:
    at = {position: utterance_id(session, "s1_d_1", position) for position in (1, 2)}
    lea, number = get_user(session, "lea"), round_id(session, third)
    for name in ("alice", "bob"):
        say(session, name, {1: "RTI", 2: "PEP"}, round_name=third)
    adjudication.withdraw(session, lea, number, newest(session, at[1], third).id or 0)  # type: ignore[union-attr]
    known = newest(session, at[2], third).id or 0  # type: ignore[union-attr]
    adjudication.decide(session, lea, number, at[2], adjudication.Verdict(("PEP",), known))
    say(session, "cem", {1: "RTI", 2: "PCT"}, round_name=third)
    settle_round(session, session.get_one(Round, number))
    assert [stands(session, one, third) for one in at.values()] == [None, ("PEP", ADJUDICATED)]


def test_only_the_labels_handed_in_first_count(session: Session) -> None:
    at = differ(session)
    reopen(session, "bob", "s1_d_1")
    label(session, "bob", "s1_d_1", 2, FIRST["Seeker"])
    hand_in(session, "bob", "s1_d_1")
    assert stands(session, at) is None


def test_imported_labels_are_settled_when_a_lead_asks(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    rows = [("1", "dora", "RTI"), ("1", "emil", "RTI"), ("2", "dora", "PEP"), ("2", "emil", "PCT")]
    lines = [f"s1_d_1,{at},{'Assistant' if at == '1' else 'Seeker'},{who},{codes}" for at, who, codes in rows]
    path.write_text("conversation,utterance,role,annotator,codes\n" + "\n".join(lines))
    import_paths(session, [path], None, Options())
    assert all_gold(session) == []
    settle_all(session, get_user(session, "lea"), round_id(session, ""))
    assert stands(session, utterance_id(session, "s1_d_1", 1), "") == ("RTI", UNANIMOUS)
    assert waiting(session, round_name="")[:1] == [2]


@settings(max_examples=20)
@given(st.permutations(["alice", "bob", "cem"]), st.lists(st.sampled_from(["PEP", "PCT", ""]), min_size=3, max_size=3))
def test_the_order_in_which_people_hand_in_changes_nothing(shared_db: Database, order: list[str], codes: list[str]) -> None:
    found = []
    for names in (["alice", "bob", "cem"], order):
        with rolled_back(shared_db) as session:
            create_round(session, Wanted("r3", ("alice", "bob", "cem")))
            for name in names:
                say(session, name, {2: dict(zip(("alice", "bob", "cem"), codes, strict=True))[name]}, round_name="r3")
            found.append(stands(session, utterance_id(session, "s1_d_1", 2), "r3"))
    assert found[0] == found[1]
    labels = [one for one in codes if one]
    assert (found[0] is not None) == (len(labels) > 1 and len(set(labels)) == 1)


# By a lead


def test_a_lead_settles_what_waits_and_no_decision_changes(session: Session) -> None:
    at = differ(session)
    before = dump(session)
    made = decide(session, at, "PIP", comment=" as said in 3.2 ")
    after = dump(session)
    assert (made.codes, made.rule, made.user_id, made.comment) == ("PIP", ADJUDICATED, get_user(session, "lea").id, "as said in 3.2")
    assert {name for name in after if after[name] != before[name]} == {"gold"}
    assert waiting(session) == list(range(4, 33))


@pytest.mark.parametrize(
    ("codes", "said"), [(("PEP", "PCT", "IQ", "RP"), "1 to 3 codes, this one 4"), ((), "1 to 3"), (("RTI",), "not a code of Seeker")]
)
def test_gold_is_a_label_the_taxonomy_allows(session: Session, codes: tuple[str, ...], said: str) -> None:
    at = differ(session)
    with pytest.raises(BadInput, match=said):
        decide(session, at, *codes)
    assert stands(session, at) is None


def test_the_same_request_again_makes_no_second_gold(session: Session) -> None:
    at = differ(session)
    made = decide(session, at, "PEP", seen=0)
    assert decide(session, at, "PEP", seen=0).id == made.id
    with pytest.raises(Conflict, match="since this page was made"):
        decide(session, at, "PCT", seen=0)
    assert stands(session, at) == ("PEP", ADJUDICATED)


def test_another_lead_who_saw_what_stands_may_settle_it_anew(session: Session) -> None:
    at, lou = differ(session), other_lead(session)
    decide(session, at, "PEP")
    with pytest.raises(Conflict):
        decide(session, at, "PEP", name=lou, seen=0)
    decide(session, at, "PCT", name=lou)
    assert [(codes, by) for _, codes, rule, by in all_gold(session) if rule == ADJUDICATED] == [
        ("PEP", get_user(session, "lea").id), ("PCT", get_user(session, lou).id)
    ]  # fmt: skip


def test_undo_goes_back_act_by_act(session: Session) -> None:
    at, third = differ(session), utterance_id(session, "s1_d_1", 3)
    decide(session, at, "PEP")
    decide(session, third, "IQ")
    decide(session, at, "PCT")
    states = []
    for _ in range(3):
        undo(session)
        states.append((stands(session, at), stands(session, third)))
    unanimous = ("PEP", ASSISTED)
    assert states == [(("PEP", ADJUDICATED), ("IQ", ADJUDICATED)), (("PEP", ADJUDICATED), unanimous), (None, unanimous)]
    assert adjudication.newest_of(session, get_user(session, "lea"), round_id(session)) is None


def test_undo_leaves_another_leads_gold_as_it_was(session: Session) -> None:
    at, lou = differ(session), other_lead(session)
    decide(session, at, "PEP")
    decide(session, at, "PCT", name=lou)
    undo(session, lou)
    assert stands(session, at) == ("PEP", ADJUDICATED)
    assert newest(session, at).user_id == get_user(session, "lea").id  # type: ignore[union-attr]
    assert adjudication.newest_of(session, get_user(session, lou), round_id(session)) is None
    undo(session)
    assert stands(session, at) is None


acts = st.tuples(st.sampled_from(["lea", "lou"]), st.integers(1, 3), st.sampled_from(["OTH", "ACK"]), st.booleans())


@settings(max_examples=20)
@given(st.lists(acts, max_size=6))
def test_whatever_leads_settle_undone_in_turn_is_as_it_was(shared_db: Database, done: list[tuple[str, int, str, bool]]) -> None:
    with rolled_back(shared_db) as session:
        differ(session)
        other_lead(session)
        at = {position: utterance_id(session, "s1_d_1", position) for position in (1, 2, 3)}
        before = dump(session)["decision"]
        states = [{position: stands(session, one) for position, one in at.items()}]
        for name, position, code, _ in done:
            decide(session, at[position], code, name=name)
            states.append({place: stands(session, one) for place, one in at.items()})
        for name, _, _, settles in reversed(done):
            states.pop()
            undo(session, name)
            if settles:
                settle_round(session, session.get_one(Round, round_id(session)))
            assert {position: stands(session, one) for position, one in at.items()} == states[-1]
        assert dump(session)["decision"] == before


def test_an_undo_that_comes_twice_takes_one_back(session: Session) -> None:
    at = differ(session)
    made = decide(session, at, "PEP")
    for _ in range(2):
        assert adjudication.undo(session, get_user(session, "lea"), round_id(session), made.id or 0) == at
    assert [rule for _, _, rule, _ in all_gold(session)].count(Rule.WITHDRAWN) == 1


def test_undo_of_gold_that_a_later_label_contradicts_brings_no_unanimity_back(session: Session, third: str) -> None:
    at, lea, number = utterance_id(session, "s1_d_1", 2), get_user(session, "lea"), round_id(session, third)
    for name in ("alice", "bob"):
        say(session, name, {2: "PEP"}, round_name=third)
    known = newest(session, at, third).id or 0  # type: ignore[union-attr]
    made = adjudication.decide(session, lea, number, at, adjudication.Verdict(("IQ",), known))
    say(session, "cem", {2: "PCT"}, round_name=third)
    adjudication.undo(session, lea, number, made.id or 0)
    assert stands(session, at, third) is None


def test_a_lead_takes_any_gold_back_and_it_waits_again(session: Session) -> None:
    differ(session)
    at = utterance_id(session, "s1_d_1", 1)
    gold = newest(session, at)
    for _ in range(2):
        adjudication.withdraw(session, get_user(session, "lea"), round_id(session), gold.id or 0)  # type: ignore[union-attr]
    assert (stands(session, at), waiting(session)[0]) == (None, 1)
    decide(session, at, "ACK")
    with pytest.raises(Conflict, match="settled anew"):
        adjudication.withdraw(session, get_user(session, "lea"), round_id(session), gold.id or 0)  # type: ignore[union-attr]


def test_gold_of_one_round_leaves_that_of_another(session: Session, third: str) -> None:
    at = differ(session)
    decide(session, at, "PEP")
    for name, codes in (("alice", "PCT"), ("bob", "IQ")):
        say(session, name, {2: codes}, round_name=third)
    assert (stands(session, at), stands(session, at, third)) == (("PEP", ADJUDICATED), None)
    assert 2 in waiting(session, round_name=third)


# Who may


@pytest.mark.parametrize("name", ["alice", "rui"])
def test_settling_is_for_leads(session: Session, name: str) -> None:
    at = differ(session)
    for refused in (
        lambda: decide(session, at, "PEP", name=name), lambda: queue.rounds(session, get_user(session, name)),
        lambda: settling.step(session, get_user(session, name), round_id(session)),
        lambda: settle_all(session, get_user(session, name), round_id(session)),
    ):  # fmt: skip
        with pytest.raises(Forbidden, match="This is for leads"):
            refused()


@pytest.mark.parametrize("done", ["labelled", "skipped and undone", "assigned"])
def test_nobody_settles_what_they_labelled_or_have_to(session: Session, done: str) -> None:
    at = differ(session)
    create_round(session, Wanted("r2", ("lea",)))
    if done == "labelled":
        say(session, "lea", {7: "ACK"}, round_name="r2")
    if done == "skipped and undone":
        say(session, "lea", {7: ""}, round_name="r2")
    with pytest.raises(Forbidden, match="nobody settles their own labels"):
        decide(session, at, "PEP")
    assert waiting(session) == []
    assert waiting(session, other_lead(session)) == [2, *range(4, 33)]
    lea = get_user(session, "lea")
    assert (queue.rounds(session, lea)[0].not_yours, settling.step(session, lea, round_id(session))) == (1, None)


def test_there_is_nothing_to_settle_before_two_have_handed_in(session: Session) -> None:
    say(session, "alice", {2: "PEP"})
    with pytest.raises(NotFound, match="fewer than two people"):
        decide(session, utterance_id(session, "s1_d_1", 2), "PEP")
    assert (queue.rounds(session, get_user(session, "lea")), waiting(session)) == ([], [])


@pytest.mark.parametrize(("number", "utterance"), [(99, 2), (1, 9999)])
def test_what_does_not_exist_is_said(session: Session, number: int, utterance: int) -> None:
    differ(session)
    with pytest.raises(NotFound):
        adjudication.decide(session, get_user(session, "lea"), number, utterance, adjudication.Verdict(("PEP",), 0))


def test_a_repeat_counts_for_nothing(session: Session) -> None:
    say(session, "alice", {2: "PEP"})
    session.get_one(adjudication.Assignment, assignment(session, "alice", "s1_d_1")).repeat = True
    session.flush()
    say(session, "bob", {2: "PEP"})
    assert (all_gold(session), waiting(session)) == ([], [])
