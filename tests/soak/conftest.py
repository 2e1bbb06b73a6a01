"""A project with fifteen desks and servers of its own; the plumbing is that of the end-to-end tests."""

import shutil
from pathlib import Path

import pytest
from conftest import Stage
from e2e.conftest import serve

from annotator.db import Database
from annotator.flow.round import Wanted, create_round

__all__ = ["project", "serve"]


@pytest.fixture
def project(built: Stage, tmp_path: Path) -> Path:
    """A copy of the project with a second round, so that there are desks for fifteen clients."""
    folder = tmp_path / "project"
    shutil.copytree(built.settings.project, folder)
    db = Database(f"sqlite:///{folder / 'annotator.db'}")
    with db.writing() as session:
        create_round(session, Wanted("r2", ("alice", "bob", "cem")))
    db.close()
    return folder
