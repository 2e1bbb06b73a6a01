"""Eight clients save thousands of labels while others read: every answer is a yes, and every label is there once."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from conftest import Stage
from e2e.saves import Client, check_whole, close_all, make_clients, n_acknowledged, saved
from e2e.server import Server

pytestmark = pytest.mark.soak

CLIENTS, READERS = 8, 3


def read_while(saving: list[Future[None]], reader: Client, paths: list[str]) -> Counter[int | None]:
    """Read pages in turn until the last label is saved; how often each status came."""
    seen: Counter[int | None] = Counter()
    while not all(future.done() for future in saving):
        seen.update(reader.request("GET", path) for path in paths)
    return seen


@pytest.mark.parametrize(("workers", "each"), [(1, 2000), (2, 1000)])
def test_eight_clients_save_while_others_read(built: Stage, project: Path, serve: Callable[..., Server], workers: int, each: int) -> None:
    server = serve(project, workers)
    clients = make_clients(server, built, CLIENTS)
    readers = [Client(server.port, built.tokens["lea"], 0, 0) for _ in range(READERS)]
    paths = ["/review", "/agreement", "/agreement.json", "/taxonomy", "/export/download?format=csv&labels=all"]
    with ThreadPoolExecutor(CLIENTS + READERS) as pool:
        saving = [pool.submit(lambda client: client.save_until_it_breaks(each), client) for client in clients]
        reading = [pool.submit(read_while, saving, reader, paths) for reader in readers]
        assert [future.result() for future in saving] == [None] * CLIENTS
        seen = sum((future.result() for future in reading), Counter())
    close_all([*clients, *readers])
    assert [status for client in clients for status in client.refused] == []
    assert n_acknowledged(clients) == CLIENTS * each
    assert saved(project) == Counter(save for client in clients for save in client.acknowledged)
    check_whole(project)
    assert set(seen) == {200}
    assert seen.total() >= 20
