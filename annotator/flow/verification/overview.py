"""What the figures over all pairs of annotators together should be: the overview of a report, its verdict, rounds, conditions, repeats.

They are stratified over pairs of annotators and roles, so most are by the book; a conversation is one cluster for all its pairs.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any, NamedTuple

from annotator.core.agreement import Asked
from annotator.flow.verification import book, joint, oracles
from annotator.flow.verification.book import Pair
from annotator.flow.verification.figures import (
    FEW,
    SEVERAL,
    SKLEARN,
    Figure,
    Tree,
    Used,
    confusions,
    interval,
    joined,
    macro,
    names_of,
    number,
)
from annotator.flow.verification.joint import Stratum
from annotator.flow.verification.said import Data, Row, Said, by_role, chosen, first, of_rounds, said_of

Strata = Sequence[Stratum]


class _Code(NamedTuple):
    """A code over all pairs of labels of its role, which are of so many utterances."""

    used: Used
    n_utterances: int
    weight: Fraction
    """sum of n (1 - pe)."""

    @property
    def alone(self) -> Fraction:
        """What a pair of labels counts where each utterance counts once."""
        return Fraction(self.n_utterances, len(self.used.pairs))

    @property
    def uses(self) -> int:
        return sum(pair.a + pair.b for pair in self.used.pairs)

    @property
    def frequent(self) -> bool:
        """Whether as many uses as are enough are expected of each annotator."""
        return self.uses * self.alone >= 2 * FEW


def overview_tree(said: Said) -> Tree:
    """{"annotators" and "n_annotators", "n_utterances", "directed", "headline", "stratified": LINE,
    "roles": {ROLE: LINE and its codes and confusions}}."""
    strata, n_utterances = by_role(said), _n_utterances(said)
    codes = {role: _codes_of(of_role, n_utterances[role]) for role, of_role in strata.items()}
    whole = _line(_every(strata), [code for of_role in codes.values() for code in of_role], n_utterances.total())
    directed = len(said.annotators) <= 2
    return {
        "annotators": Figure(said.annotators),
        "n_annotators": Figure(len(said.annotators)),
        "n_utterances": Figure(n_utterances.total()),
        "directed": Figure(directed),
        "headline": whole["headline"],
        "stratified": whole,
        "roles": {
            role: _line(of_role, codes[role], n_utterances[role])
            | {"codes": _codes(codes[role]), "confusions": confusions(_all(of_role) if directed else _undirected(of_role))}
            | {"agreed": _agreed(_all(of_role))}
            for role, of_role in strata.items()
        },
    }


def _agreed(pairs: Sequence[Pair]) -> Tree:
    """Label → how often both said it."""
    return {label: Figure(n) for label, n in Counter(joined(pair.a) for pair in pairs if pair.a == pair.b).items()}


def _n_utterances(said: Said) -> Counter[str]:
    """Role → how many utterances have the labels of two."""
    return Counter(role for (role, _, _), unit in said.units.items() if sum(codes is not None for codes in unit.values()) > 1)


def matrix_tree(said: Said) -> Tree:
    """ "a - b" → LINE of these two."""
    strata = _every(by_role(said))
    return {f"{a} - {b}": _kappa(one for one in strata if (one.a[1], one.b[1]) == (a, b)) for a, b in combinations(said.annotators, 2)}


def rest_tree(said: Said) -> Tree:
    """Annotator → LINE of theirs with everybody else's."""
    strata = _every(by_role(said))
    return {name: _kappa(one for one in strata if name in (one.a[1], one.b[1])) for name in said.annotators}


def by_round_tree(rows: Sequence[Row]) -> Tree:
    """Round → LINE of what was said in it by two annotators and more; `rows` are of all rounds."""
    of: dict[str, list[Row]] = {}
    for row in first(rows):
        of.setdefault(row.round, []).append(row)
    return {
        name: _kappa(_every(by_role(said_of(found)))) | {"conditions": Figure(sorted({row.condition for row in found}))}
        for name, found in of.items()
        if len({row.annotator for row in found}) > 1
    }


def by_condition_tree(rows: Iterable[Row]) -> Tree:
    """Condition → LINE of what was said in it, within one round."""
    of: dict[str, list[Row]] = {}
    for row in of_rounds(first(rows)):
        of.setdefault(row.condition, []).append(row)
    return {name: _kappa(_every(by_role(said_of(found)))) for name, found in of.items()}


def with_themselves_tree(rows: Iterable[Row]) -> Tree:
    """Annotator → LINE of what they said at first with what they said when asked once more, within one round."""
    of: dict[str, list[Row]] = {}
    for row in of_rounds(rows):
        of.setdefault(row.annotator, []).append(row._replace(annotator="again" if row.repeat else "first"))
    lines = {name: _kappa(_every(by_role(said_of(found)))) for name, found in of.items()}
    return {name: line for name, line in lines.items() if line["n_pairs"].value}


