"""Who learns what: nothing of others' labels, nothing of a proposal when blind, nothing through the machine (rules 2, 11)."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlmodel import Session, col

from annotator.core.transcript import Transcript
from annotator.db import Database
from annotator.errors import AnnotatorError, BadInput
from annotator.flow import comments, desk, finding, first_pass, tagging
from annotator.flow.access import view_of
from annotator.flow.accounts import get_user
from annotator.flow.corpus import export_records
from annotator.flow.intake import import_paths
from annotator.flow.intake_facts import Options
from annotator.flow.known import known_labels
from annotator.flow.progress import progress_of
from annotator.flow.review import Act
from annotator.flow.round import Wanted, create_round
from annotator.flow.runs import Order
from annotator.flow.taxonomy import current
from annotator.models import Round, Run, Suggestion, User
from flow.steps import (
    SIZES,
    act,
    assignment,
    blind,
    close_round,
    hand_in,
    label,
    label_repeat,
    role_at,
    rolled_back,
    settle,
    undo,
    utterance_id,
)

# Codes that no proposal has and alice never chooses.
SECRET = {"Seeker": ["NR", "CC", "RJT"], "Assistant": ["EF", "PEX", "PCM"]}
NAMES = {"bob": "Bobolinsky", "cem": "Cemalettin", "lea": "Leandrosa", "rui": "Ruizdottir"}

others = st.lists(
    st.tuples(
        st.sampled_from([("bob", "r1"), ("bob", "r2"), ("cem", "r2")]),
        st.sampled_from(["s1_d_1", "s2_d_2"]),
        st.integers(1, 5),
        st.sampled_from([Act.LABEL, Act.SKIP, Act.FLAG, "undo", "hand in"]),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=12,
)


def others_work(session: Session, done: list[Any]) -> None:
    """What bob and cem do; what is refused since they handed in changes nothing."""
    for (name, round_name), conversation, position, what, which in done:
        secret = SECRET[role_at(session, conversation, position)][which]
        try:
            if what == "undo":
                undo(session, NAMES[name])
            elif what == "hand in":
                hand_in(session, NAMES[name], conversation, round_name)
            else:
                codes = [secret] if what == Act.LABEL else []
                act(session, NAMES[name], conversation, position, what, *codes, round_name=round_name)
        except AnnotatorError:
            continue


def prepare(session: Session) -> None:
    """Names that stand nowhere else, and a second round that alice shares with bob and cem."""
    for old, new in NAMES.items():
        session.execute(update(User).where(col(User.name) == old).values(name=new))
    create_round(session, Wanted("r2", ("alice", "Bobolinsky", "Cemalettin")))
    act(session, "alice", "s1_d_1", 2, Act.LABEL, "PCT", key="alices-first")
    act(session, "alice", "s1_d_1", 3, Act.SKIP, key="alices-second")


# In the use cases


def all_that_alice_reaches(session: Session) -> str:
    """Her conversations, her desks, every reason, what she finds and is told, and her export, as text."""
    alice = get_user(session, "alice")
    mine, total = desk.my_conversations(session, alice)
    seen: list[Any] = [mine, total, desk.my_summary(session, alice), finding.recent(session, alice), finding.search(session, alice, "a", 1)]
    seen += [comments.listed(session, alice, listing, None, 1) for listing in comments.Listing]
    for one in mine:
        opened = desk.open_desk(session, alice, one.assignment_id)
        seen += [opened.turns, opened.handed_in_at]
        seen += [finding.next_place(session, alice, what, one.assignment_id, 2) for what in finding.Wanted]
        seen += [desk.reason(session, alice, one.assignment_id, row.position) for row in opened.rows[:5] if row.has_reason]
    seen += list(export_records(session, view_of(alice)))
    return "\n".join(map(repr, seen))


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(done=others)
def test_alice_sees_the_same_whatever_bob_and_cem_decide(shared_db: Database, done: list[Any]) -> None:
    with rolled_back(shared_db) as session:
        prepare(session)
        before = all_that_alice_reaches(session)
        others_work(session, done)
        assert all_that_alice_reaches(session) == before
        assert not re.search("|".join(NAMES.values()), before)
        assert not re.search(rf"'({'|'.join(code for codes in SECRET.values() for code in codes)})'", before)


def test_alice_gets_neither_gold_nor_anothers_name_in_her_export(session: Session) -> None:
    prepare(session)
    settle(session, "s1_d_1", 2, "NR")
    label(session, "Bobolinsky", "s1_d_1", 2, "NR")
    alice = view_of(get_user(session, "alice"))
    assert "'NR'" not in repr(list(export_records(session, alice)))
    for labels in ("Bobolinsky", "annotator-2"):
        with pytest.raises(BadInput, match="Nobody here is called") as caught:
            list(export_records(session, alice, labels))
        assert "Cem" not in str(caught.value)


def test_gold_is_empty_for_an_annotator_who_asks_for_it(session: Session) -> None:
    prepare(session)
    settle(session, "s1_d_1", 2, "NR")
    records = list(export_records(session, view_of(get_user(session, "alice")), "gold"))
    assert "'NR'" not in repr(records)


def test_conversations_of_others_are_not_in_her_export(session: Session) -> None:
    prepare(session)
    assert {one.id for one in export_records(session, view_of(get_user(session, "alice")))} == {"s1_d_1", "s2_d_2", "s3_d_3"}
    assert list(export_records(session, view_of(User(id=999, name="eve", role="annotator")))) == []


# In the blind condition (every answer in every condition is `tests/web/test_blindness.py`'s)


def test_a_proposal_of_another_run_than_the_rounds_is_not_shown(session: Session) -> None:
    before = all_that_alice_reaches(session)
    run = Run(**session.get_one(Run, 1).model_dump(exclude={"id"}))
    session.add(run)
    session.flush()
    session.add(Suggestion(run_id=run.id or 0, utterance_id=utterance_id(session, "s1_d_1", 1), codes="EF", confidence=0.9, reason="x"))
    session.flush()
    assert all_that_alice_reaches(session) == before


def test_there_is_no_reason_to_read_when_blind_nor_in_anothers_conversation(session: Session) -> None:
    blind(session, "r1", "s1_d_1")
    alice = get_user(session, "alice")
    with pytest.raises(BadInput, match="no reason to show"):
        desk.reason(session, alice, assignment(session, "alice", "s1_d_1"), 1)
    assert desk.reason(session, alice, assignment(session, "alice", "s2_d_2"), 1)
    with pytest.raises(AnnotatorError, match="no such conversation among yours"):
        desk.reason(session, alice, assignment(session, "bob", "s2_d_2"), 1)


def propose_otherwise(session: Session) -> None:
    """Suggestions as different as can be for s1_d_1, in all runs."""
    of_it = [utterance_id(session, "s1_d_1", position) for position in range(1, SIZES["s1_d_1"] + 1)]
    changed = {"codes": "OTH", "confidence": 0.01, "probabilities": {"OTH": 0.01}, "reason": "Quoth the tagger."}
    session.execute(update(Suggestion).where(col(Suggestion.utterance_id).in_(of_it)).values(changed))
    session.expire_all()


def test_what_is_blind_in_one_round_comes_with_proposals_in_another_only_when_handed_in(session: Session) -> None:
    create_round(session, Wanted("r2", ("alice",)))
    blind(session, "r1", "s1_d_1")
    alice, second = get_user(session, "alice"), assignment(session, "alice", "s1_d_1", "r2")
    before = all_that_alice_reaches(session)
    propose_otherwise(session)
    assert all_that_alice_reaches(session) == before
    with pytest.raises(AnnotatorError, match="no such conversation among yours"):
        desk.open_desk(session, alice, second)
    hand_in(session, "alice", "s1_d_1")
    session.flush()
    assert desk.open_desk(session, alice, second).rows[0].proposal[0].code == "OTH"


def test_when_the_blind_round_is_closed_the_other_goes_on(session: Session) -> None:
    create_round(session, Wanted("r2", ("alice",)))
    blind(session, "r1", "s1_d_1")
    close_round(session, "r1")
    assert desk.open_desk(session, get_user(session, "alice"), assignment(session, "alice", "s1_d_1", "r2")).rows[0].proposal


def leads_view(session: Session) -> str:
    """What a lead reads of runs, rounds and labels, as text."""
    lea = get_user(session, "Leandrosa")
    run = first_pass.look(session, lea, 1, 1)
    seen = [run.conversations, run.failures, first_pass.conversations_csv(session, lea, 1), first_pass.failures_csv(session, lea, 1)]
    seen += list(export_records(session, view_of(lea)))
    seen += [progress_of(session, view_of(lea), made) for made in session.scalars(select(Round))]
    return "\n".join(map(repr, seen))


def test_a_lead_who_labels_blind_learns_of_no_proposal_there_before_handing_in(session: Session) -> None:
    prepare(session)
    create_round(session, Wanted("r3", ("Leandrosa",)))
    blind(session, "r3", "s1_d_1")
    label(session, "Leandrosa", "s1_d_1", 2, "OTH", round_name="r3")
    before = leads_view(session)
    propose_otherwise(session)
    assert leads_view(session) == before
    hand_in(session, "Leandrosa", "s1_d_1", "r3")
    session.flush()
    assert leads_view(session) != before


# Through the machine (rule 11)


def known(session: Session, *train_on: str) -> list[Transcript]:
    return known_labels(session, current(session)[1], train_on)


def gold_of(session: Session, position: int, *train_on: str) -> tuple[str, ...] | None:
    """What a tagger may know of an utterance of s1_d_1 from the project; the sample's own label when nothing."""
    found = {one.id: one for one in known(session, *train_on)}["s1_d_1"]
    return list(found.utterances())[position - 1][1].gold


