"""Agreement at scale: all figures from the database, in process and as the lead's page, and beside what a script would do.

Labels are made up (`bench/two_labels.py`). What is timed in process is timed in a process of its own, `python -m bench.agreement
PROJECT`, that has loaded the server's modules, as the server has.
"""

import gc
import json
import random
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from annotator.core.agreement import Asked
from annotator.core.agreement.counts import Cells, Met, met_of
from annotator.core.agreement.intervals import kappa_of
from annotator.core.agreement.joint_codes import code_sums
from annotator.core.agreement.sample import sample_of
from annotator.db import Database
from annotator.flow import accounts, agreement, handed_in
from annotator.flow.access import EVERYTHING
from annotator.models import Role
from bench.children import ANNOTATOR, ROOT, Server, environment, run
from bench.corpus import MUSE
from bench.load import drive, get
from bench.measures import Row, Size
from bench.stage import new_project, sign_in
from bench.two_labels import ROUND, handed, write_doubly, write_table

PAIRS = 1_000_000
TIMES = 7
_DRAWS, _BOOTSTRAP = 3, 1_000
_CHANGED = 50
"""One conversation in so many is labelled anew after a discussion."""


def agreement_at_scale(work: Path, size: Size, seed: int) -> list[Row]:
    """Projects with ten and with fifty annotators, point estimate and intervals of two, and a table as a file."""
    found = [row for annotators in (10, 50) for row in _project(work, size, annotators, seed)]
    return [*found, *_beside_scikit_learn(size, seed), *_table(work, size, seed)]


# A project


def _project(work: Path, size: Size, annotators: int, seed: int) -> list[Row]:
    project, file = new_project(work / f"agreement{annotators}"), work / f"agreement{annotators}.jsonl"
    write_doubly(file, size.conversations, size.utterances, annotators=annotators, seed=seed)
    ran = run(*ANNOTATOR, "import", str(file), "--project", str(project), cwd=work)
    tokens = _as_if_labelled_here(project)
    before = _in_process(project)
    page = _page(project, tokens)
    _discuss(project)
    after = _in_process(project)

    def row(what: str, value: float, unit: str = "ms", aim: str = "", note: str = "") -> Row:
        return Row("agreement", f"{annotators} annotators: {what}", value, unit, aim, note)

    summary, n = before["summary"], f"{size.utterances:,} utterances labelled by two, 20 % of conversations blind"
    return [
        row("importing the labels", round(ran.seconds, 2), "s", note=n),
        row("all figures with intervals, from the database", summary["wall"], aim="≤ 300", note=f"processor: {summary['cpu']} ms"),
        row("of that, reading, processor time", before["reading"]["cpu"]),
        row("of that, counting, processor time", before["counting"]["cpu"]),
        row("the same after discussions", after["summary"]["wall"], note=f"1 conversation in {_CHANGED} has labels changed since"),
        row("every figure of every pair too", before["report"]["wall"], note=f"{annotators * (annotators - 1) // 2} pairs of annotators"),
        *(row(*one) for one in page),
    ]


def _as_if_labelled_here(project: Path) -> dict[str, str]:
    """Give the decisions keys, as acts in the browser have them, and the project a lead; returns the lead's link's token by name."""
    connection = sqlite3.connect(project / "annotator.db")
    with connection:
        connection.execute("update decision set act_key = 'bench-' || id, kind = 'change'")
        kept, handed_in = (connection.execute(f"select count(*) from {table}").fetchone()[0] for table in ("first_labels", "submission"))
    connection.close()
    if not kept or kept != handed_in:
        sys.exit(f"Of {handed_in} conversations handed in, the labels of {kept} are kept.")
    db = Database(f"sqlite:///{project / 'annotator.db'}")
    with db.writing() as session:
        token = accounts.add_user(session, "lead", Role.LEAD)
    db.close()
    return {"lead": token}


