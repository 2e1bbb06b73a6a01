"""Starts the processes that work on runs for the server: one for each run that wants one, whichever server process sees it first.

A run is worked on in a process of its own, so that pages stay quick and the server small. Who works on what is a row with
a heartbeat (`flow/runs.py`): several servers, a crash and a restart are all the same to it.
"""

import os
import subprocess
import sys
import threading
import time

from annotator.db import Database
from annotator.flow.runs import runs_for_server
from annotator.settings import Settings

_LOOK_SECONDS = 2.0
_PATIENCE_SECONDS = 20.0


class Runner:
    """A thread that looks for runs to work on. Closing it lets what is under way finish; the next server goes on."""

    def __init__(self, settings: Settings, db: Database) -> None:
        self._settings, self._db = settings, db
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._closing = False
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="runner", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Look now: a run was started."""
        self._woken.set()

    def close(self) -> None:
        """Ask the processes to finish what is under way, and wait for them."""
        self._closing = True
        self._woken.set()
        self._thread.join()
        for child in self._children.values():
            child.terminate()
        until = time.monotonic() + _PATIENCE_SECONDS
        for child in self._children.values():
            try:
                child.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def _watch(self) -> None:
        while not self._closing:
            self._children = {run: child for run, child in self._children.items() if child.poll() is None}
            with self._db.reading() as session:
                wanted = runs_for_server(session)
            for run in wanted:
                if run not in self._children:
                    self._children[run] = self._start(run)
            self._woken.wait(_LOOK_SECONDS)
            self._woken.clear()

    def _start(self, run: int) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "annotator", "tag", "--run", str(run), "--project", str(self._settings.project.resolve())]
        # The address of the database may hold a password, which a command line would show to everybody on the machine.
        environment = {**os.environ, "ANNOTATOR_DATABASE_URL": self._settings.database_url}
        return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # noqa: S603
