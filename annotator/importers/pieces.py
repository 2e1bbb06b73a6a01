"""What several formats share: JSON read strictly, codes, whole numbers, and turns made of consecutive utterances.

Each format's own shape is its module's; where a transcript can be stored is decided in `core.transcript.checked`.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NoReturn

from annotator.core.items import FIELDS
from annotator.core.labelled import split_codes
from annotator.core.transcript import ItemLists, Record, Transcript, Turn, Utterance
from annotator.errors import BadInput
from annotator.importers.base import Source

_HIGHEST = 2**31 - 1
_WHOLE = re.compile(r"\s*-?[0-9]{1,10}\s*")


def parse_json(text: str, name: str, line: int | None = None) -> Any:
    """Read JSON, or raise `BadInput` with line and column. `NaN` and `Infinity` are read as null.

    `line` is the number of a line that is a document of its own.
    """
    try:
        return _JSON.decode(text)
    except json.JSONDecodeError as error:
        where = f"{name}, line {error.lineno if line is None else line}, column {error.colno}"
        raise BadInput(f"{where}: not readable as JSON ({error.msg}). Correct it or write the file again.") from error
    except (ValueError, RecursionError) as error:
        where = name if line is None else f"{name}, line {line}"
        raise BadInput(f"{where}: not readable as JSON (a number is too long or lists stand too deep in each other).") from error


def _nothing(_: str) -> None:
    return None


_JSON = json.JSONDecoder(parse_constant=_nothing)


def code_set(value: Any, where: str) -> tuple[str, ...]:
    """The codes of a list, or of a string that joins them with `|`; each once.

    >>> code_set(["ACK", "RC", "ACK"], "here"), code_set("ACK|RC", "here"), code_set(None, "here")
    (('ACK', 'RC'), ('ACK', 'RC'), ())
    """
    if isinstance(value, list):
        if len(value) == 1 and type(value[0]) is str:  # nearly all labels
            return (value[0].strip(),)
        if all(isinstance(code, str) for code in value):
            return tuple(dict.fromkeys(code.strip() for code in value))
    if isinstance(value, str):
        return split_codes(value)
    if value is None:
        return ()
    raise BadInput(f'{where}: the codes are {_short(value)}, not a list of strings. Write them as ["ACK", "RC"].')


def whole_number(value: Any, what: str, where: str) -> int:
    """A whole number, also where it is written as text or as 3.0."""
    number = value
    if (isinstance(value, str) and _WHOLE.fullmatch(value)) or (isinstance(value, float) and value.is_integer()):
        number = int(value)
    if type(number) is not int or abs(number) > _HIGHEST:
        raise BadInput(f"{where}: {what} is {_short(value)}, which is not a whole number. Correct it.")
    return number


def number_or_none(value: Any, what: str, where: str) -> float | None:
    """A finite number, or None where there is none."""
    if value is None:
        return None
    if type(value) not in (int, float) or not abs(value) < 1e300:
        raise BadInput(f"{where}: {what} is {_short(value)}, which is not a number. Correct it or leave it out.")
    return float(value)


def string(value: Any, what: str, where: str) -> str:
    """Text that must be there, although it may be empty."""
    if not isinstance(value, str):
        raise BadInput(f"{where}: {what} is {_short(value)} where text is needed. Write it in quotes.")
    return value


def identifier(value: Any, what: str, where: str) -> str:
    """An id: text that is not blank, or a whole number."""
    if type(value) is int:
        return str(value)
    if not isinstance(value, str) or not value.strip():
        raise BadInput(f"{where}: {what} is missing. Give each its own.")
    return value


def yes_or_no(value: Any, what: str, where: str) -> bool:
    """A JSON true or false; null is false."""
    if value not in (None, True, False):
        raise BadInput(f"{where}: {what} is {_short(value)}. Write true or false.")
    return bool(value)


def item_numbers(value: Any, what: str, where: str) -> tuple[int, ...] | None:
    """A list of items by number, or numbers joined by `|` as in the long table, each once; None where there is none."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        value = value.strip().strip("|").split("|") if value.strip(" |") else []
    return tuple(dict.fromkeys(whole_number(one, f"an item in {what}", where) for one in listing(value, what, where)))


def are_item_lists(value: Any) -> bool:
    """Whether this is what annotators say of items, as we export it, and not something that a corpus calls so too."""
    return bool(value) and isinstance(value, list) and all(isinstance(one, dict) and "annotator" in one for one in value)


def item_lists(value: Any, where: str) -> tuple[ItemLists, ...]:
    """What annotators say of a conversation's items."""
    return tuple(
        ItemLists(
            None if one["annotator"] is None else identifier(one["annotator"], "the annotator of items", where).strip(),
            **{field: item_numbers(one.get(field), field, where) for field in FIELDS},
            round=string(one.get("round", ""), "round", where),
            repeat=yes_or_no(one.get("repeat"), "repeat", where),
        )
        for one in value
    )


def mapping(value: Any, what: str, where: str) -> dict[str, Any]:
    """A JSON object; null counts as an empty one."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadInput(f"{where}: {what} is {_short(value)}, not an object in braces. Correct it.")
    return value


def listing(value: Any, what: str, where: str) -> list[Any]:
    """A JSON list; null counts as an empty one."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadInput(f"{where}: {what} is {_short(value)}, not a list in brackets. Correct it.")
    return value


def _short(value: Any) -> str:
    written = json.dumps(value, ensure_ascii=True)
    return written if len(written) <= 40 else f"{written[:37]}..."


@dataclass(frozen=True, slots=True)
class Spoken:
    """An utterance before it is known which turn it belongs to. `turn` is the source's number, if it has any."""

    role: str
    utterance: Utterance
    turn: int | None = None
    timestamp: str = ""


def in_turns(spoken: Iterable[Spoken]) -> tuple[Turn, ...]:
    """Join consecutive utterances of one role and one turn number; turns without a number count from 1.

    >>> [len(turn.utterances) for turn in in_turns(Spoken(role, Utterance(str(n), "Hi")) for n, role in enumerate("AABA"))]
    [2, 1, 1]
    """
    turns: list[Turn] = []
    for (role, number), group in groupby(spoken, key=lambda one: (one.role, one.turn)):
        parts = list(group)
        number = len(turns) + 1 if number is None else number
        turns.append(Turn(role, tuple(one.utterance for one in parts), number, parts[0].timestamp))
    return tuple(turns)


def complete(records: Iterable[Record], source: Source) -> Iterator[Record]:
    """Pass records on; raise `BadInput` for two conversations with one id, and where there was no conversation at all."""
    seen: set[str] = set()
    for record in records:
        if isinstance(record, Transcript):
            if record.id in seen:
                raise BadInput(f"{record.place}: a conversation {record.id!r} stands further up already. Give each its own id.")
            seen.add(record.id)
        yield record
    if not seen:
        nothing_in(source)


def nothing_in(source: Source) -> NoReturn:
    raise BadInput(f"{source.name()} holds no conversation. Check that it is the file or folder you meant.")


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """Sort key by which c2 comes before c10.

    >>> sorted(["c10", "c2", "c1_b"], key=natural)
    ['c1_b', 'c2', 'c10']
    """
    parts = re.split("([0-9]+)", name)
    return tuple((int(part), "") if at % 2 else (-1, part) for at, part in enumerate(parts))
