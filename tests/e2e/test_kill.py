"""`kill -9` of the server during rapid saves loses no acknowledged one. The long run is `make soak`."""

import shutil
from collections.abc import Callable
from pathlib import Path

from conftest import Stage

from .saves import check_reckoning, close_all, kill_and_count, make_clients, n_acknowledged
from .server import Server


def test_a_kill_during_200_rapid_saves_loses_no_acknowledged_one(built: Stage, tmp_path: Path, serve: Callable[..., Server]) -> None:
    shutil.copytree(built.settings.project, tmp_path / "project")
    server = serve(tmp_path / "project")
    clients = make_clients(server, built, 4)
    unanswered = kill_and_count(server, clients, after=200)
    check_reckoning(server, clients, unanswered)
    assert n_acknowledged(clients) >= 200
    close_all(clients)
