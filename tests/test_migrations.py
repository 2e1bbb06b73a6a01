"""The schema: made by migrations alone, up and down again, and the same as the models say."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect
from sqlmodel import SQLModel, select

from annotator.db import Database, alembic_config
from annotator.errors import BadInput
from annotator.models import User
from annotator.paths import shipped

SCRIPTS = sorted((shipped("migrations") / "versions").glob("*.py"))


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Database]:
    db = Database(f"sqlite:///{tmp_path / 'x.db'}")
    yield db
    db.close()


def schema(connection: Connection) -> dict[str, str | None]:
    """Every table and index as SQLite wrote it down."""
    rows = connection.exec_driver_sql("select name, sql from sqlite_master where name not like 'sqlite_%'")
    return {name: sql for name, sql in rows if name != "alembic_version"}


def test_up_down_and_up_again_gives_the_same_schema(fresh: Database) -> None:
    fresh.migrate()
    with fresh.engine.connect() as connection:
        first = schema(connection)
        command.downgrade(alembic_config(connection), "base")
        assert schema(connection) == {}
        command.upgrade(alembic_config(connection), "head")
        assert schema(connection) == first
    assert fresh.is_current()


def test_the_migrations_make_what_the_models_say(fresh: Database) -> None:
    fresh.migrate()
    with fresh.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_a_database_without_tables_is_not_current_until_it_is_migrated(fresh: Database) -> None:
    assert not fresh.is_current()
    fresh.migrate()
    assert fresh.is_current()


def test_migrating_twice_changes_nothing_and_keeps_the_rows(fresh: Database) -> None:
    fresh.migrate()
    with fresh.writing() as session:
        session.add(User(name="ana", role="annotator"))
    fresh.migrate()
    with fresh.reading() as session:
        assert [user.name for user in session.scalars(select(User))] == ["ana"]


def test_every_constraint_has_a_name(fresh: Database) -> None:
    fresh.migrate()
    with fresh.engine.connect() as connection:
        found = inspect(connection)
        for table in set(found.get_table_names()) - {"alembic_version"}:
            keys = [found.get_pk_constraint(table), *found.get_foreign_keys(table), *found.get_unique_constraints(table)]
            assert all(key["name"] for key in keys), table


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_migration_has_a_date_a_name_and_a_way_back(script: Path) -> None:
    assert re.fullmatch(r"20\d{6}_[a-z0-9_]+", script.stem)
    text = script.read_text()
    assert f'revision = "{script.stem}"' in text
    assert not re.search(r"^(from|import) annotator", text, re.MULTILINE)
    assert text.partition("def downgrade() -> None:")[2].strip() not in ("", "pass")


# The database that holds it


def test_what_is_acknowledged_is_on_disk(fresh: Database) -> None:
    with fresh.engine.connect() as connection:
        pragmas = [connection.exec_driver_sql(f"pragma {name}").scalar() for name in ("journal_mode", "synchronous", "foreign_keys")]
    assert pragmas == ["wal", 2, 1]


def test_a_failed_block_leaves_nothing(fresh: Database) -> None:
    fresh.migrate()

    def fail() -> None:
        with fresh.writing() as session:
            session.add(User(name="ana", role="annotator"))
            session.flush()
            raise BadInput("no")

    with pytest.raises(BadInput):
        fail()
    with fresh.reading() as session:
        assert session.scalars(select(User)).all() == []


def test_a_backup_is_a_whole_database_and_replaces_nothing(fresh: Database, tmp_path: Path) -> None:
    fresh.migrate()
    with fresh.writing() as session:
        session.add(User(name="ana", role="annotator"))
    fresh.backup(tmp_path / "copy.db")
    copy = Database(f"sqlite:///{tmp_path / 'copy.db'}")
    with copy.reading() as session:
        assert [user.name for user in session.scalars(select(User))] == ["ana"]
    copy.close()
    with pytest.raises(BadInput, match="exists already"):
        fresh.backup(tmp_path / "copy.db")
