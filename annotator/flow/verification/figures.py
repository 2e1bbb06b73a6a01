"""What every figure of a pair, and of all at once, should be, from the labels alone: trees shaped like the report, each figure with
its oracle. What a library has is asked of it, the rest is worked out by the book.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

from annotator.flow.verification import book, oracles
from annotator.flow.verification.book import Agreed, Codes, Pair, Pulls
from annotator.flow.verification.said import Codebook, Part, Said, parts_of, pooled

BOOK, SKLEARN, STATSMODELS, NLTK = "by the book", "scikit-learn", "statsmodels", "nltk"
_RARE, FEW, SEVERAL = 20, 10, Fraction(1, 20)
_DISTANCES: dict[str, book.Distance] = {"alpha": book.same, "alpha_jaccard": book.jaccard, "alpha_masi": book.masi}


class Figure(NamedTuple):
    """What a figure should be, a number, word, list or None, and who says so."""

    value: Any
    oracle: str = BOOK
    tolerance: float = 1e-9


Tree = dict[str, Any]
"""Name → `Figure` or another tree."""


class Used(NamedTuple):
    """Whether each annotator used a code, utterance by utterance, and the pulls on its kappa; None where that is undefined."""

    code: str
    pairs: list[Pair]
    pulls: Pulls | None


def pair_tree(said: Said, a: str, b: str, codebook: Codebook) -> Tree:
    """What {"roles": {ROLE: BLOCK}, "stratified": BLOCK, "pooled": BLOCK} of two annotators should be."""
    parts = parts_of(said, a, b)
    used = {role: _used(part.pairs) for role, part in parts.items()}
    roles = {role: _block(part, used[role], codebook.get(role, {})) for role, part in parts.items()}
    together = pooled(parts)
    everything = {f"{role}/{code}": f"{role}/{name}" for role, codes in codebook.items() for code, name in codes.items()}
    return {
        "roles": roles,
        "stratified": _stratified(parts, used, codebook) | {"codes": _of_roles(roles)},
        "pooled": _block(together, _used(together.pairs), everything) | {"pooled": Figure(True)},
    }


def _block(part: Part, used: Sequence[Used], codebook: Mapping[str, str]) -> Tree:
    pairs = part.pairs
    return {
        **counts([part]),
        **_family(pairs, _size(pairs, codebook)),
        **_errors([pairs]),
        **macro(pairs, used),
        **_categories(pairs, codebook),
        "codes": _codes(used),
        "confusions": confusions(pairs),
    }


def _stratified(parts: Mapping[str, Part], used: Mapping[str, Sequence[Used]], codebook: Codebook) -> Tree:
    of_roles = [(part.pairs, _size(part.pairs, codebook.get(role, {}))) for role, part in parts.items()]
    pairs = [part.pairs for part in parts.values()]
    return {
        **counts(list(parts.values())),
        **_family_over_roles(of_roles),
        **_errors(pairs),
        **macro((pair for of_role in pairs for pair in of_role), [one for of_role in used.values() for one in of_role]),
    }


def _of_roles(roles: Mapping[str, Tree]) -> Tree:
    return {f"{role}/{code}": tree for role, block in roles.items() for code, tree in block["codes"].items()}


def _size(pairs: Sequence[Pair], codebook: Mapping[str, str]) -> int:
    """How many labels there are to choose from: the codes and, where it was used, none; not fewer than were used."""
    used = {label for pair in pairs for label in (pair.a, pair.b)}
    return max(len(codebook) + (frozenset() in used), len(used))


def joined(label: Codes) -> str:
    return "|".join(sorted(label))


def names_of(pairs: Sequence[Pair]) -> tuple[list[str], list[str]]:
    return [joined(pair.a) for pair in pairs], [joined(pair.b) for pair in pairs]


def number(value: Fraction | None) -> float | None:
    return None if value is None else float(value)


def counts(parts: Sequence[Part]) -> Tree:
    """What is counted, and what needs no chance."""
    pairs = [pair for part in parts for pair in part.pairs]
    several = Fraction(sum((len(pair.a) > 1) + (len(pair.b) > 1) for pair in pairs), 2 * len(pairs) or 1)
    mean_codes = [sum(len(label) for label in labels) / len(pairs) for labels in zip(*((pair.a, pair.b) for pair in pairs), strict=True)]
    return {
        "n_utterances": Figure(len(pairs)),
        "n_conversations": Figure(len({pair.conversation for pair in pairs})),
        "n_skipped": Figure(sum(part.n_skipped for part in parts)),
        "n_blank": Figure(sum(part.n_blank for part in parts)),
        "headline": Figure("kappa_macro" if several > SEVERAL else "kappa"),
        "po": Figure(oracles.share_equal(*names_of(pairs)), SKLEARN),
        "exact_match": Figure(oracles.share_equal(*names_of(pairs)), SKLEARN),
        "mean_jaccard": Figure(oracles.mean_jaccard([pair.a for pair in pairs], [pair.b for pair in pairs]), SKLEARN),
        "mean_codes": Figure(mean_codes or None),
        "share_several": Figure(float(several) if pairs else None),
    }


def _family(pairs: Sequence[Pair], k: int) -> Tree:
    a, b = names_of(pairs)
    sets_a, sets_b = [pair.a for pair in pairs], [pair.b for pair in pairs]
    sets = any(len(label) > 1 for label in (*sets_a, *sets_b))
    alphas = {name: oracles.alpha(sets_a, sets_b, _floats(distance)) for name, distance in _DISTANCES.items()}
    return {
        "pe": Figure(oracles.chance(a, b), NLTK),
        "kappa": Figure(oracles.cohen_kappa(a, b), SKLEARN),
        "kappa_max": Figure(oracles.kappa_max(a, b), STATSMODELS),
        "pi": Figure(oracles.fleiss(zip(a, b, strict=True)), STATSMODELS),
        "s": Figure(None if sets else oracles.randolph(zip(a, b, strict=True), k), STATSMODELS),
        "ac1": Figure(None if sets else number(book.gwet(pairs, k).kappa)),
        **{name: Figure(value, NLTK) for name, value in alphas.items()},
    }


@cache
def _floats(distance: book.Distance) -> oracles.Distance:
    return book.remembered(lambda a, b: float(distance(a, b)))


def _family_over_roles(of_roles: Sequence[tuple[list[Pair], int]]) -> Tree:
    sets = any(len(label) > 1 for pairs, _ in of_roles for pair in pairs for label in (pair.a, pair.b))
    every: dict[str, Callable[[list[Pair], int], Agreed]] = {
        "kappa": lambda pairs, _: book.cohen(pairs),
        "kappa_max": lambda pairs, _: book.kappa_max(pairs),
        "pi": lambda pairs, _: book.scott(pairs),
        "s": book.bennett,
        "ac1": book.gwet,
        **{name: _krippendorff(distance) for name, distance in _DISTANCES.items()},
    }
    found = {name: book.stratified(one(pairs, k) for pairs, k in of_roles) for name, one in every.items()}
    figures = {name: Figure(number(one.kappa)) for name, one in found.items()}
    figures |= dict.fromkeys(("s", "ac1"), Figure(None)) if sets else {}
    return figures | {"pe": Figure(float(found["kappa"].pe) if found["kappa"].n else None)}


def _krippendorff(distance: book.Distance) -> Callable[[list[Pair], int], Agreed]:
    return lambda pairs, _: book.krippendorff(pairs, distance)


def _errors(parts: Sequence[Sequence[Pair]]) -> Tree:
    found = book.errors(book.pulls(parts))
    iid = Figure(found.se_iid)
    if len(parts) == 1:
        iid = Figure(oracles.se_iid(*names_of(parts[0])), STATSMODELS)
    return {"se": Figure(found.se), "ci95": Figure(found.ci95), "se_iid": iid, "design_effect": Figure(found.design_effect)}


def _used(pairs: Sequence[Pair]) -> list[Used]:
    """Every code that either annotator used."""
    found = [(code, book.yes_or_no(pairs, code)) for code in book.names(pairs)]
    return [Used(code, of_code, book.pulls([of_code])) for code, of_code in found]


def _codes(used: Sequence[Used]) -> Tree:
    weights = [_weight(one.pairs) for one in used]
    whole = sum(weights)
    return {
        one.code: _code(one) | {"weight": Figure(float(weight / whole) if whole else 0.0)}
        for one, weight in zip(used, weights, strict=True)
    }  # fmt: skip


def _weight(used: Sequence[Pair]) -> Fraction:
    """r + c - 2rc, with r and c the shares of either annotator's uses: how likely they are to differ by chance."""
    return 1 - book.cohen(used).pe


