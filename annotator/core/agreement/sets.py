"""Labels as sets of codes: how far two of them are apart, and what that says of two annotators."""

from collections.abc import Mapping

from annotator.core.agreement.judgement import Codes


def jaccard_distance(a: Codes, b: Codes) -> float:
    """1 - shared codes / all codes of the two; 0 for equal sets, 1 for disjoint ones, 0 for two empty ones by convention.

    Source: Jaccard (1912), New Phytologist 11, 37-50.

    >>> jaccard_distance(frozenset("AB"), frozenset("BC"))
    0.6666666666666667
    """
    return 1 - len(a & b) / len(a | b) if a | b else 0.0


def masi_distance(a: Codes, b: Codes) -> float:
    """Measuring agreement on set-valued items: 1 - J * M, J the Jaccard similarity, M = 1, 2/3, 1/3, 0.

    M is 1 for equal sets, 2/3 where one holds the other, 1/3 where they overlap, 0 where they are disjoint; two empty sets are
    equal, an empty and another disjoint. From 0 to 1. Other libraries round M to .67 and .33, or multiply the distance instead.
    Source: Passonneau (2006), LREC, 831-836.

    >>> round(masi_distance(frozenset("A"), frozenset("AB")), 4)
    0.6667
    """
    if a == b:
        return 0.0
    monotonic = 2 / 3 if a < b or b < a else 1 / 3
    return 1 - (1 - jaccard_distance(a, b)) * monotonic


def exact_match(table: Mapping[tuple[Codes, Codes], int]) -> float | None:
    """The share of utterances with the same set of both: po of the whole label. None without pairs.

    >>> a, ab = frozenset("A"), frozenset("AB")
    >>> exact_match({(a, a): 3, (a, ab): 1})
    0.75
    """
    n = sum(table.values())
    return sum(count for (a, b), count in table.items() if a == b) / n if n else None


def mean_jaccard(table: Mapping[tuple[Codes, Codes], int]) -> float | None:
    """The mean Jaccard similarity of the two sets of an utterance, from 0 to 1; not corrected for chance. None without pairs.

    >>> a, ab = frozenset("A"), frozenset("AB")
    >>> mean_jaccard({(a, a): 3, (a, ab): 1})
    0.875
    """
    n = sum(table.values())
    return 1 - sum(count * jaccard_distance(a, b) for (a, b), count in table.items()) / n if n else None


def mean_codes(table: Mapping[tuple[Codes, Codes], int]) -> tuple[float, float] | None:
    """How many codes either annotator gave an utterance on average. Who gives more meets others by chance more often.

    None without pairs. Source: Marchal et al. (2022), COLING, 3659-3668.

    >>> mean_codes({(frozenset("A"), frozenset("AB")): 2})
    (1.0, 2.0)
    """
    n = sum(table.values())
    if not n:
        return None
    return sum(len(a) * count for (a, _), count in table.items()) / n, sum(len(b) * count for (_, b), count in table.items()) / n


def share_of_several(table: Mapping[tuple[Codes, Codes], int]) -> float | None:
    """The share of labels, of both annotators, that hold several codes. None without pairs.

    >>> share_of_several({(frozenset("A"), frozenset("AB")): 2})
    0.5
    """
    n = sum(table.values())
    return sum(count * ((len(a) > 1) + (len(b) > 1)) for (a, b), count in table.items()) / (2 * n) if n else None
