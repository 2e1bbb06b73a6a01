"""What a lead reads first: all annotators together, per role and code, every pair, each against the rest, over rounds.

The figures are `joint`'s: stratified over pairs of annotators and roles, clustered by conversation. For two annotators they are those
of the pair's own block in the report.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from annotator.core.agreement import sets
from annotator.core.agreement.codes import EVERYWHERE, interval_of
from annotator.core.agreement.counts import Met, Ratings, Whole, met_of, numbered, used
from annotator.core.agreement.intervals import Errors
from annotator.core.agreement.joint import Figure, Strata, figures, figures_of, strata_of
from annotator.core.agreement.joint_codes import CodeSums, code_sums, macro
from annotator.core.agreement.judgement import Codes
from annotator.core.agreement.per_code import specific_agreement
from annotator.core.agreement.report import NO_CODE, SEVERAL
from annotator.core.agreement.sample import Sample

NO_CODE_OFTEN = "of no code are ten uses by each annotator expected"

Table = Mapping[tuple[Codes, Codes], int]


@dataclass(frozen=True)
class Pool:
    """All complete pairs of labels of a choice of ratings, and the sums of its codes per role: what every figure here is made of."""

    ratings: Ratings
    met: Met
    codes: Mapping[str, CodeSums]
    directed: bool
    """Whether the first of a pair is always the same person."""

    @cached_property
    def strata(self) -> Strata:
        """The pairs counted by annotators and role."""
        return strata_of(self.met)

    @property
    def roles(self) -> tuple[str, ...]:
        """The names of the roles, in order."""
        return self.ratings.roles


def pool_of(ratings: Ratings, of: str | None = None) -> Pool:
    """Pair the labels of every two annotators, or only those of one, who then comes first, with the others; skips are left out."""
    met = _pairs(ratings, of)
    codes = {role: code_sums(ratings.labels, met.where(met.role == at)) for at, role in enumerate(ratings.roles)}
    return Pool(ratings, met, codes, directed=of is not None or len(ratings.annotators) <= 2)


def _pairs(ratings: Ratings, of: str | None) -> Met:
    met = met_of(ratings)
    met = met.where(~met.skipped)
    if of is None:
        return met
    at = ratings.annotators.index(of) if of in ratings.annotators else -1
    met = met.where((met.first == at) | (met.second == at))
    turn = met.second == at
    swapped = ((met.second, met.first), (met.first, met.second), (met.b, met.a), (met.a, met.b))
    first, second, a, b = (np.where(turn, there, here) for there, here in swapped)
    return replace(met, first=first, second=second, a=a, b=b)


def overview_of(pool: Pool) -> dict[str, Any]:
    """The figures over all pairs of annotators in the pool together:

    {"n_annotators", "n_utterances", "directed", "headline", "stratified": LINE, "roles": {ROLE: LINE and its codes and confusions}}.

    A LINE has n_pairs (of labels), n_utterances, n_conversations, po, pe, kappa, se, ci95, se_iid, design_effect, kappa_macro with its
    se and ci95, kappa_macro_frequent (of the codes of which ten uses by each are expected) with its ci95, mean_jaccard, share_several,
    undefined. `headline` names the figure to read: "kappa", or "kappa_macro" where more than 5 % of
    labels hold several codes.
    """
    lines = _lines(pool)
    names, unit = pool.ratings.annotators, pool.met.unit
    annotators = [names[at] for at in used(pool.ratings.annotator).tolist()]
    return {
        "annotators": annotators,
        "n_annotators": len(annotators),
        "n_utterances": len(numbered(unit, int(unit.max(initial=-1)) + 1)[0]),
        "directed": pool.directed,
        "headline": lines["stratified"]["headline"],
        **lines,
    }


def _lines(pool: Pool) -> dict[str, Any]:
    strata = pool.strata
    whole, *of_roles = figures_of(strata, np.stack((np.zeros_like(strata.role), strata.role + 1)), len(pool.roles) + 1)
    tables = {role: table_of_role(pool, at) for at, role in enumerate(pool.roles)}
    together: Counter[tuple[Codes, Codes]] = Counter()
    for table in tables.values():
        together.update(table)
    stratified = _line(whole, list(pool.codes.values()), together)
    roles = {}
    for role, figure in zip(pool.roles, of_roles, strict=True):
        of_codes, why = codes_of(pool.codes[role])
        line = _line(figure, [pool.codes[role]], tables[role])
        undefined = line["undefined"] | {f"codes.{key}": reason for key, reason in why.items()}
        roles[role] = line | {"codes": of_codes, "confusions": confusions(pool, tables[role]), "agreed": agreed(tables[role])}
        roles[role]["undefined"] = undefined
    return {"stratified": stratified, "roles": roles}


def _line(figure: Figure, codes: Sequence[CodeSums], table: Table) -> dict[str, Any]:
    line = figure.line()
    value, errors, n_codes = macro(codes)
    often, often_errors, n_often = macro(codes, frequent=True)
    several = sets.share_of_several(table)
    if errors is None:
        why = dict.fromkeys(("kappa_macro", "kappa_macro_se", "kappa_macro_ci95"), line["undefined"].get("po", NO_CODE))
    else:
        why = {f"kappa_macro_{name}": reason for name, reason in errors.why.items() if name in ("se", "ci95")}
    if often_errors is None:
        why |= dict.fromkeys(("kappa_macro_frequent", "kappa_macro_frequent_ci95"), line["undefined"].get("po", NO_CODE_OFTEN))
    elif often_errors.ci95 is None:
        why["kappa_macro_frequent_ci95"] = often_errors.why["ci95"]
    why |= dict.fromkeys(("mean_jaccard", "share_several"), figure.reason) if not table else {}
    return line | {
        "n_utterances": sum(one.n_units for one in codes),
        "headline": "kappa_macro" if (several or 0) > SEVERAL else "kappa",
        "kappa_macro": value, "kappa_macro_se": errors and errors.se, "kappa_macro_ci95": errors and errors.ci95 and list(errors.ci95),
        "n_codes": n_codes,
        "kappa_macro_frequent": often,
        "kappa_macro_frequent_ci95": often_errors and often_errors.ci95 and list(often_errors.ci95), "n_codes_frequent": n_often,
        "mean_jaccard": sets.mean_jaccard(table), "share_several": several,
        "undefined": line["undefined"] | why,
    }  # fmt: skip


def table_of_role(pool: Pool, role: int) -> dict[tuple[Codes, Codes], int]:
    """{(label of the first, label of the second): how often} over all pairs of annotators."""
    labels, of_role = pool.ratings.labels, pool.met.role == role
    size = max(len(labels), 1)
    keys, place = numbered(pool.met.a[of_role] * size + pool.met.b[of_role], size**2)
    return {
        (labels[key // size], labels[key % size]): n for key, n in zip(keys.tolist(), np.bincount(place).tolist(), strict=True)
    }  # fmt: skip


def confusions(pool: Pool, table: Table) -> list[dict[str, Any]]:
    """The unequal pairs of labels, most frequent first: [{"a", "b", "n"}]. Where the pool is not directed `a` and `b` have no order,
    as everybody is the first of some pair and the second of another."""
    written = {label: "|".join(sorted(label)) for pair in table for label in pair}
    found: Counter[tuple[str, str]] = Counter()
    for (a, b), n in table.items():
        if a != b:
            names = (written[a], written[b])
            found[names if pool.directed else (min(names), max(names))] += n
    return [{"a": a, "b": b, "n": n} for (a, b), n in sorted(found.items(), key=lambda one: (-one[1], one[0]))]


def agreed(table: Table) -> dict[str, int]:
    """{label: how often both said it}, most frequent first."""
    found = {"|".join(sorted(a)): n for (a, b), n in table.items() if a == b}
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))


def codes_of(sums: CodeSums) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """{CODE: n_a, n_b, n_both, kappa, se, ci95, interval, design_effect, specific, weight, cost, few}, and reasons of undefined figures.

    `cost` is the share of the disagreement that lies with the code, its weight times 1 - kappa over their sum: what hurts most.
    n_a and n_b are sums over pairs of annotators, in the order of names. Whether a code is rare, and its interval by goodness of fit,
    goes by utterances: with three annotators each is in three pairs.
    """
    found: dict[str, dict[str, Any]] = {}
    undefined: dict[str, str] = {}
    defined, often, alone = ~np.isnan(sums.kappa), sums.frequent.tolist(), sums.alone
    whole, lost = float(sums.weight.sum()), np.where(defined, sums.weight * (1 - np.where(defined, sums.kappa, 0)), 0.0)
    for at, code in enumerate(sums.codes):
        n_a, n_b, n_both = (int(column[at]) for column in (sums.n_a, sums.n_b, sums.n_both))
        found[code] = {
            "n_a": n_a, "n_b": n_b, "n_both": n_both,
            "kappa": float(sums.kappa[at]) if defined[at] else None,
            "specific": specific_agreement(n_a, n_b, n_both),
            "weight": float(sums.weight[at]) / whole if whole else 0.0,
            "cost": float(lost[at] / lost.sum()) if lost.sum() > 0 else 0.0,
            "few": not often[at],
        }  # fmt: skip
        if not defined[at]:
            found[code] |= dict.fromkeys(("se", "ci95", "interval", "design_effect"))
            undefined |= {f"{code}.{name}": EVERYWHERE for name in ("kappa", "se", "ci95", "interval", "design_effect")}
            continue
        errors = sums.errors(at)
        of_units = replace(errors, design_effect=errors.design_effect and errors.design_effect * alone)
        limits = interval_of(of_units, sums.n_units, (n_a + n_b) * alone, (n_a + n_b - 2 * n_both) * alone)
        found[code] |= limits | {"design_effect": errors.design_effect}
        undefined |= _why(code, errors)
    return found, undefined


def _why(code: str, errors: Errors) -> dict[str, str]:
    why = {f"{code}.{name}": reason for name, reason in errors.why.items()}
    return why | ({f"{code}.interval": errors.why["ci95"]} if errors.ci95 is None else {})


def matrix(pool: Pool) -> list[dict[str, Any]]:
    """The stratified kappa of the whole label of every two annotators, those without an utterance in common too."""
    names = pool.ratings.annotators
    size = len(names)
    met = pool.met
    found = figures(met, np.minimum(met.first, met.second) * size + np.maximum(met.first, met.second), size * size)
    return [
        {"annotators": [names[a], names[b]], **found[a * size + b].line()}
        for a in range(size) for b in range(a + 1, size)
    ]  # fmt: skip


def rest(pool: Pool) -> list[dict[str, Any]]:
    """The stratified kappa of every annotator with all the others, who are as one: their margins are those of all that they said."""
    names, met = pool.ratings.annotators, pool.met
    columns = {name: np.tile(getattr(met, name), 2) for name in ("role", "conversation", "unit")}
    own, others = np.concatenate((met.first, met.second)), np.full(2 * len(met.a), len(names))
    found = figures(Met(own, others, a=np.concatenate((met.a, met.b)), b=np.concatenate((met.b, met.a)), **columns), own, len(names))
    return [{"annotator": name, **figure.line()} for name, figure in zip(names, found, strict=True)]


# What needs to know of rounds, repeats or conditions


def by_round(sample: Sample, of: str | None = None) -> list[dict[str, Any]]:
    """The stratified kappa of every round with two annotators or more, within which alone labels are paired, with the taxonomy versions
    and conditions in it."""
    first = sample.first
    found = _within(first, first.round, len(first.rounds), of)
    rows = []
    for at, (name, figure) in enumerate(zip(first.rounds, found, strict=True)):
        chosen = first.round == at
        if len(used(first.ratings.annotator[chosen])) < 2:
            continue
        told = {"taxonomy_versions": first.named("versions", chosen), "conditions": first.named("conditions", chosen)}
        rows.append({"round": name, **told, **figure.line()})
    return rows


def by_condition(sample: Sample, of: str | None = None) -> dict[str, dict[str, Any]]:
    """The stratified kappa of every condition, never of several together."""
    first = sample.first
    found = _within(first, first.condition, len(first.conditions), of)
    there = first.named("conditions")
    return {name: figure.line() for name, figure in zip(first.conditions, found, strict=True) if name in there}


def _within(sample: Sample, group: Whole, n_groups: int, of: str | None) -> list[Figure]:
    """A figure per group, in which only labels of one group and round meet."""
    n_rounds = max(len(sample.rounds), 1)
    size = n_groups * n_rounds
    met = _pairs(replace(sample.ratings, unit=sample.ratings.unit * size + group * n_rounds + sample.round), of)
    return figures(met, met.unit % size // n_rounds, n_groups)


def with_themselves(sample: Sample) -> list[dict[str, Any]]:
    """The kappa of every annotator with themselves: what they said at first, and when silently asked once more in the same round."""
    if not sample.repeat.any():
        return []
    ratings, n_rounds = sample.ratings, max(len(sample.rounds), 1)
    size = max(len(ratings.annotators), 1)
    unit = (ratings.unit * n_rounds + sample.round) * size + ratings.annotator
    met = met_of(replace(ratings, annotators=("first", "again"), annotator=sample.repeat.astype(np.int64), unit=unit))
    met = met.where(~met.skipped)
    found = figures(met, met.unit % size, len(ratings.annotators))
    return [{"annotator": name, **figure.line()} for name, figure in zip(ratings.annotators, found, strict=True) if figure.n]
