"""All annotators together: equal to the pair's own figures for two, and what must hold for many."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.core.agreement import Asked, Handed, pairs_of_sample, sample_of, summary_of
from annotator.core.agreement.overview import by_condition, matrix, overview_of, pool_of, rest
from annotator.core.agreement.what_if import merged
from annotator.errors import BadInput

CODES = ("IQ", "RP", "ACK", "IQ|RP", "")
LABELS = st.lists(st.sampled_from((*CODES, False, None)), min_size=4, max_size=4)


@st.composite
def handed(draw: st.DrawFn, names: tuple[str, ...] = ("ana", "ben", "cem")) -> list[Handed]:
    """Some annotators' labels of some conversations, two roles each."""
    found = []
    for conversation in range(draw(st.integers(1, 5))):
        for name in draw(st.sets(st.sampled_from(names), min_size=1)):
            condition = "blind" if conversation % 2 else "assisted"
            found += [Handed(name, f"c{conversation}", role, draw(LABELS), "r1", condition) for role in ("Assistant", "Seeker")]
    return found


def figures(handed: list[Handed]) -> dict[str, Any]:
    pool = pool_of(sample_of(handed).ratings)
    return overview_of(pool) | {"matrix": matrix(pool), "rest": rest(pool)}


@settings(max_examples=60)
@given(handed(names=("ana", "ben")))
def test_for_two_annotators_they_are_the_pairs_own(said: list[Handed]) -> None:
    sample = sample_of(said)
    found = pairs_of_sample(sample)["pairs"]
    if not found:
        return
    (pair,), ours = found, summary_of(sample)["overview"]
    for block, line in [(pair["stratified"], ours["stratified"]), *((pair["roles"][role], line) for role, line in ours["roles"].items())]:
        for name in ("po", "pe", "kappa", "se", "se_iid", "design_effect", "kappa_macro", "mean_jaccard", "share_several"):
            assert line[name] == pytest.approx(block[name], abs=1e-9), name
        assert (line["ci95"] is None) == (block["ci95"] is None)
        assert line["kappa_macro_ci95"] == pytest.approx(block["kappa_macro_ci95"], abs=1e-9)
        assert (line["headline"], line["n_pairs"], line["n_conversations"]) == (
            block["headline"], block["n_utterances"], block["n_conversations"]
        )  # fmt: skip
    for role, line in ours["roles"].items():
        for code, values in line["codes"].items():
            theirs = pair["roles"][role]["codes"][code]
            assert {name: values[name] for name in ("n_a", "n_b", "n_both", "few", "interval")} == {
                name: theirs[name] for name in ("n_a", "n_b", "n_both", "few", "interval")
            }
            assert values["kappa"] == pytest.approx(theirs["kappa"], abs=1e-9)
            assert values["ci95"] == pytest.approx(theirs["ci95"], abs=1e-9)


@settings(max_examples=60)
@given(handed())
def test_every_none_has_a_reason(said: list[Handed]) -> None:
    found = figures(said)
    for line in [found["stratified"], *found["roles"].values(), *found["matrix"], *found["rest"]]:
        missing = {name for name, value in line.items() if value is None and name not in ("mean_jaccard", "share_several")}
        assert missing <= set(line["undefined"])
        for code, values in line.get("codes", {}).items():
            assert {f"codes.{code}.{name}" for name, value in values.items() if value is None} - {f"codes.{code}.specific"} <= set(
                line["undefined"]
            )


@settings(max_examples=60)
@given(handed(), st.randoms())
def test_order_and_names_change_nothing(said: list[Handed], random: Any) -> None:
    before = figures(said)
    again = said[:]
    random.shuffle(again)
    swapped = {"ana": "x1", "ben": "x2", "cem": "x3"}
    again = [one._replace(annotator=swapped[one.annotator], conversation=f"z{one.conversation}") for one in again]
    after = figures(again)
    for name in ("po", "kappa", "se", "se_iid", "kappa_macro"):
        assert after["stratified"][name] == pytest.approx(before["stratified"][name], abs=1e-9)
    assert [one["kappa"] for one in after["matrix"]] == pytest.approx([one["kappa"] for one in before["matrix"]], abs=1e-9)


@settings(max_examples=60)
@given(handed())
def test_all_together_lies_between_the_roles(said: list[Handed]) -> None:
    found = figures(said)
    kappas = [line["kappa"] for line in found["roles"].values() if line["kappa"] is not None]
    if found["stratified"]["kappa"] is not None:
        assert min(kappas) - 1e-9 <= found["stratified"]["kappa"] <= max(kappas) + 1e-9


@settings(max_examples=60)
@given(handed())
def test_blind_and_assisted_labels_never_meet(said: list[Handed]) -> None:
    found = by_condition(sample_of(said))
    for name, line in found.items():
        alone = figures([one for one in said if one.condition == name])["stratified"]
        assert (line["n_pairs"], line["kappa"]) == (alone["n_pairs"], pytest.approx(alone["kappa"], abs=1e-9))
    crossed = [one._replace(condition="blind" if one.annotator == "ana" else "assisted") for one in said if one.annotator in ("ana", "ben")]
    assert all(line["n_pairs"] == 0 for line in by_condition(sample_of(crossed)).values())


