"""How sure a kappa is: errors and intervals in which whole conversations, not utterances, are the sampling unit.

Utterances of one conversation are alike, so an error that takes each as a draw of its own is too small: in simulations its
"95 %" interval holds the truth 70 % of the time. Roles that cannot be confused are parts of one figure: one part is the
ordinary kappa, several give the stratified one. All follow from the cells; where a figure is undefined, so is its error.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from annotator.core.agreement.coefficients import NO_PAIR, ONE_LABEL, Kappa, stratified_kappa
from annotator.core.agreement.counts import Cells, Real, Whole, totals, used
from annotator.core.agreement.judgement import Codes
from annotator.core.agreement.student import t_quantile

ONE_CONVERSATION = "all pairs are of one conversation, and how conversations differ cannot be told from one"
NO_SPREAD = "the error is 0 when utterances are taken as independent, so there is nothing to compare with"


@dataclass(frozen=True, slots=True)
class Errors:
    """Standard errors of one figure: clustered by conversation, with the interval, and as if utterances were independent.

    `design_effect` is how many times larger the variance is for the clustering. `why` has the reason of each that is None.
    """

    se: float | None
    ci95: tuple[float, float] | None
    se_iid: float | None
    design_effect: float | None
    why: dict[str, str]


def kappa_of(parts: Sequence[Cells]) -> Kappa:
    """Kappa of one part, stratified kappa of several."""
    kappas = [_cohen_kappa(part) for part in parts]
    return kappas[0] if len(kappas) == 1 else stratified_kappa(kappas)


def _cohen_kappa(part: Cells) -> Kappa:
    """`cohen_kappa` of the part's table, which need not be made for it."""
    n, agreed = int(part.n.sum()), int(part.n[part.a == part.b].sum())
    if n == 0:
        return Kappa(0, None, None, None, NO_PAIR)
    chance = int(totals(part.a, part.n, len(part.labels)) @ totals(part.b, part.n, len(part.labels)))
    if chance == n**2:
        return Kappa(n, agreed / n, 1.0, None, ONE_LABEL)
    return Kappa(n, agreed / n, chance / n**2, (agreed * n - chance) / (n**2 - chance))


def cluster_errors(parts: Sequence[Cells], found: Kappa | None = None) -> Errors:
    """The cluster-robust error of kappa, linearised, with t(G - 1), and its design effect.

    Each utterance pulls on kappa by v = w - (1 - k)(c_i + r_j) - (k - (1 - k) pe), w = 1 where the labels agree, and
    D = sum of n (1 - pe) over the parts. With u_g = sum of v over conversation g / D:
    se = sqrt(G / (G - 1) sum u_g²), ci95 = kappa ± t(G - 1) se, cut off at -1 and 1, and se_iid = sqrt(sum v²) / D, which for one
    part is that of Fleiss, Cohen and Everitt (1969). Undefined where kappa is; se also with one conversation.
    It agrees with leaving out a conversation at a time and with drawing conversations anew (`jackknife_error`, `bootstrap`).
    Source: Yang and Zhou (2015), Journal of Biopharmaceutical Statistics 25, 1023-1041; Kang et al. (2013), Statistics in
    Medicine 32, 3701-3719.

    >>> from annotator.core.agreement.counts import cells_of
    >>> x, y = frozenset("x"), frozenset("y")
    >>> errors = cluster_errors([cells_of([{(x, x): 9, (y, y): 8}, {(x, x): 7, (y, y): 6, (x, y): 4}, {(x, x): 9, (y, x): 1}])])
    >>> round(errors.se, 3), round(errors.se_iid, 3), round(errors.design_effect, 2)
    (0.166, 0.1, 2.72)
    """
    found = found or kappa_of(parts)
    if found.kappa is None:
        return Errors(None, None, None, None, dict.fromkeys(("se", "ci95", "se_iid", "design_effect"), found.reason))
    pulls, scale, square = [], 0.0, 0.0
    for part in parts:
        pull, of_part = _pull(part, found.kappa)
        scale += of_part
        square += float((part.n * pull**2).sum())
        pulls.append(part.n * pull)
    conversation = np.concatenate([part.conversation for part in parts])
    clusters = totals(conversation, np.concatenate(pulls), 0) / scale
    return errors_from(found.kappa, clusters, len(used(conversation)), sqrt(square) / scale)


