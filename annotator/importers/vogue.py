"""VOGUE's native JSON: one transcript per file, in a folder of any depth.

What stands around the transcripts (scenarios, catalogue items, ratings) is `vogue_extras`'.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from annotator.core.transcript import Label, Record, Transcript, Turn, Utterance, checked, from_file_stem
from annotator.errors import BadInput
from annotator.importers.base import Importer, Source
from annotator.importers.pieces import (
    code_set,
    complete,
    listing,
    mapping,
    natural,
    nothing_in,
    parse_json,
    string,
    whole_number,
)
from annotator.importers.vogue_extras import items, ratings, scenarios

_CONTENT = "conversation_content"


class Vogue(Importer):
    """Reads a transcript file, or all transcripts below a folder in the natural order of their names."""

    name = "vogue"

    def read(self, source: Source) -> Iterator[Record]:
        paths = _transcripts(source)
        if not paths:
            nothing_in(source)
        folders = sorted({path.parent for path in paths})
        yield from scenarios(source, folders)
        yield from items(source, folders)
        ids: dict[str, list[str]] = {}
        for record in complete((found for path in paths if (found := _transcript(source, path))), source):
            if isinstance(record, Transcript):
                ids.setdefault(str(record.meta.get("conversation_id")), []).append(record.id)
            yield record
        yield from ratings(source, folders, ids)

    def recognises(self, source: Source, head: str) -> bool:
        if source.path.is_dir():
            return any(_mentions_content(source, path) for path in _json_files(source.path))
        return head.lstrip().startswith("{") and f'"{_CONTENT}"' in head


def _json_files(folder: Path) -> list[Path]:
    """The JSON files below a folder, but for hidden ones (copies that macOS and Jupyter leave)."""
    found = (path for path in folder.rglob("*.json") if path.is_file())
    return [path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)]


def _mentions_content(source: Source, path: Path) -> bool:
    found = _CONTENT.encode() in source.raw(path)
    source.rewind()
    return found


def _transcripts(source: Source) -> list[Path]:
    """The files that may be transcripts. Other JSON is passed over, but not a broken file that stands among transcripts."""
    if not source.path.is_dir():
        return [source.path]
    files = _json_files(source.path)
    chosen = {path for path in files if _mentions_content(source, path)}
    folders = {path.parent for path in chosen}
    for path in files:
        if path not in chosen and path.parent in folders:
            parse_json(source.text(path), source.name(path))
    source.rewind()
    _check_stems(source, chosen)
    return sorted(chosen, key=lambda path: (natural(path.stem), path))


def _check_stems(source: Source, paths: set[Path]) -> None:
    by_stem: dict[str, Path] = {}
    for path in sorted(paths):
        other = by_stem.setdefault(path.stem, path)
        if other is not path:
            names = f"{source.name(other)} and {source.name(path)}"
            raise BadInput(f"{names} are both called {path.stem!r}, which is the conversation's id. Rename or remove one.")


def _transcript(source: Source, path: Path) -> Transcript | None:
    name = source.name(path)
    content = parse_json(source.text(path), name)
    if not isinstance(content, dict) or _CONTENT not in content:
        if path != source.path:
            return None  # it only mentions the word
        raise BadInput(f"{name} is not a VOGUE transcript: it has no {_CONTENT}. Check the file or give its --format.")
    meta = {key: value for key, value in content.items() if key != _CONTENT}
    turns: list[Turn] = []
    utterances = 0
    for position, entry in enumerate(listing(content[_CONTENT], _CONTENT, name), 1):
        turns.append(_turn(entry, position, utterances, name))
        utterances += len(turns[-1].utterances)
    return checked(Transcript(from_file_stem(path.stem), tuple(turns), meta, place=name))


def _turn(entry: Any, position: int, before: int, name: str) -> Turn:
    where = f"{name}, turn {position}"
    entry = mapping(entry, "the turn", where)
    number = whole_number(entry.get("turn", position), "the turn's number", where)
    where = f"{name}, turn {number}"
    content = mapping(entry.get("content"), "its content", where)
    if not isinstance(content.get("role"), str):
        raise BadInput(f"{where}: the role is missing. Give each turn its role in `content`.")
    texts = listing(content.get("utterances"), "utterances", where)
    tags = listing(content.get("tags", [[]] * len(texts)), "tags", where)
    if len(tags) != len(texts):
        raise BadInput(f"{where} has {len(texts)} utterances but {len(tags)} lists of tags. Give each utterance its own list.")
    utterances = []
    for at, (text, codes) in enumerate(zip(texts, tags, strict=True), before + 1):
        label = code_set(codes, f"{where}, utterance {at}")
        text = string(text, "the text", f"{where}, utterance {at}")
        utterances.append(Utterance(str(at), text, (Label(None, label),) if label else ()))
    timestamp = entry.get("timestamp")
    return Turn(content["role"].strip(), tuple(utterances), number, "" if timestamp is None else str(timestamp))
