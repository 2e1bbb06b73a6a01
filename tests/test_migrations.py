"""The schema: made by migrations alone, up and down again, and the same as the models say."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel, select

from annotator.db import Database, alembic_config
from annotator.errors import BadInput
from annotator.models import Assignment, Decision, Kind, Round, Submission, User
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


# What people did, over a migration

BEFORE_ROUNDS = "20261126_first_pass"
KEPT = ("users", "round", "round_conversation", "assignment", "decision", "submission", "gold")
WORK = """
insert into users (id, name, role, created_at) values (1, 'ana', 'annotator', :t), (2, 'ben', 'annotator', :t);
insert into taxonomy_version (id, fingerprint, source, adopted_at) values (1, 'abc', '', :t);
insert into conversation (id, key, text_hash, meta, n_utterances, created_at)
 values (1, 'c1', 'h', '{}', 1, :t), (2, 'c2', 'i', '{}', 1, :t);
insert into turn (conversation_id, position, number, role, timestamp) values (1, 1, 1, 'Seeker', ''), (2, 1, 1, 'Seeker', '');
insert into utterance (id, conversation_id, position, turn_position, key, role, text)
 values (1, 1, 1, 1, '1', 'Seeker', 'Hi'), (2, 2, 1, 1, '1', 'Seeker', 'Hello');
insert into round (id, name, run_id, taxonomy_version_id, created_at, closed_at) values (1, 'r1', null, 1, :t, null);
insert into round_conversation (round_id, conversation_id, condition) values (1, 1, 'blind'), (1, 2, 'assisted');
insert into assignment (id, round_id, conversation_id, user_id) values (1, 1, 1, 1), (2, 1, 2, 1), (7, 1, 1, 2);
insert into decision
 (id, assignment_id, utterance_id, kind, codes, retracts_id, act_key, taxonomy_version_id, condition, seconds, decided_at) values
 (1, 1, 1, 'change', 'ASK', null, 'a', 1, 'blind', null, :t), (2, 1, 1, 'retract', '', 1, 'b', 1, 'blind', 1.5, :t),
 (3, 7, 1, 'change', 'ASK|RP', null, 'a', 1, 'blind', 2.5, :t);
insert into submission (id, assignment_id, handed_in, last_decision_id, submitted_at) values (1, 7, 1, 3, :t);
insert into gold (id, utterance_id, codes, rule, user_id, settled_at) values (1, 1, 'ASK', 'unanimous', null, :t)
"""


def rows(connection: Connection) -> dict[str, list[dict[str, object]]]:
    """What people did, table by table, column by column."""
    return {table: [dict(row) for row in connection.exec_driver_sql(f"select * from {table} order by 1, 2").mappings()] for table in KEPT}


def is_within(before: dict[str, list[dict[str, object]]], after: dict[str, list[dict[str, object]]]) -> bool:
    """Every row is there with all it held; it may have got columns."""
    pairs = [(old, new) for table in KEPT for old, new in zip(before[table], after[table], strict=True)]
    return all(old.items() <= new.items() for old, new in pairs)


@pytest.fixture
def worked(fresh: Database) -> Database:
    """A database of before rounds were planned, in which people labelled and handed in."""
    with fresh.engine.connect() as connection:
        command.upgrade(alembic_config(connection), BEFORE_ROUNDS)
    with fresh.engine.begin() as connection:
        for statement in WORK.strip().split(";\n"):
            connection.exec_driver_sql(statement.replace(":t", "'2026-11-25 10:00:00.000000'"))
    return fresh


def test_migrating_keeps_what_people_did(worked: Database) -> None:
    with worked.engine.connect() as connection:
        before = rows(connection)
    assert (len(before["assignment"]), len(before["decision"]), len(before["submission"])) == (3, 3, 1)
    worked.migrate()
    with worked.engine.connect() as connection:
        after = rows(connection)
        assert connection.exec_driver_sql("pragma foreign_key_check").all() == []
    assert is_within(before, after)
    assert {row["repeat"] for row in after["assignment"]} == {0}
    with worked.reading() as session:
        assert [one.instructions for one in session.scalars(select(Round))] == [""]
        assert [one.plan for one in session.scalars(select(Round))] == [{}]


def test_going_back_keeps_what_people_did_but_for_repeats(worked: Database) -> None:
    with worked.engine.connect() as connection:
        before = rows(connection)
    worked.migrate()
    with worked.writing() as session:
        session.add(Assignment(id=8, round_id=1, conversation_id=1, user_id=2, repeat=True))
        session.flush()
        session.add(Submission(assignment_id=8, handed_in=True, last_decision_id=0))
        said = {"kind": Kind.CHANGE, "codes": "RP", "taxonomy_version_id": 1, "condition": "blind"}
        session.add(Decision(assignment_id=8, utterance_id=1, act_key="c", **said))
    with worked.engine.connect() as connection:
        connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")
        command.downgrade(alembic_config(connection), BEFORE_ROUNDS)
    with worked.engine.connect() as connection:
        assert rows(connection) == before
        assert connection.exec_driver_sql("pragma foreign_key_check").all() == []


def test_after_migrating_keys_between_tables_still_hold(worked: Database) -> None:
    worked.migrate()
    with worked.engine.connect() as connection, pytest.raises(IntegrityError, match="FOREIGN KEY"):
        connection.exec_driver_sql("delete from assignment where id = 7")
