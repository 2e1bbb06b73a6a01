"""Codes at once over any number of pairs of annotators: kappa of each against the rest, and their mean. See `joint`."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from annotator.core.agreement.codes import FEW
from annotator.core.agreement.counts import Met, Real, Whole, numbered, totals, used
from annotator.core.agreement.intervals import CodePulls, Errors, errors_from, held_by, holding
from annotator.core.agreement.judgement import Codes
from annotator.core.agreement.margins import CodeMargins, code_margins


@dataclass(frozen=True, slots=True)
class CodeSums:
    """Codes of one role over pairs of annotators: uses in all, kappa (nan where undefined), and what each conversation pulls on it.

    Rows of `clusters` are the conversations of the role, `conversation` says which; columns are the codes. Of `n_units` utterances
    are the `n` pairs of labels.
    """

    codes: tuple[str, ...]
    n: int
    n_units: int
    n_a: Real
    n_b: Real
    n_both: Real
    kappa: Real
    weight: Real
    conversation: Whole
    clusters: Real
    se_iid: Real

    @property
    def alone(self) -> float:
        """What a pair of labels counts where each utterance counts once: labels of three people make three pairs, which are no three
        observations.
        """
        return self.n_units / self.n if self.n else 1.0

    @property
    def frequent(self) -> NDArray[np.bool_]:
        """The codes of which more than a `FEW` uses are expected of each annotator."""
        return np.asarray((self.n_a + self.n_b) * self.alone >= 2 * FEW)

    def errors(self, at: int) -> Errors:
        """Errors of one code's kappa, which must be defined."""
        return errors_from(float(self.kappa[at]), self.clusters[:, at], len(self.conversation), float(self.se_iid[at]))


def code_sums(labels: tuple[Codes, ...], met: Met) -> CodeSums:
    """Kappa of each code against the rest, stratified over pairs of annotators; the pairs of labels are of one role, without skips.

    `weight` is sum of n (1 - pe): how much the code counts in the kappa of the whole label where labels are single codes.
    """
    if not len(met.a):
        empty = np.empty(0)
        return CodeSums((), 0, 0, empty, empty, empty, empty, empty, np.empty(0, dtype=np.int64), np.empty((0, 0)), empty)
    n_annotators = int(max(met.first.max(), met.second.max())) + 1
    pairs, pair = numbered(met.first * n_annotators + met.second, n_annotators**2)
    uses = _Uses.of(labels, met, pair, len(pairs))
    n, a, b, both = uses.n, uses.a, uses.b, uses.both
    margins = code_margins((pairs // n_annotators, pairs % n_annotators), n, a, b, n_annotators)
    agreed, expected = n - a - b + 2 * both, n * margins.pe
    weight, defined = (n - expected).sum(axis=0), ~margins.one_label.all(axis=0)
    kappa = np.where(defined, (agreed - expected).sum(axis=0) / np.where(defined, weight, 1.0), np.nan)
    pulls = _pulls(kappa, margins)
    square = pulls.squared(n, a, b, both).sum(axis=0)
    conversations, clusters = uses.by_conversation(met.conversation, pair, pulls)
    with np.errstate(invalid="ignore"):
        clusters, se_iid = clusters / np.where(defined, weight, np.nan), np.sqrt(square) / np.where(defined, weight, np.nan)
    return CodeSums(
        uses.codes, int(n.sum()), len(used(met.unit)), a.sum(axis=0), b.sum(axis=0), both.sum(axis=0), kappa, weight, conversations,
        clusters, se_iid,
    )  # fmt: skip


def _pulls(kappa: Real, margins: CodeMargins) -> CodePulls:
    """v of `joint.strata_of`, with labels yes and no."""
    rest = 1 - kappa
    return CodePulls(rest * (1 - margins.pe - margins.none_a - margins.none_b), -1 - rest * margins.more_a, -1 - rest * margins.more_b)


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


def macro(parts: Sequence[CodeSums], *, frequent: bool = False) -> tuple[float | None, Errors | None, int]:
    """The mean of the kappas of all codes, or of those used often enough, its errors, and how many codes went in; see
    `intervals.macro_errors`. A code used once or twice has a kappa of 0 or 1 and weighs as much as any other.
    """
    kappa = np.concatenate([np.where(part.frequent, part.kappa, np.nan) if frequent else part.kappa for part in parts] or [np.empty(0)])
    defined = ~np.isnan(kappa)
    if not defined.any():
        return None, None, 0
    conversations = np.unique(np.concatenate([part.conversation for part in parts]))
    clusters = np.zeros(len(conversations))
    for part in parts:
        if part.codes:
            of_codes = part.clusters[:, part.frequent] if frequent else part.clusters
            clusters[np.searchsorted(conversations, part.conversation)] += np.nansum(of_codes, axis=1)
    value, n_codes = float(kappa[defined].mean()), int(defined.sum())
    return value, errors_from(value, clusters / n_codes, len(conversations), inf), n_codes
