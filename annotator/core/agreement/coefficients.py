"""The coefficients of two annotators, each from one table of counts: {(label of A, label of B): how often}.

A label may be anything that can be compared: a code, or the set of codes of an utterance. Counts stay whole numbers until the
last step, so that 0.4 is 0.4 and "chance agreement is 1" is exact. `codebook` is how many codes there are to choose from,
whether used or not; without it the labels in the table are counted.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Cells = Mapping[tuple[Any, Any], float]

NO_PAIR = "no utterance has a label of both annotators"
ONE_LABEL = "both annotators used one label only, so chance agreement is 1"
ALL_ONE_LABEL = "everybody would use one label only, and chance alone would agree on it always"
ONE_CODE = "there is only one code to choose from, so chance agreement is 1"


@dataclass(frozen=True, slots=True)
class Kappa:
    """A figure of the kappa family, (po - pe) / (1 - pe), with its parts; None where it is undefined, and `reason` says why."""

    n: int
    po: float | None
    pe: float | None
    kappa: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Margins:
    """The sums of a table."""

    n: float
    agreed: float
    rows: Counter[Any]
    columns: Counter[Any]


def table_of(rows: Sequence[Sequence[float]], labels: Sequence[Any] | None = None) -> dict[tuple[Any, Any], float]:
    """A square table given as rows (A's labels) of columns (B's), by its labels or by 0, 1, 2 ...

    >>> table_of([[3, 1], [0, 2]], ["yes", "no"])
    {('yes', 'yes'): 3, ('yes', 'no'): 1, ('no', 'yes'): 0, ('no', 'no'): 2}
    """
    names = range(len(rows)) if labels is None else labels
    return {(a, b): n for a, row in zip(names, rows, strict=True) for b, n in zip(names, row, strict=True)}


def margins(cells: Cells) -> Margins:
    """How many pairs, how many agree, and how often each annotator used each label.

    >>> margins({("x", "x"): 3, ("x", "y"): 1}).columns["y"]
    1
    """
    rows: Counter[Any] = Counter()
    columns: Counter[Any] = Counter()
    count: Any  # a Counter takes fractions too, its types do not
    for (a, b), count in cells.items():
        rows[a] += count
        columns[b] += count
    return Margins(sum(cells.values()), sum(count for (a, b), count in cells.items() if a == b), rows, columns)


def cohen_kappa(table: Cells) -> Kappa:
    """Cohen's kappa: agreement beyond what the annotators' own margins give by chance.

    kappa = (po - pe) / (1 - pe), po = observed agreement, pe = sum over labels of the product of the two margins.
    1 is full agreement, 0 chance, negative less than that; -1 only where both use two labels equally often and always differ.
    Undefined (None) without pairs, and where both used one and the same label throughout, so that pe is 1.
    Source: Cohen (1960), Educational and Psychological Measurement 20, 37-46.

    >>> cohen_kappa({("yes", "yes"): 20, ("yes", "no"): 5, ("no", "yes"): 10, ("no", "no"): 15}).kappa
    0.4
    >>> cohen_kappa({("yes", "yes"): 9}).reason
    'both annotators used one label only, so chance agreement is 1'
    """
    sums = margins(table)
    return _corrected(sums, sum(sums.rows[label] * sums.columns[label] for label in sums.rows), sums.n**2)


def _corrected(sums: Margins, chance: float, of: float, reason: str = ONE_LABEL) -> Kappa:
    """A figure of the family whose chance agreement is `chance` / `of`."""
    n = sums.n
    if n == 0:
        return Kappa(0, None, None, None, NO_PAIR)
    po, pe = sums.agreed / n, chance / of
    if chance == of:
        return Kappa(int(n), po, pe, None, reason)
    return Kappa(int(n), po, pe, (sums.agreed * of - chance * n) / (n * (of - chance)))


def kappa_max(table: Cells) -> Kappa:
    """The largest kappa that the two annotators' margins allow, to be read beside kappa, never instead of it.

    (po_max - pe) / (1 - pe), po_max = sum over labels of the smaller margin. Between kappa and 1; 1 where the margins are equal.
    Undefined (None) where kappa is. Source: Cohen (1960), p. 42-43; Sim and Wright (2005), Physical Therapy 85, 257-268.

    >>> round(kappa_max(table_of([[88, 14, 18], [10, 40, 10], [2, 6, 12]])).kappa, 3)
    0.831
    """
    sums = margins(table)
    most = sum(min(sums.rows[label], sums.columns[label]) for label in sums.rows)
    chance = sum(sums.rows[label] * sums.columns[label] for label in sums.rows)
    return _corrected(Margins(sums.n, most, sums.rows, sums.columns), chance, sums.n**2)


def scott_pi(table: Cells) -> Kappa:
    """Scott's pi: like kappa, but chance comes from both annotators' margins together, as if they were interchangeable.

    pe = sum over labels of ((r + c) / 2)², r and c the shares of the two. From -1 to 1, never above kappa.
    Undefined (None) without pairs, and where both used one and the same label throughout.
    Source: Scott (1955), Public Opinion Quarterly 19, 321-325. For two annotators it is Fleiss' kappa.

    >>> round(scott_pi({("yes", "yes"): 20, ("yes", "no"): 5, ("no", "yes"): 10, ("no", "no"): 15}).kappa, 4)
    0.3939
    """
    sums = margins(table)
    return _corrected(sums, sum(used**2 for used in (sums.rows + sums.columns).values()), 4 * sums.n**2)


def alpha(table: Cells) -> Kappa:
    """Krippendorff's alpha of two annotators, nominal, complete pairs: pi with a correction for small samples.

    pe = sum over labels of u (u - 1) / (2n (2n - 1)), u = how often both used the label: two different ones of the 2n labels are
    drawn. From -1 to 1. Undefined (None) without pairs, and where one label only was used.
    Source: Krippendorff (2004), Content Analysis, 2nd edition, chapter 11. With missing labels: `krippendorff_alpha`.

    >>> round(alpha(table_of([[46, 6, 0], [0, 32, 0], [0, 6, 10]])).kappa, 4)
    0.8005
    """
    sums = margins(table)
    said = 2 * sums.n
    return _corrected(sums, sum(used * (used - 1) for used in (sums.rows + sums.columns).values()), said * (said - 1))


def bennett_s(table: Cells, codebook: int | None = None) -> Kappa:
    """Bennett's S, also Brennan-Prediger, Randolph's free-marginal kappa and, for two codes, PABAK: chance is 1 / k.

    pe = 1 / k, k = how many codes the codebook has, not how many were used. From -1 / (k - 1) to 1.
    Undefined (None) without pairs, and with a codebook of one code.
    Source: Bennett, Alpert and Goldstein (1954), Public Opinion Quarterly 18, 303-308; Byrt, Bishop and Carlin (1993).

    >>> bennett_s({("yes", "yes"): 70, ("yes", "no"): 15, ("no", "no"): 15}, codebook=2).kappa
    0.7
    """
    sums = margins(table)
    return _corrected(sums, 1, _codebook(sums, codebook), ONE_CODE)


def gwet_ac1(table: Cells, codebook: int | None = None) -> Kappa:
    """Gwet's AC1: chance agreement is small where one code dominates, so that it stays near po where kappa falls.

    pe = sum over labels of m (1 - m) / (k - 1), m the mean of the two margins, k = how many codes the codebook has. From -1 to 1.
    Undefined (None) without pairs, and with a codebook of one code.
    Source: Gwet (2008), British Journal of Mathematical and Statistical Psychology 61, 29-48.

    >>> round(gwet_ac1({("a", "a"): 118, ("a", "b"): 5, ("b", "a"): 2}, codebook=2).kappa, 3)
    0.941
    """
    sums = margins(table)
    k = _codebook(sums, codebook)
    if sums.n and k == 1:
        return Kappa(int(sums.n), sums.agreed / sums.n, 1.0, None, ONE_CODE)
    said = 2 * sums.n
    return _corrected(sums, sum(used * (said - used) for used in (sums.rows + sums.columns).values()), said**2 * (k - 1))


def _codebook(sums: Margins, codebook: int | None) -> int:
    """How many codes there are to choose from; a label that is in the table was one of them."""
    return max(codebook or 0, sum(used > 0 for used in (sums.rows + sums.columns).values()))


def pabak(table: Cells) -> dict[str, float | None]:
    """The parts of a 2 x 2 table's kappa: prevalence-and-bias-adjusted kappa and the two indices that pull kappa from it.

    The first label in the table is the positive one. `prevalence_index` = (both positive - both negative) / n, `bias_index` =
    (only A positive - only B positive) / n, each from -1 to 1, and kappa = (PABAK - PI² + BI²) / (1 - PI² + BI²).
    All None without pairs. Source: Byrt, Bishop and Carlin (1993), Journal of Clinical Epidemiology 46, 423-429.

    >>> pabak(table_of([[80, 10], [5, 5]]))
    {'pabak': 0.7, 'prevalence_index': 0.75, 'bias_index': 0.05}
    """
    sums = margins(table)
    if not sums.n:
        return dict.fromkeys(("pabak", "prevalence_index", "bias_index"))
    positive = next(iter(table))[0]
    both = table.get((positive, positive), 0)
    prevalence, bias = both - (sums.agreed - both), sums.rows[positive] - sums.columns[positive]
    return {"pabak": bennett_s(table, 2).kappa, "prevalence_index": prevalence / sums.n, "bias_index": bias / sums.n}


def stratified_kappa(parts: Iterable[Kappa]) -> Kappa:
    """Kappa over strata that cannot be confused with each other, here the roles; the same form serves the whole family.

    kappa = sum n_r (po_r - pe_r) / sum n_r (1 - pe_r); always between the strata's own values. po and pe are their
    means weighted by n_r. Undefined without pairs or where pe is 1 in every stratum. Source: Barlow et al. (1991),
    Statistics in Medicine 10, 1465-1472.

    >>> a, b = cohen_kappa({("x", "x"): 8, ("x", "y"): 2}), cohen_kappa({("p", "p"): 5, ("q", "q"): 5})
    >>> round(stratified_kappa([a, b]).kappa, 3)
    0.714
    """
    parts = [part for part in parts if part.n]
    n = sum(part.n for part in parts)
    if n == 0:
        return Kappa(0, None, None, None, NO_PAIR)
    po = sum(part.n * (part.po or 0.0) for part in parts) / n
    pe = sum(part.n * (part.pe or 0.0) for part in parts) / n
    if all(part.kappa is None for part in parts):
        return Kappa(n, po, pe, None, "in every role both annotators used one label only, so chance agreement is 1")
    return Kappa(n, po, pe, (po - pe) / (1 - pe))


def confusions(table: Mapping[tuple[frozenset[str], frozenset[str]], int]) -> list[dict[str, Any]]:
    """The unequal pairs of labels, most frequent first: [{"a": "PCT", "b": "PEP", "n": 4}, ...]."""
    unequal = [(count, "|".join(sorted(a)), "|".join(sorted(b))) for (a, b), count in table.items() if a != b]
    return [{"a": a, "b": b, "n": count} for count, a, b in sorted(unequal, key=lambda row: (-row[0], row[1], row[2]))]
