"""What the figures over all pairs of annotators together should be, the overview of a report and its verdict.

They are stratified over pairs of annotators and roles, so most are by the book; a conversation is one cluster for all its pairs.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any

from annotator.flow.verification import book, oracles
from annotator.flow.verification.book import Pair
from annotator.flow.verification.figures import (
    FEW,
    SEVERAL,
    SKLEARN,
    Figure,
    Said,
    Tree,
    Used,
    confusions,
    interval,
    joined,
    macro,
    names_of,
    number,
    parts_of,
)

Parts = Sequence[Sequence[Pair]]
"""Complete pairs of labels of every two annotators in one role."""


def overview_trees(said: Said) -> dict[str, Tree]:
    """What "overview", "matrix" (by "a - b") and "rest" (by annotator) should be."""
    of_pairs = {two: parts_of(said, *two) for two in combinations(said.annotators, 2)}
    return {
        "overview": _overview(said, [{role: part.pairs for role, part in parts.items()} for parts in of_pairs.values()]),
        "matrix": {" - ".join(two): _kappa([part.pairs for part in parts.values()]) for two, parts in of_pairs.items()},
        "rest": {
            one: _kappa([part.pairs for two, parts in of_pairs.items() if one in two for part in parts.values()]) for one in said.annotators
        },
    }


def _overview(said: Said, of_pairs: Sequence[Mapping[str, list[Pair]]]) -> Tree:
    """{"n_annotators", "n_utterances", "directed", "headline", "stratified": LINE, "roles": {ROLE: LINE, codes, confusions}}."""
    by_role = {role: [pairs[role] for pairs in of_pairs] for role in said.roles}
    used = {role: _used(parts) for role, parts in by_role.items()}
    whole = _line([part for parts in by_role.values() for part in parts], [one for of_role in used.values() for one, _ in of_role])
    labels = [[codes for codes in unit.values() if codes is not None] for unit in said.units.values()]
    directed = len(said.annotators) <= 2
    return {
        "n_annotators": Figure(len(said.annotators)),
        "n_utterances": Figure(sum(len(one) > 1 for one in labels)),
        "directed": Figure(directed),
        "headline": whole["headline"],
        "stratified": whole,
        "roles": {
            role: _line(parts, [one for one, _ in used[role]])
            | {"codes": _codes(used[role]), "confusions": confusions(_all(parts) if directed else _undirected(parts))}
            for role, parts in by_role.items()
        },
    }


def verdict_tree(overview: Tree, verdict: Mapping[str, Any]) -> Tree:
    """What the verdict should be, given the threshold that it names."""
    line, threshold = overview["stratified"], verdict.get("threshold")
    macro_is_it = overview["headline"].value == "kappa_macro"
    ci95 = line["kappa_macro_ci95" if macro_is_it else "ci95"]
    held = isinstance(threshold, int | float) and ci95.value is not None
    return {
        "figure": overview["headline"],
        "value": line["kappa_macro" if macro_is_it else "kappa"],
        "ci95": ci95,
        "met": Figure(ci95.value[0] >= threshold if held else None),
    }


def _all(parts: Parts) -> list[Pair]:
    return [pair for part in parts for pair in part]


def _undirected(parts: Parts) -> list[Pair]:
    """Of several annotators each is the first of some pair and the second of another, so a confusion has no direction."""
    return [Pair(pair.conversation, *sorted((pair.a, pair.b), key=joined)) for pair in _all(parts)]


def _line(parts: Parts, used: Sequence[Used]) -> Tree:
    pairs = _all(parts)
    several = Fraction(sum((len(pair.a) > 1) + (len(pair.b) > 1) for pair in pairs), 2 * len(pairs) or 1)
    return {
        **_kappa(parts),
        "headline": Figure("kappa_macro" if several > SEVERAL else "kappa"),
        **macro(parts, used),
        "mean_jaccard": Figure(oracles.mean_jaccard([pair.a for pair in pairs], [pair.b for pair in pairs]), SKLEARN),
        "share_several": Figure(float(several) if pairs else None),
    }


def _kappa(parts: Parts) -> Tree:
    pairs, errors = _all(parts), book.errors(book.pulls(parts))
    agreed = book.stratified(book.cohen(part) for part in parts)
    return {
        "n_pairs": Figure(len(pairs)),
        "n_conversations": Figure(len({pair.conversation for pair in pairs})),
        "po": Figure(oracles.share_equal(*names_of(pairs)), SKLEARN),
        "pe": Figure(float(agreed.pe) if agreed.n else None),
        "kappa": Figure(number(agreed.kappa)),
        **{name: Figure(value) for name, value in errors._asdict().items()},
    }


def _used(parts: Parts) -> list[tuple[Used, Fraction]]:
    """Every code of a role with its weight, the sum of n (1 - pe) over the pairs of annotators."""
    found = []
    for code in book.names(_all(parts)):
        of_code = [book.yes_or_no(part, code) for part in parts]
        weight = sum((one.n * (1 - one.pe) for one in map(book.cohen, of_code)), Fraction(0))
        found.append((Used(code, _all(of_code), book.pulls(of_code)), weight))
    return found


def _codes(used: Sequence[tuple[Used, Fraction]]) -> Tree:
    whole = sum(weight for _, weight in used)
    costs = [weight * (1 - one.pulls.kappa) if one.pulls is not None else Fraction(0) for one, weight in used]
    lost = sum(costs)
    return {
        one.code: _code(one)
        | {"weight": Figure(float(weight / whole) if whole else 0.0), "cost": Figure(float(cost / lost) if lost else 0.0)}
        for (one, weight), cost in zip(used, costs, strict=True)
    }


def _code(used: Used) -> Tree:
    pairs, errors = used.pairs, book.errors(used.pulls)
    n_a, n_b, n_both = sum(pair.a for pair in pairs), sum(pair.b for pair in pairs), sum(pair.a and pair.b for pair in pairs)
    named = [str(pair.a) for pair in pairs], [str(pair.b) for pair in pairs]
    return {
        "n_a": Figure(n_a), "n_b": Figure(n_b), "n_both": Figure(n_both),
        "kappa": Figure(number(used.pulls.kappa if used.pulls else None)),
        "specific": Figure(oracles.specific(*named, "True"), SKLEARN),
        "few": Figure(n_a + n_b < 2 * FEW),
        "design_effect": Figure(errors.design_effect),
        **interval(errors, len(pairs), n_a + n_b, n_a + n_b - 2 * n_both),
    }  # fmt: skip
