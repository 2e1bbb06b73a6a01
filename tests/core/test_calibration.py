"""Calibration: bins and scores by hand, scikit-learn as an oracle, what holds for any confidences, and the picture."""

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss, roc_auc_score

from annotator.core.calibration import auroc, brier, ece, probability, reliability, simplify, summary, wilson
from annotator.core.reliability_svg import reliability_svg
from annotator.errors import BadInput

share = st.floats(0, 1)
observations = st.lists(st.tuples(share, st.booleans()), min_size=1, max_size=60)
rising = st.lists(share, min_size=1, max_size=12, unique=True).map(sorted)


@st.composite
def knots(draw: st.DrawFn) -> list[list[float]]:
    """Any mapping an isotonic fit may give."""
    stated = draw(rising)
    return [list(knot) for knot in zip(stated, sorted(draw(st.lists(share, min_size=len(stated), max_size=len(stated)))), strict=True)]


def test_bins_by_hand() -> None:
    bins = reliability([(0.0, False), (0.1, True), (0.95, True), (1.0, True), (1.0, False)])
    assert [one["n"] for one in bins] == [2, 0, 0, 0, 0, 0, 0, 0, 0, 3]
    assert (bins[0]["stated"], bins[0]["share"]) == (0.05, 0.5)
    assert (bins[1]["stated"], bins[1]["share"], bins[1]["ci95"]) == (None, None, None)
    # 2/5 · |0.05 − 0.5| + 3/5 · |2.95/3 − 2/3|
    assert ece(bins) == pytest.approx(0.4 * 0.45 + 0.6 * (2.95 / 3 - 2 / 3))


def test_an_edge_belongs_to_the_bin_below_it() -> None:
    at = [next(i for i, one in enumerate(reliability([(value, True)])) if one["n"]) for value in (0.1, 0.2, 0.3, 0.6, 0.7, 0.9)]
    assert at == [0, 1, 2, 5, 6, 8]


def test_wilsons_interval_is_the_published_one() -> None:
    # Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3
    for hits, n, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)):
        assert wilson(hits, n) == pytest.approx((low, high), abs=5e-5)


def test_scores_by_hand() -> None:
    seen = [(0.9, True), (0.9, False), (0.4, True), (0.1, False)]
    assert brier(seen) == pytest.approx((0.01 + 0.81 + 0.36 + 0.01) / 4)
    # pairs (hit, miss): 0.9 ties 0.9, 0.9 > 0.1, 0.4 < 0.9, 0.4 > 0.1
    assert auroc(seen) == 2.5 / 4


def test_what_nothing_can_say_is_undefined_with_its_reason() -> None:
    assert (brier([]), ece(reliability([])), auroc([]), wilson(0, 0)) == (None, None, None, None)
    assert summary([(0.5, True)] * 3, [(1.0, True)] * 3)["undefined"] == {"auroc": "all 3 are hits"}
    assert summary([(0.5, False)] * 3, [(0.0, False)] * 3)["undefined"] == {"auroc": "all 3 are misses"}
    assert set(summary([], [])["undefined"].values()) == {"there are no observations"}


@given(observations)
def test_scikit_learn_finds_the_same_scores(seen: list[tuple[float, bool]]) -> None:
    stated, hits = [one for one, _ in seen], [hit for _, hit in seen]
    assert brier(seen) == pytest.approx(brier_score_loss(hits, stated, pos_label=True))
    found = auroc(seen)
    if len(set(hits)) == 1:
        assert found is None
    else:
        assert found == pytest.approx(roc_auc_score(hits, stated))


@given(observations)
def test_scikit_learn_finds_the_same_bins(seen: list[tuple[float, bool]]) -> None:
    # scikit-learn puts 0.3 above numpy's 0.30000000000000004; here 3/10 is the edge
    assume(all(abs(stated * 10 - round(stated * 10)) > 1e-9 or stated in (0, 1) for stated, _ in seen))
    bins = [one for one in reliability(seen) if one["n"]]
    shares, means = calibration_curve([hit for _, hit in seen], [stated for stated, _ in seen], n_bins=10, pos_label=True)
    assert [one["share"] for one in bins] == pytest.approx(list(shares))
    assert [one["stated"] for one in bins] == pytest.approx(list(means))


@given(observations)
def test_figures_stay_in_their_ranges(seen: list[tuple[float, bool]]) -> None:
    bins = reliability(seen)
    assert sum(one["n"] for one in bins) == len(seen)
    assert 0 <= (ece(bins) or 0) <= 1
    assert all(one["ci95"][0] <= one["share"] + 1e-12 and one["share"] - 1e-12 <= one["ci95"][1] for one in bins if one["n"])


@given(knots(), share, share)
def test_a_probability_rises_with_what_is_stated_and_is_one(mapping: list[list[float]], one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= probability(mapping, low) <= probability(mapping, high) + 1e-12 <= 1 + 1e-12


@given(knots(), share)
def test_simpler_knots_map_the_same(mapping: list[list[float]], stated: float) -> None:
    # between knots closer than this the slope is beyond what floats can hold
    assume(all(later[0] - earlier[0] > 1e-3 for earlier, later in pairwise(mapping)))
    simple = simplify(mapping)
    assert len(simple) <= len(mapping)
    assert probability(simple, stated) == pytest.approx(probability(mapping, stated), abs=1e-6)


@given(observations)
def test_the_knots_of_a_fit_map_as_scikit_learn_predicts(seen: list[tuple[float, bool]]) -> None:
    seen = [(round(stated, 3), hit) for stated, hit in seen]
    model = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit([one for one, _ in seen], [float(hit) for _, hit in seen])
    mapping = simplify(list(zip(model.X_thresholds_.tolist(), model.y_thresholds_.tolist(), strict=True)))
    grid = np.linspace(0, 1, 41)
    assert [probability(mapping, float(stated)) for stated in grid] == pytest.approx(list(model.predict(grid)), abs=1e-6)


def test_no_knots_are_a_sentence() -> None:
    with pytest.raises(BadInput, match="without knots"):
        probability([], 0.5)


# The picture

BEFORE = reliability([(0.9, True)] * 30 + [(0.9, False)] * 30 + [(0.2, False)] * 5)
AFTER = reliability([(0.5, True)] * 30 + [(0.5, False)] * 35)


def test_the_picture_is_xml_with_a_point_and_a_whisker_per_bin() -> None:
    root = ET.fromstring(reliability_svg(BEFORE, AFTER))
    inside = [element.tag.rpartition("}")[2] for element in root.iter()]
    assert inside.count("circle") == 3 + 2  # bins, legend
    titles = [element.text or "" for element in root.iter() if element.tag.endswith("title")]
    assert titles[1].startswith("5 as stated with 0.200") and titles[2].startswith("60 as stated with 0.900 in the mean: 0.500 right")
    first, second = root[0], root[1]
    assert (first.tag.rpartition("}")[2], second.tag.rpartition("}")[2], root.get("role")) == ("title", "desc", "img")
    assert "0.90 was right 0.50 of 60" in (second.text or "")


def test_the_picture_needs_nothing_that_a_strict_policy_forbids() -> None:
    picture = reliability_svg(BEFORE, AFTER)
    assert re.findall(r"<style|style=|<script|href|\son\w+=|url\(|&#|#[0-9a-f]{3}", picture) == []
    assert "currentColor" in picture


def test_an_empty_bin_draws_nothing() -> None:
    assert "no observations" in reliability_svg(reliability([]), [])
