"""What is asked about proposals that people saw, and the labels it is asked of; kept apart because it needs no numpy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from annotator.core.agreement.judgement import Handed

BLIND, ASSISTED = "blind", "assisted"
HERE, SAID, UNKNOWN = "here", "said", "unknown"
"""Who drew the blind conversations by lot: this program did, somebody says so, or nobody knows."""


class Shown(NamedTuple):
    """What one annotator handed in of one role of one conversation, with what the run proposes there and how long it took.

    `proposals` has an entry per utterance, whether it was shown or not: its codes joined by `|`, None where the run proposes nothing.
    `seconds` are those the utterance had the focus, None where they were not counted.
    """

    handed: Handed
    proposals: Sequence[str | None]
    seconds: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Question:
    """`round` is the one asked about. `assisted` scores the model on labels that people gave with its proposals in view, which flatters
    it. `vouched`: somebody says that the blind conversations were drawn at random. `epsilon` is the alternative annotator test's,
    `draws` and `seed` are those of the drawn intervals.
    """

    round: str | None = None
    assisted: bool = False
    vouched: bool = False
    epsilon: float = 0.2
    draws: int = 1000
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Background:
    """What is known beside the labels: how the round's blind conversations were drawn, more about round and run, and warnings."""

    drawn: str = UNKNOWN
    round: Mapping[str, Any] = field(default_factory=dict)
    run: Mapping[str, Any] | None = None
    warnings: tuple[str, ...] = ()
