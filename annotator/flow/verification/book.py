"""The figures that no library has, by the book: in whole numbers and fractions, straight from the formulas, however slow.

They check the fast ones of `core/agreement`, so nothing of it is used here. Fractions are exact: chance agreement is 1, or an error
0, only where it is.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from itertools import combinations
from math import sqrt
from typing import Any, NamedTuple

Codes = frozenset[str]
Table = Counter[tuple[Any, Any]]
"""How often the first annotator said the one and the second the other."""
Distance = Callable[[Any, Any], Fraction]
remembered = lru_cache(maxsize=1 << 18)
"""The same two sets meet again and again, and a fraction takes its time."""


class Pair(NamedTuple):
    """What two annotators said of one utterance."""

    conversation: str
    a: Any
    b: Any


class Agreed(NamedTuple):
    """Observed and chance agreement over n pairs; kappa, of whatever family, is (po - pe) / (1 - pe), None where that is nothing."""

    n: int
    po: Fraction = Fraction(0)
    pe: Fraction = Fraction(0)

    @property
    def kappa(self) -> Fraction | None:
        return None if self.n == 0 or self.pe == 1 else (self.po - self.pe) / (1 - self.pe)


def same(a: Any, b: Any) -> Fraction:
    """The distance of labels that are names only."""
    return Fraction(a != b)


@remembered
def jaccard(a: Codes, b: Codes) -> Fraction:
    """1 - shared / all codes; 0 for two empty sets."""
    return 1 - Fraction(len(a & b), len(a | b)) if a | b else Fraction(0)


@remembered
def masi(a: Codes, b: Codes) -> Fraction:
    """1 - Jaccard similarity * (1 for equal sets, 2/3 where one holds the other, 1/3 where they overlap); 0 for two empty sets.

    >>> masi(frozenset("A"), frozenset("AB")), masi(frozenset("AB"), frozenset("BC"))
    (Fraction(2, 3), Fraction(8, 9))
    """
    if a == b:
        return Fraction(0)
    return 1 - (1 - jaccard(a, b)) * (Fraction(2, 3) if a <= b or b <= a else Fraction(1, 3))


# The family of two annotators


def _margins(pairs: Sequence[Pair]) -> tuple[Counter[Any], Counter[Any]]:
    return Counter(pair.a for pair in pairs), Counter(pair.b for pair in pairs)


def _observed(pairs: Sequence[Pair]) -> Fraction:
    return Fraction(sum(pair.a == pair.b for pair in pairs), len(pairs))


def table(pairs: Iterable[Pair]) -> Table:
    """The pairs, counted."""
    return Counter((pair.a, pair.b) for pair in pairs)


def cohen(pairs: Sequence[Pair]) -> Agreed:
    """pe = sum over labels of the product of the two margins."""
    if not pairs:
        return Agreed(0)
    rows, columns = _margins(pairs)
    return Agreed(len(pairs), _observed(pairs), Fraction(sum(rows[label] * columns[label] for label in rows), len(pairs) ** 2))


def kappa_max(pairs: Sequence[Pair]) -> Agreed:
    """Chance as in `cohen`; observed is the most that the margins allow."""
    rows, columns = _margins(pairs)
    most = sum(min(rows[label], columns[label]) for label in rows)
    return cohen(pairs)._replace(po=Fraction(most, len(pairs) or 1))


def _means(pairs: Sequence[Pair]) -> list[Fraction]:
    """The mean of the two margins of every label."""
    return [Fraction(used, 2 * len(pairs)) for used in Counter(label for pair in pairs for label in (pair.a, pair.b)).values()]


def scott(pairs: Sequence[Pair]) -> Agreed:
    """pe = sum over labels of (mean of the two margins)²."""
    return Agreed(len(pairs), _observed(pairs), sum(mean**2 for mean in _means(pairs)) + Fraction(0)) if pairs else Agreed(0)


def bennett(pairs: Sequence[Pair], k: int) -> Agreed:
    """pe = 1 / k."""
    return Agreed(len(pairs), _observed(pairs), Fraction(1, k)) if pairs else Agreed(0)


def gwet(pairs: Sequence[Pair], k: int) -> Agreed:
    """pe = sum over labels of m (1 - m) / (k - 1), m the mean of the two margins; 1 where there is one code to choose from."""
    if not pairs:
        return Agreed(0)
    chance = sum(mean * (1 - mean) for mean in _means(pairs)) / Fraction(k - 1) if k > 1 else Fraction(1)
    return Agreed(len(pairs), _observed(pairs), chance)


def krippendorff(pairs: Sequence[Pair], distance: Distance = same) -> Agreed:
    """po = 1 - mean distance of the two labels of an utterance, pe = 1 - mean distance of any two of all 2n labels."""
    if not pairs:
        return Agreed(0)
    within = sum(n * distance(a, b) for (a, b), n in Counter((pair.a, pair.b) for pair in pairs).items())
    used = Counter(label for pair in pairs for label in (pair.a, pair.b))
    between = 2 * sum(used[a] * used[b] * distance(a, b) for a, b in combinations(used, 2))
    said = 2 * len(pairs)
    return Agreed(len(pairs), 1 - within / Fraction(len(pairs)), 1 - between / Fraction(said * (said - 1)))


def stratified(parts: Iterable[Agreed]) -> Agreed:
    """sum n (po - pe) / sum n (1 - pe): po and pe are the means over the parts, weighted by n."""
    parts = list(parts)
    n = sum(part.n for part in parts)
    if n == 0:
        return Agreed(0)
    return Agreed(n, sum(part.n * part.po for part in parts) / Fraction(n), sum(part.n * part.pe for part in parts) / Fraction(n))


def within_categories(pairs: Iterable[Pair], coarse: Callable[[Codes], Codes]) -> Agreed:
    """Kappa of the label where both annotators' categories are the same, stratified over those."""
    inside: defaultdict[Codes, list[Pair]] = defaultdict(list)
    for pair in pairs:
        if coarse(pair.a) == coarse(pair.b):
            inside[coarse(pair.a)].append(pair)
    return stratified(cohen(part) for part in inside.values())


