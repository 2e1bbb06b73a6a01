"""What an exporter is; each format has a module of its own, registered in `annotator/exporters/__init__.py`."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, TextIO

from annotator.core.items import FIELDS, numbers_of
from annotator.core.transcript import ItemLists, Record, Transcript, Utterance
from annotator.errors import BadInput


class Exporter(ABC):
    """Writes one format. What it writes is a function of the records alone: no clock, no chance.

    `path` does not exist yet: the caller gives a temporary place and moves it when all went well.
    """

    name: ClassVar[str]
    suffix: ClassVar[str]
    """`.csv` and the like, or empty where the format is a folder."""
    holds_repeats: ClassVar[bool] = False
    """Whether it can tell what somebody said when asked once more from what they said first."""

    @abstractmethod
    def write(self, records: Iterable[Record], path: Path, *, raw: bool = False, repeats: bool = False) -> None:
        """Write all records. `raw` leaves out the guard against spreadsheet formulas, where the format has one.

        `repeats` says that there may be labels of repeats, which a format that holds none leaves out.
        """


class LineFeeds:
    """Ends rows with `\\n`, while csv is told `\\r\\n`: before Python 3.13 it quotes only those line ends that it writes."""

    def __init__(self, file: TextIO) -> None:
        self.file = file

    def write(self, row: str) -> int:
        return self.file.write(row.removesuffix("\r\n") + "\n")


def one_label(transcript: Transcript, utterance: Utterance, format_name: str) -> tuple[str, ...]:
    """The single label that a format without room for several can hold: gold, else the only annotator's, else none."""
    if utterance.gold is not None:
        return utterance.gold
    labels = [label for label in utterance.labels if not label.repeat]
    annotators = {label.annotator for label in labels}
    if len(annotators) > 1:
        names = ", ".join(sorted(str(name) for name in annotators))
        raise BadInput(
            f"The {format_name} format holds one label per utterance, but conversation {transcript.id}, utterance {utterance.id} "
            f"has labels of {names}. Choose whose with --labels gold or --labels NAME."
        )
    return labels[-1].codes if labels else ()


def item_lists(transcript: Transcript) -> dict[str, list[int]]:
    """The lists of items that a format without room for several can hold: where all who corrected one say the same, that.

    Where they do not, and where nobody corrected it, the source's own is left to stand.
    """
    found: dict[str, list[int]] = {}
    for field in FIELDS:
        said = [getattr(one, field) for one in transcript.items if not one.repeat and getattr(one, field) is not None]
        if said and all(set(one) == set(said[0]) for one in said) and set(said[0]) != set(numbers_of(transcript.meta.get(field))):
            found[field] = list(said[0])
    return found


def items_said(transcript: Transcript, *, repeats: bool) -> list[dict[str, Any]]:
    """What each annotator says of the items, as JSON values: a list only where they corrected it."""
    return [_items_said(one) for one in transcript.items if repeats or not one.repeat]


def _items_said(one: ItemLists) -> dict[str, Any]:
    lists = {field: list(numbers) for field in FIELDS if (numbers := getattr(one, field)) is not None}
    facts = ({"round": one.round} if one.round else {}) | ({"repeat": True} if one.repeat else {})
    return {"annotator": one.annotator, **facts, **lists}
