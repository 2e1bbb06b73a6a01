"""A report from top to bottom: every part of it beside what it should be, and what nothing can check with the reason."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

from annotator.core.agreement import Asked
from annotator.errors import BadInput
from annotator.flow.verification import book, oracles
from annotator.flow.verification.compare import (
    UNKNOWN,
    Check,
    Found,
    Note,
    Unverified,
    Verification,
    compare_block,
    compare_blocks,
    left,
    listed,
    named,
)
from annotator.flow.verification.figures import BOOK, Tree, all_tree, pair_tree
from annotator.flow.verification.overview import (
    after_discussion_tree,
    by_condition_tree,
    by_round_tree,
    matrix_tree,
    overview_tree,
    rest_tree,
    verdict_tree,
    with_themselves_tree,
)
from annotator.flow.verification.plan import plan_tree
from annotator.flow.verification.said import Codebook, Data, Row, Said, chosen, first, parts_of, pooled, said_of
from annotator.flow.verification.what_if import renamed, what_if_tree

Report = Mapping[str, Any]

_DRAWN = "conversations drawn at random by our own code, with its seed; the clustered error beside it is verified"
_NO_TAXONOMY = "made with a taxonomy that is not at hand; verify in the project, or with the taxonomy that was used"
_ASKED = "what the lower limit is held against, chosen by the project or the command"
_BY_TAXONOMY = ("s", "ac1", "categories", "kappa_categories", "kappa_within_categories", "kappa_weighted")
_OF_OVERVIEW = {"overview", "verdict", "what_if", "plan"}
_NONE_DUE = "undefined where the labels leave nothing to divide by"


def verify(data: Data, report: Report, asked: Asked | None = None) -> Verification:
    """Compare a report, as `agree --json` prints it, with what other libraries make of the labels.

    `asked` is what the report was asked for. Without a codebook what depends on it is left unverified in a report that had one. Raises
    `BadInput` where the report is none, or a library is missing.
    """
    versions = oracles.versions()
    with oracles.quiet():
        found = list(_found(data, _checked_shape(report), asked or Asked()))
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


def _found(data: Data, report: Report, asked: Asked) -> Iterator[Found]:
    rows = chosen(data.rows, asked)
    said = said_of(first(rows))
    everyone = said if asked.between is None else said_of(first(chosen(data.rows, replace(asked, between=None))))
    unverified, to_plan = {"bootstrap": _DRAWN}, data.codebook
    if not data.codebook and _had_taxonomy(report):
        unverified |= dict.fromkeys(_BY_TAXONOMY, _NO_TAXONOMY)
        to_plan = _codes_planned(report)
    overview = overview_tree(said) if report.keys() & _OF_OVERVIEW else {}
    parts: dict[str, Callable[[Any], Iterator[Found]]] = {
        "pairs": lambda pairs: _pairs(pairs, said, data.codebook, unverified),
        "all": lambda blocks: compare_blocks("all", named(blocks).items(), all_tree(said, data.codebook), unverified),
        "overview": lambda figures: _overview("overview", figures, overview),
        "verdict": lambda verdict: _verdict(named(verdict), overview),
        # Every two and each with the others, whichever two are looked at; every round, whichever is.
        "matrix": lambda lines: _lines("matrix", "annotators", lines, matrix_tree(everyone)),
        "rest": lambda lines: _lines("rest", "annotator", lines, rest_tree(everyone)),
        "by_round": lambda lines: _lines("by_round", "round", lines, by_round_tree(data.rows)),
        "by_condition": lambda lines: compare_blocks("by_condition", named(lines).items(), by_condition_tree(rows), {}),
        "with_themselves": lambda lines: _lines("with_themselves", "annotator", lines, with_themselves_tree(rows)),
        "after_discussion": lambda line: _after_discussion(line, after_discussion_tree(data, asked)),
        "what_if": lambda roles: _what_if(named(roles), what_if_tree(said, overview["headline"].value)),
        "what_if_asked": lambda answer: _what_if_asked(named(answer), first(rows)),
        "plan": lambda plan: _plan(named(plan), plan_tree(overview, asked, data.corpus, to_plan)),
    }
    for name, value in report.items():
        yield from parts[name](value) if name in parts else left("report", name, value, UNKNOWN)


def _who(names: Any) -> str:
    return " - ".join(map(str, names)) if isinstance(names, list) else str(names)


def _had_taxonomy(report: Report) -> bool:
    blocks = [block for pair in report["pairs"] for block in named(pair.get("roles")).values()]
    return any(isinstance(block, dict) and isinstance(block.get("categories"), dict) for block in blocks)


def _pairs(pairs: list[Report], said: Said, codebook: Codebook, unverified: Mapping[str, str]) -> Iterator[Found]:
    yield listed("report", "pairs", (_who(sorted(pair["annotators"])) for pair in pairs), map(" - ".join, combinations(said.annotators, 2)))
    for pair in pairs:
        yield from _pair(pair, said, codebook, unverified)


def _pair(pair: Report, said: Said, codebook: Codebook, unverified: Mapping[str, str]) -> Iterator[Found]:
    a, b = pair["annotators"]
    who = f"{a} - {b}"
    unknown = sorted({a, b} - set(said.annotators))
    tree = pair_tree(said, a, b, codebook)
    for name, value in pair.items():
        if name == "roles":
            yield from compare_blocks(who, named(value).items(), tree["roles"], unverified)
        elif name in tree and not unknown:
            yield from compare_block(f"{who}, {name}", value, tree[name], unverified)
        elif name != "annotators":
            yield from left(who, name, value, f"the data have no labels of {' or '.join(unknown)}" if unknown else UNKNOWN)
    yield from _notes(who, pair, parts_of(said, a, b))


def _overview(who: str, figures: Any, tree: Tree) -> Iterator[Found]:
    """The figures over all pairs of annotators."""
    for name, value in named(figures).items():
        if name == "roles":
            yield from compare_blocks(who, named(value).items(), tree["roles"], {})
        elif isinstance(value, dict):
            yield from compare_block(f"{who}, {name}", value, tree.get(name, {}), {})
        else:
            yield from compare_block(who, {name: value}, tree, {})


def _verdict(verdict: dict[str, Any], overview: Tree) -> Iterator[Found]:
    told = dict.fromkeys(("value", "ci95", "met"), verdict.get("sentence"))
    yield from compare_block("verdict", verdict | {"undefined": told}, verdict_tree(overview, verdict), {"threshold": _ASKED})


def _lines(who: str, of: str, lines: Any, trees: Tree) -> Iterator[Found]:
    """A list of lines, each of which says itself what it is of."""
    blocks = [(_who(named(line).get(of)), line) for line in named(lines).values()]
    yield from compare_blocks(who, blocks, trees, {}, f"{of.removesuffix('s')}s")


def _after_discussion(line: Any, tree: Tree | None) -> Iterator[Found]:
    if line is not None and tree is not None:
        yield from compare_block("after_discussion", line, tree, {})
    else:
        wanted = "nothing, as no label is another now" if tree is None else "figures, as labels are others now"
        yield Check("report", "after_discussion", line, wanted, BOOK, line is None and tree is None)


def _what_if(roles: dict[str, Any], trees: Tree) -> Iterator[Found]:
    yield listed("what_if", "roles", roles, trees)
    for role, lines in roles.items():
        yield from _lines(f"what_if, {role}", "codes", lines, trees.get(role, {}))


def _what_if_asked(answer: dict[str, Any], rows: list[Row]) -> Iterator[Found]:
    into = {old: str(new) for old, new in named(answer.get("merged")).items()}
    for name, of in (("before", rows), ("after", renamed(rows, into))):
        if name in answer:
            yield from _overview(f"what_if_asked, {name}", answer[name], overview_tree(said_of(of)))


def _plan(plan: dict[str, Any], tree: Tree) -> Iterator[Found]:
    overall = {name: value for name, value in plan.items() if name != "roles"}
    yield from compare_block("plan", overall | {"undefined": _reasons(named(plan.get("overall")), "overall.")}, tree, {})
    roles = named(plan.get("roles"))
    told = [(role, block | {"undefined": _reasons(block)} if isinstance(block, dict) else block) for role, block in roles.items()]
    yield from compare_blocks("plan", told, tree["roles"], {})


def _codes_planned(report: Report) -> Codebook:
    """The codes that the report's plan names."""
    roles = named(named(report.get("plan")).get("roles"))
    return {role: dict.fromkeys(named(named(block).get("codes")), "") for role, block in roles.items()}


