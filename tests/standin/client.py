"""Starts a stand-in for a test, scripts it, reads its log, ends it."""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from standin.faults import read_rules
from standin.truth import truth

FOLDER = Path(__file__).parent


class StandIn:
    """A running stand-in; `with StandIn.start(latency=0.1) as standin:` ends it, and so does the end of this process."""

    def __init__(self, process: subprocess.Popen[str], url: str, options: Mapping[str, Any]) -> None:
        self.process = process
        self.url = url
        self.options = options
        self._end = weakref.finalize(self, end, process)

    @classmethod
    def start(cls, **options: Any) -> Self:
        """Start one with the options of `__main__`, `shed_every=3` for `--shed-every 3`; tables as such. Returns once it answers."""
        with tempfile.TemporaryDirectory() as folder:
            words = [word for name, value in options.items() for word in spelled(name, value, Path(folder))]
            process = subprocess.Popen(
                [sys.executable, "-E", "-S", str(FOLDER), "--with-parent", *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={name: value for name, value in os.environ.items() if name in ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH")},
                # Its own session: what a test sends to its process group is not meant for the stand-in.
                start_new_session=True,
            )
            said = process.stdout.readline() if process.stdout else ""
        if not said.startswith("ready "):
            end(process)
            raise RuntimeError(f"the stand-in did not start: status {process.returncode}")
        return cls(process, said.split()[1], options)

    def faults(self, rules: Iterable[Mapping[str, Any] | str]) -> None:
        """Put these rules in the place of all there are; ValueError for one that does not exist."""
        said = list(rules)
        read_rules(said)
        self._ask("POST", "faults", said)

    def log(self) -> list[dict[str, Any]]:
        """Every generateContent call since the start or the last reset."""
        return [json.loads(line) for line in self._ask("GET", "log").splitlines()]

    def stats(self) -> dict[str, Any]:
        """Figures over the log."""
        return json.loads(self._ask("GET", "stats"))

    def rules(self) -> list[dict[str, Any]]:
        """The rules with the times they may still strike."""
        return json.loads(self._ask("GET", "faults"))

    def reset(self) -> None:
        """Forget log, rules, quotas and what was learnt; let go of what hangs."""
        self._ask("POST", "reset")

    def truth(self, role: str, text: str, codes: Iterable[str]) -> list[str]:
        """The right codes of an utterance, with this stand-in's labels and `most`."""
        labels = self.options.get("labels")
        if isinstance(labels, str | Path):
            labels = json.loads(Path(labels).read_text(encoding="utf-8"))
        return truth(role, text, codes, most=self.options.get("most", 2), labels=labels)

    def stop(self) -> None:
        """End it; to do so again does nothing."""
        self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _ask(self, method: str, word: str, body: Any = None) -> str:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        try:
            connection.request(method, f"/_control/{word}", json.dumps(body) if body is not None else None, {"Connection": "close"})
            answer = connection.getresponse()
            said = answer.read().decode()
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{word}: {answer.status} {said}")
        return said


def spelled(name: str, value: Any, folder: Path) -> list[str]:
    """An option as words of a command line; a table goes by a file, which may be larger than a command line."""
    flag = f"--{name.replace('_', '-')}"
    if isinstance(value, bool):
        return [flag] if value else []
    if name == "models" and not isinstance(value, str):
        value = ",".join(value)
    if isinstance(value, Mapping | list | tuple):
        path = folder / f"{name}.json"
        path.write_text(json.dumps(value), encoding="utf-8")
        value = path
    return [flag, str(value)]


def end(process: subprocess.Popen[str]) -> None:
    """Kill a process, wait for it and close what leads to it."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()
