"""A project folder: made empty, opened with its taxonomy as it is now, or made as the demo."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from annotator.db import Database
from annotator.errors import BadInput
from annotator.flow import accounts
from annotator.flow.desk import my_conversations
from annotator.flow.project import init_project, make_demo, open_project
from annotator.flow.taxonomy import current
from annotator.models import Conversation, Decision, Role, Run, TaxonomyVersion, User
from annotator.paths import shipped
from annotator.settings import Settings, read_settings
from flow.steps import dump


def test_a_new_project_is_a_folder_with_taxonomy_settings_and_database(tmp_path: Path) -> None:
    init_project(tmp_path / "new" / "project")
    folder = tmp_path / "new" / "project"
    assert {path.name for path in folder.iterdir()} >= {"taxonomy.yaml", "annotator.toml", "annotator.db"}
    assert (folder / "taxonomy.yaml").read_bytes() == shipped("taxonomy.yaml").read_bytes()
    assert read_settings(folder).base_url == "http://127.0.0.1:8000"


def test_a_new_project_has_no_users_and_no_passwords(tmp_path: Path) -> None:
    init_project(tmp_path / "p")
    db = open_project(Settings(project=tmp_path / "p"))
    with db.reading() as session:
        assert {name for name, rows in dump(session).items() if rows} == {"taxonomy_version"}
    db.close()


def test_an_empty_folder_may_become_a_project_and_one_with_files_may_not(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    init_project(tmp_path / "p")
    (tmp_path / "p" / "annotator.db").unlink()
    before = {path.name: path.read_bytes() for path in (tmp_path / "p").iterdir()}
    with pytest.raises(BadInput, match="exists already and is not an empty folder"):
        init_project(tmp_path / "p")
    assert {path.name: path.read_bytes() for path in (tmp_path / "p").iterdir()} == before


def test_a_folder_that_is_no_project_is_refused_and_left_alone(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is no project folder"):
        open_project(Settings(project=tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_opening_twice_changes_nothing(db: Database, stage: object) -> None:
    with db.reading() as session:
        before = dump(session)
    open_project(Settings(project=Path(str(db.url.database)).parent)).close()
    with db.reading() as session:
        assert dump(session) == before


def test_a_database_elsewhere_needs_no_taxonomy_file(tmp_path: Path) -> None:
    db = open_project(Settings(project=tmp_path, database_url=f"sqlite:///{tmp_path / 'x.db'}"))
    with db.reading() as session, pytest.raises(BadInput, match="has no taxonomy yet"):
        current(session)
    db.close()


def test_a_broken_taxonomy_is_said_with_its_line_and_the_older_one_stays(stage: object, db: Database) -> None:
    folder = Path(str(db.url.database)).parent
    file = folder / "taxonomy.yaml"
    file.write_text(file.read_text().replace("key: q", "key: j", 1))
    with pytest.raises(BadInput, match=r"^taxonomy\.yaml, line \d+: the key 'j' of IQ is reserved"):
        open_project(Settings(project=folder))
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(TaxonomyVersion)) == 1


def test_only_sqlite_is_supported_and_a_password_in_the_url_is_not_repeated() -> None:
    with pytest.raises(BadInput, match="is not SQLite") as caught:
        Database("postgresql://me:hunter2@host/db")
    assert "hunter2" not in str(caught.value)


# The demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, dict[str, str | None], list[str]]:
    settings = Settings(project=tmp_path_factory.mktemp("demo") / "annotator-demo")
    said: list[str] = []
    return settings, make_demo(settings, said.append).tokens, said


def test_the_demo_has_a_lead_and_two_annotators_with_links_and_work(demo: tuple[Settings, dict[str, str], list[str]]) -> None:
    settings, tokens, said = demo
    db = Database(settings.database)
    with db.reading() as session:
        people = {accounts.link_owner(session, token).name: accounts.link_owner(session, token).role for token in tokens.values()}
        work = [my_conversations(session, accounts.get_user(session, name))[1] for name in ("ana", "ben")]
        counts = [session.scalar(select(func.count()).select_from(table)) for table in (Conversation, Run, Decision)]
    db.close()
    assert people == {"lea": Role.LEAD, "ana": Role.ANNOTATOR, "ben": Role.ANNOTATOR}
    assert (work, counts) == ([12, 12], [12, 1, 0])
    assert said[0] == "12 sample conversations are in."


def test_the_demo_again_keeps_what_is_there_and_gives_new_links(demo: tuple[Settings, dict[str, str], list[str]]) -> None:
    settings, tokens, _ = demo
    db = Database(settings.database)
    with db.writing() as session:
        accounts.use_link(session, accounts.new_link(session, "ana"), "a long password", days=1)
        before = dump(session)
    again = make_demo(settings, lambda _: None).tokens
    with db.reading() as session:
        after = dump(session)
        assert session.scalar(select(func.count()).select_from(User)) == 3
    db.close()
    assert {name for name in before if before[name] != after[name]} == {"users"}
    assert again["ana"] is None
    assert again["ben"] not in (None, tokens["ben"])
