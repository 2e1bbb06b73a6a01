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

from annotator.core.agreement.coefficients import NO_PAIR, ONE_LABEL
from annotator.core.agreement.counts import Cells, Met, Real, Whole, totals
from annotator.core.agreement.intervals import Errors, Uses, errors_from, uses_of
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
    if not len(met.a):
        return [_no_pair() for _ in range(n_figures)]
    sums = _strata(met, figure)
    above = totals(sums.figure, sums.agreed - sums.chance / sums.n, n_figures)
    below = totals(sums.figure, sums.n - sums.chance / sums.n, n_figures)
    n, agreed = totals(sums.figure, sums.n, n_figures), totals(sums.figure, sums.agreed, n_figures)
    # Whole numbers tell exactly whether chance agreement is 1 in all strata of a figure.
    defined = totals(sums.figure, sums.chance < sums.n**2, n_figures) > 0
    kappa = np.where(defined, above / np.where(defined, below, 1.0), np.nan)
    pull = sums.pulls(kappa[figure])
    square = totals(figure, pull**2, n_figures)
    clusters, owner = _per_conversation(figure, met.conversation, pull)
    starts = np.searchsorted(owner, np.arange(n_figures + 1))
    found = []
    for at in range(n_figures):
        if n[at] == 0:
            found.append(_no_pair())
            continue
        of = clusters[starts[at] : starts[at + 1]]
        po, pe = agreed[at] / n[at], 1 - below[at] / n[at]
        if not defined[at]:
            reason = ONE_LABEL if (sums.figure == at).sum() == 1 else EVERYWHERE_ONE
            found.append(Figure(int(n[at]), len(of), po, pe, None, _no_errors(reason), reason))
        else:
            errors = errors_from(float(kappa[at]), of / below[at], len(of), float(square[at]) ** 0.5 / float(below[at]))
            found.append(Figure(int(n[at]), len(of), float(po), float(pe), float(kappa[at]), errors))
    return found


def _no_pair() -> Figure:
    return Figure(0, 0, None, None, None, _no_errors(NO_PAIR), NO_PAIR)


def _no_errors(reason: str) -> Errors:
    return Errors(None, None, None, None, dict.fromkeys(("se", "ci95", "se_iid", "design_effect"), reason))


@dataclass(frozen=True, slots=True)
class _Strata:
    """Sums per stratum, and for each pair of labels its stratum, whether they agree, and the two margins that chance takes."""

    figure: Whole
    n: Real
    agreed: Real
    chance: Real
    stratum: Whole
    agree: Real
    margins: Real

    def pulls(self, kappa: Real) -> Real:
        """What each pair of labels pulls on its figure, see `intervals.cluster_errors`; `kappa` is its figure's."""
        pe = (self.chance / self.n**2)[self.stratum]
        rest = 1 - kappa
        return np.asarray(self.agree - rest * self.margins - (kappa - rest * pe))


def _strata(met: Met, figure: Whole) -> _Strata:
    n_annotators, n_roles = int(max(met.first.max(), met.second.max())) + 1, int(met.role.max()) + 1
    key = ((figure * n_roles + met.role) * n_annotators + met.first) * n_annotators + met.second
    strata, stratum = np.unique(key, return_inverse=True)
    size, n_labels = len(strata), int(max(met.a.max(), met.b.max())) + 1
    used, place = np.unique(np.concatenate((stratum * n_labels + met.a, stratum * n_labels + met.b)), return_inverse=True)
    by_a, by_b = np.bincount(place[: len(met.a)], minlength=len(used)), np.bincount(place[len(met.a) :], minlength=len(used))
    n, agree = totals(stratum, np.ones(len(stratum)), size), (met.a == met.b).astype(np.float64)
    other = (by_b[place[: len(met.a)]] + by_a[place[len(met.a) :]]) / n[stratum]
    chance = totals(used // n_labels, by_a * by_b, size)
    return _Strata(strata // (n_roles * n_annotators**2), n, totals(stratum, agree, size), chance, stratum, agree, other)


def _per_conversation(figure: Whole, conversation: Whole, pull: Real) -> tuple[Real, Whole]:
    """The sum of pulls per figure and conversation, in the order of figures, and the figure of each."""
    size = int(conversation.max()) + 1
    keys, place = np.unique(figure * size + conversation, return_inverse=True)
    return totals(place, pull, len(keys)), keys // size


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
    n_annotators = int(met.second.max(initial=-1)) + 1
    size = int(met.conversation.max(initial=-1)) + 1
    pair = met.first * n_annotators + met.second
    groups, group = np.unique(pair * size + met.conversation, return_inverse=True)
    uses = uses_of(Cells(labels, group, met.a, met.b, np.ones(len(group), dtype=np.int64)), len(groups))
    starts = np.flatnonzero(np.diff(groups // max(size, 1), prepend=-1))
    stratum = np.cumsum(np.diff(groups // max(size, 1), prepend=-1) != 0) - 1
    conversations, conversation = np.unique(groups % max(size, 1), return_inverse=True)
    return _code_sums(uses, starts, stratum, (conversations, conversation))


def _code_sums(uses: Uses, starts: Whole, stratum: Whole, clusters: tuple[Whole, Whole]) -> CodeSums:
    """`starts` are the first rows of the strata, `stratum` that of each row, `clusters` the conversations and that of each row."""
    conversations, conversation = clusters
    if not len(starts):
        empty = np.empty(0)
        return CodeSums((), 0, empty, empty, empty, empty, empty, conversations, np.empty((0, 0)), empty)
    n = np.add.reduceat(uses.n, starts)[:, None]
    a, b, both = (np.add.reduceat(column, starts, axis=0) for column in (uses.a, uses.b, uses.both))
    chance = a * b + (n - a) * (n - b)
    weight = (n - chance / n).sum(axis=0)
    agreed = n - a - b + 2 * both
    defined = (chance < n**2).any(axis=0)
    kappa = np.where(defined, (agreed - chance / n).sum(axis=0) / np.where(defined, weight, 1.0), np.nan)
    with np.errstate(invalid="ignore"):
        r, c, pe, rest = a / n, b / n, chance / n**2, 1 - kappa
        centre = kappa - rest * pe
        pull = [1 - rest * (c + r) - centre, 1 - rest * (2 - c - r) - centre, -rest * (c + 1 - r) - centre, -rest * (1 - c + r) - centre]
        counts = [uses.both, uses.n[:, None] - uses.a - uses.b + uses.both, uses.a - uses.both, uses.b - uses.both]
        rows = sum(count * of_cell[stratum] for count, of_cell in zip(counts, pull, strict=True))
        square = sum((np.add.reduceat(count, starts, axis=0) * of_cell**2).sum(axis=0) for count, of_cell in zip(counts, pull, strict=True))
        order = np.argsort(conversation, kind="stable")
        first = np.searchsorted(conversation[order], np.arange(len(conversations)))
        per_conversation = np.add.reduceat(np.asarray(rows)[order], first, axis=0) / np.where(defined, weight, np.nan)
        se_iid = np.sqrt(square) / weight
    return CodeSums(
        uses.codes, int(n.sum()), a.sum(axis=0), b.sum(axis=0), both.sum(axis=0), kappa, weight, conversations, per_conversation, se_iid
    )


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


