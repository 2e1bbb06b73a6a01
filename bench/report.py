"""The results as JSON for programs and as a page for people."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.agreement import TIMES
from bench.measures import Row, Size

_HEAD = """\
# How fast it is

Measured on {date} by `python -m bench`: Python {python} on {cores} cores ({processor}), {system}. \
Load average before the run, from others: {load}.
The corpus has the size of Muse: {conversations:,} conversations with {utterances:,} utterances, each with one proposal, \
put together by chance (seed {seed}) from the sample. Everything is real: commands are whole processes, \
pages come from `annotator serve` over HTTP on loopback, and every save is on disk (fsync) before it is answered.{quick}

To repeat it: `make bench`, or `python -m bench` in an environment with the `dev` extra. It takes about {minutes:.0f} minutes. \
`--quick` runs a tenth of it, for trying; `--only open,save` a part; `--json FILE` says where the figures go (default `bench/results.json`).

| part | what | figure | aim | | note |
|---|---|---|---|---|---|
"""

_MEANING = """
## What the rows mean
- **machine**: what the machine can do without us. A durable save cannot be quicker than one fsync.
- **import**: `annotator import` of the corpus with its proposals into a new project, from the start of the process to its end.
- **start**: `annotator serve` in the project with the corpus, from the start of the process until the sign-in page is there. \
Memory is what the process holds resident.
- **open**: an annotator's page of one conversation, with proposals, in a round that gives all conversations to eight annotators; \
one client, one kept connection, conversations drawn by chance.
- **save**: one label by a code, as the page's script sends it: signed in, rights, taxonomy and standing label checked, \
one decision written. The bare endpoint is FastAPI with one SELECT of the utterance by its key and one INSERT into the same table, \
as durable as ours, without sign-in, rights, checks or answer page: once through the same kind of session (the aim's yardstick), \
once through sqlite3 alone. The servers run at the same time and are asked in turns, {blocks} blocks each after one for warming up; \
the share is that of the medians. The clients are processes of their own that only write and read bytes.
- **export**: `annotator export` of everything, from the start of the process to its end.
- **tagging**: `bench/tagging.py`, which says how. Accuracy is the share of utterances whose first proposed code \
is among VOGUE's own; *plain* is TF-IDF and logistic regression on the same k conversations; *plain+* knows, as ours does, \
also the sample and the taxonomy's examples. The aim is the plain figure.
- **first pass**: `annotator tag --tagger gemini`, the whole process, with the real google-genai client against the stand-in of the \
tests (a process of its own on the same machine) at 0.5 s latency, 16 questions at once. The ideal is calls × 0.5 s ÷ 16. \
Tokens are counted by the stand-in (3.2 characters a token for text, 1.9 for JSON). "One call each" asks about one utterance at a \
time with the same prompt and the whole conversation.
- **keys**: ten VOGUE conversations labelled on the real desk in a real Chromium by somebody who means just the published labels: \
`Enter` where the proposal is right, `Shift` + `Enter` where all proposals of a turn are, the codes' keys elsewhere. A chord is one \
key; handing in and going to the next conversation are not counted.
- **agreement**: `bench/agreement.py`. The corpus with two labels on every utterance, made up so that people agree in one conversation \
more than in another, imported and then made to look as if labelled here. All figures is `flow.agreement.summary`, what the lead's \
page is made of, called in a process that has loaded what the server has, after one call for warming up. Reading is from the database \
to whole numbers. Memory is what the server holds resident when the page was asked for {page} times. The table's pairs are of two \
annotators; the script beside it reads the same file with csv.reader and calls `cohen_kappa_score` per role, `agree` makes every figure.

p50 is the median, p95 what 95 of 100 stay under. A median of three runs stands for commands.
"""

_PEERS = """
## For orientation: others
Measured elsewhere by others, not in this run: 2 cores, loopback, SQLite with its default settings, \
the same number of conversations and utterances (in brackets: at the size of VOGUE).

| | Label Studio 1.23 | Potato 2.12 turn / utterance | doccano 1.8.4 |
|---|---|---|---|
| import with proposals, s | 17 | 8 (shows none) / 46 | 53 |
| open p50, ms | 123 (104) | 178 / 593 (292 / 93) | 252 (45) |
| save one label p50, ms | 160 (184) | 86 / 40 (19 / 23) | 17 (18) |
| saves per second, 8 clients | 4.5 (4.1) | 49 / 83 (120 / 96) | 53 (80) |
| export, s | 24 | 1.6 / 8.4 | 24 |
| start, s / memory, MB | 5.7 / 264 | 4.8 / 154 | 3.4 / 991 |
"""


def machine() -> dict[str, Any]:
    """Where and when this is measured."""
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text(encoding="utf-8").splitlines() if cpu.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "processor": names[0] if names else platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "load": round(os.getloadavg()[0], 2),
    }


def write_json(path: Path, where: dict[str, Any], size: Size, rows: Sequence[Row]) -> None:
    """All figures with what they were measured on."""
    found = {**where, "size": asdict(size), "rows": [{**asdict(row), "met": row.met} for row in rows]}
    path.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_page(path: Path, where: dict[str, Any], size: Size, rows: Sequence[Row], *, quick: bool) -> None:
    """The table with what it means and how to repeat it."""
    small = " This was a `--quick` run, of a tenth of that size: its figures are for trying only." if quick else ""
    head = _HEAD.format(**where, conversations=size.conversations, utterances=size.utterances, quick=small)
    path.parent.mkdir(exist_ok=True)
    path.write_text(head + "\n".join(map(_line, rows)) + "\n" + _MEANING.format(blocks=size.blocks, page=TIMES) + _PEERS, encoding="utf-8")


def _line(row: Row) -> str:
    met = {True: "met", False: "**missed**", None: ""}[row.met]
    return f"| {row.part} | {row.what} | {figure(row)} | {row.aim} | {met} | {row.note} |"


def figure(row: Row) -> str:
    """A figure with its unit."""
    if row.value is None:
        return "–"
    number = f"{row.value:,.0f}" if row.value >= 1000 or (row.value == int(row.value) and not row.unit) else f"{row.value:g}"
    return f"{number} {row.unit}".strip()
