"""Agreement between two annotators on the same utterances, from counts. Reading labels is `flow/agreement.py`'s.

A label is a set of codes of one role; two labels agree when the sets are equal. Figures are given per role, because the
two roles have different codes and can never be confused; see `pooled`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from annotator.errors import BadInput

Codes = frozenset[str]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one annotator said of one utterance. `codes` is None for a skip, which is in no figure but `n_skipped`."""

    annotator: str
    conversation: str
    utterance: str
    role: str
    codes: Codes | None


@dataclass(slots=True)
class Counts:
    """One role's pairs of labels, counted once; every figure comes from here."""

    table: Counter[tuple[Codes, Codes]] = field(default_factory=Counter)
    conversations: set[str] = field(default_factory=set)
    n_skipped: int = 0
    n_blank: int = 0

    @property
    def n(self) -> int:
        """Complete pairs."""
        return self.table.total()


@dataclass(frozen=True, slots=True)
class Kappa:
    """Cohen's kappa with its parts; None where it is undefined, and `reason` says why."""

    n: int
    po: float | None
    pe: float | None
    kappa: float | None
    reason: str = ""


def cohen_kappa(table: Mapping[tuple[Any, Any], int]) -> Kappa:
    """Cohen's kappa of a contingency table given as {(label of A, label of B): count}.

    kappa = (po - pe) / (1 - pe), po = observed agreement, pe = sum over labels of the product of the two margins.
    1 is full agreement, 0 what the annotators' own margins give by chance, negative less than that.
    Undefined (None) without pairs, and where both used one and the same label throughout, so that pe is 1.
    Source: Cohen (1960), Educational and Psychological Measurement 20, 37-46.

    >>> cohen_kappa({("yes", "yes"): 20, ("yes", "no"): 5, ("no", "yes"): 10, ("no", "no"): 15}).kappa
    0.4
    >>> cohen_kappa({("yes", "yes"): 9}).reason
    'both annotators used one label only, so chance agreement is 1'
    """
    n = sum(table.values())
    if n == 0:
        return Kappa(0, None, None, None, "no utterance has a label of both annotators")
    rows: Counter[Any] = Counter()
    columns: Counter[Any] = Counter()
    for (a, b), count in table.items():
        rows[a] += count
        columns[b] += count
    agreed = sum(count for (a, b), count in table.items() if a == b)
    # Whole numbers until the last step: 0.4 is 0.4, and "pe is 1" is exact.
    chance = sum(rows[label] * columns[label] for label in rows)
    po, pe = agreed / n, chance / (n * n)
    if chance == n * n:
        return Kappa(n, po, pe, None, "both annotators used one label only, so chance agreement is 1")
    return Kappa(n, po, pe, (agreed * n - chance) / (n * n - chance))


def stratified_kappa(parts: Iterable[Kappa]) -> Kappa:
    """Kappa over strata that cannot be confused with each other, here the roles.

    kappa = sum n_r (po_r - pe_r) / sum n_r (1 - pe_r); always between the strata's own values. po and pe are their
    means weighted by n_r. Undefined without pairs or where pe is 1 in every stratum. Source: Barlow et al. (1991) and
    the worked figures in the project's test vectors.

    >>> a, b = cohen_kappa({("x", "x"): 8, ("x", "y"): 2}), cohen_kappa({("p", "p"): 5, ("q", "q"): 5})
    >>> round(stratified_kappa([a, b]).kappa, 3)
    0.714
    """
    parts = [part for part in parts if part.n]
    n = sum(part.n for part in parts)
    if n == 0:
        return Kappa(0, None, None, None, "no utterance has a label of both annotators")
    po = sum(part.n * (part.po or 0.0) for part in parts) / n
    pe = sum(part.n * (part.pe or 0.0) for part in parts) / n
    if all(part.kappa is None for part in parts):
        return Kappa(n, po, pe, None, "in every role both annotators used one label only, so chance agreement is 1")
    return Kappa(n, po, pe, (po - pe) / (1 - pe))


