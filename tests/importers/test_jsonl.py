"""JSON lines in each of their shapes."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from annotator.core.transcript import ItemLists, Label, Proposal, Record, Transcript
from annotator.errors import BadInput

Reader = Callable[..., list[Transcript]]
Records = Callable[..., list[Record]]


@pytest.mark.parametrize(
    ("file", "size", "gold", "labels"),
    [
        ("vogue/dialogues.jsonl", (60, 899, 2106), {1: 1783, 2: 307, 3: 16}, {}),
        ("vogue/dialogues_two_versions.jsonl", (2, 28, 76), {}, {1: 127, 2: 24, 3: 1}),
        ("casino/dialogues.jsonl", (396, 5481, 5556), {1: 3647, 2: 735, 3: 192, 4: 40, 5: 1}, {}),
        ("pscon/dialogues.jsonl", (242, 2066, 2073), {1: 2073}, {}),
    ],
)
def test_the_real_corpora_are_read_fully(
    file: str, size: tuple[int, ...], gold: dict[int, int], labels: dict[int, int], data: Path, records: Records
) -> None:
    found = [record for record in records(data / file) if isinstance(record, Transcript)]
    said = [utterance for transcript in found for _, utterance in transcript.utterances()]
    assert (len(found), sum(len(transcript.turns) for transcript in found), len(said)) == size
    assert Counter(len(utterance.gold) for utterance in said if utterance.gold is not None) == gold
    assert Counter(len(label.codes) for utterance in said for label in utterance.labels) == labels


def one(read: Reader, **utterance: object) -> Transcript:
    (transcript,) = read("a.jsonl", json.dumps({"id": "c1", "utterances": [{"role": "Seeker", "text": "Hi.", **utterance}]}))
    return transcript


def test_no_label_and_nothing_chosen_are_told_apart(read: Reader) -> None:
    assert one(read, labels={}).turns[0].utterances[0].labels == ()
    assert one(read, labels={"alice": []}).turns[0].utterances[0].labels == (Label("alice", ()),)


def test_gold_stands_among_the_labels(read: Reader) -> None:
    utterance = one(read, labels={"gold": ["A", "B"], "alice": ["A"]}).turns[0].utterances[0]
    assert (utterance.gold, utterance.labels) == (("A", "B"), (Label("alice", ("A",)),))


@pytest.mark.parametrize("codes", [["A", "B"], "A|B", "A | B|A"])
def test_codes_of_nobody_are_a_label_without_a_name(codes: object, read: Reader) -> None:
    assert one(read, codes=codes).turns[0].utterances[0].labels == (Label(None, ("A", "B")),)


@pytest.mark.parametrize("codes", [[], "", None])
def test_no_codes_of_nobody_are_no_label(codes: object, read: Reader) -> None:
    assert one(read, codes=codes).turns[0].utterances[0].labels == ()


def test_decisions_say_more_of_the_labels(read: Reader) -> None:
    decisions = [{"annotator": "alice", "round": "r1", "seconds": 2, "codes": ["A"]}, {"annotator": None, "codes": ["B"]}]
    utterance = one(read, labels={"alice": ["A"], "bob": ["C"]}, decisions=decisions).turns[0].utterances[0]
    assert utterance.labels == (Label("alice", ("A",), "r1", seconds=2.0), Label(None, ("B",)), Label("bob", ("C",)))


def test_what_somebody_says_once_more_is_read_from_decisions(read: Reader) -> None:
    decisions = [{"annotator": "alice", "codes": ["A"]}, {"annotator": "alice", "codes": ["B"], "repeat": True}]
    labels = one(read, labels={"alice": ["A"], "gold": ["A"]}, gold_rule="unanimous", decisions=decisions).turns[0].utterances[0]
    assert labels.labels == (Label("alice", ("A",)), Label("alice", ("B",), repeat=True))
    assert labels.gold_rule == "unanimous"
    with pytest.raises(BadInput, match="utterance 1: repeat is \"yes\". Write true or false"):
        one(read, decisions=[{"annotator": "alice", "codes": [], "repeat": "yes"}])
    with pytest.raises(BadInput, match="two labels of alice, repeated. Keep one"):
        one(read, decisions=[decisions[1], decisions[1]])


def talk(read: Reader, **fields: object) -> Transcript:
    (transcript,) = read("a.jsonl", json.dumps({"id": "c1", "utterances": [{"role": "Seeker", "text": "Hi."}], **fields}))
    return transcript


def test_lists_of_items_are_read(read: Reader) -> None:
    items = [{"annotator": "alice", "round": "r1", "mentioned_items": [2, "7", 2], "gt_items": []}, {"annotator": None, "repeat": True}]
    found = talk(read, items=items, topic="shoes")
    assert found.items == (ItemLists("alice", (2, 7), (), "r1"), ItemLists(None, repeat=True))
    assert found.meta == {"topic": "shoes"}


@pytest.mark.parametrize("items", [["shoe"], [{"id": 1}], {"a": 1}, "x", []])
def test_other_items_of_a_conversation_stay_what_they_are(items: object, read: Reader) -> None:
    found = talk(read, items=items)
    assert (found.items, found.meta) == ((), {"items": items})


@pytest.mark.parametrize(
    ("items", "sentence"),
    [
        ([{"annotator": "alice", "gt_items": ["Item05"]}], "an item in gt_items is .*not a whole number"),
        ([{"annotator": "alice", "gt_items": 5}], "gt_items is 5, not a list"),
        ([{"annotator": " "}], "the annotator of items is missing"),
        ([{"annotator": "a"}, {"annotator": "a", "gt_items": [1]}], "two lists of items of a. Keep one"),
        ([{"annotator": "a\0"}], "list of items that contains a NUL"),
    ],
)
def test_lists_of_items_that_cannot_be_used_are_refused(items: object, sentence: str, read: Reader) -> None:
    with pytest.raises(BadInput, match=f"line 1: conversation 'c1'.*{sentence}"):
        talk(read, items=items)


def test_proposals_are_read(read: Reader) -> None:
    known = {"model_version": "m-001", "prompt_hash": "9f2c", "cost": 1}
    proposals = [{"codes": ["A"], "confidence": 0.5}, {"codes": "B|C", "round": "r2", **known}]
    found = one(read, proposals=proposals).turns[0].utterances[0].proposals
    assert found == (Proposal(("A",), 0.5), Proposal(("B", "C"), None, "r2", "m-001", "9f2c", 1.0))


def test_consecutive_utterances_of_one_role_are_a_turn(read: Reader) -> None:
    messages = [{"role": role, "content": "Hi."} for role in ("user", "user", "assistant", "user")]
    (transcript,) = read("a.jsonl", json.dumps({"id": 5, "messages": messages, "topic": "shoes", "meta": {"a": 1}}))
    assert [(turn.role, turn.number, len(turn.utterances)) for turn in transcript.turns] == [
        ("user", 1, 2), ("assistant", 2, 1), ("user", 3, 1),
    ]  # fmt: skip
    assert (transcript.id, transcript.meta) == ("5", {"topic": "shoes", "a": 1})


def test_a_speaker_is_a_role_too(read: Reader) -> None:
    (transcript,) = read("a.jsonl", '{"id": "c1", "utterances": [{"speaker": "Ann", "text": "Hi."}]}')
    assert transcript.turns[0].role == "Ann"


def test_one_utterance_a_line_is_a_long_table(read: Reader) -> None:
    rows: list[dict[str, object]] = [
        {"conversation": "c1", "role": "Seeker", "text": "Hi.", "annotator": "alice", "codes": ["A"], "turn": 3, "gold": "A|B"},
        {"conversation": "c1", "role": "Seeker", "text": "Well.", "codes": "B", "suggestion": ["C"], "cost": 0.5, "model_version": "m"},
    ]
    rows[0] |= {"gold_rule": "adjudicated", "mentioned_items": "2|7", "gt_items": "|"}
    rows[1] |= {"mentioned_items": [3], "repeat": 1}
    (transcript,) = read("a.jsonl", "\n".join(map(json.dumps, rows)))
    assert transcript.items == (ItemLists("alice", (2, 7), ()), ItemLists(None, (3,), repeat=True))
    first, second = (utterance for _, utterance in transcript.utterances())
    assert (first.id, first.labels, first.gold) == ("1", (Label("alice", ("A",)),), ("A", "B"))
    assert first.gold_rule == "adjudicated"
    assert (second.id, second.labels) == ("2", (Label(None, ("B",), repeat=True),))
    assert second.proposals == (Proposal(("C",), model_version="m", cost=0.5),)


def test_utterances_of_one_conversation_may_stand_apart(read: Reader) -> None:
    row = {"role": "A", "text": "Hi.", "codes": []}
    places = [{"annotator": a, "utterance": u, "conversation": c} for a in "xy" for u in (2, 1) for c in "dc"]
    found = read("a.jsonl", "\n".join(json.dumps({**row, **place}) for place in places))
    assert [(t.id, [(u.id, len(u.labels)) for _, u in t.utterances()]) for t in found] == [
        ("d", [("1", 2), ("2", 2)]),
        ("c", [("1", 2), ("2", 2)]),
    ]


def test_what_pandas_writes_for_nothing_is_nothing(read: Reader) -> None:
    line = '{"conversation": "c1", "utterance": 1, "role": "A", "text": "Hi.", "annotator": NaN, "codes": null, "gold": NaN}'
    (transcript,) = read("a.jsonl", line)
    assert transcript.turns[0].utterances[0].labels == () and transcript.turns[0].utterances[0].gold is None


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.json", "a.dat"])
def test_any_ending_is_recognised(name: str, read: Reader) -> None:
    assert len(read(name, '{"id": "c1", "utterances": [{"role": "A", "text": "Hi."}]}\n')) == 1


def test_odd_line_ends_inside_a_text_break_no_line(read: Reader) -> None:
    text = "a\u2028b\u0085c\x0bd"
    (transcript,) = read("a.jsonl", json.dumps({"id": "c1", "utterances": [{"role": "A", "text": text}]}, ensure_ascii=False))
    assert transcript.turns[0].utterances[0].text == text
