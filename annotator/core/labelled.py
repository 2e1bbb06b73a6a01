"""The long table: one row per utterance and annotator, as read by `agree` and `import` and written by `export`.

Storing and querying are `flow`'s; this holds the row, its columns and the guard against spreadsheet formulas.
"""

import csv
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from io import StringIO
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple

from annotator.core.items import join_numbers, split_numbers
from annotator.core.transcript import Label, Proposal, Transcript, Turn, Utterance
from annotator.errors import BadInput

REQUIRED = ("conversation", "utterance", "role", "annotator", "codes")
OPTIONAL = (
    "turn", "text", "condition", "round", "taxonomy_version",
    "suggestion", "confidence", "seconds", "decided_at", "gold",
    "model_version", "prompt_hash", "cost",
    "gold_rule", "mentioned_items", "gt_items",
)  # fmt: skip
COLUMNS = REQUIRED + OPTIONAL
REPEAT = "repeat"
"""The column more that a table has which holds what people said when asked once more."""
_KNOWN = (*COLUMNS, REPEAT)

_RUNS_IN_A_SPREADSHEET = ("=", "+", "-", "@", "\t", "\r")
_SUSPICIOUS = frozenset({*_RUNS_IN_A_SPREADSHEET, "'"})


class Labelled(NamedTuple):
    """One row. `annotator` is empty where nobody labelled; `gold` is None where nothing is settled.

    Model, prompt and cost in USD are the suggestion's. The lists of items are None where this annotator did not correct them.
    """

    conversation: str
    utterance: str
    role: str
    annotator: str
    codes: tuple[str, ...]
    turn: str = ""
    text: str = ""
    condition: str = ""
    round: str = ""
    taxonomy_version: str = ""
    suggestion: tuple[str, ...] | None = None
    confidence: float | None = None
    seconds: float | None = None
    decided_at: str = ""
    gold: tuple[str, ...] | None = None
    model_version: str = ""
    prompt_hash: str = ""
    cost: float | None = None
    gold_rule: str = ""
    mentioned_items: tuple[int, ...] | None = None
    gt_items: tuple[int, ...] | None = None
    repeat: bool = False
    line: int = 0


_FIELDS = Labelled._fields
_EMPTY = tuple(Labelled._field_defaults[field] for field in _FIELDS[len(REQUIRED) : -1])


def guard(cell: str) -> str:
    """Put one `'` before a cell that a spreadsheet would run, or that already looks guarded.

    >>> guard("=1+1"), guard("'=1+1"), guard("'tis fine")
    ("'=1+1", "''=1+1", "'tis fine")
    """
    if cell[:1] not in _SUSPICIOUS:  # nearly all cells
        return cell
    return "'" + cell if cell.lstrip("'").startswith(_RUNS_IN_A_SPREADSHEET) else cell


def unguard(cell: str) -> str:
    """Take off the `'` that `guard` put on.

    >>> unguard("'=1+1"), unguard("''=1+1"), unguard("'tis fine"), unguard("-1")
    ('=1+1', "'=1+1", "'tis fine", '-1')
    """
    if not cell.startswith("'"):
        return cell
    return cell[1:] if cell.lstrip("'").startswith(_RUNS_IN_A_SPREADSHEET) else cell


def join_codes(codes: Iterable[str]) -> str:
    """Write a set of codes as one cell."""
    return "|".join(codes)


@lru_cache(maxsize=4096)
def split_codes(cell: str) -> tuple[str, ...]:
    """Read a cell of codes joined by `|`; double mentions count once.

    >>> split_codes("ACK| RC |ACK"), split_codes("")
    (('ACK', 'RC'), ())
    """
    if "|" not in cell:
        return (code,) if (code := cell.strip()) else ()
    return tuple(dict.fromkeys(code for part in cell.split("|") if (code := part.strip())))


def read_rows(lines: Iterable[str], name: str) -> Iterator[Labelled]:
    """Read a long CSV or TSV with its heading line; columns we do not know are left aside.

    Raises `BadInput` naming file and line for a missing column, a short row or a number that is none.

    >>> next(read_rows(["conversation,utterance,role,annotator,codes", "c1,1,Seeker,alice,ACK|RC"], "t.csv")).codes
    ('ACK', 'RC')
    """
    table = _cells(lines, name)
    _, heading = next(table, (1, []))
    index = _index(heading, name)
    required = itemgetter(*(index.pop(column) for column in REQUIRED))
    more = [(_FIELDS.index(column) - len(REQUIRED), at, _READ[column]) for column, at in index.items()]
    for line, cells in table:
        # Tables put one after the other keep the heading of each.
        if cells != heading:
            if len(cells) != len(heading):
                found = f"{len(cells)} cells where the heading has {len(heading)}"
                raise BadInput(f"{name}, line {line}: {found}. Quote cells that contain the separator.")
            try:
                yield _row(required(cells), cells, more, line)
            except ValueError as error:
                raise BadInput(f"{name}, line {line}: {error}") from None


