"""What a million tokens cost, in USD, by model; and what an answer cost. `--set price=IN/OUT` overrides it."""

from dataclasses import dataclass
from datetime import date

from annotator.taggers.provider import Answer, Manner

AS_OF = date(2026, 10, 7)
"""The day the prices were read; models that came later were added from their announcements."""


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens: in, out, and in from the provider's cache. `until` is the last day it holds."""

    tokens_in: float
    tokens_out: float
    cached: float
    until: date | None = None


_PRICES: dict[str, tuple[Price, ...]] = {
    "gemini-2.5-flash-lite": (Price(0.10, 0.40, 0.01),),
    "gemini-3.1-flash-lite": (Price(0.25, 1.50, 0.025),),
    "gemini-2.5-flash": (Price(0.30, 2.50, 0.03, date(2026, 11, 30)),),
    "gemini-3.5-flash-lite": (Price(0.30, 2.50, 0.03),),
    "gemini-3.8-flash": (Price(0.75, 3.75, 0.075, date(2026, 12, 31)), Price(1.50, 7.50, 0.15)),
    "gemini-4-argon": (Price(2.0, 10.0, 0.10),),
}
FLEX = 0.5
"""What flex costs of the standard price."""


def price_of(model: str, day: date, manner: Manner) -> Price | None:
    """The price of a model on a day; None where it is not in the table and was not given.

    >>> price_of("gemini-3.8-flash", date(2027, 1, 1), Manner()).tokens_out
    7.5
    """
    if manner.price is not None:
        return Price(manner.price[0], manner.price[1], manner.price[0])
    prices = _PRICES.get(model) or next((p for name, p in sorted(_PRICES.items(), reverse=True) if model.startswith(f"{name}-0")), ())
    found = next((price for price in prices if price.until is None or day <= price.until), None)
    share = FLEX if manner.tier == "flex" else 1.0
    return found and Price(found.tokens_in * share, found.tokens_out * share, found.cached * share)


def cost(price: Price, answer: Answer) -> float:
    """What an answer cost.

    >>> cost(Price(0.3, 2.5, 0.03), Answer("", "STOP", "", tokens_in=1_000_000, tokens_cached=500_000, tokens_out=100_000))
    0.415
    """
    fresh = answer.tokens_in - answer.tokens_cached
    total = fresh * price.tokens_in + answer.tokens_cached * price.cached + answer.tokens_out * price.tokens_out
    return round(total / 1_000_000, 9)
