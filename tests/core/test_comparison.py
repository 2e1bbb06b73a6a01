"""Comparison of a run with a reference: figures computed by hand, scikit-learn as an oracle, and what holds for any labels."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score, f1_score, precision_recall_fscore_support
from sklearn.preprocessing import MultiLabelBinarizer

from annotator.core.comparison import Pair, compare

Labels = list[tuple[frozenset[str], frozenset[str]]]
CODES = ("ACK", "RC", "RP", "ANS")
label = st.frozensets(st.sampled_from(CODES), min_size=1, max_size=3)
labels = st.lists(st.tuples(label, label), min_size=1, max_size=30)


def pairs(said: Iterable[tuple[Iterable[str], Iterable[str]]], role: str = "Seeker", conversation: str = "c1") -> list[Pair]:
    return [Pair(conversation, str(at), role, codes(run), codes(meant)) for at, (run, meant) in enumerate(said)]


def codes(label: Iterable[str]) -> frozenset[str]:
    return frozenset([label] if isinstance(label, str) else label)


def block(said: Iterable[tuple[Iterable[str], Iterable[str]]]) -> dict[str, Any]:
    found: dict[str, Any] = compare(pairs(said))["roles"]["Seeker"]
    return found


def test_a_small_table_by_hand() -> None:
    # A A, A B, B B, B B, C B: the run says A 2, B 2, C 1; the reference A 1, B 4
    found = block([("A", "A"), ("A", "B"), ("B", "B"), ("B", "B"), ("C", "B")])
    assert found["exact_match"] == pytest.approx(3 / 5)
    # pe = (2·1 + 2·4) / 25 = 0.4
    assert found["kappa"] == pytest.approx((0.6 - 0.4) / (1 - 0.4))
    assert [found["codes"]["B"][name] for name in ("n_run", "support", "n_both", "precision", "recall")] == [2, 4, 2, 1.0, 0.5]
    assert [found["codes"][code]["f1"] for code in "ABC"] == pytest.approx([2 / 3, 2 / 3, 0])
    assert found["macro_f1"] == pytest.approx(4 / 9)
    assert found["micro_f1"] == pytest.approx(3 / 5)
    assert found["confusions"] == [{"run": "A", "reference": "B", "n": 1}, {"run": "C", "reference": "B", "n": 1}]


def test_sets_of_codes_match_only_when_equal_but_count_per_code() -> None:
    found = block([(("A", "B"), ("A",)), (("A",), ("A",))])
    assert found["exact_match"] == 0.5
    assert (found["codes"]["A"]["f1"], found["codes"]["B"]["precision"]) == (1.0, 0.0)
    # uses: 3 of the run, 2 of the reference, 2 of both
    assert found["micro_f1"] == pytest.approx(4 / 5)


def test_a_code_of_one_side_only_has_an_undefined_score_with_its_reason() -> None:
    found = block([("A", "B"), ("A", "A")])
    assert (found["codes"]["B"]["precision"], found["codes"]["B"]["recall"], found["codes"]["B"]["f1"]) == (None, 0.0, 0.0)
    assert found["undefined"]["codes.B.precision"] == "the run never proposed it"
    turned = block([("B", "A"), ("A", "A")])
    assert (turned["codes"]["B"]["recall"], turned["undefined"]["codes.B.recall"]) == (None, "the reference never has it")


def test_kappa_of_one_label_throughout_is_undefined_and_says_so() -> None:
    found = block([("A", "A")] * 5)
    assert (found["kappa"], found["kappa_macro"], found["exact_match"], found["macro_f1"]) == (None, None, 1.0, 1.0)
    assert "one and the same label" in found["undefined"]["kappa"]
    assert found["undefined"]["kappa_macro"] == "no code has a defined kappa"
    assert "every utterance" in found["undefined"]["codes.A.kappa"]


def test_empty_labels_are_labels_but_no_code() -> None:
    found = block([((), ()), ((), ())])
    assert (found["exact_match"], found["macro_f1"], found["codes"]) == (1.0, None, {})
    assert {found["undefined"][name] for name in ("macro_f1", "micro_f1", "kappa_macro")} == {"neither used any code"}


def test_without_pairs_all_is_undefined() -> None:
    found = compare([])
    assert (found["roles"], found["stratified"]["n_utterances"]) == ({}, 0)
    assert set(found["stratified"]["undefined"]) == {"kappa", "kappa_macro", "exact_match", "macro_f1", "micro_f1"}


def test_roles_are_apart_and_their_equal_codes_are_two() -> None:
    seeker, assistant = [("RP", "RP"), ("A", "RP")], [("RP", "RP"), ("B", "B"), ("B", "B")]
    found = compare(pairs(seeker) + pairs(assistant, "Assistant", "c2"))
    assert (found["roles"]["Seeker"]["n_utterances"], found["roles"]["Assistant"]["kappa"]) == (2, 1.0)
    whole = found["stratified"]
    assert (whole["n_utterances"], whole["n_conversations"], whole["exact_match"]) == (5, 2, 0.8)
    # Seeker: po = pe = 1/2; Assistant: po 1, pe 5/9. (2·0 + 3·4/9) / (2·1/2 + 3·4/9)
    assert whole["kappa"] == pytest.approx((4 / 3) / (1 + 4 / 3))
    assert whole["macro_f1"] == pytest.approx((2 / 3 + 0 + 1 + 1) / 4)


@given(labels)
def test_scikit_learn_finds_the_same(said: Labels) -> None:
    found = block(said)
    used = sorted(set().union(*(run | meant for run, meant in said)))
    binary = MultiLabelBinarizer(classes=used).fit([])
    run, meant = (binary.transform([pair[side] for pair in said]) for side in (0, 1))
    precision, recall, f1, support = precision_recall_fscore_support(meant, run, average=None, zero_division=0)
    for at, code in enumerate(used):
        scores = found["codes"][code]
        assert [scores["precision"] or 0, scores["recall"] or 0, scores["f1"]] == pytest.approx([precision[at], recall[at], f1[at]])
        assert scores["support"] == support[at]
    assert found["macro_f1"] == pytest.approx(f1_score(meant, run, average="macro", zero_division=0))
    assert found["micro_f1"] == pytest.approx(f1_score(meant, run, average="micro", zero_division=0))
    if found["kappa"] is not None:
        whole = [["|".join(sorted(pair[side])) for pair in said] for side in (0, 1)]
        assert found["kappa"] == pytest.approx(cohen_kappa_score(*whole))


@given(labels)
def test_identical_labels_score_one(said: Labels) -> None:
    found = block((run, run) for run, _ in said)
    assert (found["exact_match"], found["macro_f1"], found["micro_f1"], found["confusions"]) == (1.0, 1.0, 1.0, [])
    assert found["kappa"] == (1.0 if len({run for run, _ in said}) > 1 else None)


@given(labels)
def test_turning_it_round_swaps_precision_and_recall_and_keeps_the_rest(said: Labels) -> None:
    found, turned = block(said), block((meant, run) for run, meant in said)
    for name in ("kappa", "kappa_macro", "exact_match", "macro_f1", "micro_f1"):
        assert found[name] == pytest.approx(turned[name])
    for code, scores in found["codes"].items():
        assert (scores["precision"], scores["recall"]) == (turned["codes"][code]["recall"], turned["codes"][code]["precision"])


@given(labels)
def test_every_undefined_figure_has_a_reason_and_no_other(said: Labels) -> None:
    found = compare(pairs(said))
    for one in (*found["roles"].values(), found["stratified"]):
        values = {name: value for name, value in one.items() if name not in ("codes", "confusions", "undefined")}
        values |= {f"codes.{code}.{name}": value for code, scores in one.get("codes", {}).items() for name, value in scores.items()}
        assert set(one["undefined"]) == {name for name, value in values.items() if value is None}
