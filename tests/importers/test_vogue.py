"""VOGUE's native folder: the real corpus, and what may stand around the transcripts."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from annotator.core.transcript import Item, ItemRating, Label, Record, Scenario, Transcript
from annotator.errors import BadInput

Records = Callable[..., list[Record]]
Reader = Callable[..., list[Transcript]]


def content(conversation_id: int = 1, **more: object) -> str:
    turn = {"turn": 1, "timestamp": "00:00:01", "content": {"role": "Seeker", "utterances": ["Hi."], "tags": [["ACK"]]}}
    return json.dumps({"conversation_id": conversation_id, "conversation_content": [turn], **more})


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("level", ["", "data", "data/conversation_trials", "data/conversation_trials/transcripts"])
def test_the_corpus_is_found_at_every_level(level: str, data: Path, records: Records) -> None:
    found = records(data / "vogue/original" / level)
    assert Counter(type(record) for record in found) == {Transcript: 60, Scenario: 6, ItemRating: 120}


def test_the_corpus_has_its_published_size(data: Path, records: Records) -> None:
    found = [record for record in records(data / "vogue/original") if isinstance(record, Transcript)]
    said = [utterance for transcript in found for _, utterance in transcript.utterances()]
    assert (len(found), sum(len(transcript.turns) for transcript in found), len(said)) == (60, 899, 2106)
    assert Counter(len(label.codes) for utterance in said for label in utterance.labels) == {1: 1783, 2: 307, 3: 16}
    assert sum(label.codes == ("<no tag available>",) for utterance in said for label in utterance.labels) == 1


def test_a_transcript_of_the_corpus_is_read_whole(data: Path, records: Records) -> None:
    found = [record for record in records(data / "vogue/original") if isinstance(record, Transcript)]
    assert [transcript.id for transcript in found[:3] + found[-1:]] == ["c1_a_1", "c2_a_2", "c3_b_3", "c60_c_6"]
    first = found[0]
    assert first.meta == {
        "conversation_id": 1, "session_code": "a000", "scenario": 1, "catalogue": "a",
        "mentioned_items": [2, 7, 9], "gt_items": [2],
    }  # fmt: skip
    assert (first.turns[1].role, first.turns[1].number, first.turns[1].timestamp) == ("Seeker", 2, "00:06:36")
    assert [(said.id, said.labels) for said in first.turns[1].utterances] == [
        ("2", (Label(None, ("PCT",)),)),
        ("3", (Label(None, ("IQ",)),)),
    ]


def test_one_file_brings_its_scenarios_and_ratings(data: Path, records: Records) -> None:
    found = records(data / "vogue/original/data/conversation_trials/transcripts/c5_c_5.json")
    assert Counter(type(record) for record in found) == {Transcript: 1, Scenario: 6, ItemRating: 2}
    rated = [(record.conversation, record.role) for record in found if isinstance(record, ItemRating)]
    assert rated == [("c5_c_5", "Assistant"), ("c5_c_5", "Seeker")]


def test_items_come_with_their_pictures(tmp_path: Path, records: Records) -> None:
    coat = '{"id": 10, "catalogue": "a", "product_name": "Coat", "x": [1]}'
    write(tmp_path, {"t/c1.json": content(), "metadata/item_10.json": coat, "metadata/item_10.svg": "<svg/>"})
    write(tmp_path, {"metadata/item_2.json": '{"id": 2, "catalogue": "a"}'})
    found = [record for record in records(tmp_path) if isinstance(record, Item)]
    assert found == [Item(2, "a", "Item 2"), Item(10, "a", "Coat", {"x": [1]}, b"<svg/>", "image/svg+xml")]


def test_other_files_are_passed_over(tmp_path: Path, records: Records) -> None:
    write(tmp_path, {"t/c1.json": content(), "prompt.json": '{"text": "conversation_content"}', "other/broken.json": "{"})
    write(tmp_path, {"t/.c1.json": "{", "t/notes.json": "[1]", "profiles.csv": "a,b\n"})
    (tmp_path / "folder.json").mkdir()
    assert [record.id for record in records(tmp_path) if isinstance(record, Transcript)] == ["c1"]


@pytest.mark.parametrize("broken", ["", "{", '{"conversation_id": 2, "conv'])
def test_a_broken_file_among_transcripts_is_not_passed_over(broken: str, tmp_path: Path, records: Records) -> None:
    write(tmp_path, {"t/c1.json": content(), "t/c2.json": broken})
    with pytest.raises(BadInput, match=r"^t/c2.json, line 1, column \d+: not readable as JSON"):
        records(tmp_path)


def test_two_files_of_one_name_are_refused(tmp_path: Path, records: Records) -> None:
    write(tmp_path, {"a/c1.json": content(), "b/c1.json": content()})
    with pytest.raises(BadInput, match="^a/c1.json and b/c1.json are both called 'c1'"):
        records(tmp_path)


def test_ratings_of_conversations_that_are_not_read_are_left_out(tmp_path: Path, records: Records) -> None:
    write(tmp_path, {"t/x.json": content(7), "item_ratings/seeker_ratings.csv": "conversation_id,item_1\n7,5\n8,4\n"})
    found = [record for record in records(tmp_path) if isinstance(record, ItemRating)]
    assert found == [ItemRating("x", "Seeker", {"conversation_id": "7", "item_1": "5"})]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("item_1\n5\n", "line 2: the column conversation_id is missing"),
        ("conversation_id,item_1\n1\n", "line 2: 1 cells where the heading has 2"),
        ("conversation_id,item_1\n1,5\n1,4\n", "line 3: Seeker rates conversation c1 in line 2 too"),
    ],
)
def test_ratings_that_cannot_be_used_are_refused(table: str, said: str, tmp_path: Path, records: Records) -> None:
    write(tmp_path, {"t/c1.json": content(), "item_ratings/seeker_ratings.csv": table})
    with pytest.raises(BadInput) as caught:
        records(tmp_path)
    assert str(caught.value).startswith("item_ratings/seeker_ratings.csv, ") and said in str(caught.value)


def test_ratings_of_an_id_that_two_files_have_are_refused(tmp_path: Path, records: Records) -> None:
    write(tmp_path, {"t/c1.json": content(), "t/c2.json": content()})
    write(tmp_path, {"item_ratings/seeker_ratings.csv": "conversation_id,item_1\n1,5\n"})
    with pytest.raises(BadInput, match="c1 and c2 both have conversation_id 1"):
        records(tmp_path)


@pytest.mark.parametrize("scenarios", ['{"1": "Farm"}', '[{"Body": "Farm"}]', '[{"Scenario": 1}]', "[5]"])
def test_scenarios_that_cannot_be_used_are_refused(scenarios: str, tmp_path: Path, records: Records) -> None:
    write(tmp_path, {"t/c1.json": content(), "scenarios.json": scenarios})
    with pytest.raises(BadInput, match="^scenarios.json"):
        records(tmp_path)


def test_an_empty_list_of_tags_and_no_tags_at_all_are_no_label(read: Reader) -> None:
    for replaced in ("[[]]", "[null]"):
        (transcript,) = read("c1.json", content().replace('[["ACK"]]', replaced))
        assert [said.labels for _, said in transcript.utterances()] == [()]
    (transcript,) = read("c1.json", content().replace(', "tags": [["ACK"]]', ""))
    assert [said.labels for _, said in transcript.utterances()] == [()]


def test_other_keys_are_kept_and_nan_is_nothing(read: Reader) -> None:
    (transcript,) = read("c1.json", content(note={"a": 1}).replace('"conversation_id": 1', '"conversation_id": NaN'))
    assert transcript.meta == {"conversation_id": None, "note": {"a": 1}}