def test_each_against_the_rest_is_the_pair_where_there_are_two() -> None:
    labels = {"ana": ("x", "y", "x"), "ben": ("x", "y", "y")}
    said = [Handed(name, f"c{at}", "Seeker", of) for at in range(3) for name, of in labels.items()]
    pool = pool_of(sample_of(said).ratings)
    assert [one["kappa"] for one in rest(pool)] == [pytest.approx(0.4)] * 2
    assert matrix(pool)[0]["kappa"] == pytest.approx(0.4)


def crew(n_people: int, n_conversations: int, size: int, kappa: float, seed: int) -> list[Handed]:
    """Every conversation labelled by two of many, who agree by `kappa` and are right as often, each conversation with a mix of its own."""
    rng = np.random.default_rng(seed)
    shares, codes = np.array([0.4, 0.3, 0.2, 0.1]), np.array(["a", "b", "c", "d"])
    said = []
    for at in range(n_conversations):
        truth = rng.choice(codes, size, p=rng.dirichlet(shares * 5))
        for who in rng.choice(n_people, 2, replace=False):
            kept = rng.random(size) < kappa**0.5
            said.append(Handed(f"p{who:02}", f"c{at}", "Seeker", list(np.where(kept, truth, rng.choice(codes, size, p=shares)))))
    return said


def test_many_annotators_who_seldom_meet_are_not_taken_to_agree_less() -> None:
    """With margins of each pair's own fourteen utterances these figures would lie at .75, far under the truth."""
    found = [figures(crew(20, 150, 14, 0.8, seed))["stratified"] for seed in range(12)]
    assert np.mean([one["kappa"] for one in found]) == pytest.approx(0.8, abs=0.012)
    assert sum(one["ci95"][0] <= 0.8 <= one["ci95"][1] for one in found) >= 10
    assert figures(crew(30, 900, 1, 0.8, 1))["stratified"]["kappa"] == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize("people", [2, 5, 12])
def test_errors_are_those_of_leaving_out_one_conversation_at_a_time(people: int) -> None:
    said = crew(people, 60, 20, 0.7, people)
    whole = figures(said)
    names = sorted({one.conversation for one in said})
    without = [figures([one for one in said if one.conversation != name]) for name in names]

    def jackknife(values: list[float]) -> float:
        return float(((len(names) - 1) * np.var(values)) ** 0.5)

    for name, se in (("kappa", "se"), ("kappa_macro", "kappa_macro_se")):
        assert whole["stratified"][se] == pytest.approx(jackknife([one["stratified"][name] for one in without]), rel=0.08)
    for code, values in whole["roles"]["Seeker"]["codes"].items():
        again = [one["roles"]["Seeker"]["codes"][code]["kappa"] for one in without]
        assert values["se"] == pytest.approx(jackknife(again), rel=0.1)


def test_the_costs_of_the_codes_add_up_to_one_and_merging_the_worst_gains() -> None:
    rng = np.random.default_rng(1)
    said = []
    for at in range(20):
        truth = rng.choice(["RP", "INQ", "ACK", "OTH"], 30)
        other = ["INQ" if code == "RP" and rng.random() < 0.4 else code for code in truth]
        said += [Handed("ana", f"c{at}", "Seeker", list(truth)), Handed("ben", f"c{at}", "Seeker", other)]
    sample = sample_of(said)
    found = summary_of(sample, Asked(threshold=0.7))
    assert sum(one["cost"] for one in found["overview"]["roles"]["Seeker"]["codes"].values()) == pytest.approx(1)
    (best,) = found["what_if"]["Seeker"]
    assert (set(best["codes"]), best["settled"], best["merged"]) == ({"RP", "INQ"}, 1, 1)
    assert best["now"] == pytest.approx(found["overview"]["stratified"]["kappa"]) == best["overall_now"]
    by_hand = overview_of(pool_of(merged(sample.ratings, {"RP": "INQ"})))
    assert by_hand["stratified"]["kappa"] == best["merged"]
    with pytest.raises(BadInput, match="Nobody used the code XX"):
        merged(sample.ratings, {"XX": "INQ"})


def test_the_verdict_is_about_the_lower_limit() -> None:
    differ = {"ana": ("x", "y", "x", "y"), "ben": ("x", "y", "x", "x")}
    said = [Handed(name, f"c{at}", "Seeker", of[: 3 + at % 2]) for at in range(20) for name, of in differ.items()]
    verdict = summary_of(sample_of(said), Asked(threshold=0.3))["verdict"]
    assert verdict["met"] is True
    assert verdict["sentence"] == f"lower 95 % limit {verdict['ci95'][0]:.3f} ≥ your threshold 0.3"
    assert summary_of(sample_of(said), Asked(threshold=0.99))["verdict"]["met"] is False
    alone = summary_of(sample_of(said[:2]))["verdict"]
    assert (alone["met"], alone["sentence"][:36]) == (None, "no lower limit: all pairs are of one")


def test_full_agreement_promises_nothing() -> None:
    said = [Handed(name, f"c{at}", "Seeker", ("x", "y", "x")) for at in range(3) for name in ("ana", "ben")]
    found = summary_of(sample_of(said), Asked(threshold=0.1))
    assert (found["overview"]["stratified"]["kappa"], found["verdict"]["value"]) == (1, 1)
    assert (found["verdict"]["met"], found["verdict"]["ci95"]) == (None, None)
    assert "all conversations say the same" in found["verdict"]["sentence"]
