"""A ConvoKit corpus folder, written without the convokit package; `Corpus(filename=...)` of convokit 5 loads it.

Written in ASCII as convokit does, because it reads with whatever encoding the machine has.
It holds codes, gold and proposal of every utterance and what people say of the items, but not when and how long a decision took.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from annotator.core.transcript import Proposal, Record, Transcript, Turn, Utterance
from annotator.exporters.base import Exporter, items_said


class ConvoKit(Exporter):
    """Writes a conversation as `<id>_u0`, `<id>_u1`, … between the speakers `<id>_<role>`, each replying to the one before."""

    name = "convokit"
    suffix = ""

    def write(self, records: Iterable[Record], path: Path, *, raw: bool = False, repeats: bool = False) -> None:
        path.mkdir(parents=True, exist_ok=True)
        types: dict[str, dict[str, set[str]]] = {"utterances": {}, "speakers": {}, "conversations": {}}
        with (
            _create(path / "utterances.jsonl") as utterances,
            _create(path / "speakers.json") as speakers,
            _create(path / "conversations.json") as conversations,
        ):
            into_speakers, into_conversations = _Object(speakers), _Object(conversations)
            for record in records:
                if isinstance(record, Transcript):
                    for line in _utterances(record):
                        _note(types["utterances"], line["meta"])
                        utterances.write(json.dumps(line) + "\n")
                    for role in dict.fromkeys(turn.role for turn in record.turns):
                        into_speakers.add(f"{record.id}_{role}", types["speakers"], {"role": role})
                    meta = {"source_id": record.id, **{key: v for key, v in record.meta.items() if key != "source_id"}}
                    if items := items_said(record, repeats=False):
                        meta["item_decisions"] = items
                    into_conversations.add(f"{record.id}_u0", types["conversations"], meta)
            into_speakers.close()
            into_conversations.close()
        _write_json(path / "corpus.json", {"name": "annotator-corpus"})
        _write_json(path / "index.json", _index(types))


def _create(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", newline="")


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content), encoding="utf-8", newline="")


class _Object:
    """A JSON object written entry by entry, so that memory does not grow with the corpus."""

    def __init__(self, file: TextIO) -> None:
        self.file = file
        self.before = "{"

    def add(self, key: str, types: dict[str, set[str]], meta: dict[str, Any]) -> None:
        _note(types, meta)
        entry = json.dumps({"meta": meta, "vectors": []})
        self.file.write(f"{self.before}{json.dumps(key)}: {entry}")
        self.before = ", "

    def close(self) -> None:
        self.file.write("}" if self.before == ", " else "{}")


def _note(types: dict[str, set[str]], meta: dict[str, Any]) -> None:
    """Remember which types the values of each key have: the index says so."""
    for key, value in meta.items():
        found = types.setdefault(key, set())
        if value is not None:
            found.add(str(list if isinstance(value, tuple) else type(value)))


def _index(types: dict[str, dict[str, set[str]]]) -> dict[str, Any]:
    written = {f"{name}-index": {key: sorted(found) for key, found in keys.items()} for name, keys in types.items()}
    return {**written, "overall-index": {"name": ["<class 'str'>"]}, "version": 1, "vectors": []}


def _utterances(transcript: Transcript) -> Iterator[dict[str, Any]]:
    before = None
    for at, (turn, utterance) in enumerate(transcript.utterances()):
        key = f"{transcript.id}_u{at}"
        yield {
            "id": key,
            "conversation_id": f"{transcript.id}_u0",
            "text": utterance.text,
            "speaker": f"{transcript.id}_{turn.role}",
            "meta": _meta(turn, utterance, str(at + 1)),
            "reply-to": before,
            "timestamp": at + 1,
            "vectors": [],
        }
        before = key


def _meta(turn: Turn, utterance: Utterance, place: str) -> dict[str, Any]:
    """What is said of an utterance; `tags` is its label where there is only one to choose."""
    meta: dict[str, Any] = {"turn": turn.number}
    given = [label for label in utterance.labels if not label.repeat]
    labels = {label.annotator or "": label.codes for label in given}
    if utterance.gold is not None:
        meta["tags"] = utterance.gold
    elif len(labels) == 1:
        meta["tags"] = given[-1].codes
    if any(labels) or (labels and utterance.gold is not None):
        meta["labels"] = labels
    if utterance.gold is not None:
        meta["gold"] = utterance.gold
    if utterance.proposals:
        meta |= _suggestion(utterance.proposals[0])
    conditions = {label.annotator or "": label.condition for label in given if label.condition}
    if conditions:
        meta["conditions"] = conditions
    if turn.timestamp:
        meta["timestamp"] = turn.timestamp
    return meta if utterance.id == place else {**meta, "id": utterance.id}


def _suggestion(proposal: Proposal) -> dict[str, Any]:
    meta: dict[str, Any] = {"suggestion": proposal.codes}
    if proposal.confidence is not None:
        meta["confidence"] = proposal.confidence
    if proposal.model_version:
        meta["model_version"] = proposal.model_version
    if proposal.prompt_hash:
        meta["prompt_hash"] = proposal.prompt_hash
    if proposal.cost is not None:
        meta["cost"] = proposal.cost
    return meta
