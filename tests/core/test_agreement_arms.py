"""Blind and assisted: known answers, published ones, SciPy and statsmodels as oracles, what must hold, and how often intervals do."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from statsmodels.api import OLS
from vectors import cases, close

from annotator.core.agreement import cohen_kappa, standard_errors, table_of
from annotator.core.agreement.adoption import adoption_of, mcnemar_exact
from annotator.core.agreement.arms import Estimate, degrees_of_freedom, difference, mean_of, rate, switch_to_model
from annotator.core.agreement.counts import Cells
from annotator.core.agreement.intervals import cluster_errors, kappa_of
from annotator.core.agreement.shift import total_variation

Draw = np.random.Generator


# Known answers


@cases("anchoring_independent*")
def test_kappa_in_two_independent_arms(case: dict[str, Any]) -> None:
    blind, assisted = (table_of(case["data"][arm]) for arm in ("blind", "assisted"))
    a, b = cohen_kappa(blind).kappa, cohen_kappa(assisted).kappa
    found = difference(a, standard_errors(blind).se, None, b, standard_errors(assisted).se, None)
    figures = {"kappa_blind": a, "kappa_assisted": b, "diff": found.value, "se_diff": found.se, "z": found.z, "p_two_sided": found.p}
    assert figures == {name: close(case["expected"][name], case) for name in figures}


@cases("anchoring_paired*")
def test_the_same_annotator_blind_and_assisted(case: dict[str, Any]) -> None:
    data, wanted = case["data"], case["expected"]
    found = adoption_of(data["llm"], data["blind"], data["assisted"])
    figures = {
        "n": found.n, "agree_llm_blind": found.agree_blind.value, "agree_llm_assisted": found.agree_assisted.value,
        "switch_to_llm_when_differs": found.switch.value, "leave_llm_when_same": found.leave.value,
        "kappa_llm_blind": found.kappa_blind.kappa, "kappa_llm_assisted": found.kappa_assisted.kappa,
        "mcnemar_b": found.switched, "mcnemar_c": found.left,
    }  # fmt: skip
    assert figures == {name: close(value, case) for name, value in wanted.items() if name in figures}
    assert set(wanted) <= {*figures, "mcnemar_p"}
    assert found.p == mcnemar_exact(wanted["mcnemar_b"], wanted["mcnemar_c"])


def test_two_drugs_of_student_1908() -> None:
    """Hours of sleep gained by ten patients with either drug, as R's help of t.test has them: Welch's t, df, p and interval."""
    first = mean_of([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0], [1] * 10)
    second = mean_of([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4], [1] * 10)
    found = difference(first.value, first.se, 10, second.value, second.se, 10)
    assert [round(found.z, 4), round(found.df, 3), round(found.p_t, 5)] == [1.8608, 17.776, 0.07939]
    assert found.ci95 == pytest.approx((-0.2054832, 3.3654832), abs=1e-7)


@pytest.mark.parametrize(("g", "upper"), [(10, 0.3085), (20, 0.1684), (50, 0.0711), (100, 0.0362)])
def test_no_hit_at_all_has_clopper_and_pearsons_limit(g: int, upper: float) -> None:
    none, all_ = rate([0] * g, [30] * g), rate([30] * g, [30] * g)
    assert (none.value, none.se, none.ci95) == (0, None, pytest.approx((0, upper), abs=5e-5))
    assert all_.ci95 == pytest.approx((1 - none.ci95[1], 1 - none.ci95[0]))
    assert none.why["se"].startswith("all utterances are alike")


# Against other implementations

sizes = st.lists(st.integers(1, 40), min_size=2, max_size=12)


@given(st.data(), sizes)
def test_errors_of_shares_and_means_are_those_of_statsmodels(data: st.DataObject, counts: list[int]) -> None:
    hits = [data.draw(st.integers(0, n)) for n in counts]
    found = mean_of(hits, counts)
    told = np.concatenate([[1.0] * hit + [0.0] * (n - hit) for hit, n in zip(hits, counts, strict=True)])
    if found.se:
        groups = np.repeat(np.arange(len(counts)), counts)
        fitted = OLS(told, np.ones(len(told))).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
        assert [found.value, found.se] == pytest.approx([fitted.params[0], fitted.bse[0]])
        assert found.ci95 == pytest.approx(fitted.conf_int()[0])


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_binomial_test(b: int, c: int) -> None:
    assert mcnemar_exact(b, c) == (pytest.approx(binomtest(b, b + c).pvalue) if b + c else None)
    assert mcnemar_exact(b, c) == mcnemar_exact(c, b)


# What must always hold

share = st.floats(-1, 1)
error = st.floats(1e-3, 0.5)
clusters = st.integers(2, 500)


@given(share, error, clusters)
def test_identical_arms_do_not_differ(kappa: float, se: float, g: int) -> None:
    found = difference(kappa, se, g, kappa, se, g)
    assert (found.value, found.z, found.p, found.df) == (0, 0, 1, pytest.approx(2 * (g - 1)))
    assert found.ci95[0] == -found.ci95[1]


@given(share, error, clusters, share, error, clusters)
def test_the_other_way_round_the_difference_has_the_other_sign(a: float, e: float, g: int, b: float, f: float, h: int) -> None:
    there, back = difference(a, e, g, b, f, h), difference(b, f, h, a, e, g)
    assert there.value == -back.value
    assert [there.p, there.p_t, *there.ci95] == pytest.approx([back.p, back.p_t, -back.ci95[1], -back.ci95[0]])
    assert there.p <= there.p_t + 1e-12  # t has the longer tails
    assert (there.p_t < 0.05) == (not there.ci95[0] <= 0 <= there.ci95[1])
    assert min(g, h) - 1 <= there.df * (1 + 1e-9) and there.df <= g + h - 2 + 1e-6


@given(st.data(), sizes)
def test_shares_lie_within_their_intervals_and_misses_mirror_hits(data: st.DataObject, counts: list[int]) -> None:
    hits = [data.draw(st.integers(0, n)) for n in counts]
    found, other = rate(hits, counts), rate([n - hit for hit, n in zip(hits, counts, strict=True)], counts)
    assert other.value == pytest.approx(1 - found.value)
    if found.ci95 and other.ci95:
        assert 0 <= found.ci95[0] <= found.value <= found.ci95[1] <= 1
        assert other.ci95 == pytest.approx((1 - found.ci95[1], 1 - found.ci95[0]))


codes = st.lists(st.lists(st.integers(0, 9), min_size=4, max_size=4), min_size=1, max_size=8)


@given(codes, codes, st.permutations(range(4)))
def test_total_variation_is_a_distance(a: list[list[int]], b: list[list[int]], order: list[int]) -> None:
    found, back = total_variation(a, b, 200), total_variation(b, a, 200)
    renamed = total_variation([[row[at] for at in order] for row in a], [[row[at] for at in order] for row in b], 200)
    assert found.distance == back.distance == (renamed.distance if renamed.distance is None else pytest.approx(renamed.distance))
    if found.distance is not None:
        assert 0 <= found.distance <= 1
        assert total_variation(a, a, 200).distance == 0
    if found.ci95:
        assert 0 <= found.ci95[0] <= found.distance <= found.ci95[1] <= 1
    if found.chance95 is not None:
        assert 0 <= found.chance95 <= 1
        assert 0 < found.p <= 1


def test_total_variation_is_its_seed_and_arms_without_a_common_code_are_1_apart() -> None:
    a, b = [[3, 4, 0, 0], [2, 5, 0, 0], [4, 4, 0, 0], [1, 9, 0, 0]], [[0, 0, 5, 1], [0, 0, 4, 4], [0, 0, 1, 1], [0, 0, 2, 9]]
    found = total_variation(a, b)
    assert (found.distance, found.ci95[1], found.n_conversations) == (1, 1, (4, 4))
    assert found.chance95 < 1
    assert found == total_variation(a, b) != total_variation(a, b, seed=2)


@given(st.integers(1, 29), st.integers(1, 30))
def test_who_goes_over_is_the_share_of_those_who_differ(blind: int, assisted: int) -> None:
    b, a = blind / 30, assisted / 30
    found = switch_to_model(rate([blind, blind + 1, blind - 1], [30] * 3), rate([assisted] * 2, [30] * 2))
    assert found.value == pytest.approx((a - b) / (1 - b))
    assert (found.value < 0) == (assisted < blind)


# Undefined, with the reason


def test_what_cannot_be_compared_says_why() -> None:
    nothing = difference(None, None, 3, 0.4, 0.1, 3)
    assert (nothing.value, nothing.why["value"], nothing.why["ci95"]) == (None, *["the blind arm has no such figure"] * 2)
    no_error = difference(0.3, 0.1, 3, 0.4, None, 1)
    assert (round(no_error.value, 9), no_error.se, no_error.why["p"]) == (0.1, None, "the figure of the assisted arm has no error")
    same = difference(1.0, 0.0, 3, 1.0, 0.0, 3)
    assert (same.value, same.se, same.p, same.ci95) == (0, 0, None, None)
    one = difference(0.3, 0.1, 1, 0.4, 0.1, 9)
    assert (one.p is not None, one.ci95, one.why["ci95"]) == (True, None, "the blind arm has fewer than two conversations")
    assert difference(0.3, 0.1, None, 0.4, 0.1, None).why["df"] == "the numbers of conversations are not given"


def test_shares_and_means_of_nothing_of_one_conversation_and_without_spread() -> None:
    assert (rate([], []).value, rate([0, 0], [0, 0]).why["value"]) == (None, "there is nothing to count")
    one = mean_of([3, 0], [4, 0])
    assert (one.value, one.se, one.n_conversations) == (0.75, None, 1)
    assert one.why["ci95"].startswith("all of it is of one conversation")
    same = rate([1, 2, 3], [2, 4, 6])
    assert (same.value, same.se, same.ci95) == (0.5, 0, None)
    assert same.why["ci95"].startswith("it is the same in every conversation")
    assert mean_of([-3, 3], [1, 1]).ci95 == pytest.approx((-3 * 12.7062047, 3 * 12.7062047))  # not a share, so not cut off


def test_who_goes_over_where_nobody_could_or_nothing_varies() -> None:
    half, all_, none = rate([4, 6, 5], [10] * 3), rate([10] * 3, [10] * 3), rate([], [])
    assert switch_to_model(all_, half).why["value"].startswith("people alone always said what the model says")
    assert switch_to_model(half, none).why["value"] == "the assisted arm has no utterance with a label and a proposal"
    full = switch_to_model(half, all_)
    assert (full.value, full.ci95, full.why["ci95"]) == (1, None, "the rate of the assisted arm has no error")
    unsure = switch_to_model(rate([10, 10, 3], [10] * 3), half)
    assert (unsure.value < 0, unsure.ci95) == (True, None)
    assert unsure.why["ci95"] == "how often people alone differ from the model cannot be told from never"


def test_adoption_without_moves_without_utterances_and_with_conversations() -> None:
    still = adoption_of("AB", "AB", "AB")
    assert (still.p, still.reason, still.switch.value) == (None, "no label went over to the model or left it", None)
    assert still.switch.why["value"] == "there is nothing to count"
    empty = adoption_of([], [], [])
    assert (empty.n, empty.agree_blind.value, empty.kappa_blind.kappa) == (0, None, None)
    model, blind, assisted = ["A"] * 30, ["B"] * 20 + ["A"] * 10, ["A", "B"] * 5 + ["A"] * 20
    found = adoption_of(model, blind, assisted, [f"c{at // 5}" for at in range(30)])
    assert found.switch == rate([3, 2, 5, 5], [5] * 4)
    assert found.leave.ci95 == (0, pytest.approx(1 - 0.025**0.5))


def test_distances_that_cannot_be_told() -> None:
    empty = total_variation([], [[1, 2]])
    assert (empty.distance, empty.why["distance"]) == (None, "no code was used in the blind arm")
    one = total_variation([[1, 2]], [[1, 2], [2, 1], [0, 0]])
    assert (one.distance, one.ci95, one.chance95, one.n_conversations) == (pytest.approx(1 / 6), None, None, (1, 2))
    assert "fewer than 20 ways" in one.why["chance95"]


# How often they hold


def studied(draw: Draw, g: int, alike: tuple[float, float]) -> Estimate:
    """A share in g conversations of 15 to 55 utterances, each with a chance of its own."""
    counts = draw.integers(15, 56, g)
    return rate(draw.binomial(counts, draw.beta(*alike, g)).tolist(), counts.tolist())


@pytest.mark.parametrize(("g", "alike"), [(12, (8, 2)), (60, (3, 1)), (60, (1, 19))])
def test_the_interval_of_a_share_holds_and_the_naive_one_does_not(g: int, alike: tuple[float, float]) -> None:
    draw, true, held = np.random.default_rng(2026), alike[0] / sum(alike), Counter[str]()
    for _ in range(500):
        found = studied(draw, g, alike)
        held["clustered"] += found.ci95[0] <= true <= found.ci95[1]
        held["naive"] += abs(found.value - true) <= 1.96 * (found.value * (1 - found.value) / found.n) ** 0.5
    assert held["clustered"] / 500 >= 0.90
    assert held["naive"] / 500 <= 0.80


def kappa_study(draw: Draw, g: int, alike: tuple[float, float]) -> tuple[float, float, float]:
    """Kappa, its clustered error and its naive one, of g conversations of 35 utterances; Beta(alike) is each one's agreement."""
    at = np.repeat(np.arange(g), 35)
    a, other = draw.integers(0, 20, (2, len(at)))
    b = np.where(draw.random(len(at)) < draw.beta(*alike, g)[at], a, other)
    cells = [Cells(tuple(frozenset({f"c{code}"}) for code in range(20)), at, a, b, np.ones(len(at), dtype=np.int64))]
    found = cluster_errors(cells)
    return kappa_of(cells).kappa, found.se, found.se_iid


