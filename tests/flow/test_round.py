"""Rounds: all conversations for all named annotators, over one pinned run and one taxonomy version."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlmodel import Session, col

from annotator.db import Database
from annotator.errors import AnnotatorError, BadInput, Conflict, NotFound
from annotator.flow import accounts, desk, intake
from annotator.flow.accounts import get_user
from annotator.flow.intake_report import Options
from annotator.flow.round import Wanted, create_round, list_rounds
from annotator.flow.runs import Order
from annotator.flow.tagging import tag
from annotator.models import Assignment, Condition, Role, Round, RoundConversation, Run
from flow.steps import assignment, dump


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


def test_a_second_round_leaves_the_first_as_it_was(session: Session) -> None:
    before = dump(session)["assignment"]
    create_round(session, Wanted("r2", ("alice", "bob")))
    assert dump(session)["assignment"][: len(before)] == before
    assert session.scalar(select(func.count()).select_from(Assignment)) == 12