def one_vs_rest(table: Mapping[tuple[Codes, Codes], int]) -> dict[str, dict[str, Any]]:
    """Per code: how often each annotator used it (`n_a`, `n_b`), both (`n_both`), and kappa of using it or not.

    kappa is None where one of the two never used the code and the other never did either, or both always did.

    >>> ack, both = frozenset({"ACK"}), frozenset({"ACK", "RC"})
    >>> figures = one_vs_rest({(ack, ack): 3, (ack, both): 1, (both, both): 2})
    >>> figures["RC"]["n_a"], figures["RC"]["n_b"], figures["RC"]["n_both"], round(figures["RC"]["kappa"], 3)
    (2, 3, 2, 0.667)
    """
    n = sum(table.values())
    used_a: Counter[str] = Counter()
    used_b: Counter[str] = Counter()
    used_both: Counter[str] = Counter()
    for (a, b), count in table.items():
        for codes, used in ((a, used_a), (b, used_b), (a & b, used_both)):
            for code in codes:
                used[code] += count
    figures = {}
    for code in sorted(used_a | used_b):
        n_a, n_b, n_both = used_a[code], used_b[code], used_both[code]
        two_by_two = {(True, True): n_both, (True, False): n_a - n_both, (False, True): n_b - n_both}
        two_by_two[False, False] = n - n_a - n_b + n_both
        found = cohen_kappa(two_by_two)
        figures[code] = {"n_a": n_a, "n_b": n_b, "n_both": n_both, "kappa": found.kappa}
    return figures


def confusions(table: Mapping[tuple[Codes, Codes], int]) -> list[dict[str, Any]]:
    """The unequal pairs of labels, most frequent first: [{"a": "PCT", "b": "PEP", "n": 4}, ...]."""
    unequal = [(count, "|".join(sorted(a)), "|".join(sorted(b))) for (a, b), count in table.items() if a != b]
    return [{"a": a, "b": b, "n": count} for count, a, b in sorted(unequal, key=lambda row: (-row[0], row[1], row[2]))]


def block(counts: Counts) -> dict[str, Any]:
    """The figures of one role (design.md section 7); keys of later figures are absent, undefined ones null with a reason."""
    found = cohen_kappa(counts.table)
    codes = one_vs_rest(counts.table)
    figures = _head(counts, found) | {"codes": codes, "confusions": confusions(counts.table)}
    for code, values in codes.items():
        if values["kappa"] is None:
            figures["undefined"][f"codes.{code}.kappa"] = "both annotators used it for every utterance"
    return figures


def _head(counts: Counts, found: Kappa) -> dict[str, Any]:
    undefined = {"kappa": found.reason} if found.kappa is None else {}
    if found.n == 0:
        undefined |= {"po": found.reason, "pe": found.reason}
    return {
        "n_utterances": counts.n,
        "n_conversations": len(counts.conversations),
        "n_skipped": counts.n_skipped,
        "n_blank": counts.n_blank,
        "po": found.po,
        "pe": found.pe,
        "kappa": found.kappa,
        "undefined": undefined,
    }


def pooled(by_role: Mapping[str, Counts]) -> dict[str, Any]:
    """The roles in one table, codes as `Role/CODE`. It flatters kappa, because chance gets credit for telling roles apart."""
    together = _together(by_role)
    for role, counts in by_role.items():
        for (a, b), count in counts.table.items():
            together.table[_qualified(role, a), _qualified(role, b)] += count
    return block(together) | {"pooled": True}


