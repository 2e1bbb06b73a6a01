"""Fifty times `kill -9` while eight clients save: of 10,000 saves no acknowledged one is lost and none is there twice."""

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Stage
from e2e.saves import check_reckoning, close_all, kill_and_count, make_clients, n_acknowledged
from e2e.server import Server

pytestmark = pytest.mark.soak

KILLS, SAVES = 50, 10_000


@pytest.mark.parametrize(("workers", "kills"), [(1, KILLS), (2, 5)])
def test_kills_lose_no_acknowledged_save(built: Stage, project: Path, serve: Callable[..., Server], workers: int, kills: int) -> None:
    server = serve(project, workers)
    clients = make_clients(server, built, 8)
    for _ in range(kills):
        unanswered = kill_and_count(server, clients, after=SAVES // KILLS)
        check_reckoning(server, clients, unanswered)
    close_all(clients)
    assert n_acknowledged(clients) >= kills * SAVES // KILLS
