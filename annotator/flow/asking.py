"""Asking a provider about many conversations at once: threads, patience, money, and every answer kept as soon as it is there.

An answer is on disk before the next question of its conversation is asked, and a conversation's outcomes come in one
transaction. Interrupted, a conversation is gone through again with the answers that are there, and only the rest is asked.
What is asked and how answers are read is `taggers/inquiry.py`'s and `taggers/reading.py`'s.
"""

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, func, insert, select
from sqlmodel import Session, col

from annotator.db import Database
from annotator.flow.cases import Conversation, Loader, bytes_of
from annotator.flow.outcomes import Outcome, store_outcomes, without_outcome
from annotator.flow.pace import Budget, Halted, Pace, Spent
from annotator.flow.runs import model_versions
from annotator.models import Call, Run, Utterance, now
from annotator.taggers.inquiry import Inquiry
from annotator.taggers.prices import Price, cost, price_of
from annotator.taggers.prompt import Question
from annotator.taggers.provider import Answer, Busy, Provider, Stopped, Unanswerable

_TRIES, _RATE_WAITS, _LONGEST_WAIT, _IN_A_ROW = 5, 12, 60.0, 5
NOT_COUNTED = "the service did not say what it counted; the cost is the most it may be"
_AT_ONCE = 40


@dataclass(slots=True)
class _Story:
    """What happened with one conversation: answers used, by whom each suggestion was said, the answer not yet on disk."""

    calls: dict[int, int | None] = field(default_factory=dict)
    costs: list[float | None] = field(default_factory=list)
    waiting: dict[str, Any] | None = None
    waiting_for: list[int] = field(default_factory=list)
    refused: bool = False
    """Whether the service refused the text, which says nothing of its answers to others."""


class _GivenUp(Exception):
    """This question got no answer, for the reason given."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Who watches a run: told how far it is (done, total, note) and what happens; `halt` asks it to finish what is under way and stop."""

    progress: Callable[[int, int, str], None] = lambda done, total, note: None
    tell: Callable[[str], None] = lambda sentence: None
    halt: threading.Event = field(default_factory=threading.Event)


