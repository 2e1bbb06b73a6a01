"""JSON lines as they are written."""

import json
from pathlib import Path
from typing import Any

from annotator.core.transcript import Label, Record, Transcript, Turn, Utterance
from annotator.exporters import EXPORTERS


def written(folder: Path, *records: Record) -> list[dict[str, Any]]:
    EXPORTERS["jsonl"].write(records, folder / "out.jsonl")
    return [json.loads(line) for line in (folder / "out.jsonl").read_text(encoding="utf-8").split("\n")[:-1]]


def test_a_conversation_is_written_so(talk: Transcript, tmp_path: Path) -> None:
    facts = {"round": "r1", "taxonomy_version": "abc123"}
    alice = {"annotator": "alice", **facts, "condition": "assisted", "seconds": 2.5, "decided_at": "2026-11-23T05:00:00Z"}
    bob = {"annotator": "bob", **facts, "condition": "blind", "seconds": 7.0, "decided_at": "2026-11-23T06:00:00Z"}
    first = {
        "text": "Hi.",
        "labels": {"alice": ["ACK", "RC"], "bob": [], "gold": ["ACK"]},
        "gold_rule": "adjudicated",
        "decisions": [{**alice, "codes": ["ACK", "RC"]}, {**bob, "codes": []}],
        "proposals": [
            {"codes": ["ACK"], "confidence": 0.8312, "round": "r1", "model_version": "m-001", "prompt_hash": "9f2c", "cost": 0.00021}
        ],
    }
    last = {"text": '=Well, "so"\nthen', "labels": {}, "proposals": [{"codes": ["RTI", "RC"], "confidence": 0.5}]}
    turn = {"turn": 1, "timestamp": "00:00:01", "role": "Seeker", "utterances": [first]}
    turns = [turn, {"turn": 2, "timestamp": "00:00:02", "role": "Assistant", "utterances": [last]}]
    items = [{"annotator": "alice", "round": "r1", "mentioned_items": [2, 7], "gt_items": []}]
    assert written(tmp_path, talk) == [{"id": "c1", "meta": {"scenario": 1, "catalogue": "a"}, "items": items, "turns": turns}]


def said(tmp_path: Path, utterance: Utterance) -> dict[str, Any]:
    (line,) = written(tmp_path, Transcript("c1", (Turn("Seeker", (utterance,), 1),)))
    found: dict[str, Any] = line["turns"][0]["utterances"][0]
    return found


def test_a_label_without_facts_needs_no_decision(tmp_path: Path) -> None:
    assert said(tmp_path, Utterance("1", "Hi.", (Label("alice", ("A",)),))) == {"text": "Hi.", "labels": {"alice": ["A"]}}


def test_a_label_without_a_name_and_one_of_an_annotator_called_gold_are_decisions(tmp_path: Path) -> None:
    found = said(tmp_path, Utterance("1", "Hi.", (Label(None, ("A",)), Label("gold", ("B",))), gold=("C",)))
    assert found["labels"] == {"gold": ["C"]}
    assert found["decisions"] == [{"annotator": None, "codes": ["A"]}, {"annotator": "gold", "codes": ["B"]}]


def test_what_somebody_says_once_more_is_a_decision_and_no_label(tmp_path: Path) -> None:
    found = said(tmp_path, Utterance("1", "Hi.", (Label("alice", ("A",)), Label("alice", ("B",), repeat=True))))
    assert found["labels"] == {"alice": ["A"]}
    assert found["decisions"] == [{"annotator": "alice", "codes": ["A"]}, {"annotator": "alice", "repeat": True, "codes": ["B"]}]


def test_an_id_is_written_where_it_is_not_the_running_number(tmp_path: Path) -> None:
    assert said(tmp_path, Utterance("u7", "Hi.")) == {"id": "u7", "text": "Hi.", "labels": {}}


def test_letters_of_every_script_are_written_as_they_are(tmp_path: Path) -> None:
    said(tmp_path, Utterance("1", "שלום 😀"))
    assert '"שלום 😀"' in (tmp_path / "out.jsonl").read_text(encoding="utf-8")


def test_vogue_in_json_lines_is_the_shared_file(vogue: list[Record], data: Path, tmp_path: Path) -> None:
    shared = [json.loads(line) for line in (data / "vogue/dialogues.jsonl").read_text(encoding="utf-8").splitlines()]
    for ours, theirs in zip(written(tmp_path, *vogue), shared, strict=True):
        del ours["meta"]["conversation_id"]
        assert (ours["id"], ours["meta"]) == (theirs["id"], theirs["meta"])
        for turn, other in zip(ours["turns"], theirs["turns"], strict=True):
            texts = [utterance["text"] for utterance in turn["utterances"]]
            assert texts == [utterance["text"] for utterance in other["utterances"]]
            codes = [utterance["decisions"][0]["codes"] for utterance in turn["utterances"]]
            assert codes == [utterance["labels"]["gold"] for utterance in other["utterances"]]
