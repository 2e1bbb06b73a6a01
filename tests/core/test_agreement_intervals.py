"""How sure a kappa is: errors of Fleiss, Cohen and Everitt, clustered ones, the bootstrap, rare codes; and how often intervals hold."""

from collections import Counter
from math import sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.special import stdtrit
from statsmodels.stats.inter_rater import cohens_kappa

from annotator import bootstrap, cells_of, cluster_errors, cohen_kappa, goodness_of_fit, jackknife_error, standard_errors
from annotator.core.agreement import Judgement, agreement
from annotator.core.agreement.codes import code_figures
from annotator.core.agreement.counts import Cells, gather, pairs_of
from annotator.core.agreement.intervals import errors_of_codes, kappa_of, uses_of
from annotator.core.agreement.resampling import bootstrap_codes
from annotator.core.agreement.student import t_quantile

Draw = np.random.Generator
CODES = [frozenset({f"c{at}"}) for at in range(20)]
label = st.sampled_from(CODES[:3])
conversation = st.dictionaries(st.tuples(label, label), st.integers(1, 9), min_size=1, max_size=5)
study = st.lists(conversation, min_size=2, max_size=8)


def cells(conversations: list[Any]) -> Cells:
    return cells_of(conversations)


def total(conversations: list[Any]) -> Counter[Any]:
    found: Counter[Any] = Counter()
    for one in conversations:
        found.update(one)
    return found


def simulated(draw: Draw, conversations: int, utterances: int, alike: tuple[float, float] | None = (8, 2), n_codes: int = 20) -> Cells:
    """Two annotators of whom B agrees with A by a chance that is each conversation's own, Beta(alike), else labels at random."""
    at = np.repeat(np.arange(conversations), utterances)
    a, other = draw.integers(0, n_codes, (2, len(at)))
    agree = draw.beta(*alike, conversations)[at] if alike else 0.8
    b = np.where(draw.random(len(at)) < agree, a, other)
    return Cells(tuple(CODES[:n_codes]), at, a, b, np.ones(len(at), dtype=np.int64))


# Errors


@given(st.lists(st.integers(0, 30), min_size=9, max_size=9))
def test_errors_are_those_of_statsmodels(counts: list[int]) -> None:
    rows = np.array(counts, dtype=float).reshape(3, 3)
    table = {(a, b): int(rows[a, b]) for a in range(3) for b in range(3)}
    found = standard_errors(table)
    assume(found.se0)
    wanted = cohens_kappa(rows)
    assert [found.se, found.se0] == pytest.approx([np.sqrt(max(wanted.var_kappa, 0)), wanted.std_kappa0], abs=1e-7)


@given(study)
def test_the_unclustered_error_is_that_of_the_table(conversations: list[Any]) -> None:
    assert cluster_errors([cells(conversations)]).se_iid == pytest.approx(standard_errors(total(conversations)).se, abs=1e-7)


@given(study)
def test_all_data_twice_keeps_kappa_and_divides_the_unclustered_error_by_the_root_of_two(conversations: list[Any]) -> None:
    once, twice = cells(conversations), cells([{pair: 2 * n for pair, n in one.items()} for one in conversations])
    assert kappa_of([once]).kappa == kappa_of([twice]).kappa
    a, b = cluster_errors([once]), cluster_errors([twice])
    assert a.se == pytest.approx(b.se, abs=1e-9)  # as many conversations as before tell as much
    if a.se_iid is not None:
        assert a.se_iid == pytest.approx(b.se_iid * sqrt(2), abs=1e-9)


@given(study)
def test_the_errors_of_a_code_are_those_of_its_own_table(conversations: list[Any]) -> None:
    """Also where one annotator uses it more than the other."""
    found = errors_of_codes(uses_of(cells(conversations), len(conversations)))
    for code, errors in found.items():
        of_code: list[Counter[Any]] = [Counter() for _ in conversations]
        for counts, table in zip(of_code, conversations, strict=True):
            for (a, b), n in table.items():
                counts[frozenset(a & {code}), frozenset(b & {code})] += n
        wanted = cluster_errors([cells(of_code)])
        assert [errors.se, errors.se_iid] == pytest.approx([wanted.se, wanted.se_iid], abs=1e-9)


