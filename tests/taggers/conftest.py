"""The real Gemini client of the tagger, a stand-in and a canned server for it to talk to. Nothing leaves this machine."""

from collections.abc import Iterator

import pytest
from standin import StandIn

from annotator.taggers import make
from annotator.taggers.base import Brief
from annotator.taggers.gemini import Gemini
from annotator.taggers.provider import Manner

from .canned import Canned, serving
from .gemini import KEY, Make
from .small import TAXONOMY


@pytest.fixture(scope="module")
def running() -> Iterator[StandIn]:
    with StandIn.start(key=KEY) as standin:
        yield standin


@pytest.fixture
def standin(running: StandIn, gemini: Make) -> StandIn:
    running.reset()
    return running


@pytest.fixture(scope="module")
def serving_canned() -> Iterator[Canned]:
    with serving() as server:
        yield server


@pytest.fixture
def canned(serving_canned: Canned, monkeypatch: pytest.MonkeyPatch, gemini: Make) -> Canned:
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", serving_canned.url)
    return serving_canned


@pytest.fixture
def gemini(running: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes taggers that talk to the stand-in, and closes them."""
    for name in ("GOOGLE_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_GENAI_USE_ENTERPRISE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", running.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    made: list[Gemini] = []

    def make_gemini(manner: Manner | None = None, **settings: str) -> Gemini:
        tagger = make("gemini", Brief(TAXONOMY, settings=settings), manner)
        assert isinstance(tagger, Gemini)
        made.append(tagger)
        return tagger

    yield make_gemini
    for tagger in made:
        tagger.close()