def _pull(part: Cells, kappa: float) -> tuple[Real, float]:
    n = part.n.sum()
    if n == 0:
        return np.empty(0), 0.0
    rows = totals(part.a, part.n, len(part.labels)) / n
    columns = totals(part.b, part.n, len(part.labels)) / n
    pe = float(rows @ columns)
    pull = (part.a == part.b) - (1 - kappa) * (columns[part.a] + rows[part.b]) - (kappa - (1 - kappa) * pe)
    return pull, float(n) * (1 - pe)


def errors_from(value: float, clusters: Real, n_clusters: int, se_iid: float) -> Errors:
    """Errors of a figure from what each conversation pulls on it, and its error as if utterances were independent."""
    if n_clusters < 2:
        return Errors(None, None, se_iid, None, dict.fromkeys(("se", "ci95", "design_effect"), ONE_CONVERSATION))
    se = sqrt(n_clusters / (n_clusters - 1) * float(clusters @ clusters))
    # With full agreement both are 0, with conversations that are all alike the first, but for what floating point leaves.
    if se_iid < 1e-9:
        return Errors(0.0, (value, value), 0.0, None, {"design_effect": NO_SPREAD})
    se = 0.0 if se < 1e-12 else se
    return Errors(se, around(value, se, n_clusters), se_iid, (se / se_iid) ** 2, {})


def around(value: float, se: float, n_clusters: int) -> tuple[float, float]:
    """The 95 % interval value ± t(G - 1) se, cut off at -1 and 1."""
    reach = t_quantile(n_clusters - 1) * se
    return max(-1.0, value - reach), min(1.0, value + reach)


# Per code, all codes at once


@dataclass(frozen=True, slots=True)
class Uses:
    """How often codes were used in each conversation: `n` utterances, and per code (a column) by A, by B and by both."""

    codes: tuple[str, ...]
    n: Real
    a: Real
    b: Real
    both: Real


def uses_of(cells: Cells, n_conversations: int) -> Uses:
    """The uses of every code that either annotator used."""
    codes, holds = holding(cells.labels, np.concatenate((cells.a, cells.b)))

    def per_conversation(cell: Whole, code: Whole) -> Real:
        place = cells.conversation[cell] * len(codes) + code
        return totals(place, cells.n[cell], n_conversations * len(codes)).reshape(n_conversations, len(codes))

    n = totals(cells.conversation, cells.n, n_conversations)
    cell, code = held_by(cells.a, holds)
    shared = holds[cells.b[cell], code]
    by_a, by_b = per_conversation(cell, code), per_conversation(*held_by(cells.b, holds))
    return Uses(codes, n, by_a, by_b, per_conversation(cell[shared], code[shared]))


def holding(labels: Sequence[Codes], said: Whole) -> tuple[tuple[str, ...], NDArray[np.bool_]]:
    """The codes of the labels that were said, in order, and which label (a row) holds which of them (a column)."""
    there = np.zeros(len(labels), dtype=bool)
    there[said] = True
    codes = tuple(sorted(frozenset().union(*(labels[at] for at in np.flatnonzero(there).tolist()))))
    return codes, np.array([[code in label for code in codes] for label in labels], dtype=bool).reshape(len(labels), len(codes))