@given(study)
def test_one_part_is_a_stratum_of_its_own(conversations: list[Any]) -> None:
    part = cells(conversations)
    nothing = Cells(part.labels, *(np.empty(0, dtype=np.int64) for _ in range(4)))
    assert cluster_errors([part, nothing]).se == pytest.approx(cluster_errors([part]).se, abs=1e-12)


@given(study, st.randoms(use_true_random=False))
def test_names_of_codes_and_of_annotators_and_order_change_no_error(conversations: list[Any], random: Any) -> None:
    other = dict(zip(CODES[:3], random.sample(CODES, 3), strict=True))
    changed = [{(other[b], other[a]): n for (a, b), n in one.items()} for one in conversations]
    random.shuffle(changed)
    a, b = cluster_errors([cells(conversations)]), cluster_errors([cells(changed)])
    assert [a.se, a.se_iid] == pytest.approx([b.se, b.se_iid], abs=1e-9)


def test_utterances_one_by_one_are_clusters_of_one() -> None:
    part = simulated(np.random.default_rng(5), 400, 1, None)
    found = cluster_errors([part])
    assert found.design_effect == pytest.approx(400 / 399)


@pytest.mark.parametrize("parts", [1, 2])
def test_linearised_left_out_and_drawn_errors_agree(parts: int) -> None:
    draw = np.random.default_rng(11)
    study = [simulated(draw, 60, 15) for _ in range(parts)]
    linear, left_out, drawn = cluster_errors(study), jackknife_error(study), bootstrap(study, 4000)
    assert left_out == pytest.approx(linear.se, rel=0.05)
    assert drawn.se == pytest.approx(linear.se, rel=0.1)
    assert drawn.ci95 == pytest.approx(linear.ci95, abs=0.02)
    assert linear.se > 1.2 * linear.se_iid


def test_codes_drawn_and_linearised_agree() -> None:
    part = simulated(np.random.default_rng(4), 80, 30, n_codes=5)
    drawn = bootstrap_codes(uses_of(part, 80), 4000)
    for code, values in code_figures(part, 80).figures.items():
        assert values["interval"] == "linearised"
        assert drawn[code].se == pytest.approx(values["se"], rel=0.1)


def test_the_bootstrap_is_its_seed() -> None:
    part = simulated(np.random.default_rng(2), 12, 10)
    assert bootstrap([part], 200, 7) == bootstrap([part], 200, 7) != bootstrap([part], 200, 8)


def test_one_conversation_has_no_clustered_error_and_few_have_a_bootstrap_beside() -> None:
    def told(part: Cells) -> dict[str, Any]:
        rows = zip(part.conversation.tolist(), part.a.tolist(), part.b.tolist(), strict=True)
        said = [
            Judgement(who, f"c{g}", str(at), "Seeker", CODES[code])
            for at, (g, *codes) in enumerate(rows) for who, code in zip("ab", codes, strict=True)
        ]  # fmt: skip
        return dict(agreement(said)["pairs"][0]["stratified"])

    one, few, many = (told(simulated(np.random.default_rng(3), n, 20)) for n in (1, 12, 30))
    assert (one["se"], one["ci95"], one["design_effect"], one["bootstrap"]) == (None, None, None, None)
    assert one["se_iid"] > 0
    assert one["undefined"]["ci95"].startswith("all pairs are of one conversation")
    assert few["bootstrap"]["se"] == pytest.approx(few["se"], rel=0.25)
    assert many["bootstrap"] is None
    assert "only when asked for" in many["undefined"]["bootstrap"]


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_quantiles_of_t_are_those_of_scipy(confidence: float) -> None:
    for df in (*range(1, 210), 1_000, 100_000):
        assert t_quantile(df, confidence) == pytest.approx(stdtrit(df, (1 + confidence) / 2), rel=1e-8)


# Rare codes


def test_a_rare_code_has_another_interval_than_a_frequent_one() -> None:
    draw = np.random.default_rng(6)
    part = simulated(draw, 40, 30, n_codes=20)
    rare = Cells(part.labels, part.conversation, np.where(part.a < 15, 0, part.a), np.where(part.b < 15, 0, part.b), part.n)
    thin = Cells(rare.labels, rare.conversation[:300], rare.a[:300], rare.b[:300], rare.n[:300])
    found = code_figures(thin, 40).figures
    assert {values["interval"] for values in found.values()} == {"goodness of fit", "linearised"}
    for values in found.values():
        assert -1 <= values["ci95"][0] < values["kappa"] < values["ci95"][1] <= 1
        assert values["few"] == (values["n_a"] + values["n_b"] < 20)


