"""One stand-in for the tests of a module, reset for each, and the real client that talks to it."""

from collections.abc import Iterator

import pytest
from google import genai

from standin import StandIn
from standin.steps import connect


@pytest.fixture(scope="module")
def running() -> Iterator[StandIn]:
    with StandIn.start() as standin:
        yield standin


@pytest.fixture
def standin(running: StandIn) -> StandIn:
    running.reset()
    return running


@pytest.fixture
def client(standin: StandIn) -> Iterator[genai.Client]:
    with connect(standin.url) as client:
        yield client
