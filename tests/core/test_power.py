"""Sample sizes for tests and intervals of kappa: known answers, published numbers, other solvers, simulation, what must hold."""

from math import comb
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.special import chndtr
from vectors import cases, close

from annotator.core.agreement import goodness_of_fit, standard_errors, table_of
from annotator.core.power import Size, size_for_any_table, size_for_margins, size_to_estimate, size_to_test
from annotator.core.precision import kappa_spread, utterances_needed
from annotator.errors import BadInput


def exact(found: Size, case: dict[str, Any]) -> None:
    assert found.n == case["expected"]["n"]
    assert found.exact == close(case["expected"]["n_exact"], case)


def shares_of(data: dict[str, Any]) -> list[float]:
    return data["margins"] if "margins" in data else [data["prevalence"], 1 - data["prevalence"]]


@cases("plan_[ds]*")
def test_donner_and_eliasziw_and_the_table_of_sim_and_wright(case: dict[str, Any]) -> None:
    data = case["data"]
    exact(size_to_test(data["kappa0"], data["kappa1"], shares_of(data), alpha=data["alpha"], power=data["power"]), case)


@cases("plan_kappasize_power*")
def test_powers_of_kappasize(case: dict[str, Any]) -> None:
    data = case["data"]
    exact(size_to_test(data["kappa0"], data["kappa1"], shares_of(data), alpha=data["alpha"], power=data["power"]), case)


@cases("plan_kappasize_ci*")
def test_intervals_of_kappasize(case: dict[str, Any]) -> None:
    data = case["data"]
    exact(size_to_estimate(data["kappa0"], data["kappaL"], data["kappaU"], shares_of(data), alpha=data["alpha"]), case)


@cases("plan_cantor1996*")
def test_cantor(case: dict[str, Any]) -> None:
    data = case["data"]
    rest = {name: data[name] for name in ("alpha", "power", "two_sided")}
    exact(size_for_margins(data["k0"], data["k1"], (data["rate1"], data["rate2"]), **rest), case)


@cases("plan_flack1988*")
def test_flack(case: dict[str, Any]) -> None:
    data = case["data"]
    exact(
        size_for_any_table(data["k0"], data["k1"], data["margins"], **{name: data[name] for name in ("alpha", "power", "two_sided")}), case
    )


@cases("plan_precision*")
def test_the_precision_of_one_code(case: dict[str, Any]) -> None:
    data = case["data"]
    needed = utterances_needed(
        data["prevalence"], kappa=data["kappa"], half_width=data["half_width"], confidence=data["conf"], design_effect=1
    )
    assert kappa_spread(data["prevalence"], data["kappa"]) == close(case["expected"]["Q"], case)
    assert needed == case["expected"]["n"]


# Published numbers


@pytest.mark.parametrize(
    ("kappa0", "kappa1", "share", "n"),
    [(0.4, 0.6, 0.5, 165), (0.4, 0.6, 0.3, 191), (0.4, 0.6, 0.1, 405), (0.4, 0.7, 0.5, 74), (0.4, 0.8, 0.5, 42), (0.6, 0.8, 0.5, 126),
     (0.0, 0.4, 0.5, 50)],
)  # fmt: skip
def test_sim_and_wright_2005(kappa0: float, kappa1: float, share: float, n: int) -> None:
    assert size_to_test(kappa0, kappa1, (share, 1 - share)).n == n


def test_numbers_in_the_help_of_r() -> None:
    """irr: N.cohen.kappa, with its kappas as they are swapped there, and N2.cohen.kappa; kappaSize: CIBinary."""
    assert size_for_margins(0.85, 0.70, (0.5, 0.5)).n == 96
    three, six = (0.2, 0.25, 0.55), (0.2, 0.05, 0.2, 0.05, 0.2, 0.3)
    assert [size_for_any_table(0.4, 0.6, three).n, size_for_any_table(0.4, 0.6, three, power=0.9).n] == [101, 136]
    assert size_for_any_table(0.1, 0.5, six).n == 18
    assert size_to_estimate(0.4, 0.3, 0.5, (0.3, 0.7)).n == 397


# Against other solvers

kappas = st.floats(0.05, 0.9)
rates = st.floats(0.05, 0.95)
codebook = st.lists(st.floats(0.05, 1), min_size=2, max_size=6).map(lambda parts: [part / sum(parts) for part in parts])


