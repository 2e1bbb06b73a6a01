"""What the tests of Gemini share: its key, the question they ask, what is right, and what failing looks like."""

from collections.abc import Callable

import pytest
from standin import StandIn

from annotator.taggers.gemini import Gemini
from annotator.taggers.prompt import Question
from annotator.taggers.provider import Answer, Busy, Stopped, Unanswerable

from .rows import asked
from .small import TAXONOMY

KEY = "AIzaSyRecognisable0123456789"
QUESTION = asked()
Make = Callable[..., Gemini]


def labels(tagger: Gemini, answer: Answer, question: Question = QUESTION) -> dict[int, tuple[str, ...]]:
    return {key: tuple(sorted(said.codes)) for key, said in tagger.read(question, answer).accepted.items()}


def right(standin: StandIn, question: Question = QUESTION) -> dict[int, tuple[str, ...]]:
    return {line.id: tuple(sorted(standin.truth(line.role, line.text, TAXONOMY.by_role[line.role]))) for line in question.lines}


def fails(tagger: Gemini, question: Question = QUESTION) -> Exception:
    """What asking raises; never with the key in it."""
    with pytest.raises((Busy, Unanswerable, Stopped)) as told:
        tagger.ask(question)
    chain = [told.value, told.value.__cause__, *([] if told.value.__suppress_context__ else [told.value.__context__])]
    assert all(KEY not in f"{error} {error!r} {getattr(error, '__dict__', '')}" for error in chain)
    return told.value