class Asking:
    """One stretch of work on a run. `work()` returns when all is done, or `halt` is set, or `stopped` says why it stopped."""

    def __init__(self, db: Database, run: Run, provider: Provider, loader: Loader, todo: list[int], watch: Watch) -> None:
        self._db, self._run, self._provider, self._loader = db, run, provider, loader
        self._halt, self._tell = watch.halt, watch.tell
        self._taxonomy, self._todo = provider.brief.taxonomy, deque(todo)
        self._loaded: deque[Conversation] = deque()
        self._lock = threading.Lock()
        self.done = self._in_a_row = self._fruitless = 0
        self.stopped = ""
        self._crash: BaseException | None = None
        with db.reading() as session:
            spent = session.scalar(select(func.sum(col(Call.cost))).where(col(Call.run_id) == run.id))
            self._versions = list(model_versions(session, run.id))
        manner = provider.manner
        self.budget = Budget(manner.max_cost, float(spent or 0.0), watch.halt)
        # Until it is known which model answers, and so what it costs, one asks and the others wait.
        self._first = threading.Lock() if manner.max_cost is not None or manner.on_reroute == "stop" else None
        self._pace = Pace(manner.concurrency, manner.rpm, watch.halt)
        self._salt = (str(run.retries) if run.retries else "") + (f" run {run.id}" if run.settings.get("fresh") else "")

    def work(self, tick: Callable[[], bool]) -> None:
        """Ask until nothing is left; `tick` is called a few times a second and says whether to go on."""
        threads = [
            threading.Thread(target=self._thread, name=f"asking-{number}", daemon=True)
            for number in range(min(self._provider.manner.concurrency, len(self._todo)))
        ]
        for thread in threads:
            thread.start()
        try:
            while alive := [thread for thread in threads if thread.is_alive()]:
                if not tick():
                    self._halt.set()
                alive[0].join(0.2)
        except Exception:
            # Nobody may be left asking, and paying, for a run that this process gives back.
            self._halt.set()
            for thread in threads:
                thread.join()
            raise
        except BaseException:  # somebody wants to be gone at once
            self._halt.set()
            raise
        if self._crash is not None:
            raise self._crash

    def _thread(self) -> None:
        try:
            while not self._halt.is_set() and (conversation := self._next()) is not None:
                self._ask_about(conversation)
                with self._lock:
                    self.done += 1
        except Halted:
            pass
        except Stopped as error:
            self._stop(str(error))
        except BaseException as error:  # a mistake of ours must not be lost with its thread
            self._crash = error
            self._halt.set()

    def _stop(self, sentence: str) -> None:
        self.stopped = self.stopped or sentence
        self._halt.set()

    def _next(self) -> Conversation | None:
        with self._lock:
            if not self._loaded and self._todo:
                ids = [self._todo.popleft() for _ in range(min(_AT_ONCE, len(self._todo)))]
                with self._db.reading() as session:
                    self._loaded.extend(self._loader.load(session, ids))
            return self._loaded.popleft() if self._loaded else None

    # One conversation

    def _ask_about(self, conversation: Conversation) -> None:
        inquiry, story = Inquiry(conversation.case, conversation.wanted, self._taxonomy.roles), _Story()
        try:
            self._go_through(conversation, inquiry, story)
            self._store(conversation, inquiry, story)
            self._check_fruit(inquiry, story)
        except Exception:
            self._store_answer(story)  # what was paid for is kept, whatever went wrong
            raise

    def _go_through(self, conversation: Conversation, inquiry: Inquiry, story: _Story) -> None:
        """Ask, or take what is kept, until every utterance has its outcome."""
        while (question := inquiry.question()) is not None:
            self._store_answer(story)
            key = self._provider.key(question, self._salt)
            try:
                answer = self._answered(conversation, question, key, story)
            except _GivenUp as error:
                inquiry.fail(str(error))
                continue
            reading = self._provider.read(question, answer)
            inquiry.take(question, reading)
            story.refused = story.refused or bool(reading.blocked or reading.stopped)
            if story.waiting is not None:
                said = reading.note or reading.whole or reading.stopped or reading.blocked
                story.waiting["note"] = "; ".join(filter(None, (story.waiting["note"], said)))
                story.waiting_for = list(reading.accepted)
            else:
                story.calls |= dict.fromkeys(reading.accepted, conversation.kept[key].call_id)

    def _check_fruit(self, inquiry: Inquiry, story: _Story) -> None:
        """Stop where conversation after conversation gets answers of which nothing can be used: that is not worth the money."""
        useless = bool(story.costs) and not inquiry.suggestions and not story.refused
        self._fruitless = self._fruitless + 1 if useless else 0 if inquiry.suggestions else self._fruitless
        if self._fruitless >= _IN_A_ROW:
            reason = next(iter(inquiry.failures.values()), "")
            raise Stopped(f"{_IN_A_ROW} conversations in a row got answers of which nothing can be used: {reason}. Try another model.")

    def _answered(self, conversation: Conversation, question: Question, key: str, story: _Story) -> Answer:
        """The answer that is there already, or a new one, which `story` then holds until it is on disk."""
        if key in conversation.kept:
            kept = conversation.kept[key]
            story.costs.append(kept.cost)
            self._notice(kept.answer)
            return kept.answer
        with self._alone_at_first():
            answer, seconds = self._patiently(question)
            spent = self._spent(question, answer)
            story.waiting = {
                "run_id": self._run.id,
                "conversation_id": conversation.id,
                "taxonomy_version_id": self._run.taxonomy_version_id,
                "key": key,
                "prompt_hash": self._provider.prompt_hash,
                "model_version": answer.model_version,
                "finish": answer.finish,
                "raw": answer.text,
                "note": "" if answer.counted else NOT_COUNTED,
                "tokens_in": answer.tokens_in,
                "tokens_cached": answer.tokens_cached,
                "tokens_out": answer.tokens_out,
                "cost": spent,
                "seconds": round(seconds, 3),
                "answered_at": now(),
            }
            story.costs.append(story.waiting["cost"])
            self._notice(answer)
            return answer

    def _store_answer(self, story: _Story) -> None:
        if story.waiting is not None:
            with self._db.writing() as session:
                call_id = _add_call(session, story)
            story.calls |= dict.fromkeys(story.waiting_for, call_id)
            story.waiting, story.waiting_for = None, []

    def _store(self, conversation: Conversation, inquiry: Inquiry, story: _Story) -> None:
        """The conversation's outcomes, with its last answer, in one transaction."""
        share = None if None in story.costs or not inquiry.suggestions else sum(filter(None, story.costs)) / len(inquiry.suggestions)
        with self._db.writing() as session:
            calls = dict(story.calls)
            if story.waiting is not None:
                calls |= dict.fromkeys(story.waiting_for, _add_call(session, story))
            outcomes = [
                Outcome(conversation.utterances[key], said, call_id=calls.get(key), cost=share) for key, said in inquiry.suggestions.items()
            ]
            outcomes += [Outcome(conversation.utterances[key], None, reason) for key, reason in inquiry.failures.items()]
            for key, role in conversation.roleless.items():
                outcomes.append(Outcome(conversation.utterances[key], None, f"the taxonomy has no codes for the role {role}"))
            # A process that slept may find that another took the run over meanwhile: what that one said stands.
            waiting: set[int] = set(session.scalars(_waiting(self._run, conversation)))
            store_outcomes(session, self._run, self._taxonomy, [one for one in outcomes if one.utterance_id in waiting])
        story.waiting = None

    # One question

    @contextmanager
    def _alone_at_first(self) -> Iterator[None]:
        """Under a limit one thread goes first, until it is known which model answers."""
        if self._first is not None and not self._versions:
            with self._first:
                if not self._versions:
                    yield
                    return
        yield

    def _patiently(self, question: Question) -> tuple[Answer, float]:
        """Ask until there is an answer, with growing pauses; gives also the seconds of the request that had it.

        Raises `_GivenUp`, `Stopped` or `Halted`.
        """
        tries = waits = 0
        most = self._most(question)
        while True:
            try:
                with self.budget.hold(most), self._pace.turn() as begun:
                    answer = self._provider.ask(question)
                    seconds = time.monotonic() - begun
                    self.budget.pay(self._spent(question, answer) or 0.0)
            except Spent:
                spent = f"{self.budget.spent:.4f} USD are spent and the next question might pass the limit"
                raise Stopped(f"{spent}. Everything so far is kept; go on with a higher limit (max_cost).") from None
            except Unanswerable as error:
                raise self._gave_up(str(error)) from error
            except Busy as busy:
                if busy.billed:
                    self.budget.risk(most)
                tries, waits = tries + (not busy.rate), waits + busy.rate
                if tries >= _TRIES or waits >= _RATE_WAITS:
                    raise self._gave_up(str(busy)) from busy
                delay = self._delay(busy, max(tries, waits))
                if busy.rate:
                    self._pace.slow(begun, delay)
                if self._halt.wait(delay if not busy.rate else 0.0):
                    raise Halted from busy
            else:
                self._pace.clean()
                self._in_a_row = 0
                return answer, seconds

    def _delay(self, busy: Busy, tries: int) -> float:
        if busy.wait is not None:
            return min(busy.wait, 600.0) + random.uniform(0, 0.1)  # noqa: S311 - no secret
        pause: float = self._provider.manner.wait * 2.0 ** (tries - 1)
        return min(pause, _LONGEST_WAIT) * random.uniform(0.5, 1.5)  # noqa: S311 - no secret

    def _gave_up(self, sentence: str) -> Exception:
        """Give up on one question; on the run where question after question goes this way."""
        self._in_a_row += 1
        if self._in_a_row >= _IN_A_ROW:
            return Stopped(f"{_IN_A_ROW} questions in a row got no answer: {sentence}. Everything so far is kept; go on later.")
        return _GivenUp(sentence)

    def _most(self, question: Question) -> float:
        """The most a question may cost, by the dearest model that answers: two bytes a token, and an answer as long as it may get."""
        prices = [price for model in (self._provider.model, *self._versions) if (price := self._price(model)) is not None]
        if not prices and self._provider.manner.max_cost is not None:
            raise Stopped(f"No price of {self._provider.model} is known any more, so max_cost cannot be kept. Give it with --price IN/OUT.")
        size, room = bytes_of(self._provider, question), self._provider.room(question)
        return max((cost(price, Answer("", "", "", size // 2, 0, room)) for price in prices), default=0.0)

    def _price(self, model_version: str) -> Price | None:
        today = datetime.now(UTC).date()
        manner = self._provider.manner
        return price_of(model_version, today, manner) or price_of(self._provider.model, today, manner)

    def _spent(self, question: Question, answer: Answer) -> float | None:
        """What an answer cost; the most it may have cost where the service did not say, and None where no price is known."""
        price = self._price(answer.model_version)
        if price is None:
            return None
        return cost(price, answer) if answer.counted else self._most(question)

    def _notice(self, answer: Answer) -> None:
        """Notice when another model answers than was asked, or than answered before; tell of each once."""
        with self._lock:
            told = self._noticed(answer)
        if told:
            self._tell(told)

    def _noticed(self, answer: Answer) -> str:
        model = self._provider.model
        expected = self._versions[0] if self._versions and is_version_of(model, self._versions[0]) else model
        version = answer.model_version
        if is_version_of(expected, version):
            self._versions = self._versions or [version]
            return ""
        sentence = f"{expected} was expected and {version} answered: the service sends the questions of this run to another model"
        if self._provider.manner.on_reroute == "stop":
            raise Stopped(f"{sentence}. To go on with it: --on-reroute warn; to keep models apart: start a new run with --model.")
        if version in self._versions:
            return ""
        self._versions = [*self._versions, version]
        return f"{sentence}. Each answer is kept with its model."


def is_version_of(model: str, version: str) -> bool:
    """Whether a version that answered is the model that was asked for; an alias such as `-latest` may be any.

    >>> [is_version_of("gemini-3.5-flash", v) for v in ("gemini-3.5-flash", "gemini-3.5-flash-001", "gemini-3.5-flash-lite")]
    [True, True, False]
    """
    rest = version.removeprefix(model)
    return model.endswith("-latest") or version == model or (rest != version and rest[:1] == "-" and rest[1:2].isdigit())


def _waiting(run: Run, conversation: Conversation) -> Select[Any]:
    """The conversation's utterances that have no outcome yet."""
    return select(col(Utterance.id)).where(col(Utterance.conversation_id) == conversation.id, without_outcome(run.id))


def _add_call(session: Session, story: _Story) -> int:
    """Its id. The answer goes on waiting until the transaction is on disk."""
    assert story.waiting is not None
    made: int = session.connection().execute(insert(Call).returning(col(Call.id)), [story.waiting]).scalar_one()  # type: ignore[assignment]
    return made
