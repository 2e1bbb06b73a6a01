"""Every figure of a report, computed anew from the judgements by other means: public libraries, and formulas by the book.

What each figure should be is `figures`'s; here it is compared, and what nothing can check is listed with the reason.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from math import isclose
from typing import Any

from annotator.core.agreement import Judgement
from annotator.errors import BadInput
from annotator.flow.verification import book, oracles
from annotator.flow.verification.figures import BOOK, Codebook, Figure, Said, Tree, all_tree, pair_tree, parts_of, pooled, said_of
from annotator.flow.verification.overview import overview_trees, verdict_tree

Report = Mapping[str, Any]

_DRAWN = "conversations drawn at random by our own code, with its seed; the clustered error beside it is verified"
_NO_TAXONOMY = "made with a taxonomy that is not at hand; verify in the project, or with the taxonomy that was used"
_OTHER = {
    "what_if": "an estimate from the figures above, not a figure of the labels",
    "what_if_asked": "an estimate from the figures above, not a figure of the labels",
    "plan": "an estimate from the figures above, not a figure of the labels",
    "by_round": "of labels chosen otherwise; to verify one of them, choose it with --round",
    "by_condition": "of labels chosen otherwise",
    "with_themselves": "of labels that were asked for once more, which the other figures leave out",
    "after_discussion": "of the labels that stand now, not of those handed in",
}
_ASKED = "what the lower limit is held against, chosen by the project or the command"
_UNKNOWN = "this version knows no such figure"
_BY_TAXONOMY = ("s", "ac1", "categories", "kappa_categories", "kappa_within_categories", "kappa_weighted")
_LISTED = ("codes", "categories", "confusions")


@dataclass(frozen=True, slots=True)
class Check:
    """One figure, as the report has it and as the oracle does."""

    where: str
    figure: str
    ours: Any
    theirs: Any
    oracle: str
    ok: bool


@dataclass(frozen=True, slots=True)
class Unverified:
    """A number of the report that was not checked, and why."""

    where: str
    figure: str
    reason: str


@dataclass(frozen=True, slots=True)
class Note:
    """An error beside another estimate of it, from which it should not be farther than a share `within`: worth a look, no mistake."""

    where: str
    figure: str
    ours: float
    beside: str
    other: float
    within: float
    near: bool


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of comparing a report."""

    checks: list[Check]
    not_verified: list[Unverified]
    notes: list[Note]
    versions: dict[str, str]

    @property
    def different(self) -> list[Check]:
        """The figures that are not what they should be."""
        return [check for check in self.checks if not check.ok]

    def as_dict(self) -> dict[str, Any]:
        """For JSON: {"equal", "checks", "not_verified", "notes", "versions"}."""
        return {"equal": not self.different, **asdict(self)}


def verify(
    judgements: Iterable[Judgement], report: Report, codebook: Codebook | None = None, everyone: Iterable[Judgement] | None = None
) -> Verification:
    """Compare a report, as `agree --json` prints it, with what other libraries make of the judgements.

    `codebook` is role → code → category, as the report was made with. Without it, what depends on it is left unverified in a report
    that had one. `everyone` are the judgements of all annotators, for a report of two of them. Raises `BadInput` where the report is
    none, or a library is missing.
    """
    versions = oracles.versions()
    said = said_of(judgements)
    with oracles.quiet():
        found = list(_found(said, said if everyone is None else said_of(everyone), _checked_shape(report), codebook or {}))
    return Verification(
        [one for one in found if isinstance(one, Check)],
        [one for one in found if isinstance(one, Unverified)],
        [one for one in found if isinstance(one, Note)],
        versions,
    )


def _checked_shape(report: Report) -> Report:
    pairs = report.get("pairs")
    if not isinstance(pairs, list):
        raise BadInput("The report has no list of pairs. Give what `annotator agree --json` printed.")
    for at, pair in enumerate(pairs, 1):
        names = pair.get("annotators") if isinstance(pair, dict) else None
        if not isinstance(names, list) or len(names) != 2 or not all(isinstance(name, str) for name in names):
            raise BadInput(f"The report's pair {at} does not say which two annotators it is of. Give what `agree --json` printed.")
    return report


