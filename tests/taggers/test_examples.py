"""Which labelled utterances are shown beside a conversation: near ones of others, never its own."""

from dataclasses import replace

import pytest

from annotator.core.transcript import Transcript, Turn, Utterance
from annotator.taggers.examples import PER_ROLE, Examples
from annotator.taggers.prompt import LONGEST_TEXT, Example

from .small import KNOWN, NEW, TAXONOMY, conversation


def near(known: tuple[Transcript, ...], transcript: Transcript = NEW) -> tuple[Example, ...]:
    return Examples(known, TAXONOMY.roles).near(transcript)


def one(id: str, text: str, gold: tuple[str, ...] | None, role: str = "Seeker") -> Transcript:
    return Transcript(id, (Turn(role, (Utterance("u", text, gold=gold),), 1),))


def test_where_nothing_is_known_nothing_is_shown() -> None:
    assert near(()) == ()


def test_each_role_gets_its_own_nearest_with_their_codes() -> None:
    shown = near(KNOWN)
    assert [example.role for example in shown] == ["Seeker"] * PER_ROLE + ["Assistant"] * PER_ROLE
    said = {(turn.role, utterance.text, utterance.gold) for transcript in KNOWN for turn, utterance in transcript.utterances()}
    assert {(example.role, example.text, example.codes) for example in shown} <= said


def test_the_nearest_comes_first() -> None:
    known = (one("a", "Is there a red boat?", ("ASK",)), one("b", "I want a red hat.", ("OTH",)), one("c", "Goodbye.", ("YES",)))
    assert [example.text for example in near(known, one("x", "A red hat.", None))] == ["I want a red hat.", "Is there a red boat?"]


def test_the_same_known_give_the_same_whatever_was_asked_before() -> None:
    examples = Examples(KNOWN, TAXONOMY.roles)
    first = examples.near(NEW)
    examples.near(KNOWN[0])
    assert examples.near(NEW) == first == near(KNOWN)


@pytest.mark.parametrize("number", range(0, len(KNOWN), 4))
def test_nothing_of_the_conversation_itself_is_shown(number: int) -> None:
    own = KNOWN[number]
    assert near(KNOWN, own) == near(tuple(one for one in KNOWN if one is not own), own) or own.id not in str(near(KNOWN, own))
    assert not {example.text for example in near(KNOWN, own)} & {utterance.text for _, utterance in own.utterances()}


def test_nothing_of_a_copy_under_another_id_is_shown() -> None:
    assert near((conversation("copy", "zeppelin"),)) == ()


def test_nothing_of_an_earlier_version_under_the_same_id_is_shown() -> None:
    assert near((conversation("new", "airship"),)) == ()


def test_labels_of_the_conversation_itself_change_nothing() -> None:
    spoken = KNOWN[0].turns
    relabelled = tuple(replace(turn, utterances=tuple(replace(said, gold=("OTH",)) for said in turn.utterances)) for turn in spoken)
    assert near(KNOWN, KNOWN[0]) == near((replace(KNOWN[0], turns=relabelled), *KNOWN[1:]), KNOWN[0])


def test_what_has_no_label_or_a_role_without_codes_is_not_shown() -> None:
    known = (one("a", "A zeppelin?", None), one("b", "A zeppelin?", ()), one("c", "A zeppelin?", ("ASK",), "Bystander"))
    assert near(known) == ()


@pytest.mark.parametrize("text", ["", "…", "zeppelin " * LONGEST_TEXT])
def test_what_is_empty_wordless_or_very_long_is_not_shown(text: str) -> None:
    assert near((one("a", text, ("ASK",)),)) == ()


def test_the_same_words_with_the_same_label_are_shown_once() -> None:
    known = tuple(one(str(at), "Is there a zeppelin?", ("ASK",)) for at in range(5))
    assert near(known) == (Example("Seeker", "Is there a zeppelin?", ("ASK",)),)


def test_what_shares_no_word_is_not_shown() -> None:
    assert near((one("a", "Guten Morgen", ("OTH",)),)) == ()
