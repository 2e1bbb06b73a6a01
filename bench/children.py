"""Processes that are measured: a command from start to end, and a server from start to its first answer."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

ROOT = Path(__file__).parent.parent
ANNOTATOR = (sys.executable, "-m", "annotator")


def environment(**more: str) -> dict[str, str]:
    """Ours, but without what changes how Python or the product runs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "ANNOTATOR_"))}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


@dataclass(frozen=True, slots=True)
class Ran:
    """How long a command took by the clock and in the processor, and the most memory it held, in MB."""

    seconds: float
    cpu: float
    peak: float


def run(*command: str, cwd: Path, **more: str) -> Ran:
    """Run a command to its end, with `more` in its environment; what it says is shown only when it fails."""
    taken = cwd / "taken.json"
    timed = (sys.executable, "-m", "bench.timed", str(taken), *command)
    ran = subprocess.run(timed, cwd=cwd, env=environment(**more), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if ran.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{ran.stdout.decode()}")
    return Ran(**json.loads(taken.read_text(encoding="utf-8")))


class Server:
    """A server process on loopback; `started` is the time from its start to the first 200 answer of `path`."""

    def __init__(self, command: tuple[str, ...], path: str, *, cwd: Path, **more: str) -> None:
        self.port = _free_port()
        self._log: IO[bytes] = (cwd / "server.log").open("ab")
        begun = time.perf_counter()
        self.process = subprocess.Popen(
            (*command, "--port", str(self.port)), cwd=cwd, env=environment(**more), stdout=self._log, stderr=self._log
        )
        while not self._answers(path):
            if self.process.poll() is not None or time.perf_counter() - begun > 60:
                self.__exit__()
                sys.exit(f"{' '.join(command)} did not start; see {cwd / 'server.log'}.")
            time.sleep(0.005)
        self.started = time.perf_counter() - begun

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()
        self._log.close()

    def rss(self) -> float:
        """The memory the process holds now, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024

    def cpu(self) -> float:
        """The processor time it has used, in seconds."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def post(self, path: str, body: str) -> str:
        """Send a form once; returns the cookie that came back."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        cookie = answer.getheader("Set-Cookie", "")
        connection.close()
        if answer.status >= 400 or not cookie:
            sys.exit(f"POST {path} was answered with {answer.status}.")
        return cookie.partition(";")[0]

    def _answers(self, path: str) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
