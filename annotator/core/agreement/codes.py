"""The figures of every code, or category, of a pair: uses, kappa against the rest, an interval that suits how rare it is."""

from dataclasses import dataclass
from typing import Any

from annotator.core.agreement.counts import Cells
from annotator.core.agreement.intervals import Errors, Uses, errors_of_codes, uses_of
from annotator.core.agreement.per_code import decomposition_weight, specific_agreement, two_by_two
from annotator.core.agreement.rare import goodness_of_fit

RARE = 20
"""Below so many expected uses, (n_a + n_b) / 2, a code's interval is by goodness of fit."""
FEW = 10
"""Below so many a code has too few uses to say much; its interval stands, and `few` warns."""

EVERYWHERE = "both annotators used it for every utterance"


@dataclass(frozen=True, slots=True)
class CodeFigures:
    """Figures per code, the reasons of those that are undefined as {"CODE.figure": reason}, and what was counted for them."""

    figures: dict[str, dict[str, Any]]
    undefined: dict[str, str]
    uses: Uses


def code_figures(cells: Cells, n_conversations: int) -> CodeFigures:
    """Per code that either used: n_a, n_b, n_both, kappa, se, ci95, interval, specific, pooled kappa, weight and whether few.

    `interval` names how ci95 was made: "linearised" (kappa ± t se, clustered by conversation) or, for rare codes, "goodness of fit",
    widened by the code's design effect, which is never taken to be under 1. `weight` is the code's share of the whole kappa, where
    labels are single codes. Conversations are numbered below `n_conversations`.

    >>> from annotator.core.agreement.counts import cells_of
    >>> x, y = frozenset("x"), frozenset("y")
    >>> found = code_figures(cells_of([{(x, x): 9, (y, y): 8, (y, x): 1}, {(x, x): 7, (y, y): 6, (x, y): 4}]), 2).figures["x"]
    >>> found["n_a"], found["n_b"], found["n_both"], round(found["kappa"], 2), found["interval"]
    (20, 17, 16, 0.72, 'goodness of fit')
    """
    uses = uses_of(cells, n_conversations)
    errors = errors_of_codes(uses)
    n = int(cells.n.sum())
    sums = {code: (int(uses.a[:, at].sum()), int(uses.b[:, at].sum()), int(uses.both[:, at].sum())) for at, code in enumerate(uses.codes)}
    figures: dict[str, dict[str, Any]] = {}
    undefined: dict[str, str] = {}
    whole = sum(decomposition_weight(n, a, b) for a, b, _ in sums.values())
    for code, (n_a, n_b, n_both) in sums.items():
        kappa = two_by_two(n, n_a, n_b, n_both).kappa
        figures[code] = {
            "n_a": n_a, "n_b": n_b, "n_both": n_both,
            "kappa": kappa,
            "specific": specific_agreement(n_a, n_b, n_both),
            "weight": decomposition_weight(n, n_a, n_b) / whole if whole else 0.0,
            "few": n_a + n_b < 2 * FEW,
        }  # fmt: skip
        if kappa is None:
            figures[code] |= dict.fromkeys(("se", "ci95", "interval"))
            undefined |= {f"{code}.{name}": EVERYWHERE for name in ("kappa", "se", "ci95", "interval")}
        else:
            figures[code] |= interval_of(errors[code], n, n_a + n_b, n_a + n_b - 2 * n_both)
            undefined |= {f"{code}.{name}": why for name, why in errors[code].why.items() if name in ("se", "ci95")}
            undefined |= {f"{code}.interval": errors[code].why["ci95"]} if errors[code].ci95 is None else {}
    return CodeFigures(figures, undefined, uses)


def interval_of(errors: Errors, n: float, used: float, differ: float) -> dict[str, Any]:
    """`se`, `ci95` and how it was made, of a code used so often by both together, on `differ` utterances by one of them only."""
    found: dict[str, Any] = {"se": errors.se, "ci95": errors.ci95 and list(errors.ci95), "interval": "linearised" if errors.ci95 else None}
    if errors.ci95 is None or (used >= 2 * RARE and differ):
        return found
    limits = goodness_of_fit(n, used, differ, max(1.0, errors.design_effect or 1.0))
    return found if limits is None else found | {"ci95": list(limits), "interval": "goodness of fit"}
