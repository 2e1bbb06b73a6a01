"""Progress of a round: what people did is counted, and nothing else; where they disagree; what waits for an answer."""

import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session, col, select, update

from annotator.core.labelled import split_codes
from annotator.db import Database
from annotator.errors import AnnotatorError, NotFound
from annotator.flow.access import EVERYTHING, view_of
from annotator.flow.accounts import get_user
from annotator.flow.acts import Act
from annotator.flow.campaign import list_rounds
from annotator.flow.disputed import Disagreement, disagreement_of
from annotator.flow.intake import import_paths
from annotator.flow.intake_facts import Options
from annotator.flow.progress import Person, Progress, Tally, made_round, progress_of
from annotator.flow.progress_tables import as_dict, as_text, conversations_csv, disagreement_csv, people_csv, remarks_csv
from annotator.flow.remarks import remarks_of
from annotator.flow.standing import fold
from annotator.models import Assignment, Comment, Decision, Kind, Round, Submission, Suggestion
from flow.steps import SIZES, act, assignment, blind, close_round, hand_in, label, label_repeat, reopen, rolled_back, undo, utterance_id

ALL = sum(SIZES.values())


def progress(session: Session, round_id: int = 1) -> Progress:
    session.flush()
    return progress_of(session, EVERYTHING, made_round(session, round_id))


def person(session: Session, name: str) -> Person:
    return next(one for one in progress(session).people if one.name == name)


def state(session: Session, name: str, conversation: str) -> str:
    (found,) = [one for one in progress(session).conversations if one.name == conversation]
    return next(work.state for work in found.works if work.annotator == name)


def disagreement(session: Session) -> Disagreement:
    return disagreement_of(session, made_round(session, 1))


# What counts


def test_an_untouched_round_is_open_and_all_its_figures_are_undefined(session: Session) -> None:
    found = progress(session)
    assert [one.name for one in found.people] == ["alice", "bob"]
    assert (found.everybody.conversations, found.everybody.tally.open, found.everybody.tally.done) == (6, 2 * ALL, 0)
    assert (found.everybody.tally.per_hour, found.everybody.assisted.accepted, found.everybody.blind.accepted) == (None, None, None)
    assert {work.state for one in found.conversations for work in one.works} == {"not begun"}


def test_labels_skips_and_marks_are_counted_as_they_stand(session: Session) -> None:
    label(session, "alice", "s1_d_1", 1, "RTI")
    label(session, "alice", "s1_d_1", 1, "ACK")
    act(session, "alice", "s1_d_1", 2, Act.CONFIRM)
    act(session, "alice", "s1_d_1", 3, Act.SKIP)
    for position in (4, 5):
        act(session, "alice", "s1_d_1", position, Act.FLAG)
    act(session, "alice", "s1_d_1", 5, Act.UNFLAG)
    act(session, "alice", "s1_d_1", 6, Act.UNSURE)
    label(session, "alice", "s1_d_1", 7, "ACK")
    undo(session, "alice")
    tally = person(session, "alice").tally
    assert (tally.labelled, tally.skipped, tally.open, tally.flagged, tally.unsure) == (2, 1, ALL - 3, 1, 1)
    assert person(session, "bob").tally == Tally(utterances=ALL)


