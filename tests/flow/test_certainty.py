"""Where a run is least certain: the order of the lead's list and of a person's conversations, and that a blind one tells nothing."""

from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import Session, col

from annotator.core.calibration import probability
from annotator.db import Database
from annotator.flow import runs, tagging
from annotator.flow.accounts import get_user
from annotator.flow.certainty import weakest_first
from annotator.flow.desk import my_conversations
from annotator.flow.runs import Order
from annotator.models import Calibration, Suggestion
from flow.steps import blind, rolled_back, row_of, utterance_id


def doubt(session: Session, conversation: str, position: int, confidence: float | None, **more: Any) -> None:
    """Give the suggestion of one utterance another confidence."""
    here = (col(Suggestion.utterance_id) == utterance_id(session, conversation, position)) & (col(Suggestion.run_id) == 1)
    session.execute(update(Suggestion).where(here).values(confidence=confidence, **more))


def order(session: Session) -> list[str]:
    return [one.conversation for one in my_conversations(session, get_user(session, "alice"))[0]]


def test_my_conversations_come_by_their_weakest_utterance(db: Database) -> None:
    with rolled_back(db) as session:
        assert order(session) == ["s1_d_1", "s2_d_2", "s3_d_3"]
        doubt(session, "s3_d_3", 4, 0.2)
        doubt(session, "s2_d_2", 9, 0.3)
        assert order(session) == ["s3_d_3", "s2_d_2", "s1_d_1"]


def test_an_utterance_without_suggestion_or_confidence_is_the_weakest(db: Database) -> None:
    with rolled_back(db) as session:
        doubt(session, "s3_d_3", 4, 0.01)
        doubt(session, "s2_d_2", 9, None)
        assert order(session) == ["s2_d_2", "s3_d_3", "s1_d_1"]
        session.delete(session.get_one(Suggestion, (utterance_id(session, "s1_d_1", 1), 1)))
        session.flush()
        assert order(session) == ["s1_d_1", "s2_d_2", "s3_d_3"]


@pytest.mark.parametrize("confidence", [0.0, 0.4, 1.0, None])
def test_the_place_of_a_blind_conversation_tells_nothing_of_its_proposals(confidence: float | None, db: Database) -> None:
    with rolled_back(db) as session:
        blind(session, "r1", "s1_d_1", "s2_d_2", "s3_d_3")
        before = order(session)
        for conversation in before:
            doubt(session, conversation, 1, confidence)
            assert order(session) == before


def test_blind_conversations_stand_among_the_others(db: Database) -> None:
    with rolled_back(db) as session:
        blind(session, "r1", "s2_d_2")
        doubt(session, "s1_d_1", 1, 0.01)
        assert order(session) == ["s1_d_1", "s3_d_3", "s2_d_2"] or order(session) == ["s1_d_1", "s2_d_2", "s3_d_3"]


def test_the_lead_sees_where_another_tagger_differs(db: Database) -> None:
    tagging.tag(db, Order("local"))
    with db.reading() as session:
        run = runs.any_run(session, 1)
        found, total = weakest_first(session, run, 1)
    assert (total, {one.conversation: one.suggested for one in found}) == (3, {"s1_d_1": 32, "s2_d_2": 38, "s3_d_3": 37})
    assert all(0 < one.differ <= one.suggested for one in found)


def test_without_another_tagger_nothing_differs(db: Database) -> None:
    with db.reading() as session:
        found, _ = weakest_first(session, runs.any_run(session, 1), None)
    assert [one.differ for one in found] == [0, 0, 0]


def test_the_desk_shows_a_probability_where_the_run_was_calibrated(db: Database) -> None:
    with rolled_back(db) as session:
        assert [one.probability for one in row_of(session, "alice", "s1_d_1", 2).proposal] == [0.8, 0.6]
        session.add(Calibration(run_id=1, knots=[[0.0, 0.9], [1.0, 0.9]], figures={}))
        session.add(Calibration(run_id=1, knots=[[0.0, 0.2], [0.8, 0.5]], figures={}))
        session.flush()
        shown = [one.probability for one in row_of(session, "alice", "s1_d_1", 2).proposal]
    assert shown == [0.5, pytest.approx(probability([[0.0, 0.2], [0.8, 0.5]], 0.6))]


def test_the_desk_shows_the_second_choice_and_what_is_odd_and_neither_when_blind(db: Database) -> None:
    with rolled_back(db) as session:
        doubt(session, "s1_d_1", 2, 0.8, second="RP", note="reads like an instruction to the model")
        row = row_of(session, "alice", "s1_d_1", 2)
        assert (row.second, row.note) == ("RP", "reads like an instruction to the model")
        blind(session, "r1", "s1_d_1")
        row = row_of(session, "alice", "s1_d_1", 2)
        assert (row.second, row.note, row.proposal) == ("", "", ())
