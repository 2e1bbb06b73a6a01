"""What stays within reach, and what does not: begun work, blind conversations that are opened again, first passes, discussions."""

import pytest
from sqlalchemy import update
from sqlmodel import Session, col

from annotator.core.agreement import Asked
from annotator.errors import Conflict, Forbidden
from annotator.flow import adjudication, desk, finding, review
from annotator.flow.access import EVERYTHING, agreement_view, view_of
from annotator.flow.accounts import get_user
from annotator.flow.acts import Act
from annotator.flow.agreement import report
from annotator.flow.corpus import export_records
from annotator.flow.intake import import_paths
from annotator.flow.intake_report import Options
from annotator.flow.round import Wanted, create_round, extend_round, plan_round
from annotator.models import User
from annotator.paths import shipped
from flow.golden import SECOND, decide, differ, round_id, say
from flow.steps import act, assignment, blind, close_round, hand_in, label, reopen, repeat_of, role_at, utterance_id

TALK = "s1_d_1"


def listed(session: Session, name: str) -> list[tuple[str, str]]:
    """Round and conversation of what stands in somebody's list."""
    return [(one.round, one.conversation) for one in desk.my_conversations(session, get_user(session, name))[0]]


def blind_round(session: Session, name: str, *people: str) -> None:
    create_round(session, Wanted(name, people, blind=1.0, selection={"only": [TALK]}))


@pytest.mark.parametrize("is_handed_in", [False, True])
def test_begun_work_stays_when_the_same_conversation_comes_blind_later(session: Session, is_handed_in: bool) -> None:
    label(session, "alice", TALK, 1, "RTI")
    if is_handed_in:
        hand_in(session, "alice", TALK)
    blind_round(session, "r2", "alice")
    assert ("r1", TALK) in listed(session, "alice")
    assert desk.open_desk(session, get_user(session, "alice"), assignment(session, "alice", TALK)).row(1).codes == ("RTI",)


def test_what_is_not_begun_waits_for_the_blind_pass(session: Session) -> None:
    blind_round(session, "r2", "alice")
    assert ("r1", TALK) not in listed(session, "alice")
    hand_in(session, "alice", TALK, "r2")
    assert ("r1", TALK) in listed(session, "alice")


def test_a_begun_repeat_stays_when_the_round_grows(session: Session) -> None:
    for conversation in (TALK, "s2_d_2", "s3_d_3"):
        hand_in(session, "alice", conversation)
    repeat_of(session, "alice", TALK)
    again = assignment(session, "alice", TALK, repeat=True)
    review.decide(session, get_user(session, "alice"), again, 1, asked(Act.SKIP))
    import_paths(session, [shipped("sample") / "transcripts" / "s4_d_4.json"], None, Options())
    extend_round(session, "r1", selection={"only": ["s4_d_4"]})
    assert ("r1", "s4_d_4") in listed(session, "alice")
    assert desk.open_desk(session, get_user(session, "alice"), again).row(1).state == "skipped"


def asked(kind: Act) -> review.Asked:
    return review.Asked(act=kind, act_key=f"key-of-{kind}")


def test_what_is_opened_again_is_blind_again(session: Session) -> None:
    blind_round(session, "r2", "lea")
    lea = get_user(session, "lea")
    hand_in(session, "lea", TALK, "r2")
    with pytest.raises(Conflict, match="its proposals are open to you elsewhere"):
        review.reopen(session, lea, assignment(session, "lea", TALK, "r2"))


def test_a_blind_conversation_whose_proposals_came_with_another_round_stays_handed_in(session: Session) -> None:
    blind_round(session, "r2", "alice")
    hand_in(session, "alice", TALK, "r2")
    with pytest.raises(Conflict, match="stays as it was handed in"):
        review.reopen(session, get_user(session, "alice"), assignment(session, "alice", TALK, "r2"))
    with pytest.raises(Conflict, match="Open it again"):
        act(session, "alice", TALK, 1, Act.SKIP, round_name="r2")


def test_a_blind_conversation_that_nothing_gave_away_may_be_opened_again(session: Session) -> None:
    blind(session, "r1", TALK)
    hand_in(session, "alice", TALK)
    reopen(session, "alice", TALK)
    assert label(session, "alice", TALK, 1, "RTI").codes == ("RTI",)


