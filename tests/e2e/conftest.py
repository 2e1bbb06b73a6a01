"""A real Chromium and a real server for each browser test. Without Chromium these tests are skipped; with CI=true they fail."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from annotator.web.deps import COOKIE

from ..chromium import find_chromium
from ..conftest import Stage
from .desk import Desk
from .facts import assignment
from .server import Server

expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium per worker."""
    path = find_chromium()
    if path is None:
        sentence = "No Chromium here: install one, or name it in ANNOTATOR_CHROMIUM, to run the browser tests."
        pytest.fail(sentence) if os.environ.get("CI") == "true" else pytest.skip(sentence)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start servers; at the end each is killed, and none may have crashed or met a locked database."""
    started: list[Server] = []

    def start(project: Any, workers: int = 1) -> Server:
        server = Server(project, workers=workers)
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.kill()
    for server in started:
        assert server.log.read_text().replace(f"Serving on {server.url} (Ctrl-C stops; every saved label is on disk).\n", "") == ""


@pytest.fixture
def server(stage: Stage, serve: Callable[..., Server]) -> Server:
    """The server of this test's project."""
    return serve(stage.settings.project)


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
