"""Labelled utterances → file: the registry of formats."""

from annotator.errors import BadInput
from annotator.exporters.base import Exporter
from annotator.exporters.convokit import ConvoKit
from annotator.exporters.jsonl import Jsonl
from annotator.exporters.long_csv import LongCsv
from annotator.exporters.vogue import Vogue

EXPORTERS: dict[str, Exporter] = {each.name: each for each in (LongCsv(), Jsonl(), Vogue(), ConvoKit())}


def exporter(name: str) -> Exporter:
    """The exporter of that name."""
    if name not in EXPORTERS:
        raise BadInput(f"There is no format {name!r} to export to. The formats are {', '.join(sorted(EXPORTERS))}.")
    return EXPORTERS[name]