def read_conversations(lines: Iterable[str], name: str) -> Iterator[str]:
    """The conversation of every row of a long table, without a look at the rest: for a cheap first pass."""
    table = _cells(lines, name)
    _, heading = next(table, (1, []))
    at = _index(heading, name)["conversation"]
    for _, cells in table:
        if cells != heading:
            yield unguard(cells[at]) if at < len(cells) else ""


def _cells(lines: Iterable[str], name: str) -> Iterator[tuple[int, list[str]]]:
    """Every row that is not blank, the heading first, with the line it begins on."""
    source = _without_nul(lines, name)
    first = next(source, "")
    whole = chain([first], source)
    if "\r" in first.rstrip("\r\n"):
        # Excel's "CSV (Macintosh)" ends lines with \r alone; StringIO cuts at those, and at nothing rarer.
        whole = chain.from_iterable(StringIO(line, newline="") for line in whole)
    reader = csv.reader(whole, delimiter=max(",\t;", key=first.count), strict=True)
    line = 0
    try:
        for cells in reader:
            if any(cells):
                yield line + 1, cells
            line = reader.line_num
    except csv.Error as error:
        raise BadInput(
            f"{name}, line {line + 1}: the row that begins here is not readable as CSV ({error}). "
            "Close every quote and double the quotes inside a cell, or save the table again as CSV."
        ) from error


def _without_nul(lines: Iterable[str], name: str) -> Iterator[str]:
    # csv lets NUL pass or not, depending on the Python version.
    for number, line in enumerate(lines, 1):
        if "\x00" in line:
            raise BadInput(f"{name}, line {number} contains a NUL character. Save the table again as UTF-8 CSV.")
        yield line


def _index(heading: list[str], name: str) -> dict[str, int]:
    """Where each known column stands."""
    if not heading:
        raise BadInput(f"{name} is empty. A long table needs a heading with {', '.join(REQUIRED)}.")
    columns = [column.strip().lower() for column in heading]
    missing = [column for column in REQUIRED if column not in columns]
    if missing:
        raise BadInput(f"{name}, line 1: the column {', '.join(missing)} is missing. A long table needs {', '.join(REQUIRED)}.")
    double = {column for column in columns if column in _KNOWN and columns.count(column) > 1}
    if double:
        raise BadInput(f"{name}, line 1: the column {', '.join(sorted(double))} is there twice. Keep one.")
    return {column: columns.index(column) for column in _KNOWN if column in columns}


_More = Sequence[tuple[int, int, Callable[[str], Any]]]
"""Of each optional column that is there: its place among the optional fields of a row, that in the table, and what reads its cells."""


def _row(required: Iterable[str], cells: list[str], more: _More, line: int) -> Labelled:
    """The row of these cells; raises `ValueError` with a sentence. A table may have a million rows, so little is done for each."""
    conversation, utterance, role, annotator, codes = map(unguard, required) if "'" in "".join(required) else required
    role = role.strip()
    if not role or not conversation or not utterance or conversation.isspace() or utterance.isspace():
        empty = next(name for name, cell in zip(REQUIRED, (conversation, utterance, role), strict=False) if not cell.strip())
        raise ValueError(f"the {empty} is empty. Fill it in.")
    rest: list[Any] = [*_EMPTY]
    for field, at, read in more:
        if cell := cells[at]:  # an empty one says nothing
            try:
                rest[field] = read(unguard(cell))
            except ValueError as error:
                raise ValueError(f"{_FIELDS[len(REQUIRED) + field]} is {unguard(cell)!r}{error}") from None
    return Labelled._make((conversation, utterance, role, annotator.strip(), split_codes(codes), *rest, line))


def _settled(cell: str) -> tuple[str, ...] | None:
    """Codes of a cell that may also say nothing: empty is nothing, `|` alone is the empty set."""
    return split_codes(cell) if cell.strip() else None


def _items(cell: str) -> tuple[int, ...] | None:
    """Numbers of items; as with codes, empty says nothing and `|` alone is the empty list."""
    if cell.isspace():
        return None
    try:
        return split_numbers(cell)
    except ValueError:
        raise ValueError(". Join the numbers of items with |, as in 2|7.") from None


def _is_repeat(cell: str) -> bool:
    known = {"1": True, "true": True, "0": False, "false": False, "": False}
    if (word := cell.strip().lower()) not in known:
        raise ValueError(". Write 1 where the annotator was asked once more, and nothing elsewhere.")
    return known[word]


def _number(cell: str) -> float | None:
    if not cell or cell.isspace():
        return None
    try:
        number = float(cell)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(", which is not a number. Correct it or leave the cell empty.")
    return number