def _discuss(project: Path) -> None:
    """Give the first utterance of some conversations another label, after they were handed in."""
    connection = sqlite3.connect(project / "annotator.db")
    names = "assignment_id, utterance_id, kind, taxonomy_version_id, condition, decided_at"
    with connection:
        connection.execute(
            f"""insert into decision (codes, act_key, reason, {names})
            select 'OTH', 'again-' || id, '', {names} from decision where id in
            (select min(id) from decision where assignment_id % {_CHANGED} = 0 group by assignment_id)"""
        )
    connection.close()


def _in_process(project: Path) -> dict[str, dict[str, float]]:
    command = (sys.executable, "-m", "bench.agreement", str(project))
    ran = subprocess.run(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, check=True)
    found: dict[str, dict[str, float]] = json.loads(ran.stdout)
    return found


def _page(project: Path, tokens: dict[str, str]) -> list[tuple[str, float, str, str, str]]:
    """The lead's page over HTTP, and what the server holds before and after."""
    with Server((*ANNOTATOR, "serve"), "/sign-in", cwd=project) as server:
        cookie = sign_in(server, tokens)["lead"]
        idle = server.rss()
        used = server.cpu()
        times = drive(server.port, [[get(f"/agreement?round={ROUND}", cookie)] * TIMES]).times
        time.sleep(1)  # what the last one took is given back after it is sent
        used = (server.cpu() - used) / TIMES
        held = server.rss()
    times.sort()
    note = f"the first {max(times) * 1000:.0f} ms; {used * 1000:.0f} ms processor each"
    return [
        ("the lead's page, p50", round(statistics.median(times) * 1000, 1), "ms", "", note),
        ("memory of the server with the page open", round(held, 1), "MB", "≤ 120", f"{idle:.1f} MB before"),
    ]


# Two annotators, beside scikit-learn


def _beside_scikit_learn(size: Size, seed: int) -> list[Row]:
    from sklearn.metrics import cohen_kappa_score

    lists = list(handed(size.utterances, seed))
    sample = sample_of(lists)
    met, labels = met_of(sample.ratings), sample.ratings.labels
    roles = [sample.ratings.roles[role] for role in met.role.tolist()]
    written = ["|".join(sorted(label)) for label in labels]
    a, b = ([f"{role}/{written[label]}" for role, label in zip(roles, said.tolist(), strict=True)] for said in (met.a, met.b))
    place = {name: at for at, name in enumerate(sorted({*a, *b}))}
    numbers_a, numbers_b = (np.array([place[name] for name in said]) for said in (a, b))
    whole = Cells(tuple(frozenset({name}) for name in place), met.conversation, numbers_a, numbers_b, np.ones(len(a), dtype=np.int64))
    theirs = _took(lambda: cohen_kappa_score(a, b), 3)
    ours = _took(lambda: kappa_of([whole]), 50)
    assert abs(float(cohen_kappa_score(a, b)) - (kappa_of([whole]).kappa or 0)) < 1e-12
    intervals = _took(lambda: _intervals(labels, met), TIMES)
    naive = _naive(a, b, met, seed) * _BOOTSTRAP
    n = f"{len(a):,} pairs, {len(whole.labels)} labels"
    return [
        Row("agreement", "kappa: scikit-learn on lists of strings", round(theirs * 1000, 1), "ms", note=f"processor time; {n}"),
        Row("agreement", "kappa: ours, from whole numbers", round(ours * 1000, 3), "ms", note="processor time"),
        Row("agreement", "the former in times of the latter", round(theirs / ours), "", "≥ 100"),
        Row("agreement", "clustered intervals of kappa: 1,000 draws of conversations, scikit-learn on strings", round(naive, 1), "s",
            note=f"processor time; {_DRAWS} draws measured and multiplied; of the whole label only"),
        Row("agreement", "clustered intervals of every code's kappa: ours", round(intervals * 1000, 2), "ms", note="processor time"),
        Row("agreement", "the former in times of the latter, intervals", round(naive / intervals), "", "≥ 1,000"),
    ]  # fmt: skip


