"""What a tagger is: transcript and taxonomy in, suggestions out. One module per tagger, registered in `__init__.py`.

Which known labels a tagger may learn from is decided in `flow/tagging.py` (rule 11), never here.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from annotator.core.taxonomy import Taxonomy
from annotator.core.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a tagger says of one utterance: a probability (0 to 1) per code of its role, and why in a sentence or two.

    A tagger that states a label itself gives its `codes`, with the `confidence` it states (0 to 1, a rank rather than a
    probability; None where it stated none that can be used) and its `second` choice. `note` is what is odd about the utterance.
    """

    probabilities: Mapping[str, float]
    reason: str = ""
    codes: tuple[str, ...] = ()
    confidence: float | None = None
    second: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Brief:
    """All a tagger is given: the taxonomy, transcripts whose `gold` it may learn from, and its settings."""

    taxonomy: Taxonomy
    known: Sequence[Transcript] = ()
    settings: Mapping[str, str] = field(default_factory=dict)


class Tagger(ABC):
    """Made from a `Brief`. The same brief and transcript give the same suggestions."""

    name: ClassVar[str]
    version: ClassVar[str]
    threshold: ClassVar[float] = 0.5
    """From this probability on a second code joins the proposal, unless the run says otherwise."""

    def __init__(self, brief: Brief) -> None:
        self.brief = brief

    @abstractmethod
    def suggest(self, transcripts: Sequence[Transcript]) -> Iterator[Mapping[str, Suggestion]]:
        """Yield one mapping from utterance id to suggestion per transcript, in order.

        Every utterance whose role the taxonomy has gets one. What is said of a transcript must not depend on labels of
        that transcript, in `known` or elsewhere: known conversations of the same id or the same text are left out for it.
        """


def proposal(probabilities: Mapping[str, float], threshold: float, max_codes: int) -> tuple[str, ...]:
    """The top code and every other at or above the threshold, at most `max_codes`, most probable first.

    >>> proposal({"ACK": 0.3, "PCT": 0.6, "PEP": 0.55}, threshold=0.5, max_codes=3)
    ('PCT', 'PEP')
    """
    ranked = sorted(probabilities, key=lambda code: (-probabilities[code], code))
    return tuple(code for at, code in enumerate(ranked[:max_codes]) if at == 0 or probabilities[code] >= threshold)
