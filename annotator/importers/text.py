"""Plain text: one turn a line, `Role: what was said`; one conversation a file."""

import re
from collections.abc import Iterator
from pathlib import Path

from annotator.core.transcript import Record, Transcript, Turn, Utterance, checked, sentences
from annotator.errors import BadInput
from annotator.importers.base import Importer, Source
from annotator.importers.pieces import complete, natural

# The colon of a web address or a clock time ends no role.
_SPEAKS = re.compile(r"\s*(?P<role>\w[\w -]{0,39}?)\s*:(?!//)(?!(?<=\d:)\d)\s*(?P<said>.*)")


class Text(Importer):
    """Reads a text file, or the `.txt` files of a folder. A line that is indented and has no role goes on with the turn."""

    name = "text"

    def read(self, source: Source) -> Iterator[Record]:
        paths = _texts(source.path) if source.path.is_dir() else [source.path]
        return complete((_transcript(source, path) for path in paths), source)

    def recognises(self, source: Source, head: str) -> bool:
        if source.path.is_dir():
            return bool(_texts(source.path))
        first = next((line for line in re.split(r"[\r\n]+", head) if line.strip()), "")
        return source.path.suffix.lower() == ".txt" or bool(_SPEAKS.fullmatch(first))


def _texts(folder: Path) -> list[Path]:
    found = (path for path in folder.glob("*.txt") if path.is_file() and not path.name.startswith("."))
    return sorted(found, key=lambda path: natural(path.stem))


def _transcript(source: Source, path: Path) -> Transcript:
    name = source.name(path)
    turns: list[tuple[str, str]] = []
    for number, line in enumerate(source.text(path).split("\n"), 1):
        speaks = _SPEAKS.fullmatch(line)
        if speaks:
            turns.append((speaks["role"], speaks["said"]))
        elif line.strip() and turns and line[0].isspace():
            turns[-1] = (turns[-1][0], f"{turns[-1][1]} {line.strip()}".lstrip())
        elif line.strip():
            raise BadInput(
                f"{name}, line {number} does not begin with a role. "
                "Write `Role: what was said`, or indent a line that goes on with the turn above."
            )
    if not turns:
        raise BadInput(f"{name} is empty. Write one turn a line, as `Role: what was said`.")
    return checked(Transcript(path.stem, tuple(_turns(turns)), place=name))


def _turns(turns: list[tuple[str, str]]) -> Iterator[Turn]:
    before = 0
    for number, (role, said) in enumerate(turns, 1):
        utterances = tuple(Utterance(str(at), text) for at, text in enumerate(sentences(said), before + 1))
        before += len(utterances)
        yield Turn(role, utterances, number)
