"""Many figures at once, each over any number of pairs of annotators: all of them, one against the rest, every pair, every round.

A figure is made of strata, one per pair of annotators and role, whose labels or margins cannot be mixed: kappa is
sum of n (po - pe) over the strata / sum of n (1 - pe), with each stratum's own margins. For two annotators and one role that is
Cohen's kappa, for two annotators and all roles the stratified one of a pair. Errors are clustered by conversation: an utterance that
three people labelled makes three pairs, all in one cluster. Everything is one pass over the pairs of labels, however many figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotator.core.agreement.coefficients import NO_PAIR, ONE_LABEL
from annotator.core.agreement.counts import Met, Real, Whole, numbered, totals
from annotator.core.agreement.intervals import CodePulls, Errors, errors_from, held_by, holding, pulls_on_code
from annotator.core.agreement.judgement import Codes

EVERYWHERE_ONE = "in every pair of annotators and role both used one label only, so chance agreement is 1"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: how many pairs of labels and conversations it rests on, observed and chance agreement, kappa and its errors."""

    n: int
    n_conversations: int
    po: float | None
    pe: float | None
    kappa: float | None
    errors: Errors
    reason: str = ""

    def line(self) -> dict[str, Any]:
        """As reports hold it; `n_pairs` is the number of pairs of labels."""
        errors = self.errors
        why = dict.fromkeys(("kappa", "po", "pe") if self.n == 0 else ("kappa",), self.reason) if self.reason else {}
        return {
            "n_pairs": self.n, "n_conversations": self.n_conversations,
            "po": self.po, "pe": self.pe, "kappa": self.kappa,
            "se": errors.se, "ci95": errors.ci95 and list(errors.ci95), "se_iid": errors.se_iid, "design_effect": errors.design_effect,
            "undefined": why | errors.why,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Strata:
    """Pairs of labels counted by stratum: which annotators, role and part it is of, sums, and what each pair of labels pulls on kappa.

    `chance` is the sum over labels of the product of both margins. Pairs of labels stand by conversation and then by stratum; the
    pull of one on a kappa k is `still` + k `moved`, see `intervals.cluster_errors`. `rows` are the places where a conversation's
    pairs of one stratum begin.
    """

    part: Whole
    role: Whole
    first: Whole
    second: Whole
    n: Real
    agreed: Real
    chance: Real
    stratum: Whole
    conversation: Whole
    still: Real
    moved: Real
    rows: Whole


def strata_of(met: Met, part: Whole | None = None) -> Strata:
    """One stratum per two annotators and role, and per part where parts must not be mixed; skips must be out."""
    part = np.zeros(len(met.a), dtype=np.int64) if part is None else part
    n_annotators = int(max(met.first.max(initial=0), met.second.max(initial=0))) + 1
    n_roles, n_parts = (int(index.max(initial=0)) + 1 for index in (met.role, part))
    key = ((part * n_roles + met.role) * n_annotators + met.first) * n_annotators + met.second
    strata, stratum = numbered(key, n_parts * n_roles * n_annotators**2)
    order = np.argsort(met.conversation * len(strata) + stratum, kind="stable")
    stratum, conversation, a, b = stratum[order], met.conversation[order], met.a[order], met.b[order]
    n_labels = int(max(a.max(initial=0), b.max(initial=0))) + 1
    used, place = numbered(np.concatenate((stratum * n_labels + a, stratum * n_labels + b)), len(strata) * n_labels)
    by_a, by_b = (np.bincount(of, minlength=len(used)) for of in (place[: len(a)], place[len(a) :]))
    n, agree = totals(stratum, np.ones(len(a)), len(strata)), a == b
    chance = totals(used // n_labels, by_a * by_b, len(strata))
    margins = (by_b[place[: len(a)]] + by_a[place[len(a) :]]) / n[stratum]
    pe = (chance / n**2)[stratum]
    rows = np.flatnonzero((np.diff(stratum, prepend=-1) != 0) | (np.diff(conversation, prepend=-1) != 0))
    pair, role = strata % n_annotators**2, strata // n_annotators**2
    return Strata(
        role // n_roles, role % n_roles, pair // n_annotators, pair % n_annotators, n, totals(stratum, agree, len(strata)), chance,
        stratum, conversation, agree - margins + pe, margins - 1 - pe, rows,
    )  # fmt: skip


def figures(met: Met, figure: Whole, n_figures: int) -> list[Figure]:
    """Kappa of every figure, `figure` saying to which each pair of labels belongs; skips must be out.

    >>> from annotator.core.agreement.counts import gather, met_of
    >>> from annotator.core.agreement.judgement import Judgement
    >>> said = [("ana", "1", "x"), ("ben", "1", "x"), ("ana", "2", "y"), ("ben", "2", "y"), ("ana", "3", "x"), ("ben", "3", "y")]
    >>> met = met_of(gather(Judgement(who, f"c{at}", at, "Seeker", frozenset(code)) for who, at, code in said))
    >>> (found,) = figures(met, np.zeros(3, dtype=np.int64), 1)
    >>> found.n, round(found.kappa, 3)
    (3, 0.4)
    """
    strata = strata_of(met, figure)
    return figures_of(strata, strata.part, n_figures)


def figures_of(strata: Strata, figure: Whole, n_figures: int) -> list[Figure]:
    """The same of strata that are counted already: `figure` says to which each belongs, in several rows where it belongs to several."""
    ways = np.atleast_2d(figure)
    chance = strata.chance / strata.n

    def summed(of_strata: NDArray[Any]) -> Real:
        return np.asarray(sum(totals(way, of_strata, n_figures) for way in ways))

    above, below = summed(strata.agreed - chance), summed(strata.n - chance)
    n, agreed, n_strata = summed(strata.n), summed(strata.agreed), summed(np.ones(len(strata.n)))
    # Whole numbers tell exactly whether chance agreement is 1 in all strata of a figure.
    defined = summed(strata.chance < strata.n**2) > 0
    kappa = np.where(defined, above / np.where(defined, below, 1.0), np.nan)
    square, clusters, starts = _pulled(strata, ways, kappa)
    found = []
    for at in range(n_figures):
        if n[at] == 0:
            found.append(_no_pair())
            continue
        of = clusters[starts[at] : starts[at + 1]]
        po, pe = agreed[at] / n[at], 1 - below[at] / n[at]
        if not defined[at]:
            reason = ONE_LABEL if n_strata[at] == 1 else EVERYWHERE_ONE
            found.append(Figure(int(n[at]), len(of), po, pe, None, _no_errors(reason), reason))
        else:
            errors = errors_from(float(kappa[at]), of / below[at], len(of), float(square[at]) ** 0.5 / float(below[at]))
            found.append(Figure(int(n[at]), len(of), float(po), float(pe), float(kappa[at]), errors))
    return found


def _pulled(strata: Strata, ways: Whole, kappa: Real) -> tuple[Real, Real, Whole]:
    """The sum of squared pulls of every figure; the pull of every figure's conversations, figure by figure, and where each begins."""
    if not len(strata.stratum):
        return np.zeros(len(kappa)), np.empty(0), np.zeros(len(kappa) + 1, dtype=np.int64)
    square, rows = np.zeros(len(kappa)), []
    for way in ways:
        of_pair = kappa[way][strata.stratum]
        pull = strata.still + of_pair * strata.moved
        square += totals(way, totals(strata.stratum, pull**2, len(way)), len(kappa))
        rows.append(np.add.reduceat(pull, strata.rows))
    conversation, size = strata.conversation[strata.rows], int(strata.conversation.max()) + 1
    key = np.concatenate([way[strata.stratum[strata.rows]] * size + conversation for way in ways])
    clusters, place = numbered(key, len(kappa) * size)
    return square, totals(place, np.concatenate(rows), len(clusters)), np.searchsorted(clusters, np.arange(len(kappa) + 1) * size)


def _no_pair() -> Figure:
    return Figure(0, 0, None, None, None, _no_errors(NO_PAIR), NO_PAIR)


def _no_errors(reason: str) -> Errors:
    return Errors(None, None, None, None, dict.fromkeys(("se", "ci95", "se_iid", "design_effect"), reason))


# Per code


@dataclass(frozen=True, slots=True)
class CodeSums:
    """Codes of one role over pairs of annotators: uses in all, kappa (nan where undefined), and what each conversation pulls on it.

    Rows of `clusters` are the conversations of the role, `conversation` says which; columns are the codes.
    """

    codes: tuple[str, ...]
    n: int
    n_a: Real
    n_b: Real
    n_both: Real
    kappa: Real
    weight: Real
    conversation: Whole
    clusters: Real
    se_iid: Real

    def errors(self, at: int) -> Errors:
        """Errors of one code's kappa, which must be defined."""
        return errors_from(float(self.kappa[at]), self.clusters[:, at], len(self.conversation), float(self.se_iid[at]))


def code_sums(labels: tuple[Codes, ...], met: Met) -> CodeSums:
    """Kappa of each code against the rest, stratified over pairs of annotators; the pairs of labels are of one role, without skips.

    `weight` is sum of n (1 - pe): how much the code counts in the kappa of the whole label where labels are single codes.
    """
    if not len(met.a):
        empty = np.empty(0)
        return CodeSums((), 0, empty, empty, empty, empty, empty, np.empty(0, dtype=np.int64), np.empty((0, 0)), empty)
    n_annotators = int(max(met.first.max(), met.second.max())) + 1
    pairs, pair = numbered(met.first * n_annotators + met.second, n_annotators**2)
    uses = _Uses.of(labels, met, pair, len(pairs))
    n, a, b, both = uses.n, uses.a, uses.b, uses.both
    chance = a * b + (n - a) * (n - b)
    weight, agreed = (n - chance / n).sum(axis=0), n - a - b + 2 * both
    defined = (chance < n**2).any(axis=0)
    kappa = np.where(defined, (agreed - chance / n).sum(axis=0) / np.where(defined, weight, 1.0), np.nan)
    pulls = pulls_on_code(kappa, n, a, b)
    square = pulls.squared(n, a, b, both).sum(axis=0)
    conversations, clusters = uses.by_conversation(met.conversation, pair, pulls)
    with np.errstate(invalid="ignore"):
        clusters, se_iid = clusters / np.where(defined, weight, np.nan), np.sqrt(square) / np.where(defined, weight, np.nan)
    return CodeSums(
        uses.codes, int(n.sum()), a.sum(axis=0), b.sum(axis=0), both.sum(axis=0), kappa, weight, conversations, clusters, se_iid
    )


@dataclass(frozen=True, slots=True)
class _Uses:
    """The uses of codes: places of the pairs of labels whose first and second label hold a code, which code, and those of both;
    `n` pairs of labels, and per code (a column) uses by the first, the second and both, a row per two annotators.
    """

    codes: tuple[str, ...]
    held: tuple[tuple[Whole, Whole], ...]
    n: Real
    a: Real
    b: Real
    both: Real

    @classmethod
    def of(cls, labels: tuple[Codes, ...], met: Met, pair: Whole, n_pairs: int) -> "_Uses":
        codes, holds = holding(labels, np.concatenate((met.a, met.b)))
        (at, code), of_b = held_by(met.a, holds), held_by(met.b, holds)
        shared = holds[met.b[at], code]
        held = ((at, code), of_b, (at[shared], code[shared]))
        a, b, both = (totals(pair[at] * len(codes) + code, np.ones(len(at)), n_pairs * len(codes)) for at, code in held)
        shape = (n_pairs, len(codes))
        return cls(codes, held, totals(pair, np.ones(len(pair)), n_pairs)[:, None], a.reshape(shape), b.reshape(shape), both.reshape(shape))

    def by_conversation(self, conversation: Whole, pair: Whole, pulls: CodePulls) -> tuple[Whole, Real]:
        """The conversations, and what each pulls on every code."""
        neither = pulls.neither
        names, place = numbered(conversation, int(conversation.max()) + 1)
        rows, n = np.unique(place * len(neither) + pair, return_counts=True)
        starts = np.searchsorted(rows, np.arange(len(names)) * len(neither))
        found: Real = np.add.reduceat(n[:, None] * neither[rows % len(neither)], starts, axis=0)
        size = len(self.codes)
        for (at, code), weights in zip(self.held, (pulls.more_a, pulls.more_b, np.full_like(neither, 2.0)), strict=True):
            found += totals(place[at] * size + code, weights[pair[at], code], len(names) * size).reshape(len(names), size)
        return names, found


def macro(parts: Sequence[CodeSums]) -> tuple[float | None, Errors | None, int]:
    """The mean of the kappas of all codes, its errors, and how many codes went in; see `intervals.macro_errors`."""
    kappa = np.concatenate([part.kappa for part in parts]) if parts else np.empty(0)
    defined = ~np.isnan(kappa)
    if not defined.any():
        return None, None, 0
    conversations = np.unique(np.concatenate([part.conversation for part in parts]))
    clusters = np.zeros(len(conversations))
    for part in parts:
        if part.codes:
            clusters[np.searchsorted(conversations, part.conversation)] += np.nansum(part.clusters, axis=1)
    value, n_codes = float(kappa[defined].mean()), int(defined.sum())
    return value, errors_from(value, clusters / n_codes, len(conversations), inf), n_codes
