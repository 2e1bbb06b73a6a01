"""What in a long table looks unmeant is said, and what is meant is not."""

import unicodedata
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.core.agreement import Asked, sample_of_rows, suspicions_of
from annotator.core.agreement.mismatches import watched
from annotator.core.labelled import Labelled

CODES = ("IQ", "RP", "ACK", "ANS", "OTH")


def row(utterance: str, annotator: str, *codes: str, conversation: str = "c1", role: str = "Seeker") -> Labelled:
    return Labelled(conversation, utterance, role, annotator, codes)


def mismatches(*rows: Labelled) -> list[str]:
    found: list[str] = []
    assert list(watched(rows, found)) == list(rows)
    return found


def suspicions(rows: list[Labelled], asked: Asked | None = None) -> list[str]:
    return suspicions_of(sample_of_rows(rows), asked or Asked())


# Rows that do not match


def test_labels_under_two_roles_never_meet_and_the_first_is_named() -> None:
    said = [row(str(at), who, "IQ", role="Assistant" if who == "ben" and at > 2 else "Seeker") for who in ("ana", "ben") for at in range(5)]
    (warning,) = mismatches(*said)
    assert warning == (
        "2 utterances have one role in the labels of one annotator and another in those of another: these labels are never compared and "
        "are in no figure. The first is utterance '3' of conversation 'c1': Seeker by ana, Assistant by ben. Correct the role, or the ids "
        "of the utterances."
    )
    assert mismatches(*said[:8]) == [] and mismatches(said[3], said[8])[0].startswith("1 utterance has one role")


def test_an_utterance_that_nobody_labelled_is_in_no_mismatch() -> None:
    assert mismatches(row("1", "ana", "IQ"), row("1", "", role="Assistant"), row(" 1", "")) == []


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (row("u1", "ana", "iq"), "Codes 'IQ' and 'iq' of Seeker differ only in case"),
        (row("u1", "ana", "caf\u00e9"), ""),
        (row("u1", "ana", "cafe\u0301"), ""),
        (row("u1", "Ben", "IQ"), "Annotators 'Ben' and 'ben' differ only in case"),
        (row("u1 ", "ana", "IQ"), "Utterances 'u1' and 'u1 ' of conversation 'c1' differ only in surrounding space"),
        (row("U1 ", "ana", "IQ"), "Utterances 'U1 ' and 'u1' of conversation 'c1' differ only in case, surrounding space or Unicode"),
        (row("u1", "ana", "IQ", conversation="C1"), "Conversations 'C1' and 'c1' differ only in case"),
        (row("u2", "ana", "IQ", role="seeker"), "Roles 'Seeker' and 'seeker' differ only in case"),
        (row("u1", "ana", "iq", conversation="c2", role="Assistant"), ""),
    ],
)
def test_names_that_look_the_same_are_named(other: Labelled, said: str) -> None:
    found = mismatches(row("u1", "ben", "IQ"), other)
    assert [warning[: len(said)] for warning in found] == ([said] if said else [])


def test_of_names_written_in_two_unicode_forms_the_difference_is_shown() -> None:
    names = [unicodedata.normalize(form, "Zo\u00eb") for form in ("NFC", "NFD")]
    (warning,) = mismatches(*(row("1", name, "IQ") for name in names))
    assert warning.startswith(r"Annotators 'Zoe\u0308' and 'Zo\xeb' differ only in Unicode normalisation and count as two.")


def test_further_pairs_are_counted() -> None:
    (warning,) = mismatches(*(row("1", f"{at}", code) for at, code in enumerate(("A", "a", "B", "b", "C"))))
    assert warning.startswith("Codes 'A' and 'a' of Seeker differ only in case and count as two (with 1 more such pairs).")


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9), st.sampled_from("xyz"), st.sampled_from(CODES)), max_size=40))
def test_a_table_whose_names_differ_in_letters_is_passed_on_without_a_word(said: list[tuple[int, int, str, str]]) -> None:
    assert mismatches(*(row(str(at), who, code, conversation=f"c{of}") for of, at, who, code in said)) == []


# Labels that look unmeant


def test_a_table_half_filled_in_is_told_from_one_in_which_nothing_was_chosen() -> None:
    half = [row(str(at), who, *(("IQ",) if who != "ben" or at < 10 else ())) for who in ("ana", "ben", "cem") for at in range(20)]
    (warning,) = suspicions(half)
    assert "(∅): 50 % of those of ben, 0 % of those of ana. An empty cell counts as looked and chose nothing." in warning
    assert suspicions(half, Asked(between=("ana", "cem"))) == []
    assert suspicions([one for one in half if int(one.utterance) < 9 or int(one.utterance) > 19]) == []
    both = [row(str(at), who, *(("IQ",) if at < 10 else ())) for who in ("ana", "ben") for at in range(20)]
    assert suspicions(both) == []


def labelled(annotators: str, seed: int = 1, moved: str = "", by: int = 1) -> Iterator[Labelled]:
    """Four conversations of ten utterances of each role; all say the same but for a tenth, `moved` that of another utterance."""
    draw = Random(seed)
    for at in range(4):
        for role in ("Assistant", "Seeker"):
            said = [draw.choice(CODES) for _ in range(10)]
            for who in annotators:
                for place in range(10):
                    meant = place + by if who in moved else place
                    code = said[meant] if 0 <= meant < 10 and draw.random() > 0.1 else draw.choice(CODES)
                    yield row(f"{place}.{role}", who, code, conversation=f"c{at}", role=role)


@pytest.mark.parametrize("by", [1, -1])
def test_labels_one_utterance_off_are_noticed(by: int) -> None:
    (of_two,) = suspicions(list(labelled("ab", moved="b", by=by)))
    assert of_two.startswith("Labels of a or b look shifted by one: ")
    (of_three,) = suspicions(list(labelled("abc", moved="b", by=by)))
    assert of_three.startswith("Labels of b look shifted by one: ")
    assert f"the one of the {'next' if by > 0 else 'last'} utterance of the role" in of_three


def test_labels_that_stand_where_they_should_are_not() -> None:
    for seed in range(20):
        assert suspicions(list(labelled("ab", seed))) == []
        assert suspicions(list(labelled("abcd", seed, moved="ab", by=9))) == []  # a and b guess
    assert suspicions([one for one in labelled("ab", moved="b") if one.conversation == "c0" and one.role == "Seeker"]) == []


def test_nothing_is_said_of_no_labels() -> None:
    assert suspicions([]) == suspicions([row("1", "", "IQ")]) == mismatches() == []
