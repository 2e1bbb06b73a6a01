"""How many conversations two must label until the figures are as precise as wanted: t of SciPy, the variance of a kappa of statsmodels."""

from bisect import bisect_left
from collections.abc import Iterable
from fractions import Fraction
from math import ceil, inf, sqrt
from typing import Any

from annotator.core.agreement import Asked, Corpus
from annotator.flow.verification import book, oracles
from annotator.flow.verification.figures import STATSMODELS, Figure, Tree
from annotator.flow.verification.said import Codebook

_HIGHEST, _USUAL, _EFFECT = 0.9, 0.8, 2.0


def plan_tree(overview: Tree, asked: Asked, corpus: Corpus, codebook: Codebook) -> Tree:
    """{"half_width", "code_half_width", "corpus", "overall": NEED, "roles": {ROLE: NEED and "codes": {CODE: NEED}}}."""
    headline = overview["headline"].value
    roles = {}
    for role, line in overview["roles"].items():
        codes = {code: _of_code(line, found, asked, corpus) for code, found in line["codes"].items()}
        unused = _need(line["n_conversations"].value, None, None, corpus)
        roles[role] = _of_line(line, headline, asked, corpus) | {"codes": dict.fromkeys(codebook.get(role, ()), unused) | codes}
    return {
        "half_width": Figure(asked.half_width), "code_half_width": Figure(asked.code_half_width),
        "corpus": {"n_conversations": Figure(corpus.n_conversations), "utterances": _figures(corpus.utterances.items())},
        "overall": _of_line(overview["stratified"], headline, asked, corpus),
        "roles": roles,
    }  # fmt: skip


def _figures(named: Iterable[tuple[str, Any]]) -> Tree:
    return {name: Figure(value) for name, value in named}


def _need(n: int, now: float | None, needed: int | None, corpus: Corpus) -> Tree:
    possible = needed <= corpus.n_conversations if needed is not None and corpus.n_conversations else None
    return {
        "n_conversations": Figure(n),
        "now": Figure(now, tolerance=1e-6),  # of a rare code it is of limits that are found by approximation
        "needed": Figure(needed), "more": Figure(None if needed is None else max(0, needed - n)), "possible": Figure(possible),
    }  # fmt: skip


def _of_line(line: Tree, headline: str, asked: Asked, corpus: Corpus) -> Tree:
    n, se = line["n_conversations"].value, line["se" if headline == "kappa" else "kappa_macro_se"].value
    if se is None:
        return _need(n, None, None, corpus)
    needed = conversations_needed(se, n, asked.half_width) if se else None
    return _need(n, book.t_quantile(n - 1) * se, needed, corpus)


def conversations_needed(se: float, n: int, half_width: float) -> int:
    """The smallest G from 2 on with t(G - 1) se sqrt(n / G) up to the half width; the left side falls as G grows."""

    def enough(size: int) -> bool:
        return book.t_quantile(size - 1) * se * sqrt(n / size) <= half_width

    most = 2
    while not enough(most):
        most *= 2
    return bisect_left(range(most), True, lo=2, key=enough)


def _of_code(line: Tree, code: Tree, asked: Asked, corpus: Corpus) -> Tree:
    """design effect * Q * (z / half width)² utterances, in as many conversations as they come in now.

    Where the code was used often enough the kappa (from 0 to .9) and the design effect (1 and more, per utterance and not per pair of
    labels) are its own. As many conversations as there are do where its interval is that narrow already.
    """
    n, n_pairs, n_conversations = line["n_utterances"].value, line["n_pairs"].value, line["n_conversations"].value
    share, low_high = Fraction(code["n_a"].value + code["n_b"].value, 2 * n_pairs), code["ci95"].value
    now = (low_high[1] - low_high[0]) / 2 if low_high is not None and low_high[1] > low_high[0] else None
    if share == 1:
        return _need(n_conversations, now, None, corpus)
    few, effect, kappa = code["few"].value, code["design_effect"].value, code["kappa"].value
    measured = kappa is not None and not few
    kappa = min(max(kappa, 0.0), _HIGHEST) if measured else _USUAL
    effect = max(1.0, effect * n / n_pairs) if measured and effect is not None else _EFFECT
    spread = oracles.kappa_spread(float(share), kappa)
    utterances = ceil(round(effect * spread * (book.t_quantile(inf) / asked.code_half_width) ** 2, 6))
    needed = ceil(Fraction(utterances * n_conversations, n))
    if now is not None and not few and now <= asked.code_half_width:
        needed = min(needed, n_conversations)
    return _need(n_conversations, now, needed, corpus) | {
        "share": Figure(float(share)), "kappa_assumed": Figure(kappa), "design_effect_assumed": Figure(effect),
        "utterances": Figure(utterances, STATSMODELS),
    }  # fmt: skip
