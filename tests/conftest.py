"""What all tests share: one project with a fixed cast, built once by the real use cases and copied for each test.

Alice, Bob and Cem annotate, Lea leads, Rui researches, Eve is nobody. Three sample conversations, a scripted run, round r1.
"""

import gc
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from terminal import Run, run_main

from annotator.db import Database
from annotator.flow import accounts, intake, tagging
from annotator.flow.intake_report import Options
from annotator.flow.project import init_project, open_project
from annotator.flow.round import Wanted, create_round
from annotator.flow.runs import Order
from annotator.models import Role, User
from annotator.paths import shipped
from annotator.settings import Settings
from annotator.web.app import create_app
from annotator.web.deps import COOKIE

CAST = {"alice": Role.ANNOTATOR, "bob": Role.ANNOTATOR, "cem": Role.ANNOTATOR, "lea": Role.LEAD, "rui": Role.RESEARCHER}
PASSWORD = "correct horse battery"
CONVERSATIONS = ("s1_d_1", "s2_d_2", "s3_d_3")
# How long an example takes depends on what else the machine does.
hypothesis_settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("steady")

SHARED = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="module", autouse=True)
def what_is_loaded_stays() -> None:
    """As in a served process: pages that give memory back need not look each time through all that other tests left."""
    gc.freeze()


@dataclass(frozen=True)
class Stage:
    """A project with its cast; `tokens` signs a browser in as somebody."""

    settings: Settings
    tokens: dict[str, str]


def build_stage(folder: Path) -> Stage:
    """Make the project that every test starts from."""
    init_project(folder)
    settings = Settings(project=folder)
    db = open_project(settings)
    script = folder / "script.json"
    script.write_text(json.dumps({"s1_d_1": {"1": {"RTI": 0.9}, "2": {"PCT": 0.8, "PEP": 0.6}}}))
    files = [shipped("sample") / "transcripts" / f"{name}.json" for name in CONVERSATIONS]
    with db.writing() as session:
        intake.import_paths(session, files, None, Options())
    tagging.tag(db, Order("scripted", {"script": str(script)}))
    tokens = {}
    with db.writing() as session:
        for name, role in CAST.items():
            link = accounts.add_user(session, name, role)
            tokens[name] = accounts.use_link(session, link, PASSWORD, days=30)
        create_round(session, Wanted("r1", ("alice", "bob")))
    db.close()
    return Stage(settings, tokens)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return build_stage(tmp_path_factory.mktemp("stage") / "project")


@pytest.fixture
def stage(built: Stage, tmp_path: Path) -> Stage:
    """A copy of the project, this test's own."""
    folder = tmp_path / "project"
    shutil.copytree(built.settings.project, folder)
    return Stage(Settings(project=folder), built.tokens)


@pytest.fixture
def db(stage: Stage) -> Iterator[Database]:
    database = Database(stage.settings.database)
    yield database
    database.close()


@pytest.fixture
def person(db: Database) -> Callable[[str], User]:
    """The user of a name."""

    def find(name: str) -> User:
        with db.reading() as session:
            return accounts.get_user(session, name)

    return find


@pytest.fixture
def browse(stage: Stage) -> Iterator[Callable[[str], TestClient]]:
    """A signed-in client per person, without script: it follows no redirects. `eve` is not signed in."""
    with TestClient(create_app(stage.settings), follow_redirects=False) as app_client:

        def as_person(name: str) -> TestClient:
            client = TestClient(app_client.app, follow_redirects=False)
            client.headers["sec-fetch-site"] = "same-origin"
            if name in stage.tokens:
                client.cookies.set(COOKIE, stage.tokens[name])
            return client

        yield as_person


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command."""
    return partial(run_main, capfd)


@pytest.fixture
def project(stage: Stage, run: Run) -> Run:
    """Run a command on the project of the cast."""
    return lambda *words: run(*words, "--project", stage.settings.project)


@pytest.fixture
def data() -> Path:
    """The folder of real data beside the checkout; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the real data is not beside this checkout (../shared/data)")
    return SHARED


@pytest.fixture
def vogue(data: Path) -> Path:
    """The published VOGUE folder."""
    return data / "vogue" / "original"
