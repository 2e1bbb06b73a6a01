"""What a provider is: a service that is asked about one conversation at a time, over a network, for money.

One required method, `ask`. What to ask is `inquiry.py`'s, how an answer is read `reading.py`'s, the wording `prompt.py`'s;
threads, storing, resuming and money are `flow/asking.py`'s. So another provider is one file with one class.
"""

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import ClassVar

from annotator.errors import BadInput
from annotator.taggers.base import Brief
from annotator.taggers.prompt import Prompt, Question
from annotator.taggers.reading import Reading, read


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, as it is kept. `finish` is the provider's own word; `blocked: REASON` where it refused the question.

    `tokens_in` includes the `tokens_cached` ones; `tokens_out` includes what the model thought. `counted` is false where the
    provider did not say how many, or said what cannot be.
    """

    text: str
    finish: str
    model_version: str
    tokens_in: int = 0
    tokens_cached: int = 0
    tokens_out: int = 0
    counted: bool = True


class Busy(Exception):
    """Try again: overload, a dropped connection, a rate limit. `wait` is in seconds, where the provider said how long.

    `rate` is a rate limit; `billed` that an answer may have been made and billed, though none arrived.
    """

    def __init__(self, sentence: str, wait: float | None = None, *, rate: bool = False, billed: bool = False) -> None:
        super().__init__(sentence)
        self.wait, self.rate, self.billed = wait, rate, billed


class Unanswerable(Exception):
    """This question will never be answered; others may be."""


class Stopped(Exception):
    """No question will be answered until somebody does something; the sentence says what."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How to go about a run; none of it changes what is asked. Money is in USD."""

    tier: str = "standard"
    concurrency: int = 16
    rpm: float | None = None
    max_cost: float | None = None
    price: tuple[float, float] | None = None
    on_reroute: str = "warn"
    timeout: float = 0.0
    wait: float = 1.0
    endpoint: str = ""


class Provider(ABC):
    """Made from a `Brief`, whose settings are what is asked (`model`, `thinking`), and the manner of asking."""

    name: ClassVar[str]
    version: ClassVar[str]
    defaults: ClassVar[Mapping[str, str]]
    """Every setting with its default; others are refused."""

    def __init__(self, brief: Brief, manner: Manner) -> None:
        unknown = sorted(brief.settings.keys() - self.defaults.keys())
        if unknown:
            known = ", ".join(sorted({*self.defaults, *manner_names()}))
            raise BadInput(f"The {self.name} tagger has no setting {', '.join(unknown)}. It has: {known}.")
        self.brief, self.manner = brief, manner
        self.settings = {**self.defaults, **brief.settings}
        self.prompt = Prompt(brief.taxonomy)

    @abstractmethod
    def ask(self, question: Question) -> Answer:
        """Ask once, from any thread. Raises `Busy`, `Unanswerable` or `Stopped`; never repeats a question by itself."""

    def missing(self) -> str:
        """What is in the way of asking at all, such as a key, and what to do; empty where nothing is."""
        return ""

    @property
    def model(self) -> str:
        """The model that is asked for."""
        return self.settings["model"]

    @property
    def prompt_hash(self) -> str:
        """12 hex digits of all that is the same in the questions of a run: model, thinking, rules and codebook.

        Not the version of our code: a better reader of answers finds those that are there.
        """
        asked = {name: value for name, value in self.settings.items() if name != "fresh"}
        return _digest(self.name, asked, self.prompt.system)[:12]

    def key(self, question: Question, salt: str = "") -> str:
        """What identifies a question by content: the same key was asked, and answered, the same."""
        return _digest(self.prompt_hash, asdict(question), salt)

    def room(self, question: Question) -> int:
        """The most tokens an answer may have: a row takes 30 to 100."""
        return (512 + 120 * len(question.wanted)) * question.room

    def thoughts(self) -> tuple[float, float]:
        """Tokens a call may spend on thinking, from low to high, for plans."""
        return 0.0, 0.0

    def size(self, question: Question) -> int:
        """Bytes that are sent. In English a token takes three to four of them, in other scripts hardly fewer than two."""
        return len(self.prompt.system.encode()) + len(self.prompt.message(question).encode())

    def read(self, question: Question, answer: Answer) -> Reading:
        """What an answer says."""
        return read(self.brief.taxonomy, question, answer.text, answer.finish)

    def close(self) -> None:  # noqa: B027 - most providers hold nothing
        """Let go of connections."""


@dataclass(frozen=True, slots=True)
class Names:
    """Of a run's settings, those that say what is asked and those that say how."""

    settings: dict[str, str] = field(default_factory=dict)
    manner: dict[str, str] = field(default_factory=dict)


def manner_names() -> tuple[str, ...]:
    """The names of what `Manner` holds."""
    return tuple(Manner.__dataclass_fields__)


def parted(given: Mapping[str, str]) -> Names:
    """Part NAME=VALUE pairs into what is asked and how to go about it."""
    how = manner_names()
    return Names({k: v for k, v in given.items() if k not in how}, {k: v for k, v in given.items() if k in how})


def parse_manner(given: Mapping[str, str]) -> Manner:
    """Read the words of a manner; raises `BadInput` for what cannot be.

    >>> parse_manner({"tier": "flex", "price": "0.30/2.50"}).price
    (0.3, 2.5)
    """
    chosen: dict[str, object] = {name: value for name, value in given.items() if value.strip()}
    for name, allowed in (("tier", ("standard", "flex")), ("on_reroute", ("warn", "stop"))):
        if name in chosen and chosen[name] not in allowed:
            raise BadInput(f"{name} is {chosen[name]!r}. Choose {' or '.join(allowed)}.")
    for name, low, high in (("rpm", 0.1, 1e6), ("max_cost", 0.0, 1e6), ("timeout", 0.0, 7200.0), ("wait", 0.0, 600.0)):
        if name in chosen:
            chosen[name] = _number(name, str(chosen[name]), low, high)
    if "concurrency" in chosen:
        number = _number("concurrency", str(chosen["concurrency"]), 1, 256)
        if number % 1:
            raise BadInput(f"concurrency is {chosen['concurrency']!r}; it must be a whole number.")
        chosen["concurrency"] = int(number)
    if "endpoint" in chosen and not re.fullmatch(r"https?://[^/\s]\S*", str(chosen["endpoint"])):
        raise BadInput(f"endpoint is {chosen['endpoint']!r}. Give an address that begins with https:// or http://.")
    if "price" in chosen:
        both = str(chosen["price"]).split("/")
        if len(both) != 2:
            raise BadInput(f"price is {chosen['price']!r}. Give USD per million tokens in and out, such as 0.30/2.50.")
        chosen["price"] = tuple(_number("price", one, 0.0, 1e5) for one in both)
    return Manner(**chosen)  # type: ignore[arg-type]


def _number(name: str, word: str, low: float, high: float) -> float:
    try:
        value = float(word)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise BadInput(f"{name} is {word.strip()!r}; it must be a number from {low:g} to {high:g}.")
    return value


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=True).encode()).hexdigest()
