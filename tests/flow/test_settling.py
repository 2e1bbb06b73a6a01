"""What a lead sees: a step with its labels, the queue in order, what is settled, how far each round is."""

import pytest
from sqlmodel import Session

from annotator.errors import Forbidden
from annotator.flow import adjudication, queue, settling
from annotator.flow.accounts import get_user
from annotator.models import Rule
from flow.golden import decide, differ, round_id
from flow.steps import utterance_id


def test_a_step_shows_the_labels_without_names_in_a_seeded_order(session: Session) -> None:
    at, lea = differ(session), get_user(session, "lea")
    step = settling.step(session, lea, round_id(session))
    assert step is not None
    assert (step.focus.utterance_id, step.number, step.left, step.told) == (at, 1, 30, None)
    assert {one.codes for one in step.options} == {("PEP",), ("PCT",)}
    assert step.union == step.taxonomy.ordered("Seeker", ("PEP", "PCT"))
    assert not {"alice", "bob"} & set(repr(step).replace("'", " ").split())
    assert settling.step(session, lea, round_id(session), at) == step
    orders = {tuple(one.codes for one in settling._options({1: ("PEP",), 2: ("PCT",)}, {}, (1, at, lead))) for lead in range(20)}
    assert len(orders) == 2


def test_the_queue_goes_round(session: Session) -> None:
    at, lea, number = differ(session), get_user(session, "lea"), round_id(session)
    last = utterance_id(session, "s1_d_1", 32)
    step = settling.step(session, lea, number, last)
    assert step is not None
    assert (step.next_id, step.previous_id, step.number) == (at, utterance_id(session, "s1_d_1", 31), 30)
    after = settling.step(session, lea, number, after=last)
    assert after is not None
    assert (after.focus.utterance_id, after.previous_id) == (at, last)


def test_what_is_settled_tells_who_had_said_what(session: Session) -> None:
    at, lea = differ(session), get_user(session, "lea")
    made = decide(session, at, "PIP")
    told = settling.told(session, lea, round_id(session), made.id or 0)
    assert told is not None
    assert [(voice.name, voice.codes, voice.later) for voice in told.voices] == [("alice", ("PEP",), None), ("bob", ("PCT",), None)]
    assert (told.codes, told.by, told.rule) == (("PIP",), "lea", Rule.ADJUDICATED)
    step = settling.step(session, lea, round_id(session), at)
    assert step is not None
    assert (step.told, step.number, step.undoable) == (told, 0, made.id)


def test_the_overview_counts(session: Session) -> None:
    at = differ(session)
    decide(session, utterance_id(session, "s1_d_1", 4), "PEP")
    adjudication.discuss(session, get_user(session, "lea"), round_id(session), at, "Which?")
    [found] = queue.rounds(session, get_user(session, "lea"))
    assert (found.name, found.conversations, found.utterances, found.closed) == ("r1", 1, 32, False)
    assert (found.unanimous, found.unanimous_assisted, found.adjudicated, found.in_discussion, found.waiting) == (0, 2, 1, 1, 28)


def test_the_proposal_is_there_for_a_lead_who_asks(session: Session) -> None:
    at = differ(session)
    found = settling.proposal(session, get_user(session, "lea"), round_id(session), at)
    assert found is not None
    assert found.codes == "PCT|PEP"
    with pytest.raises(Forbidden):
        settling.proposal(session, get_user(session, "alice"), round_id(session), at)
