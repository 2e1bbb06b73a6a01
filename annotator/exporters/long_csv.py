"""The long CSV: one row per utterance and label. Its columns, cells and the guard are `core.labelled`'s.

It does not hold what is said of a whole conversation (`meta`), nor a turn's timestamp; what somebody says of the items only
where they labelled too.
"""

import csv
from collections.abc import Iterable
from pathlib import Path

from annotator.core.labelled import COLUMNS, REPEAT, cells_of, rows_of
from annotator.core.transcript import Record, Transcript
from annotator.exporters.base import Exporter, LineFeeds


class LongCsv(Exporter):
    """Writes the columns of `COLUMNS`, in that order, whatever is in the records, and one more where repeats were asked for."""

    name = "csv"
    suffix = ".csv"
    holds_repeats = True

    def write(self, records: Iterable[Record], path: Path, *, raw: bool = False, repeats: bool = False) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(LineFeeds(file), lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
            writer.writerow((*COLUMNS, REPEAT) if repeats else COLUMNS)
            for record in records:
                if isinstance(record, Transcript):
                    rows = (row for row in rows_of(record) if repeats or not row.repeat)
                    writer.writerows(cells_of(row, raw=raw, repeats=repeats) for row in rows)
