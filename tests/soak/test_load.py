"""Eight clients save thousands of labels while others read: every answer is a yes, and every label is there once."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import cycle
from pathlib import Path

import pytest
from conftest import Stage
from e2e.saves import Client, check_whole, close_all, make_clients, n_acknowledged, saved
from e2e.server import Server, wait_for

pytestmark = pytest.mark.soak

CLIENTS, READERS, SAVES_A_READ = 8, 3, 25
PAGES = ("/review", "/agreement", "/agreement.json", "/taxonomy", "/export/download?format=csv&labels=all")


def read_while(saving: list[Future[None]], clients: list[Client], reader: Client) -> Counter[int | None]:
    """Read a page after every so many saves until the last is in; how often each status came."""
    seen: Counter[int | None] = Counter()
    for path in cycle(PAGES):
        before = n_acknowledged(clients)
        seen[reader.request("GET", path)] += 1
        wait_for(partial(_saved_or_done, saving, clients, before + SAVES_A_READ), "more saves", seconds=120)
        if all(future.done() for future in saving):
            return seen
    return seen


def _saved_or_done(saving: list[Future[None]], clients: list[Client], wanted: int) -> bool:
    return n_acknowledged(clients) >= wanted or all(future.done() for future in saving)


@pytest.mark.parametrize(("workers", "each"), [(1, 1000), (2, 500)])
def test_eight_clients_save_while_others_read(built: Stage, project: Path, serve: Callable[..., Server], workers: int, each: int) -> None:
    server = serve(project, workers)
    clients = make_clients(server, built, CLIENTS)
    readers = [Client(server.port, built.tokens["lea"], 0, 0) for _ in range(READERS)]
    with ThreadPoolExecutor(CLIENTS + READERS) as pool:
        saving = [pool.submit(lambda client: client.save_until_it_breaks(each), client) for client in clients]
        reading = [pool.submit(read_while, saving, clients, reader) for reader in readers]
        assert [future.result() for future in saving] == [None] * CLIENTS
        seen = sum((future.result() for future in reading), Counter())
    close_all([*clients, *readers])
    assert [status for client in clients for status in client.refused] == []
    assert n_acknowledged(clients) == CLIENTS * each
    assert saved(project) == Counter(save for client in clients for save in client.acknowledged)
    check_whole(project)
    assert set(seen) == {200}
    assert seen.total() >= 20
