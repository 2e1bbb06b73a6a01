"""Export, import into a fresh project, export: the same bytes, whatever people did in between."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from annotator.db import Database
from annotator.flow.access import EVERYTHING, view_of
from annotator.flow.accounts import get_user
from annotator.flow.export import export_to
from annotator.flow.intake import import_paths
from annotator.flow.intake_facts import Options
from annotator.flow.review import Act
from annotator.flow.round import create_round
from annotator.settings import Settings
from flow.steps import act, blind, hand_in, role_at, rolled_back, settle

Empty = Callable[[], Database]
FORMATS = {"csv": "export.csv", "jsonl": "export.jsonl", "vogue": "export"}
CODES = {"Seeker": ["PCT", "PEP", "RP", "ACK"], "Assistant": ["RTI", "RP", "ACK", "EP"]}


@pytest.fixture(scope="module")
def fresh_db(empty_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = shutil.copytree(empty_folder, tmp_path_factory.mktemp("fresh") / "project")
    db = Database(Settings(project=Path(folder)).database)
    yield db
    db.close()


def content(path: Path) -> dict[str, bytes]:
    """Every file of an export."""
    if path.is_file():
        return {"": path.read_bytes()}
    return {str(one.relative_to(path)): one.read_bytes() for one in path.rglob("*") if one.is_file()}


def exported(session: Session, folder: Path, format_name: str, **options: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FORMATS[format_name]
    if path.exists():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    export_to(session, EVERYTHING, path, format_name=format_name, **options)
    return path


def there_and_back(session: Session, fresh: Session, folder: Path, format_name: str, name: str | None = None) -> None:
    """Assert that an export is the same after a fresh project took it in."""
    options = {"labels": name} if name else {}
    first = exported(session, folder / "first", format_name, **options)
    import_paths(fresh, [first], None, Options(as_name=name))
    assert content(exported(fresh, folder / "second", format_name, **options)) == content(first)


def work(session: Session, done: list[Any]) -> None:
    """What two people did: `done` holds (who, conversation, position, act, how many codes)."""
    for who, conversation, position, what, many in done:
        if what == "gold":
            settle(session, conversation, position, *CODES[role_at(session, conversation, position)][:many])
        else:
            codes = CODES[role_at(session, conversation, position)][-many:] if what == Act.LABEL else ()
            act(session, who, conversation, position, what, *codes)


steps = st.lists(
    st.tuples(
        st.sampled_from(["alice", "bob"]),
        st.sampled_from(["s1_d_1", "s2_d_2"]),
        st.integers(1, 6),
        st.sampled_from([Act.LABEL, Act.LABEL, Act.CONFIRM, Act.SKIP, Act.FLAG, "gold"]),
        st.integers(1, 3),
    ),
    max_size=25,
)
slow = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.mark.parametrize("format_name", ["csv", "jsonl"])
@slow
@given(done=steps)
def test_everything_people_did_survives_a_round_trip(
    shared_db: Database, fresh_db: Database, tmp_path: Path, format_name: str, done: list[Any]
) -> None:
    with rolled_back(shared_db) as session, rolled_back(fresh_db) as fresh:
        work(session, done)
        there_and_back(session, fresh, tmp_path, format_name)


@slow
@given(done=steps)
def test_the_labels_of_one_annotator_survive_a_round_trip_in_the_corpus_own_format(
    shared_db: Database, fresh_db: Database, tmp_path: Path, done: list[Any]
) -> None:
    with rolled_back(shared_db) as session, rolled_back(fresh_db) as fresh:
        work(session, [("alice", "s1_d_1", 1, Act.CONFIRM, 1), *done])
        there_and_back(session, fresh, tmp_path, "vogue", "alice")


@pytest.mark.parametrize("format_name", ["csv", "jsonl"])
def test_two_rounds_one_of_them_blind_survive_a_round_trip(session: Session, fresh_db: Database, tmp_path: Path, format_name: str) -> None:
    create_round(session, "r2", ["bob", "cem"])
    blind(session, "r2", "s2_d_2")
    work_of = (("alice", "r1", "s1_d_1"), ("bob", "r1", "s2_d_2"), ("bob", "r2", "s2_d_2"), ("cem", "r2", "s1_d_1"))
    for name, round_name, conversation in work_of:
        for position in range(1, 9):
            code = CODES[role_at(session, conversation, position)][position % 3]
            act(session, name, conversation, position, Act.LABEL, code, round_name=round_name)
        hand_in(session, name, conversation, round_name)
    with rolled_back(fresh_db) as fresh:
        there_and_back(session, fresh, tmp_path, format_name)


@pytest.mark.parametrize("format_name", FORMATS)
def test_the_whole_corpus_survives_a_round_trip(vogue_db: Database, empty: Empty, tmp_path: Path, format_name: str) -> None:
    with vogue_db.reading() as session, empty().writing() as fresh:
        there_and_back(session, fresh, tmp_path, format_name, "final")


@pytest.mark.parametrize("format_name", ["csv", "jsonl"])
def test_taking_an_export_back_into_its_own_project_adds_nothing(session: Session, tmp_path: Path, format_name: str) -> None:
    work(session, [("alice", "s1_d_1", 2, Act.CONFIRM, 1), ("bob", "s1_d_1", 2, Act.LABEL, 2), ("", "s1_d_1", 2, "gold", 1)])
    first = exported(session, tmp_path, format_name)
    before = content(first)
    report = import_paths(session, [first], None, Options())
    assert (report.conversations, report.labels, report.known_labels, report.gold) == (0, 0, 2, 0)
    assert content(exported(session, tmp_path, format_name)) == before


@pytest.mark.parametrize(("format_name", "labels"), [("csv", "all"), ("jsonl", "all"), ("convokit", "all"), ("vogue", "annotator-1")])
def test_a_researcher_gets_pseudonyms_and_no_name_anywhere(session: Session, tmp_path: Path, format_name: str, labels: str) -> None:
    for name in ("alice", "bob", "cem", "lea", "rui"):
        get_user(session, name).name = f"{name}-Nachname"
    session.flush()
    work(session, [("alice-Nachname", "s1_d_1", 2, Act.CONFIRM, 1), ("bob-Nachname", "s1_d_1", 2, Act.LABEL, 2)])
    view = view_of(get_user(session, "rui-Nachname"))
    export_to(session, view, tmp_path / "out", format_name=format_name, labels=labels)
    everything = b"".join(content(tmp_path / "out").values())
    assert b"Nachname" not in everything
    assert (b"annotator-1" in everything) == (format_name != "vogue")
    assert b"PCT" in everything


def test_a_researcher_chooses_labels_by_pseudonym_only(session: Session, tmp_path: Path) -> None:
    view = view_of(get_user(session, "rui"))
    with pytest.raises(Exception, match="Nobody here is called 'alice'") as caught:
        export_to(session, view, tmp_path / "x.csv", labels="alice")
    assert "bob" not in str(caught.value)
