"""Files that were sent, as files and folders on disk for as long as an import reads them; zips are unpacked safely.

Names and archives come from outside: nothing is written beside the folder made here. What the files hold is `importers`'.
"""

import re
import stat
import struct
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath
from shutil import copyfileobj
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from annotator.errors import BadInput

MOST_FILES = 20_000
MOST_BYTES = 512 * 1024 * 1024

_ENTRY = b"PK\x01\x02"
_DRIVE = re.compile("[A-Za-z]:")
_BROKEN = (BadZipFile, zlib.error, struct.error, EOFError, ValueError, OverflowError, RuntimeError)
"""All that zipfile raises for archives that are cut, damaged or made up."""


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file as it was sent. Its name is whatever the other side said."""

    name: str
    content: bytes

    @property
    def is_zip(self) -> bool:
        """Whether it is meant as a folder."""
        return self.name.lower().endswith(".zip")


def own_name(name: str) -> str:
    """The name without any folders before it, or `BadInput` where it cannot be a file's name.

    >>> own_name("../../x.json"), own_name("C:\\\\files\\\\x.json")
    ('x.json', 'x.json')
    """
    own = name.replace("\\", "/").rpartition("/")[2]
    if own in ("", ".", "..") or not own.isprintable() or len(own.encode()) > 200:
        raise BadInput(f"{name[:100]!r} cannot be the name of a file here. Rename it, with printable characters, and send it again.")
    return own


@contextmanager
def on_disk(files: Sequence[SentFile]) -> Iterator[list[Path]]:
    """Write the files into a folder of their own, zips as folders, and give the paths to import; all is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="import-") as made:
        # Two folders deeper: importers look for companions up to two levels above a transcript, and must find only what was sent.
        folder = Path(made) / "sent" / "files"
        folder.mkdir(parents=True)
        yield [_unpack(file, folder) if file.is_zip else _write(file, folder) for file in files]


def _write(file: SentFile, folder: Path) -> Path:
    path = folder / own_name(file.name)
    try:
        path.write_bytes(file.content)
    except OSError as error:
        raise BadInput(f"{file.name} cannot be stored under this name ({error.strerror}). Rename it and send it again.") from error
    return path


def _unpack(file: SentFile, folder: Path) -> Path:
    """Unpack into a folder that is called as the zip is, so that messages name it; a zip with one thing on top is that thing."""
    root = folder / own_name(file.name)
    root.mkdir()
    if file.content.count(_ENTRY) > 5 * MOST_FILES:  # before zipfile makes an object of each
        raise _too_much(file.name)
    try:
        with ZipFile(BytesIO(file.content)) as packed:
            entries = _wanted(file.name, packed.infolist())
            for path, entry in entries.items():
                _extract(packed, entry, root / path)
    except _BROKEN as error:
        raise BadInput(f"{file.name} is not a zip file that can be unpacked, or it is damaged ({error}). Pack the folder again.") from error
    except OSError as error:
        raise BadInput(f"{file.name} holds a file that cannot be stored under its name ({error.strerror}). Rename it.") from error
    top = list(root.iterdir())
    return top[0] if len(top) == 1 else root


def _wanted(name: str, entries: list[ZipInfo]) -> dict[PurePosixPath, ZipInfo]:
    """The files of the archive by their path inside it, or `BadInput` for what no honest archive of a folder holds."""
    wanted: dict[PurePosixPath, ZipInfo] = {}
    for entry in entries:
        path = _inside(name, entry)
        if path is None:
            continue
        if path in wanted:
            raise BadInput(f"{name} holds {path} twice. Pack the folder again.")
        wanted[path] = entry
    if len(wanted) > MOST_FILES or sum(entry.file_size for entry in wanted.values()) > MOST_BYTES:
        raise _too_much(name)
    return wanted


def _inside(name: str, entry: ZipInfo) -> PurePosixPath | None:
    """Where in the folder a file of the archive goes; None for folders and for what macOS adds."""
    said = entry.filename.replace("\\", "/")  # as some programs for Windows write it
    path = PurePosixPath(said)
    if said.startswith("/") or ".." in path.parts or _DRIVE.match(said):
        raise BadInput(f"{name} holds the path {said[:100]!r}, which leads out of its folder. Pack the folder again.")
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise BadInput(f"{name} holds {said[:100]!r}, which is a link and no file. Pack the file itself.")
    if said.endswith("/") or "__MACOSX" in path.parts or path.name == ".DS_Store":
        return None
    if entry.flag_bits & 1:
        raise BadInput(f"{name} is encrypted. Pack the folder again without a password.")
    if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise BadInput(f"{name} is packed in a way that is not read here. Pack the folder again as an ordinary zip.")
    return path


def _extract(packed: ZipFile, entry: ZipInfo, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # zipfile gives no more bytes than the archive announced, which were counted.
    with packed.open(entry) as source, path.open("xb") as target:
        copyfileobj(source, target)


def _too_much(name: str) -> BadInput:
    return BadInput(
        f"{name} holds more than {MOST_FILES:,} files or {MOST_BYTES >> 20} MB. "
        "Send it in parts, or use `annotator import` on the machine itself, which has no limit."
    )