# Several annotators; a unit is the list of its labels


def of_several(units: Iterable[Sequence[Hashable]], chance: Callable[[Sequence[Fraction]], Fraction]) -> Agreed:
    """po = mean over units with two labels and more of the share of pairs that agree; chance from the mean shares over all units."""
    counts = [Counter(unit) for unit in units]
    several = [unit for unit in counts if unit.total() > 1]
    if not several:
        return Agreed(0)
    shares: defaultdict[Hashable, Fraction] = defaultdict(Fraction)
    for unit in counts:
        for label, n in unit.items():
            shares[label] += Fraction(n, unit.total() * len(counts))
    agreeing = [Fraction(sum(n * (n - 1) for n in unit.values()), unit.total() * (unit.total() - 1)) for unit in several]
    return Agreed(len(several), sum(agreeing) / Fraction(len(several)), chance(list(shares.values())))


def fleiss_chance(shares: Sequence[Fraction]) -> Fraction:
    """sum of share²."""
    return sum((share**2 for share in shares), Fraction(0))


def gwet_chance(k: int) -> Callable[[Sequence[Fraction]], Fraction]:
    """sum of share (1 - share) / (k - 1); 1 where there is one code to choose from."""
    return lambda shares: sum((share * (1 - share) for share in shares), Fraction(0)) / (k - 1) if k > 1 else Fraction(1)


# Errors


@dataclass(frozen=True, slots=True)
class Pulls:
    """What conversations pull on a kappa: the sum over a conversation's utterances of
    v = w - (1 - kappa)(c + r) - (kappa - (1 - kappa) pe), divided by D = sum of n (1 - pe). `square` is sum of v² / D²."""

    kappa: Fraction
    of: Mapping[str, Fraction]
    square: Fraction


def pulls(parts: Iterable[Sequence[Pair]]) -> Pulls | None:
    """The pulls on kappa of one part, on stratified kappa of several; None where it is undefined."""
    parts = [part for part in parts if part]
    agreed = [cohen(part) for part in parts]
    kappa = stratified(agreed).kappa
    if kappa is None:
        return None
    scale = sum(one.n * (1 - one.pe) for one in agreed) + Fraction(0)
    of: defaultdict[str, Fraction] = defaultdict(Fraction)
    square = Fraction(0)
    for part, one in zip(parts, agreed, strict=True):
        rows, columns = _margins(part)
        pull = {
            (a, b): (a == b) - (1 - kappa) * Fraction(columns[a] + rows[b], one.n) - (kappa - (1 - kappa) * one.pe)
            for a, b in {(pair.a, pair.b) for pair in part}
        }
        square += sum(n * pull[cell] ** 2 for cell, n in Counter((pair.a, pair.b) for pair in part).items())
        for (conversation, a, b), n in Counter(part).items():
            of[conversation] += n * pull[a, b]
    return Pulls(kappa, {conversation: pulled / scale for conversation, pulled in of.items()}, square / scale**2)


class Errors(NamedTuple):
    """se = sqrt(G / (G - 1) sum of pulls²), ci95 = kappa ± t(G - 1) se within -1 and 1, se_iid = sqrt(sum v²) / D."""

    se: float | None = None
    ci95: list[float] | None = None
    se_iid: float | None = None
    design_effect: float | None = None


def errors(found: Pulls | None) -> Errors:
    """None with one conversation, but for se_iid; the design effect also where se_iid is 0."""
    if found is None:
        return Errors()
    if len(found.of) < 2:
        return Errors(se_iid=sqrt(found.square))
    se, ci95 = clustered(found.kappa, found.of)
    if found.square == 0:
        return Errors(0.0, [float(found.kappa)] * 2, 0.0)
    return Errors(se, ci95, sqrt(found.square), (se / sqrt(found.square)) ** 2)