# The walk through the report

_Found = Check | Unverified | Note


def _found(said: Said, everyone: Said, report: Report, codebook: Codebook) -> Iterator[_Found]:
    unverified = {"bootstrap": _DRAWN}
    if not codebook and _had_taxonomy(report):
        unverified |= dict.fromkeys(_BY_TAXONOMY, _NO_TAXONOMY)
    names = [_who(list(two)) for two in combinations(said.annotators, 2)]
    yield _listed("report", "pairs", (_who(sorted(pair["annotators"])) for pair in report["pairs"]), names)
    for pair in report["pairs"]:
        yield from _pair(said, pair, codebook, unverified)
    if "all" in report:
        yield from _blocks("all", report["all"], all_tree(said, codebook), unverified)
    trees = overview_trees(said)
    # These stand for everybody, whichever two are looked at.
    trees |= {} if everyone is said else {name: tree for name, tree in overview_trees(everyone).items() if name in ("matrix", "rest")}
    yield from _overview(report, trees, unverified)
    for name, value in report.items():
        if name not in ("pairs", "all", "overview", "verdict", "matrix", "rest"):
            yield from _left("report", name, value, _OTHER.get(name, _UNKNOWN))


def _overview(report: Report, trees: Mapping[str, Tree], unverified: Mapping[str, str]) -> Iterator[_Found]:
    """The figures over all pairs of annotators, the verdict that they give, every pair and each annotator with the others."""
    overview, verdict = trees["overview"], _named(report.get("verdict"))
    for name, value in _named(report.get("overview")).items():
        if name == "roles":
            yield from _blocks("overview", value, overview["roles"], unverified)
        elif isinstance(value, dict):
            yield from _block(f"overview, {name}", value, overview.get(name, {}), unverified)
        else:
            yield from _compared(_At("overview", name), value, overview.get(name), {})
    told = dict.fromkeys(("value", "ci95", "met"), verdict.get("sentence"))
    yield from _block("verdict", verdict | {"undefined": told}, verdict_tree(overview, verdict), {"threshold": _ASKED})
    for name, of in (("matrix", "annotators"), ("rest", "annotator")):
        if name in report:
            lines = {_who(_named(line).get(of)): line for line in _named(report[name]).values()}
            yield from _blocks(name, lines, trees[name], unverified, "annotators")


def _who(names: Any) -> str:
    return " - ".join(map(str, names)) if isinstance(names, list) else str(names)


def _had_taxonomy(report: Report) -> bool:
    blocks = [block for pair in report["pairs"] for block in _named(pair.get("roles")).values()]
    return any(isinstance(block, dict) and isinstance(block.get("categories"), dict) for block in blocks)


def _pair(said: Said, pair: Report, codebook: Codebook, unverified: Mapping[str, str]) -> Iterator[_Found]:
    a, b = pair["annotators"]
    who = f"{a} - {b}"
    unknown = sorted({a, b} - set(said.annotators))
    tree = pair_tree(said, a, b, codebook)
    for name, value in pair.items():
        if name == "roles":
            yield from _blocks(who, value, tree["roles"], unverified)
        elif name in tree and not unknown:
            yield from _block(f"{who}, {name}", value, tree[name], unverified)
        elif name != "annotators":
            yield from _left(who, name, value, f"the data have no labels of {' or '.join(unknown)}" if unknown else _UNKNOWN)
    yield from _notes(who, pair, parts_of(said, a, b))


def _blocks(who: str, blocks: Any, trees: Tree, unverified: Mapping[str, str], of: str = "roles") -> Iterator[_Found]:
    """One block per role, or whoever it is of."""
    yield _listed(who, of, _named(blocks), trees)
    for role, block in _named(blocks).items():
        yield from _block(f"{who}, {role}", block, trees.get(role, {}), unverified)


