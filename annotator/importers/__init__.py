"""File → transcripts: the registry of formats and the one place that guesses a file's format."""

from annotator.errors import BadInput
from annotator.importers.base import Importer, Source
from annotator.importers.convokit import ConvoKit
from annotator.importers.jsonl import Jsonl
from annotator.importers.long_csv import LongCsv
from annotator.importers.text import Text
from annotator.importers.vogue import Vogue

# In the order in which they are asked: the most particular first.
IMPORTERS: dict[str, Importer] = {each.name: each for each in (ConvoKit(), Vogue(), Jsonl(), LongCsv(), Text())}


def importer_for(source: Source, format: str | None) -> Importer:
    """The importer of that name, or without a name the first that recognises the file or folder."""
    known = f"The formats are {', '.join(sorted(IMPORTERS))}"
    if format is not None:
        if format not in IMPORTERS:
            raise BadInput(f"There is no format {format!r}. {known}; choose one with --format.")
        return IMPORTERS[format]
    head = source.head()
    for importer in IMPORTERS.values():
        if importer.recognises(source, head):
            return importer
    if source.path.is_file():
        # An encoding that is not ours, or an Office file, has a better sentence than "not recognised".
        next(source.lines(), "")
        source.rewind()
    what = "holds none of the formats known here" if head or source.path.is_dir() else "is empty"
    raise BadInput(f"{source.name()} {what}. {known}; say which with --format.")
