"""Adding to a round: more conversations, more annotators; what has begun stays where it is, and so does every condition."""

import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from annotator.errors import AnnotatorError, BadInput, Conflict, NotFound
from annotator.flow import accounts, desk
from annotator.flow.accounts import get_user
from annotator.flow.changes import Change
from annotator.flow.round import Wanted, close_round, create_round, extend_round, get_round, plan_extension
from annotator.models import (
    Assignment,
    Comment,
    Conversation,
    Decision,
    ItemDecision,
    ItemField,
    ReasonOpened,
    Role,
    Round,
    Run,
    Submission,
)  # fmt: skip
from flow.campaign import KEYS, PEOPLE, ROUND, as_planned, stands
from flow.steps import assignment, dump, hand_in, label, reopen, utterance_id

SIX = replace(ROUND, selection={"only": ["t?"], "leave_out": ["t6", "t7", "t8", "t9"]}, repeats=0.0)


def begin(session: Session, name: str, *keys: str) -> None:
    """Somebody labels the first utterance of these conversations."""
    for key in keys:
        label(session, name, key, 1, "ASK", round_name="main")


def of_main(session: Session, name: str) -> list[str]:
    return [key for key, names in stands(session).annotators.items() if name in names]


# More conversations


def test_more_conversations_are_dealt_evenly_and_keep_the_share_of_blind_ones(campaign: Session) -> None:
    create_round(campaign, SIX)
    before = stands(campaign)
    plan = extend_round(campaign, "main", selection={"only": list(KEYS)})
    after = stands(campaign)
    assert set(after.conditions) == set(KEYS)
    assert {key: after.conditions[key] for key in before.conditions} == before.conditions
    assert {key: after.annotators[key] for key in before.annotators} == before.annotators
    assert set(after.loads.values()) == {8}
    assert list(after.conditions.values()).count("blind") == 3
    assert (plan.added, plan.moved, plan.newcomers) == (6, 0, ())


def test_what_is_planned_for_an_extension_is_what_comes_and_planning_stores_nothing(campaign: Session) -> None:
    create_round(campaign, replace(SIX, repeats=0.25))
    begin(campaign, "ana", *of_main(campaign, "ana")[:2])
    before = dump(campaign)
    planned = plan_extension(campaign, "main", ["dan"], {"only": ["t9", "t10"]})
    assert dump(campaign) == before
    assert extend_round(campaign, "main", ["dan"], {"only": ["t9", "t10"]}) == planned
    assert stands(campaign) == as_planned(planned.places)


def test_a_sample_is_drawn_from_what_is_not_there_yet(campaign: Session) -> None:
    create_round(campaign, SIX)
    assert extend_round(campaign, "main", selection={"sample": ["4", "1"]}).added == 4
    assert extend_round(campaign, "main", selection={"sample": ["4", "1"]}).added == 2


def test_adding_twice_is_remembered_with_what_was_asked(campaign: Session) -> None:
    create_round(campaign, SIX)
    extend_round(campaign, "main", selection={"only": ["t9"]})
    extend_round(campaign, "main", ["dan"])
    dan = get_user(campaign, "dan").id
    plan = get_round(campaign, "main").plan
    assert plan["added"] == [{"annotators": [], "selection": {"only": ["t9"]}}, {"annotators": [dan], "selection": {}}]
    assert dan in plan["annotators"]


def test_somebody_disabled_keeps_what_is_theirs_and_gets_nothing_new(campaign: Session) -> None:
    create_round(campaign, SIX)
    before = stands(campaign)
    accounts.disable(campaign, "ana")
    extend_round(campaign, "main", selection={"only": ["t9", "t10"]})
    assert stands(campaign).loads["ana"] == before.loads["ana"]
    accounts.disable(campaign, "ben")
    with pytest.raises(BadInput, match="Each conversation would need 2 annotators, and there are 1"):
        extend_round(campaign, "main", selection={"only": ["t11"]})


