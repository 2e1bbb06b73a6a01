"""A project folder: `taxonomy.yaml`, `annotator.toml`, `annotator.db`. Made empty, or as the demo."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session

from annotator.db import Database
from annotator.errors import BadInput, Conflict
from annotator.flow import accounts, intake, tagging
from annotator.flow.first_labels import remember_all
from annotator.flow.intake_report import Options
from annotator.flow.round import Wanted, create_round, list_rounds
from annotator.flow.runs import Order
from annotator.flow.taxonomy import adopt, read_taxonomy
from annotator.models import Role
from annotator.paths import shipped
from annotator.settings import Settings

_TOML = """\
# Settings of this project. Every one is also an environment variable: ANNOTATOR_BASE_URL and so on.

# The address people open; one-time links start with it. Other machines need https here (a proxy in front ends it).
base_url = "{base_url}"
"""

DEMO_PEOPLE = (("lea", Role.LEAD), ("ana", Role.ANNOTATOR), ("ben", Role.ANNOTATOR))


def open_project(settings: Settings) -> Database:
    """The project's database, up to date. The project's taxonomy becomes its newest version, or this says why it cannot."""
    if not settings.taxonomy_file.exists() and not settings.database_url:
        raise BadInput(f"{settings.project.resolve()} is no project folder: it has no taxonomy.yaml. `annotator init DIR` makes one.")
    db = Database(settings.database)
    if db.migrate():
        with db.writing() as session:
            remember_all(session)
    if settings.taxonomy_file.exists():
        found = read_taxonomy(settings)
        with db.writing() as session:
            adopt(session, found)
    return db


def init_project(folder: Path, base_url: str = "http://127.0.0.1:8000") -> None:
    """Make a new project folder with the shipped taxonomy."""
    if folder.exists() and (folder.is_file() or any(folder.iterdir())):
        raise BadInput(f"{folder} exists already and is not an empty folder. Choose a new name.")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(shipped("taxonomy.yaml"), folder / "taxonomy.yaml")
    (folder / "annotator.toml").write_text(_TOML.format(base_url=base_url), encoding="utf-8")
    open_project(Settings(project=folder)).close()


@dataclass(frozen=True, slots=True)
class Demo:
    """People of the demo and their one-time links' tokens; None for who chose a password before."""

    tokens: dict[str, str | None]


def make_demo(settings: Settings, say: Callable[[str], None]) -> Demo:
    """The sample, its first pass, a round, a lead and two annotators. Whatever is there already stays as it is."""
    if not settings.taxonomy_file.exists():
        init_project(settings.project, settings.base_url)
    db = open_project(settings)
    with db.writing() as session:
        report = intake.import_paths(session, [shipped("sample")], "vogue", Options())
    say(f"{report.conversations + report.known_conversations} sample conversations are in.")
    with db.reading() as session:
        rounds = list_rounds(session)
    if not rounds:
        run = tagging.tag(db, Order())
        say(f"First pass: the local tagger proposed codes for {run.n_utterances} utterances in {run.seconds:.1f} s.")
    with db.writing() as session:
        tokens = {name: _demo_token(session, name, role) for name, role in DEMO_PEOPLE}
        if not rounds:
            create_round(session, Wanted("demo", tuple(name for name, role in DEMO_PEOPLE if role == Role.ANNOTATOR)))
    db.close()
    return Demo(tokens)


def _demo_token(session: Session, name: str, role: Role) -> str | None:
    try:
        return accounts.add_user(session, name, role)
    except Conflict:
        user = accounts.get_user(session, name)
        return None if user.password_hash else accounts.new_link(session, name)
