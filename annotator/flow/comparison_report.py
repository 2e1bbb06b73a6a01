"""A comparison as text for the terminal, as CSV, and as files; the figures are `flow/comparison.py`'s."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from annotator.core.labelled import guard
from annotator.errors import BadInput

_CODES = ("role", "code", "n_run", "support", "n_both", "precision", "recall", "f1", "kappa", "undefined")
_CONFUSIONS = ("role", "run", "reference", "n")
_DISAGREEMENTS = ("conversation", "utterance", "role", "text", "run", "reference", "confidence", "reason")
_HEADLINE = {"kappa": "kappa", "kappa_macro": "kappa macro", "exact_match": "exact", "macro_f1": "macro F1", "micro_f1": "micro F1"}
_SCORES = ("precision", "recall", "f1", "kappa")
_WIDTH, _CONFUSIONS_SHOWN = 100, 10


def codes_csv(report: Mapping[str, Any]) -> str:
    """A row per role and code."""
    return _table(_CODES, _code_rows(report))


def confusions_csv(report: Mapping[str, Any]) -> str:
    """A row per unequal pair of labels."""
    return _table(_CONFUSIONS, _confusions(report))


def disagreements_csv(report: Mapping[str, Any]) -> str:
    """A row per utterance to look at, the run's surest first."""
    return _table(_DISAGREEMENTS, report["disagreements"])


def write_files(report: Mapping[str, Any], folder: Path) -> list[Path]:
    """All of it into a folder, made where it is not there; files of an earlier comparison are written anew."""
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is a file. Give --out a folder.")
    contents = {
        "comparison.json": json.dumps(report, indent=2, ensure_ascii=False) + "\n",
        "codes.csv": codes_csv(report),
        "confusions.csv": confusions_csv(report),
        "disagreements.csv": disagreements_csv(report),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_text(content, encoding="utf-8", newline="")
    except OSError as error:
        raise BadInput(f"{folder} cannot be written ({error.strerror}). Give --out another folder.") from error
    return [folder / name for name in contents]


def as_text(report: Mapping[str, Any], n_disagreements: int = 15) -> str:
    """The figures for the terminal, with the disagreements of which the run was surest."""
    parts = [_heading(report), _headline(report), _code_table(report), _confusion_lines(report)]
    return "\n\n".join("\n".join(lines) for lines in [*parts, _to_look_at(report, n_disagreements)] if lines)


def _table(columns: tuple[str, ...], rows: Iterable[Mapping[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row[column]) for column in columns] for row in rows)
    return out.getvalue()


def _cell(value: Any) -> str:
    return "" if value is None else guard(value) if isinstance(value, str) else str(value)


def _code_rows(report: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for role, block in report["roles"].items():
        for code, scores in block["codes"].items():
            reasons = {name: block["undefined"].get(f"codes.{code}.{name}") for name in _SCORES}
            undefined = "; ".join(f"{name}: {reason}" for name, reason in reasons.items() if reason)
            yield {"role": role, "code": code, "undefined": undefined, **scores}


def _confusions(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = [{"role": role, **row} for role, block in report["roles"].items() for row in block["confusions"]]
    return sorted(found, key=lambda row: -row["n"])


def _heading(report: Mapping[str, Any]) -> list[str]:
    run, against, size = report["run"], report["reference"], report["stratified"]
    whom = f"run {_run(against['run'])}" if "run" in against else against["name"]
    cost, why = run["cost_per_thousand"], run["undefined"].get("cost_per_thousand")
    which = "" if "run" in against else ", blind labels only" if report["subset"] == "blind" else ", all labels"
    said = ["suggestions without a label", "labels without a suggestion", "labels not blind", "skipped"]
    left_out = [f"{n} {what}" for n, what in zip(report["left_out"].values(), said, strict=True) if n]
    return [
        f"Run {_run(run)} compared with {whom}{which}",
        f"{size['n_utterances']} utterances of {size['n_conversations']} conversations have both. "
        f"Left out: {', '.join(left_out) or 'none'}.",
        f"Cost per thousand utterances: {f'undefined: {why}' if why else f'{cost:.4f} USD'}",
    ]


def _run(run: Mapping[str, Any]) -> str:
    return f"{run['id']} ({', '.join([run['tagger'], *run['model_versions']])})"


def _headline(report: Mapping[str, Any]) -> list[str]:
    lines = [f"{'':16}" + "".join(f"{title:>13}" for title in _HEADLINE.values()) + f"{'n':>8}"]
    for scope, block in {**report["roles"], "stratified": report["stratified"]}.items():
        lines.append(f"{scope:16}" + "".join(f"{_number(block[name]):>13}" for name in _HEADLINE) + f"{block['n_utterances']:>8}")
        lines += [f"    {_HEADLINE[name]} is undefined: {block['undefined'][name]}" for name in _HEADLINE if name in block["undefined"]]
    return lines


def _code_table(report: Mapping[str, Any]) -> list[str]:
    lines = [f"{'code':24}{'run':>6}{'ref.':>6}{'both':>6}{'precision':>11}{'recall':>11}{'F1':>11}{'kappa':>11}"]
    for row in _code_rows(report):
        counts = "".join(f"{row[name]:>6}" for name in ("n_run", "support", "n_both"))
        line = f"{row['role'] + ' ' + row['code']:24}{counts}" + "".join(f"{_number(row[name]):>11}" for name in _SCORES)
        lines.append(f"{line}  {row['undefined']}".rstrip())
    return lines


def _confusion_lines(report: Mapping[str, Any]) -> list[str]:
    found = _confusions(report)
    rows = [f"{row['n']:>6}  {row['role']}: {row['run'] or '∅'} where it is {row['reference'] or '∅'}" for row in found[:_CONFUSIONS_SHOWN]]
    return [f"Most frequent confusions ({len(rows)} of {len(found)})", *rows] if rows else []


def _to_look_at(report: Mapping[str, Any], n: int) -> list[str]:
    found = report["disagreements"]
    if not found:
        return ["No disagreements."]
    lines = [f"Disagreements, the run's surest first ({min(n, len(found))} of {len(found)})"]
    for row in found[:n]:
        sure = "   -" if row["confidence"] is None else f"{row['confidence']:.2f}"
        where = f"{row['conversation']} {row['utterance']}, {row['role']}"
        lines.append(f"  {sure}  {_plain(where)}: {row['run'] or '∅'}, reference {row['reference'] or '∅'}")
        lines += [f"        {label}{_plain(row[name])}" for name, label in (("text", "> "), ("reason", "because: ")) if row[name]]
    return lines


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def _plain(text: str) -> str:
    """One short line without control characters: transcripts and models must not steer the terminal."""
    line = "".join(letter if letter.isprintable() else " " for letter in " ".join(text.split()))
    return line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…"
