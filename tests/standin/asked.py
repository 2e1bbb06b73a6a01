"""What a generateContent request asks for: utterances, codes per role, shape of the answer; camelCase and snake_case alike.

The answer itself is made in `answers`.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

Json = Mapping[str, Any]
SAMPLING = ("temperature", "topP", "topK")
CHARACTERS_PER_TOKEN = 3.2
DEFAULT_CAP = 65_536
THOUGHTS = {"minimal": 0, "low": 120, "medium": 500, "high": 2_000, "xhigh": 6_000}


@dataclass(frozen=True)
class Shape:
    """The response schema as far as an answer depends on it."""

    wrapper: str | None = None
    fields: tuple[str, ...] = ()
    codes: Json = field(default_factory=dict)
    flat: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    any_of: bool = False
    most: int = 2
    text_ids: bool = False


@dataclass(frozen=True)
class Asked:
    """A request; `wanted` are the utterances that a row is wanted for."""

    model: str
    utterances: tuple[Json, ...] = ()
    wanted: tuple[Json, ...] = ()
    shape: Shape | None = None
    system: str = ""
    tokens: int = 0
    system_tokens: int = 0
    cap: int = DEFAULT_CAP
    flex: bool = False
    tier: str | None = None
    thinking: Json = field(default_factory=dict)
    sampling: tuple[str, ...] = ()
    last_role: str = "user"

    def thoughts(self) -> int:
        """How many tokens the model thinks before it answers."""
        default = "medium" if "3.8-flash" in self.model else "minimal"
        level = str(self.thinking.get("thinkingLevel", default)).lower()
        budget = self.thinking.get("thinkingBudget")
        return THOUGHTS.get(level, 0) if budget is None else max(0, int(budget))


def pick(holder: Any, name: str) -> Any:
    """The field of a JSON object, written in camelCase or in snake_case; None if it is absent."""
    if not isinstance(holder, Mapping):
        return None
    return holder[name] if name in holder else holder.get(snake(name))


@lru_cache(maxsize=256)
def snake(name: str) -> str:
    """camelCase to snake_case."""
    return re.sub("[A-Z]", lambda found: "_" + found[0].lower(), name)


@lru_cache(maxsize=256)
def camel(name: str) -> str:
    """snake_case to camelCase."""
    return re.sub("_([a-z])", lambda found: found[1].upper(), name)


def count_tokens(*texts: str) -> int:
    """The tokens of a prompt, by its characters."""
    return math.ceil(sum(map(len, texts)) / CHARACTERS_PER_TOKEN)


def texts_of(content: Any) -> list[str]:
    """The texts of a content, which may be its bare text."""
    if isinstance(content, str):
        return [content]
    parts = pick(content, "parts") or []
    return [part["text"] for part in ([parts] if isinstance(parts, Mapping) else parts) if isinstance(part.get("text"), str)]


def contents_of(body: Json) -> list[Any]:
    """The contents of a request as a list."""
    contents = body.get("contents") or []
    return contents if isinstance(contents, list) else [contents]


def read_asked(model: str, body: Json) -> Asked:
    """Read a request body that is JSON."""
    config = pick(body, "generationConfig") or {}
    contents = contents_of(body)
    system = "\n".join(texts_of(pick(body, "systemInstruction")))
    thinking = pick(config, "thinkingConfig") or {}
    schema = pick(config, "responseSchema") or pick(config, "responseJsonSchema")
    users = [content for content in contents if pick(content, "role") in (None, "user")]
    utterances, label = find_utterances(texts_of(users[-1]) if users else [])
    tier = pick(body, "serviceTier")
    return Asked(
        model=model,
        utterances=utterances,
        wanted=tuple(one for one in utterances if label is None or str(one.get("id")) in label),
        shape=read_shape(schema) if isinstance(schema, Mapping) else None,
        system=system,
        tokens=count_tokens(system, *(text for content in contents for text in texts_of(content)), json.dumps(schema) if schema else ""),
        system_tokens=count_tokens(system),
        cap=int(pick(config, "maxOutputTokens") or DEFAULT_CAP),
        flex=str(tier).lower().endswith("flex"),
        tier=tier,
        thinking={camel(name): value for name, value in thinking.items()},
        sampling=tuple(name for name in SAMPLING if pick(config, name) is not None),
        last_role=(pick(contents[-1], "role") or "user") if contents else "user",
    )


def find_utterances(texts: list[str]) -> tuple[tuple[Json, ...], set[str] | None]:
    """Find the object with `utterances`, wherever it stands in the texts, and the ids it wants labelled (None: all)."""
    for found in objects(texts):
        if isinstance(found.get("utterances"), list):
            label = found.get("label")
            wanted = None if label is None else {str(one) for one in label}
            return tuple(one for one in found["utterances"] if isinstance(one, Mapping)), wanted
    return (), None


def objects(texts: list[str]) -> Iterator[Json]:
    """Every JSON object in the texts, outer ones first."""
    decoder = json.JSONDecoder()
    for text in texts:
        at = text.find("{")
        while at >= 0:
            with suppress(ValueError):
                yield decoder.raw_decode(text, at)[0]
            at = text.find("{", at + 1)


def read_shape(schema: Json) -> Shape:
    """Read the response schema: an array of rows or an object that holds one, rows by role (`anyOf`) or flat."""
    holder, wrapper = resolve(schema, schema), None
    for name, inner in (pick(holder, "properties") or {}).items():
        if kind(resolve(inner, schema)) == "array":
            holder, wrapper = resolve(inner, schema), name
            break
    item = resolve(pick(holder, "items") or {}, schema)
    rows = [resolve(row, schema) for row in pick(item, "anyOf") or [item]]
    codes: dict[str, tuple[str, ...]] = {}
    flat: tuple[str, ...] = ()
    properties = [pick(row, "properties") or {} for row in rows]
    roles = [values(resolve(one.get("role", {}), schema)) for one in properties]
    lists = [resolve(one.get("codes", {}), schema) for one in properties]
    for mine, listed in zip(roles, lists, strict=True):
        allowed = values(resolve(pick(listed, "items") or {}, schema))
        if len(mine) == 1:
            codes[mine[0]] = allowed
        else:
            flat = tuple(dict.fromkeys((*flat, *allowed)))
    bounds = [int(bound) for listed in lists if (bound := pick(listed, "maxItems"))]
    order = pick(rows[0], "propertyOrdering") or pick(rows[0], "required") or []
    return Shape(
        wrapper=wrapper,
        fields=tuple(dict.fromkeys((*order, *properties[0]))),
        codes=codes,
        flat=flat,
        roles=tuple(dict.fromkeys(role for mine in roles for role in mine)),
        any_of=bool(pick(item, "anyOf")),
        most=min([2, *bounds]),
        text_ids=kind(resolve(properties[0].get("id", {}), schema)) == "string",
    )


def resolve(schema: Any, root: Json) -> Json:
    """Follow a `$ref` inside the schema's own definitions."""
    reference = schema.get("$ref") if isinstance(schema, Mapping) else None
    if not isinstance(reference, str):
        return schema if isinstance(schema, Mapping) else {}
    found: Any = root
    for name in reference.removeprefix("#/").split("/"):
        found = found.get(name, {})
    return found


def kind(schema: Json) -> str:
    """The type of a schema in small letters."""
    return str(schema.get("type", "")).lower()


def values(schema: Json) -> tuple[str, ...]:
    """What a schema allows: its enum, or its one const."""
    return tuple(schema.get("enum") or ([schema["const"]] if "const" in schema else []))
