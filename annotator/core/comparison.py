"""How well the labels of a run match those of a reference (a person, gold, another run), from pairs of label sets.

Which labels are compared is `flow/reference.py`'s. Figures are given per role, and over roles only where that has a meaning.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from annotator.core.agreement import Codes, Kappa, cohen_kappa, confusions, one_vs_rest, stratified_kappa

_NO_PAIR = "no utterance has a label of both"
_NO_CODE = "neither used any code"
_ONE_LABEL = "both used one and the same label throughout, so chance agreement is 1"
_EVERYWHERE = "both used it for every utterance, so chance agreement is 1"
_NEVER_SAID = "the run never proposed it"
_NEVER_MEANT = "the reference never has it"


@dataclass(frozen=True, slots=True)
class Pair:
    """What the run and the reference say of one utterance."""

    conversation: str
    utterance: str
    role: str
    run: Codes
    reference: Codes


@dataclass(slots=True)
class _Counts:
    """One role's pairs of labels, counted once."""

    table: Counter[tuple[Codes, Codes]] = field(default_factory=Counter)
    conversations: set[str] = field(default_factory=set)


def precision(n_both: int, n_run: int) -> float | None:
    """Precision: which share of what the run proposed the reference has too.

    n_both / n_run, from 0 to 1. Undefined (None) where the run never proposed the code.
    Source: van Rijsbergen (1979), Information Retrieval, chapter 7.

    >>> precision(3, 4), precision(0, 0)
    (0.75, None)
    """
    return n_both / n_run if n_run else None


def recall(n_both: int, support: int) -> float | None:
    """Recall: which share of what the reference has the run proposed.

    n_both / support, from 0 to 1. Undefined (None) where the reference never has the code.
    Source: van Rijsbergen (1979), Information Retrieval, chapter 7.

    >>> recall(3, 6), recall(0, 0)
    (0.5, None)
    """
    return n_both / support if support else None


def f1(n_both: int, n_run: int, support: int) -> float | None:
    """F1: the harmonic mean of precision and recall.

    2 n_both / (n_run + support), from 0 to 1; 0 where only one side used the code, though precision or recall is undefined then.
    Undefined (None) where neither used it. Source: van Rijsbergen (1979), Information Retrieval, chapter 7.

    >>> f1(3, 4, 6), f1(0, 2, 0), f1(0, 0, 0)
    (0.6, 0.0, None)
    """
    return 2 * n_both / (n_run + support) if n_run + support else None


def mean(values: Iterable[float | None]) -> float | None:
    """The mean of the defined values, each with the same weight; undefined (None) where there is none.

    >>> mean([0.5, None, 1.0]), mean([None])
    (0.75, None)
    """
    defined = [value for value in values if value is not None]
    return sum(defined) / len(defined) if defined else None


def code_scores(table: Mapping[tuple[Codes, Codes], int]) -> dict[str, dict[str, Any]]:
    """Per code that either side used: how often the run (`n_run`), the reference (`support`), both (`n_both`), and the scores.

    >>> ack, rc = frozenset({"ACK"}), frozenset({"RC"})
    >>> scores = code_scores({(ack, ack): 3, (ack, rc): 1, (rc, rc): 2})
    >>> scores["ACK"]["precision"], scores["ACK"]["recall"], round(scores["RC"]["recall"], 3), scores["RC"]["f1"]
    (0.75, 1.0, 0.667, 0.8)
    """
    return {
        code: {
            "n_run": used["n_a"],
            "support": used["n_b"],
            "n_both": used["n_both"],
            "precision": precision(used["n_both"], used["n_a"]),
            "recall": recall(used["n_both"], used["n_b"]),
            "f1": f1(used["n_both"], used["n_a"], used["n_b"]),
            "kappa": used["kappa"],
        }
        for code, used in one_vs_rest(table).items()
    }


def compare(pairs: Iterable[Pair]) -> dict[str, Any]:
    """All figures: {"roles": {ROLE: BLOCK}, "stratified": BLOCK}. No figure depends on the order of the pairs.

    A BLOCK has `kappa` (Cohen's, on the whole label), `kappa_macro` (the mean of the codes' kappas), `exact_match`, `macro_f1`
    (the mean over codes that either side used), `micro_f1` (over all uses of codes), `undefined` with reasons, and per role `codes`
    and `confusions`. The stratified one takes its kappa within roles and its other figures over all (role, code).

    >>> said = [("1", "ACK", "ACK"), ("2", "RC", "RP"), ("3", "RC", "RC"), ("4", "ACK", "ACK")]
    >>> found = compare(Pair("c1", at, "Assistant", frozenset({run}), frozenset({person})) for at, run, person in said)
    >>> block = found["roles"]["Assistant"]
    >>> block["exact_match"], block["kappa"], round(block["macro_f1"], 3), block["micro_f1"], block["confusions"]
    (0.75, 0.6, 0.556, 0.75, [{'run': 'RC', 'reference': 'RP', 'n': 1}])
    """
    by_role: dict[str, _Counts] = {}
    for pair in pairs:
        counts = by_role.setdefault(pair.role, _Counts())
        counts.table[pair.run, pair.reference] += 1
        counts.conversations.add(pair.conversation)
    return {"roles": {role: _block(by_role[role]) for role in sorted(by_role)}, "stratified": _stratified(by_role)}


def _block(counts: _Counts) -> dict[str, Any]:
    codes = code_scores(counts.table)
    block = _figures(cohen_kappa(counts.table), counts.conversations, codes)
    for code, scores in codes.items():
        for name, reason in (("precision", _NEVER_SAID), ("recall", _NEVER_MEANT), ("kappa", _EVERYWHERE)):
            if scores[name] is None:
                block["undefined"][f"codes.{code}.{name}"] = reason
    unequal = [{"run": row["a"], "reference": row["b"], "n": row["n"]} for row in confusions(counts.table)]
    return block | {"codes": codes, "confusions": unequal}


def _stratified(by_role: Mapping[str, _Counts]) -> dict[str, Any]:
    codes = {f"{role}/{code}": scores for role, counts in by_role.items() for code, scores in code_scores(counts.table).items()}
    found = stratified_kappa(cohen_kappa(counts.table) for counts in by_role.values())
    return _figures(found, set().union(*(counts.conversations for counts in by_role.values())), codes)


def _figures(found: Kappa, conversations: set[str], codes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    n_both, n_run, support = (sum(scores[name] for scores in codes.values()) for name in ("n_both", "n_run", "support"))
    figures = {
        "kappa": found.kappa,
        "kappa_macro": mean(scores["kappa"] for scores in codes.values()),
        "exact_match": found.po,
        "macro_f1": mean(scores["f1"] for scores in codes.values()),
        "micro_f1": f1(n_both, n_run, support),
    }
    why = {
        "kappa": _ONE_LABEL if found.n else _NO_PAIR,
        "kappa_macro": "no code has a defined kappa" if codes else _NO_CODE,
        "exact_match": _NO_PAIR,
    }
    undefined = {name: why.get(name, _NO_CODE) for name, value in figures.items() if value is None}
    return {"n_utterances": found.n, "n_conversations": len(conversations), **figures, "undefined": undefined}
