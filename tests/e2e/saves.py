"""Programs that save labels over real HTTP as fast as they can, and a reckoning of what the server said yes to."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from conftest import Stage

from annotator.web.deps import COOKIE

from .facts import ask
from .server import Server, wait_for

CODES = ("OTH", "ACK", "OTH|ACK")
_DESKS = """select a.id, u.name, c.n_utterances from assignment a join users u on u.id = a.user_id
            join conversation c on c.id = a.conversation_id order by a.id"""


@dataclass(frozen=True)
class Save:
    """One label on its way; `key` is its act key."""

    key: str
    assignment: int
    position: int
    codes: str


@dataclass
class Client:
    """One annotator's program on one conversation: saves one after the other over one connection that is kept open."""

    port: int
    token: str
    assignment: int
    n_utterances: int
    numbers: Iterator[int] = field(default_factory=count)
    acknowledged: list[Save] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    _connection: HTTPConnection | None = None

    def save_until_it_breaks(self, at_most: int = 1_000_000) -> Save | None:
        """Save on and on; the save that got no answer, when the connection breaks."""
        for number in self.numbers:
            save = self._make(number)
            if not self.send(save):
                return save
            at_most -= 1
            if not at_most:
                return None
        return None

    def _make(self, number: int) -> Save:
        position = number % self.n_utterances + 1
        return Save(f"client-{self.assignment}-{number:06d}", self.assignment, position, CODES[number % len(CODES)])

    def send(self, save: Save) -> bool:
        """Send one save; True when it was acknowledged, False when there was no answer."""
        fields = [("act", "label"), ("act_key", save.key), *(("codes", code) for code in save.codes.split("|"))]
        status = self.request("POST", f"/review/{save.assignment}/{save.position}", urlencode(fields))
        if status == 200:
            self.acknowledged.append(save)
        elif status is not None:
            self.refused.append(status)
        return status is not None

    def request(self, method: str, path: str, body: str | None = None) -> int | None:
        """The status of an answer read to its end, or None when there was none."""
        headers = {"Cookie": f"{COOKIE}={self.token}", "HX-Request": "true", "Content-Type": "application/x-www-form-urlencoded"}
        self._connection = self._connection or HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
            answer.read()
        except (OSError, HTTPException):
            self.close()
            return None
        return answer.status

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def make_clients(server: Server, stage: Stage, how_many: int) -> list[Client]:
    """One client per assignment."""
    desks = ask(server.project, _DESKS)[:how_many]
    assert len(desks) == how_many
    return [Client(server.port, stage.tokens[row["name"]], row["id"], row["n_utterances"]) for row in desks]


def saved(project: Path) -> Counter[Save]:
    """Every label in the database, with how often it is there."""
    sql = "select d.act_key, d.assignment_id, t.position, d.codes from decision d join utterance t on t.id = d.utterance_id"
    return Counter(Save(*row) for row in ask(project, sql))


def check_whole(project: Path) -> None:
    """SQLite finds nothing wrong with its file."""
    with closing(sqlite3.connect(project / "annotator.db")) as connection:
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]


def kill_and_count(server: Server, clients: list[Client], after: int) -> list[tuple[Client, Save]]:
    """Kill the server while all clients save, once `after` more saves are acknowledged; the saves that got no answer."""
    wanted = n_acknowledged(clients) + after
    with ThreadPoolExecutor(len(clients)) as pool:
        running = [pool.submit(client.save_until_it_breaks) for client in clients]
        wait_for(lambda: n_acknowledged(clients) >= wanted, f"{after} saves", seconds=120)
        server.kill()
        unanswered = [(client, future.result()) for client, future in zip(clients, running, strict=True)]
    return [(client, save) for client, save in unanswered if save is not None]


def n_acknowledged(clients: Iterable[Client]) -> int:
    """How many saves the server said yes to."""
    return sum(len(client.acknowledged) for client in clients)


def check_reckoning(server: Server, clients: list[Client], unanswered: list[tuple[Client, Save]]) -> None:
    """Every acknowledged save is there once, every unanswered one at most once, nothing else; sent again, it is there once."""
    acknowledged = Counter(save for client in clients for save in client.acknowledged)
    found = saved(server.project)
    check_whole(server.project)
    assert found - acknowledged <= Counter(save for _, save in unanswered)
    assert acknowledged <= found
    assert [status for client in clients for status in client.refused] == []
    server.start()
    for client, save in unanswered:
        assert client.send(save)
    assert saved(server.project) == Counter(save for client in clients for save in client.acknowledged)


def close_all(clients: Iterable[Any]) -> None:
    """Hang up everywhere."""
    for client in clients:
        client.close()