def test_labels_from_files_are_no_progress(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("conversation,utterance,role,annotator,codes,round\ns1_d_1,1,Assistant,dora,RTI,r9\ns1_d_1,1,Assistant,emil,ACK,r9\n")
    import_paths(session, [path], None, Options())
    made = session.exec(select(Round).where(Round.name == "r9")).one()
    found = progress(session, made.id or 0)
    assert {one.name: one.tally.done for one in found.people} == {"dora": 0, "emil": 0}
    assert disagreement_of(session, made) == Disagreement((), ())


def test_a_conversation_is_not_begun_under_way_ready_and_handed_in(session: Session) -> None:
    assert state(session, "alice", "s1_d_1") == "not begun"
    act(session, "alice", "s1_d_1", 1, Act.FLAG)
    assert state(session, "alice", "s1_d_1") == "not begun"
    label(session, "alice", "s1_d_1", 1, "RTI")
    assert state(session, "alice", "s1_d_1") == "under way"
    for position in range(2, SIZES["s1_d_1"] + 1):
        act(session, "alice", "s1_d_1", position, Act.SKIP)
    assert state(session, "alice", "s1_d_1") == "ready"
    hand_in(session, "alice", "s1_d_1")
    assert state(session, "alice", "s1_d_1") == "handed in"
    reopen(session, "alice", "s1_d_1")
    found = person(session, "alice")
    assert (state(session, "alice", "s1_d_1"), found.handed_in, found.reopened) == ("ready", 0, 1)


def test_what_is_open_again_when_the_round_is_closed_stays_handed_in_once(session: Session) -> None:
    hand_in(session, "alice", "s1_d_1")
    hand_in(session, "bob", "s1_d_1")
    reopen(session, "alice", "s1_d_1")
    assert list_rounds(session, get_user(session, "lea"))[0].handed_in == 1
    close_round(session, "r1")
    found = person(session, "alice")
    assert (state(session, "alice", "s1_d_1"), found.handed_in, found.reopened) == ("handed in once", 1, 1)
    assert (state(session, "bob", "s1_d_1"), person(session, "bob").reopened) == ("handed in", 0)
    assert list_rounds(session, get_user(session, "lea"))[0].handed_in == progress(session).everybody.handed_in == 2


def test_repeats_are_counted_apart(session: Session) -> None:
    before = person(session, "bob")
    label_repeat(session, "alice", "s1_d_1", {2: "PEP"})
    found = person(session, "alice")
    assert (found.conversations, found.handed_in, found.repeats, found.repeats_handed_in) == (3, 3, 1, 1)
    assert (found.tally.done, found.tally.utterances) == (0, ALL)
    assert person(session, "bob") == before
    assert len(progress(session).conversations[0].works) == 2


# Figures


def test_speed_is_over_utterances_with_a_time(session: Session) -> None:
    for position in (1, 2, 3):
        act(session, "alice", "s1_d_1", position, Act.SKIP)
    session.execute(update(Decision).values(seconds=30.0).where(col(Decision.utterance_id) != utterance_id(session, "s1_d_1", 3)))
    assert person(session, "alice").tally.per_hour == 120


def test_acceptance_compares_sets_of_codes_in_each_condition(session: Session) -> None:
    blind(session, "r1", "s2_d_2")
    act(session, "alice", "s1_d_1", 1, Act.CONFIRM)  # RTI
    label(session, "alice", "s1_d_1", 2, "PEP", "PCT")  # proposed in the other order
    label(session, "alice", "s1_d_1", 3, "RP", "PCT")
    act(session, "alice", "s1_d_1", 4, Act.SKIP)
    first = session.exec(select(Suggestion.codes).where(Suggestion.utterance_id == utterance_id(session, "s2_d_2", 1))).one()
    label(session, "alice", "s2_d_2", 1, first)
    found = person(session, "alice")
    assert (found.assisted.accepted, found.assisted.compared) == (2 / 3, 3)
    assert (found.blind.accepted, found.blind.compared) == (1.0, 1)


def test_without_a_run_there_is_nothing_to_accept(session: Session) -> None:
    session.execute(update(Round).values(run_id=None))
    label(session, "alice", "s1_d_1", 1, "RTI")
    assert (person(session, "alice").assisted.accepted, person(session, "alice").assisted.compared) == (None, 0)


def test_disagreement_is_counted_over_what_two_people_handed_in(session: Session) -> None:
    for name, codes in (("alice", (["RTI"], ["PCT"], ["PCT", "PEP"])), ("bob", (["RTI"], ["PEP"], ["PEP", "PCT"]))):
        for position, chosen in enumerate(codes, 1):
            label(session, name, "s1_d_1", position, *chosen)
    act(session, "alice", "s1_d_1", 4, Act.SKIP)
    label(session, "bob", "s1_d_1", 4, "RP")
    hand_in(session, "alice", "s1_d_1")
    assert disagreement(session) == Disagreement((), ())
    hand_in(session, "bob", "s1_d_1")
    found = disagreement(session)
    assert [(one.role, one.utterances, one.differ) for one in found.roles] == [("Assistant", 1, 0), ("Seeker", 2, 1)]
    assert [(one.role, one.code, one.used, one.disputed) for one in found.codes] == [
        ("Seeker", "PCT", 2, 1), ("Seeker", "PEP", 2, 1), ("Assistant", "RTI", 1, 0),
    ]  # fmt: skip
    reopen(session, "bob", "s1_d_1")
    label(session, "bob", "s1_d_1", 2, "PCT")
    assert disagreement(session) == found  # what was handed in first counts


# The same, counted slowly

acts = st.lists(
    st.tuples(
        st.sampled_from(["alice", "bob"]),
        st.sampled_from(["s1_d_1", "s2_d_2"]),
        st.integers(1, 3),
        st.sampled_from([Act.CONFIRM, Act.LABEL, Act.SKIP, Act.FLAG, Act.UNFLAG, Act.UNSURE, Act.SURE, "undo", "hand in", "reopen"]),
        st.sampled_from([("OTH",), ("ACK",), ("ACK", "OTH"), ("OTH", "ACK")]),
    ),
    max_size=25,
)


def do(session: Session, name: str, conversation: str, position: int, what: Any, codes: tuple[str, ...]) -> None:
    try:
        if what == "undo":
            undo(session, name)
        elif what == "hand in":
            hand_in(session, name, conversation)
        elif what == "reopen":
            reopen(session, name, conversation)
        else:
            act(session, name, conversation, position, what, *(codes if what == Act.LABEL else ()))
    except AnnotatorError:
        pass


def slowly(session: Session, name: str) -> Counter[str]:
    """What `Tally` says, from all decisions of a person, one by one."""
    counts: Counter[str] = Counter()
    for conversation in SIZES:
        at = assignment(session, name, conversation)
        rows = session.exec(select(Decision).where(Decision.assignment_id == at).order_by(col(Decision.id))).all()
        for key, stands in fold(rows).items():
            proposed = session.exec(select(Suggestion.codes).where(Suggestion.utterance_id == key)).one()
            counts["skipped"] += stands.kind == Kind.SKIP
            counts["flagged"] += stands.flagged
            counts["unsure"] += stands.unsure
            if stands.kind not in (None, Kind.SKIP):
                counts["labelled"] += 1
                counts["same"] += set(stands.codes) == set(split_codes(proposed))
    return counts


@settings(max_examples=25)
@given(done=acts)
def test_counting_in_the_database_is_counting_decision_by_decision(shared_db: Database, done: list[Any]) -> None:
    with rolled_back(shared_db) as session:
        session.execute(update(Suggestion).values(codes="OTH|ACK"))
        for one in done:
            do(session, *one)
        for name in ("alice", "bob"):
            tally, slow = person(session, name).tally, slowly(session, name)
            assert {field: getattr(tally, field) for field in ("labelled", "skipped", "flagged", "unsure", "same")} == {
                field: slow[field] for field in ("labelled", "skipped", "flagged", "unsure", "same")
            }


# What waits for an answer


def comment(
    session: Session, by: str, whose: str, position: int, body: str, *, resolves: bool = False, conversation: str = "s1_d_1"
) -> None:
    at, user = assignment(session, whose, conversation), get_user(session, by)
    place = utterance_id(session, conversation, position)
    session.add(Comment(assignment_id=at, utterance_id=place, user_id=user.id or 0, body=body, resolves=resolves))
    session.flush()


def test_comments_wait_until_somebody_resolves_them_and_flags_until_they_go(session: Session) -> None:
    comment(session, "alice", "alice", 2, "Which of the two?")
    comment(session, "lea", "alice", 2, "The first.")
    comment(session, "alice", "alice", 3, "And here?")
    comment(session, "lea", "alice", 3, "", resolves=True)
    act(session, "bob", "s1_d_1", 1, Act.FLAG)
    act(session, "bob", "s1_d_1", 5, Act.FLAG)
    act(session, "bob", "s1_d_1", 5, Act.UNFLAG)
    found = remarks_of(session, get_user(session, "lea"), made_round(session, 1))
    assert [(one.what, one.annotator, one.position, one.by, one.text) for one in found] == [
        ("comment", "alice", 2, "lea", "The first."), ("flag", "bob", 1, "bob", ""),
    ]  # fmt: skip
    assert (person(session, "alice").tally.comments, person(session, "bob").tally.comments) == (1, 0)


def test_a_lead_who_has_still_to_label_a_conversation_reads_no_remarks_on_it(session: Session) -> None:
    comment(session, "alice", "alice", 2, "Which of the two?")
    comment(session, "alice", "alice", 2, "And here?", conversation="s2_d_2")
    theirs = Assignment(round_id=1, conversation_id=1, user_id=get_user(session, "lea").id or 0)
    session.add(theirs)
    session.flush()
    made, lea = made_round(session, 1), get_user(session, "lea")
    assert [one.conversation for one in remarks_of(session, lea, made)] == ["s2_d_2"]
    session.add(Submission(assignment_id=theirs.id or 0, handed_in=True, last_decision_id=0))
    session.flush()
    assert [one.conversation for one in remarks_of(session, lea, made)] == ["s1_d_1", "s2_d_2"]


# Who reads what, and how


def test_a_researcher_reads_pseudonyms(session: Session) -> None:
    comment(session, "alice", "alice", 2, "Which of the two?")
    rui, made = get_user(session, "rui"), made_round(session, 1)
    found = progress_of(session, view_of(rui), made)
    said = repr((found.people, found.conversations, remarks_of(session, rui, made)))
    assert [one.name for one in found.people] == ["annotator-1", "annotator-2"]
    assert not [name for name in ("alice", "bob", "lea") if name in said]


@pytest.mark.parametrize("round_id", [99, 2])
def test_a_round_that_is_not_there_is_not_found(round_id: int, session: Session) -> None:
    session.add(Round(name="", taxonomy_version_id=1))  # what was imported without a round
    session.flush()
    with pytest.raises(NotFound, match="There is no such round"):
        made_round(session, round_id)


def rows(table: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table)))


