"""Rows of the long table made into transcripts, whatever file the rows came from.

Reading the rows is `core.labelled`'s (CSV) and `importers.jsonl`'s (one utterance a line).
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from annotator.core.items import FIELDS
from annotator.core.labelled import Labelled, twice
from annotator.core.transcript import ItemLists, Label, Proposal, Transcript, Utterance, checked
from annotator.errors import BadInput
from annotator.importers.pieces import Spoken, in_turns, whole_number


def transcripts(conversations: Iterable[str], rows: Callable[[], Iterable[Labelled]], name: str) -> Iterator[Transcript]:
    """Yield one transcript per conversation, in order of first appearance.

    Where the rows of each conversation stand together, only one conversation is in memory at a time; `conversations`
    names that of every row, for the look that finds out. `rows` is called after it.
    """
    if _stand_together(conversations):
        for _, group in groupby(rows(), key=lambda row: row.conversation):
            yield _transcript(list(group), name)
    else:
        gathered: dict[str, list[Labelled]] = {}
        for row in rows():
            gathered.setdefault(row.conversation, []).append(row)
        for group_of_one in gathered.values():
            yield _transcript(group_of_one, name)


def _stand_together(conversations: Iterable[str]) -> bool:
    seen: set[str] = set()
    for conversation, _ in groupby(conversations):
        if conversation in seen:
            return False
        seen.add(conversation)
    return True


def _transcript(rows: list[Labelled], name: str) -> Transcript:
    by_utterance: dict[str, list[Labelled]] = {}
    for row in rows:
        by_utterance.setdefault(row.utterance, []).append(row)
    ids = list(by_utterance)
    if all(key.isascii() and key.isdigit() and len(key) < 19 for key in ids):
        ids.sort(key=int)
    spoken = [_spoken(by_utterance[key], name) for key in ids]
    place = f"{name}, line {rows[0].line}"
    items = tuple(_item_lists(rows, name))
    return checked(Transcript(rows[0].conversation, in_turns(spoken), place=place, partial=True, items=items))


def _item_lists(rows: list[Labelled], name: str) -> Iterator[ItemLists]:
    """What each annotator says of the items stands in all their rows, and must be the same in all that have it."""
    first: dict[tuple[str, str, bool], Labelled] = {}
    for row in rows:
        if (row.mentioned_items is not None or row.gt_items is not None) and (row.annotator or row.codes):
            one = first.setdefault((row.annotator, row.round, row.repeat), row)
            for field in FIELDS:
                if getattr(row, field) != getattr(one, field):
                    raise BadInput(
                        f"{name}, lines {one.line} and {row.line}: the {field} of {row.annotator or 'an annotator without a name'} in "
                        f"conversation {row.conversation!r} differ. A list of items is one of the whole conversation: make it the same."
                    )
    for row in first.values():
        yield ItemLists(row.annotator or None, row.mentioned_items, row.gt_items, row.round, row.repeat)


def _spoken(rows: list[Labelled], name: str) -> Spoken:
    first = rows[0]
    if len(rows) > 1:
        _check_same(rows, name)
    text = next((row.text for row in rows if row.text), "")
    labels = tuple(_label(row) for row in rows if row.annotator or row.codes)
    proposals = dict.fromkeys(
        Proposal(row.suggestion, row.confidence, row.round, row.model_version, row.prompt_hash, row.cost)
        for row in rows
        if row.suggestion is not None
    )  # a dict, because each stands in many rows
    settled = next((row for row in rows if row.gold is not None), None)
    gold = (settled.gold, settled.gold_rule) if settled is not None else (None, "")
    turn = next((whole_number(row.turn, "the turn", f"{name}, line {row.line}") for row in rows if row.turn), None)
    return Spoken(first.role, Utterance(first.utterance, text, labels, tuple(proposals), *gold), turn)


def _label(row: Labelled) -> Label:
    facts = (row.round, row.condition, row.taxonomy_version, row.seconds, row.decided_at, row.repeat)
    return Label(row.annotator or None, row.codes, *facts)


def _check_same(rows: list[Labelled], name: str) -> None:
    """One utterance has one role, text, turn and gold, and one label per round and annotator, or two with one of them repeated."""
    first = rows[0]
    said = next((row for row in rows if row.text), first)
    placed = next((row for row in rows if row.turn), first)
    settled = next((row for row in rows if row.gold is not None), first)
    seen: dict[tuple[str, str, bool], Labelled] = {}
    for row in rows:
        if row.role != first.role:
            _differ(first, row, "role", name)
        if row.text and row.text != said.text:
            _differ(said, row, "text", name)
        if row.turn and row.turn != placed.turn:
            _differ(placed, row, "turn", name)
        if row.gold is not None and set(row.gold) != set(settled.gold or ()):
            _differ(settled, row, "gold", name)
        if row.annotator or row.codes:
            twin = seen.setdefault((row.round, row.annotator, row.repeat), row)
            if twin is not row:
                raise BadInput(twice(row, twin.line, name))


def _differ(one: Labelled, other: Labelled, column: str, name: str) -> None:
    raise BadInput(
        f"{name}, lines {one.line} and {other.line}: the {column} of conversation {one.conversation!r}, utterance "
        f"{one.utterance!r} differs. Make it the same, or give each utterance an id of its own."
    )
