"""The figures of agreement as tables to download and print; what they are and how they are made is `summary`'s and `report`'s.

A row is a mapping of headings to cells, so that each table is read off in one place. A part that the figures lack gives no table.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from annotator.core.table import Cell, Table

Figures = Mapping[str, Any]
Row = dict[str, Cell]

NO_CODE = "∅"
"""How the label without codes is written."""
_CLUSTERED = "95 % limits are clustered by conversation"
_EMPTY, _ON_PAPER = "is empty, for the reason in the last column", "is a dash, for the reason under the table"
_DASH = f"what is undefined {_EMPTY}"
_UNDEFINED = "undefined"
_NEARLY_ALL = 0.75
_APART, _MARGINS = 0.2, 0.02
_ROUGH = 20
_PAGE = 60
"""So many rows go on a page."""
_AIDS = ("kappa_max", "pi", "s", "ac1", "alpha", "alpha_masi", "alpha_jaccard", "exact_match", "mean_jaccard", "share_several")
_AIDS_OF_ALL = ("alpha", "fleiss", "ac1", "alpha_masi", "alpha_jaccard")


def tables(figures: Figures) -> list[Table]:
    """All tables of the figures of `summary`, or of `pairs` and `summary` together:

    overall, reading_aids, pairs, rest, codes, categories, within_categories, confusions, what_if, rounds, themselves, plan.

    >>> line = {"kappa": None, "ci95": None, "po": 1.0, "pe": 1.0, "se": None, "se_iid": None, "design_effect": None, "n_pairs": 2,
    ...         "n_conversations": 1, "undefined": {"kappa": "both used one label only"}}
    >>> (table,) = tables({"rest": [{"annotator": "ana", **line}]})
    >>> table.name, table.rows
    ('rest', (('ana', None, None, None, 1.0, 1.0, None, None, None, 2, 1, 'both used one label only'),))
    """
    makers = (_overall, _reading_aids, _pairs, _rest, _codes, _categories, _within, _confusions, _what_if, _rounds, _themselves, _plan)
    return [table for make in makers for table in make(figures)]


def for_paper(table: Table) -> Table:
    """The table as a page has room for it: limits in brackets after their figure, reasons under it instead of in a column, and of very
    many rows the first.

    >>> heading = ("code", "kappa", "kappa low", "kappa high", "undefined")
    >>> table = Table("t", "T.", heading, (("RP", 0.7, 0.61, 0.79, ""), ("OTH", None, None, None, "everybody always used it")))
    >>> for_paper(table).heading, for_paper(table).rows, for_paper(table).notes
    (('code', 'kappa'), (('RP', '0.700 [0.610, 0.790]'), ('OTH', None)), ('Undefined: everybody always used it (OTH).',))
    """
    at = {name: number for number, name in enumerate(table.heading)}
    limits = {name: (at[f"{name} low"], at[f"{name} high"]) for name in at if f"{name} low" in at}
    kept = [name for name in at if name != _UNDEFINED and name.removesuffix(" low").removesuffix(" high") not in limits.keys() - {name}]
    rows = tuple(
        tuple(_with_limits(row[at[name]], *(row[end] for end in limits[name])) if name in limits else row[at[name]] for name in kept)
        for row in table.rows[:_PAGE]
    )
    notes = (*table.notes, *_reasons_under(table)) if _UNDEFINED in at else table.notes
    if len(table.rows) > _PAGE:
        notes += (f"The first {_PAGE} of {len(table.rows):,} rows.",)
    return Table(table.name, table.title.replace(_EMPTY, _ON_PAPER), tuple(kept), rows, notes)


def _with_limits(value: Cell, low: Cell, high: Cell) -> Cell:
    return value if value is None or low is None else f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _reasons_under(table: Table) -> list[str]:
    """Each reason of the last column once, with the rows that it is the reason of, by their names before the first number."""
    named = min((at for row in table.rows for at, cell in enumerate(row) if isinstance(cell, int | float)), default=1)
    where = defaultdict(list)
    for row in table.rows[:_PAGE]:
        if row[-1]:
            where[row[-1]].append(" ".join(str(cell) for cell in row[:named] if cell not in ("", None)))
    return [f"Undefined: {why} ({', '.join(rows)})." for why, rows in where.items()]


def label_of(label: str) -> str:
    """A label of the figures as it is shown: its codes joined by `|`, `NO_CODE` where it has none."""
    return label or NO_CODE


def counted(n: int, name: str) -> str:
    """A number of something.

    >>> counted(1, "conversation"), counted(2000, "conversation")
    ('1 conversation', '2,000 conversations')
    """
    return f"{n:,} {name}" if n == 1 else f"{n:,} {name}s"


def cautions(figures: Figures) -> list[str]:
    """Sentences where one figure alone misleads: conversations are few, nearly all labels are one code, or annotators use codes
    unequally often.

    >>> codes = {"OTH": {"n_a": 95, "n_b": 97}, "RP": {"n_a": 5, "n_b": 3}}
    >>> line = {"n_pairs": 100, "po": 0.92, "pe": 0.92, "kappa": -0.02, "codes": codes}
    >>> cautions({"overview": {"roles": {"Seeker": line}}})  # doctest: +NORMALIZE_WHITESPACE
    ['Seeker: annotators agree on 0.92 of the labels, but OTH is on 96 % of them, so chance alone would agree on 0.92. That kappa is -0.02
    comes from this prevalence.']
    """
    found = []
    n = figures.get("overview", {}).get("stratified", {}).get("n_conversations", 0)
    if n == 1:
        found.append("With 1 conversation there are no intervals: how conversations differ cannot be told from one.")
    elif 0 < n < _ROUGH:
        found.append(f"With {n} conversations intervals and design effects are rough: how conversations differ is told by few of them.")
    for role, line in figures.get("overview", {}).get("roles", {}).items():
        uses = {code: (values["n_a"] + values["n_b"]) / (2 * line["n_pairs"]) for code, values in line["codes"].items()}
        code = max(uses, key=lambda one: uses[one], default="")
        if uses and line["kappa"] is not None and uses[code] >= _NEARLY_ALL and line["po"] - line["kappa"] >= _APART:
            found.append(
                f"{role}: annotators agree on {line['po']:.2f} of the labels, but {code} is on {uses[code]:.0%} of them, so chance alone "
                f"would agree on {line['pe']:.2f}. That kappa is {line['kappa']:.2f} comes from this prevalence.".replace("%", " %")
            )
    pairs = figures.get("pairs", ())
    for pair in pairs if len(pairs) == 1 else ():
        for role, block in pair["roles"].items():
            if None not in (block["kappa"], block["pi"]) and abs(block["kappa"] - block["pi"]) >= _MARGINS:
                found.append(
                    f"{role}: {' and '.join(pair['annotators'])} use labels unequally often: kappa is {block['kappa']:.2f}, and pi, "
                    f"which takes that for disagreement, {block['pi']:.2f}."
                )
    return found


# The tables, one after the other


def _overall(figures: Figures) -> Iterator[Table]:
    if "overview" not in figures:
        return
    overview = figures["overview"]
    scopes = {**overview["roles"], "stratified": overview["stratified"]}
    conditions = figures.get("by_condition", {})
    if set(conditions) != {""}:
        scopes |= {f"{name or 'unknown condition'} only": line for name, line in conditions.items()}
    if figures.get("after_discussion"):
        scopes["after discussion"] = figures["after_discussion"]
    title = f"Agreement on the label of an utterance, per role and over roles (stratified); {_CLUSTERED}, and {_DASH}."
    yield from _table("overall", title, ({"scope": scope, **_line(line, macro=True)} for scope, line in scopes.items()))


def _reading_aids(figures: Figures) -> Iterator[Table]:
    pairs = figures.get("pairs", [])
    if len(pairs) == 1:
        (pair,) = pairs
        title = (
            f"What to read beside kappa, for {' and '.join(pair['annotators'])}: other coefficients over the utterances that both "
            f"labelled; they have no limits, and {_DASH}."
        )
        scopes = {**pair["roles"], "stratified": pair["stratified"]}
        yield from _table("reading_aids", title, (_aids(scope, block, pair["annotators"]) for scope, block in scopes.items()), figures)
    elif "all" in figures:
        lines = figures.get("overview", {}).get("roles", {})
        title = f"What to read beside kappa: coefficients over the labels of all annotators at once, per role; {_DASH}."
        rows = (_aids_of_all(role, block, lines.get(role, {})) for role, block in figures["all"].items())
        yield from _table("reading_aids", title, rows, figures)


def _aids(scope: str, block: Figures, names: Iterable[str]) -> Row:
    row: Row = {"scope": scope, "kappa": block["kappa"], "po": block["po"], "pe": block["pe"]}
    row |= {_plain(name): block[name] for name in _AIDS}
    row |= {f"codes per label, {name}": n for name, n in zip(names, block["mean_codes"] or (None, None), strict=True)}
    return row | {_UNDEFINED: _reasons(block["undefined"], ("kappa", *_AIDS))}


def _aids_of_all(role: str, block: Figures, line: Figures) -> Row:
    row: Row = {"role": role, "annotators": block["n_annotators"], "utterances": block["n_utterances"]}
    row |= {name: line.get(name) for name in ("kappa", "po", "pe")}
    row |= {_plain(name): block[name] for name in _AIDS_OF_ALL}
    row |= {_plain(name): line.get(name) for name in ("mean_jaccard", "share_several")}
    return row | {_UNDEFINED: _reasons(block["undefined"], _AIDS_OF_ALL)}


def _pairs(figures: Figures) -> Iterator[Table]:
    title = (
        "Agreement of every two annotators on the label of an utterance, stratified over roles; "
        f"{_CLUSTERED}, and two who share no utterance have no figure."
    )
    yield from _table("pairs", title, ({**_names(one["annotators"]), **_line(one)} for one in figures.get("matrix", ())))


def _rest(figures: Figures) -> Iterator[Table]:
    title = (
        "Agreement of each annotator with all the others on the label of an utterance, stratified over the others and roles; "
        f"{_CLUSTERED}, and {_DASH}."
    )
    yield from _table("rest", title, ({"annotator": one["annotator"], **_line(one)} for one in figures.get("rest", ())))


def _codes(figures: Figures) -> Iterator[Table]:
    title = (
        "Agreement per code (this code on an utterance or not), the codes with the largest share of the disagreement (cost) first; "
        f"{_CLUSTERED}, widened for rare codes, and a code that everybody always used has no kappa."
    )
    yield from _table("codes", title, _code_rows(figures))


def _code_rows(figures: Figures) -> Iterator[Row]:
    for role, line in figures.get("overview", {}).get("roles", {}).items():
        for code, values in by_cost(line):
            row: Row = {"role": role, "code": code, **_uses(values), "cost": values["cost"], "design effect": values["design_effect"]}
            yield row | {"few uses": values["few"], _UNDEFINED: _first_reason(line["undefined"], f"codes.{code}.")}


def by_cost(line: Figures) -> list[tuple[str, dict[str, Any]]]:
    """The codes of a role with their figures, the one that costs most agreement first."""
    return sorted(line["codes"].items(), key=lambda one: (-one[1]["cost"], one[0]))


def _categories(figures: Figures) -> Iterator[Table]:
    title = (
        "Agreement per category (a code of this category on an utterance or not) of every two annotators; "
        f"{_CLUSTERED}, widened for rare categories, and one that both always used has no kappa."
    )
    rows = (
        {**names, "role": role, "category": category, **_uses(values), "few uses": values["few"],
         _UNDEFINED: _first_reason(block["undefined"], f"categories.{category}.")}
        for names, role, block in _with_categories(figures) for category, values in block["categories"].items()
    )  # fmt: skip
    yield from _table("categories", title, rows)


def _within(figures: Figures) -> Iterator[Table]:
    title = (
        "Confusion inside or across categories, of every two annotators on the utterances that both labelled: kappa of codes, of "
        f"categories, of codes where the categories agree, and with a code of the same category counted half; {_DASH}."
    )
    columns = ("kappa_categories", "kappa_within_categories", "kappa_weighted")
    rows = (
        {**names, "role": role, "kappa": block["kappa"], **{_plain(name): block[name] for name in columns},
         _UNDEFINED: _reasons(block["undefined"], ("kappa", *columns))}
        for names, role, block in _with_categories(figures)
    )  # fmt: skip
    yield from _table("within_categories", title, rows)


def _with_categories(figures: Figures) -> Iterator[tuple[Row, str, Figures]]:
    for pair in figures.get("pairs", ()):
        for role, block in pair["roles"].items():
            if block["categories"]:
                yield _names(pair["annotators"]), role, block


def _confusions(figures: Figures) -> Iterator[Table]:
    title = f"Pairs of unequal labels of one utterance, the most frequent first; {NO_CODE} is the label without codes."
    rows = []
    for role, line in figures.get("overview", {}).get("roles", {}).items():
        n = sum(one["n"] for one in line["confusions"])
        for one in line["confusions"]:
            rows.append({"role": role, "a": label_of(one["a"]), "b": label_of(one["b"]), "n": one["n"], "share": one["n"] / n})
    rows.sort(key=lambda row: -row["n"])
    yield from _table("confusions", title, rows, notes=(f"{direction(figures)}; share is of all unequal pairs of the role.",))


def direction(figures: Figures) -> str:
    """Whose labels `a` and `b` of confusions are."""
    names = sides(figures)
    return f"a is the label of {names[0]}, b that of {names[1]}" if names else "a and b are the labels of any two annotators, in no order"


def sides(figures: Figures) -> tuple[str, str] | None:
    """The names of the first and the second of each pair of labels; None where pairs are of several annotators in no order.

    In one annotator's own figures they are always the first.
    """
    overview = figures.get("overview", {})
    names, rest = overview.get("annotators", []), figures.get("rest", [])
    if not overview.get("directed") or len(names) < 2:
        return None
    first = rest[0]["annotator"] if len(rest) == 1 else names[0]
    others = [name for name in names if name != first]
    return first, others[0] if len(others) == 1 else "another annotator"


def _what_if(figures: Figures) -> Iterator[Table]:
    name = "the mean of the codes' kappas" if figures.get("overview", {}).get("headline") == "kappa_macro" else "kappa"
    title = (
        f"What {name} over the labelled utterances would be with two confused codes merged, or if annotators settled which is meant; "
        f"no limits are given, as the codes are chosen for being confused, and {_DASH}."
    )
    rows = (_becoming(role, row) for role, found in figures.get("what_if", {}).items() for row in found)
    yield from _table("what_if", title, rows)


def _becoming(role: str, found: Figures) -> Row:
    columns = ("now", "merged", "settled", "overall_now", "overall_merged", "overall_settled")
    row: Row = {"role": role, "code": found["codes"][0], "merged into": found["codes"][1], "n": found["n"]}
    why = found["undefined"]
    return row | {_plain(name): found[name] for name in columns} | {_UNDEFINED: _reasons(why, columns)}


def _rounds(figures: Figures) -> Iterator[Table]:
    title = f"Agreement on the label of an utterance in each round, stratified over annotators and roles; {_CLUSTERED}, and {_DASH}."
    rows = (
        {"round": one["round"], **{_plain(name): " ".join(one[name]) for name in ("taxonomy_versions", "conditions")}, **_line(one)}
        for one in figures.get("by_round", ())
    )
    yield from _table("rounds", title, rows)


def _themselves(figures: Figures) -> Iterator[Table]:
    title = (
        "Agreement of each annotator with themselves, on utterances that were silently asked once more, stratified over roles; "
        f"{_CLUSTERED}, and {_DASH}."
    )
    yield from _table("themselves", title, ({"annotator": one["annotator"], **_line(one)} for one in figures.get("with_themselves", ())))


def _plan(figures: Figures) -> Iterator[Table]:
    if not figures.get("plan"):
        return
    plan = figures["plan"]
    title = (
        f"How many conversations two annotators must label until 95 % limits are {plan['half_width']:g} to either side, "
        f"{plan['code_half_width']:g} for single codes; limits are clustered by conversation, and what cannot be told {_EMPTY}."
    )
    yield from _table("plan", title, _needs(plan))


def _needs(plan: Figures) -> Iterator[Row]:
    yield {"role": "over roles", "code": "", **_need(plan["overall"])}
    for role, need in plan["roles"].items():
        yield {"role": role, "code": "", **_need(need)}
        yield from ({"role": role, "code": code, **_need(one)} for code, one in need["codes"].items())


def _need(need: Figures) -> Row:
    return {
        "conversations now": need["n_conversations"], "half width now": need["now"],
        "conversations needed": need["needed"], "more": need["more"], "in the corpus": need["possible"],
        "share of labels": need.get("share"), "kappa assumed": need.get("kappa_assumed"),
        "design effect assumed": need.get("design_effect_assumed"), "utterances needed": need.get("utterances"),
        _UNDEFINED: need["reason"],
    }  # fmt: skip


# What they share


def _table(name: str, title: str, rows: Iterable[Row], figures: Figures | None = None, notes: tuple[str, ...] = ()) -> Iterator[Table]:
    """A table, if there are rows; with `figures`, the cautions about them go under it."""
    if rows := list(rows):
        under = (*notes, *(cautions(figures) if figures else ()))
        yield Table(name, title, tuple(rows[0]), tuple(tuple(row.values()) for row in rows), under)


def _names(annotators: Iterable[str]) -> Row:
    return dict(zip(("annotator a", "annotator b"), annotators, strict=True))


def _limits(name: str, value: float | None, interval: Iterable[float] | None) -> Row:
    low, high = interval or (None, None)
    return {name: value, f"{name} low": low, f"{name} high": high}


def _line(line: Figures, *, macro: bool = False) -> Row:
    row = _limits("kappa", line["kappa"], line["ci95"])
    if macro:
        row |= _limits("macro", line.get("kappa_macro"), line.get("kappa_macro_ci95"))
        row |= _limits("macro of frequent codes", line.get("kappa_macro_frequent"), line.get("kappa_macro_frequent_ci95"))
    return row | {
        "po": line["po"], "pe": line["pe"], "se": line["se"], "se iid": line["se_iid"], "design effect": line["design_effect"],
        "label pairs": line["n_pairs"], "conversations": line["n_conversations"],
        _UNDEFINED: line["undefined"].get("kappa") or line["undefined"].get("ci95", ""),
    }  # fmt: skip


def _uses(values: Figures) -> Row:
    """Of a code or category."""
    return {
        "uses a": values["n_a"], "uses b": values["n_b"], "both": values["n_both"],
        **_limits("kappa", values["kappa"], values["ci95"]),
        "interval": values["interval"], "se": values["se"], "specific agreement": values["specific"], "weight": values["weight"],
    }  # fmt: skip


def _first_reason(undefined: Mapping[str, str], prefix: str) -> str:
    return undefined.get(f"{prefix}kappa") or undefined.get(f"{prefix}ci95", "")


def _reasons(undefined: Mapping[str, str], names: Iterable[str]) -> str:
    """Each reason once, after what it is the reason of."""
    found = defaultdict(list)
    for name in names:
        if name in undefined:
            found[undefined[name]].append(_plain(name))
    return "; ".join(f"{', '.join(of)}: {why}" for why, of in found.items())


def _plain(name: str) -> str:
    return name.replace("_", " ")
