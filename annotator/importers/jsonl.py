"""JSON lines: one conversation a line, with turns or as a flat list of utterances, or one utterance a line.

The last is the long table in other clothes and is put together by `importers.table`.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from annotator.core.labelled import Labelled
from annotator.core.transcript import Label, Proposal, Record, Transcript, Turn, Utterance, checked
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
    item_numbers,
    listing,
    mapping,
    number_or_none,
    parse_json,
    string,
    whole_number,
    yes_or_no,
)
from annotator.importers.table import transcripts

_SHAPES = """A line is one of
{"id": "c1", "turns": [{"turn": 1, "role": "Seeker", "utterances": [{"text": "Hi", "labels": {"alice": ["ACK"]}}]}]}
{"id": "c1", "utterances": [{"role": "Seeker", "text": "Hi", "codes": ["ACK"]}]}
{"conversation": "c1", "role": "Seeker", "text": "Hi", "annotator": "alice", "codes": ["ACK"]}"""


class Jsonl(Importer):
    """Reads one line at a time, so that memory does not grow with the file."""

    name = "jsonl"

    def read(self, source: Source) -> Iterator[Record]:
        if _by_utterance(source):
            name = source.name()

            def rows() -> Iterator[Labelled]:
                source.rewind()
                return _rows(source)

            conversations = (str(entry.get("conversation")) for _, entry in _entries(source))
            return complete(transcripts(conversations, rows, name), source)
        return complete(_conversations(source), source)

    def recognises(self, source: Source, head: str) -> bool:
        if source.path.is_dir():
            return False
        return source.path.suffix.lower() in (".jsonl", ".ndjson", ".json") or head.lstrip().startswith(('{"', "[{"))


def _entries(source: Source) -> Iterator[tuple[int, dict[str, Any]]]:
    name = source.name()
    for number, line in enumerate(source.lines(), 1):
        if not line.strip():
            continue
        if line.lstrip().startswith("["):
            raise BadInput(f"{name}, line {number} begins a list. Write each conversation on a line of its own. {_SHAPES}")
        entry = parse_json(line, name, number)
        if not isinstance(entry, dict):
            raise BadInput(f"{name}, line {number} is not an object in braces. {_SHAPES}")
        yield number, entry


def _by_utterance(source: Source) -> bool:
    _, first = next(_entries(source), (0, {}))
    source.rewind()
    return "conversation" in first and not _shape(first)


def _shape(entry: dict[str, Any]) -> str:
    return next((key for key in ("turns", "utterances", "messages") if key in entry), "")


def _conversations(source: Source) -> Iterator[Transcript]:
    name = source.name()
    for number, entry in _entries(source):
        where = f"{name}, line {number}"
        shape = _shape(entry)
        if not shape:
            raise BadInput(f"{where} has none of the shapes known here. {_SHAPES}")
        key = identifier(entry.get("id"), "the conversation's id", where)
        at = f"{where}: conversation {key!r}"
        meta = {key: value for key, value in entry.items() if key not in ("id", "meta", shape)}
        items = item_lists(meta.pop("items"), at) if are_item_lists(entry.get("items")) else ()
        meta |= mapping(entry.get("meta"), "meta", at)
        parts = listing(entry[shape], shape, at)
        turns = _turns(parts, at) if shape == "turns" else in_turns(_spoken(parts, at))
        yield checked(Transcript(key, turns, meta, where, items=items))


def _turns(entries: list[Any], at: str) -> tuple[Turn, ...]:
    turns = []
    count = 0
    for position, entry in enumerate(entries, 1):
        where = f"{at}, turn {position}"
        entry = mapping(entry, "the turn", where)
        number = whole_number(entry.get("turn", position), "the turn's number", where)
        utterances = []
        for part in listing(entry.get("utterances"), "utterances", where):
            count += 1
            utterances.append(_utterance(mapping(part, "the utterance", where), count, where))
        turns.append(Turn(_role(entry, where), tuple(utterances), number, _timestamp(entry)))
    return tuple(turns)


def _spoken(entries: list[Any], at: str) -> Iterator[Spoken]:
    for count, entry in enumerate(entries, 1):
        where = f"{at}, utterance {count}"
        entry = mapping(entry, "the utterance", where)
        turn = whole_number(entry["turn"], "the turn", where) if entry.get("turn") is not None else None
        yield Spoken(_role(entry, where), _utterance(entry, count, where), turn, _timestamp(entry))


def _role(entry: dict[str, Any], where: str) -> str:
    role = entry.get("role", entry.get("speaker"))
    if not isinstance(role, str) or not role.strip():
        raise BadInput(f'{where}: the role is missing. Say who speaks, as in "role": "Seeker".')
    return role.strip()


def _timestamp(entry: dict[str, Any]) -> str:
    timestamp = entry.get("timestamp")
    return "" if timestamp is None else str(timestamp)


def _utterance(entry: dict[str, Any], count: int, where: str) -> Utterance:
    key = identifier(entry["id"], "the utterance's id", where) if "id" in entry else str(count)
    text = entry.get("text", entry.get("content"))
    if not isinstance(text, str):
        text = string(text, "the text", f"{where}, utterance {key}")
    labels, gold = _labels(entry, where, key)
    proposals = entry.get("proposals")
    rule = string(entry["gold_rule"], "gold_rule", f"{where}, utterance {key}") if gold is not None and "gold_rule" in entry else ""
    return Utterance(key, text, labels, _proposals(proposals, where, key) if proposals else (), gold, rule)


def _labels(entry: dict[str, Any], where: str, key: str) -> tuple[tuple[Label, ...], tuple[str, ...] | None]:
    """The labels, with what `decisions` say of them, and the gold label that stands among them."""
    gold = None
    labels: list[Label] = []
    if "decisions" in entry:
        at = f"{where}, utterance {key}"
        labels = [_decision(one, at) for one in listing(entry["decisions"], "decisions", at)]
    decided = {label.annotator: label.codes for label in labels if not label.repeat}
    for annotator, value in mapping(entry.get("labels"), "labels", where).items():
        codes = code_set(value, f"{where}, utterance {key}")
        if annotator == "gold":
            gold = codes
        elif annotator.strip() not in decided:
            labels.append(Label(annotator.strip() or None, codes))
        elif decided[annotator.strip()] != codes:
            raise BadInput(
                f"{where}, utterance {key}: labels and decisions of {annotator} differ. Change both, or remove the decisions."
            )
    # An empty list that no one is named for is no label: files are written so before anyone has labelled.
    unnamed = code_set(entry.get("codes"), f"{where}, utterance {key}")
    if unnamed:
        labels.append(Label(None, unnamed))
    return tuple(labels), gold


def _decision(entry: Any, at: str) -> Label:
    entry = mapping(entry, "the decision", at)
    annotator = entry.get("annotator")
    return Label(
        None if annotator is None else identifier(annotator, "the annotator", at).strip(),
        code_set(entry.get("codes"), at),
        round=string(entry.get("round", ""), "round", at),
        condition=string(entry.get("condition", ""), "condition", at),
        taxonomy_version=string(entry.get("taxonomy_version", ""), "taxonomy_version", at),
        seconds=number_or_none(entry.get("seconds"), "seconds", at),
        decided_at=string(entry.get("decided_at", ""), "decided_at", at),
        repeat=yes_or_no(entry.get("repeat"), "repeat", at),
    )


def _proposals(entries: Any, where: str, key: str) -> tuple[Proposal, ...]:
    at = f"{where}, utterance {key}"
    return tuple(_proposal(mapping(one, "the proposal", at), at) for one in listing(entries, "proposals", at))


def _proposal(entry: dict[str, Any], at: str) -> Proposal:
    return Proposal(
        code_set(entry.get("codes"), at),
        number_or_none(entry.get("confidence"), "confidence", at),
        round=string(entry.get("round", ""), "round", at),
        model_version=string(entry.get("model_version", ""), "model_version", at),
        prompt_hash=string(entry.get("prompt_hash", ""), "prompt_hash", at),
        cost=number_or_none(entry.get("cost"), "cost", at),
    )


def _rows(source: Source) -> Iterator[Labelled]:
    """One utterance a line, with the names of the long table's columns. Without an id it is its place in the conversation."""
    count: Counter[str] = Counter()
    for number, entry in _entries(source):
        where = f"{source.name()}, line {number}"
        if "conversation" not in entry or _shape(entry):
            raise BadInput(f"{where} is no utterance like the line before it. {_SHAPES}")
        conversation = identifier(entry["conversation"], "the conversation", where)
        count[conversation] += 1
        key = entry.get("utterance")
        key = str(count[conversation]) if key is None else identifier(key, "the utterance's id", where)
        yield _row(entry, conversation, key, where, number)


