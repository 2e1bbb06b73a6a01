"""Whatever stands in a file, an importer reads it or raises `BadInput`, never anything else."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.errors import BadInput
from annotator.importers import IMPORTERS
from annotator.importers.base import Source

SAID = {"id": "u1", "text": "Hi.", "labels": {"a": ["A"]}, "codes": ["A"], "decisions": [{"annotator": "a", "codes": ["A"]}]}
MORE = {"proposals": [{"codes": ["A"], "confidence": 0.5, "round": "r"}], "role": "A", "turn": 1, "timestamp": "0"}
DOCUMENTS: list[tuple[str, str, Any]] = [
    ("jsonl", "a.jsonl", {"id": "c1", "meta": {"a": 1}, "turns": [{"turn": 1, "role": "A", "utterances": [SAID | MORE]}]}),
    ("jsonl", "a.jsonl", {"id": "c1", "utterances": [SAID | MORE]}),
    (
        "jsonl",
        "a.jsonl",
        {"conversation": "c1", "utterance": 1, "annotator": "a", "suggestion": "A", "gold": "B", **SAID, **MORE},
    ),
    (
        "vogue",
        "c1.json",
        {"conversation_content": [{"turn": 1, "content": {"role": "A", "utterances": ["Hi"], "tags": [["A"]]}}]},
    ),
    ("vogue", "scenarios.json", [{"Scenario": 1, "Body": "Farm"}]),
    ("vogue", "metadata/item_1.json", {"id": 1, "catalogue": "a", "product_name": "Coat"}),
    ("convokit", "utterances.jsonl", {"conversation_id": "c1", "speaker": "s", "timestamp": 1, "meta": MORE | SAID, **SAID}),
    ("convokit", "speakers.json", {"s": {"meta": {"role": "A"}}}),
    ("convokit", "conversations.json", {"c1": {"meta": {"source_id": "x"}}}),
]
SOUND = {"c1.json": DOCUMENTS[3][2], "utterances.jsonl": DOCUMENTS[6][2]}

leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "\ud800", "\0", "1" * 5000, 10**400, -1])
anything = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2)
)


def places(document: Any) -> list[list[Any]]:
    """The path to every value in a document."""
    pairs = document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    return [[], *([key, *rest] for key, value in pairs for rest in places(value))]


def replaced(document: Any, path: list[Any], value: Any) -> Any:
    if not path:
        return value
    copy = document.copy()
    copy[path[0]] = replaced(document[path[0]], path[1:], value)
    return copy


def reads_or_refuses(name: str, files: dict[str, bytes], target: str) -> None:
    with TemporaryDirectory() as folder:
        for file, content in files.items():
            (Path(folder) / file).parent.mkdir(exist_ok=True)
            (Path(folder) / file).write_bytes(content)
        try:
            list(IMPORTERS[name].read(Source(Path(folder) / target)))
        except BadInput as error:
            assert len(str(error)) > 20


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(DOCUMENTS), st.data())
def test_any_value_in_any_place(document: tuple[str, str, Any], data: st.DataObject) -> None:
    name, file, content = document
    changed = replaced(content, data.draw(st.sampled_from(places(content))), data.draw(anything))
    files = {key: json.dumps(value).encode() for key, value in {**SOUND, file: changed}.items()}
    reads_or_refuses(name, files, file if name == "jsonl" else ".")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(IMPORTERS)), st.binary(max_size=4), st.integers(0, 200), st.integers(0, 4))
def test_any_bytes_in_any_place(name: str, put: bytes, at: int, instead: int) -> None:
    table = b'conversation,utterance,role,annotator,codes,text\nc1,1,Seeker,a,A,"Hi"\nc1,2,Seeker,a,A,Ho\n'
    sound = {"csv": table, "text": b"Seeker: Hi.\nAssistant: Ho.\n  And so on.\n"}
    content = sound.get(name) or json.dumps(next(document for kind, _, document in DOCUMENTS if kind == name)).encode()
    file = {"csv": "a.csv", "text": "a.txt", "convokit": "utterances.jsonl"}.get(name, "c1.json")
    changed = content[:at] + put + content[at + instead :]
    reads_or_refuses(name, {file: changed}, "." if name == "convokit" else file)
