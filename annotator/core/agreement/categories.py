"""Agreement on the categories of codes: is the confusion inside a category of the taxonomy or across?"""

from collections.abc import Mapping
from typing import Any

from annotator.core.agreement.codes import code_figures
from annotator.core.agreement.coefficients import NO_PAIR, Kappa, cohen_kappa
from annotator.core.agreement.counts import Cells, collapsed
from annotator.core.agreement.judgement import Codes
from annotator.core.agreement.per_code import kappa_within_categories
from annotator.core.agreement.weighted import category_weight, weighted_kappa

SINGLE_ONLY = "labels are sets of codes here, and near and far are told of single codes only; see kappa_categories"


def category_figures(cells: Cells, category: Mapping[str, str], n_conversations: int) -> tuple[dict[str, Any], dict[str, str]]:
    """The figures of the categories, {CATEGORY: as of a code}, three kappas that tell near from far, and reasons of undefined ones.

    `kappa_categories` is kappa of the categories alone, `kappa_within_categories` that of the code given the category, and
    `kappa_weighted` counts a code of the same category half. A code without a category is one of its own.
    """
    coarse, table = collapsed(cells, category), cells.table()
    found = code_figures(coarse, n_conversations)
    kappas = {
        "kappa_categories": cohen_kappa(coarse.table()),
        "kappa_within_categories": kappa_within_categories(table, category),
        "kappa_weighted": _weighted(table, category),
    }
    undefined = {f"categories.{key}": why for key, why in found.undefined.items()}
    undefined |= {name: kappa.reason for name, kappa in kappas.items() if kappa.kappa is None}
    return {"categories": found.figures, **{name: kappa.kappa for name, kappa in kappas.items()}}, undefined


def _weighted(table: Mapping[tuple[Codes, Codes], int], category: Mapping[str, str]) -> Kappa:
    if any(len(label) > 1 for pair in table for label in pair):
        return Kappa(0, None, None, None, SINGLE_ONLY)
    if not table:
        return Kappa(0, None, None, None, NO_PAIR)
    return weighted_kappa({(next(iter(a), ""), next(iter(b), "")): n for (a, b), n in table.items()}, category_weight(category))
