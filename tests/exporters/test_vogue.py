"""VOGUE's native folder as it is written."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from annotator.core.transcript import Item, ItemLists, ItemRating, Label, Record, Scenario, Transcript, Turn, Utterance
from annotator.errors import BadInput
from annotator.exporters import EXPORTERS
from annotator.importers import IMPORTERS
from annotator.importers.base import Source


def conversation(key: str = "c1", meta: Mapping[str, object] = MappingProxyType({})) -> Transcript:
    said = Utterance("1", "Hi.", (Label("alice", ("ACK",)),))
    return Transcript(key, (Turn("Seeker", (said,), 1, "00:00:01"),), dict(meta))


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_corpus_comes_out_byte_for_byte(vogue: list[Record], data: Path, tmp_path: Path) -> None:
    EXPORTERS["vogue"].write(vogue, tmp_path)
    original = data / "vogue/original/data"
    assert len(names(tmp_path)) == 63
    for name in names(tmp_path):
        assert (tmp_path / name).read_bytes() == (original / name).read_bytes(), name


def test_the_keys_of_a_transcript_have_their_order(tmp_path: Path) -> None:
    meta = {"catalogue": "a", "x": 1, "gt_items": [], "scenario": 2, "session_code": "s", "conversation_id": 5}
    EXPORTERS["vogue"].write([conversation("c1", {**meta, "mentioned_items": []})], tmp_path)
    (path,) = tmp_path.rglob("*.json")
    assert list(json.loads(path.read_bytes())) == [
        "conversation_id", "session_code", "scenario", "mentioned_items", "gt_items", "x", "conversation_content", "catalogue",
    ]  # fmt: skip


@pytest.mark.parametrize("key", ["../up", "/etc/passwd", "..", ".hidden", "a\\b", "a:b?", "c%2Fd", "a\nb", "a "])
def test_no_id_leads_out_of_the_folder(key: str, tmp_path: Path) -> None:
    EXPORTERS["vogue"].write([conversation(key)], tmp_path / "out")
    (name,) = names(tmp_path)
    assert name.startswith("out/conversation_trials/transcripts/") and name.count("/") == 3
    (found,) = IMPORTERS["vogue"].read(Source(tmp_path / "out"))
    assert isinstance(found, Transcript) and found.id == key


def test_extras_are_written_and_read_again(tmp_path: Path) -> None:
    rating = ItemRating("c1", "Seeker", {"role": "Seeker", "conversation_id": "5", "item_1": "-1", "why": 'so, "so"'})
    item = Item(1, "a", "Coat", {"categories": ["x"], "reviews": "good"}, b"\x89PNG", "image/png")
    records: list[Record] = [
        Scenario("1", "Farm"),
        Scenario("x", "Sea"),
        item,
        conversation("c1", {"conversation_id": 5}),
        rating,
    ]
    EXPORTERS["vogue"].write(records, tmp_path)
    found = list(IMPORTERS["vogue"].read(Source(tmp_path)))
    assert [record for record in found if not isinstance(record, Transcript)] == [*records[:3], rating]


def test_labels_of_two_annotators_do_not_fit(talk: Transcript, tmp_path: Path) -> None:
    first = replace(talk.turns[0].utterances[0], gold=None)
    with pytest.raises(BadInput, match="conversation c1, utterance 1 has labels of alice, bob"):
        EXPORTERS["vogue"].write([replace(talk, turns=(Turn("Seeker", (first,), 1),))], tmp_path)


def test_corrected_lists_of_items_replace_the_sources(tmp_path: Path) -> None:
    meta = {"mentioned_items": [1, 2], "gt_items": [2], "scenario": 1}
    said = replace(conversation("c1", meta), items=(ItemLists("alice", (1, 3), ()), ItemLists("bob", (3, 1))))
    EXPORTERS["vogue"].write([said], tmp_path)
    (path,) = tmp_path.rglob("*.json")
    found = json.loads(path.read_bytes())
    assert (found["mentioned_items"], found["gt_items"]) == ([1, 3], [])
    assert list(found)[:3] == ["scenario", "mentioned_items", "gt_items"]


def test_a_conversation_is_never_written_over_another(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="'c1' would be written over another file c1.json"):
        EXPORTERS["vogue"].write([conversation(), conversation()], tmp_path)


def test_an_id_too_long_for_a_file_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be written as the file .* Export it as jsonl"):
        EXPORTERS["vogue"].write([conversation("語" * 200)], tmp_path)
