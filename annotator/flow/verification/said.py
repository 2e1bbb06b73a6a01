"""What was said, as plain rows, and what two annotators have in common; with plain dicts, as nothing of core's counting is used here."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

from annotator.core.agreement import Asked, Corpus, Judgement
from annotator.errors import BadInput
from annotator.flow.verification.book import Codes, Pair
from annotator.flow.verification.joint import Stratum

Codebook = Mapping[str, Mapping[str, str]]
"""Role → code → category."""


class Row(NamedTuple):
    """What one annotator said of one utterance, None for a skip, and what tells it from what else they said of it."""

    annotator: str
    conversation: str
    utterance: str
    role: str
    codes: Codes | None
    round: str = ""
    condition: str = ""
    repeat: bool = False


@dataclass(frozen=True, slots=True)
class Data:
    """What a report is made of: all labels at the first submissions, repeats too, and what is known beside them.

    `now` are the labels that stand now, None where nobody knows of another time, as in a table.
    """

    rows: Sequence[Row]
    codebook: Codebook = field(default_factory=dict)
    corpus: Corpus = field(default_factory=Corpus)
    now: Sequence[Row] | None = None

    @classmethod
    def of(cls, judgements: Iterable[Judgement], codebook: Codebook | None = None) -> "Data":
        """Judgements alone."""
        return cls([Row(one.annotator, one.conversation, one.utterance, one.role, one.codes) for one in judgements], codebook or {})


def chosen(rows: Iterable[Row], asked: Asked) -> list[Row]:
    """The labels of the round, condition and annotators asked for."""
    return [
        row for row in rows
        if asked.round in (None, row.round) and asked.condition in (None, row.condition)
        and (asked.between is None or row.annotator in asked.between)
    ]  # fmt: skip


def first(rows: Iterable[Row]) -> list[Row]:
    """Without repeats."""
    return [row for row in rows if not row.repeat]


def of_rounds(rows: Iterable[Row]) -> list[Row]:
    """The same, but an utterance is another one in every round."""
    return [row._replace(utterance=repr((row.round, row.utterance))) for row in rows]


@dataclass(frozen=True, slots=True)
class Said:
    """(role, conversation, utterance) → annotator → codes, None for a skip."""

    units: dict[tuple[str, str, str], dict[str, Codes | None]]

    @property
    def roles(self) -> list[str]:
        return sorted({role for role, _, _ in self.units})

    @property
    def annotators(self) -> list[str]:
        return sorted({annotator for labels in self.units.values() for annotator in labels})


class Part(NamedTuple):
    """Complete pairs of two annotators in one role, or in all, and what else they have of the conversations both worked on."""

    pairs: list[Pair]
    n_skipped: int
    n_blank: int


def said_of(rows: Iterable[Row]) -> Said:
    """The labels by utterance; two of one annotator for one utterance are refused."""
    units: defaultdict[tuple[str, str, str], dict[str, Codes | None]] = defaultdict(dict)
    for one in rows:
        labels = units[one.role, one.conversation, one.utterance]
        if one.annotator in labels:
            raise BadInput(
                f"{one.annotator} labelled conversation {one.conversation}, utterance {one.utterance} more than once. If that was in more "
                "than one round, say which is meant: --round NAME. Otherwise keep one."
            )
        labels[one.annotator] = one.codes
    return Said(dict(units))


def parts_of(said: Said, a: str, b: str) -> dict[str, Part]:
    """Role → what the two have in common."""
    worked: defaultdict[str, set[str]] = defaultdict(set)
    for (_, conversation, _), labels in said.units.items():
        worked[conversation].update(labels)
    pairs: dict[str, list[Pair]] = {role: [] for role in said.roles}
    skipped, blank = Counter[str](), Counter[str]()
    for (role, conversation, _), labels in said.units.items():
        if a in labels and b in labels:
            one, other = labels[a], labels[b]
            if one is None or other is None:
                skipped[role] += 1
            else:
                pairs[role].append(Pair(conversation, one, other))
        elif (a in labels or b in labels) and {a, b} <= worked[conversation]:
            blank[role] += 1
    return {role: Part(found, skipped[role], blank[role]) for role, found in pairs.items()}


def by_role(said: Said) -> dict[str, list[Stratum]]:
    """Role → the complete pairs of every two annotators."""
    of_pairs = {two: parts_of(said, *two) for two in combinations(said.annotators, 2)}
    return {
        role: [Stratum((role, a), (role, b), parts[role].pairs) for (a, b), parts in of_pairs.items()]
        for role in said.roles
    }  # fmt: skip


def pooled(parts: Mapping[str, Part]) -> Part:
    """The roles together, codes as `Role/CODE`."""
    pairs = [
        Pair(pair.conversation, *(frozenset(f"{role}/{code}" for code in label) for label in (pair.a, pair.b)))
        for role, part in parts.items()
        for pair in part.pairs
    ]
    return Part(pairs, sum(part.n_skipped for part in parts.values()), sum(part.n_blank for part in parts.values()))