def label_all(session: Session, name: str) -> None:
    for position in range(1, 33):
        label(session, name, "s1_d_1", position, SECRET[role_at(session, "s1_d_1", position)][position % 3])
    hand_in(session, name, "s1_d_1")


def test_labels_of_an_open_round_are_never_known_to_a_tagger(session: Session) -> None:
    before = known(session)
    label_all(session, "alice")
    assert known(session) == before
    with pytest.raises(BadInput, match="No imported labels belong to alice"):
        known(session, "alice")


def test_labels_of_a_closed_round_are_known(session: Session) -> None:
    label_all(session, "alice")
    assert gold_of(session, 1) == ("RTI",)
    close_round(session, "r1")
    assert gold_of(session, 1) == ("PEX",)


def test_what_was_never_handed_in_is_not_known_even_when_the_round_is_closed(session: Session) -> None:
    label(session, "alice", "s1_d_1", 1, "EF")
    before = known(session)
    close_round(session, "r1")
    assert known(session) == before


def test_what_somebody_says_once_more_is_never_known(session: Session) -> None:
    label_all(session, "alice")
    label_repeat(session, "alice", "s1_d_1", {1: "EF", 2: "NR"})
    close_round(session, "r1")
    assert gold_of(session, 1) == ("PEX",)


def test_imported_labels_are_known_only_when_asked_for_by_name(session: Session, tmp_path: Path) -> None:
    before = known(session)
    path = tmp_path / "labels.csv"
    path.write_text("conversation,utterance,role,annotator,codes\ns1_d_1,1,Assistant,dora,EF\ns1_d_1,2,Seeker,emil,NR\n")
    import_paths(session, [path], None, Options())
    assert known(session) == before
    assert (gold_of(session, 1, "dora"), gold_of(session, 2, "dora")) == (("EF",), None)
    assert (gold_of(session, 1, "dora", "emil"), gold_of(session, 2, "dora", "emil")) == (("EF",), ("NR",))


