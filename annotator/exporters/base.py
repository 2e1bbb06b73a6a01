"""What an exporter is; each format has a module of its own, registered in `annotator/exporters/__init__.py`."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, TextIO

from annotator.core.transcript import Record, Transcript, Utterance
from annotator.errors import BadInput


class Exporter(ABC):
    """Writes one format. What it writes is a function of the records alone: no clock, no chance.

    `path` does not exist yet: the caller gives a temporary place and moves it when all went well.
    """

    name: ClassVar[str]
    suffix: ClassVar[str]
    """`.csv` and the like, or empty where the format is a folder."""

    @abstractmethod
    def write(self, records: Iterable[Record], path: Path, *, raw: bool = False) -> None:
        """Write all records. `raw` leaves out the guard against spreadsheet formulas, where the format has one."""


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
    annotators = {label.annotator for label in utterance.labels}
    if len(annotators) > 1:
        names = ", ".join(sorted(str(name) for name in annotators))
        raise BadInput(
            f"The {format_name} format holds one label per utterance, but conversation {transcript.id}, utterance {utterance.id} "
            f"has labels of {names}. Choose whose with --labels gold or --labels NAME."
        )
    return utterance.labels[-1].codes if utterance.labels else ()