def _row(entry: dict[str, Any], conversation: str, key: str, where: str, line: int) -> Labelled:
    def word(column: str) -> str:
        value = entry.get(column)
        return "" if value is None else identifier(value, column, where).strip() if value != "" else ""

    def maybe(column: str, read: Callable[[Any, str], tuple[str, ...]]) -> tuple[str, ...] | None:
        value = entry.get(column)
        return None if value is None or value == "" else read(value, where)

    text = entry.get("text")
    return Labelled(
        conversation=conversation,
        utterance=key,
        role=_role(entry, where),
        annotator=word("annotator"),
        codes=code_set(entry.get("codes"), where),
        turn=word("turn"),
        text="" if text is None else string(text, "the text", where),
        condition=word("condition"),
        round=word("round"),
        taxonomy_version=word("taxonomy_version"),
        suggestion=maybe("suggestion", code_set),
        confidence=number_or_none(entry.get("confidence"), "confidence", where),
        seconds=number_or_none(entry.get("seconds"), "seconds", where),
        decided_at=word("decided_at"),
        gold=maybe("gold", code_set),
        model_version=word("model_version"),
        prompt_hash=word("prompt_hash"),
        cost=number_or_none(entry.get("cost"), "cost", where),
        gold_rule=word("gold_rule"),
        mentioned_items=item_numbers(entry.get("mentioned_items"), "mentioned_items", where),
        gt_items=item_numbers(entry.get("gt_items"), "gt_items", where),
        repeat=yes_or_no(entry.get("repeat"), "repeat", where),
        line=line,
    )
