"""Projects for use cases: empty ones, the whole of VOGUE, and the cast's project with every change rolled back."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from conftest import SHARED, Stage
from sqlmodel import Session
from standin import StandIn

from annotator.db import Database
from annotator.flow.intake import import_paths
from annotator.flow.intake_facts import Options
from annotator.flow.project import init_project
from annotator.settings import Settings
from flow.asked import make_project, talks, use_standin
from flow.campaign import make_campaign
from flow.steps import rolled_back

Empty = Callable[[], Database]


@pytest.fixture(scope="session")
def empty_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty") / "project"
    init_project(folder)
    return folder


@pytest.fixture
def empty(empty_folder: Path, tmp_path: Path) -> Iterator[Empty]:
    """Makes empty projects, closed afterwards."""
    with ExitStack() as stack:

        def make() -> Database:
            folder = Path(shutil.copytree(empty_folder, tmp_path / f"empty-{len(list(tmp_path.glob('empty-*')))}"))
            db = Database(Settings(project=folder).database)
            stack.callback(db.close)
            return db

        yield make


@pytest.fixture(scope="session")
def vogue_folder(empty_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that holds all of VOGUE, its labels as those of `final`."""
    if not SHARED.is_dir():
        pytest.skip(f"The real data is not at {SHARED}.")
    folder = tmp_path_factory.mktemp("vogue") / "project"
    shutil.copytree(empty_folder, folder)
    db = Database(Settings(project=folder).database)
    with db.writing() as session:
        import_paths(session, [SHARED / "vogue" / "original"], None, Options(as_name="final"))
    db.close()
    return folder


@pytest.fixture
def vogue_db(vogue_folder: Path, tmp_path: Path) -> Iterator[Database]:
    """A copy of the VOGUE project, this test's own."""
    folder = shutil.copytree(vogue_folder, tmp_path / "vogue-project")
    db = Database(Settings(project=Path(folder)).database)
    yield db
    db.close()


@pytest.fixture(scope="session")
def shared_db(built: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The cast's project for many tests: use it with `rolled_back` only."""
    folder = shutil.copytree(built.settings.project, tmp_path_factory.mktemp("shared") / "project")
    db = Database(Settings(project=Path(folder)).database)
    yield db
    db.close()


@pytest.fixture
def session(shared_db: Database) -> Iterator[Session]:
    """One transaction on the cast's project, rolled back after the test."""
    with rolled_back(shared_db) as opened:
        yield opened


@pytest.fixture(scope="session")
def quick() -> Iterator[StandIn]:
    with StandIn.start() as standin:
        yield standin


@pytest.fixture(scope="session")
def slow() -> Iterator[StandIn]:
    with StandIn.start(latency=0.15) as standin:
        yield standin


@pytest.fixture
def standin(quick: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """A stand-in for Gemini that the real client finds."""
    quick.reset()
    use_standin(monkeypatch, quick)
    return quick


@pytest.fixture
def sluggish(slow: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """One that takes its time, so that a run can be stopped in the middle."""
    slow.reset()
    use_standin(monkeypatch, slow)
    return slow


@pytest.fixture
def talking(tmp_path: Path) -> Iterator[Database]:
    """A project of twelve conversations of six utterances, with a small taxonomy."""
    database = make_project(tmp_path / "p", talks(12))
    yield database
    database.close()


@pytest.fixture(scope="session")
def campaign_db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A project to plan rounds in, for many tests: use it with `rolled_back` only."""
    database = make_campaign(tmp_path_factory.mktemp("campaign") / "p")
    yield database
    database.close()


@pytest.fixture
def campaign(campaign_db: Database) -> Iterator[Session]:
    """One transaction on the project to plan rounds in, rolled back after the test."""
    with rolled_back(campaign_db) as opened:
        yield opened