@given(kappas, kappas, codebook, st.floats(0.01, 0.2), st.floats(0.5, 0.99))
def test_the_size_has_the_power_by_the_noncentral_chi_square(a: float, b: float, shares: list[float], alpha: float, power: float) -> None:
    assume(abs(a - b) > 0.01)
    one, other = ([(1 - k) * p * p + k * p for p in shares] for k in (a, b))
    one, other = ([*cells, 1 - sum(cells)] for cells in (one, other))
    n = size_to_test(a, b, shares, alpha=alpha, power=power).exact
    noncentrality = n * sum((x - y) ** 2 / y for x, y in zip(other, one, strict=True))
    assert 1 - chndtr(critical(alpha), 1, noncentrality) == pytest.approx(power, abs=1e-6)


def critical(alpha: float) -> float:
    """What chi-square with one degree of freedom exceeds in `alpha` of all cases."""
    return NormalDist().inv_cdf(1 - alpha / 2) ** 2


@given(kappas, kappas, rates, st.integers(2, 6))
def test_with_several_annotators_it_does_not_matter_how_they_disagree(a: float, b: float, share: float, annotators: int) -> None:
    """kappaSize counts how many of the annotators give the code: a mixture of all alike and of each on their own."""
    assume(abs(a - b) > 0.01)

    def chances(kappa: float) -> np.ndarray:
        alone = np.array([comb(annotators, k) * share**k * (1 - share) ** (annotators - k) for k in range(annotators + 1)])
        return (1 - kappa) * alone + kappa * np.array([1 - share, *[0] * (annotators - 1), share])

    distance = ((chances(b) - chances(a)) ** 2 / chances(a)).sum()
    found = size_to_test(a, b, (share, 1 - share), annotators=annotators)
    assert found.exact * distance == pytest.approx(7.848861, rel=1e-6)


def largest(kappa: float, shares: list[float]) -> float | None:
    """The largest variance over all tables with these margins, by HiGHS."""
    k, pe = len(shares), sum(share**2 for share in shares)
    gain = [(float(i == j) - (1 - kappa) * (shares[i] + shares[j])) ** 2 for i in range(k) for j in range(k)]
    cells = np.arange(k * k).reshape(k, k)
    sums = [np.isin(np.arange(k * k), row) for row in (*cells, *cells.T, cells.diagonal())]
    found = linprog(-np.array(gain), A_eq=np.array(sums, dtype=float), b_eq=[*shares, *shares, kappa * (1 - pe) + pe])
    return (-found.fun - (kappa - pe * (1 - kappa)) ** 2) / (1 - pe) ** 2 if found.status == 0 else None


@given(st.floats(-0.2, 0.9), st.floats(-0.2, 0.9), codebook)
def test_the_worst_table_is_that_of_another_solver(kappa0: float, kappa1: float, shares: list[float]) -> None:
    assume(abs(kappa0 - kappa1) > 0.05)
    spreads = [largest(kappa, shares) for kappa in (kappa0, kappa1)]
    if None in spreads:
        with pytest.raises(BadInput, match="cannot be with codes used in shares of"):
            size_for_any_table(kappa0, kappa1, shares)
        return
    wanted = ((1.6448536269514722 * spreads[0] ** 0.5 + 0.8416212335729143 * spreads[1] ** 0.5) / (kappa1 - kappa0)) ** 2
    assert size_for_any_table(kappa0, kappa1, shares).exact == pytest.approx(wanted, rel=1e-6)


@given(kappas, kappas, rates, st.booleans())
def test_with_two_codes_there_is_only_one_table(a: float, b: float, share: float, two_sided: bool) -> None:
    assume(abs(a - b) > 0.01)
    any_table = size_for_any_table(a, b, [share, 1 - share], two_sided=two_sided)
    assert any_table.exact == pytest.approx(size_for_margins(a, b, (share, share), two_sided=two_sided).exact, rel=1e-6)


# What must always hold


@given(kappas, kappas, rates)
def test_a_code_and_its_absence_need_the_same(a: float, b: float, share: float) -> None:
    assume(abs(a - b) > 0.01)
    assert size_to_test(a, b, (share, 1 - share)).exact == pytest.approx(size_to_test(a, b, (1 - share, share)).exact)
    assert size_for_margins(a, b, (share, share)).exact == pytest.approx(size_for_margins(a, b, (1 - share, 1 - share)).exact, rel=1e-6)


