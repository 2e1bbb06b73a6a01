"""What kappa should be with two codes merged, or never confused: the labels are changed, and kappa is worked out anew, by the book."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from annotator.flow.verification import book, joint
from annotator.flow.verification.book import Agreed, Codes, Table
from annotator.flow.verification.figures import Figure, Tree, number
from annotator.flow.verification.joint import Counted
from annotator.flow.verification.said import Row, Said, by_role

_MOST = 10
Tables = Sequence[Counted]
"""Of every two annotators, how often they gave which two labels in one role."""


def what_if_tree(said: Said, headline: str) -> Tree:
    """{ROLE: {"X - Y": {"codes", "n", "now", "merged", "settled" and the three over all roles}}}, the rarer code first."""
    tables = {role: joint.counted(strata) for role, strata in by_role(said).items()}
    now = {role: _parts(of_role, headline) for role, of_role in tables.items()}
    found: Tree = {}
    for role, of_role in tables.items():
        found[role] = {}
        for (x, y), n in _confused(of_role):
            changed = {
                "now": now[role],
                "merged": _parts(_changed(of_role, _merging(x, y)), headline),
                "settled": _parts(_changed(of_role, _settling(x, y)), headline),
            }
            line = {"codes": Figure([x, y]), "n": Figure(n)}
            for what, parts in changed.items():
                everywhere = [part for of_one in (now | {role: parts}).values() for part in of_one]
                line |= {what: Figure(_figure(parts, headline)), f"overall_{what}": Figure(_figure(everywhere, headline))}
            found[role][f"{x} - {y}"] = line
    return found


def _confused(tables: Tables) -> list[tuple[tuple[str, str], int]]:
    """The pairs of codes by which alone two labels of an utterance differ, one each, most frequent first."""
    uses = Counter[str]()
    for table in tables:
        for labels, n in table.met.items():
            uses.update({code: n * sum(code in label for label in labels) for code in frozenset().union(*labels)})
    found = Counter[tuple[str, str]]()
    for table in tables:
        for (a, b), n in table.met.items():
            if len(a - b) == 1 == len(b - a):
                x, y = sorted(a ^ b, key=lambda code: (uses[code], code))
                found[x, y] += n
    return sorted(found.items(), key=lambda one: (-one[1], one[0]))[:_MOST]


Change = Callable[[Codes, Codes], tuple[Any, Any]]


def _merging(x: str, y: str) -> Change:
    def merged(label: Codes) -> Codes:
        return label - {x} | {y} if x in label else label

    return lambda a, b: (merged(a), merged(b))


def _settling(x: str, y: str) -> Change:
    """The first's label counts for both where exactly these two stand against each other."""
    return lambda a, b: (a, a if a ^ b == {x, y} and len(a - b) == 1 else b)


def _changed(tables: Tables, change: Change) -> Tables:
    return [table._replace(met=_counted((change(a, b), n) for (a, b), n in table.met.items())) for table in tables]


def _counted(cells: Iterable[tuple[tuple[Any, Any], int]]) -> Table:
    found: Table = Counter()
    for cell, n in cells:
        found[cell] += n
    return found


def _parts(tables: Tables, headline: str) -> list[Agreed]:
    """What a role has in a figure: agreement on the label, or on every code."""
    if headline == "kappa":
        return [joint.agreed(tables)]
    codes = sorted({code for table in tables for labels in table.met for label in labels for code in label})
    return [joint.agreed(_changed(tables, _using(code))) for code in codes]


def _using(code: str) -> Change:
    return lambda a, b: (code in a, code in b)


def _figure(parts: Sequence[Agreed], headline: str) -> float | None:
    """Stratified kappa, or the mean of the codes'."""
    if headline == "kappa":
        return number(book.stratified(parts).kappa)
    kappas = [kappa for part in parts if (kappa := part.kappa) is not None]
    return float(sum(kappas) / Fraction(len(kappas))) if kappas else None


def renamed(rows: Sequence[Row], into: Mapping[str, str]) -> list[Row]:
    """The labels if codes had been others: `into` maps CODE, or ROLE/CODE before it, to the code it becomes."""

    def became(role: str, code: str) -> str:
        return into.get(f"{role}/{code}", into.get(code, code))

    return [row if row.codes is None else row._replace(codes=frozenset(became(row.role, code) for code in row.codes)) for row in rows]
