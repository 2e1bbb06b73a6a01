"""What the offline tagger learns and how it explains itself."""

import pytest

from annotator.core.taxonomy import parse_taxonomy
from annotator.core.transcript import Transcript, Turn, Utterance
from annotator.taggers.base import Brief, Suggestion
from annotator.taggers.local import LocalTagger

from .small import KNOWN, NEW, TAXONOMY


def said(*texts: str, id: str = "new", role: str = "Seeker") -> Transcript:
    return Transcript(id, (Turn(role, tuple(Utterance(str(at), text) for at, text in enumerate(texts)), 1),))


def only(tagger: LocalTagger, transcript: Transcript) -> Suggestion:
    (by_id,) = tagger.suggest([transcript])
    return next(iter(by_id.values()))


def top(suggestion: Suggestion) -> str:
    return max(suggestion.probabilities, key=lambda code: suggestion.probabilities[code])


def test_it_learns_from_the_examples_of_the_taxonomy_alone() -> None:
    tagger = LocalTagger(Brief(TAXONOMY))
    assert top(only(tagger, said("Is it heavy?"))) == "ASK"
    assert top(only(tagger, said("I take that one."))) == "YES"


def test_it_learns_from_known_conversations() -> None:
    by_id = next(iter(LocalTagger(Brief(TAXONOMY, KNOWN)).suggest([NEW])))
    assert [top(suggestion) for suggestion in by_id.values()] == ["ASK", "ASK", "SHOW", "YES"]


def test_a_code_without_examples_keeps_a_low_probability() -> None:
    assert 0 < only(LocalTagger(Brief(TAXONOMY, KNOWN)), said("Well.")).probabilities["OTH"] < 0.1


def test_the_reason_quotes_the_nearest_known_examples_with_their_codes() -> None:
    reason = only(LocalTagger(Brief(TAXONOMY)), said("Is it warm enough?")).reason
    assert reason.startswith("Nearest known: “Is it warm?” → ASK; “")


def test_the_reason_says_when_nothing_is_alike() -> None:
    assert only(LocalTagger(Brief(TAXONOMY)), said("Xyzzy")).reason == "No known utterance shares a word with it."


def test_a_long_example_is_quoted_in_part() -> None:
    long = said("Yes " + "very " * 60 + "good", id="long")
    known = Transcript("long", (Turn("Seeker", (Utterance("0", long.turns[0].utterances[0].text, gold=("YES",)),), 1),))
    assert "very very…” → YES" in only(LocalTagger(Brief(TAXONOMY, [known])), said("very very")).reason


def test_what_was_said_before_decides_between_equal_words() -> None:
    def exchange(id: str, question: str, code: str) -> Transcript:
        asked = Turn("Assistant", (Utterance("q", question, gold=("ASK",)),), 1)
        return Transcript(id, (asked, Turn("Seeker", (Utterance("a", "Okay.", gold=(code,)),), 2)))

    known = [exchange(f"a{n}", f"Shall I wrap {n} up?", "YES") for n in range(6)]
    known += [exchange(f"b{n}", f"It has {n} pockets.", "OTH") for n in range(6)]
    tagger = LocalTagger(Brief(TAXONOMY, known))
    asked, told = tagger.suggest([exchange("x", "Shall I wrap it up?", "OTH"), exchange("y", "It has pockets.", "YES")])
    assert (top(asked["a"]), top(told["a"])) == ("YES", "OTH")


def test_a_taxonomy_without_any_examples_gives_every_code_the_same() -> None:
    codes = ", ".join(f"{{code: {c}, category: c, name: n, definition: d, use_when: u, avoid_when: a}}" for c in "AB")
    text = f"name: bare\nlabels_per_utterance: {{min: 0, max: 1}}\nroles: {{Seeker: [{codes}]}}"
    suggestion = only(LocalTagger(Brief(parse_taxonomy(text))), said("Hello."))
    assert suggestion.probabilities == pytest.approx({"A": 1 / 3, "B": 1 / 3})
    assert suggestion.reason == "Nothing is known of this role yet."


def test_a_batch_larger_than_what_is_worked_on_at_once_keeps_its_order() -> None:
    texts = ["Is it warm?", "Yes, I take it."] * 300
    suggested = LocalTagger(Brief(TAXONOMY)).suggest([said(text, id=str(at)) for at, text in enumerate(texts)])
    assert [top(by_id["0"]) for by_id in suggested] == ["ASK", "YES"] * 300


def test_empty_and_odd_texts_are_tagged_too() -> None:
    odd = said("", " ", "…", "ありがとう", "item", "ITEM99?!", "a" * 5000)
    (by_id,) = LocalTagger(Brief(TAXONOMY, KNOWN)).suggest([odd])
    assert len(by_id) == 7
