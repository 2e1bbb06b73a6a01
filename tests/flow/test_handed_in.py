"""Labels kept side by side at the first submission: always what the decisions say, and what stands now beside them."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select
from sqlmodel import Session

from annotator.db import Database
from annotator.errors import Conflict
from annotator.flow.access import EVERYTHING
from annotator.flow.first_labels import remember_all, side_by_side
from annotator.flow.handed_in import as_it_stands, handed_in
from annotator.flow.intake import import_paths
from annotator.flow.intake_report import Options
from annotator.flow.project import open_project
from annotator.flow.review import Act
from annotator.flow.standing import first_submitted
from annotator.models import FirstLabels
from annotator.settings import Settings
from flow.steps import act, hand_in, label, reopen, rolled_back, undo

CODES = {1: "RTI", 2: "PCT", 3: "IQ"}
ACTS = st.lists(
    st.tuples(
        st.sampled_from(("alice", "bob")), st.sampled_from(("label", "other", "skip", "undo", "hand in", "reopen", "import")),
        st.sampled_from(sorted(CODES)),
    ),
    max_size=25,
)  # fmt: skip


def kept(session: Session) -> dict[int, dict[str, list[Any]]]:
    return {row.assignment_id: row.labels for row in session.scalars(select(FirstLabels))}


def from_decisions(session: Session) -> dict[int, dict[str, list[Any]]]:
    return side_by_side(session, session.execute(first_submitted()).all())


def step(session: Session, name: str, what: str, at: int, folder: Path) -> None:
    with suppress(Conflict):  # such as a label on what is handed in
        if what == "label":
            label(session, name, "s1_d_1", at, CODES[at])
        elif what == "other":
            label(session, name, "s1_d_1", at, "OTH")
        elif what == "skip":
            act(session, name, "s1_d_1", at, Act.SKIP)
        elif what == "undo":
            undo(session, name)
        elif what == "hand in":
            hand_in(session, name, "s1_d_1")
        elif what == "reopen":
            reopen(session, name, "s1_d_1")
        else:
            file = folder / "more.csv"
            file.write_text(f"conversation,utterance,role,annotator,codes,round\ns1_d_1,{at},{ROLES[at]},{name},{CODES[at]},r1\n")
            import_paths(session, [file], None, Options())


ROLES = {1: "Assistant", 2: "Seeker", 3: "Seeker"}


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(acts=ACTS)
def test_what_is_kept_is_what_the_decisions_say(db: Database, tmp_path: Path, acts: list[tuple[str, str, int]]) -> None:
    with rolled_back(db) as session:
        for name, what, at in acts:
            step(session, name, what, at, tmp_path)
            assert kept(session) == from_decisions(session)


def test_a_project_of_before_keeps_its_labels_when_it_is_opened(stage: Any) -> None:
    db = open_project(stage.settings)
    with db.writing() as session:
        label(session, "alice", "s1_d_1", 1, "RTI")
        hand_in(session, "alice", "s1_d_1")
        before = kept(session)
    with db.engine.begin() as connection:
        connection.exec_driver_sql("drop table first_labels")
        connection.exec_driver_sql("update alembic_version set version_num = '20261126_rounds'")
    db.close()
    again = open_project(Settings(project=stage.settings.project))
    with again.reading() as session:
        assert len(before) == 1
        assert kept(session) == before
    again.close()


def test_nothing_is_kept_twice(session: Session) -> None:
    label(session, "alice", "s1_d_1", 1, "RTI")
    hand_in(session, "alice", "s1_d_1")
    before = kept(session)
    remember_all(session)
    assert kept(session) == before
    session.execute(delete(FirstLabels))
    remember_all(session)
    assert kept(session) == before


def test_what_stands_now_is_read_beside_what_was_handed_in(session: Session) -> None:
    for name, code in (("alice", "PCT"), ("bob", "PEP")):
        label(session, name, "s1_d_1", 2, code)
        hand_in(session, name, "s1_d_1")
    assert as_it_stands(session, EVERYTHING) is None
    reopen(session, "bob", "s1_d_1")
    label(session, "bob", "s1_d_1", 2, "PCT")
    found = as_it_stands(session, EVERYTHING)
    assert found is not None
    now, n_changed = found
    assert (n_changed, len(set(now.ratings.label.tolist()))) == (1, 1)
    assert len(set(handed_in(session, EVERYTHING).ratings.label.tolist())) == 2
