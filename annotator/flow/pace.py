"""How fast to ask and how much to spend: concurrency that adapts to the service, and a limit that is never passed.

Both belong to one process and one run; nothing here touches database or network.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_START, _CLEAN = 8, 20


class Halted(Exception):
    """The run is to stop: what is under way is finished, nothing new begins."""


class Pace:
    """Lets threads through: at first eight at a time, one more after every twenty clean answers, half as many after a refusal."""

    def __init__(self, concurrency: int, rpm: float | None, halt: threading.Event) -> None:
        self._most, self._limit = concurrency, min(_START, concurrency)
        self._between = 60 / rpm if rpm else 0.0
        self._halt = halt
        self._changed = threading.Condition()
        self._under_way = self._clean = 0
        self._not_before = self._slowed_at = 0.0

    @property
    def limit(self) -> int:
        """How many may be under way at once now."""
        return self._limit

    @contextmanager
    def turn(self) -> Iterator[float]:
        """Wait for a turn, and hold it; gives the time it began. Raises `Halted`."""
        with self._changed:
            while True:
                if self._halt.is_set():
                    raise Halted
                wait = self._not_before - time.monotonic()
                if wait <= 0 and self._under_way < self._limit:
                    break
                self._changed.wait(min(max(wait, 0.01), 0.2) if wait > 0 else 0.2)
            self._under_way += 1
            begun = time.monotonic()
            self._not_before = max(self._not_before, begun + self._between) if self._between else self._not_before
        try:
            yield begun
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def clean(self) -> None:
        """An answer came as it should."""
        with self._changed:
            self._clean += 1
            if self._clean >= _CLEAN and self._limit < self._most:
                self._clean, self._limit = 0, self._limit + 1
                self._changed.notify_all()

    def slow(self, begun: float, wait: float) -> None:
        """The service asked for less: nobody asks for `wait` seconds, and then half as many, once for all that began before."""
        with self._changed:
            self._not_before = max(self._not_before, time.monotonic() + wait)
            if begun >= self._slowed_at:
                self._slowed_at = time.monotonic()
                self._limit, self._clean = max(1, self._limit // 2), 0


class Budget:
    """Holds back the most a question may cost before it is asked, so that `most` (USD, None for no limit) is never passed."""

    def __init__(self, most: float | None, spent: float, halt: threading.Event) -> None:
        self._most, self.spent, self._halt = most, spent, halt
        self._held, self._holders, self._at_risk = 0.0, 0, 0.0
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, most: float) -> Iterator[None]:
        """Hold this much until the block ends; waits while others hold too much. Raises `Spent` when there is too little left."""
        with self._changed:
            while self._most is not None and self.spent + self._at_risk + self._held + most > self._most:
                if self._halt.is_set():
                    raise Halted
                if not self._holders:
                    raise Spent
                self._changed.wait(0.2)
            self._held, self._holders = self._held + most, self._holders + 1
        try:
            yield
        finally:
            with self._changed:
                self._holders -= 1
                # Counted, since what is left after adding and taking away fractions is seldom exactly 0.
                self._held = self._held - most if self._holders else 0.0
                self._changed.notify_all()

    def risk(self, most: float) -> None:
        """A question got no answer, and may have cost this much all the same."""
        with self._changed:
            self._at_risk += most

    def pay(self, cost: float) -> None:
        """An answer cost this much."""
        with self._changed:
            self.spent += cost


class Spent(Exception):
    """The next question might pass the limit."""