def held_by(label: Whole, holds: NDArray[np.bool_]) -> tuple[Whole, Whole]:
    """Every code of every label: the label's place and the code's, `holds[label]` without the many places where nothing is."""
    of_label, codes = np.nonzero(holds)
    sizes = np.bincount(of_label, minlength=len(holds))
    start = np.cumsum(sizes) - sizes
    cell = np.repeat(np.arange(len(label)), sizes[label])
    within = np.arange(len(cell)) - np.repeat(np.cumsum(sizes[label]) - sizes[label], sizes[label])
    return cell, codes[start[label[cell]] + within]


def code_pulls(uses: Uses) -> tuple[Real, Real, Real]:
    """Kappa of each code against the rest (nan where undefined), what each conversation pulls on it, and its se_iid."""
    n, a, b, both = uses.n.sum(), uses.a.sum(axis=0), uses.b.sum(axis=0), uses.both.sum(axis=0)
    kappa = _kappa_of_code(n, a, b, both)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = n - (a * b + (n - a) * (n - b)) / n
        pulls = pulls_on_code(kappa, n, a, b)
        clusters: Real = uses.n[:, None] * pulls.neither
        for count, more in ((uses.a, pulls.more_a), (uses.b, pulls.more_b), (uses.both, 2)):
            clusters += count * more
        clusters /= scale
        return kappa, clusters, np.sqrt(pulls.squared(n, a, b, both)) / scale


class CodePulls(NamedTuple):
    """What a pair of labels pulls on the kappa of a code that neither holds, how much more where the first holds it, and the second.

    Where both do it is 2 more than both together.
    """

    neither: Real
    more_a: Real
    more_b: Real

    def squared(self, n: Real | float, a: Real, b: Real, both: Real) -> Real:
        """The sum of the squares over n pairs of labels, of which so many hold it."""
        one, other = self.neither + self.more_a, self.neither + self.more_b
        pulls = ((n - a - b + both, self.neither), (a - both, one), (b - both, other), (both, one + self.more_b + 2))
        return np.asarray(sum(count * pull**2 for count, pull in pulls))


def pulls_on_code(kappa: Real, n: Real | float, a: Real, b: Real) -> CodePulls:
    """From kappa, and how many of n pairs of labels hold the code first and second: v of `cluster_errors`, with labels yes and no."""
    r, c, rest = a / n, b / n, 1 - kappa
    pe = r * c + (1 - r) * (1 - c)
    return CodePulls(rest * (c + r + pe - 1), rest * (1 - 2 * c) - 1, rest * (1 - 2 * r) - 1)


def _kappa_of_code(n: Real | float, a: Real, b: Real, both: Real) -> Real:
    chance = a * b + (n - a) * (n - b)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(((n - a - b + 2 * both) * n - chance) / (n * n - chance))


def errors_of_codes(uses: Uses) -> dict[str, Errors]:
    """`cluster_errors` of every code's kappa against the rest; those of an undefined kappa are absent."""
    kappa, clusters, se_iid = code_pulls(uses)
    present = int((uses.n > 0).sum())
    return {
        code: errors_from(float(kappa[at]), clusters[:, at], present, float(se_iid[at]))
        for at, code in enumerate(uses.codes)
        if not np.isnan(kappa[at])
    }


def macro_errors(parts: Sequence[Uses]) -> tuple[float | None, Errors | None, int]:
    """The mean of the codes' kappas over all parts, its clustered errors (their se_iid means nothing), and how many codes went in.

    What a conversation pulls on the mean is the mean of what it pulls on each. None without a code whose kappa is defined.
    """
    found = [code_pulls(part) for part in parts]
    kappa = np.concatenate([one[0] for one in found]) if found else np.empty(0)
    defined = ~np.isnan(kappa)
    if not defined.any():
        return None, None, 0
    clusters = np.hstack([one[1] for one in found])[:, defined].mean(axis=1)
    present = int((np.sum([part.n for part in parts], axis=0) > 0).sum())
    value = float(kappa[defined].mean())
    return value, errors_from(value, clusters, present, inf), int(defined.sum())