@given(st.integers(30, 400), st.integers(1, 19), st.integers(0, 10))
def test_a_larger_design_effect_widens_the_interval(n: int, both: int, differ: int) -> None:
    low, high = goodness_of_fit(n, 2 * both + differ, differ)
    lower, higher = goodness_of_fit(n, 2 * both + differ, differ, design_effect=2)
    assert -1 <= lower <= low <= high <= higher <= 1
    assert low - 1e-9 <= 1 - differ / (2 * n * (p := (2 * both + differ) / (2 * n)) * (1 - p)) <= high + 1e-9


@given(st.integers(30, 400), st.integers(1, 19), st.integers(0, 10), st.floats(1, 4))
def test_at_its_limits_the_counts_are_just_as_far_as_allowed(n: int, both: int, differ: int, design_effect: float) -> None:
    p = (2 * both + differ) / (2 * n)
    for kappa in goodness_of_fit(n, 2 * both + differ, differ, design_effect):
        apart = (1 - kappa) * p * (1 - p)
        expected = np.array([p - apart, 2 * apart, 1 - p - apart]) * n
        if (expected > 1e-6).all():
            distance = ((np.array([both, differ, n - both - differ]) - expected) ** 2 / expected).sum()
            assert distance == pytest.approx(3.841458820694124 * design_effect, rel=1e-4)


def test_a_code_nobody_or_everybody_used_has_no_interval() -> None:
    assert goodness_of_fit(0, 0, 0) is goodness_of_fit(50, 0, 0) is goodness_of_fit(50, 100, 0) is None


def test_the_interval_of_a_rare_code_holds_where_kappa_and_its_error_do_not() -> None:
    draw, n, p, kappa = np.random.default_rng(1), 200, 0.02, 0.8
    pq = p * (1 - p)
    held = Counter[str]()
    for both, differ, _ in draw.multinomial(n, [p * p + kappa * pq, 2 * pq * (1 - kappa), (1 - p) ** 2 + kappa * pq], 2000).tolist():
        limits = goodness_of_fit(n, 2 * both + differ, differ)
        only_a = int(draw.binomial(differ, 0.5))
        table = {(1, 1): both, (1, 0): only_a, (0, 1): differ - only_a, (0, 0): n - both - differ}
        found, error = cohen_kappa(table), standard_errors(table).se
        if found.kappa is None or limits is None:
            continue
        held.update(drawn=1, fit=limits[0] <= kappa <= limits[1], plain=abs(found.kappa - kappa) <= 1.96 * error)
    assert held["fit"] / held["drawn"] >= 0.92
    assert held["plain"] / held["drawn"] <= 0.82


# How often intervals hold


def test_clustered_intervals_hold_where_naive_ones_do_not() -> None:
    """60 conversations of 35 utterances, 20 codes, agreement of a conversation Beta(8, 2): kappa is .8 over all such studies."""
    draw, held = np.random.default_rng(2026), Counter[str]()
    for _ in range(400):
        part = simulated(draw, 60, 35)
        kappa, errors = kappa_of([part]).kappa, cluster_errors([part])
        held["clustered"] += errors.ci95[0] <= 0.8 <= errors.ci95[1]
        held["naive"] += abs(kappa - 0.8) <= 1.96 * errors.se_iid
    assert held["clustered"] / 400 >= 0.90
    assert held["naive"] / 400 <= 0.75


def test_very_many_labels_are_counted_alike() -> None:
    part = simulated(np.random.default_rng(8), 20, 9)
    many = Cells((*part.labels, *(frozenset({f"d{at}"}) for at in range(2000))), part.conversation, part.a, part.b, part.n)
    assert many.table() == part.table()


def test_nothing_is_lost_between_judgements_and_cells() -> None:
    part = simulated(np.random.default_rng(8), 20, 9)
    rows = list(zip(part.conversation.tolist(), part.a.tolist(), part.b.tolist(), strict=True))
    said = [Judgement("ab"[who], f"c{g}", f"u{at}", "Seeker", CODES[codes[who]]) for at, (g, *codes) in enumerate(rows) for who in (0, 1)]
    found = pairs_of(gather(said))["a", "b"]["Seeker"]
    assert found.table() == part.table()
    assert cluster_errors([found]).se == pytest.approx(cluster_errors([part]).se)