def test_without_a_run_what_is_added_is_blind_too(campaign: Session) -> None:
    campaign.get_one(Run, 1).finished_at = None
    campaign.flush()
    create_round(campaign, SIX)
    extend_round(campaign, "main", selection={"only": ["t9", "t10"]})
    assert set(stands(campaign).conditions.values()) == {"blind"}


# More annotators


def test_a_newcomer_takes_over_what_has_not_begun(campaign: Session) -> None:
    create_round(campaign, ROUND)
    for name in PEOPLE[:3]:
        begin(campaign, name, *of_main(campaign, name)[:3])
    before = stands(campaign)
    plan = extend_round(campaign, "main", ["dan"])
    after = stands(campaign)
    assert dict(after.loads) == {"ana": 6, "ben": 6, "cem": 6, "dan": 6}
    assert (plan.moved, after.conditions) == (6, before.conditions)
    for key in KEYS:
        named = next((one for one in plan.changes if one.conversation == key), Change(key, (), (), (), ()))
        assert set(named.gone) == set(before.annotators[key]) - set(after.annotators[key])
        assert set(named.come) == set(after.annotators[key]) - set(before.annotators[key])
    assert all(len(names) == 2 for names in after.annotators.values())
    assert all(set(of_main(campaign, name)) >= set(labelled(campaign, name)) for name in PEOPLE[:3])
    assert set(desk_of(campaign, "dan")) == set(of_main(campaign, "dan"))


def labelled(session: Session, name: str) -> list[str]:
    """Conversations in which somebody decided something."""
    rows = select(col(Conversation.key)).join_from(Decision, Assignment).join(Conversation)
    return list(session.scalars(rows.where(col(Assignment.user_id) == get_user(session, name).id)))


def desk_of(session: Session, name: str) -> list[str]:
    return [one.conversation for one in desk.my_conversations(session, get_user(session, name))[0]]


def decided(session: Session, at: int) -> None:
    label(session, "ana", "t0", 1, "ASK", round_name="main")


def handed_in(session: Session, at: int) -> None:
    hand_in(session, "ana", "t0", "main")


def handed_in_and_opened(session: Session, at: int) -> None:
    session.add_all([Submission(assignment_id=at, handed_in=one, last_decision_id=0) for one in (True, False)])


def commented(session: Session, at: int) -> None:
    who = get_user(session, "ben").id or 0
    session.add(Comment(assignment_id=at, utterance_id=utterance_id(session, "t0", 1), user_id=who, body="?", act_key=uuid.uuid4().hex))


def items_chosen(session: Session, at: int) -> None:
    session.add(ItemDecision(assignment_id=at, field=ItemField.CHOSEN, numbers="2"))


def reason_read(session: Session, at: int) -> None:
    session.add(ReasonOpened(assignment_id=at, utterance_id=utterance_id(session, "t0", 1)))


@pytest.mark.parametrize("act", [decided, handed_in, handed_in_and_opened, commented, items_chosen, reason_read])
def test_whatever_somebody_did_is_a_beginning(campaign: Session, act: Callable[[Session, int], None]) -> None:
    create_round(campaign, Wanted("main", ("ana",), overlap=1, selection={"only": ["t0", "t1", "t2", "t3"]}))
    act(campaign, assignment(campaign, "ana", "t0", "main"))
    campaign.flush()
    extend_round(campaign, "main", ["ben", "cem", "dan"])
    assert of_main(campaign, "ana") == ["t0"]
    assert sorted(stands(campaign).loads.values()) == [1, 1, 1, 1]


def test_what_has_not_begun_changes_hands_with_its_row(campaign: Session) -> None:
    create_round(campaign, Wanted("main", ("ana",), overlap=1, selection={"only": ["t0"]}, repeats=0.0))
    create_round(campaign, Wanted("other", ("ana",), overlap=1, selection={"only": ["t0", "t1"]}))
    rows = {row.id for row in campaign.scalars(select(Assignment))}
    extend_round(campaign, "other", ["ben"])
    campaign.expire_all()
    assert {row.id for row in campaign.scalars(select(Assignment))} == rows
    assert stands(campaign, "main").loads == {"ana": 1}