def test_gold_is_known_and_wins_over_other_labels(session: Session) -> None:
    label(session, "alice", "s1_d_1", 1, "EF")
    hand_in(session, "alice", "s1_d_1")
    close_round(session, "r1")
    settle(session, "s1_d_1", 1, "PEX")
    assert gold_of(session, 1) == ("PEX",)


def suggestions(db: Database, run: Run) -> dict[int, tuple[Any, ...]]:
    with db.reading() as session:
        rows = session.scalars(select(Suggestion).where(col(Suggestion.run_id) == run.id))
        return {row.utterance_id: (row.codes, row.confidence, str(row.probabilities), row.reason) for row in rows}


def test_a_new_run_says_the_same_whatever_is_labelled_in_an_open_round(db: Database) -> None:
    first = suggestions(db, tagging.tag(db, Order("local")))
    with db.writing() as session:
        label_all(session, "alice")
        label_all(session, "bob")
    assert suggestions(db, tagging.tag(db, Order("local"))) == first


def test_a_conversations_own_gold_never_changes_what_is_suggested_for_it_but_for_others(db: Database) -> None:
    found = []
    for shift in (0, 1):
        with db.writing() as session:
            for position in range(1, 33):
                settle(session, "s1_d_1", position, SECRET[role_at(session, "s1_d_1", position)][(position + shift) % 3])
        found.append(suggestions(db, tagging.tag(db, Order("local"))))
    with db.reading() as session:
        own = {utterance_id(session, "s1_d_1", position) for position in range(1, 33)}
    assert {key for key in found[0] if found[0][key] != found[1][key]}.isdisjoint(own)
    assert found[0] != found[1]
