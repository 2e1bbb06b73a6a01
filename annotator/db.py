"""The database: engine, transactions, migrations, backup. The only file that commits and that knows SQLite.

A transaction opens and closes in one function of one thread (`docs/decisions/0003-transactions.md`).
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlmodel import Session

from annotator.errors import BadInput
from annotator.paths import shipped

_WAIT_SECONDS = 30


class Database:
    """One database by URL. `reading()` and `writing()` are the only ways to a session."""

    def __init__(self, url: str) -> None:
        try:
            self.url = make_url(url)
        except ArgumentError as error:
            raise BadInput(f"{url!r} is no database URL. It looks like sqlite:///path/to/annotator.db.") from error
        if self.url.get_backend_name() != "sqlite":
            raise BadInput(f"The database URL {self.url.render_as_string()} is not SQLite, the only kind supported so far.")
        self.engine = _sqlite_engine(url)
        self._writer = self.engine.execution_options(writes=True)
        # SQLite has one writer at a time. Waiting here is fair and wakes at once; SQLite's own waiting sleeps and polls.
        # It is no state: a second process waits in SQLite instead.
        self._turn = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one moment and keeps nothing."""
        with Session(self.engine, expire_on_commit=False, autoflush=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One transaction: committed to disk when the block ends, rolled back when it raises."""
        with self._turn, Session(self._writer, expire_on_commit=False) as session:
            yield session
            session.commit()

    def migrate(self) -> bool:
        """Bring the schema up to date, creating the file where there is none; whether there was something to do."""
        if self.is_current():
            return False
        # alembic takes memory and time that a server of a current database never needs
        from alembic import command

        with self.engine.connect() as connection, _without_foreign_keys(connection):
            command.upgrade(alembic_config(connection), "head")
        return True

    def is_current(self) -> bool:
        """Whether the schema is what this version of the program expects."""
        with self.engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return False
            found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        return found == max(path.stem for path in (shipped("migrations") / "versions").glob("*.py"))

    def backup(self, path: Path) -> None:
        """Write a consistent copy to `path` while others read and write."""
        if path.exists():
            raise BadInput(f"{path} exists already. Choose a new name for the backup.")
        with self.engine.connect() as connection, sqlite3.connect(path) as copy:
            source = connection.connection.driver_connection
            assert isinstance(source, sqlite3.Connection)
            source.backup(copy)
        copy.close()

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()


@contextmanager
def _without_foreign_keys(connection: Connection) -> Iterator[None]:
    """SQLite's own way to make a table anew that others refer to; afterwards nothing may point to what is not there."""
    connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
    try:
        yield
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        assert not broken, f"the migration left {len(broken)} rows that refer to nothing"
    finally:
        connection.rollback()
        connection.connection.driver_connection.execute("PRAGMA foreign_keys=ON")  # type: ignore[union-attr]


def alembic_config(connection: Connection | None = None) -> Any:
    """Alembic's configuration in code: a wheel has no ini file."""
    from alembic.config import Config  # late, as in `migrate`

    config = Config()
    config.set_main_option("script_location", str(shipped("migrations")).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _holds(text: str, words: str) -> bool:
    """Whether a text holds every one of the words, which are lower already, in any case."""
    lowered = text.lower()
    return all(word in lowered for word in words.split())


def _sqlite_engine(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": _WAIT_SECONDS, "check_same_thread": False}, pool_size=10, max_overflow=40)

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not guessed by the driver
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        # SQLite's own comparison knows the letters of English only, and would make a text lower for each word anew.
        connection.create_function("holds", 2, _holds, deterministic=True)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A transaction that reads first and then writes would fail at once when another wrote in between.
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
