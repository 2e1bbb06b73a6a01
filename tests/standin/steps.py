"""A conversation and what the tests of the stand-in ask about it, as a tagger would, with the real client."""

import json
from typing import Any

from google import genai
from google.genai import errors, types

from standin.truth import truth

CODES = {"Seeker": ["IQ", "CON", "PCT", "RP"], "Assistant": ["RS", "RP", "EO", "PI"]}
MODEL = "gemini-3.5-flash-lite"
TURNS = ["Any boots?", "These are warm.", "How warm?", "Down to -20.", "And the price?", "Ninety.", "I take them.", "Good choice!"]
UTTERANCES = [{"id": at + 1, "role": ("Seeker", "Assistant")[at % 2], "text": text} for at, text in enumerate(TURNS)]
FIELDS = ["id", "role", "rationale", "codes", "confidence", "second"]
ROWS = [row | {"codes": truth(row["role"], row["text"], CODES[row["role"]])} for row in UTTERANCES]


def row_schema(roles: list[str], codes: list[str]) -> dict[str, Any]:
    text = {"type": "STRING"}
    listed = {"type": "ARRAY", "items": {"type": "STRING", "enum": codes}}
    said = {"id": {"type": "INTEGER"}, "role": text | {"enum": roles}, "rationale": text, "codes": listed}
    properties = {**said, "confidence": {"type": "NUMBER"}, "second": text | {"nullable": True}}
    return {"type": "OBJECT", "properties": properties, "required": FIELDS, "property_ordering": FIELDS}


BY_ROLE = {"type": "ARRAY", "items": {"any_of": [row_schema([role], codes) for role, codes in CODES.items()]}}
FLAT = {"type": "ARRAY", "items": row_schema(list(CODES), sorted({code for codes in CODES.values() for code in codes}))}


def connect(url: str, key: str = "test-key") -> genai.Client:
    plain = {"trust_env": False}
    options = types.HttpOptions(base_url=url, client_args=plain, async_client_args=plain, timeout=10_000)
    return genai.Client(api_key=key, http_options=options, vertexai=False)


def ask(client: genai.Client, label: list[int] | None = None, model: str = MODEL, **settings: Any) -> types.GenerateContentResponse:
    """Ask for labels as the tagger does."""
    config = {"system_instruction": "Label.", "response_mime_type": "application/json", "response_schema": BY_ROLE}
    return client.models.generate_content(model=model, contents=prompt(label), config={**config, **settings})


def prompt(label: list[int] | None = None) -> str:
    return "Label these {really}:\n" + json.dumps({"utterances": UTTERANCES, **({"label": label} if label else {})}) + "\nNow label."


def rows_of(answer: types.GenerateContentResponse) -> list[dict[str, Any]]:
    return json.loads(answer.text or "")


def codes_by_id(rows: list[dict[str, Any]]) -> dict[Any, list[str]]:
    return {row["id"]: row["codes"] for row in rows}


RIGHT = codes_by_id(ROWS)


def delay_of(error: errors.APIError) -> float | None:
    details = error.details["error"]["details"]
    return next((float(one["retryDelay"].removesuffix("s")) for one in details if one["@type"].endswith("RetryInfo")), None)


def quota_of(error: errors.APIError) -> str:
    details = error.details["error"]["details"]
    return next(one["violations"][0]["quotaId"] for one in details if one["@type"].endswith("QuotaFailure"))