def test_a_lead_who_handed_in_without_a_label_settles_nothing_there(session: Session) -> None:
    at = differ(session)
    create_round(session, Wanted("r2", ("lea",), selection={"only": [TALK]}))
    hand_in(session, "lea", TALK, "r2")
    with pytest.raises(Forbidden, match="nobody settles their own labels"):
        decide(session, at, "PEP")


def test_a_lead_who_never_labelled_may_settle_when_the_round_is_closed(session: Session) -> None:
    at = differ(session)
    create_round(session, Wanted("r2", ("lea",), selection={"only": [TALK]}))
    with pytest.raises(Forbidden):
        decide(session, at, "PEP")
    close_round(session, "r2")
    assert decide(session, at, "PEP").codes == "PEP"


def test_the_first_pass_is_in_no_list_while_its_repeat_is_to_be_done(session: Session) -> None:
    alice = get_user(session, "alice")
    for conversation in (TALK, "s2_d_2", "s3_d_3"):
        hand_in(session, "alice", conversation)
    repeat_of(session, "alice", TALK)
    again = assignment(session, "alice", TALK, repeat=True)
    mine = {one.conversation: one for one in desk.my_conversations(session, alice)[0]}
    assert len(mine) == len(listed(session, "alice")) == 3
    assert (mine[TALK].assignment_id, mine[TALK].handed_in, mine[TALK].n_done) == (again, False, 0)
    assert {one.assignment_id for one in finding.search(session, alice, "jacket wind", 1)[0]} == {again}
    review.hand_in(session, alice, again, with_open=True)
    assert listed(session, "alice").count(("r1", TALK)) == 2


def test_only_those_who_labelled_an_utterance_may_act_in_its_discussion(session: Session) -> None:
    create_round(session, Wanted("r2", ("alice", "bob", "cem"), selection={"only": [TALK]}))
    for name, codes in (("alice", "PEP"), ("bob", "PCT"), ("cem", "")):
        say(session, name, {2: codes} if codes else {3: "PEP"}, round_name="r2")
    adjudication.discuss(session, get_user(session, "lea"), round_id(session, "r2"), utterance_id(session, TALK, 2), "Which?")
    code = SECOND[role_at(session, TALK, 2)]
    assert act(session, "alice", TALK, 2, Act.LABEL, code, round_name="r2").codes == (code,)
    with pytest.raises(Conflict, match="You have handed in"):
        act(session, "cem", TALK, 2, Act.LABEL, code, round_name="r2")


def test_numbers_for_the_others_depend_on_what_nobody_else_knows(session: Session) -> None:
    create_round(session, Wanted("r2", ("alice", "bob", "cem"), selection={"only": [TALK]}))
    for name, codes in (("alice", "PEP"), ("bob", "PEP"), ("cem", "PCT")):
        say(session, name, {2: codes, 3: codes}, round_name="r2")
    close_round(session, "r2")
    alice = agreement_view(get_user(session, "alice"))
    seen = set()
    for secret in range(12):
        session.execute(update(User).where(col(User.name) == "cem").values(password_hash=f"hash-{secret}"))
        session.expire_all()
        pairs = report(session, alice, Asked(round="r2"))["pairs"]
        seen.add(tuple((pair["annotators"][1], pair["pooled"]["po"]) for pair in pairs))
    assert seen == {(("annotator-1", 1.0), ("annotator-2", 0.0)), (("annotator-1", 0.0), ("annotator-2", 1.0))}


def test_a_leads_export_has_everybodys_labels_whatever_they_still_have_to_label(session: Session) -> None:
    label(session, "alice", TALK, 1, "RTI")
    create_round(session, Wanted("r2", ("lea",), selection={"only": [TALK]}))
    of_lead = [repr(one) for one in export_records(session, view_of(get_user(session, "lea")))]
    assert [repr(one) for one in export_records(session, EVERYTHING)] == of_lead


def test_a_plan_says_which_blind_conversations_were_shown_before(session: Session) -> None:
    wanted = Wanted("r2", ("alice", "cem"), overlap=1, blind=1.0)
    plan = plan_round(session, wanted)
    of_alice = sum(place.annotators == ("alice",) for place in plan.places)
    assert plan.shown_before == of_alice > 0
    assert "what they say of these is not blind" in "".join(plan.summary())
    assert plan_round(session, Wanted("r2", ("cem",), blind=1.0)).shown_before == 0