def after_discussion_tree(data: Data, asked: Asked) -> Tree | None:
    """LINE of the labels that stand now, and how many of all are others than at first; None where there are none."""
    if data.now is None:
        return None
    others = {row._replace(codes=None) for row in {*data.rows} ^ {*data.now}}
    if not others:
        return None
    line: Tree = overview_tree(said_of(first(chosen(data.now, asked))))["stratified"]
    return line | {"n_changed": Figure(len(others))}


def verdict_tree(overview: Tree, verdict: Mapping[str, Any]) -> Tree:
    """What the verdict should be, given the threshold that it names."""
    line, threshold = overview["stratified"], verdict.get("threshold")
    macro_is_it = overview["headline"].value == "kappa_macro"
    ci95 = line["kappa_macro_ci95" if macro_is_it else "ci95"]
    if ci95.value is not None and ci95.value[0] == ci95.value[1]:
        ci95 = Figure(None)  # without width it promises nothing
    held = isinstance(threshold, int | float) and ci95.value is not None
    return {
        "figure": overview["headline"],
        "value": line["kappa_macro" if macro_is_it else "kappa"],
        "ci95": ci95,
        "met": Figure(ci95.value[0] >= threshold if held else None),
    }


def _every(by_role: Mapping[str, Strata]) -> Strata:
    return [one for strata in by_role.values() for one in strata]


def _all(strata: Strata) -> list[Pair]:
    return [pair for one in strata for pair in one.pairs]


def _undirected(strata: Strata) -> list[Pair]:
    """Of several annotators each is the first of some pair and the second of another, so a confusion has no direction."""
    return [Pair(pair.conversation, *sorted((pair.a, pair.b), key=joined)) for pair in _all(strata)]


def _line(strata: Strata, codes: Sequence[_Code], n_utterances: int) -> Tree:
    pairs = _all(strata)
    several = Fraction(sum((len(pair.a) > 1) + (len(pair.b) > 1) for pair in pairs), 2 * len(pairs) or 1)
    often = macro(pairs, [code.used for code in codes if code.frequent])
    return {
        **_kappa(strata),
        "n_utterances": Figure(n_utterances),
        "headline": Figure("kappa_macro" if several > SEVERAL else "kappa"),
        **macro(pairs, [code.used for code in codes]),
        "kappa_macro_frequent": often["kappa_macro"], "kappa_macro_frequent_ci95": often["kappa_macro_ci95"],
        "n_codes_frequent": often["n_codes"],
        "mean_jaccard": Figure(oracles.mean_jaccard([pair.a for pair in pairs], [pair.b for pair in pairs]), SKLEARN),
        "share_several": Figure(float(several) if pairs else None),
    }  # fmt: skip


def _kappa(strata: Iterable[Stratum]) -> Tree:
    strata = list(strata)
    pairs, errors, agreed = _all(strata), book.errors(joint.pulls(strata)), joint.agreed(joint.counted(strata))
    return {
        "n_pairs": Figure(len(pairs)),
        "n_conversations": Figure(len({pair.conversation for pair in pairs})),
        "po": Figure(oracles.share_equal(*names_of(pairs)), SKLEARN),
        "pe": Figure(float(agreed.pe) if agreed.n else None),
        "kappa": Figure(number(agreed.kappa)),
        **{name: Figure(value) for name, value in errors._asdict().items()},
    }


def _codes_of(strata: Strata, n_utterances: int) -> list[_Code]:
    """Every code of a role."""
    found = []
    for code in book.names(_all(strata)):
        of_code = joint.yes_or_no(strata, code)
        agreed = joint.agreed(joint.counted(of_code))
        found.append(_Code(Used(code, _all(of_code), joint.pulls(of_code)), n_utterances, agreed.n * (1 - agreed.pe)))
    return found


def _codes(codes: Sequence[_Code]) -> Tree:
    whole = sum(code.weight for code in codes)
    costs = [code.weight * (1 - code.used.pulls.kappa) if code.used.pulls is not None else Fraction(0) for code in codes]
    lost = sum(costs)
    return {
        code.used.code: _code(code)
        | {"weight": Figure(float(code.weight / whole) if whole else 0.0), "cost": Figure(float(cost / lost) if lost else 0.0)}
        for code, cost in zip(codes, costs, strict=True)
    }


def _code(code: _Code) -> Tree:
    pairs, pulls, errors = code.used.pairs, code.used.pulls, book.errors(code.used.pulls)
    n_a, n_b, n_both = sum(pair.a for pair in pairs), sum(pair.b for pair in pairs), sum(pair.a and pair.b for pair in pairs)
    named = [str(pair.a) for pair in pairs], [str(pair.b) for pair in pairs]
    effect = None if errors.design_effect is None else errors.design_effect * float(code.alone)
    of_utterances = errors._replace(design_effect=effect)
    return {
        "n_a": Figure(n_a), "n_b": Figure(n_b), "n_both": Figure(n_both),
        "kappa": Figure(number(pulls.kappa if pulls else None)),
        "specific": Figure(oracles.specific(*named, "True"), SKLEARN),
        "few": Figure(not code.frequent),
        "design_effect": Figure(errors.design_effect),
        **interval(of_utterances, code.n_utterances, code.uses * code.alone, (code.uses - 2 * n_both) * code.alone),
    }  # fmt: skip
