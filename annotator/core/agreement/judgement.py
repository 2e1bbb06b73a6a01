"""What one annotator said of one utterance."""

from dataclasses import dataclass

Codes = frozenset[str]
"""A label: the set of codes of one role that an annotator gave an utterance; empty where they looked and chose none."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one annotator said of one utterance. `codes` is None for a skip, which is in no figure but `n_skipped`."""

    annotator: str
    conversation: str
    utterance: str
    role: str
    codes: Codes | None
