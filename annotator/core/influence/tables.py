"""What the proposal did, as rows of figures in both arms side by side, and as tables to download; the figures are `influence`'s."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from annotator.core.table import Cell, Table

Report = Mapping[str, Any]
OF_MODEL, KEPT, ADDED = "kappa with the model", "used where proposed", "used where not proposed"
EQUAL, NET, SECONDS, AT_ONCE = "equal to the proposal", "net switch to the proposal", "seconds per utterance", "equal to it within 2 s"
_SHORT = {"kappa": "kappa", "kappa_macro": "mean kappa"}
_ERRORS = {"kappa": ("kappa", "ci95"), "kappa_macro": ("kappa_macro", "kappa_macro_ci95")}
_CLUSTERED = "95 % limits are clustered by conversation; what cannot be estimated is empty, for the reason in the last column"


class Side(NamedTuple):
    """A figure in one arm, or the change between them, with its limits; `n` is how many labels, or pairs of labels, it is of.

    `few`: too few to say much.
    """

    value: float | None
    ci95: Sequence[float] | None
    n: int | None = None
    few: bool = False


class Compared(NamedTuple):
    """A figure blind, assisted, and assisted minus blind with its p; `reason` says why that, or one of the two, cannot be estimated.

    `role`, `annotator` and `code` are empty where it is over all of them.
    """

    what: str
    role: str
    annotator: str
    code: str
    blind: Side
    assisted: Side
    change: Side
    p: float | None
    reason: str

    def row(self) -> dict[str, Cell]:
        """As a row of a table."""
        cells: dict[str, Cell] = {"figure": self.what, "role": self.role, "annotator": self.annotator, "code": self.code}
        for name, side in (("blind", self.blind), ("assisted", self.assisted), ("change", self.change)):
            low, high = side.ci95 or (None, None)
            cells |= {name: side.value, f"{name} low": low, f"{name} high": high} | ({} if name == "change" else {f"n {name}": side.n})
        return cells | {"p": self.p, "undefined": self.reason}


def percent(share: float) -> str:
    """A share as people read it.

    >>> percent(0.447), percent(-0.051), percent(0)
    ('45 %', '−5.1 %', '0 %')
    """
    return f"{share * 100:.{int(0 < abs(share) < 0.1)}f} %".replace("-", "−")


def everybody(report: Report) -> list[Compared]:
    """The figures of all annotators together, kappas for each role too."""
    return list(_block(report, report, "", ""))


def annotators(report: Report) -> list[Compared]:
    """The figures of each annotator."""
    return [row for name, block in report["annotators"].items() for row in _block(report, block, f"annotators.{name}.", name)]


def codes(report: Report) -> list[Compared]:
    """The figures of each code."""
    found = []
    for role, of_role in report["codes"].items():
        for code, block in of_role.items():
            path, who = f"codes.{role}.{code}", {"role": role, "code": code}
            found += [
                _compared(report, OF_MODEL, block["model_human"], f"{path}.model_human", who),
                _compared(report, KEPT, block["kept"], f"{path}.kept", who),
                _compared(report, ADDED, block["added"], f"{path}.added", who),
            ]
            share = report["shift"][role]["codes"].get(code)
            if share is not None:
                found.append(_compared(report, "share of labels", share, f"shift.{role}.codes.{code}", who))
    return found


def with_model(report: Report) -> str:
    """Which kappa with the model is to be read."""
    return f"{_SHORT[report['headline']]} with the model"


def _block(report: Report, block: Report, path: str, annotator: str) -> Iterator[Compared]:
    who = {"annotator": annotator}
    for name, change, what in (("human_human", "difference", "between people"), ("model_human", "inflation", "with the model")):
        yield _kappa(report, block[name], change, what, f"{path}{name}", who)
        for role, lines in block[name].get("roles", {}).items():
            yield _kappa(report, lines, change, what, f"{path}{name}.roles.{role}", who | {"role": role})
    yield _compared(report, EQUAL, block["agreement_with_proposal"], f"{path}agreement_with_proposal", who)
    switch, nothing = block["switch_to_model"], Side(None, None)
    reason = report["undefined"].get(f"{path}switch_to_model.value") or report["undefined"].get(f"{path}switch_to_model.ci95", "")
    net = Side(switch["value"], switch["ci95"])
    yield Compared(NET, "", annotator, "", nothing, nothing, net, None, reason)
    yield _compared(report, SECONDS, block["seconds"], f"{path}seconds", who)
    yield _compared(report, AT_ONCE, block["at_once"], f"{path}at_once", who)


def _kappa(report: Report, lines: Report, change: str, what: str, path: str, who: Mapping[str, str]) -> Compared:
    name = report["headline"]
    value, interval = _ERRORS[name]
    sides = [Side(lines[arm][value], lines[arm][interval], lines[arm]["n_pairs"]) for arm in ("blind", "assisted")]
    apart = lines[change][name]
    paths = (f"{path}.{change}.{name}.value", f"{path}.{change}.{name}.ci95", f"{path}.blind.{value}", f"{path}.assisted.{value}")
    return _put(f"{_SHORT[name]} {what}", sides, apart, _reason(report, paths), who)


def _compared(report: Report, what: str, both: Report, path: str, who: Mapping[str, str]) -> Compared:
    value = "kappa" if "kappa" in both["blind"] else "value"
    change = "inflation" if "inflation" in both else "difference"
    sides = [_side(both[arm], value) for arm in ("blind", "assisted")]
    paths = (f"{path}.{change}.value", f"{path}.{change}.ci95", f"{path}.blind.{value}", f"{path}.assisted.{value}")
    return _put(what, sides, both[change], _reason(report, paths), who)


def _side(of: Report, value: str) -> Side:
    if value == "value":
        return Side(of["value"], of["ci95"], of["n"])
    return Side(of["kappa"], of["ci95"], of["n_people"] + of["n_model"] - of["n_both"], of["few"])


def _put(what: str, sides: Sequence[Side], apart: Report, reason: str, who: Mapping[str, str]) -> Compared:
    blind, assisted = sides
    change = Side(apart["value"], apart["ci95"])
    return Compared(
        what, who.get("role", ""), who.get("annotator", ""), who.get("code", ""), blind, assisted, change, apart["p_t"], reason
    )  # fmt: skip


def _reason(report: Report, paths: Iterable[str]) -> str:
    return next((report["undefined"][path] for path in paths if path in report["undefined"]), "")


# Tables


def tables(report: Report) -> list[Table]:
    """All tables that have rows: everybody, annotators, codes, shift, replaceable, paired."""
    arms = "Labels given blind and with the proposal in view, assisted minus blind"
    told: dict[str, tuple[str, Iterable[dict[str, Cell]]]] = {
        "everybody": (f"{arms}; {_CLUSTERED}.", _rows(everybody(report))),
        "annotators": (f"{arms}, for each annotator; {_CLUSTERED}.", _rows(annotators(report))),
        "codes": (f"{arms}, for each code; {_CLUSTERED}.", _rows(codes(report))),
        "shift": ("How far the codes of blind and assisted labels are apart as a whole, by total variation.", _shifts(report)),
        "replaceable": ("The alternative annotator test of the model against each annotator, on blind labels.", _against(report)),
        "paired": ("The same annotators' labels of the same utterances, blind and later with the proposal in view.", _paired(report)),
    }
    found = (_table(name, title, rows) for name, (title, rows) in told.items())
    return [table for table in found if table is not None]


def all_in_one(report: Report) -> Table:
    """Everything that is told of both arms, in one table."""
    rows = [*everybody(report), *annotators(report), *codes(report)]
    title = f"Labels given blind and with the proposal in view, assisted minus blind; {_CLUSTERED}."
    return Table("influence", title, tuple(rows[0].row()), tuple(tuple(row.row().values()) for row in rows))


def _rows(compared: Iterable[Compared]) -> Iterator[dict[str, Cell]]:
    return (one.row() for one in compared)


def _table(name: str, title: str, rows: Iterable[dict[str, Cell]]) -> Table | None:
    """The table, without columns in which nothing stands."""
    listed = list(rows)
    used = [heading for heading in (listed[0] if listed else ()) if any(row[heading] not in ("", None) for row in listed)]
    return Table(name, title, tuple(used), tuple(tuple(row[heading] for heading in used) for row in listed)) if used else None


def _shifts(report: Report) -> Iterator[dict[str, Cell]]:
    for annotator, path, shifts in _shifted(report):
        for role, one in shifts.items():
            low, high = one["ci95"] or (None, None)
            yield {
                "role": role, "annotator": annotator, "distance": one["distance"], "low": low, "high": high,
                "by chance below": one["chance95"], "p": one["p"],
                "from proposals, blind": one["from_proposals"]["blind"], "from proposals, assisted": one["from_proposals"]["assisted"],
                "conversations blind": one["n_conversations"][0], "conversations assisted": one["n_conversations"][1],
                "undefined": _reason(report, (f"{path}shift.{role}.{name}" for name in ("distance", "ci95", "p"))),
            }  # fmt: skip


def _shifted(report: Report) -> Iterator[tuple[str, str, Report]]:
    yield "", "", report["shift"]
    for name, block in report["annotators"].items():
        yield name, f"annotators.{name}.", block["shift"]


def _against(report: Report) -> Iterator[dict[str, Cell]]:
    for name, one in report["alternative"]["against"].items():
        path = f"alternative.against.{name}"
        yield {
            "annotator": name, "n": one["n"], "conversations": one["n_conversations"],
            "model at least as good": one["advantage"], "annotator at least as good": one["human_advantage"],
            "p by conversation": one["by_conversation"]["p"], "model wins": one["by_conversation"]["wins"],
            "p as published": one["by_item"]["p"], "model wins as published": one["by_item"]["wins"],
            "undefined": _reason(report, (f"{path}.by_conversation.{name_}" for name_ in ("p", "wins"))),
        }  # fmt: skip


def _paired(report: Report) -> Iterator[dict[str, Cell]]:
    for row in report["paired"]["rows"]:
        yield {
            "annotator": row["annotator"], "role": row["role"], "n": row["n"],
            "equal to the proposal, blind": row["agree_blind"]["value"], "equal to it, assisted": row["agree_assisted"]["value"],
            "went over": row["switched"], "of those that differed": row["switch"]["value"],
            "left": row["left"], "of those that were equal": row["leave"]["value"], "p": row["p"],
            "kappa with the model, blind": row["kappa_blind"], "kappa, assisted": row["kappa_assisted"],
        }  # fmt: skip
