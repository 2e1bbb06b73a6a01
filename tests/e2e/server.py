"""The real server in a process group of its own: started, paused, killed and started again on the same port."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from threading import Timer
from typing import TypeVar

from typer.testing import CliRunner

from annotator.cli import app

ROOT = Path(__file__).parents[2]
T = TypeVar("T")


def wait_for(condition: Callable[[], T], what: str, seconds: float = 30.0) -> T:
    """Ask again and again until the answer is true, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain for {what}"
        time.sleep(0.02)
    return found


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """`annotator serve` for one project. What it writes to stderr is kept in `log`."""

    def __init__(self, project: Path, *, workers: int = 1) -> None:
        self.project, self.workers = project, workers
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = project.parent / f"serve-{self.port}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = ["--project", str(self.project), "--port", str(self.port), "--workers", str(self.workers)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "annotator", "serve", *options],
                cwd=ROOT, env=clean_environment(), stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        wait_for(self._answers, f"the server to answer; its log: {self.log}")

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the server ended: {self.log.read_text()}"
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/sign-in")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def pause(self, *, seconds: float | None = None) -> None:
        """Let it hang, for some seconds or until `resume`: connections open, nobody answers."""
        self._signal(signal.SIGSTOP)
        if seconds is not None:
            Timer(seconds, self.resume).start()

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """`kill -9`: no shutdown, no last word. Nothing happens where it does not run."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def complaints(self) -> str:
        """What it wrote to stderr beside its greeting: tracebacks, warnings, "database is locked"."""
        greeting = f"Serving on {self.url} (Ctrl-C stops; every saved label is on disk).\n"
        return self.log.read_text().replace(greeting, "")

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, number)


def clean_environment() -> dict[str, str]:
    """Our environment without the settings of another project."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ANNOTATOR_")}


def run_command(*words: str | Path) -> str:
    """Run one `annotator` command in this process (a new one takes seconds), which must succeed; return what it prints."""
    ran = CliRunner().invoke(app, list(map(str, words)))
    assert ran.exit_code == 0, ran.output
    return ran.stdout.strip()