def _code(used: Used) -> Tree:
    pairs = used.pairs
    n_a, n_b, n_both = sum(pair.a for pair in pairs), sum(pair.b for pair in pairs), sum(pair.a and pair.b for pair in pairs)
    a, b = [str(pair.a) for pair in pairs], [str(pair.b) for pair in pairs]
    return {
        "n_a": Figure(n_a), "n_b": Figure(n_b), "n_both": Figure(n_both),
        "kappa": Figure(oracles.cohen_kappa(a, b), SKLEARN),
        "specific": Figure(oracles.specific(a, b, "True"), SKLEARN),
        "few": Figure(n_a + n_b < 2 * FEW),
        **interval(book.errors(used.pulls), len(pairs), n_a + n_b, n_a + n_b - 2 * n_both),
    }  # fmt: skip


def interval(errors: book.Errors, n: int, used: Fraction | int, differ: Fraction | int) -> Tree:
    """Of a code that is rare, or on which nobody differed, by goodness of fit."""
    ci95, interval, tolerance = errors.ci95, "linearised" if errors.ci95 else None, 1e-9
    if ci95 is not None and (used < 2 * _RARE or not differ):
        limits = book.goodness_of_fit(n, used, differ, max(1.0, errors.design_effect or 1.0))
        if limits is not None:
            ci95, interval, tolerance = limits, "goodness of fit", 1e-6
    return {"se": Figure(errors.se), "ci95": Figure(ci95, tolerance=tolerance), "interval": Figure(interval)}


