"""VOGUE's native folder: a JSON file per conversation, scenarios, item ratings and the catalogue.

It holds one label per utterance, whoever gave it, the item lists as corrected where those who did agree, and no ids of
utterances: they are their place in the conversation.
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from annotator.core.transcript import Item, ItemRating, Record, Scenario, Transcript, file_stem
from annotator.errors import BadInput
from annotator.exporters.base import Exporter, LineFeeds, item_lists, one_label

_SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp", "image/svg+xml": ".svg"}
_FIRST = ("conversation_id", "session_code", "scenario", "mentioned_items", "gt_items")
_OURS = ("conversation_content", "catalogue")


class Vogue(Exporter):
    """Writes the folder that VOGUE was published as; its own transcripts come out byte for byte."""

    name = "vogue"
    suffix = ""

    def write(self, records: Iterable[Record], path: Path, *, raw: bool = False, repeats: bool = False) -> None:
        trials = path / "conversation_trials"
        (trials / "transcripts").mkdir(parents=True, exist_ok=True)
        scenarios: list[Scenario] = []
        ratings: dict[str, list[ItemRating]] = {}
        for record in records:
            if isinstance(record, Transcript):
                _write_json(trials / "transcripts" / f"{file_stem(record.id)}.json", _content(record), record.id)
            elif isinstance(record, Item):
                _write_item(record, path / "metadata")
            elif isinstance(record, Scenario):
                scenarios.append(record)
            else:
                ratings.setdefault(record.role, []).append(record)
        if scenarios:
            listed = [{"Scenario": _number(one.id), "Body": one.body} for one in scenarios]
            _write(trials / "scenarios.json", json.dumps(listed, ensure_ascii=False, indent=4) + "\n", "scenarios")
        for role, rows in ratings.items():
            _write_ratings(rows, trials / "item_ratings" / f"{file_stem(role.lower())}_ratings.csv")


def _write_json(path: Path, content: dict[str, Any], what: str) -> None:
    _write(path, json.dumps(content, ensure_ascii=False, indent=2), what)


def _write(path: Path, content: str, what: str) -> None:
    """Write a file that is not there yet, even where the file system takes upper and lower case for the same."""
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            file.write(content)
    except FileExistsError as error:
        raise BadInput(f"{what!r} would be written over another file {path.name}. Rename one, or export as jsonl.") from error
    except OSError as error:
        raise BadInput(f"{what!r} cannot be written as the file {path.name} ({error.strerror}). Export it as jsonl.") from error


def _content(transcript: Transcript) -> dict[str, Any]:
    meta = transcript.meta | item_lists(transcript)
    return {
        **{key: meta[key] for key in _FIRST if key in meta},
        **{key: value for key, value in meta.items() if key not in _FIRST + _OURS},
        "conversation_content": list(_turns(transcript)),
        **({"catalogue": meta["catalogue"]} if "catalogue" in meta else {}),
    }


def _turns(transcript: Transcript) -> Iterator[dict[str, Any]]:
    for turn in transcript.turns:
        content = {
            "utterances": [utterance.text for utterance in turn.utterances],
            "role": turn.role,
            "tags": [one_label(transcript, utterance, "vogue") for utterance in turn.utterances],
        }
        yield {"turn": turn.number, "timestamp": turn.timestamp, "content": content}


def _number(key: str) -> int | str:
    """VOGUE counts its scenarios; an id that is no number stays text."""
    return int(key) if re.fullmatch("0|[1-9][0-9]{0,17}", key) else key


def _write_item(item: Item, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    meta = {key: value for key, value in item.meta.items() if key not in ("id", "catalogue", "product_name")}
    categories = {"categories": meta.pop("categories")} if "categories" in meta else {}
    content = {"id": item.number, "catalogue": item.catalogue, **categories, "product_name": item.name, **meta}
    _write_json(folder / f"item_{item.number}.json", content, f"item {item.number}")
    if item.picture is not None:
        (folder / f"item_{item.number}{_SUFFIXES.get(item.picture_type, '.png')}").write_bytes(item.picture)


def _write_ratings(ratings: list[ItemRating], path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    columns = list(dict.fromkeys(column for rating in ratings for column in rating.row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(LineFeeds(file), columns, restval="", lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(rating.row for rating in ratings)
