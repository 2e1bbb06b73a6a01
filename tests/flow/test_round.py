"""Rounds: made as planned over one pinned run and one taxonomy version, and never overwritten. Adding is test_extension.py's."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlmodel import Session, col

from annotator.core.taxonomy import parse_taxonomy
from annotator.db import Database
from annotator.errors import AnnotatorError, BadInput, Conflict, NotFound
from annotator.flow import accounts, desk, intake
from annotator.flow.accounts import get_user
from annotator.flow.intake_report import Options
from annotator.flow.round import Wanted, close_round, create_round, extend_round, get_round, list_rounds, plan_round
from annotator.flow.runs import Order
from annotator.flow.tagging import tag
from annotator.flow.taxonomy import adopt, find_version
from annotator.models import Assignment, Condition, Gold, Role, Round, RoundConversation, Run, TaxonomyVersion
from flow.asked import SMALL
from flow.campaign import PEOPLE, ROUND, as_planned, stands
from flow.steps import assignment, dump, hand_in, label


def conditions(session: Session, name: str) -> set[str]:
    rows = select(RoundConversation).join(Round, col(Round.id) == col(RoundConversation.round_id)).where(col(Round.name) == name)
    return {one.condition for one in session.scalars(rows)}


def test_everybody_named_gets_every_conversation_in_the_order_it_came(session: Session) -> None:
    made = create_round(session, Wanted("r2", ("cem", "lea", "cem")))
    assert (made.conversations, made.annotators, made.run_id) == (3, ("cem", "lea"), 1)
    for name in ("cem", "lea"):
        mine = [one for one in desk.my_conversations(session, get_user(session, name))[0] if one.round == "r2"]
        assert [one.conversation for one in mine] == ["s1_d_1", "s2_d_2", "s3_d_3"]


def test_a_round_keeps_the_run_and_the_version_of_its_day(db: Database) -> None:
    tag(db, Order("scripted"))
    with db.reading() as session:
        first = session.get_one(Round, 1)
        assert (first.run_id, first.taxonomy_version_id, first.closed_at) == (1, 1, None)


@pytest.mark.parametrize(("asked", "pinned"), [(None, 2), (1, 1)])
def test_a_round_shows_the_newest_run_unless_another_is_asked_for(db: Database, asked: int | None, pinned: int) -> None:
    tag(db, Order("scripted"))
    with db.writing() as session:
        assert create_round(session, Wanted("r2", ("cem",), run_id=asked)).run_id == pinned
        assert conditions(session, "r2") == {Condition.ASSISTED}


def test_without_a_run_a_round_is_blind(session: Session) -> None:
    for run in session.scalars(select(Run)):
        run.finished_at = None
    session.flush()
    assert create_round(session, Wanted("r2", ("cem",))).run_id is None
    assert conditions(session, "r2") == {Condition.BLIND}
    opened = desk.open_desk(session, get_user(session, "cem"), assignment(session, "cem", "s1_d_1", "r2"))
    assert not opened.assisted
    assert not any(row.proposal for row in opened.rows)


@pytest.mark.parametrize(
    ("name", "people", "run", "kind", "said"),
    [
        ("r1", ["cem"], None, Conflict, "There is a round r1 already"),
        (" r1 ", ["cem"], None, Conflict, "There is a round r1 already"),
        ("  ", ["cem"], None, BadInput, "cannot be a round's name"),
        ("x" * 61, ["cem"], None, BadInput, "cannot be a round's name"),
        ("a\nb", ["cem"], None, BadInput, "cannot be a round's name"),
        ("r2", [], None, BadInput, "at least one annotator"),
        ("r2", ["cem", "eve"], None, NotFound, "no user 'eve'"),
        ("r2", ["rui"], None, BadInput, "rui is a researcher and cannot annotate"),
        ("r2", ["cem"], 9, BadInput, "no finished run 9. Finished: 1"),
        ("r2", ["cem", "eve"], 9, NotFound, "no user 'eve'"),
    ],
)
def test_a_round_that_cannot_be_is_refused_and_adds_nothing(
    session: Session, name: str, people: list[str], run: int | None, kind: type[AnnotatorError], said: str
) -> None:
    before = dump(session)
    with pytest.raises(kind) as caught:
        create_round(session, Wanted(name, tuple(people), run_id=run))
    assert said in str(caught.value)
    assert dump(session) == before


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Wanted("r2", ("cem", "bob"), overlap=0), "The overlap is how many annotators each conversation gets: 1 or more, not 0."),
        (Wanted("r2", ("cem", "bob", "cem"), overlap=3), "Each conversation would need 3 annotators, and there are 2. Name more"),
        (Wanted("r2", ("cem",), blind=-0.1), "The share of blind is a number from 0 to 1 (0.2 is a fifth), not -0.1."),
        (Wanted("r2", ("cem",), blind=20), "not 20."),
        (Wanted("r2", ("cem",), blind=float("nan")), "not nan."),
        (Wanted("r2", ("cem",), repeats=1.01), "The share of repeats is a number from 0 to 1"),
        (Wanted("r2", ("cem",), taxonomy="zz"), "There is no taxonomy version 'zz'. Known: "),
        (Wanted("r2", ("cem",), selection={"only": ["nowhere"]}), "No conversation is called 'nowhere'"),
        (Wanted("r2", ("cem",), selection={"leave_out": ["*"]}), "No conversation is left of those that were chosen"),
        (Wanted("r2", ("cem",), instructions="x" * 20_001), "The instructions have 20,001 characters; 20,000 is the most."),
    ],
)
def test_what_cannot_be_wanted_is_a_sentence_for_plan_and_round(session: Session, wanted: Wanted, said: str) -> None:
    before = dump(session)
    for use in (plan_round, create_round):
        with pytest.raises(AnnotatorError) as caught:
            use(session, wanted)
        assert said in str(caught.value)
    assert dump(session) == before


def test_a_run_that_goes_on_cannot_be_pinned(session: Session) -> None:
    session.get_one(Run, 1).finished_at = None
    session.flush()
    with pytest.raises(BadInput, match="no finished run 1. Finished: none"):
        create_round(session, Wanted("r2", ("cem",), run_id=1))


def test_somebody_disabled_is_given_nothing(session: Session) -> None:
    accounts.disable(session, "cem")
    with pytest.raises(BadInput, match="cem is disabled and cannot annotate"):
        create_round(session, Wanted("r2", ("cem",)))


def test_a_name_of_imported_labels_can_be_given_work_before_it_has_a_link(session: Session) -> None:
    accounts.named(session, "dora")
    assert create_round(session, Wanted("r2", ("dora",))).annotators == ("dora",)
    accounts.add_user(session, "dora", Role.ANNOTATOR)
    assert desk.my_conversations(session, get_user(session, "dora"))[1] == 3


def test_a_project_without_conversations_has_no_rounds(empty: Callable[[], Database]) -> None:
    with empty().writing() as session:
        accounts.add_user(session, "ana", Role.ANNOTATOR)
        with pytest.raises(BadInput, match="There are no conversations with roles of the taxonomy yet"):
            create_round(session, Wanted("r1", ("ana",)))
        assert list_rounds(session) == []


def test_conversations_that_nobody_could_label_stay_out_of_a_round(session: Session, tmp_path: Path) -> None:
    talk = tmp_path / "talk.txt"
    talk.write_text("User: A fridge, please.\nSystem: Which size?\n", encoding="utf-8")
    report = intake.import_paths(session, [talk], None, Options())
    made = create_round(session, Wanted("r2", ("cem",)))
    assert (report.roles_without_codes, made.conversations, made.left_out) == (["System", "User"], 3, 1)


def test_rounds_are_listed_with_their_sizes_and_without_what_was_imported(session: Session) -> None:
    create_round(session, Wanted("r2", ("cem",)))
    session.add(Round(name="", taxonomy_version_id=1))
    session.flush()
    assert [(made.name, conversations, people) for made, conversations, people in list_rounds(session)] == [("r1", 3, 2), ("r2", 3, 1)]


# As it was planned


def test_what_is_planned_is_what_is_made(campaign: Session) -> None:
    planned = plan_round(campaign, ROUND)
    made = create_round(campaign, ROUND)
    assert made == planned
    assert stands(campaign) == as_planned(planned.places)


def test_the_same_seed_draws_the_same_in_another_round(campaign: Session) -> None:
    create_round(campaign, ROUND)
    create_round(campaign, replace(ROUND, name="again", annotators=("cem", "ana", "ben")))
    assert stands(campaign, "again") == stands(campaign)
    create_round(campaign, replace(ROUND, name="other", seed=8))
    assert stands(campaign, "other") != stands(campaign)


def test_a_round_remembers_how_it_was_drawn_and_what_annotators_are_told(campaign: Session) -> None:
    create_round(campaign, replace(ROUND, instructions="# Read this\n", selection={"only": ["t*"]}))
    found = get_round(campaign, "main")
    people = sorted(get_user(campaign, name).id or 0 for name in PEOPLE[:3])
    drawn = {"overlap": 2, "blind": 0.25, "repeats": 0.25, "seed": 7, "selection": {"only": ["t*"]}, "annotators": people}
    assert (found.plan, found.instructions) == (drawn, "# Read this\n")


@pytest.mark.parametrize(
    ("selection", "keys"),
    [
        ({"only": ["t1", "t1?"]}, {"t1", "t10", "t11"}),
        ({"only": ["t1*"], "leave_out": ["t11"]}, {"t1", "t10"}),
        ({"leave_out": ["t?"]}, {"t10", "t11"}),
    ],
)
def test_a_round_of_some_conversations(campaign: Session, selection: dict[str, list[str]], keys: set[str]) -> None:
    create_round(campaign, replace(ROUND, selection=selection))
    assert set(stands(campaign).conditions) == keys


def test_a_sample_is_drawn_by_its_own_seed(campaign: Session) -> None:
    wanted = replace(ROUND, selection={"sample": ["5", "3"]})
    first, second = (plan_round(campaign, replace(wanted, seed=seed)) for seed in (1, 2))
    assert first.conversations == 5
    assert {place.conversation for place in first.places} == {place.conversation for place in second.places}


def test_an_older_taxonomy_version_can_be_pinned_by_the_beginning_of_its_fingerprint(campaign: Session) -> None:
    old = plan_round(campaign, ROUND).taxonomy
    adopt(campaign, parse_taxonomy(SMALL.replace("name: ASK,", "name: Asks,")))
    assert plan_round(campaign, ROUND).taxonomy != old
    assert plan_round(campaign, replace(ROUND, taxonomy=old[:6])).taxonomy == old
    with pytest.raises(BadInput, match="begins several versions"):
        find_version(campaign, "")


def test_a_run_whose_codes_the_version_lacks_is_refused(campaign: Session) -> None:
    adopt(campaign, parse_taxonomy("\n".join(line for line in SMALL.splitlines() if "code: ASK," not in line)))
    with pytest.raises(BadInput, match=r"Run 1 proposes codes that taxonomy \w{12} lacks: Seeker ASK\. Choose another run or version"):
        create_round(campaign, ROUND)
    old = campaign.get_one(TaxonomyVersion, 1).fingerprint
    assert create_round(campaign, replace(ROUND, taxonomy=old)).taxonomy_version_id == 1


def test_repeats_count_nowhere_twice_and_come_when_all_else_is_handed_in(campaign: Session) -> None:
    create_round(campaign, ROUND)
    assert [(conversations, people) for _, conversations, people in list_rounds(campaign)] == [(12, 3)]
    ana = get_user(campaign, "ana")
    mine = {one.conversation for one in desk.my_conversations(campaign, ana)[0]}
    assert len(mine) == desk.my_conversations(campaign, ana)[1] == 8
    for conversation in mine:
        hand_in(campaign, "ana", conversation, "main")
    campaign.flush()
    listed = [one.conversation for one in desk.my_conversations(campaign, ana)[0]]
    assert sorted(listed) == sorted(mine)
    assert desk.my_conversations(campaign, ana)[1] == 8
    assert sum(not one.handed_in for one in desk.my_conversations(campaign, ana)[0]) == 2


# Closing and finding


def test_a_round_is_closed_once_and_open_work_stays_as_it_is(session: Session) -> None:
    label(session, "alice", "s1_d_1", 1, "EF")
    before = dump(session)
    assert close_round(session, "r1").closed_at is not None
    after = dump(session)
    assert {name for name in before if before[name] != after[name]} == {"round"}
    with pytest.raises(Conflict, match=r"Round r1 was closed on \d\d \w+ \d{4} already\."):
        close_round(session, "r1")


def test_closing_settles_what_two_labelled_alike(session: Session) -> None:
    for name in ("alice", "bob"):
        label(session, name, "s1_d_1", 1, "EF")
        hand_in(session, name, "s1_d_1")
    close_round(session, "r1")
    assert {row.codes for row in session.scalars(select(Gold))} == {"EF"}


@pytest.mark.parametrize("name", ["r9", "", " "])
def test_a_round_that_is_not_there_is_a_sentence(session: Session, name: str) -> None:
    session.add(Round(name="", taxonomy_version_id=1))
    session.flush()
    for use in (close_round, get_round, extend_round):
        with pytest.raises(NotFound, match=f"There is no round '{name}'. Known: r1."):
            use(session, name)


def test_a_second_round_leaves_the_first_as_it_was(session: Session) -> None:
    before = dump(session)["assignment"]
    create_round(session, Wanted("r2", ("alice", "bob")))
    assert dump(session)["assignment"][: len(before)] == before
    assert session.scalar(select(func.count()).select_from(Assignment)) == 12
