"""Runs commands for the tests of the command line, and tells how they ended."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from annotator.cli import main


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


def run_main(capfd: pytest.CaptureFixture[str], *words: object) -> Ran:
    """Run a command in this process."""
    capfd.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    said = capfd.readouterr()
    return Ran(int(ended.value.code or 0), said.out, said.err)


def done(ran: Ran) -> str:
    """What a command that went well printed."""
    assert ran.code == 0, ran.err
    return ran.out


def sentence(ran: Ran) -> str:
    """The one line that a refused command says; nothing on stdout."""
    assert (ran.code, ran.out, ran.err.count("\n"), ran.err[:11]) == (1, "", 1, "annotator: "), ran
    return ran.err.removeprefix("annotator: ").strip()
