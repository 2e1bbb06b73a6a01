"""Files to read: the shared real data, and small ones made on the spot."""

from collections.abc import Callable
from pathlib import Path

import pytest

from annotator.core.transcript import Record, Transcript
from annotator.importers import importer_for
from annotator.importers.base import Source

Reader = Callable[..., list[Transcript]]


@pytest.fixture
def records() -> Callable[[Path], list[Record]]:
    """Everything that a file or folder holds, in a format that is guessed."""

    def read_all(path: Path, format: str | None = None) -> list[Record]:
        source = Source(path)
        return list(importer_for(source, format).read(source))

    return read_all


@pytest.fixture
def read(tmp_path: Path, records: Callable[..., list[Record]]) -> Reader:
    """Write a file of that name and content, and read the conversations in it."""

    def read_file(name: str, content: str | bytes, format: str | None = None) -> list[Transcript]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return [record for record in records(path, format) if isinstance(record, Transcript)]

    return read_file