def test_where_all_has_begun_a_newcomer_waits_for_new_conversations(campaign: Session) -> None:
    create_round(campaign, SIX)
    for name in PEOPLE[:3]:
        begin(campaign, name, *of_main(campaign, name))
    plan = extend_round(campaign, "main", ["dan"])
    assert (plan.moved, plan.loads["dan"], plan.annotators) == (0, 0, PEOPLE)
    extend_round(campaign, "main", selection={"only": ["t9", "t10", "t11"]})
    assert stands(campaign).loads["dan"] == 3


def test_where_all_label_everything_a_newcomer_does_too(campaign: Session) -> None:
    create_round(campaign, replace(SIX, overlap=None))
    begin(campaign, "ana", "t0")
    before = stands(campaign)
    plan = extend_round(campaign, "main", ["dan"], {"only": ["t9"]})
    assert plan.moved == 0
    assert dict(stands(campaign).loads) == dict.fromkeys(PEOPLE, 7)
    assert all(set(names) <= set(stands(campaign).annotators[key]) for key, names in before.annotators.items())


def test_a_repeat_goes_where_its_conversation_goes_and_shares_stay_exact(campaign: Session) -> None:
    create_round(campaign, replace(ROUND, repeats=0.5))
    extend_round(campaign, "main", ["dan"])
    after = stands(campaign)
    assert all(set(names) <= set(after.annotators[key]) for key, names in after.repeats.items())
    assert {name: sum(name in names for names in after.repeats.values()) for name in PEOPLE} == dict.fromkeys(PEOPLE, 3)


def test_an_opened_conversation_of_a_first_round_says_nothing_of_a_second(session: Session) -> None:
    hand_in(session, "alice", "s1_d_1")
    reopen(session, "alice", "s1_d_1")
    create_round(session, Wanted("r2", ("alice",), overlap=1))
    extend_round(session, "r2", ["bob", "cem"])
    assert set(stands(session, "r2").loads.values()) == {1}


# What cannot be


@pytest.mark.parametrize(
    ("people", "selection", "kind", "said"),
    [
        ([], {}, BadInput, "Say what to add: annotators, conversations, or both."),
        ([], {"only": [], "sample": []}, BadInput, "Say what to add"),
        (["ana"], {}, Conflict, "ana is in round main already"),
        (["eve"], {}, NotFound, "no user 'eve'"),
        (["rui"], {}, BadInput, "rui is a researcher and cannot annotate"),
        ([], {"only": ["t0", "t1"]}, BadInput, "Round main has all of these conversations already"),
        ([], {"only": ["nowhere"]}, BadInput, "No conversation is called 'nowhere'"),
    ],
)
def test_what_cannot_be_added_is_a_sentence_and_changes_nothing(
    campaign: Session, people: list[str], selection: dict[str, list[str]], kind: type[AnnotatorError], said: str
) -> None:
    accounts.add_user(campaign, "rui", Role.RESEARCHER)
    create_round(campaign, SIX)
    before = dump(campaign)
    for use in (plan_extension, extend_round):
        with pytest.raises(kind) as caught:
            use(campaign, "main", people, selection)
        assert said in str(caught.value)
    assert dump(campaign) == before


def test_a_closed_round_takes_nothing_more(campaign: Session) -> None:
    create_round(campaign, SIX)
    close_round(campaign, "main")
    with pytest.raises(Conflict, match="Round main is closed, so nothing can be added"):
        extend_round(campaign, "main", ["dan"])


def test_a_round_from_a_file_takes_nothing_more(campaign: Session) -> None:
    campaign.add(Round(name="theirs", taxonomy_version_id=1))
    campaign.flush()
    with pytest.raises(BadInput, match="Round theirs came from a file and was never planned"):
        extend_round(campaign, "theirs", ["dan"])
