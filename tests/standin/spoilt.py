"""The answers that are wrong on purpose: one function per fault of rows, one per fault of text."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from standin.answers import CHARACTERS_PER_TOKEN, Codes, Draft, Row, as_text
from standin.asked import Asked
from standin.faults import REFUSAL_FAULTS, ROW_FAULTS

CONTENT = ("rationale", "codes", "second")
WORDS = ("low", "medium", "high")
FINISH = {"safety": "SAFETY", "recitation": "RECITATION", "spii": "SPII", "other_stop": "OTHER"}


@dataclass(frozen=True)
class Scene:
    """What a fault may look at beside the rows; `at` is the row that a fault of a single row strikes."""

    asked: Asked
    codes: Codes
    at: int

    def others(self, role: str, *, own: bool) -> list[str]:
        """The codes of the role (`own`), or those that only other roles have."""
        mine = list(self.codes.get(role, ()))
        return mine if own else [code for other in self.codes.values() for code in other if code not in mine]

    def other_role(self, role: str) -> str:
        return next(other for other in self.codes if other != role)


def spoil(fault: str, extra: Mapping[str, Any], rows: list[Row], scene: Scene, thoughts: int) -> Draft:
    """Make the answer that a fault of the answer gives."""
    asked = scene.asked
    if fault in REFUSAL_FAULTS:
        return Draft(None, FINISH.get(fault), "PROHIBITED_CONTENT" if fault == "blocked" else None)
    if fault == "max_tokens_empty":
        return Draft(None, "MAX_TOKENS", thoughts=asked.cap)
    if fault == "rerouted":
        return Draft(as_text(rows, asked), thoughts=thoughts, model=extra.get("model", "gemini-3.9-elsewhere"))
    if fault in ROW_FAULTS:
        return Draft(as_text(SPOIL_ROWS[fault](rows, scene), asked), thoughts=thoughts)
    if fault == "repetition":
        line = as_text(rows, asked)
        times = math.ceil(asked.cap * CHARACTERS_PER_TOKEN / len(line)) + 1
        return Draft(as_text(rows * times, asked)[: int(asked.cap * CHARACTERS_PER_TOKEN)], "MAX_TOKENS", thoughts=thoughts)
    return Draft(SPOIL_TEXT[fault](as_text(rows, asked)), "MAX_TOKENS" if fault == "truncated" else "STOP", thoughts=thoughts)


def comma_at_the_end(text: str) -> str:
    before, bracket, after = text.rpartition("]")
    return f"{before},{bracket}{after}"


SPOIL_TEXT: dict[str, Callable[[str], str]] = {
    "fenced": lambda text: f"```json\n{text}\n```",
    "prose_around": lambda text: f"Here are the labels you asked for:\n\n{text}\n\nLet me know if you need anything else.",
    "truncated": lambda text: text[: len(text) // 2],
    "trailing_comma": comma_at_the_end,
    "single_quotes": lambda text: text.replace('"', "'"),
    "not_json": lambda text: "I have read the conversation. The first utterance is a request, the others follow from it.",
    "empty": lambda text: "",
}


def all_rows(change: Callable[[Row], Row]) -> Callable[[list[Row], Scene], list[Row]]:
    """A fault that strikes every row."""
    return lambda rows, scene: [{**row, **change(row)} for row in rows]


def one_row(change: Callable[[Row, Scene], Row]) -> Callable[[list[Row], Scene], list[Row]]:
    """A fault that strikes one row."""
    return lambda rows, scene: [{**row, **change(row, scene)} if at == scene.at else row for at, row in enumerate(rows)]


def slide(rows: list[Row], start: int, names: Sequence[str]) -> list[Row]:
    """From `start` on each row takes the named fields of the row after it; the last keeps its own, so that the end looks right."""
    last = len(rows) - 1
    return [{**row, **{name: rows[min(at + 1, last)][name] for name in names}} if at >= start else row for at, row in enumerate(rows)]


def strangers(rows: list[Row], scene: Scene) -> list[Row]:
    """Rows for ids that do not exist, and for an utterance that was only context."""
    wanted = {str(row["id"]) for row in rows}
    context = [one["id"] for one in scene.asked.utterances if str(one["id"]) not in wanted][:1]
    highest = max((int(one["id"]) for one in scene.asked.utterances if str(one["id"]).isdigit()), default=1000)
    return rows + [{**rows[-1], "id": one} for one in (*context, highest + 1, highest + 2)]


def from_zero(rows: list[Row], scene: Scene) -> list[Row]:
    """Every id one too small, as if counting began at 0."""
    return [{**row, "id": int(row["id"]) - 1 if str(row["id"]).lstrip("-").isdigit() else str(at)} for at, row in enumerate(rows)]


def twice_differing(rows: list[Row], scene: Scene) -> list[Row]:
    row = rows[scene.at]
    left = [code for code in scene.others(row["role"], own=True) if code not in row["codes"]]
    return [*rows[: scene.at + 1], {**row, "codes": left[:1] or ["OTHER"]}, *rows[scene.at + 1 :]]


def wrong_role(row: Row, scene: Scene) -> Row:
    left = scene.others(row["role"], own=False) or scene.others(scene.other_role(row["role"]), own=True)
    return {"codes": left[:1]}


def too_many(row: Row, scene: Scene) -> Row:
    left = [code for code in scene.others(row["role"], own=True) if code not in row["codes"]]
    return {"codes": [*row["codes"], *left[:8]]}


def nearest(row: Row, scene: Scene) -> Row:
    known = {code for codes in scene.codes.values() for code in codes}
    return {"codes": [code + next(end for end in (code[-1:], "S", "X", "QX") if code + end not in known) for code in row["codes"]]}


def worded(row: Row) -> Row:
    return {"confidence": WORDS[min(2, max(0, int(row["confidence"] * 6) - 3))]}


SPOIL_ROWS: dict[str, Callable[[list[Row], Scene], list[Row]]] = {
    "nan_confidence": all_rows(lambda row: {"confidence": math.nan}),
    "word_confidence": all_rows(worded),
    "percent_confidence": all_rows(lambda row: {"confidence": round(row["confidence"] * 100)}),
    "missing_confidence": lambda rows, scene: [{name: value for name, value in row.items() if name != "confidence"} for row in rows],
    "missing_tail": lambda rows, scene: rows[: max(1, len(rows) * 2 // 3)],
    "missing_middle": lambda rows, scene: [row for at, row in enumerate(rows) if at != min(max(scene.at, 1), len(rows) - 2)],
    "extra_ids": strangers,
    "duplicate_same": lambda rows, scene: [*rows[: scene.at + 1], rows[scene.at], *rows[scene.at + 1 :]],
    "duplicate_different": twice_differing,
    "string_ids": all_rows(lambda row: {"id": str(row["id"])}),
    "renumbered": from_zero,
    "slid": lambda rows, scene: slide(rows, 0, CONTENT),
    "slid_rows": lambda rows, scene: slide(rows, 0, ("role", *CONTENT)),
    "slid_tail": lambda rows, scene: slide(rows, (len(rows) - 1) // 2, CONTENT),
    "wrong_role": one_row(wrong_role),
    "flipped_role": one_row(lambda row, scene: {**wrong_role(row, scene), "role": scene.other_role(row["role"])}),
    "unknown_code": one_row(lambda row, scene: {"codes": ["ZZZ"]}),
    "null_code": one_row(lambda row, scene: {"codes": [None] if scene.at else None}),
    "empty_codes": one_row(lambda row, scene: {"codes": []}),
    "nearest_code": one_row(nearest),
    "case_space": all_rows(lambda row: {"codes": [f" {code.lower()} " for code in row["codes"]]}),
    "too_many_codes": one_row(too_many),
}
