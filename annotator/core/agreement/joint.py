"""Many figures at once, each over any number of pairs of annotators: all of them, one against the rest, every pair, every round.

A figure is made of strata, one per two annotators and role, whose labels cannot be mixed: kappa is sum of n (po - pe) over the
strata / sum of n (1 - pe). pe is the sum over labels of the product of both annotators' margins, each over all pairs of labels of
that annotator and role in the figure, not only those with this partner: margins of a few utterances would take agreement for chance.
For two annotators and one role that is Cohen's kappa, for two annotators and all roles the stratified one of a pair. Errors are
clustered by conversation: an utterance that three people labelled makes three pairs, all in one cluster.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotator.core.agreement.coefficients import NO_PAIR, ONE_LABEL
from annotator.core.agreement.counts import Met, Real, Whole, numbered, totals
from annotator.core.agreement.intervals import Errors, errors_from
from annotator.core.agreement.margins import margins_of

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

    `expected` is n pe; `one_label` where both annotators used one and the same label only. Pairs of labels stand by conversation and
    then by stratum; the pull of one on a kappa k is `still` + k `moved`. `rows` are the places where a conversation's pairs of one
    stratum begin.
    """

    part: Whole
    role: Whole
    first: Whole
    second: Whole
    n: Real
    agreed: Real
    expected: Real
    one_label: NDArray[np.bool_]
    stratum: Whole
    conversation: Whole
    still: Real
    moved: Real
    rows: Whole


def strata_of(met: Met, part: Whole | None = None) -> Strata:
    """One stratum per two annotators and role, and per part where parts must not be mixed; skips must be out.

    Margins are of an annotator in one role and part. With T = pe + what the two labels move in the sum of n pe through the margins,
    a pair of labels pulls v = w - k - (1 - k) T on kappa, w = 1 where they agree; for two annotators that is the v of
    `intervals.cluster_errors`.
    """
    part = np.zeros(len(met.a), dtype=np.int64) if part is None else part
    n_annotators = int(max(met.first.max(initial=0), met.second.max(initial=0))) + 1
    n_roles, n_parts = (int(index.max(initial=0)) + 1 for index in (met.role, part))
    place = (part * n_roles + met.role) * n_annotators
    strata, stratum = numbered((place + met.first) * n_annotators + met.second, n_parts * n_roles * n_annotators**2)
    order = np.argsort(met.conversation * len(strata) + stratum, kind="stable")
    stratum, conversation, a, b = stratum[order], met.conversation[order], met.a[order], met.b[order]
    of_place, pair = strata // n_annotators**2, strata % n_annotators**2
    people = (of_place * n_annotators + pair // n_annotators, of_place * n_annotators + pair % n_annotators)
    n, agree = totals(stratum, np.ones(len(a)), len(strata)), a == b
    margins = margins_of(people, of_place, n, (stratum, a, b))
    rows = np.flatnonzero((np.diff(stratum, prepend=-1) != 0) | (np.diff(conversation, prepend=-1) != 0))
    return Strata(
        of_place // n_roles, of_place % n_roles, pair // n_annotators, pair % n_annotators, n, totals(stratum, agree, len(strata)),
        n * margins.pe, margins.one_label, stratum, conversation, agree - margins.moved, margins.moved - 1, rows,
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
    """The same of strata that are counted already: `figure` says to which each belongs, in several rows where it belongs to several.

    A figure must have all or none of the strata of a role and part, as margins are of these.
    """
    ways = np.atleast_2d(figure)

    def summed(of_strata: NDArray[Any]) -> Real:
        return np.asarray(sum(totals(way, of_strata, n_figures) for way in ways))

    above, below = summed(strata.agreed - strata.expected), summed(strata.n - strata.expected)
    n, agreed, n_strata = summed(strata.n), summed(strata.agreed), summed(np.ones(len(strata.n)))
    defined = summed(~strata.one_label) > 0
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
