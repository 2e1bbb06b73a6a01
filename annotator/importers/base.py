"""What an importer is, and the one way files are opened for it.

Each format has a module of its own; `annotator/importers/__init__.py` registers them and sniffs.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, ClassVar

from annotator.core.transcript import Record
from annotator.errors import BadInput

LONGEST_LINE = 16 * 1024 * 1024

_MARK = b"\xef\xbb\xbf"


class Source:
    """A file or folder being read, which knows how far it is.

    `total` and `done` are bytes. Text is UTF-8 with or without a byte order mark; line ends may be of any kind.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            raise BadInput(f"{path} does not exist. Check the path.")
        if not (path.is_file() or path.is_dir()):
            raise BadInput(f"{path} is neither a file nor a folder. Save what it gives as a file and import that.")
        self.done = 0
        self.total = path.stat().st_size if path.is_file() else sum(f.stat().st_size for f in path.rglob("*") if f.is_file())

    def name(self, path: Path | None = None) -> str:
        """The file's name for messages: relative to what was asked for."""
        path = path or self.path
        return path.name if path == self.path else os.path.relpath(path, self.path if self.path.is_dir() else self.path.parent)

    def lines(self, path: Path | None = None) -> Iterator[str]:
        """Yield decoded lines with their line ends, one at a time, so that memory does not grow with the file."""
        path = path or self.path
        name = self.name(path)
        with self._open(path) as file:
            number = 0
            while line := file.readline(LONGEST_LINE + 1):
                number += 1
                self._count(len(line))
                if len(line) > LONGEST_LINE:
                    raise BadInput(
                        f"{name}, line {number} is longer than {LONGEST_LINE >> 20} MB. Put one conversation or row on a line."
                    )
                yield self._decode(line.removeprefix(_MARK) if number == 1 else line, f"{name}, line {number}")

    def text(self, path: Path | None = None) -> str:
        """A whole (small) file as text, with line ends as `\\n`."""
        path = path or self.path
        if path.is_file() and path.stat().st_size > 4 * LONGEST_LINE:
            size = f"{self.name(path)} is larger than {4 * LONGEST_LINE >> 20} MB"
            raise BadInput(f"{size}, too large for one conversation. Split it.")
        content = self.raw(path)
        return self._decode(content.removeprefix(_MARK), self.name(path)).replace("\r\n", "\n").replace("\r", "\n")

    def raw(self, path: Path) -> bytes:
        """A whole (small) file as it is."""
        with self._open(path) as file:
            content = file.read()
        self._count(len(content))
        return content

    def rewind(self) -> None:
        """Count from the start again: what was read so far was only a look."""
        self.done = 0

    def _count(self, size: int) -> None:
        self.done += size
        # Files beside what was asked for (VOGUE's ratings) were not in the total.
        self.total = max(self.total, self.done)

    def _open(self, path: Path) -> BinaryIO:
        if path.is_dir():
            raise BadInput(f"{self.name(path)} is a folder where a file is needed. Name the file.")
        try:
            return path.open("rb")
        except OSError as error:
            raise BadInput(f"{self.name(path)} cannot be read ({error.strerror}). Check who may read it.") from error

    def head(self) -> str:
        """The first characters, for sniffing; empty for a folder. Undecodable bytes are replaced."""
        if self.path.is_dir():
            return ""
        with self._open(self.path) as file:
            return file.read(65536).removeprefix(_MARK).decode("utf-8", errors="replace")

    def _decode(self, content: bytes, where: str) -> str:
        if content.startswith(b"PK\x03\x04"):
            raise BadInput(f"{where}: this is an Office or zip file, not text. Save the sheet as CSV (UTF-8) and import that.")
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise BadInput(f"{where}: the file is UTF-16. Save it as UTF-8.")
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            more = f" (byte {error.start + 1}, line {line})" if line > 1 else f" (byte {error.start + 1})"
            raise BadInput(f"{where}: not UTF-8 text{more}. Save the file as UTF-8.") from error


class Importer(ABC):
    """Reads one format. Yields records; raises `BadInput` naming file, line, conversation and utterance."""

    name: ClassVar[str]

    @abstractmethod
    def read(self, source: Source) -> Iterator[Record]:
        """Yield what the file or folder holds, in its order. Labels that no one is named for have annotator None."""

    def recognises(self, source: Source, head: str) -> bool:
        """Whether this looks like my format, from the path and the first characters."""
        return False