def _block(where: str, block: Any, tree: Tree, unverified: Mapping[str, str]) -> Iterator[_Found]:
    if not isinstance(block, dict):
        yield Check(where, "block", block, "an object of figures", BOOK, False)
    why = _named(_named(block).get("undefined"))
    for name, value in _named(block).items():
        if name in unverified:
            yield from _left(where, name, value, unverified[name])
        elif name in _LISTED and isinstance(tree.get(name), dict):
            yield _listed(where, name, _named(value), tree[name])
            yield from _compared(_At(where, name), value, tree[name], why)
        elif name != "undefined":
            yield from _compared(_At(where, name), value, tree.get(name), why)


@dataclass(frozen=True, slots=True)
class _At:
    where: str
    figure: str

    def of(self, name: object) -> "_At":
        return _At(self.where, f"{self.figure}.{name}")


def _compared(at: _At, ours: Any, wanted: Figure | Tree | None, why: Mapping[str, Any]) -> Iterator[_Found]:
    if wanted is None:
        yield from _left(at.where, at.figure, ours, _UNKNOWN)
    elif isinstance(wanted, Figure):
        yield from _figure(at, ours, wanted, why)
    elif isinstance(ours, dict | list):
        for name, value in _named(ours).items():
            yield from _compared(at.of(name), value, wanted.get(name), why)
    else:
        yield Check(at.where, at.figure, ours, f"{len(wanted)} entries", BOOK, False)


def _figure(at: _At, ours: Any, wanted: Figure, why: Mapping[str, Any]) -> Iterator[Check]:
    theirs = wanted.value
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for place, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from _figure(at.of(place), one, wanted._replace(value=other), why)
    elif ours is None and theirs is None and not why.get(at.figure):
        yield Check(at.where, at.figure, None, "undefined, with a reason", wanted.oracle, False)
    else:
        yield Check(at.where, at.figure, ours, theirs, wanted.oracle, _equal(ours, theirs, wanted.tolerance))


def _equal(ours: Any, theirs: Any, tolerance: float) -> bool:
    if isinstance(ours, int | float) and isinstance(theirs, int | float) and isinstance(ours, bool) == isinstance(theirs, bool):
        return isclose(ours, theirs, rel_tol=tolerance, abs_tol=tolerance)
    return type(ours) is type(theirs) and bool(ours == theirs)


def _listed(where: str, figure: str, ours: Iterable[str], theirs: Iterable[str]) -> Check:
    """Whether all that should be there is, and nothing else."""
    found, wanted = sorted(ours), sorted(theirs)
    return Check(where, f"{figure} listed", found, wanted, BOOK, found == wanted)


def _named(value: Any) -> dict[str, Any]:
    """What is in an object by its name, in a list by its place; nothing is in a number."""
    if isinstance(value, list):
        return {str(at): one for at, one in enumerate(value)}
    return value if isinstance(value, dict) else {}


def _left(where: str, figure: str, value: Any, reason: str) -> Iterator[Unverified]:
    """Every number in a part of the report that is not verified."""
    if isinstance(value, int | float):
        yield Unverified(where, figure, reason)
    for name, one in _named(value).items():
        yield from _left(where, f"{figure}.{name}", one, reason)


# What is near and not equal


def _notes(who: str, pair: Report, parts: Mapping[str, Any]) -> Iterator[Note]:
    """The clustered error beside that of leaving out a conversation at a time, within 10 %, and of drawing anew, within 25 %."""
    whole = {
        **{(role, block): [parts[role].pairs] for role, block in ((role, "roles") for role in parts)},
        ("stratified", ""): [part.pairs for part in parts.values()],
        ("pooled", ""): [pooled(parts).pairs],
    }
    for (name, of), pairs in whole.items():
        block = _named(_named(pair.get("roles")).get(name) if of else pair.get(name))
        se, drawn = block.get("se"), _named(block.get("bootstrap")).get("se")
        if not isinstance(se, float) or not se:
            continue
        for beside, other, within in (("jackknife", book.jackknife(pairs), 0.10), ("bootstrap", drawn, 0.25)):
            if isinstance(other, float):
                yield Note(f"{who}, {name}", "se", se, beside, other, within, abs(other - se) <= within * se)
