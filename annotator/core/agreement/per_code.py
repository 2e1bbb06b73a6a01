"""Agreement on one code at a time, and on codes given their category, from the table of label sets. Intervals of these are `codes.py`'s."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from annotator.core.agreement.coefficients import Kappa, cohen_kappa, stratified_kappa
from annotator.core.agreement.judgement import Codes

NEVER_THE_SAME = "the two never said the same category"


def one_vs_rest(table: Mapping[tuple[Codes, Codes], int]) -> dict[str, dict[str, Any]]:
    """Per code: how often each annotator used it (`n_a`, `n_b`), both (`n_both`), and kappa of using it or not.

    kappa is None where one of the two never used the code and the other never did either, or both always did; it is 0 where one
    never used it and the other did. Of single codes the whole kappa is the mean of these, weighted by r + c - 2rc (the chance to
    disagree on the code); the pooled form of Fleiss and DKPro is `pooled_kappa`, and gives other numbers.

    >>> ack, both = frozenset({"ACK"}), frozenset({"ACK", "RC"})
    >>> figures = one_vs_rest({(ack, ack): 3, (ack, both): 1, (both, both): 2})
    >>> figures["RC"]["n_a"], figures["RC"]["n_b"], figures["RC"]["n_both"], round(figures["RC"]["kappa"], 3)
    (2, 3, 2, 0.667)
    """
    n = sum(table.values())
    used_a: Counter[str] = Counter()
    used_b: Counter[str] = Counter()
    used_both: Counter[str] = Counter()
    for (a, b), count in table.items():
        for codes, used in ((a, used_a), (b, used_b), (a & b, used_both)):
            for code in codes:
                used[code] += count
    figures = {}
    for code in sorted(used_a | used_b):
        n_a, n_b, n_both = used_a[code], used_b[code], used_both[code]
        figures[code] = {"n_a": n_a, "n_b": n_b, "n_both": n_both, "kappa": two_by_two(n, n_a, n_b, n_both).kappa}
    return figures


def two_by_two(n: int, n_a: int, n_b: int, n_both: int) -> Kappa:
    """Cohen's kappa of using a code or not, from how often A, B and both used it among `n` utterances.

    >>> two_by_two(50, 25, 30, 20).kappa
    0.4
    """
    table = {(True, True): n_both, (True, False): n_a - n_both, (False, True): n_b - n_both}
    table[False, False] = n - n_a - n_b + n_both
    return cohen_kappa(table)


def specific_agreement(n_a: int, n_b: int, n_both: int) -> float | None:
    """How likely it is that the other used a code that one used: 2 both / (n_a + n_b), from 0 to 1.

    Not corrected for chance. Undefined (None) where neither used the code.
    Source: Dice (1945), Ecology 26, 297-302; Cicchetti and Feinstein (1990), Journal of Clinical Epidemiology 43, 551-558.

    >>> specific_agreement(25, 30, 20), specific_agreement(0, 0, 0)
    (0.7272727272727273, None)
    """
    return 2 * n_both / (n_a + n_b) if n_a + n_b else None


def pooled_kappa(n: int, n_a: int, n_b: int, n_both: int) -> float | None:
    """Specific agreement corrected for chance with both annotators' margins together, the form of Fleiss (1971) and of DKPro.

    (P - m) / (1 - m), P the specific agreement, m the mean of the two margins. Up to 1, never above one-vs-rest kappa. Undefined
    (None) where neither used the code or both always did. Source: Fleiss (1971), Psychological Bulletin 76, 378-382.

    >>> round(pooled_kappa(118, 26, 27, 22), 3)
    0.781
    """
    share, agreed = (n_a + n_b) / (2 * n) if n else 0.0, specific_agreement(n_a, n_b, n_both)
    return None if agreed is None or share == 1 else (agreed - share) / (1 - share)


def decomposition_weight(n: int, n_a: int, n_b: int) -> float:
    """How much a code's kappa weighs in the whole kappa of single codes: r + c - 2rc, with r and c the two shares of use.

    kappa = sum w kappa_code / sum w, exactly. From 0 to 1. Source: Warrens (2011), Statistical Methodology 8, 473-484.

    >>> round(decomposition_weight(50, 25, 30), 3)
    0.5
    """
    return (n_a + n_b) / n - 2 * n_a * n_b / n**2


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