def test_the_interval_of_a_difference_of_kappas_holds_and_the_naive_one_does_not() -> None:
    draw, held, true = np.random.default_rng(7), Counter[str](), 0.8 - 6 / 9
    for _ in range(300):
        (a, se_a, naive_a), (b, se_b, naive_b) = kappa_study(draw, 10, (6, 3)), kappa_study(draw, 40, (8, 2))
        found = difference(a, se_a, 10, b, se_b, 40)
        held["clustered"] += found.ci95[0] <= true <= found.ci95[1]
        held["naive"] += abs(found.value - true) <= 1.96 * (naive_a**2 + naive_b**2) ** 0.5
    assert held["clustered"] / 300 >= 0.90
    assert held["naive"] / 300 <= 0.80


def test_the_interval_of_who_goes_over_holds() -> None:
    draw, held = np.random.default_rng(5), 0
    for _ in range(500):
        found = switch_to_model(studied(draw, 15, (7, 3)), studied(draw, 45, (8.5, 1.5)))
        held += found.ci95[0] <= 0.5 <= found.ci95[1]
    assert held / 500 >= 0.90


def test_distances_are_read_against_chance() -> None:
    """Without a shift one in twenty lies above the reference; the interval holds the true distance with one and without."""
    draw, held, above = np.random.default_rng(4), Counter[float](), 0
    usual = 1 / np.arange(1, 16)
    usual /= usual.sum()
    for moved in (0.0, 0.1):
        other = usual + moved * (np.eye(15)[6] - np.eye(15)[0])
        for _ in range(200):
            a, b = (draw.multinomial(35, draw.dirichlet(20 * shares, g)) for shares, g in ((usual, 12), (other, 48)))
            found = total_variation(a, b, 300)
            held[moved] += found.ci95[0] <= moved <= found.ci95[1]
            above += not moved and found.distance > found.chance95
    assert min(held.values()) / 200 >= 0.90
    assert above / 200 <= 0.10


def test_degrees_of_freedom_are_of_the_arm_with_the_larger_error() -> None:
    assert degrees_of_freedom(0.2, 5, 0.001, 400) == pytest.approx(4, rel=1e-3)
