"""Files that a lead sends through the page: kept until the lead decides, shown as what would come in, taken in or thrown away.

Unpacking is `flow/unpacking.py`'s, the import itself `flow/intake.py`'s. A preview is a real import, rolled back.
"""

import secrets
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select
from sqlmodel import Session, col

from annotator.db import Database
from annotator.errors import BadInput, NotFound
from annotator.flow.access import Right, require
from annotator.flow.intake import import_paths
from annotator.flow.intake_report import Options, Report
from annotator.flow.unpacking import SentFile, on_disk, own_name
from annotator.models import Upload, User, now

LARGEST = 64 * 1024 * 1024
_KEPT = timedelta(days=1)


def keep(session: Session, user: User, files: Sequence[SentFile]) -> str:
    """Keep files that were sent together and return the key they go by; files that nobody decided on for a day go."""
    require(user, Right.LEAD)
    _check(files)
    session.execute(delete(Upload).where(col(Upload.sent_at) < now() - _KEPT))
    assert user.id is not None
    key = secrets.token_urlsafe(16)
    session.add_all(Upload(key=key, user_id=user.id, name=own_name(file.name), content=file.content) for file in files)
    return key


def _check(files: Sequence[SentFile]) -> None:
    if not files:
        raise BadInput("No file was chosen. Choose one or several files, or a zip of a folder.")
    size = sum(len(file.content) for file in files)
    if size > LARGEST:
        raise BadInput(
            f"The files have {size / 2**20:.1f} MB in all, more than the {LARGEST >> 20} MB that can be sent at once. "
            "Send them in parts, zip them, or use `annotator import` on the machine itself, which has no limit."
        )
    (name, count), *_ = Counter(own_name(file.name).casefold() for file in files).most_common(1)
    if count > 1:
        raise BadInput(f"{count} of the files are called {name}. Send them one after the other, or a zip of their folder.")


def names(session: Session, user: User, key: str) -> list[str]:
    """The names of the files that this lead sent under the key, or a sentence."""
    require(user, Right.LEAD)
    statement = select(col(Upload.name)).where(col(Upload.key) == key, col(Upload.user_id) == user.id)
    found = list(session.scalars(statement.order_by(col(Upload.id))))
    if not found:
        raise NotFound(
            "There is no such upload among yours: it was imported or discarded already, or is more than a day old. "
            "Send the files again; what is here already is not imported twice."
        )
    return found


def discard(session: Session, user: User, key: str) -> None:
    """Throw the files away."""
    names(session, user, key)
    session.execute(delete(Upload).where(col(Upload.key) == key))


def preview(db: Database, user: User, key: str, format_name: str | None, options: Options) -> Report:
    """What an import would do: it is done, and rolled back."""
    with on_disk(_files(db, user, key)) as paths, db.writing() as session:
        report = import_paths(session, paths, format_name, options)
        session.rollback()
    return report


def take_in(db: Database, user: User, key: str, format_name: str | None, options: Options) -> Report:
    """Import the files and throw the upload away; after an error it is still there."""
    with on_disk(_files(db, user, key)) as paths, db.writing() as session:
        discard(session, user, key)  # first: another window may have imported it since it was read
        return import_paths(session, paths, format_name, options)


def _files(db: Database, user: User, key: str) -> list[SentFile]:
    """The files, read and unpacked before the writing begins, so that nobody waits for that."""
    with db.reading() as session:
        names(session, user, key)
        rows = session.execute(select(col(Upload.name), col(Upload.content)).where(col(Upload.key) == key).order_by(col(Upload.id)))
        return [SentFile(row.name, row.content) for row in rows]
