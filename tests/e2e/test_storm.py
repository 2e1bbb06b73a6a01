"""A person labels on and on at a desk where everything goes wrong by lot: what was meant stands in the database, once."""

import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from conftest import Stage
from playwright.sync_api import BrowserContext

from annotator.web.deps import COOKIE

from .desk import Desk
from .facts import ask, assignment, decisions, standing
from .server import Server

pytestmark = [pytest.mark.soak, pytest.mark.browser]

TALK = "s1_d_1"
OPERATIONS = 150
NAMES = {"o": "OTH", "a": "ACK"}


class Storm:
    """The person, what they mean, and the faults around them."""

    def __init__(self, server: Server, context: BrowserContext, lot: Random) -> None:
        self.server, self.context, self.lot = server, context, lot
        self.number = assignment(server.project, "alice", TALK)
        self.desk = Desk(context.new_page()).open(self.number, at=1)
        sql = "select position, turn_position as turn from utterance where conversation_id = 1 order by position"
        self.turns = {row["position"]: row["turn"] for row in ask(server.project, sql)}
        sql = "select t.position, s.codes from suggestion s join utterance t on t.id = s.utterance_id where t.conversation_id = 1"
        self.proposed = {row["position"]: row["codes"] for row in ask(server.project, sql)}
        self.meant: dict[int, str] = {}
        self.at, self.is_up, self.is_online = 1, True, True

    def label(self) -> None:
        """One code, two codes, a slip taken back, or an earlier utterance once more."""
        keys, codes = self.lot.choice([(["o"], "OTH"), (["a"], "ACK"), (["Shift+o", "a"], "OTH|ACK"), (["a", "u", "o"], "OTH")])
        back = self.lot.randrange(min(3, self.at))
        self.desk.press(*["k"] * back, *keys, *["j"] * back)
        self.meant[self.at - back] = codes
        self.at += 1

    def confirm_turn(self) -> None:
        """All that is open of the turn, or that and back again."""
        here = [position for position, turn in self.turns.items() if turn == self.turns[self.at]]
        open_ones = [position for position in here if position not in self.meant]
        if open_ones and self.lot.random() < 0.3:
            self.desk.press("Shift+Enter", "u")
            return
        self.desk.press("Shift+Enter")
        self.meant |= {position: self.proposed[position] for position in open_ones}
        self.at = here[-1] + 1

    def go_wrong(self) -> None:
        """The server is killed, started or hangs, the network goes or comes, the page is opened again or in another window."""
        what = self.lot.choice(["kill", "start", "start", "hang", "network", "network", "again", "window"])
        if what == "kill" and self.is_up:
            self.server.kill()
            self.is_up = False
        elif what == "start":
            self.start()
        elif what == "hang" and self.is_up:
            self.server.pause()
            self.desk.page.wait_for_timeout(500)
            self.server.resume()
        elif what == "network":
            self.is_online = not self.is_online
            self.context.set_offline(not self.is_online)
        elif what in ("again", "window") and self.is_up and self.is_online:
            if what == "window":
                self.desk.page.close()
                self.desk = Desk(self.context.new_page())
            self.desk.open(self.number, at=self.at)

    def start(self) -> None:
        if not self.is_up:
            self.server.start()
        self.is_up = True

    def calm(self) -> None:
        """All is well again, and all is saved."""
        self.start()
        self.context.set_offline(False)
        self.desk.saved()


@pytest.fixture
def server(built: Stage, tmp_path: Path, serve: Callable[..., Server]) -> Server:
    shutil.copytree(built.settings.project, tmp_path / "project")
    return serve(tmp_path / "project")


@pytest.mark.parametrize("seed", range(6))
def test_what_was_meant_stands_after_any_storm(
    server: Server, built: Stage, new_context: Callable[..., BrowserContext], seed: int
) -> None:
    context = new_context(server)
    context.add_cookies([{"name": COOKIE, "value": built.tokens["alice"], "url": server.url}])
    storm = Storm(server, context, Random(seed))
    for _ in range(OPERATIONS):
        if storm.at > len(storm.turns):
            storm.at = 1
            storm.calm()
            storm.desk.open(storm.number, at=1)
        storm.lot.choices([storm.label, storm.confirm_turn, storm.go_wrong], [8, 2, 2])[0]()
    storm.calm()
    assert standing(server.project, "alice") == {(TALK, position): codes for position, codes in storm.meant.items()}
    keys = [row["act_key"] for row in decisions(server.project, "alice")]
    assert len(keys) == len(set(keys))
