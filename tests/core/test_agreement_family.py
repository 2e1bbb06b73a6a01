"""What holds of the family for any labels: several annotators, sets, weights, categories; with public libraries as oracles."""

from collections import Counter
from typing import Any

import krippendorff
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from statsmodels.stats import inter_rater

import annotator as an
from annotator.core.agreement.counts import Cells, cells_of
from annotator.core.agreement.report import Wanted, pair_figures
from annotator.core.agreement.several import alphas_over_sets, set_distances

CATEGORY = {"a": "x", "b": "x", "c": "y", "d": "y"}
code = st.sampled_from("abcd")
pairs = st.lists(st.tuples(code, code), min_size=1, max_size=30)
label_set = st.frozensets(code, max_size=3)
set_pairs = st.lists(st.tuples(label_set, label_set), min_size=1, max_size=30)
ratings = st.integers(1, 12).flatmap(lambda n: st.lists(st.lists(st.none() | code, min_size=n, max_size=n), min_size=2, max_size=5))


def figures(pairs: list[Any]) -> dict[str, Any]:
    """All of the family of a table, by name."""
    table = Counter(pairs)
    family = (an.cohen_kappa, an.scott_pi, an.alpha, an.kappa_max)
    return {one.__name__: one(table).kappa for one in family} | {one.__name__: one(table, 4).kappa for one in (an.bennett_s, an.gwet_ac1)}


def rounded(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value and round(value, 9) for name, value in found.items()}


# Two annotators


@given(pairs)
def test_the_family_does_not_ask_who_is_first(rows: list[Any]) -> None:
    assert rounded(figures(rows)) == rounded(figures([(b, a) for a, b in rows]))


@given(pairs, st.permutations("abcd"), st.randoms(use_true_random=False))
def test_the_family_does_not_read_names_or_order(rows: list[Any], names: list[str], random: Any) -> None:
    other = dict(zip("abcd", names, strict=True))
    changed = [(other[a], other[b]) for a, b in rows]
    random.shuffle(changed)
    assert rounded(figures(rows)) == rounded(figures(changed))


@given(st.lists(code, min_size=2, max_size=20))
def test_the_same_labels_agree_fully_where_two_codes_are_in_use(labels: list[str]) -> None:
    found = figures([(one, one) for one in labels])
    assert set(found.values()) == ({1.0} if len(set(labels)) > 1 else {1.0, None})
    assert (found["cohen_kappa"] is None) == (len(set(labels)) == 1)


@given(pairs)
def test_pi_is_never_above_kappa_and_kappa_never_above_its_largest(rows: list[Any]) -> None:
    found = figures(rows)
    assume(found["cohen_kappa"] is not None)
    assert found["scott_pi"] - 1e-9 <= found["cohen_kappa"] <= found["kappa_max"] + 1e-9


@given(pairs)
def test_alpha_is_pi_for_small_samples(rows: list[Any]) -> None:
    found, n = figures(rows), len(rows)
    assume(found["scott_pi"] is not None)
    assert found["alpha"] == pytest.approx(1 - (1 - found["scott_pi"]) * (2 * n - 1) / (2 * n))
    assert found["scott_pi"] == pytest.approx(an.fleiss_kappa(an.units_of_ratings(list(zip(*rows, strict=True)))).kappa)


@given(pairs)
def test_codes_nobody_uses_change_s_and_ac1_only(rows: list[Any]) -> None:
    table, larger = Counter(rows), Counter(rows) + Counter({("a", "a"): 1})
    assert an.bennett_s(table, 4).kappa <= an.bennett_s(table, 9).kappa
    assert an.gwet_ac1(table, 4).kappa <= an.gwet_ac1(table, 9).kappa + 1e-9
    assert an.cohen_kappa({("z", "z"): 0, **larger}).kappa == an.cohen_kappa(larger).kappa


# Weights and categories


@given(pairs)
def test_weights_of_one_and_nothing_are_no_weights(rows: list[Any]) -> None:
    table = Counter(rows)
    plain, weighted = an.cohen_kappa(table), an.weighted_kappa(table)
    apart = an.weighted_kappa(table, an.category_weight(CATEGORY, near=0))
    assert [weighted.kappa, apart.kappa] == ([None] * 2 if plain.kappa is None else pytest.approx([plain.kappa] * 2, abs=1e-9))


@given(pairs)
def test_a_near_code_that_counts_fully_gives_the_kappa_of_categories(rows: list[Any]) -> None:
    found = an.weighted_kappa(Counter(rows), an.category_weight(CATEGORY, near=1)).kappa
    coarse = an.cohen_kappa(Counter((CATEGORY[a], CATEGORY[b]) for a, b in rows)).kappa
    assert found == (None if coarse is None else pytest.approx(coarse, abs=1e-9))


