"""What the stand-in remembers between requests: settings, rules, quotas, codes learnt, and the log that tests read."""

import json
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any, TextIO

from standin.answers import Book
from standin.asked import Asked
from standin.faults import TRANSPORT_FAULTS, Rule, Shown, count_names, read_rules, strike
from standin.refusals import DAY, MINUTE, Refused, overloaded, quota

MODELS = ("gemini-3.5-flash-lite", "gemini-3.8-flash", "gemini-3.1-flash-lite", "gemini-2.5-flash", "gemini-2.5-flash-lite")


@dataclass(frozen=True)
class Options:
    """How a stand-in was started; `__main__` says what each is for."""

    key: str = "test-key"
    models: tuple[str, ...] = MODELS
    model_version: str | None = None
    latency: float = 0.0
    jitter: float = 0.0
    seed: int = 0
    rpm: int = 0
    minute: float = 60.0
    rpd: int = 0
    shed: float = 0.0
    shed_every: int = 0
    cache: int = 4096
    keep_cap: bool = False
    most: int = 2
    faults: tuple[Any, ...] = ()
    labels: Mapping[str, Any] = field(default_factory=dict)
    codes: Mapping[str, Any] = field(default_factory=dict)
    log: Path | None = None


class State:
    """Everything that changes, behind one lock."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.released = threading.Event()
        self._lock = threading.Lock()
        self._file: TextIO | None = options.log.open("a", encoding="utf-8") if options.log else None
        self._clear()
        self._rules = read_rules(options.faults)

    def _clear(self) -> None:
        self._log: list[dict[str, Any]] = []
        self._rules: list[Rule] = []
        self._minute: dict[str, deque[float]] = {}
        self._day: Counter[str] = Counter()
        self._flex = self._busy = self._busiest = 0
        self._systems: set[str] = set()
        self._codes: dict[str, Any] = dict(self.options.codes)
        self._chance = random.Random(self.options.seed)

    def reset(self) -> None:
        """Forget log, rules, quotas, what was learnt and seen; calls that hang are let go."""
        with self._lock:
            busy = self._busy
            self._clear()
            self._busy = busy
            self.released.set()
            self.released = threading.Event()

    def script(self, said: list[Any]) -> None:
        """Put rules in the place of those there are."""
        rules = read_rules(said)
        with self._lock:
            self._rules = rules

    def rules(self) -> list[dict[str, Any]]:
        with self._lock:
            return [rule.told() for rule in self._rules]

    def enter(self) -> None:
        """A generateContent call begins."""
        with self._lock:
            self._busy += 1
            self._busiest = max(self._busiest, self._busy)

    def leave(self) -> None:
        with self._lock:
            self._busy -= 1

    def book(self, asked: Asked) -> Book:
        """What is known, once the codes that this request gives by role are learnt."""
        with self._lock:
            if asked.shape:
                self._codes.update(asked.shape.codes)
            return Book(dict(self._codes), self.options.labels, self.options.most)

    def struck(self, shown: Shown) -> Rule | None:
        """The scripted fault that this request gets."""
        with self._lock:
            return strike(self._rules, shown, self._chance)

    def wait(self) -> float:
        """How long the next answer takes."""
        with self._lock:
            return max(0.0, self.options.latency + self._chance.uniform(-1, 1) * self.options.jitter)

    def cached(self, asked: Asked) -> int:
        """The tokens of the system instruction that an earlier call has paid for."""
        if not asked.system or asked.system_tokens < self.options.cache:
            return 0
        with self._lock:
            known = asked.system in self._systems
            self._systems.add(asked.system)
            return asked.system_tokens if known else 0

    def over_quota(self, asked: Asked) -> Refused | None:
        """Count the request; the refusal if a quota is spent or, for flex, the load is shed. What is refused is not counted."""
        options = self.options
        with self._lock:
            if options.rpd and self._day[asked.model] >= options.rpd:
                return quota(DAY, asked.model, options.rpd, None)
            now, recent = time.monotonic(), self._minute.setdefault(asked.model, deque())
            while recent and recent[0] <= now - options.minute:
                recent.popleft()
            if options.rpm and len(recent) >= options.rpm:
                delay = recent[0] + options.minute - now
                return quota(MINUTE, asked.model, options.rpm, ceil(delay) if options.minute >= 10 else ceil(delay * 1000) / 1000)
            if options.rpm:
                recent.append(now)
            self._day[asked.model] += 1
            if not asked.flex:
                return None
            self._flex += 1
            every = options.shed_every and self._flex % options.shed_every == 0
            return overloaded() if every or (options.shed and self._chance.random() < options.shed) else None

    def record(self, entry: dict[str, Any]) -> None:
        """Add a call to the log."""
        with self._lock:
            entry = {"n": len(self._log) + 1, **entry}
            self._log.append(entry)
            if self._file:
                self._file.write(json.dumps(entry) + "\n")
                self._file.flush()

    def log(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._log)

    def stats(self) -> dict[str, Any]:
        """Figures over the log; an answer is a 200 that went out whole, a clean one had no fault."""
        log = self.log()
        whole = [entry for entry in log if entry["status"] == 200 and entry["fault"] not in TRANSPORT_FAULTS]
        answered = Counter(entry["body"] for entry in whole)
        clean = Counter(entry["body"] for entry in whole if not entry["fault"])
        return {
            "calls": len(log),
            "answered": len(whole),
            "clean": clean.total(),
            "bodies": len({entry["body"] for entry in log}),
            "bodies_answered_again": sum(count > 1 for count in answered.values()),
            "bodies_clean_again": sum(count > 1 for count in clean.values()),
            "tokens_in": sum(entry["tokens"]["in"] for entry in whole),
            "tokens_out": sum(entry["tokens"]["out"] + entry["tokens"]["thoughts"] for entry in whole),
            "busiest": self._busiest,
            "sampling": sum(bool(entry["sampling"]) for entry in log),
            "faults": count_names(log),
            "statuses": dict(Counter(str(entry["status"]) for entry in log)),
        }
