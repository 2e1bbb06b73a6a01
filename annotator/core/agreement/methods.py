"""The paragraph of a paper that says how agreement was measured and what came of it, filled in from the figures.

What no figure and no fact says stands in brackets for whoever writes the paper, and is never made up.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from annotator.core.agreement.tables import cautions, counted, label_of, sides
from annotator.core.latex import escaped

Figures = Mapping[str, Any]
_CONFUSIONS = 5
_ALPHA, _MASI = "Krippendorff's alpha of the whole label", "alpha with MASI over sets"
_WEIGHTS = (
    "; MASI weighs the Jaccard similarity of two sets by 1 where they are equal, 2/3 where one holds the other, 1/3 where they overlap and "
    "0 where they share no code, and two empty sets agree"
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """How a round was drawn: annotators in it and per conversation (None: all of them), shares of blind ones and of repeats, the seed,
    and which conversations in words.
    """

    round: str
    n_annotators: int
    overlap: int | None
    seed: int
    blind: float = 0.0
    repeats: float = 0.0
    conversations: str = "all conversations"


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the labels: utterances with gold, those that a lead adjudicated, and of these those whose gold is not what every
    annotator had said first, and those whose gold nobody had said.
    """

    n_gold: int
    n_adjudicated: int
    n_changed: int
    n_new: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known beside the figures; None and empty is not known, and becomes a bracket.

    `first` says whether labels are those before any discussion. `n_labels` were asked for, of which `n_skipped` were skipped and
    `n_blank` left open. `proposals` names runs with model and prompt. Only of a project (`of_project`) is it known that utterances were
    there before they were labelled, and how many there are; a table may be a choice of them.
    """

    software: str = ""
    drawn: tuple[Drawn, ...] = ()
    first: bool = False
    codes_per_label: tuple[int, int] | None = None
    n_labels: int | None = None
    n_skipped: int | None = None
    n_blank: int | None = None
    proposals: tuple[str, ...] = field(default=())
    settled: Settled | None = None
    pair_file: str = ""
    of_project: bool = False


def methods(figures: Figures, facts: Facts) -> str:
    """One paragraph in plain text, of the figures of `summary`, or of `pairs` and `summary` together.

    Always in brackets, as no tool can know it: who the annotators are and how they were trained; how the adjudicator decided; where
    the files are kept. In brackets where it is not known: whether utterances were segmented before they were labelled, and of how large
    a corpus they are; how the doubly labelled conversations were selected; what annotators saw of each other's labels; whether these
    are from before discussion; the taxonomy's version; skips; alpha; figures per category; whether proposals were shown, of which model
    and prompt; what adjudication changed; the software. Warnings about the figures stand in brackets too.

    >>> methods({"overview": {"stratified": {"n_pairs": 0}}}, Facts())
    'No utterance is labelled by two annotators, so there is no agreement to report.'
    """
    if not figures["overview"]["stratified"]["n_pairs"]:
        return "No utterance is labelled by two annotators, so there is no agreement to report."
    parts = (_material, _selection, _labels, _conditions, _coefficient, _result, _beside, _categories, _codes, _confusions)
    sentences = [sentence for part in parts for sentence in part(figures, facts)]
    sentences += [*_again(figures), *_adjudication(figures, facts), *_means(facts)]
    return " ".join([*sentences, *(f"[Check: {warning}]" for warning in figures.get("warnings", ()))])


def methods_latex(figures: Figures, facts: Facts) -> str:
    r"""The same as a line of LaTeX.

    >>> methods_latex({"overview": {"stratified": {"n_pairs": 0}}}, Facts())[:12]
    'No utterance'
    """
    return escaped(methods(figures, facts)) + "\n"


# What was labelled, by whom, and how it was chosen


def _material(figures: Figures, facts: Facts) -> Iterator[str]:
    overview = figures["overview"]
    line, corpus = overview["stratified"], figures.get("plan", {}).get("corpus", {})
    n, total = overview["n_utterances"], sum(corpus.get("utterances", {}).values())
    of_all = ""
    if total:
        whole = f"{total:,} utterances in {counted(corpus['n_conversations'], 'conversation')}"
        of_table = "" if facts.of_project else " of the table, which are [all of the corpus, or how they were chosen]"
        of_all = f" ({_share(n, total)} of {whole}{of_table})"
    many = overview["n_annotators"] > 2
    who = (
        f"at least two of {overview['n_annotators']} annotators, which makes {counted(line['n_pairs'], 'pair')} of labels"
        if many
        else "two annotators"
    )
    units = (
        "pre-segmented utterances" if facts.of_project else "utterances [how they were segmented, and whether before they were labelled]"
    )
    yield (
        f"Agreement was measured on {units}: {counted(n, 'utterance')} of {counted(line['n_conversations'], 'conversation')}{of_all} "
        f"{'was' if n == 1 else 'were'} labelled by {who}."
    )
    yield "The annotators were [who they are, and how they were trained]."


def _selection(figures: Figures, facts: Facts) -> Iterator[str]:
    for one in facts.drawn:
        every = one.overlap is None or one.overlap == one.n_annotators
        everybody = "both annotators" if one.n_annotators == 2 else f"all {one.n_annotators} annotators"
        who = everybody if every else f"{one.overlap} of {one.n_annotators} annotators, drawn by lot"
        yield f"In round {one.round} each conversation was labelled by {who} (seed {one.seed}; {one.conversations})."
    known = {one.round for one in facts.drawn}
    others = [name for name in figures.get("rounds", [""]) if name not in known]
    if others:
        names = ", ".join(filter(None, others))
        yield f"The doubly labelled conversations{f' of {names}' if names else ''} were selected by [how they were selected]."
        yield "Of each other's labels annotators saw [what they saw]."
    else:
        yield "The software showed nobody the labels of others before they had handed in their own."
    if facts.first:
        yield "Figures are of the labels as they were first handed in, before any discussion."
    else:
        yield "Figures are of [whether these are the first labels, before any discussion]."


def _labels(figures: Figures, facts: Facts) -> Iterator[str]:
    share = figures["overview"]["stratified"]["share_several"] or 0.0
    several = f"{_percent(share)} of labels hold several codes"
    if facts.codes_per_label == (1, 1):
        yield "Each utterance got one code (single-label)."
    elif facts.codes_per_label:
        least, most = facts.codes_per_label
        yield f"A label is a set of {least} to {most} codes (multi-label); {several}."
    else:
        yield f"A label is a set of codes (multi-label); {several}." if share else "All labels hold one code at most (single-label)."
    yield from _codes_per_label(figures)
    versions = [name for name in figures.get("taxonomy_versions", ()) if name]
    word = "version" if len(versions) == 1 else "versions"
    yield f"Codes are of taxonomy {word} {', '.join(versions)}." if versions else "Codes are of taxonomy [version]."
    if facts.n_skipped is None or facts.n_labels is None:
        told = "[whether utterances could be skipped, and how many were]"
        blank = f"; labels missing in conversations that were labelled otherwise: {facts.n_blank:,}" if facts.n_blank is not None else ""
        yield f"Skips: {told}{blank}; only utterances that both of a pair labelled are in the figures."
    else:
        yield (
            f"Of {facts.n_labels:,} labels to give, {facts.n_skipped:,} were skipped and {facts.n_blank or 0:,} left open; "
            "only utterances that both of a pair labelled are in the figures."
        )


def _codes_per_label(figures: Figures) -> Iterator[str]:
    """How many codes a label of each annotator has: who gives more meets others by chance more often."""
    codes, n = Counter[str](), Counter[str]()
    for block, names in ((pair["stratified"], pair["annotators"]) for pair in figures.get("pairs", ()) if pair["stratified"]["mean_codes"]):
        for name, mean in zip(names, block["mean_codes"], strict=True):
            codes[name] += round(mean * block["n_utterances"])
            n[name] += block["n_utterances"]
    means = sorted((codes[name] / n[name], name) for name in n)
    told = [f"{mean:.2f} by {name}" for mean, name in means]
    if all(mean == 1 for mean, _ in means):
        return
    of_many = f"goes from {told[0]} to {told[-1]}, a label counted for every pair it is in"
    yield f"The mean number of codes per label {of_many if len(told) > 2 else f'is {told[0]} and {told[1]}'}."


def _conditions(figures: Figures, facts: Facts) -> Iterator[str]:
    conditions = set(figures.get("conditions", ()))
    shown = f"the proposals of {'; '.join(facts.proposals)}" if facts.proposals else "the proposals of [which model, with which prompt]"
    lines = figures.get("by_condition", {})
    if {"blind", "assisted"} <= conditions:
        blind = [one.blind for one in facts.drawn]
        lot = f", a share of {_percent(blind[0])} drawn by lot beforehand" if len(set(blind)) == 1 else ""
        apart = ", ".join(f"{name} {_kappa(lines[name])}" for name in ("blind", "assisted") if name in lines)
        yield (
            f"Some conversations were labelled blind{lot}, in the others annotators corrected {shown} (assisted): kappa of the whole label "
            f"is {apart}."
        )
    elif conditions == {"blind"}:
        yield "All labels were given blind, without proposals of a model."
    elif conditions == {"assisted"}:
        yield f"All labels are assisted: annotators corrected {shown}, which may have raised agreement."
    if conditions & {""} or not conditions:
        yield "[Whether annotators saw proposals of a model, and if so of which model and prompt.]"


# How it was measured, and what came of it


def _coefficient(figures: Figures, facts: Facts) -> Iterator[str]:
    overview = figures["overview"]
    line = overview["stratified"]
    strata, margins = "roles", "each with its own margins"
    if overview["n_annotators"] > 2:
        strata = "roles and pairs of annotators"
        margins = "pe from the margins of either annotator over all their pairs of labels of a role"
    if overview["headline"] == "kappa_macro":
        yield (
            f"The coefficient is the mean of Cohen's kappa (each code against the rest, per role) over {line['n_codes']} codes; beside it "
            f"stands Cohen's kappa of the whole label, where two labels agree if they are the same set of codes, stratified by {strata}."
        )
    else:
        yield (
            f"The coefficient is Cohen's kappa of the whole label, where two labels agree if they are the same set of codes, stratified by "
            f"{strata}, {margins}: the sum of n (po - pe) over the sum of n (1 - pe)."
        )
    effect = "" if line["design_effect"] is None else f", design effect {line['design_effect']:.2f}"
    yield (
        f"Intervals are of 95 %, linearised, with errors clustered by conversation (G = {line['n_conversations']}, t with G - 1 degrees of "
        f"freedom{effect}); those of codes with fewer than 20 expected uses are by goodness of fit, widened by the design effect."
    )
    for pair in figures.get("pairs", ()) if len(figures.get("pairs", ())) == 1 else ():
        if drawn := pair["stratified"]["bootstrap"]:
            low, high = drawn["ci95"]
            yield f"A bootstrap of conversations ({drawn['draws']:,} draws, seed {drawn['seed']}) gives {low:.3f} to {high:.3f} for kappa."


def _result(figures: Figures, facts: Facts) -> Iterator[str]:
    overview = figures["overview"]
    line, macro = overview["stratified"], overview["headline"] == "kappa_macro"
    agreed = f"Observed agreement po is {_number(line['po'])} and chance agreement pe {_number(line['pe'])}"
    if macro:
        few = line.get("n_codes_frequent") or line["n_codes"]
        often, limits = line.get("kappa_macro_frequent"), line.get("kappa_macro_frequent_ci95")
        within = f" (95 % {limits[0]:.3f} to {limits[1]:.3f})" if limits else ""
        of_often = f", over the {few} codes of which ten uses by each are expected {often:.3f}{within}" if few < line["n_codes"] else ""
        yield f"The mean of the codes' kappas is {_kappa(line, macro=True)}{of_often}, kappa of the whole label {_kappa(line)}. {agreed}."
    else:
        yield f"Kappa is {_kappa(line)}. {agreed}."
    roles = [f"{role} {_kappa(one, macro=macro)}" for role, one in overview["roles"].items()]
    yield f"Per role it is {'; '.join(roles)}."
    verdict = figures.get("verdict")
    if verdict and verdict["met"] is not None:
        does = "reaches" if verdict["met"] else "does not reach"
        yield f"The lower limit {does} the threshold of {verdict['threshold']:g}."
    yield from cautions(figures)


def _beside(figures: Figures, facts: Facts) -> Iterator[str]:
    pairs = figures.get("pairs", ())
    if len(pairs) == 1:
        names = {"pi": "Scott's pi", "alpha": _ALPHA, "alpha_masi": _MASI, "ac1": "Gwet's AC1"}
        names |= {"kappa_max": "the largest kappa that the margins allow"}
        blocks = {**pairs[0]["roles"], "both roles": pairs[0]["stratified"]} if len(pairs[0]["roles"]) == 2 else pairs[0]["roles"]
    elif "all" in figures:
        names = {"alpha": _ALPHA, "fleiss": "Fleiss' kappa", "alpha_masi": _MASI}
        blocks = figures["all"]
    else:
        yield f"{_ALPHA} is [alpha, which `annotator agree` gives]."
        return
    told = []
    for scope, block in blocks.items():
        values = [f"{words} {block[name]:.3f}" for name, words in names.items() if block[name] is not None]
        told.append(f"for {scope} {', '.join(values) or 'no other coefficient is defined'}")
    weights = any(block["alpha_masi"] is not None for block in blocks.values())
    yield f"Beside kappa, {'; '.join(told)}{_WEIGHTS if weights else ''}."


def _categories(figures: Figures, facts: Facts) -> Iterator[str]:
    blocks = [(role, block) for pair in figures.get("pairs", ()) for role, block in pair["roles"].items()]
    found: dict[str, list[float]] = {}
    for role, block in blocks:
        if block["kappa_categories"] is not None:
            found.setdefault(role, []).append(block["kappa_categories"])
    if not found:
        why = "which needs the taxonomy" if blocks else "which `annotator agree --out` gives per pair of annotators: table categories"
        known = any(block["categories"] for _, block in blocks)
        said = "undefined (why: table within_categories)" if known else f"[kappa per category, {why}]"
        yield f"Agreement on categories of codes is {said}."
        return
    told = [f"{role} {_range(kappas)}" for role, kappas in found.items()]
    of_pairs = "" if len(figures["pairs"]) == 1 else ", from the lowest to the highest pair of annotators"
    yield f"With codes collapsed to their categories kappa is {'; '.join(told)}{of_pairs} (per category: table categories)."


def _range(values: Iterable[float]) -> str:
    low, high = min(values := list(values)), max(values)
    return f"{low:.3f}" if low == high else f"{low:.3f} to {high:.3f}"


def _codes(figures: Figures, facts: Facts) -> Iterator[str]:
    codes = [(role, code, one) for role, line in figures["overview"]["roles"].items() for code, one in line["codes"].items()]
    defined = sorted((one for one in codes if one[2]["kappa"] is not None), key=lambda one: one[2]["kappa"])
    if not defined:
        yield "No code has a kappa of its own."
        return
    lowest, highest = (_code(*defined[at]) for at in (0, -1))
    uses = sorted(one["n_a"] + one["n_b"] for *_, one in codes)
    n_few = sum(one["few"] for *_, one in codes)
    many = figures["overview"]["n_annotators"] > 2
    who = "on either side of the pairs of labels" if many else "by both annotators together"
    yield (
        f"Per code (this code against the rest; {counted(len(codes), 'code')} in use, {who} {uses[0]:,} to {uses[-1]:,} times) kappa goes "
        f"from {lowest} to {highest}, median {median(one['kappa'] for *_, one in defined):.3f}. Codes with fewer than 10 expected uses, "
        f"too few to say: {n_few}; without kappa: {len(codes) - len(defined)} (all: table codes)."
    )


def _code(role: str, code: str, values: Figures) -> str:
    interval = "" if values["ci95"] is None else f", 95 % {values['ci95'][0]:.3f} to {values['ci95'][1]:.3f}"
    return f"{values['kappa']:.3f} ({role} {code}{interval}, {values['n_a']:,} and {values['n_b']:,} uses)"


def _confusions(figures: Figures, facts: Facts) -> Iterator[str]:
    found = [(role, one) for role, line in figures["overview"]["roles"].items() for one in line["confusions"]]
    if not found:
        yield "No two labels of an utterance differ."
        return
    total = sum(one["n"] for _, one in found)
    most = sorted(found, key=lambda row: -row[1]["n"])[:_CONFUSIONS]
    told = [f"{role} {label_of(one['a'])} with {label_of(one['b'])} ({one['n']:,})" for role, one in most]
    names = sides(figures)
    order = f"the first label is that of {names[0]}, the second that of {names[1]}" if names else "the two labels are in no order"
    yield f"The most frequent confusions, of {total:,} unequal pairs, are {', '.join(told)}; {order} (all: table confusions)."


# What was done with it


def _again(figures: Figures) -> Iterator[str]:
    told = [f"{one['annotator']} {_kappa(one)}" for one in figures.get("with_themselves", ())]
    if told:
        yield f"Silently asked once more, annotators agree with themselves: kappa is {'; '.join(told)}."


def _adjudication(figures: Figures, facts: Facts) -> Iterator[str]:
    after = figures.get("after_discussion")
    if after:
        yield f"After discussion, in which {after['n_changed']:,} labels changed, kappa is {_kappa(after)}."
    settled = facts.settled
    if settled is None or not settled.n_gold:
        yield "Disagreements were adjudicated by [procedure, and how often it changed labels]."
        return
    if not settled.n_adjudicated:
        yield f"Equal labels became gold as they are ({counted(settled.n_gold, 'utterance')}); no utterance was adjudicated by a lead."
        return
    yield (
        f"Equal labels became gold as they are; a lead who had labelled none of them settled {settled.n_adjudicated:,} of "
        f"{settled.n_gold:,} utterances with gold, seeing the labels in an order drawn by lot and without names "
        "[and by which rule the lead decided]."
    )
    yield (
        f"On {settled.n_changed:,} of these ({_share(settled.n_changed, settled.n_adjudicated)}) gold differs from what at least one "
        f"annotator had said, on {settled.n_new:,} ({_share(settled.n_new, settled.n_adjudicated)}) from what each of them had said."
    )


def _means(facts: Facts) -> Iterator[str]:
    yield f"Figures were made with {facts.software or '[software and version]'}."
    yield f"The raw pairs of labels are in {facts.pair_file or '[the raw pair file]'}, kept at [where it can be found]."


# How figures are written


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _share(n: int, of: int) -> str:
    return _percent(n / of)


def _kappa(line: Figures, *, macro: bool = False) -> str:
    """A kappa with its interval and how many conversations it rests on, or why there is none."""
    name, limits = ("kappa_macro", "kappa_macro_ci95") if macro else ("kappa", "ci95")
    if line[name] is None:
        return f"undefined ({line['undefined'].get(name, 'nothing to compare')})"
    interval = line[limits]
    if interval is None:
        return f"{line[name]:.3f} (no interval: {line['undefined'].get(limits, 'unknown')})"
    return f"{line[name]:.3f} (95 % {interval[0]:.3f} to {interval[1]:.3f}, {counted(line['n_pairs'], 'pair')} of labels)"
