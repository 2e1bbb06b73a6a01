"""What an import is asked to do, and what it says it did."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from annotator.errors import BadInput

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Options:
    """Whose the unnamed labels are, which codes are renamed (`OLD` or `ROLE/OLD` → new), and what an unknown code does."""

    as_name: str | None = None
    renamed: dict[str, str] = field(default_factory=dict)
    unknown_is_error: bool = False


def renames(pairs: Iterable[str]) -> dict[str, str]:
    """What `OLD=NEW` pairs rename, blanks around the codes aside; raises `BadInput` for anything else.

    >>> renames(["AR=A", "Assistant/RE = RC"])
    {'AR': 'A', 'Assistant/RE': 'RC'}
    """
    renamed = {}
    for pair in pairs:
        old, _, new = (part.strip() for part in pair.partition("="))
        if not (old and new):
            raise BadInput(f"--map {pair} is not of the form OLD=NEW.")
        renamed[old] = new
    return renamed


class UnknownCode(NamedTuple):
    """A code outside the taxonomy, and where it stood."""

    conversation: str
    utterance: str
    role: str
    code: str


class Met(NamedTuple):
    """A conversation as it came, and whether it is new here."""

    conversation: str
    utterances: int
    is_new: bool


class Stray(NamedTuple):
    """Every place of one unknown code."""

    role: str
    code: str
    places: list[UnknownCode]


@dataclass(slots=True)
class Report:
    """What one import did."""

    conversations: int = 0
    known_conversations: int = 0
    utterances: int = 0
    labels: int = 0
    known_labels: int = 0
    unnamed_labels: int = 0
    gold: int = 0
    proposals: int = 0
    scenarios: int = 0
    items: int = 0
    item_lists: int = 0
    ratings: int = 0
    too_many_codes: int = 0
    unknown: list[UnknownCode] = field(default_factory=list)
    roles_without_codes: list[str] = field(default_factory=list)
    first: list[Met] = field(default_factory=list)
    """The first conversations that came."""

    def meet(self, conversations: Iterable[Met]) -> None:
        """Note the conversations among the first ones, as long as those are few."""
        if len(self.first) < _SHOWN:
            self.first.extend(list(conversations)[: _SHOWN - len(self.first)])

    def strays(self) -> list[Stray]:
        """The unknown codes with their places, in the order they were met."""
        places: dict[tuple[str, str], list[UnknownCode]] = {}
        for one in self.unknown:
            places.setdefault((one.role, one.code), []).append(one)
        return [Stray(role, code, found) for (role, code), found in places.items()]

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON values."""
        return asdict(self) | {"unknown": [one._asdict() for one in self.unknown], "first": [one._asdict() for one in self.first]}

    def sentences(self) -> list[str]:
        """The report for people, a sentence a line."""
        lines = self.counts()
        for one in self.unknown[:_SHOWN]:
            lines.append(f"Unknown code {one.code!r} for {one.role} left out: conversation {one.conversation}, utterance {one.utterance}.")
        if len(self.unknown) > _SHOWN:
            lines.append(f"... and {len(self.unknown) - _SHOWN} more unknown codes; --json lists all.")
        if self.unknown:
            lines.append("To rename such a code, import with --map OLD=NEW; to refuse the file instead, with --on-unknown error.")
        return lines

    def counts(self) -> list[str]:
        """What came and what did not, without the unknown codes."""
        lines = [f"{self.conversations} new conversations with {self.utterances} utterances; {self.known_conversations} were here already."]
        extras = {"scenarios": self.scenarios, "catalogue items": self.items, "item ratings": self.ratings}
        counted = {"labels": self.labels, "gold labels": self.gold, "proposals": self.proposals} | extras
        counted |= {"corrected lists of items": self.item_lists}
        came = ", ".join(f"{count} {name}" for name, count in counted.items() if count)
        lines += [f"Came along: {came}."] if came else []
        lines += [f"{self.known_labels} labels were here already."] if self.known_labels else []
        if self.unnamed_labels:
            lines.append(f"{self.unnamed_labels} labels were left out: the file does not say whose they are. --as NAME gives them to NAME.")
        if self.too_many_codes:
            lines.append(f"{self.too_many_codes} labels hold more codes than the taxonomy allows; they are kept as they are.")
        for role in self.roles_without_codes:
            lines.append(f"The taxonomy has no codes for the role {role}: they can be read, not labelled. Add it to taxonomy.yaml.")
        return lines
