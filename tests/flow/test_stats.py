"""What a project holds, counted."""

from collections.abc import Callable

from sqlmodel import Session

from annotator.db import Database
from annotator.flow.review import Act
from annotator.flow.stats import count_all
from flow.steps import act, label, label_repeat, undo


def test_an_empty_project_holds_nothing(empty: Callable[[], Database]) -> None:
    with empty().reading() as session:
        assert count_all(session) == {
            "conversations": 0, "turns": 0, "utterances": 0, "tokens": 0, "roles": {}, "annotators": {},
        }  # fmt: skip


def test_roles_add_up_to_the_whole(session: Session) -> None:
    found = count_all(session)
    assert (found["conversations"], found["turns"], found["utterances"]) == (3, 47, 107)
    for what in ("turns", "utterances", "tokens"):
        assert sum(role[what] for role in found["roles"].values()) == found[what]


def test_a_turn_or_utterance_is_counted_under_its_own_role(vogue_db: Database) -> None:
    with vogue_db.reading() as session:
        roles = count_all(session)["roles"]
    assert list(roles) == ["Assistant", "Seeker"]
    assert roles["Assistant"]["utterances"] + roles["Seeker"]["utterances"] == 2106
    assert roles["Assistant"]["tokens"] + roles["Seeker"]["tokens"] == 22707


def test_labels_are_counted_as_they_stand_and_proposals_never(session: Session) -> None:
    assert count_all(session)["annotators"] == {}
    label(session, "alice", "s1_d_1", 2, "PCT", "PEP")
    label(session, "alice", "s1_d_1", 3, "RP")
    label(session, "alice", "s1_d_1", 3, "PEP")
    act(session, "alice", "s1_d_1", 6, Act.SKIP)
    act(session, "alice", "s1_d_1", 7, Act.FLAG)
    label(session, "alice", "s1_d_1", 1, "RP")
    label(session, "bob", "s1_d_1", 1, "RTI")
    undo(session, "bob")
    codes = {"Seeker": {"PCT": 1, "PEP": 2}, "Assistant": {"RP": 1}}
    alice = {"labels": 3, "skipped": 1, "by_number_of_codes": {"1": 2, "2": 1}, "codes": codes}
    assert count_all(session)["annotators"] == {"alice": alice}


def test_what_somebody_is_asked_once_more_is_not_counted(session: Session) -> None:
    label(session, "alice", "s1_d_1", 2, "PCT")
    before = count_all(session)
    label_repeat(session, "alice", "s1_d_1", {1: "EP", 2: "NR"})
    assert count_all(session) == before