@given(st.lists(st.integers(0, 20), min_size=9, max_size=9), st.sampled_from([1, 2]))
def test_weighted_kappa_is_that_of_statsmodels(counts: list[int], power: int) -> None:
    table = an.table_of(np.array(counts).reshape(3, 3).tolist())
    found, errors = (function(table, an.ordered_weight(range(3), power)) for function in (an.weighted_kappa, an.standard_errors))
    assume(errors.se0)
    wanted = inter_rater.cohens_kappa(np.array(counts, dtype=float).reshape(3, 3), wt="linear" if power == 1 else "quadratic")
    assert [found.kappa, errors.se, errors.se0] == pytest.approx([wanted.kappa, wanted.std_kappa, wanted.std_kappa0], abs=1e-6)


# Several annotators


@given(ratings)
def test_alpha_is_that_of_the_krippendorff_package(rows: list[list[str | None]]) -> None:
    found = an.krippendorff_alpha(an.units_of_ratings(rows)).kappa
    pairable = [column for column in zip(*rows, strict=True) if sum(one is not None for one in column) > 1]
    if len({one for column in pairable for one in column if one is not None}) < 2:
        assert found is None
        return
    numbers = [[np.nan if one is None else float("abcd".index(one)) for one in row] for row in rows]
    assert found == pytest.approx(krippendorff.alpha(numbers, level_of_measurement="nominal"), abs=1e-9)


@given(st.integers(2, 4).flatmap(lambda m: st.lists(st.lists(code, min_size=m, max_size=m), min_size=1, max_size=15)))
def test_fleiss_kappa_is_that_of_statsmodels(units: list[list[str]]) -> None:
    found = an.units_of_ratings(list(zip(*units, strict=True)))
    kappa = an.fleiss_kappa(found).kappa
    assume(kappa is not None)
    counts = np.array([[unit.count(one) for one in "abcd"] for unit in units])
    assert kappa == pytest.approx(inter_rater.fleiss_kappa(counts), abs=1e-9)
    assert an.randolph_kappa(found, 4).kappa == pytest.approx(inter_rater.fleiss_kappa(counts, method="randolph"), abs=1e-9)


@given(ratings, st.randoms(use_true_random=False))
def test_it_does_not_matter_which_annotator_gave_which_label(rows: list[list[str | None]], random: Any) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    for column in columns:
        random.shuffle(column)
    before, after = an.units_of_ratings(rows), an.units_of_ratings(list(zip(*columns, strict=True)))
    for figure in (an.krippendorff_alpha, an.fleiss_kappa, an.gwet_ac1_of_several):
        assert figure(before).kappa == pytest.approx(figure(after).kappa, abs=1e-9)


# Sets


@given(label_set, label_set)
def test_distances_are_symmetric_and_within_bounds(a: frozenset[str], b: frozenset[str]) -> None:
    for distance in (an.jaccard_distance, an.masi_distance):
        assert 0 <= distance(a, b) == distance(b, a) <= 1
        assert (distance(a, b) == 0) == (a == b)
    assert an.jaccard_distance(a, b) <= an.masi_distance(a, b) + 1e-9


@given(st.lists(label_set, min_size=1, max_size=8, unique=True))
def test_distances_all_at_once_are_those_one_by_one(labels: list[frozenset[str]]) -> None:
    found = set_distances(labels)
    assert found["jaccard"] == pytest.approx(np.array([[an.jaccard_distance(a, b) for b in labels] for a in labels]))
    assert found["masi"] == pytest.approx(np.array([[an.masi_distance(a, b) for b in labels] for a in labels]))


@given(set_pairs)
def test_alpha_over_sets_of_a_pair_is_that_of_two_annotators(rows: list[Any]) -> None:
    units = an.units_of_ratings(list(zip(*rows, strict=True)))
    for found in (alphas_over_sets(cells_of([Counter(rows)])), alphas_over_sets(units)):
        assert found["masi"].kappa == pytest.approx(an.krippendorff_alpha(units, an.masi_distance).kappa, abs=1e-9)
        assert found["jaccard"].kappa == pytest.approx(an.krippendorff_alpha(units, an.jaccard_distance).kappa, abs=1e-9)


@given(pairs)
def test_of_single_codes_every_alpha_is_the_nominal_one(rows: list[Any]) -> None:
    table = Counter((frozenset(a), frozenset(b)) for a, b in rows)
    assume(len({one for pair in rows for one in pair}) > 1)
    found = alphas_over_sets(cells_of([table]))
    assert [found["jaccard"].kappa, found["masi"].kappa] == pytest.approx([an.alpha(table).kappa] * 2)


# Roles


@given(set_pairs, set_pairs)
def test_every_stratified_figure_lies_between_those_of_the_roles(one: list[Any], other: list[Any]) -> None:
    found = pair_figures({"A": alone(one), "B": alone(other)}, Wanted())
    for name in ("po", "pe", "kappa", "kappa_max", "pi", "s", "ac1", "alpha", "alpha_masi", "alpha_jaccard", "mean_jaccard"):
        values = [block[name] for block in found["roles"].values() if block[name] is not None]
        if len(values) == 2:
            assert min(values) - 1e-9 <= found["stratified"][name] <= max(values) + 1e-9, name


def alone(rows: list[Any]) -> Cells:
    """Pairs in three conversations."""
    return cells_of([Counter(rows[at::3]) for at in range(3)])