def macro(pairs: Iterable[Pair], used: Sequence[Used]) -> Tree:
    """The mean of the codes' kappas; what a conversation pulls on it is the mean of what it pulls on each."""
    codes = [one.pulls for one in used if one.pulls is not None]
    of = dict.fromkeys((pair.conversation for pair in pairs), Fraction(0))
    for pulls in codes:
        for conversation, pull in pulls.of.items():
            of[conversation] += pull / len(codes)
    value = sum(pulls.kappa for pulls in codes) / Fraction(len(codes)) if codes else None
    se, ci95 = book.clustered(value, of) if value is not None and len(of) > 1 else (None, None)
    return {
        "kappa_macro": Figure(number(value)), "kappa_macro_se": Figure(se), "kappa_macro_ci95": Figure(ci95),
        "n_codes": Figure(len(codes)),
    }  # fmt: skip


def _categories(pairs: Sequence[Pair], category: Mapping[str, str]) -> Tree:
    if not category:
        return dict.fromkeys(("categories", "kappa_categories", "kappa_within_categories", "kappa_weighted"), Figure(None))

    def coarse(label: Codes) -> Codes:
        return frozenset(category.get(code, code) for code in label)

    def apart(a: str, b: str) -> float:
        return 0.0 if a == b else 0.5 if category.get(a, "") == category.get(b) else 1.0

    of = [Pair(pair.conversation, coarse(pair.a), coarse(pair.b)) for pair in pairs]
    sets = any(len(label) > 1 for pair in pairs for label in (pair.a, pair.b))
    return {
        "categories": _codes(_used(of)),
        "kappa_categories": Figure(oracles.cohen_kappa(*names_of(of)), SKLEARN),
        "kappa_within_categories": Figure(number(book.within_categories(pairs, coarse).kappa)),
        "kappa_weighted": Figure(None if sets else oracles.weighted_kappa(*names_of(pairs), apart), STATSMODELS),
    }


def confusions(pairs: Sequence[Pair]) -> Tree:
    """The unequal pairs of labels, most frequent first."""
    found = Counter((joined(pair.a), joined(pair.b)) for pair in pairs if pair.a != pair.b)
    ordered = sorted(found.items(), key=lambda one: (-one[1], one[0]))
    return {str(at): {"a": Figure(a), "b": Figure(b), "n": Figure(n)} for at, ((a, b), n) in enumerate(ordered)}


def all_tree(said: Said, codebook: Codebook) -> Tree:
    """What {ROLE: figures over all annotators at once} should be."""
    return {role: _all(said, role, codebook.get(role, {})) for role in said.roles}


def _all(said: Said, role: str, codebook: Mapping[str, str]) -> Tree:
    labels = [
        (annotator, at, codes)
        for at, ((of, _, _), found) in enumerate(said.units.items()) if of == role
        for annotator, codes in found.items() if codes is not None
    ]  # fmt: skip
    units: defaultdict[int, list[Codes]] = defaultdict(list)
    for _, at, codes in labels:
        units[at].append(codes)
    used = {codes for _, _, codes in labels}
    k = max(len(codebook) + (frozenset() in used), len(used))
    ac1 = None if any(len(codes) > 1 for codes in used) else book.of_several(units.values(), book.gwet_chance(k)).kappa
    return {
        "n_annotators": Figure(len({annotator for annotator, _, _ in labels})),
        "n_utterances": Figure(sum(len(unit) > 1 for unit in units.values())),
        "fleiss": _fleiss(list(units.values())),
        "ac1": Figure(number(ac1)),
        **{name: Figure(oracles.alpha_of_all(labels, _floats(distance)), NLTK) for name, distance in _DISTANCES.items()},
    }


def _fleiss(units: Sequence[Sequence[Codes]]) -> Figure:
    """statsmodels takes units with equally many labels only."""
    if len({len(unit) for unit in units}) == 1:
        return Figure(oracles.fleiss(units), STATSMODELS)
    return Figure(number(book.of_several(units, book.fleiss_chance).kappa))
