"""A ConvoKit corpus folder (utterances.jsonl with its JSON companions), read without the convokit package."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from annotator.core.transcript import Label, Proposal, Record, Transcript, Utterance, checked
from annotator.errors import BadInput
from annotator.importers.base import Importer, Source
from annotator.importers.pieces import (
    Spoken,
    are_item_lists,
    code_set,
    complete,
    identifier,
    in_turns,
    item_lists,
    mapping,
    number_or_none,
    parse_json,
    string,
    whole_number,
)


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of utterances.jsonl."""

    where: str
    key: str
    speaker: str
    reply_to: str | None
    timestamp: Any
    text: str
    meta: dict[str, Any]


class ConvoKit(Importer):
    """Reads a corpus; labels are the utterances' `labels` (as we export them) or else their `tags`."""

    name = "convokit"

    def read(self, source: Source) -> Iterator[Record]:
        return complete(_transcripts(source), source)

    def recognises(self, source: Source, head: str) -> bool:
        folder = source.path
        return (folder / "utterances.jsonl").is_file() and any(
            (folder / name).is_file() for name in ("conversations.json", "speakers.json", "corpus.json", "index.json")
        )


def _transcripts(source: Source) -> Iterator[Transcript]:
    if not (source.path / "utterances.jsonl").is_file():
        raise BadInput(f"{source.name()} is no ConvoKit corpus: it has no utterances.jsonl. Name the corpus folder.")
    conversations = _companion(source, "conversations.json")
    speakers = _companion(source, "speakers.json") or _companion(source, "users.json")
    gathered: dict[str, list[_Line]] = {}
    for conversation, line in _lines(source, source.path / "utterances.jsonl"):
        gathered.setdefault(conversation, []).append(line)
    for conversation, lines in gathered.items():
        meta = _meta(conversations, conversation, "conversations.json")
        key = meta.pop("source_id", None)
        key = conversation if key is None else identifier(key, "source_id", f"conversations.json, {conversation}")
        said = meta.pop("item_decisions") if are_item_lists(meta.get("item_decisions")) else ()
        items = item_lists(said, f"conversations.json, {conversation}")
        spoken = [_spoken(line, _meta(speakers, line.speaker, "speakers.json")) for line in _in_order(lines)]
        yield checked(Transcript(key, in_turns(_short_ids(key, spoken)), meta, lines[0].where, items=items))


def _companion(source: Source, name: str) -> dict[str, Any]:
    path = source.path / name
    return mapping(parse_json(source.text(path), name), "the file", name) if path.is_file() else {}


def _meta(objects: dict[str, Any], key: str, name: str) -> dict[str, Any]:
    entry = mapping(objects.get(key), key, name)
    return dict(mapping(entry["meta"], "meta", f"{name}, {key}") if "meta" in entry else entry)


def _lines(source: Source, path: Path) -> Iterator[tuple[str, _Line]]:
    name = source.name(path)
    for number, line in enumerate(source.lines(path), 1):
        if not line.strip():
            continue
        where = f"{name}, line {number}"
        entry = mapping(parse_json(line, name, number), "the utterance", where)
        key = identifier(entry.get("id"), "the id", where)
        # Corpora older than ConvoKit 2.5 say root, user and reply_to.
        conversation = identifier(entry.get("conversation_id", entry.get("root")), "the conversation_id", where)
        yield (
            conversation,
            _Line(
                where,
                key,
                identifier(entry.get("speaker", entry.get("user")), "the speaker", where),
                entry.get("reply-to", entry.get("reply_to")),
                entry.get("timestamp"),
                string(entry.get("text"), "the text", where),
                mapping(entry.get("meta"), "meta", where),
            ),
        )


def _in_order(lines: list[_Line]) -> list[_Line]:
    """By time where every utterance has one; else along the replies if they are one chain; else as stored."""
    if all(type(line.timestamp) in (int, float) for line in lines):
        return sorted(lines, key=lambda line: line.timestamp)
    if all(later.reply_to == earlier.key for earlier, later in pairwise(lines)):
        return lines
    answers = {line.reply_to: line for line in lines}
    first = [line for line in lines if line.reply_to is None]
    chain = list(first)
    while len(first) == 1 and len(chain) < len(lines) and chain[-1].key in answers:
        chain.append(answers[chain[-1].key])
    return chain if len(first) == 1 and len(chain) == len(lines) == len({line.key for line in chain}) else lines


def _spoken(line: _Line, speaker: dict[str, Any]) -> Spoken:
    meta = line.meta
    role = next((role for role in (speaker.get("role"), meta.get("role")) if isinstance(role, str) and role), line.speaker)
    turn = whole_number(meta["turn"], "the turn", line.where) if meta.get("turn") is not None else None
    timestamp = meta.get("timestamp")
    gold = code_set(meta["gold"], line.where) if meta.get("gold") is not None else None
    labels = tuple(_labels(meta, line.where)) if "labels" in meta or gold is None else ()
    key = identifier(meta.get("id", line.key), "the id", line.where)
    utterance = Utterance(key, line.text, labels, _proposals(meta, line.where), gold)
    return Spoken(role.strip(), utterance, turn, timestamp if isinstance(timestamp, str) else "")


def _labels(meta: dict[str, Any], where: str) -> Iterator[Label]:
    if "labels" in meta:
        conditions = mapping(meta.get("conditions"), "conditions", where)
        for annotator, codes in mapping(meta["labels"], "labels", where).items():
            condition = string(conditions.get(annotator, ""), "the condition", where)
            yield Label(annotator or None, code_set(codes, where), condition=condition)
    elif code_set(meta.get("tags"), where):
        yield Label(None, code_set(meta["tags"], where))


def _proposals(meta: dict[str, Any], where: str) -> tuple[Proposal, ...]:
    if meta.get("suggestion") is None:
        return ()
    proposal = Proposal(
        code_set(meta["suggestion"], where),
        number_or_none(meta.get("confidence"), "confidence", where),
        model_version=string(meta.get("model_version", ""), "model_version", where),
        prompt_hash=string(meta.get("prompt_hash", ""), "prompt_hash", where),
        cost=number_or_none(meta.get("cost"), "cost", where),
    )
    return (proposal,)


def _short_ids(conversation: str, spoken: list[Spoken]) -> list[Spoken]:
    """Where ids are only `<conversation>_u0` and on, use 1 and on: the ids that the same text has in other formats."""
    if any(one.utterance.id != f"{conversation}_u{at}" for at, one in enumerate(spoken)):
        return spoken
    return [_renamed(one, str(at)) for at, one in enumerate(spoken, 1)]


def _renamed(one: Spoken, key: str) -> Spoken:
    said = one.utterance
    return Spoken(one.role, Utterance(key, said.text, said.labels, said.proposals, said.gold), one.turn, one.timestamp)
