"""ConvoKit corpus folders as they are written; that convokit 5.0.0 loads them was tried by hand."""

import json
from pathlib import Path
from typing import Any

from annotator.core.transcript import Record, Transcript
from annotator.exporters import EXPORTERS


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


def test_a_conversation_is_written_so(talk: Transcript, tmp_path: Path) -> None:
    EXPORTERS["convokit"].write([talk], tmp_path)
    first, last = lines(tmp_path / "utterances.jsonl")
    meta = first.pop("meta")
    assert first == {
        "id": "c1_u0", "conversation_id": "c1_u0", "text": "Hi.", "speaker": "c1_Seeker",
        "reply-to": None, "timestamp": 1, "vectors": [],
    }  # fmt: skip
    assert meta == {
        "turn": 1, "tags": ["ACK"], "labels": {"alice": ["ACK", "RC"], "bob": []}, "gold": ["ACK"], "suggestion": ["ACK"],
        "confidence": 0.8312, "conditions": {"alice": "assisted", "bob": "blind"}, "timestamp": "00:00:01",
    }  # fmt: skip
    assert (last["reply-to"], last["speaker"], last["conversation_id"]) == ("c1_u0", "c1_Assistant", "c1_u0")


def test_the_index_names_the_type_of_every_key(talk: Transcript, tmp_path: Path) -> None:
    EXPORTERS["convokit"].write([talk], tmp_path)
    index = json.loads((tmp_path / "index.json").read_bytes())
    assert index["conversations-index"] == {
        "source_id": ["<class 'str'>"], "scenario": ["<class 'int'>"], "catalogue": ["<class 'str'>"],
    }  # fmt: skip
    assert index["utterances-index"]["labels"] == ["<class 'dict'>"]
    assert index["utterances-index"]["confidence"] == ["<class 'float'>"]
    assert index["speakers-index"] == {"role": ["<class 'str'>"]}


def test_an_empty_corpus_is_valid_json(tmp_path: Path) -> None:
    EXPORTERS["convokit"].write([], tmp_path)
    assert json.loads((tmp_path / "speakers.json").read_bytes()) == {}


def test_the_corpus_is_the_one_that_convokit_wrote(vogue: list[Record], data: Path, tmp_path: Path) -> None:
    EXPORTERS["convokit"].write(vogue, tmp_path)
    theirs = data / "convokit_vogue"
    for line in (ours := lines(tmp_path / "utterances.jsonl")):
        line["meta"].pop("timestamp")
    assert ours == lines(theirs / "utterances.jsonl")
    assert set(json.loads((tmp_path / "speakers.json").read_bytes())) == set(json.loads((theirs / "speakers.json").read_bytes()))
    found = json.loads((tmp_path / "conversations.json").read_bytes())
    for conversation in found.values():
        del conversation["meta"]["conversation_id"]
    assert found == json.loads((theirs / "conversations.json").read_bytes())
