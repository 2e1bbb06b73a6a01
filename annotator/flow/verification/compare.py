"""A part of a report beside the tree of what it should be: every number in it becomes a check, or is said not to be verified."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from math import isclose
from typing import Any

from annotator.flow.verification.figures import BOOK, Figure, Tree

UNKNOWN = "this version knows no such figure"
_LISTED = ("codes", "categories", "confusions", "agreed")


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


Found = Check | Unverified | Note


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


def compare_blocks(
    who: str, blocks: Iterable[tuple[str, Any]], trees: Tree, unverified: Mapping[str, str], of: str = "roles"
) -> Iterator[Found]:
    """Objects of figures, one per role or whatever they are of: whether all are there and no other is, and every figure."""
    blocks = list(blocks)
    yield listed(who, of, [name for name, _ in blocks], trees)
    for name, block in blocks:
        yield from compare_block(f"{who}, {name}", block, trees.get(name, {}), unverified)


def compare_block(where: str, block: Any, tree: Tree, unverified: Mapping[str, str]) -> Iterator[Found]:
    """An object of figures; its "undefined" has the reasons of those that are None."""
    if not isinstance(block, dict):
        yield Check(where, "block", block, "an object of figures", BOOK, False)
    why = named(named(block).get("undefined"))
    for name, value in named(block).items():
        if name in unverified:
            yield from left(where, name, value, unverified[name])
        elif name in _LISTED and isinstance(tree.get(name), dict):
            yield listed(where, name, named(value), tree[name])
            yield from _compared(_At(where, name), value, tree[name], why)
        elif name != "undefined":
            yield from _compared(_At(where, name), value, tree.get(name), why)


@dataclass(frozen=True, slots=True)
class _At:
    where: str
    figure: str

    def of(self, name: object) -> "_At":
        return _At(self.where, f"{self.figure}.{name}")


def _compared(at: _At, ours: Any, wanted: Figure | Tree | None, why: Mapping[str, Any]) -> Iterator[Found]:
    if wanted is None:
        yield from left(at.where, at.figure, ours, UNKNOWN)
    elif isinstance(wanted, Figure):
        yield from _figure(at, ours, wanted, why)
    elif isinstance(ours, dict | list):
        for name, value in named(ours).items():
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


def listed(where: str, figure: str, ours: Iterable[str], theirs: Iterable[str]) -> Check:
    """Whether all that should be there is, and nothing else."""
    found, wanted = sorted(ours), sorted(theirs)
    return Check(where, f"{figure} listed", found, wanted, BOOK, found == wanted)


def left(where: str, figure: str, value: Any, reason: str) -> Iterator[Unverified]:
    """Every number in a part of the report that is not verified."""
    if isinstance(value, int | float):
        yield Unverified(where, figure, reason)
    for name, one in named(value).items():
        yield from left(where, f"{figure}.{name}", one, reason)


def named(value: Any) -> dict[str, Any]:
    """What is in an object by its name, in a list by its place; nothing is in a number."""
    if isinstance(value, list):
        return {str(at): one for at, one in enumerate(value)}
    return value if isinstance(value, dict) else {}
