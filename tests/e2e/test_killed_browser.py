"""A browser that is killed with labels unsent sends them when their person opens it again, and for nobody else."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from conftest import Stage
from playwright.sync_api import BrowserContext, BrowserType, Error, Page, expect

from annotator.web.deps import COOKIE

from .desk import Desk
from .facts import assignment, decisions, standing
from .server import Server, wait_for

pytestmark = pytest.mark.browser

TALK = "s1_d_1"


@pytest.fixture
def server(built: Stage, tmp_path: Path, serve: Callable[..., Server]) -> Server:
    shutil.copytree(built.settings.project, tmp_path / "project")
    return serve(tmp_path / "project")


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """The folder in which the browser keeps everything."""
    return tmp_path / "profile"


Open = Callable[[str], Page]


@pytest.fixture
def open_as(chromium: tuple[BrowserType, dict[str, Any]], server: Server, built: Stage, profile: Path) -> Open:
    """Start the browser with its profile, with somebody signed in."""
    kind, options = chromium

    def start(name: str) -> Page:
        context = kind.launch_persistent_context(profile, base_url=server.url, **options)
        context.add_cookies([{"name": COOKIE, "value": built.tokens[name], "url": server.url}])
        return context.pages[0]

    return start


def processes(profile: Path) -> list[int]:
    """The processes of the browser with this profile."""
    found = subprocess.run(["ps", "-eo", "pid=,stat=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=2) for line in found.splitlines()]
    return [int(pid) for pid, state, *words in rows if f"--user-data-dir={profile}" in " ".join(words) and not state.startswith("Z")]


def kill(context: BrowserContext, profile: Path) -> None:
    """`kill -9` of every process of the browser."""
    for pid in processes(profile):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not processes(profile), "the browser to be gone")
    with suppress(Error):
        context.close()


@pytest.fixture
def left(server: Server, open_as: Open, profile: Path) -> None:
    """Alice's browser was killed while the server was away and her labels were unsent; the server is back."""
    page = open_as("alice")
    desk = Desk(page).open(assignment(server.project, "alice", TALK), at=1)
    server.kill()
    desk.press("o", "a", "a", "u", "p").at(4).retrying()
    kill(page.context, profile)
    server.start()
    assert decisions(server.project) == []


MEANT = {(TALK, 1): "OTH", (TALK, 2): "ACK", (TALK, 3): "IA"}


@pytest.mark.usefixtures("left")
def test_the_labels_go_out_when_their_person_opens_the_list_of_conversations(server: Server, open_as: Open) -> None:
    page = open_as("alice")
    page.goto("/review")
    expect(page.locator("[data-outbox]")).to_contain_text("5 acts of yours from before are saved now")
    assert standing(server.project, "alice") == MEANT
    page.context.close()


@pytest.mark.usefixtures("left")
def test_nobody_else_sends_them_and_the_desk_of_their_person_does(server: Server, open_as: Open) -> None:
    page = open_as("bob")
    page.goto("/review")
    Desk(page).open(assignment(server.project, "bob", TALK), at=5).press("a").at(6).saved()
    assert [(row["who"], row["position"]) for row in decisions(server.project)] == [("bob", 5)]
    page.context.close()
    page = open_as("alice")
    Desk(page).open(assignment(server.project, "alice", TALK), at=3).says(1, "OTH").says(3, "IA").saved()
    assert standing(server.project, "alice") == MEANT
    page.context.close()
