"""A real Chromium and a real server for each browser test. Without Chromium these tests are skipped; with CI=true they fail."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import find_chromium
from conftest import Stage
from playwright.sync_api import Browser, BrowserContext, BrowserType, Page, expect, sync_playwright

from annotator.settings import Settings
from annotator.web.deps import COOKIE

from .desk import Desk
from .facts import assignment, forget_all_acts, standing
from .server import Server

expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def chromium() -> Iterator[tuple[BrowserType, dict[str, Any]]]:
    """How to start Chromium: what starts it, and with which options."""
    path = find_chromium()
    if path is None:
        sentence = "No Chromium here: install one, or name it in ANNOTATOR_CHROMIUM, to run the browser tests."
        pytest.fail(sentence) if os.environ.get("CI") == "true" else pytest.skip(sentence)
    with sync_playwright() as playwright:
        yield playwright.chromium, {"executable_path": path, "args": ["--no-sandbox"]}


@pytest.fixture(scope="session")
def browser(chromium: tuple[BrowserType, dict[str, Any]]) -> Iterator[Browser]:
    """One headless Chromium per worker."""
    kind, options = chromium
    started = kind.launch(**options)
    yield started
    started.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start servers of this test's own; at the end each is killed, and none may have complained of anything."""
    started: list[Server] = []

    def start(project: Path, workers: int = 1) -> Server:
        server = Server(project, workers=workers)
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.kill()
    for server in started:
        assert server.complaints() == ""


@pytest.fixture(scope="session")
def shared_server(built: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server per worker for all tests that leave it alone: it keeps nothing in memory, so a test begins by emptying its tables."""
    project = tmp_path_factory.mktemp("shared") / "project"
    shutil.copytree(built.settings.project, project)
    server = Server(project)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def server(shared_server: Server) -> Iterator[Server]:
    """A server whose project nobody has worked on yet. Tests that pause or kill it bring one of their own (`own_server`)."""
    forget_all_acts(shared_server.project)
    yield shared_server
    assert shared_server.complaints() == ""


@pytest.fixture
def stage(server: Server, built: Stage) -> Stage:
    """The project behind `server`."""
    return Stage(Settings(project=server.project), built.tokens)


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Browser profiles of this test, each a person of their own."""
    made: list[BrowserContext] = []

    def make(server: Server, **options: Any) -> BrowserContext:
        context = browser.new_context(base_url=server.url, **options)
        context.set_default_timeout(20_000)
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()


@pytest.fixture
def page_of(stage: Stage, server: Server, new_context: Callable[..., BrowserContext]) -> Callable[..., Page]:
    """A page in a browser where somebody of the cast is signed in."""

    def make(name: str, **options: Any) -> Page:
        context = new_context(server, **options)
        if name in stage.tokens:
            context.add_cookies([{"name": COOKIE, "value": stage.tokens[name], "url": server.url}])
        return context.new_page()

    return make


@pytest.fixture
def desk(stage: Stage, page_of: Callable[..., Page]) -> Desk:
    """Alice at her first conversation: utterance 1 is the Assistant's, 2 to 5 are the Seeker's, 6 and 7 the Assistant's."""
    return Desk(page_of("alice")).open(assignment(stage.settings.project, "alice", "s1_d_1"), at=1)


@pytest.fixture
def labels(stage: Stage) -> Callable[[], dict[int, str]]:
    """Alice's standing labels of her first conversation, as the database has them."""

    def read() -> dict[int, str]:
        found = standing(stage.settings.project, "alice")
        return {position: codes for (conversation, position), codes in found.items() if conversation == "s1_d_1"}

    return read
