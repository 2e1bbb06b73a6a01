"""Agreement on the categories of codes: is the confusion inside a category of the taxonomy or across?"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from annotator.core.agreement.codes import code_figures
from annotator.core.agreement.coefficients import NO_PAIR, Kappa, cohen_kappa, stratified_kappa
from annotator.core.agreement.counts import Cells, collapsed
from annotator.core.agreement.judgement import Codes
from annotator.core.agreement.weighted import category_weight, weighted_kappa

NEVER_THE_SAME = "the two never said the same category"
SINGLE_ONLY = "labels are sets of codes here, and near and far are told of single codes only; see kappa_categories"


def kappa_within_categories(table: Mapping[tuple[Codes, Codes], int], category: Mapping[str, str]) -> Kappa:
    """Kappa of the code, given that both annotators said the same category: stratified over those categories.

    Much below kappa of the categories, people confuse codes of one category; much above, they confuse categories.
    Undefined (None) where they never said the same, and where within each only one label was used.

    >>> a, b, c = (frozenset({code}) for code in "abc")
    >>> kappa_within_categories({(a, a): 4, (b, b): 4, (a, b): 2, (c, a): 5}, {"a": "x", "b": "x", "c": "y"}).kappa.__round__(3)
    0.615
    """
    inside: dict[Codes, dict[tuple[Codes, Codes], int]] = defaultdict(dict)
    for (a, b), n in table.items():
        of_a, of_b = (frozenset(category.get(code, code) for code in label) for label in (a, b))
        if of_a == of_b:
            inside[of_a][a, b] = n
    found = stratified_kappa(cohen_kappa(part) for part in inside.values())
    if found.kappa is not None or not table:
        return found
    reason = "within every category both annotators used one label only" if found.n else NEVER_THE_SAME
    return Kappa(found.n, found.po, found.pe, None, reason)


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
