"""Agreement with answers worked out by hand, files that go wrong in known ways, and the one second annotation of VOGUE there is."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from annotator import Judgement, agreement, agreement_of_all

CODEBOOK = {"Seeker": {"PCT": "Provide", "PEP": "Provide", "ACK": "Respond", "RJT": "Respond"}}


def said(rows: Iterable[tuple[str, str, str]], role: str = "Seeker", conversations: int = 1) -> list[Judgement]:
    """Judgements of a and b from (utterance, label of a, label of b); codes are joined by |, "-" is no row at all."""
    return [
        Judgement(who, f"c{at % conversations}", utterance, role, frozenset(filter(None, label.split("|"))))
        for at, (utterance, *labels) in enumerate(rows)
        for who, label in zip("ab", labels, strict=True)
        if label != "-"
    ]


def numbered(a: str, b: str) -> list[tuple[str, str, str]]:
    return [(str(at), x, y) for at, (x, y) in enumerate(zip(a.split(), b.split(), strict=True))]


def only(judgements: Iterable[Judgement], **wanted: Any) -> dict[str, Any]:
    (pair,) = agreement(judgements, **wanted)["pairs"]
    (block,) = pair["roles"].values()
    return dict(block)


# Worked out by hand


def test_the_family_of_ten_utterances() -> None:
    # Both x 4, both y 3, x-y 2, y-x 1: po .7, margins .6 and .5, pe .5, pi's pe .55² + .45² = .505.
    block = only(said(numbered("x x x x y y y x x y", "x x x x y y y y y x")))
    wanted = {"po": 0.7, "pe": 0.5, "kappa": 0.4, "kappa_max": 0.8, "pi": 0.195 / 0.495, "s": 0.4, "ac1": 0.205 / 0.505}
    wanted["alpha"] = 1 - 0.3 * 2 * 19 * 10 / (2 * 11 * 9)  # 19 other labels, 11 x and 9 y
    assert {name: block[name] for name in wanted} == pytest.approx(wanted)
    assert block["codes"]["x"]["specific"] == pytest.approx(8 / 11)


def test_the_codebook_counts_for_s_and_ac1_and_for_nothing_else() -> None:
    rows = said(numbered("PCT PCT ACK ACK", "PCT PEP ACK ACK"))
    seen, whole = only(rows), only(rows, codebook=CODEBOOK)
    assert (seen["s"], whole["s"]) == (pytest.approx((0.75 - 1 / 3) / (2 / 3)), pytest.approx(2 / 3))
    assert seen["ac1"] < whole["ac1"]
    assert [seen[name] for name in ("kappa", "pi", "alpha", "codes")] == [whole[name] for name in ("kappa", "pi", "alpha", "codes")]


def test_sets_of_codes() -> None:
    block = only(said(numbered("x x|y y z", "x x y z")))
    assert (block["exact_match"], block["mean_jaccard"], block["mean_codes"]) == (0.75, 0.875, [1.25, 1.0])
    # Distances: within 1/3 once (MASI 1 - 1/2 * 2/3 = 2/3); between {x} 3, {x,y} 1, {y} 2, {z} 2 of 8 labels.
    between = 2 * (3 * 2 / 3 + 3 * 2 + 3 * 2 + 2 * 2 / 3 + 2 + 2 * 2) / (8 * 7)
    assert block["alpha_masi"] == pytest.approx(1 - (2 / 3 / 4) / between)
    assert (block["share_several"], block["headline"]) == (0.125, "kappa_macro")
    assert block["kappa_macro"] == pytest.approx((1 + 1 + block["codes"]["y"]["kappa"]) / 3)


def test_an_empty_label_is_one_more_choice() -> None:
    rows = [(str(at), x, y) for at, (x, y) in enumerate([("x", "x"), ("x", ""), ("", ""), ("y", "y")])]
    block = only(said(rows))
    assert (block["s"], block["po"], block["headline"]) == (pytest.approx((0.75 - 1 / 3) / (2 / 3)), 0.75, "kappa")


def test_categories_tell_near_confusions_from_far_ones() -> None:
    near = only(said(numbered("PCT PEP PCT ACK RJT ACK", "PEP PEP PCT ACK RJT ACK")), codebook=CODEBOOK)
    far = only(said(numbered("PCT PEP PCT ACK RJT ACK", "ACK PEP PCT ACK RJT ACK")), codebook=CODEBOOK)
    assert (near["kappa_categories"], far["kappa_within_categories"]) == (1, 1)
    assert near["kappa_weighted"] > near["kappa"]
    assert far["kappa_weighted"] < near["kappa_weighted"]
    assert near["categories"]["Provide"] | {"n_a": 3, "n_b": 3, "n_both": 3, "kappa": 1} == near["categories"]["Provide"]
    assert near["kappa_within_categories"] == pytest.approx(2 / 3)  # (3 (2/3 - 4/9) + 3 (1 - 5/9)) / (3 5/9 + 3 4/9)


def test_of_three_annotators_who_do_not_all_label_everything() -> None:
    labels = {"a": "x x y", "b": "x y -", "c": "x x y"}
    rows = [
        Judgement(who, "c1", str(at), "Seeker", frozenset({code}))
        for who, row in labels.items() for at, code in enumerate(row.split()) if code != "-"
    ]  # fmt: skip
    found = agreement_of_all(rows)["Seeker"]
    # Disagreeing pairs: 2 of 3 annotators' in the second utterance. 8 labels: 5 x, 3 y.
    assert found["alpha"] == pytest.approx(1 - 7 * 2 / (5 * 3 * 2) * 2 / 2)
    shares = ((1 + 2 / 3) / 3, (1 / 3 + 1) / 3)
    pe = sum(share**2 for share in shares)
    assert found["fleiss"] == pytest.approx(((1 + 1 / 3 + 1) / 3 - pe) / (1 - pe))
    assert (found["n_annotators"], found["n_utterances"]) == (3, 3)


# Files that go wrong in known ways


def test_total_agreement() -> None:
    block = only(said(numbered("x y z x y z", "x y z x y z"), conversations=3))
    assert [block[name] for name in ("po", "kappa", "pi", "s", "ac1", "alpha", "kappa_macro", "kappa_max")] == [1] * 8
    assert (block["se"], block["se_iid"], block["ci95"], block["confusions"]) == (0, 0, [1, 1], [])
    assert block["undefined"]["design_effect"].startswith("the error is 0")


def test_total_agreement_on_one_code_is_undefined_and_not_perfect() -> None:
    block = only(said(numbered("x x x x", "x x x x"), conversations=2))
    figures = ("kappa", "kappa_max", "pi", "s", "ac1", "alpha", "kappa_macro", "se", "ci95", "se_iid", "alpha_masi")
    assert [block[name] for name in figures] == [None] * len(figures)
    assert all(block["undefined"][name] for name in figures)
    assert (block["po"], block["n_utterances"]) == (1, 4)
    # With a codebook of several codes S and AC1 have a chance to be wrong, and were not.
    assert only(said(numbered("ACK ACK", "ACK ACK")), codebook=CODEBOOK)["s"] == 1


def test_total_disagreement_is_minus_one_only_with_two_even_codes() -> None:
    assert only(said(numbered("x y", "y x")))["kappa"] == -1
    block = only(said(numbered("x x y z", "y z x x"), conversations=2))
    assert (block["po"], block["kappa"], block["exact_match"]) == (0, pytest.approx(-0.6), 0)
    assert block["ci95"][0] >= -1


def test_half_blank_counts_only_what_both_labelled() -> None:
    block = only(said(numbered("x y x y x y", "x y y - - -")))
    assert (block["n_utterances"], block["n_blank"], block["po"]) == (3, 3, pytest.approx(2 / 3))
    assert block["kappa"] == pytest.approx(0.4)


def test_blank_throughout_is_undefined() -> None:
    block = only([*said(numbered("x y", "- -")), Judgement("b", "c0", "9", "Seeker", frozenset({"x"}))])
    assert (block["n_utterances"], block["n_blank"], block["kappa"], block["ci95"]) == (0, 3, None, None)


def test_a_file_shifted_by_one_position_is_matched_by_utterance_and_never_by_place() -> None:
    labels = list("xyzxyz")
    a = [Judgement("a", "c1", str(at), "Seeker", frozenset({code})) for at, code in enumerate(labels)]
    b = [Judgement("b", "c1", str(at + 1), "Seeker", frozenset({code})) for at, code in enumerate(labels)]
    block = only([*a, *b])
    assert (block["n_utterances"], block["n_blank"], block["po"]) == (5, 2, 0)
    assert only([*a, *reversed([Judgement("b", *[one.conversation, one.utterance, one.role, one.codes]) for one in a])])["kappa"] == 1


def test_codes_of_one_name_in_two_roles_do_not_meet() -> None:
    seeker = said([("1", "RP", "RP"), ("2", "RP", "IQ"), ("3", "IQ", "IQ")])
    assistant = said([("4", "RP", "RS"), ("5", "RS", "RS"), ("6", "RP", "RP")], role="Assistant")
    (pair,) = agreement([*seeker, *assistant])["pairs"]
    assert pair["roles"]["Seeker"]["codes"]["RP"] | {"n_a": 2, "n_b": 1, "n_both": 1} == pair["roles"]["Seeker"]["codes"]["RP"]
    assert {"Seeker/RP", "Assistant/RP"} <= pair["pooled"]["codes"].keys() == pair["stratified"]["codes"].keys()
    assert pair["stratified"]["kappa"] == pytest.approx(0.4)
    assert pair["pooled"]["kappa"] > pair["stratified"]["kappa"]


def test_one_utterance_told_in_two_roles_makes_no_pair() -> None:
    rows = [Judgement("a", "c1", "1", "Seeker", frozenset({"RP"})), Judgement("b", "c1", "1", "Assistant", frozenset({"RP"}))]
    (pair,) = agreement(rows)["pairs"]
    assert [(block["n_utterances"], block["n_blank"]) for block in pair["roles"].values()] == [(0, 1), (0, 1)]


# VOGUE


@pytest.fixture
def two_versions(data: Path) -> list[Judgement]:
    """Two versions of the labels of two conversations, as two annotators."""
    found = []
    for line in (data / "vogue" / "dialogues_two_versions.jsonl").read_text("utf-8").splitlines():
        conversation = json.loads(line)
        for turn in conversation["turns"]:
            for at, utterance in enumerate(turn["utterances"]):
                key = f"{turn['turn']}.{at}"
                for who, codes in utterance["labels"].items():
                    found.append(Judgement(who, conversation["id"], key, turn["role"], frozenset(codes)))
    return found


def test_two_versions_of_vogue(two_versions: list[Judgement]) -> None:
    (pair,) = agreement(two_versions)["pairs"]
    found = {name: round(pair[name]["kappa"], 3) for name in ("pooled", "stratified")}
    found |= {role: round(block["kappa"], 3) for role, block in pair["roles"].items()}
    assert found == {"pooled": 0.958, "stratified": 0.956, "Seeker": 0.963, "Assistant": 0.953}
    over = pair["stratified"]
    assert (round(over["kappa_macro"], 3), over["n_codes"], over["n_utterances"], over["n_conversations"]) == (0.9, 29, 76, 2)
    assert (over["headline"], over["share_several"] > 0.05) == ("kappa_macro", True)


def test_ac1_of_all_annotators_counts_no_code_as_a_choice_as_that_of_a_pair_does() -> None:
    rows = said([("1", "PCT", ""), ("2", "", ""), ("3", "PCT", "PCT")])
    assert agreement_of_all(rows, codebook=CODEBOOK)["Seeker"]["ac1"] == pytest.approx(only(rows, codebook=CODEBOOK)["ac1"])
