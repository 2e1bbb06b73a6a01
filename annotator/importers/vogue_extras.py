"""What VOGUE keeps beside its transcripts: scenarios, catalogue items with pictures, and the ratings of both sides."""

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from annotator.core.transcript import Item, ItemRating, Scenario
from annotator.errors import BadInput
from annotator.importers.base import Source
from annotator.importers.pieces import identifier, mapping, natural, parse_json, string, whole_number

PICTURES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".svg": "image/svg+xml"}


def scenarios(source: Source, folders: Sequence[Path]) -> Iterator[Scenario]:
    """Yield the scenarios of the `scenarios.json` beside or above the transcripts."""
    seen: set[str] = set()
    for path in _beside(folders, "scenarios.json"):
        name = source.name(path)
        content = parse_json(source.text(path), name)
        if not isinstance(content, list):
            raise BadInput(f'{name} is not a list of scenarios. Write [{{"Scenario": 1, "Body": "..."}}].')
        for position, entry in enumerate(content, 1):
            where = f"{name}, scenario {position}"
            entry = mapping(entry, "the scenario", where)
            key = identifier(entry.get("Scenario"), "its number", where)
            if key in seen:
                raise BadInput(f"{where}: scenario {key} is there twice. Keep one.")
            seen.add(key)
            yield Scenario(key, string(entry.get("Body"), "its Body", where))


def items(source: Source, folders: Sequence[Path]) -> Iterator[Item]:
    """Yield the items of `metadata/item_N.json`, each with the picture of the same name if there is one."""
    for folder in _beside(folders, "metadata"):
        for path in sorted(folder.glob("item_*.json"), key=lambda path: natural(path.stem)):
            number = path.stem.removeprefix("item_")
            if path.is_file() and number.isascii() and number.isdigit():
                yield _item(source, path)


def _item(source: Source, path: Path) -> Item:
    name = source.name(path)
    content: dict[str, Any] = mapping(parse_json(source.text(path), name), "the item", name)
    number = whole_number(content.get("id", path.stem.removeprefix("item_")), "the item's id", name)
    title = content.get("product_name") or f"Item {number}"
    meta = {key: value for key, value in content.items() if key not in ("id", "catalogue", "product_name")}
    picture = next((path.with_suffix(suffix) for suffix in PICTURES if path.with_suffix(suffix).is_file()), None)
    return Item(
        number=number,
        catalogue=str(content.get("catalogue") or ""),
        name=string(title, "product_name", name),
        meta=meta,
        picture=source.raw(picture) if picture else None,
        picture_type=PICTURES[picture.suffix] if picture else "",
    )


def ratings(source: Source, folders: Sequence[Path], ids: dict[str, list[str]]) -> Iterator[ItemRating]:
    """Yield the rows of `item_ratings/*_ratings.csv` for the conversations that were read.

    `ids` maps a source's conversation_id to the conversations that have it.
    """
    for folder in _beside(folders, "item_ratings"):
        for path in sorted(folder.glob("*_ratings.csv")):
            yield from _rows(source, path, ids)


def _rows(source: Source, path: Path, ids: dict[str, list[str]]) -> Iterator[ItemRating]:
    name = source.name(path)
    reader = csv.reader(StringIO(source.text(path), newline=""), strict=True)
    seen: dict[tuple[str, str], int] = {}
    try:
        heading = next(reader, [])
        for cells in reader:
            if not any(cells):
                continue
            where = f"{name}, line {reader.line_num}"
            rating = _rating(dict(zip(heading, cells, strict=False)), path, ids, where)
            if len(cells) != len(heading):
                raise BadInput(f"{where}: {len(cells)} cells where the heading has {len(heading)}. Correct the row.")
            if rating and (rating.conversation, rating.role) in seen:
                twin = seen[rating.conversation, rating.role]
                raise BadInput(f"{where}: {rating.role} rates conversation {rating.conversation} in line {twin} too. Keep one.")
            if rating:
                seen[rating.conversation, rating.role] = reader.line_num
                yield rating
    except csv.Error as error:
        raise BadInput(f"{name}, line {reader.line_num}: not readable as CSV ({error}). Save the table again.") from error


def _rating(row: dict[str, str], path: Path, ids: dict[str, list[str]], where: str) -> ItemRating | None:
    if "conversation_id" not in row:
        raise BadInput(f"{where}: the column conversation_id is missing. Ratings say which conversation they are of.")
    conversations = ids.get(row["conversation_id"], [])
    if len(conversations) > 1:
        raise BadInput(f"{where}: {' and '.join(conversations)} both have conversation_id {row['conversation_id']}. Change one.")
    role = row.get("role") or path.stem.removesuffix("_ratings").capitalize()
    return ItemRating(conversations[0], role.strip(), row) if conversations else None


def _beside(folders: Sequence[Path], name: str) -> list[Path]:
    """The nearest file or folder of that name in, beside or above each folder of transcripts; at most two levels up."""
    found: dict[Path, None] = {}
    for folder in folders:
        folder = folder.absolute()
        near = (base / name for base in (folder, folder.parent, folder.parent.parent))
        path = next((path for path in near if path.exists()), None)
        if path is not None and path.is_dir() == (not path.suffix):
            found[path] = None
    return list(found)