def clustered(value: Fraction, of: Mapping[str, Fraction]) -> tuple[float, list[float]]:
    """The error and the interval of a figure from what two conversations and more pull on it."""
    n = len(of)
    se = sqrt(Fraction(n, n - 1) * sum(pull**2 for pull in of.values()))
    reach = t_quantile(n - 1) * se
    return se, [max(-1.0, float(value) - reach), min(1.0, float(value) + reach)]


@cache
def t_quantile(df: float) -> float:
    """How many errors a 95 % interval reaches to either side, by Student's t; with infinitely many degrees of freedom the normal one's."""
    from scipy.stats import t  # heavy

    return float(t.ppf(0.975, df))


def jackknife(parts: Sequence[Sequence[Pair]]) -> float | None:
    """sqrt((G - 1) / G sum (kappa without a conversation - their mean)²); None with one conversation, or without a kappa."""
    held = [_by_conversation(part) for part in parts]
    conversations = {pair.conversation for part in parts for pair in part}
    kappas = []
    for conversation in conversations if len(conversations) > 1 else ():
        left = stratified(_without(of_part, conversation) for of_part in held).kappa
        if left is None:
            return None
        kappas.append(float(left))
    if not kappas:
        return None
    mean = sum(kappas) / len(kappas)
    return sqrt((len(kappas) - 1) / len(kappas) * sum((kappa - mean) ** 2 for kappa in kappas))


class _Sums(NamedTuple):
    n: int
    agreed: int
    rows: Counter[Any]
    columns: Counter[Any]


def _sums(pairs: Sequence[Pair]) -> _Sums:
    return _Sums(len(pairs), sum(pair.a == pair.b for pair in pairs), *_margins(pairs))


def _by_conversation(pairs: Sequence[Pair]) -> tuple[_Sums, dict[str, _Sums]]:
    """The sums of all pairs, and of those of each conversation."""
    of: defaultdict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        of[pair.conversation].append(pair)
    return _sums(pairs), {conversation: _sums(some) for conversation, some in of.items()}


def _without(held: tuple[_Sums, dict[str, _Sums]], conversation: str) -> Agreed:
    whole, gone = held[0], held[1].get(conversation, _sums(()))
    n = whole.n - gone.n
    if n == 0:
        return Agreed(0)
    chance = sum((used - gone.rows[label]) * (whole.columns[label] - gone.columns[label]) for label, used in whole.rows.items())
    return Agreed(n, Fraction(whole.agreed - gone.agreed, n), Fraction(chance, n**2))


def goodness_of_fit(n: int, used: Fraction | int, differ: Fraction | int, design_effect: float) -> list[float] | None:
    """The kappas at which the chi-square distance between the counts of both, one and neither and n times the shares that they
    should have, p² + k p q, 2 p q (1 - k) and q² + k p q, is its 95 % point times the design effect; p = used / 2n, q = 1 - p.

    None where nobody or everybody used the code.

    >>> [round(limit, 3) for limit in goodness_of_fit(200, 8, 2, 1.0)]
    [0.335, 0.929]
    """
    # heavy
    from scipy.optimize import brentq
    from scipy.stats import chi2

    if used in (0, 2 * n):
        return None
    p = float(used / Fraction(2 * n))
    q = 1 - p
    observed = [float(count) for count in (Fraction(used - differ) / 2, differ, n - Fraction(used + differ) / 2)]
    allowed = float(chi2.ppf(0.95, 1)) * design_effect
    estimate = 1 - differ / (2 * n * p * q)

    def beyond(k: float) -> float:
        expected = (n * (p * p + k * p * q), 2 * n * p * q * (1 - k), n * (q * q + k * p * q))
        return float(sum((o - e) ** 2 / e for o, e in zip(observed, expected, strict=True) if o != e) - allowed)

    def limit(edge: float, there: bool) -> float:
        """From the estimate, where the distance is 0, towards the edge, where a share is 0; the estimate may be `there` already."""
        near = edge + (estimate - edge) * 1e-9
        return edge if there or beyond(near) <= 0 else float(brentq(beyond, near, estimate, xtol=1e-13))

    return [limit(max(-p / q, -q / p), not observed[0] or not observed[2]), limit(1.0, not differ)]


def names(pairs: Iterable[Pair]) -> list[str]:
    """The codes that either annotator used, in order."""
    return sorted({code for pair in pairs for label in (pair.a, pair.b) for code in label})


def yes_or_no(pairs: Iterable[Pair], code: str) -> list[Pair]:
    """Whether each annotator used a code."""
    return [Pair(pair.conversation, code in pair.a, code in pair.b) for pair in pairs]
