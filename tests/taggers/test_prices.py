"""What a model costs on a day, and what an answer did."""

from datetime import date

import pytest

from annotator.taggers.gemini import Gemini
from annotator.taggers.prices import AS_OF, FLEX, Price, cost, price_of
from annotator.taggers.provider import Answer, Manner

DAY = date(2026, 11, 20)


def told(model: str, day: date = DAY, manner: Manner | None = None) -> Price:
    price = price_of(model, day, manner or Manner())
    assert price is not None
    return price


def test_the_price_of_the_default_model_is_known() -> None:
    assert told(Gemini.defaults["model"]) == Price(0.30, 2.50, 0.03)


UNKNOWN = ("", "gemini-0", "gemini-3.5", "gemini-3.5-flash-lite-thinking", "gemini-3.5-flash-litening", "gemini-flash-latest")


@pytest.mark.parametrize("model", UNKNOWN)
def test_a_model_that_is_not_in_the_table_has_no_price(model: str) -> None:
    assert price_of(model, DAY, Manner()) is None


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "gemini-2.5-flash-lite", "gemini-3.5-flash-lite"])
def test_a_numbered_version_costs_what_its_model_does(model: str) -> None:
    assert told(f"{model}-001") == told(model)


def test_a_price_ends_on_its_last_day() -> None:
    assert (told("gemini-3.8-flash", date(2026, 12, 31)).tokens_in, told("gemini-3.8-flash", date(2027, 1, 1)).tokens_in) == (0.75, 1.5)


def test_a_model_that_has_ended_has_no_price() -> None:
    assert told("gemini-2.5-flash", date(2026, 11, 30))
    assert price_of("gemini-2.5-flash", date(2026, 12, 1), Manner()) is None


def test_flex_costs_its_share_of_everything() -> None:
    standard, flex = told("gemini-3.8-flash"), told("gemini-3.8-flash", manner=Manner(tier="flex"))
    assert flex == Price(standard.tokens_in * FLEX, standard.tokens_out * FLEX, standard.cached * FLEX, flex.until)


@pytest.mark.parametrize("tier", ["standard", "flex"])
def test_a_price_that_is_given_holds_for_any_model_and_tier(tier: str) -> None:
    assert told("gemini-0", manner=Manner(tier=tier, price=(1.0, 2.0))) == Price(1.0, 2.0, 1.0)


def test_free_is_a_price() -> None:
    assert cost(told("gemini-0", manner=Manner(price=(0.0, 0.0))), Answer("", "", "", 10, 0, 10)) == 0.0


def test_cached_tokens_are_counted_at_their_own_price() -> None:
    price = Price(1.0, 10.0, 0.1)
    assert cost(price, Answer("", "", "", tokens_in=1000, tokens_cached=400, tokens_out=100)) == pytest.approx(0.00164)


def test_the_table_says_of_what_day_it_is() -> None:
    assert AS_OF <= DAY
