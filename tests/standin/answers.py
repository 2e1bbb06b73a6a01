"""Right answers and their envelope; what spoils them is in `spoilt`."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from standin.asked import Asked
from standin.truth import Labels, confidence, runner_up, truth

FIELDS = ("id", "role", "rationale", "codes", "confidence", "second")
CHARACTERS_PER_TOKEN = 1.9

Row = dict[str, Any]
Codes = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Draft:
    """An answer before it is put into its envelope; a `text` of None is a candidate without content."""

    text: str | None
    finish: str | None = "STOP"
    block: str | None = None
    thoughts: int = 0
    model: str | None = None


@dataclass(frozen=True)
class Book:
    """What the stand-in knows beyond the request: codes per role, and labels that override its own choice."""

    codes: Codes = field(default_factory=dict)
    labels: Labels = field(default_factory=dict)
    most: int = 2


def codes_of(asked: Asked, book: Book) -> dict[str, list[str]]:
    """The codes of each role; for a flat schema those learnt before, as far as it allows them, or else all it allows."""
    shape = asked.shape
    if shape is None:
        return {role: list(codes) for role, codes in book.codes.items()}
    found = {role: list(codes) for role, codes in shape.codes.items()}
    for role in shape.roles:
        if role not in found:
            known = [code for code in book.codes.get(role, ()) if code in shape.flat]
            found[role] = known or list(shape.flat)
    return found


def right_rows(asked: Asked, codes: Codes, book: Book) -> list[Row]:
    """The right row of every wanted utterance, in order."""
    most = min(book.most, asked.shape.most if asked.shape else 2)
    rows = []
    for one in asked.wanted:
        role, text = str(one.get("role", "")), str(one.get("text", ""))
        mine = codes.get(role, ())
        right = truth(role, text, mine, most=most, labels=book.labels)
        rows.append({
            "id": one.get("id"),
            "role": role,
            "rationale": rationale(role, text, right),
            "codes": right,
            "confidence": round(confidence(role, text), 2),
            "second": runner_up(role, text, mine, right),
        })  # fmt: skip
    return rows


def rationale(role: str, text: str, codes: Sequence[str]) -> str:
    """About twelve words that quote how the utterance begins."""
    return f"The {role} says '{' '.join(text.split()[:6])}', which reads as {' and '.join(codes)}."


def as_text(rows: Sequence[Row], asked: Asked) -> str:
    """Rows as JSON in the shape that the schema asks for."""
    shape = asked.shape
    if shape and shape.fields:
        rows = [{name: row[name] for name in shape.fields if name in row} for row in rows]
    if shape and shape.text_ids:
        rows = [{**row, "id": str(row["id"])} for row in rows]
    return json.dumps({shape.wrapper: rows} if shape and shape.wrapper else rows, ensure_ascii=False)


def capped(draft: Draft, cap: int) -> Draft:
    """Cut a text that with its thoughts is longer than the cap allows."""
    room = cap - draft.thoughts
    if draft.text is None or count_output(draft.text) <= room:
        return draft
    text = draft.text[: int(room * CHARACTERS_PER_TOKEN)] if room > 0 else None
    return replace(draft, text=text, finish="MAX_TOKENS", thoughts=min(draft.thoughts, cap))


def count_output(text: str | None) -> int:
    """The tokens of an answer, by its characters."""
    return math.ceil(len(text or "") / CHARACTERS_PER_TOKEN)


def envelope(draft: Draft, asked: Asked, model: str, cached: int) -> dict[str, Any]:
    """The body of a 200 answer."""
    out = count_output(draft.text)
    usage = {"promptTokenCount": asked.tokens, "totalTokenCount": asked.tokens + out + draft.thoughts}
    usage |= {"candidatesTokenCount": out} if out else {}
    usage |= {"thoughtsTokenCount": draft.thoughts} if draft.thoughts else {}
    usage |= {"cachedContentTokenCount": cached} if cached else {}
    body: dict[str, Any] = {}
    if draft.finish:
        parts = {} if draft.text is None else {"parts": [{"text": draft.text}]}
        content = {"content": {**parts, "role": "model"}} if parts or draft.finish == "MAX_TOKENS" else {}
        body["candidates"] = [{**content, "finishReason": draft.finish, "index": 0}]
    if draft.block:
        body["promptFeedback"] = {"blockReason": draft.block}
    body["usageMetadata"] = {**usage, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": asked.tokens}]}
    return {**body, "modelVersion": draft.model or model, "responseId": uuid4().hex[:22]}