def _reasons(need: dict[str, Any], at: str = "") -> dict[str, Any]:
    """How many are needed has a reason where it is not known; an interval that is none, and a corpus of unknown size, have not."""
    found = dict.fromkeys((f"{at}needed", f"{at}more"), need.get("reason")) | dict.fromkeys((f"{at}now", f"{at}possible"), _NONE_DUE)
    for code, of_code in named(need.get("codes")).items():
        found |= _reasons(named(of_code), f"{at}codes.{code}.")
    return found


# What is near and not equal


def _notes(who: str, pair: Report, parts: Mapping[str, Any]) -> Iterator[Note]:
    """The clustered error beside that of leaving out a conversation at a time, within 10 %, and of drawing anew, within 25 %."""
    whole = {
        **{(role, block): [parts[role].pairs] for role, block in ((role, "roles") for role in parts)},
        ("stratified", ""): [part.pairs for part in parts.values()],
        ("pooled", ""): [pooled(parts).pairs],
    }
    for (name, of), pairs in whole.items():
        block = named(named(pair.get("roles")).get(name) if of else pair.get(name))
        se, drawn = block.get("se"), named(block.get("bootstrap")).get("se")
        if not isinstance(se, float) or not se:
            continue
        for beside, other, within in (("jackknife", book.jackknife(pairs), 0.10), ("bootstrap", drawn, 0.25)):
            if isinstance(other, float):
                yield Note(f"{who}, {name}", "se", se, beside, other, within, abs(other - se) <= within * se)
