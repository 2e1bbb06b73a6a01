"""How many more conversations two people must label until the figures are as precise as wanted, and what never can be."""

from collections.abc import Mapping
from math import ceil, sqrt
from statistics import NormalDist
from typing import Any

from annotator.core.agreement.asked import Asked, Corpus
from annotator.core.agreement.student import t_quantile
from annotator.core.precision import DESIGN_EFFECT, utterances_needed

_HIGHEST, _USUAL = 0.9, 0.8
_MANY = 10**6
"""From here on t is the normal quantile."""
_NOTHING = 1e-9
"""An error or a width under this is what floating point leaves of 0."""


def plan(overview: Mapping[str, Any], asked: Asked, corpus: Corpus, codebook: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """{"half_width", "code_half_width", "corpus", "overall": NEED, "roles": {ROLE: NEED and "codes": {CODE: NEED}}}.

    A NEED says the half width of the interval `now`, how many doubly labelled conversations are `needed` in all, how many `more`,
    whether that many are there (`possible`, None where the size of the corpus is not known), and a `reason` where it cannot be told.

    Over all codes, the half width t(G - 1) se shrinks with the root of the number G of conversations. Per code the number of
    utterances is `precision.utterances_needed` with the code's own share, kappa and design effect as measured (a kappa above .9 counts
    as .9, as nobody should plan on more; with few uses .8 and a design effect of 2), through the utterances a conversation has. All
    holds for as many annotators a conversation as now.
    """
    line, key = overview["stratified"], overview["headline"]
    roles = {}
    for role, block in overview["roles"].items():
        codes = {code: _of_code(block, found, asked, corpus) for code, found in block["codes"].items()}
        unused = sorted(set(codebook.get(role, ())) - set(codes))
        codes |= {code: _need(block["n_conversations"], None, None, corpus, _never(block["n_pairs"])) for code in unused}
        roles[role] = _of_line(block, key, asked.half_width, corpus) | {"codes": codes}
    return {
        "half_width": asked.half_width, "code_half_width": asked.code_half_width,
        "corpus": {"n_conversations": corpus.n_conversations, "utterances": dict(corpus.utterances)},
        "overall": _of_line(line, key, asked.half_width, corpus),
        "roles": roles,
    }  # fmt: skip


def _never(n: int) -> str:
    return f"nobody used it on {n} pairs of labels" if n else "nothing is labelled by two"


def _of_line(line: Mapping[str, Any], key: str, wanted: float, corpus: Corpus) -> dict[str, Any]:
    """Of a figure over many codes."""
    se = line["se"] if key == "kappa" else line["kappa_macro_se"]
    n = line["n_conversations"]
    if se is None:
        return _need(n, None, None, corpus, line["undefined"].get("se", "the error is not known"))
    now = t_quantile(n - 1) * se
    if se < _NOTHING:
        return _need(n, 0.0, None, corpus, "no conversation differs from another, so the error cannot be foreseen")
    return _need(n, now, conversations_needed(se, n, wanted), corpus)


def conversations_needed(se: float, n: int, half_width: float) -> int:
    """The smallest number G of conversations with t(G - 1) se sqrt(n / G) up to the half width, `se` being that of `n` conversations.

    >>> conversations_needed(0.05, 60, 0.05), conversations_needed(0.2, 60, 0.02)
    (233, 23052)
    """
    # The normal quantile is under every t, and a few conversations more make up for it.
    enough = max(2, ceil(n * (NormalDist().inv_cdf(0.975) * se / half_width) ** 2))
    while enough < _MANY and t_quantile(enough - 1) * se * sqrt(n / enough) > half_width:
        enough += 1
    return enough


def _of_code(block: Mapping[str, Any], code: Mapping[str, Any], asked: Asked, corpus: Corpus) -> dict[str, Any]:
    n, n_conversations = block["n_utterances"], block["n_conversations"]
    share = (code["n_a"] + code["n_b"]) / (2 * block["n_pairs"])
    now = (code["ci95"][1] - code["ci95"][0]) / 2 if code["ci95"] else 0.0
    now = now if now > _NOTHING else None
    if share == 1:
        return _need(n_conversations, now, None, corpus, "everybody always used it")
    measured = code["kappa"] is not None and not code["few"]
    kappa = min(max(code["kappa"], 0.0), _HIGHEST) if measured else _USUAL
    # The error as if all were independent takes each pair of labels for a draw; an utterance of three annotators is three of them.
    alone = n / block["n_pairs"]
    effect = max(1.0, code["design_effect"] * alone) if measured and code["design_effect"] is not None else DESIGN_EFFECT
    utterances = utterances_needed(share, kappa=kappa, half_width=asked.code_half_width, confidence=0.95, design_effect=effect)
    needed = ceil(utterances * n_conversations / n)
    if now is not None and not code["few"] and now <= asked.code_half_width:
        needed = min(needed, n_conversations)
    return _need(n_conversations, now, needed, corpus) | {
        "share": share, "kappa_assumed": kappa, "design_effect_assumed": effect, "utterances": utterances,
    }  # fmt: skip


def _need(n: int, now: float | None, needed: int | None, corpus: Corpus, reason: str = "") -> dict[str, Any]:
    possible = None if needed is None or not corpus.n_conversations else needed <= corpus.n_conversations
    return {
        "n_conversations": n, "now": now, "needed": needed, "more": None if needed is None else max(0, needed - n),
        "possible": possible, "reason": reason,
    }  # fmt: skip
