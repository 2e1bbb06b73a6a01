"""ConvoKit corpus folders as they are written, and, where convokit is installed, as it loads them."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from annotator.core.transcript import Record, Transcript
from annotator.exporters import EXPORTERS
from annotator.importers import IMPORTERS
from annotator.importers.base import Source
from annotator.paths import shipped


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
        "confidence": 0.8312, "model_version": "m-001", "prompt_hash": "9f2c", "cost": 0.00021,
        "conditions": {"alice": "assisted", "bob": "blind"}, "timestamp": "00:00:01",
    }  # fmt: skip
    assert not {"model_version", "prompt_hash", "cost"} & set(last["meta"])
    items = [{"annotator": "alice", "round": "r1", "mentioned_items": [2, 7], "gt_items": []}]
    assert json.loads((tmp_path / "conversations.json").read_bytes())["c1_u0"]["meta"]["item_decisions"] == items
    assert (last["reply-to"], last["speaker"], last["conversation_id"]) == ("c1_u0", "c1_Assistant", "c1_u0")


def test_the_index_names_the_type_of_every_key(talk: Transcript, tmp_path: Path) -> None:
    EXPORTERS["convokit"].write([talk], tmp_path)
    index = json.loads((tmp_path / "index.json").read_bytes())
    assert index["conversations-index"] == {
        "source_id": ["<class 'str'>"], "scenario": ["<class 'int'>"], "catalogue": ["<class 'str'>"],
        "item_decisions": ["<class 'list'>"],
    }  # fmt: skip
    assert index["utterances-index"]["labels"] == ["<class 'dict'>"]
    assert index["utterances-index"]["confidence"] == ["<class 'float'>"]
    assert (index["utterances-index"]["model_version"], index["utterances-index"]["cost"]) == (["<class 'str'>"], ["<class 'float'>"])
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


@pytest.mark.skipif(find_spec("convokit") is None, reason="convokit is not installed: pip install '.[convokit]'")
def test_convokit_loads_the_sample(tmp_path: Path) -> None:
    sample = Source(shipped("sample"))
    EXPORTERS["convokit"].write(IMPORTERS["vogue"].read(sample), tmp_path / "corpus")
    code = """if True:
        import sys
        from convokit import Corpus
        corpus = Corpus(filename=sys.argv[1])
        first = corpus.get_utterance("s1_d_1_u0")
        print(len(list(corpus.iter_conversations())), len(list(corpus.iter_utterances())), first.speaker.meta["role"], first.meta["tags"])
    """
    # In a process of its own: convokit loads much, and warns of much.
    ran = subprocess.run([sys.executable, "-c", code, str(tmp_path / "corpus")], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "12 445 Assistant ['RTI']"