def test_tables_and_json_hold_the_figures(session: Session) -> None:
    label(session, "alice", "s1_d_1", 1, "RTI")
    label(session, "bob", "s1_d_1", 1, "ACK")
    comment(session, "alice", "alice", 2, "=1+1")
    for name in ("alice", "bob"):
        hand_in(session, name, "s1_d_1")
    found, disputed = progress(session), disagreement(session)
    [alice, bob] = rows(people_csv(found))
    assert (alice["labelled"], alice["accepted_assisted"], alice["n_assisted"], alice["per_hour"]) == ("1", "1.0", "1", "")
    assert (bob["accepted_assisted"], bob["comments"]) == ("0.0", "0")
    assert [(row["conversation"], row["annotator"], row["state"]) for row in rows(conversations_csv(found))[:2]] == [
        ("s1_d_1", "alice", "handed in"), ("s1_d_1", "bob", "handed in"),
    ]  # fmt: skip
    codes = [(row["code"], row["disputed"], row["share"]) for row in rows(disagreement_csv(disputed))]
    assert codes == [("ACK", "1", "1.0"), ("RTI", "1", "1.0")]
    assert rows(remarks_csv(remarks_of(session, get_user(session, "lea"), made_round(session, 1))))[0]["text"] == "'=1+1"
    whole = json.loads(json.dumps(as_dict(found, disputed)))
    assert (whole["all"]["labelled"], whole["disagreement"]["roles"]) == (2, {"Assistant": {"utterances": 1, "differ": 1}})
    assert [one["open"] for one in whole["conversations"][0]["annotators"]] == [31, 31]


def test_the_terminal_says_the_same(session: Session) -> None:
    label(session, "alice", "s1_d_1", 1, "RTI")
    assert "Round r1, open: 0 of 6 handed in." in as_text(progress(session), disagreement(session))
    close_round(session, "r1")
    said = as_text(progress(session), disagreement(session))
    assert "closed on" in said
    assert "alice" in said.splitlines()[2]
    assert "100%" in said.splitlines()[2]