def stratified(by_role: Mapping[str, Counts]) -> dict[str, Any]:
    """The figure over all roles: kappa stratified by role, codes as `Role/CODE`."""
    found = stratified_kappa(cohen_kappa(counts.table) for counts in by_role.values())
    blocks = {role: block(counts) for role, counts in by_role.items()}
    codes = {f"{role}/{code}": values for role, figures in blocks.items() for code, values in figures["codes"].items()}
    undefined = {
        f"codes.{role}/{key.removeprefix('codes.')}": reason
        for role, figures in blocks.items()
        for key, reason in figures["undefined"].items()
        if key.startswith("codes.")
    }
    figures = _head(_together(by_role, n=found.n), found)
    return figures | {"n_utterances": found.n, "codes": codes, "undefined": figures["undefined"] | undefined}


def _together(by_role: Mapping[str, Counts], n: int = 0) -> Counts:
    together = Counts()
    for counts in by_role.values():
        together.conversations |= counts.conversations
        together.n_skipped += counts.n_skipped
        together.n_blank += counts.n_blank
    return together


def _qualified(role: str, codes: Codes) -> Codes:
    return frozenset(f"{role}/{code}" for code in codes)


def count_pairs(judgements: Iterable[Judgement]) -> dict[tuple[str, str], dict[str, Counts]]:
    """Pair up what annotators said of the same utterance: {(A, B): {role: Counts}}, A before B by name.

    Every pair of annotators and every role is there, even without overlap. Only utterances with a label of both count as
    pairs; those of a conversation both worked on where one skipped count in `n_skipped`, where one left nothing in `n_blank`.
    Two labels of one annotator for one utterance are refused: which of them is meant must be said, never guessed.
    """
    said: dict[tuple[str, str, str], dict[str, Codes | None]] = {}
    worked_on: dict[str, set[str]] = {}
    for one in judgements:
        of_utterance = said.setdefault((one.role, one.conversation, one.utterance), {})
        if one.annotator in of_utterance:
            raise BadInput(
                f"{one.annotator} labelled conversation {one.conversation}, utterance {one.utterance} more than once. If that was in "
                "more than one round, say which is meant: --round NAME. Otherwise keep one."
            )
        of_utterance[one.annotator] = one.codes
        worked_on.setdefault(one.annotator, set()).add(one.conversation)
    roles = sorted({role for role, _, _ in said})
    pairs = {pair: {role: Counts() for role in roles} for pair in combinations(sorted(worked_on), 2)}
    for (role, conversation, _), by_annotator in said.items():
        for (a, b), by_role in pairs.items():
            if (a in by_annotator or b in by_annotator) and conversation in worked_on[a] and conversation in worked_on[b]:
                _count(by_role[role], conversation, by_annotator, a, b)
    return pairs


def _count(counts: Counts, conversation: str, by_annotator: Mapping[str, Codes | None], a: str, b: str) -> None:
    if a not in by_annotator or b not in by_annotator:
        counts.n_blank += 1
        return
    codes_a, codes_b = by_annotator[a], by_annotator[b]
    if codes_a is None or codes_b is None:
        counts.n_skipped += 1
        return
    counts.table[codes_a, codes_b] += 1
    counts.conversations.add(conversation)


def agreement(judgements: Iterable[Judgement]) -> dict[str, Any]:
    """All figures between people, as `agree --json` prints them: {"pairs": [{"annotators", "roles", "stratified", "pooled"}]}.

    >>> rows = [("ana", "1", "ACK"), ("ben", "1", "ACK"), ("ana", "2", "RC"), ("ben", "2", "RP")]
    >>> figures = agreement(Judgement(who, "c1", utterance, "Assistant", frozenset({code})) for who, utterance, code in rows)
    >>> figures["pairs"][0]["annotators"], figures["pairs"][0]["roles"]["Assistant"]["po"]
    (['ana', 'ben'], 0.5)
    """
    return {
        "pairs": [
            {
                "annotators": [a, b],
                "roles": {role: block(counts) for role, counts in by_role.items()},
                "stratified": stratified(by_role),
                "pooled": pooled(by_role),
            }
            for (a, b), by_role in count_pairs(judgements).items()
        ]
    }