_READ: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(OPTIONAL, str.strip), "text": str,
    **dict.fromkeys(("suggestion", "gold"), _settled), **dict.fromkeys(("confidence", "seconds", "cost"), _number),
    **dict.fromkeys(("mentioned_items", "gt_items"), _items), REPEAT: _is_repeat,
}  # fmt: skip
"""What reads the cells of an optional column; the rest of a sentence in a `ValueError` where one cannot be read."""


def rows_of(transcript: Transcript) -> Iterator[Labelled]:
    """The rows of one conversation: one per label, or one with an empty annotator where nobody labelled.

    A row has the proposal of its label's round, else the one without a round.
    """
    said = {(one.annotator, one.round, one.repeat): one for one in transcript.items}
    for turn, utterance in transcript.utterances():
        if not utterance.labels:
            proposal = _proposal(utterance, "") or next(iter(utterance.proposals), None)
            yield _labelled(transcript, turn, utterance, Label(None, (), proposal.round if proposal else ""), proposal)
        for label in utterance.labels:
            row = _labelled(transcript, turn, utterance, label, _proposal(utterance, label.round) or _proposal(utterance, ""))
            items = said.get((label.annotator, label.round, label.repeat)) if said else None
            yield row if items is None else row._replace(mentioned_items=items.mentioned_items, gt_items=items.gt_items)


def _proposal(utterance: Utterance, round_name: str) -> Proposal | None:
    for proposal in utterance.proposals:
        if proposal.round == round_name:
            return proposal
    return None


def _labelled(transcript: Transcript, turn: Turn, utterance: Utterance, label: Label, proposal: Proposal | None) -> Labelled:
    return Labelled(
        conversation=transcript.id,
        utterance=utterance.id,
        role=turn.role,
        annotator=label.annotator or "",
        codes=label.codes,
        turn=str(turn.number),
        text=utterance.text,
        condition=label.condition,
        round=label.round,
        taxonomy_version=label.taxonomy_version,
        suggestion=proposal.codes if proposal else None,
        confidence=proposal.confidence if proposal else None,
        seconds=label.seconds,
        decided_at=label.decided_at,
        gold=utterance.gold,
        model_version=proposal.model_version if proposal else "",
        prompt_hash=proposal.prompt_hash if proposal else "",
        cost=proposal.cost if proposal else None,
        gold_rule=utterance.gold_rule,
        repeat=label.repeat,
    )


def cells_of(row: Labelled, *, raw: bool = False, repeats: bool = False) -> list[str]:
    """One row as cells, in the order of `COLUMNS`, with `REPEAT` at the end if asked; `raw` leaves out the guard against formulas.

    >>> cells_of(Labelled("c1", "1", "Seeker", "alice", ("ACK", "RC"), text="-1", confidence=0.5, gold=()))
    ['c1', '1', 'Seeker', 'alice', 'ACK|RC', '', "'-1", '', '', '', '', '0.5', '', '', '|', '', '', '', '', '', '']
    """
    cells = [
        *(row.conversation, row.utterance, row.role, row.annotator, join_codes(row.codes), row.turn, row.text),
        *(row.condition, row.round, row.taxonomy_version, _settled_cell(row.suggestion), _number_cell(row.confidence)),
        *(_number_cell(row.seconds), row.decided_at, _settled_cell(row.gold)),
        *(row.model_version, row.prompt_hash, _number_cell(row.cost), row.gold_rule),
        "" if row.mentioned_items is None else join_numbers(row.mentioned_items) or "|",
        "" if row.gt_items is None else join_numbers(row.gt_items) or "|",
    ]
    if repeats:
        cells.append("1" if row.repeat else "")
    # Asked here too: a call for every cell of a corpus takes longer than all the rest of this.
    return cells if raw else [guard(cell) if cell[:1] in _SUSPICIOUS else cell for cell in cells]


def _settled_cell(codes: tuple[str, ...] | None) -> str:
    return "" if codes is None else join_codes(codes) or "|"


def _number_cell(number: float | None) -> str:
    return "" if number is None else repr(float(number))


def each_once(rows: Iterable[Labelled], name: str) -> Iterator[Labelled]:
    """Pass rows on; raise `BadInput` for two of one (round, conversation, utterance, annotator), each time of being asked for itself.

    Remembers every row's place.
    """
    seen: defaultdict[tuple[str, str, str, bool], dict[str, int]] = defaultdict(dict)
    for row in rows:
        if row.annotator:
            line = seen[row.conversation, row.annotator, row.round, row.repeat].setdefault(row.utterance, row.line)
            if line != row.line:
                raise BadInput(twice(row, line, name))
        yield row


def twice(row: Labelled, line: int, name: str) -> str:
    """The sentence for two rows where one is allowed."""
    of_round = f" in round {row.round!r}" if row.round else ""
    return (
        f"{name}, lines {line} and {row.line}: conversation {row.conversation!r}, utterance {row.utterance!r} has two rows of "
        f"annotator {row.annotator!r}{of_round}{', both repeated' if row.repeat else ''}. Keep one."
    )
