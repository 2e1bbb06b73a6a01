"""The long CSV or TSV: one row per utterance and annotator. Its columns and cells are `core.labelled`'s."""

from collections.abc import Iterator

from annotator.core.labelled import Labelled, read_conversations, read_rows
from annotator.core.transcript import Record
from annotator.importers.base import Importer, Source
from annotator.importers.pieces import complete
from annotator.importers.table import transcripts

_SUFFIXES = (".csv", ".tsv", ".tab")
# Not readable, but meant as a table: the reader's own sentence says what to do.
_SHEETS = (".xlsx", ".xls", ".ods")


class LongCsv(Importer):
    """Reads the long table; its transcripts are `partial`, since a table may hold some utterances only."""

    name = "csv"

    def read(self, source: Source) -> Iterator[Record]:
        name = source.name()

        def rows() -> Iterator[Labelled]:
            source.rewind()
            return read_rows(source.lines(), name)

        return complete(transcripts(read_conversations(source.lines(), name), rows, name), source)

    def recognises(self, source: Source, head: str) -> bool:
        heading = head.split("\n", 1)[0].lower()
        is_table = all(column in heading for column in ("conversation", "utterance", "role")) and "{" not in heading
        return source.path.is_file() and (source.path.suffix.lower() in _SUFFIXES + _SHEETS or is_table)
