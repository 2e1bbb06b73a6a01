"""Agreement as text for the terminal and as one flat CSV; the figures are `flow/agreement.py`'s."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from annotator.core.labelled import guard

_OVERALL = ("n_utterances", "n_conversations", "n_skipped", "n_blank", "po", "pe", "kappa")
_PER_CODE = ("n_a", "n_b", "n_both", "kappa")
_TABLE = ("annotator_a", "annotator_b", "scope", "code", *_OVERALL, "n_a", "n_b", "n_both", "undefined")


def as_text(figures: dict[str, Any]) -> str:
    """The figures as a table for the terminal."""
    if not figures["pairs"]:
        return "Nothing to compare yet: agreement needs two annotators who have both handed in the same conversation."
    lines = [f"{'':32}{'kappa':>11}{'po':>11}{'pe':>11}{'n':>8}"]
    for pair in figures["pairs"]:
        blocks = {**pair["roles"], "stratified": pair["stratified"], "pooled (flatters)": pair["pooled"]}
        if not pair["pooled"]["n_utterances"]:
            lines.append(f"{' - '.join(pair['annotators'])}  share no utterance that both labelled; nothing to compare")
            continue
        for scope, block in blocks.items():
            shown = [("undefined" if block[name] is None else f"{block[name]:.3f}") for name in ("kappa", "po", "pe")]
            who = f"{' - '.join(pair['annotators'])}  {scope}"
            lines.append(f"{who:32}{shown[0]:>11}{shown[1]:>11}{shown[2]:>11}{block['n_utterances']:>8}")
            reason = block["undefined"].get("kappa")
            lines += [f"    undefined: {reason}"] if reason else []
    return "\n".join(lines)


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
