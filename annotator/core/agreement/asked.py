"""What is asked of the figures; kept apart because it needs no numpy."""

from collections.abc import Mapping
from dataclasses import dataclass, field

THRESHOLD = 0.67
"""What Krippendorff asks of the lower limit for tentative conclusions (.667); a project sets its own."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which labels, and against what they are held.

    `round` and `condition` choose labels, None takes all; `between` takes those of two annotators, `of` keeps the pairs of one.
    `threshold` is for the verdict; `half_width` and `code_half_width` are how precise the planner makes the figures. `draws` and
    `seed` are the bootstrap's.
    """

    round: str | None = None
    condition: str | None = None
    between: tuple[str, str] | None = None
    of: str | None = None
    threshold: float = THRESHOLD
    half_width: float = 0.05
    code_half_width: float = 0.1
    draws: int = 0
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Corpus:
    """How much there is to label: conversations, and utterances per role; 0 where that is not known."""

    n_conversations: int = 0
    utterances: Mapping[str, int] = field(default_factory=dict)
