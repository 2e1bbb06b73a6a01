"""What holds for every registered tagger, above all that labels of a conversation never reach its own suggestions."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from annotator.core.transcript import Transcript, Turn, Utterance
from annotator.errors import BadInput
from annotator.taggers import TAGGERS, make
from annotator.taggers.base import Brief, Suggestion

from .small import KNOWN, NEW, TAXONOMY, WORDS

every_tagger = pytest.mark.parametrize("name", sorted(TAGGERS))


def relabelled(transcript: Transcript, gold: Mapping[str, tuple[str, ...] | None]) -> Transcript:
    turns = [replace(t, utterances=tuple(replace(u, gold=gold[u.id]) for u in t.utterances)) for t in transcript.turns]
    return replace(transcript, turns=tuple(turns))


def suggest(name: str, known: Sequence[Transcript], *transcripts: Transcript) -> list[Mapping[str, Suggestion]]:
    return list(make(name, Brief(TAXONOMY, known)).suggest(transcripts))


@every_tagger
def test_every_utterance_gets_one_suggestion_by_its_id(name: str) -> None:
    suggested = suggest(name, KNOWN, NEW, KNOWN[0])
    assert [list(by_id) for by_id in suggested] == [["u0", "u1", "u2", "u3"]] * 2


@every_tagger
def test_a_role_the_taxonomy_lacks_gets_no_suggestion(name: str) -> None:
    stranger = replace(NEW, turns=(Turn("Bystander", (Utterance("x", "Hello?"),), 0), *NEW.turns))
    assert suggest(name, KNOWN, stranger)[0].keys() == {"u0", "u1", "u2", "u3"}


@every_tagger
@pytest.mark.parametrize("known", [(), KNOWN], ids=["nothing known", "known"])
def test_probabilities_are_between_0_and_1_and_of_the_role_only(name: str, known: Sequence[Transcript]) -> None:
    by_id = suggest(name, known, NEW)[0]
    for turn, utterance in NEW.utterances():
        probabilities = by_id[utterance.id].probabilities
        assert probabilities and probabilities.keys() <= TAXONOMY.by_role[turn.role].keys()
        assert all(0 <= value <= 1 for value in probabilities.values())


@every_tagger
def test_the_same_brief_gives_the_same_suggestions(name: str) -> None:
    assert suggest(name, KNOWN, NEW, KNOWN[3]) == suggest(name, KNOWN, NEW, KNOWN[3])


@every_tagger
def test_suggestions_do_not_depend_on_what_is_tagged_beside(name: str) -> None:
    together = suggest(name, KNOWN, *KNOWN, NEW)
    assert together == [suggest(name, KNOWN, transcript)[0] for transcript in (*KNOWN, NEW)]


@every_tagger
@pytest.mark.parametrize("number", range(0, len(KNOWN), 3))
def test_own_labels_never_change_the_suggestions(name: str, number: int) -> None:
    own = KNOWN[number]
    permuted = relabelled(own, {"u0": ("SHOW",), "u1": ("YES", "OTH"), "u2": ("ASK",), "u3": None})
    others = [transcript for transcript in KNOWN if transcript is not own]
    assert suggest(name, [own, *others], own) == suggest(name, [permuted, *others], permuted)


@every_tagger
def test_labels_of_a_copy_under_another_id_never_change_the_suggestions(name: str) -> None:
    permuted = relabelled(KNOWN[0], {"u0": ("SHOW",), "u1": ("YES",), "u2": ("ASK",), "u3": ("OTH",)})
    copy = replace(KNOWN[0], id="copy")
    assert suggest(name, KNOWN, copy) == suggest(name, (permuted, *KNOWN[1:]), copy)


@every_tagger
def test_labels_of_an_edited_version_under_the_same_id_never_change_the_suggestions(name: str) -> None:
    edited = replace(KNOWN[1], id="k0")
    permuted = relabelled(KNOWN[0], {"u0": ("SHOW",), "u1": ("YES",), "u2": ("ASK",), "u3": ("OTH",)})
    rest = KNOWN[2:]
    assert suggest(name, (KNOWN[0], *rest), edited) == suggest(name, (permuted, *rest), edited)


@every_tagger
def test_a_reason_never_quotes_the_conversation_it_is_about(name: str) -> None:
    for by_id, word in zip(suggest(name, KNOWN, *KNOWN), WORDS, strict=True):
        assert all(suggestion.reason and word not in suggestion.reason for suggestion in by_id.values())


@every_tagger
def test_labels_by_codes_the_taxonomy_lacks_are_passed_over(name: str) -> None:
    stale = relabelled(KNOWN[0], {"u0": ("GONE",), "u1": ("GONE", "ASK"), "u2": (), "u3": None})
    assert all("GONE" not in suggestion.reason for suggestion in suggest(name, [stale], NEW)[0].values())


@every_tagger
def test_nothing_to_tag_gives_nothing(name: str) -> None:
    assert suggest(name, KNOWN) == []


def test_an_unknown_tagger_is_a_sentence_with_the_known_names() -> None:
    with pytest.raises(BadInput, match="no tagger 'oracle'. Choose one of: .*local, scripted"):
        make("oracle", Brief(TAXONOMY))


def test_listing_the_taggers_loads_no_scikit_learn() -> None:
    code = "import sys, annotator.taggers as t; print(sorted(t.TAGGERS), {'sklearn', 'numpy', 'scipy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{sorted(TAGGERS)} set()"