@given(kappas, st.floats(0.02, 0.3), codebook, st.integers(2, 5))
def test_more_power_nearer_kappas_and_fewer_annotators_need_more(kappa: float, away: float, shares: list[float], annotators: int) -> None:
    assume(kappa + away < 0.95)
    size = size_to_test(kappa, kappa + away, shares, annotators=annotators).exact
    assert size_to_test(kappa, kappa + away, shares, annotators=annotators, power=0.9).exact > size
    assert size_to_test(kappa, kappa + away / 2, shares, annotators=annotators).exact > size
    assert size_to_test(kappa, kappa + away, shares, annotators=annotators + 1).exact < size


@given(kappas, st.floats(0.03, 0.3), rates)
def test_the_interval_size_is_the_inverse_of_the_interval(kappa: float, away: float, share: float) -> None:
    low, high = kappa - away, kappa + away
    assume(high < 0.99 and low > -share / (1 - share) and low > -(1 - share) / share and low > -0.5)
    n = size_to_estimate(kappa, low, high, (share, 1 - share)).exact
    found = goodness_of_fit(n, used=2 * n * share, differ=2 * n * share * (1 - share) * (1 - kappa))
    assert found[0] >= low - 1e-6
    assert found[1] <= high + 1e-6
    assert min(abs(found[0] - low), abs(found[1] - high)) < 1e-6


def test_an_interval_without_an_upper_limit_is_one_sided() -> None:
    one, two = size_to_estimate(0.4, 0.3, None, (0.3, 0.7)), size_to_estimate(0.4, 0.3, 1.0, (0.3, 0.7))
    assert one.exact / two.exact == pytest.approx((1.6448536269514722 / 1.959963984540054) ** 2)


@given(codebook.filter(lambda shares: len(shares) > 2), kappas, kappas)
def test_no_table_needs_more_than_the_worst(shares: list[float], a: float, b: float) -> None:
    """The table of two annotators who fall back on chance where they do not know has its own errors, never larger ones."""
    assume(abs(a - b) > 0.01)
    spread = [
        standard_errors(table_of([[(1 - k) * p * q + k * p * (i == j) for j, q in enumerate(shares)] for i, p in enumerate(shares)])).se
        for k in (a, b)
    ]
    own = ((1.6448536269514722 * spread[0] + 0.8416212335729143 * spread[1]) / (b - a)) ** 2
    assert size_for_any_table(a, b, shares).exact >= own * (1 - 1e-9)


@pytest.mark.parametrize("share", [0.5, 0.3, 0.1])
def test_with_so_many_utterances_the_interval_leaves_the_hypothesis_out_eight_times_in_ten(share: float) -> None:
    draw, pq = np.random.default_rng(3), share * (1 - share)
    n = size_to_test(0.4, 0.6, (share, 1 - share)).n
    cells = [share**2 + 0.6 * pq, 2 * pq * 0.4, (1 - share) ** 2 + 0.6 * pq]
    found = [goodness_of_fit(n, 2 * both + differ, differ)[0] for both, differ, _ in draw.multinomial(n, cells, 2000).tolist()]
    assert np.mean(np.array(found) > 0.4) == pytest.approx(0.80, abs=0.03)


# What cannot be planned


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda: size_to_test(0.4, 0.4, (0.5, 0.5)), "Both kappas are the same"),
        (lambda: size_for_any_table(0.4, 0.4, (0.5, 0.5)), "Both kappas are the same"),
        (lambda: size_to_test(0.4, 0.6, (0.5, 0.4)), "let them sum to 1"),
        (lambda: size_for_any_table(0.4, 0.6, (1.0, 0.0)), "let them sum to 1"),
        (lambda: size_to_test(-0.9, 0.6, (0.1, 0.9)), "A kappa of -0.9 cannot be with codes used in shares of 0.1, 0.9"),
        (lambda: size_to_test(0.4, 1.0, (0.5, 0.5)), "A kappa of 1.0 cannot be"),
        (lambda: size_to_test(0.4, 0.6, (0.5, 0.5), power=1.0), "give both between 0 and 1"),
        (lambda: size_to_estimate(0.4, 0.5, 0.6, (0.5, 0.5)), "not between 0.5 and 0.6"),
        (lambda: size_for_margins(0.4, 0.95, (0.1, 0.5)), "cannot be where two annotators use a code at rates of 0.1 and 0.5"),
        (lambda: size_for_any_table(-0.9, 0.3, (0.3, 0.3, 0.4)), "cannot be with codes used in shares of"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_a_sentence(asked: Any, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        asked()
