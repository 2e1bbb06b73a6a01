"""What one annotator said: of one utterance, or of a conversation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

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


class Meeting(NamedTuple):
    """An utterance two annotators labelled: its conversation, its place among those of its role, from 0, and who they are."""

    conversation: str
    place: int
    first: str
    second: str


class Handed(NamedTuple):
    """What one annotator handed in of one role's utterances of one conversation, in their order.

    `labels` has an entry per utterance: the codes joined by `|`, False for a skip, None where nothing was said.
    """

    annotator: str
    conversation: str
    role: str
    labels: Sequence[str | bool | None]
    round: str = ""
    condition: str = ""
    version: str = ""
    repeat: bool = False
