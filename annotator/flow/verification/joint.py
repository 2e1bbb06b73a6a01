"""Kappa over any number of pairs of annotators, by the book: chance agreement is from each one's margins over all their pairs.

As in `book`, in fractions and straight from the formulas.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from annotator.flow.verification.book import Agreed, Pair, Pulls, Table, table

Who = tuple[str, str]
"""Role and annotator: somebody is another one in every role."""


class Stratum(NamedTuple):
    """What two annotators said in one role."""

    a: Who
    b: Who
    pairs: Sequence[Pair]


class Counted(NamedTuple):
    """The same, counted."""

    a: Who
    b: Who
    met: Table


def counted(strata: Iterable[Stratum]) -> list[Counted]:
    """The strata in which there is anything, without the conversations."""
    return [Counted(one.a, one.b, table(one.pairs)) for one in strata if one.pairs]


def yes_or_no(strata: Iterable[Stratum], code: str) -> list[Stratum]:
    """Whether each annotator used a code."""
    return [one._replace(pairs=[Pair(pair.conversation, code in pair.a, code in pair.b) for pair in one.pairs]) for one in strata]


class _Margins:
    """How large a share of an annotator's labels each label is, over all pairs of labels that they are in."""

    def __init__(self, strata: Iterable[Counted]) -> None:
        self.uses: defaultdict[Who, Counter[Any]] = defaultdict(Counter)
        for one in strata:
            for (a, b), n in one.met.items():
                self.uses[one.a][a] += n
                self.uses[one.b][b] += n
        self.size = {who: uses.total() for who, uses in self.uses.items()}

    def expected(self, stratum: Counted) -> Fraction:
        """pe = sum over labels of the product of the two margins."""
        a, b = self.uses[stratum.a], self.uses[stratum.b]
        return Fraction(sum(n * b[label] for label, n in a.items()), self.size[stratum.a] * self.size[stratum.b])


def agreed(strata: Iterable[Counted]) -> Agreed:
    """po = the share of pairs of labels that are equal, pe = the mean over them of what is expected of their two annotators."""
    strata = [one for one in strata if one.met]
    if not strata:
        return Agreed(0)
    margins, n = _Margins(strata), sum(one.met.total() for one in strata)
    equal = sum(times for one in strata for (a, b), times in one.met.items() if a == b)
    return Agreed(n, Fraction(equal, n), sum((one.met.total() * margins.expected(one) for one in strata), Fraction(0)) / n)


def pulls(strata: Iterable[Stratum]) -> Pulls | None:
    """What conversations pull on kappa: v = w - kappa - (1 - kappa) T, summed over a conversation's pairs of labels, divided by n (1 - pe).

    w is 1 where the two labels are equal. T is what the pair of labels adds to n pe: the pe of its two annotators, and for either of
    them (M(label) - mean of M over all their labels) / how many labels they have, M(label) being the sum of n times the label's margin
    over all with whom they are paired. None where kappa is undefined.
    """
    strata = [one for one in strata if one.pairs]
    of_all = counted(strata)
    whole = agreed(of_all)
    kappa = whole.kappa
    if kappa is None:
        return None
    margins = _Margins(of_all)
    moves = {who: _moves(who, of_all, margins) for who in margins.uses}
    scale = whole.n * (1 - whole.pe)
    of: defaultdict[str, Fraction] = defaultdict(Fraction)
    square = Fraction(0)
    for stratum, one in zip(strata, of_all, strict=True):
        pe = margins.expected(one)
        pull = {(a, b): (a == b) - kappa - (1 - kappa) * (pe + moves[one.a][a] + moves[one.b][b]) for a, b in one.met}
        square += sum((n * pull[cell] ** 2 for cell, n in one.met.items()), Fraction(0))
        for (conversation, a, b), n in Counter(stratum.pairs).items():
            of[conversation] += n * pull[a, b]
    return Pulls(kappa, {conversation: pulled / scale for conversation, pulled in of.items()}, square / scale**2)


def _moves(who: Who, strata: Sequence[Counted], margins: _Margins) -> Mapping[Any, Fraction]:
    """What one label more of an annotator moves in n pe, label by label."""
    uses, size = margins.uses[who], margins.size[who]
    meets: dict[Any, Fraction] = dict.fromkeys(uses, Fraction(0))
    for one in strata:
        for me, other in ((one.a, one.b), (one.b, one.a)):
            if me == who:
                for label in uses:
                    meets[label] += Fraction(one.met.total() * margins.uses[other][label], margins.size[other])
    mean = sum((n * meets[label] for label, n in uses.items()), Fraction(0)) / size
    return {label: (met - mean) / size for label, met in meets.items()}
