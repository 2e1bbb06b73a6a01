"""ConvoKit corpus folders."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annotator.core.transcript import Label, Proposal, Record, Transcript
from annotator.errors import BadInput

Records = Callable[..., list[Record]]


@pytest.fixture
def corpus(tmp_path: Path, records: Records) -> Callable[..., list[Transcript]]:
    """Write a corpus of these utterances, and read its conversations."""

    def write(*utterances: dict[str, Any], **companions: Any) -> list[Transcript]:
        defaults = {"conversation_id": "c1", "speaker": "ann", "text": "Hi."}
        lines = [json.dumps({"id": f"x{at}", **defaults, **said}) for at, said in enumerate(utterances)]
        (tmp_path / "utterances.jsonl").write_text("\n".join(lines), encoding="utf-8")
        for name, content in {"index": {}, **companions}.items():
            (tmp_path / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
        return [record for record in records(tmp_path) if isinstance(record, Transcript)]

    return write


Corpus = Callable[..., list[Transcript]]


def test_the_real_corpus_says_the_same_as_its_source(data: Path, records: Records) -> None:
    found = records(data / "convokit_vogue")
    native = [record for record in records(data / "vogue/original") if isinstance(record, Transcript)]
    assert [t.text_hash() for t in found if isinstance(t, Transcript)] == [t.text_hash() for t in native]
    for one, other in zip(found, native, strict=True):
        assert isinstance(one, Transcript) and one.id == other.id
        assert [said for _, said in one.utterances()] == [said for _, said in other.utterances()]
        assert [turn.number for turn in one.turns] == [turn.number for turn in other.turns]


def test_a_role_is_the_speakers_or_the_utterances_or_the_speaker(corpus: Corpus) -> None:
    said = ({"speaker": "s1"}, {"speaker": "s2", "meta": {"role": "Wizard"}}, {"speaker": "s3"})
    (transcript,) = corpus(*said, speakers={"s1": {"meta": {"role": "Seeker"}}, "s2": {"meta": {}}})
    assert [turn.role for turn in transcript.turns] == ["Seeker", "Wizard", "s3"]


def test_a_conversation_is_named_by_its_source(corpus: Corpus) -> None:
    found = corpus({}, {"conversation_id": "c2"}, conversations={"c1": {"meta": {"source_id": "talk", "year": 1999}}})
    assert [(transcript.id, transcript.meta) for transcript in found] == [("talk", {"year": 1999}), ("c2", {})]


def test_utterances_come_in_the_order_of_time(corpus: Corpus) -> None:
    (transcript,) = corpus({"text": "b", "timestamp": 2.5}, {"text": "c", "timestamp": 3}, {"text": "a", "timestamp": 1})
    assert [said.text for _, said in transcript.utterances()] == ["a", "b", "c"]


def test_without_times_they_follow_the_replies(corpus: Corpus) -> None:
    (transcript,) = corpus({"text": "b", "reply-to": "x2"}, {"text": "c", "reply-to": "x0"}, {"text": "a", "reply-to": None})
    assert [said.text for _, said in transcript.utterances()] == ["a", "b", "c"]


def test_replies_that_are_no_chain_leave_the_order_as_it_is(corpus: Corpus) -> None:
    (transcript,) = corpus({"text": "b", "reply-to": "x1"}, {"text": "a", "reply-to": None}, {"text": "c", "reply-to": "x1"})
    assert [said.text for _, said in transcript.utterances()] == ["b", "a", "c"]


def test_turns_follow_their_number_or_else_the_speaker(corpus: Corpus) -> None:
    (transcript,) = corpus({"meta": {"turn": 4}}, {"meta": {"turn": 5}}, {"meta": {"turn": 5}})
    assert [(turn.number, len(turn.utterances)) for turn in transcript.turns] == [(4, 1), (5, 2)]
    (transcript,) = corpus({}, {}, {"speaker": "bob"})
    assert [(turn.number, len(turn.utterances)) for turn in transcript.turns] == [(1, 2), (2, 1)]


def test_our_own_labels_go_before_tags(corpus: Corpus) -> None:
    labels = {"tags": ["A"], "labels": {"alice": ["A"], "bob": []}, "conditions": {"bob": "blind"}, "gold": ["A"]}
    known = {"model_version": "m-001", "prompt_hash": "9f2c", "cost": 0.25}
    (transcript,) = corpus({"meta": {**labels, "suggestion": ["B"], "confidence": 0.5, **known}})
    utterance = transcript.turns[0].utterances[0]
    assert utterance.labels == (Label("alice", ("A",)), Label("bob", (), condition="blind"))
    assert (utterance.gold, utterance.proposals) == (("A",), (Proposal(("B",), 0.5, "", "m-001", "9f2c", 0.25),))


def test_tags_are_a_label_without_a_name(corpus: Corpus) -> None:
    (transcript,) = corpus({"meta": {"tags": ["A", "B"]}}, {"meta": {"tags": []}})
    assert [said.labels for _, said in transcript.utterances()] == [(Label(None, ("A", "B")),), ()]


def test_corpora_of_old_versions_are_read(tmp_path: Path, records: Records) -> None:
    line = {"id": "x0", "root": "c9", "user": "u1", "text": "Hi.", "reply_to": None}
    (tmp_path / "utterances.jsonl").write_text(json.dumps(line), encoding="utf-8")
    (tmp_path / "users.json").write_text('{"u1": {"role": "Seeker"}}', encoding="utf-8")
    (transcript,) = records(tmp_path, "convokit")
    assert isinstance(transcript, Transcript) and (transcript.id, transcript.turns[0].role) == ("c9", "Seeker")


@pytest.mark.parametrize(
    ("utterance", "said"),
    [
        ({"text": None}, "line 1: the text is null"),
        ({"text": " "}, "line 1: conversation 'c1', turn 1: utterance x0 is empty"),
        ({"speaker": None}, "line 1: the speaker is missing"),
        ({"conversation_id": ""}, "line 1: the conversation_id is missing"),
        ({"meta": [1]}, "line 1: meta is [1]"),
        ({"meta": {"turn": "one"}}, "line 1: the turn is"),
        ({"meta": {"suggestion": ["A"], "cost": "free"}}, 'line 1: cost is "free", which is not a number'),
    ],
)
def test_an_utterance_that_cannot_be_used_is_refused_with_its_line(utterance: dict[str, Any], said: str, corpus: Corpus) -> None:
    with pytest.raises(BadInput) as caught:
        corpus(utterance)
    assert str(caught.value).startswith("utterances.jsonl, ") and said in str(caught.value)


def test_a_broken_companion_is_refused_with_its_name(corpus: Corpus) -> None:
    with pytest.raises(BadInput, match="^speakers.json: the file is"):
        corpus({}, speakers=[1])