def _intervals(labels: Any, met: Met) -> list[Any]:
    sums = [code_sums(labels, met.where(met.role == role)) for role in (0, 1)]
    return [one.errors(at) for one in sums for at in range(len(one.codes))]


def _naive(a: list[str], b: list[str], met: Met, seed: int) -> float:
    """Processor time of one draw of conversations: their labels put together, and kappa of them."""
    from sklearn.metrics import cohen_kappa_score

    rng = random.Random(seed)
    of: dict[int, tuple[list[str], list[str]]] = {}
    for conversation, x, y in zip(met.conversation.tolist(), a, b, strict=True):
        there = of.setdefault(conversation, ([], []))
        there[0].append(x)
        there[1].append(y)

    def draw() -> None:
        chosen = rng.choices(list(of.values()), k=len(of))
        cohen_kappa_score([x for one, _ in chosen for x in one], [y for _, one in chosen for y in one])

    return _took(draw, _DRAWS)


def _took(measured: Callable[[], object], times: int) -> float:
    """The median processor time of one call, after one for warming up."""
    measured()
    found = []
    for _ in range(times):
        started = time.process_time()
        measured()
        found.append(time.process_time() - started)
    return statistics.median(found)


# A table as a file


def _table(work: Path, size: Size, seed: int) -> list[Row]:
    file = work / "pairs.csv"
    pairs = PAIRS * size.conversations // MUSE[0]
    write_table(file, pairs, seed=seed)
    ours = run(*ANNOTATOR, "agree", str(file), "--json", cwd=work)
    script = run(sys.executable, "-m", "bench.plain_kappa", str(file), cwd=work)
    what = f"{pairs:,} pairs from a CSV"
    return [
        Row("agreement", f"{what}: agree --json, all figures", round(ours.seconds, 1), "s",
            note=f"whole process; {ours.cpu:.1f} s processor"),
        Row("agreement", f"{what}: peak memory", round(ours.peak), "MB"),
        Row("agreement", f"{what}: csv.reader and scikit-learn, kappa per role", round(script.seconds, 1), "s",
            note=f"whole process; {script.cpu:.1f} s processor; the point estimate only"),
        Row("agreement", f"{what}: peak memory of that", round(script.peak), "MB"),
    ]  # fmt: skip


# In a process of its own


def _probe(project: Path) -> dict[str, dict[str, float]]:
    import annotator.web.app  # noqa: F401  as the server has it loaded

    gc.set_threshold(100_000, 20, 20)  # as the server has these two too
    gc.freeze()
    db = Database(f"sqlite:///{project / 'annotator.db'}")
    asked = Asked(round=ROUND)
    with db.reading() as session:
        parts: dict[str, Callable[[], object]] = {
            "summary": lambda: agreement.summary(session, EVERYTHING, asked),
            "reading": lambda: (handed_in.handed_in(session, EVERYTHING), handed_in.as_it_stands(session, EVERYTHING)),
        }
        found = {name: _timed(part, TIMES) for name, part in parts.items()}
        found["counting"] = {key: round(found["summary"][key] - found["reading"][key], 1) for key in ("wall", "cpu")}
        found["report"] = _timed(lambda: agreement.report(session, EVERYTHING, asked), 1)
    db.close()
    return found


def _timed(part: Callable[[], object], times: int) -> dict[str, float]:
    """Wall and processor time of one call in milliseconds, the medians, after one for warming up."""
    part()
    found: dict[str, list[float]] = {"wall": [], "cpu": []}
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        part()
        found["wall"].append(time.perf_counter() - wall)
        found["cpu"].append(time.process_time() - cpu)
    return {name: round(statistics.median(values) * 1000, 1) for name, values in found.items()}


if __name__ == "__main__":
    json.dump(_probe(Path(sys.argv[1])), sys.stdout)
