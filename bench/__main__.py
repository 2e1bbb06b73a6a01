"""`python -m bench`: measure everything, write the figures as JSON and the table to `docs/benchmarks.md`."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import measures, report
from bench.agreement import agreement_at_scale
from bench.children import ROOT
from bench.first_pass import first_pass
from bench.keys import keys
from bench.measures import FULL, QUICK, Row
from bench.stage import prepare

_PARTS = ("import", "start", "open", "save", "export", "tagging", "first-pass", "keys", "agreement")
_NEED_SERVER = {"open", "save"}
_ALONE = {"tagging", "first-pass", "keys", "agreement"}
"""Parts that bring their own project."""


def main() -> None:
    """Run the parts asked for; a part that needs the imported corpus imports it first."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the size, for trying; the page is not written")
    parser.add_argument("--only", default=",".join(_PARTS), help=f"some of {', '.join(_PARTS)}; the page is not written")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, default=ROOT / "bench" / "results.json", help="where the figures go")
    parser.add_argument("--page", type=Path, help="where the table goes; default: docs/benchmarks.md for a full run")
    parser.add_argument("--work", type=Path, help="a folder on the disk to be measured; default: the system's for temporary files")
    options = parser.parse_args()
    parts = set(options.only.split(","))
    if unknown := parts - set(_PARTS):
        parser.error(f"no such part: {', '.join(unknown)}")
    size, begun, where = QUICK if options.quick else FULL, time.monotonic(), report.machine()
    rows: list[Row] = []

    def note(part: str, measure: Callable[[], list[Row]]) -> None:
        print(f"{part} ...", file=sys.stderr, flush=True)
        for row in measure():
            rows.append(row)
            print(f"  {row.part:8} {row.what:55}{report.figure(row):>20}  {row.aim:8} {row.note}", flush=True)

    with tempfile.TemporaryDirectory(prefix="bench-", dir=options.work) as folder:
        work = Path(folder)
        note("machine", lambda: measures.machine(work))
        if parts - _ALONE:
            project = _imported(work, size, options.seed, note)
        if "start" in parts:
            note("start", lambda: measures.starting(project, size))
        if parts & _NEED_SERVER:
            note("open and save", lambda: measures.reviewing(work, project, size, options.seed))
        elif "export" in parts:
            prepare(project)
        if "export" in parts:
            note("export", lambda: measures.exporting(work, project, size))
        if "tagging" in parts:
            note("tagging", lambda: measures.tagging(work, size))
        if "first-pass" in parts:
            note("first pass", lambda: first_pass(work, size, options.seed))
        if "keys" in parts:
            note("keys", lambda: keys(work, options.seed))
        if "agreement" in parts:
            note("agreement", lambda: agreement_at_scale(work, size, options.seed))
    where |= {"seed": options.seed, "minutes": max(1.0, (time.monotonic() - begun) / 60)}
    report.write_json(options.json, where, size, rows)
    if page := options.page or (ROOT / "docs" / "benchmarks.md" if parts == set(_PARTS) and not options.quick else None):
        report.write_page(page, where, size, rows, quick=options.quick)
    missed = [f"{row.part}: {row.what}" for row in rows if row.met is False]
    print("Every aim is met." if not missed else f"Missed: {'; '.join(missed)}.")


def _imported(work: Path, size: measures.Size, seed: int, note: Callable[[str, Callable[[], list[Row]]], None]) -> Path:
    made: list[Path] = []

    def measure() -> list[Row]:
        rows, project = measures.importing(work, size, seed)
        made.append(project)
        return rows

    note("import", measure)
    return made[0]


if __name__ == "__main__":
    main()
