"""Transcripts as values: what can be stored, file names, and sentences."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.core.transcript import (
    Label,
    Proposal,
    Transcript,
    Turn,
    Utterance,
    checked,
    file_stem,
    from_file_stem,
    sentences,
)
from annotator.errors import BadInput


def talk(**changes: Any) -> Transcript:
    return Transcript("c1", (Turn("Seeker", (replace(Utterance("1", "Hi."), **changes),), 1),), place="talk.json")


def test_a_sound_transcript_passes_unchanged() -> None:
    transcript = talk(labels=(Label("alice", ("ACK",)), Label("bob", ())), proposals=(Proposal(("ACK",), 0.5),))
    assert checked(transcript) is transcript


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"text": "  "}, "utterance 1 is empty"),
        ({"text": "a\x00b"}, "a NUL character"),
        ({"text": "\ud83d"}, "lone surrogate"),
        ({"id": "\ud83d"}, "lone surrogate"),
        ({"labels": (Label("alice", ("A|B",)),)}, "'A|B'"),
        ({"labels": (Label("alice", ("",)),)}, "the code ''"),
        ({"labels": (Label("ali\x00ce", ()),)}, "a NUL character"),
        ({"labels": (Label("alice", ("A",)), Label("alice", ("B",)))}, "two labels of alice"),
        ({"proposals": (Proposal(("A\x00",)),)}, "Rename it"),
        ({"proposals": (Proposal(("A",), model_version="m\x00"),)}, "a proposal that contains a NUL character"),
        ({"proposals": (Proposal(("A",), prompt_hash="\ud83d"),)}, "a proposal that contains half a character"),
        ({"proposals": (Proposal(("A",), 0.5), Proposal(("A",), cost=0.1))}, "has two proposals. Keep one."),
        ({"proposals": (Proposal(("A",), round="r1"), Proposal(("B",), round="r1"))}, "two proposals in round r1"),
        ({"gold": ("A|B",)}, "Rename it"),
    ],
)
def test_an_utterance_that_cannot_be_stored_is_refused_with_its_place(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match="^talk.json: conversation 'c1', turn 1") as caught:
        checked(talk(**changes))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": ""}, "needs an id"),
        ({"id": "x" * 201}, "needs an id"),
        ({"id": "c\x00"}, "a NUL character"),
        ({"turns": ()}, "has no turns"),
        ({"turns": (Turn(" ", (Utterance("1", "Hi"),), 7),)}, "turn 7: the speaker's role is missing"),
        ({"turns": (Turn("Seeker", (), 7),)}, "turn 7 has no utterances"),
        ({"turns": (Turn("Seeker", (Utterance("1", "Hi"), Utterance("1", "Ho")), 7),)}, "turn 7: two utterances"),
        ({"meta": {"scenario": float("inf")}}, "cannot be stored"),
        ({"meta": {"scenario": {1, 2}}}, "cannot be stored"),
        ({"meta": {"scenario": "\ud83d"}}, "half a character"),
        ({"meta": {"scenario": "\\\x00"}}, "NUL"),
    ],
)
def test_a_conversation_that_cannot_be_stored_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput) as caught:
        checked(replace(talk(), **changes))
    assert said in str(caught.value)


def test_one_annotator_may_label_in_two_rounds() -> None:
    checked(talk(labels=(Label("alice", ("A",), round="r1"), Label("alice", ("B",), round="r2"))))


def test_a_backslash_before_u0000_is_no_nul() -> None:
    checked(replace(talk(), meta={"note": "\\u0000"}))


def test_only_a_partial_transcript_may_leave_texts_empty() -> None:
    checked(replace(talk(text=""), partial=True))


def test_the_text_hash_ignores_labels_ids_and_numbers_but_not_words_and_roles() -> None:
    said = talk().text_hash()
    assert talk(id="9", labels=(Label("alice", ("A",)),)).text_hash() == said
    assert talk(text="Ho.").text_hash() != said
    assert replace(talk(), turns=(replace(talk().turns[0], role="Assistant"),)).text_hash() != said


def test_where_it_was_read_makes_no_other_transcript() -> None:
    assert replace(talk(), place="elsewhere.json") == talk()


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_a_file_stem_is_safe_and_can_be_undone(conversation: str) -> None:
    stem = file_stem(conversation)
    assert from_file_stem(stem) == conversation
    assert not stem.startswith(".") and not set(stem) & set('/\\:*?"<>|\0\n')


@given(st.text("ab%2F0.", min_size=1, max_size=12))
def test_no_two_conversations_share_a_file_stem(stem: str) -> None:
    assert file_stem(from_file_stem(stem)) in (stem, file_stem(stem))


@given(st.text())
def test_sentences_lose_nothing_but_white_space(text: str) -> None:
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())


@pytest.mark.parametrize(
    "parts",
    [
        ["No.", "I don't like it."],
        ["Item No. 5 is fine."],
        ["We have jackets, coats, etc. in all sizes."],
        ["Jackets, coats, etc.", "Anything else?"],
        ["It opens at 9 a.m. today.", "Come by!"],
        ["Compare it, e.g. with Item05 vs. Item06."],
        ['"Really?"', "he said."],
        ["Wow!!!", "Great…", "No?"],
    ],
)
def test_sentences_are_found(parts: list[str]) -> None:
    assert sentences(" ".join(parts)) == parts
