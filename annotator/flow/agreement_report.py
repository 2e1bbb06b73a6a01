"""Agreement as text for the terminal and as one flat CSV; the figures are `flow/agreement.py`'s."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from annotator.core.agreement.tables import cautions, counted, label_of, sides
from annotator.core.labelled import guard

_OVERALL = ("n_utterances", "n_conversations", "n_skipped", "n_blank", "po", "pe", "kappa")
_PER_CODE = ("n_a", "n_b", "n_both", "kappa")
_TABLE = ("annotator_a", "annotator_b", "scope", "code", *_OVERALL, "n_a", "n_b", "n_both", "undefined")


_HURT, _CONFUSED = 5, 5
FEW_PAIRS = 10
"""So many pairs are shown one by one; of more of them the text needs no more than the summary has."""
_NOTHING = "Nothing to compare yet: agreement needs two annotators who have both handed in the same conversation."


def as_text(figures: dict[str, Any]) -> str:
    """The figures for the terminal: the verdict, every pair, then what hurts most, confusions, and agreement with oneself. The figures
    of every pair may be left out where there are more than `FEW_PAIRS`.
    """
    overview = figures["overview"]
    if overview["n_annotators"] < 2:
        return _NOTHING
    parts = [[verdict_line(figures), *cautions(figures)], _pairs(figures), _hurting(overview), _confused(figures), _again(figures)]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def verdict_line(figures: dict[str, Any]) -> str:
    """The headline figure with its interval, what it rests on, and whether its lower limit reaches the threshold."""
    overview, verdict = figures["overview"], figures["verdict"]
    line = overview["stratified"]
    name = {"kappa": "kappa", "kappa_macro": "mean of the codes' kappas"}[verdict["figure"]]
    effect = "" if line["design_effect"] is None else f", design effect {line['design_effect']:.2f}"
    size = (
        f"{counted(overview['n_annotators'], 'annotator')}, {counted(overview['n_utterances'], 'utterance')} of "
        f"{counted(line['n_conversations'], 'conversation')}, {_pairs_of_labels(line['n_pairs'])}{effect}"
    )
    interval = "" if verdict["ci95"] is None else f", 95 % {_interval(verdict['ci95'])}"
    return f"{name} {_number(verdict['value'])}{interval}: {verdict['sentence']}\n{size}"


def _pairs_of_labels(n: int) -> str:
    return f"{counted(n, 'pair')} of labels"


def _pairs(figures: dict[str, Any]) -> list[str]:
    """Every pair with its roles; of many annotators all pairs together and the pairs with the lowest kappa."""
    return _every_pair(figures) if "pairs" in figures and len(figures["pairs"]) <= FEW_PAIRS else _lowest_pairs(figures)


def _lowest_pairs(figures: dict[str, Any]) -> list[str]:
    overview = figures["overview"]
    lines = {**overview["roles"], "stratified": overview["stratified"]}
    rows = [(f"all pairs  {scope}", line, line["n_pairs"]) for scope, line in lines.items()]
    pairs = figures["matrix"]
    met = [pair for pair in pairs if pair["n_pairs"]]
    defined = sorted((pair for pair in met if pair["kappa"] is not None), key=lambda pair: (pair["kappa"], pair["annotators"]))
    lowest = [(f"{' - '.join(pair['annotators'])}  stratified", pair, pair["n_pairs"]) for pair in defined[:FEW_PAIRS]]
    wide = max(32, *(len(f"{who} ") for who, *_ in rows + lowest))
    more = [
        f"{counted(n, 'more pair')} {what}"
        for n, what in (
            (len(defined) - len(lowest), "with a higher kappa"),
            (len(met) - len(defined), "without a defined kappa"),
            (len(pairs) - len(met), "without an utterance that both labelled"),
        )
        if n
    ]
    title = [f"Lowest kappa of {len(pairs):,} pairs of annotators"] if lowest else []
    return [
        _heading(wide), *(text for row in rows for text in _scope(*row, wide)),
        *title, *(text for row in lowest for text in _scope(*row, wide)),
        f"{', '.join(more)}: --csv and --json have all.",
    ]  # fmt: skip


def _heading(wide: int) -> str:
    return f"{'':{wide}}{'kappa':>11}{'po':>11}{'pe':>11}{'n':>8}{'95 % of kappa':>19}"


def _scope(who: str, block: dict[str, Any], n: int, wide: int) -> list[str]:
    """The figures of one role or all of them, and why there is no kappa where there is none."""
    shown = [_number(block[name]) for name in ("kappa", "po", "pe")]
    interval = "undefined" if block["ci95"] is None else _interval(block["ci95"])
    reason = block["undefined"].get("kappa")
    return [
        f"{who:{wide}}{shown[0]:>11}{shown[1]:>11}{shown[2]:>11}{n:>8}{interval:>19}",
        *([f"    undefined: {reason}"] if reason else []),
    ]  # fmt: skip


def _every_pair(figures: dict[str, Any]) -> list[str]:
    scopes = ("pooled (flatters)", *figures["overview"]["roles"])
    wide = max(32, *(len(f"{' - '.join(pair['annotators'])}  {scope} ") for pair in figures["pairs"] for scope in scopes))
    lines = [_heading(wide)]
    for pair in figures["pairs"]:
        blocks = {**pair["roles"], "stratified": pair["stratified"], "pooled (flatters)": pair["pooled"]}
        if not pair["pooled"]["n_utterances"]:
            lines.append(f"{' - '.join(pair['annotators'])}  share no utterance that both labelled; nothing to compare")
            continue
        for scope, block in blocks.items():
            lines += _scope(f"{' - '.join(pair['annotators'])}  {scope}", block, block["n_utterances"], wide)
    return lines


def _hurting(overview: dict[str, Any]) -> list[str]:
    """The codes that most of the unequal labels of all roles lie with."""
    found = []
    for role, line in overview["roles"].items():
        n = sum(one["n"] for one in line["confusions"])
        found += [(values["cost"] * n, role, code, values) for code, values in line["codes"].items() if values["cost"] > 0]
    lines = []
    for _, role, code, values in sorted(found, key=lambda one: (-one[0], one[1:3]))[:_HURT]:
        few = ", too few uses to say" if values["few"] else ""
        share = f"{100 * values['cost']:.0f} % of the role's disagreement"
        lines.append(f"{f'{role} {code}':32}{share:>36}, kappa {_estimate(values)}{few}")
    return ["What hurts most", *lines] if lines else []


def _confused(figures: dict[str, Any]) -> list[str]:
    found = [(one["n"], role, one) for role, line in figures["overview"]["roles"].items() for one in line["confusions"]]
    most = sorted(found, key=lambda one: -one[0])[:_CONFUSED]
    lines = [f"{n:>6}  {role}: {label_of(one['a'])} against {label_of(one['b'])}" for n, role, one in most]
    whose = f"; left {names[0]}, right {names[1]}" if (names := sides(figures)) else ""
    return [f"Most frequent confusions ({len(lines)} of {len(found)}{whose})", *lines] if lines else []


def _again(figures: dict[str, Any]) -> list[str]:
    found = figures["with_themselves"]
    lines = [f"{one['annotator']:32}{_estimate(one)}, n {one['n_pairs']:,}" for one in found]
    return ["Agreement with themselves, asked once more", *lines] if lines else []


def plan_text(figures: dict[str, Any]) -> str:
    """How many conversations more two annotators must label, and which codes can never be told in this corpus, and why."""
    plan = figures["plan"]
    wide, of_code, corpus = plan["half_width"], plan["code_half_width"], plan["corpus"]["n_conversations"]
    size = f", {corpus:,} in the corpus" if corpus else ""
    lines = [
        f"Conversations that two must label until 95 % limits are ±{wide:g}, and ±{of_code:g} for a code{size}",
        f"{'':32}{'now':>7}{'± now':>9}{'needed':>9}{'more':>7}",
        _need("over roles", plan["overall"], corpus),
    ]
    never: list[str] = []
    more: list[str] = []
    done: list[str] = []
    unknown: dict[str, list[str]] = defaultdict(list)
    for role, need in plan["roles"].items():
        lines.append(_need(role, need, corpus))
        for code, one in need["codes"].items():
            name = f"{role} {code}"
            if one["needed"] is None:
                unknown[one["reason"]].append(name)
            elif one["more"]:
                (never if one["possible"] is False else more).append(_need(name, one, corpus))
            else:
                done.append(name)
    told = [
        [f"Never ±{of_code:g} in this corpus: merge the code with a neighbour, look for more of it, or claim nothing of it", *never],
        ["More conversations needed", *more],
        ["Cannot be told", *(f"{why}: {', '.join(codes)}" for why, codes in unknown.items())],
        [f"Known to ±{of_code:g} already", *([", ".join(done)] if done else [])],
    ]
    return "\n\n".join("\n".join(part) for part in (lines, *(part for part in told if len(part) > 1)))


def _need(name: str, need: dict[str, Any], corpus: int) -> str:
    now = "-" if need["now"] is None else f"{need['now']:.3f}"
    needed, more = (("-" if need[key] is None else f"{need[key]:,}") for key in ("needed", "more"))
    why = need["reason"]
    if need["possible"] is False:
        code = f"; on {100 * need['share']:.2g} % of labels it takes {need['utterances']:,} utterances" if "share" in need else ""
        why = f"the corpus has {corpus:,}{code}"
    return f"{name:32}{need['n_conversations']:>7,}{now:>9}{needed:>9}{more:>7}  {why}".rstrip()


def what_if_text(found: dict[str, Any]) -> str:
    """The figures before and after codes become others: over all, per role, and of the codes that change."""
    before, after = found["before"], found["after"]
    macro = before["headline"] == "kappa_macro"
    name = "mean of the codes' kappas" if macro else "kappa"
    lines = [f"{', '.join(f'{old} = {new}' for old, new in found['merged'].items())}: {name} as it is → as it would be"]
    lines.append(_change("over roles", before["stratified"], after["stratified"], macro=macro))
    codes = []
    for role, line in before["roles"].items():
        lines.append(_change(role, line, after["roles"][role], macro=macro))
        now, then = line["codes"], after["roles"][role]["codes"]
        changed = sorted(code for code in {*now, *then} if _counts(now.get(code)) != _counts(then.get(code)))
        codes += [_change(f"{role} {code}", now.get(code), then.get(code)) for code in changed]
    return "\n".join([*lines, "", "Codes that change", *codes])


def _counts(values: dict[str, Any] | None) -> tuple[int, ...] | None:
    return None if values is None else tuple(values[name] for name in ("n_a", "n_b", "n_both"))


def _change(name: str, now: dict[str, Any] | None, then: dict[str, Any] | None, *, macro: bool = False) -> str:
    told = [("no such code" if one is None else _estimate(one, macro=macro)) for one in (now, then)]
    return f"{name:32}{told[0]:36} → {told[1]}"


def _estimate(line: dict[str, Any], *, macro: bool = False) -> str:
    """A kappa, of a line or a code, with its interval."""
    name, limits = ("kappa_macro", "kappa_macro_ci95") if macro else ("kappa", "ci95")
    interval = "" if line[limits] is None else f" ({_interval(line[limits])})"
    uses = f", n {_uses(line)}" if "n_a" in line else ""
    return f"{_number(line[name])}{interval}{uses}"


def _uses(values: dict[str, Any]) -> str:
    return f"{values['n_a']:,}/{values['n_b']:,}"


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def _interval(ends: list[float]) -> str:
    return f"{ends[0]:.3f} to {ends[1]:.3f}"


def as_csv(figures: dict[str, Any]) -> str:
    """The figures as one flat table: a row per pair and scope (role, stratified, pooled), then one per code of it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_TABLE)
    for pair in figures["pairs"]:
        blocks = {**pair["roles"], "stratified": pair["stratified"], "pooled": pair["pooled"]}
        for scope, block in blocks.items():
            for cells in _rows_of(block):
                row = dict(zip(("annotator_a", "annotator_b", "scope"), (*pair["annotators"], scope), strict=True)) | cells
                writer.writerow([_cell(row.get(column)) for column in _TABLE])
    return out.getvalue()


def _rows_of(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield {name: block[name] for name in _OVERALL} | {"undefined": block["undefined"].get("kappa", "")}
    for code, values in block["codes"].items():
        undefined = block["undefined"].get(f"codes.{code}.kappa", "")
        yield {"code": code, "undefined": undefined} | {name: values[name] for name in _PER_CODE}


def _cell(value: Any) -> str:
    return "" if value is None else guard(value) if isinstance(value, str) else str(value)
