"""How one conversation is asked about until every utterance has a suggestion or a reason why not. Pure: no network, no clock.

The same answers lead to the same questions, so an interrupted conversation is gone through again with the answers that are
there already, and only what is missing is asked.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from annotator.taggers.base import Suggestion
from annotator.taggers.prompt import CUT, Case, Question, instructs
from annotator.taggers.reading import Reading

WINDOW, CONTEXT = 60, 8
"""Utterances asked for at once, and those shown before and after for context, in long conversations."""

_TRIES, _STOPS, _SMALL, _MOST_BLOCKED = 3, 2, 8, 12
_PER_ID, _ON_TOP, _MOVES = 4, 12, 2
NOTE_INSTRUCTS = "reads like an instruction to the model"
NOTE_CUT = "longer than what the model was shown"


@dataclass(slots=True)
class _Task:
    """Some utterances still to be asked for, with the lines to show."""

    shown: tuple[int, ...]
    wanted: tuple[int, ...]
    tries: int = 0
    stops: int = 0
    room: int = 1
    alone: bool = False
    moves: int = 0
    """How often labels of its answers stood at other utterances."""


class Inquiry:
    """Ask `question()`, give the answer's reading to `take()`, until `question()` is None.

    Then every id of `wanted` is in `suggestions` or in `failures`, never in both, after at most 4 questions an id and 12 on top.
    """

    def __init__(self, case: Case, wanted: Iterable[int] | None = None, roles: Collection[str] | None = None) -> None:
        """`wanted` are ids, None for all; `roles` are those that have codes, None for all."""
        self._case, self._roles = case, roles
        self._lines = {line.id: line for line in case.lines}
        self._tasks = _windows(tuple(self._lines), tuple(self._lines) if wanted is None else tuple(wanted))
        self._wanted = {key for task in self._tasks for key in task.wanted}
        self._attempts: dict[Question, int] = {}
        self._blocked = 0
        self._left = _ON_TOP + _PER_ID * sum(len(task.wanted) for task in self._tasks)
        self.suggestions: dict[int, Suggestion] = {}
        self.failures: dict[int, str] = {}
        self._reasons: dict[int, str] = {}

    def question(self) -> Question | None:
        """The next question; None when everything has its outcome."""
        if not self._tasks:
            return None
        task = self._tasks[-1]
        asked = Question(tuple(self._lines[key] for key in task.shown), self._checked(task), room=task.room)
        if not task.alone:
            asked = replace(asked, scenario=self._case.scenario, items=self._case.items, examples=self._case.examples)
        return replace(asked, attempt=self._attempts.get(asked, 0) + 1)

    def _checked(self, task: _Task) -> tuple[int, ...]:
        """The ids to ask for. Labels of one role only could move among each other unseen, so lines of the other role come along."""
        roles = {self._lines[key].role for key in task.wanted}
        if len(task.wanted) < 2 or len(roles) > 1 or task.alone:
            return task.wanted
        codes = {line.role for line in self._lines.values() if self._roles is None or line.role in self._roles} - roles
        place, beside = {key: at for at, key in enumerate(task.shown)}, set()
        for key in task.wanted:
            for others in (task.shown[place[key] + 1 :], reversed(task.shown[: place[key]])):
                beside.add(next((other for other in others if self._lines[other].role in codes), key))
        return tuple(key for key in task.shown if key in beside or key in task.wanted)

    def take(self, question: Question, reading: Reading) -> None:
        """Take in what was answered to the question asked last."""
        self._attempts[replace(question, attempt=1)] = question.attempt
        task = self._tasks.pop()
        self._left -= 1
        before = self._rest(task)
        for key in self._wanted & reading.accepted.keys() - self.suggestions.keys():
            self.suggestions[key] = self._noted(key, reading.accepted[key])
            self.failures.pop(key, None)
        self._reasons |= reading.refused
        if rest := self._rest(task):
            self._go_on(task, question, reading, rest, gained=len(rest) < len(before))
        if not self._left:
            self._fail((key for task in self._tasks for key in task.wanted), "")
            self._tasks.clear()

    def _rest(self, task: _Task) -> tuple[int, ...]:
        return tuple(key for key in task.wanted if key not in self.suggestions)

    def _go_on(self, task: _Task, question: Question, reading: Reading, rest: tuple[int, ...], *, gained: bool) -> None:
        """See to what of a task has no suggestion yet."""
        if reading.moved and len(question.wanted) > 1:
            self._after_a_move(task, rest, reading.whole)
        elif reading.blocked:
            self._narrow(replace(task, wanted=rest), reading.blocked)
        elif reading.stopped:
            self._again(task, reading.stopped, stop=True)
        elif task.moves and gained and len(rest) <= _SMALL:
            self._one_by_one(task, rest)
        elif gained:
            # A cut answer goes on where it was cut; of a whole one the rest was refused, which counts as a try.
            self._tasks.append(replace(task, wanted=rest, tries=0 if reading.cut else 1, stops=0))
        elif reading.cut and reading.whole == "the answer was empty":
            self._give_room(task)
        else:
            self._again(task, reading.whole)

    def fail(self, reason: str) -> None:
        """Give up on the utterances of the question asked last."""
        self._fail(self._tasks.pop().wanted, reason)

    def _noted(self, key: int, suggestion: Suggestion) -> Suggestion:
        text = self._lines[key].text
        notes = [NOTE_INSTRUCTS] if instructs(text) else []
        notes += [NOTE_CUT] if text.endswith(CUT) else []
        return replace(suggestion, note="; ".join(notes)) if notes else suggestion

    def _narrow(self, task: _Task, reason: str) -> None:
        """Find what was blocked: first without anything beside it, then in halves, until it stands alone."""
        if not task.alone or len(task.shown) > len(task.wanted):
            self._push_alone(task.wanted)
        elif len(task.wanted) == 1:
            self._blocked += 1
            self._fail(task.wanted, reason)
        elif self._blocked >= _MOST_BLOCKED:
            many = f"since {self._blocked} of this conversation were refused"
            self._fail(task.wanted, f"{reason}, together with others, and was not tried alone {many}")
        else:
            half = len(task.wanted) // 2
            self._push_alone(task.wanted[half:])
            self._push_alone(task.wanted[:half])

    def _push_alone(self, wanted: tuple[int, ...]) -> None:
        self._tasks.append(_Task(wanted, wanted, alone=True))

    def _give_room(self, task: _Task) -> None:
        if task.room > 1:
            self._fail(task.wanted, "the model used up its answer before writing any of it, also with four times the room")
        else:
            self._tasks.append(_Task(task.shown, task.wanted, task.tries, room=4, alone=task.alone))

    def _after_a_move(self, task: _Task, rest: tuple[int, ...], reason: str) -> None:
        """Ask for all of it again, since an answer about a few utterances of one role shows no slide.

        Where that moves too, twice, a few left over are asked for one by one, where nothing can move; more are not worth the money.
        """
        if task.moves < _MOVES:
            self._tasks.append(replace(task, moves=task.moves + 1))
        elif len(rest) <= _SMALL:
            self._one_by_one(task, rest)
        else:
            self._fail(rest, reason or "labels kept moving to other utterances")

    def _one_by_one(self, task: _Task, rest: tuple[int, ...]) -> None:
        self._tasks += [_Task(task.shown, (key,), 1, room=task.room, alone=task.alone) for key in reversed(rest)]

    def _again(self, task: _Task, reason: str, *, stop: bool = False) -> None:
        """Ask the same again, a few times; in smaller pieces where a whole answer could not be trusted."""
        tries, stops, rest = task.tries + (not stop), task.stops + stop, self._rest(task)
        if stops >= _STOPS or tries >= _TRIES:
            self._fail(rest, reason)
        elif not stop and tries == _TRIES - 1 and len(rest) > _SMALL and not task.moves:
            half = len(rest) // 2
            for piece in (rest[half:], rest[:half]):
                self._tasks.append(_Task(task.shown, piece, 1, room=task.room, alone=task.alone))
        else:
            self._tasks.append(replace(task, tries=tries, stops=stops))

    def _fail(self, wanted: Iterable[int], reason: str) -> None:
        for key in set(wanted) - self.suggestions.keys():
            self.failures[key] = reason or self._reasons.get(key) or "the answers had no label for it"


def _windows(everything: Sequence[int], wanted: Sequence[int]) -> list[_Task]:
    """The wanted ids in pieces of about the same size, each with its surroundings; the last of the list is asked first."""
    count = -(-len(wanted) // WINDOW)
    if count <= 1:
        around = everything if len(everything) <= WINDOW + 2 * CONTEXT else _around(everything, wanted)
        return [_Task(tuple(around), tuple(wanted))] if wanted else []
    size = -(-len(wanted) // count)
    pieces = [tuple(wanted[start : start + size]) for start in range(0, len(wanted), size)]
    return [_Task(_around(everything, piece), piece) for piece in reversed(pieces)]


def _around(everything: Sequence[int], wanted: Sequence[int]) -> tuple[int, ...]:
    place = {key: at for at, key in enumerate(everything)}
    near = {at for key in wanted for at in range(place[key] - CONTEXT, place[key] + CONTEXT + 1)}
    return tuple(key for at, key in enumerate(everything) if at in near)
