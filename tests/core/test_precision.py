"""How many doubly labelled utterances kappa needs: published numbers, shape, and the formula against simulation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.core.precision import DESIGN_EFFECT, kappa_spread, utterances_needed


def needed(prevalence: float, kappa: float, **changed: float) -> int:
    return utterances_needed(prevalence, **{"kappa": kappa, "half_width": 0.1, "confidence": 0.95, "design_effect": 1.0, **changed})


@pytest.mark.parametrize(
    ("kappa", "numbers"),
    [
        (0.8, {0.5: 139, 0.2: 222, 0.1: 401, 0.05: 768, 0.02: 1873, 0.01: 3716}),
        (0.6, {0.5: 246, 0.2: 392, 0.1: 705, 0.05: 1347, 0.02: 3281, 0.01: 6507}),
    ],
)
def test_the_table_for_one_code_against_the_rest(kappa: float, numbers: dict[float, int]) -> None:
    assert {prevalence: needed(prevalence, kappa) for prevalence in numbers} == numbers


@pytest.mark.parametrize(("prevalence", "number"), [(0.21, 212), (0.115, 354), (0.049, 781), (0.015, 2482), (0.008, 4636)])
def test_codes_of_a_real_corpus(prevalence: float, number: int) -> None:
    assert needed(prevalence, 0.8) == pytest.approx(number, rel=0.01)


@given(st.floats(0.001, 0.999), st.floats(0.0, 0.99))
def test_a_code_and_its_absence_need_the_same(prevalence: float, kappa: float) -> None:
    assert kappa_spread(prevalence, kappa) == pytest.approx(kappa_spread(1 - prevalence, kappa), rel=1e-6)


@given(st.floats(0.001, 0.49), st.floats(0.05, 0.95))
def test_rarer_codes_and_lower_agreement_need_more(prevalence: float, kappa: float) -> None:
    assert kappa_spread(prevalence / 2, kappa) > kappa_spread(prevalence, kappa) > 0


def test_full_agreement_has_no_spread_and_needs_nothing() -> None:
    assert kappa_spread(0.3, 1.0) == pytest.approx(0, abs=1e-12)
    assert needed(0.3, 1.0) == 0


def test_the_design_effect_multiplies_and_is_two_unless_said() -> None:
    assert DESIGN_EFFECT == 2.0
    assert utterances_needed(0.1, kappa=0.8, half_width=0.1, confidence=0.95) == needed(0.1, 0.8, design_effect=2.0) == 802
    assert needed(0.1, 0.8, half_width=0.05) == pytest.approx(4 * needed(0.1, 0.8), abs=4)


@pytest.mark.parametrize("prevalence", [0.0, 1.0])
def test_a_code_that_nobody_or_everybody_has_has_no_kappa(prevalence: float) -> None:
    with pytest.raises(ZeroDivisionError):
        kappa_spread(prevalence, 0.8)
