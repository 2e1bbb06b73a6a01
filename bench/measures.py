"""What is measured, a function a part. Each returns rows; nothing here knows how they are shown."""

import json
import os
import shutil
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.children import ANNOTATOR, ROOT, Server, run
from bench.corpus import MUSE, write_corpus
from bench.load import Answered, drive
from bench.stage import ANNOTATORS, Work, new_project, prepare, saved, sign_in

FIRST = 200
"""Pages opened and labels saved before memory is read and anything is timed."""

VOGUE = ROOT.parent / "shared" / "data" / "vogue" / "dialogues.jsonl"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `aim` is the bound with its direction, as in `≤ 5`; empty where there is none."""

    part: str
    what: str
    value: float | None
    unit: str = ""
    aim: str = ""
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the aim is met; None without an aim or a value."""
        if not self.aim or self.value is None:
            return None
        bound = float(self.aim.split()[1].replace(",", ""))
        return self.value <= bound if self.aim.startswith("≤") else self.value >= bound


@dataclass(frozen=True, slots=True)
class Size:
    """How large and how long: the full run, or `--quick`."""

    conversations: int
    utterances: int
    repeats: int
    opens: int
    saves: int
    blocks: int
    seconds: float
    draws: int


FULL = Size(*MUSE, repeats=3, opens=500, saves=100, blocks=5, seconds=3.0, draws=5)
QUICK = Size(700, 8_314, repeats=1, opens=100, saves=30, blocks=2, seconds=1.0, draws=1)


def machine(work: Path) -> list[Row]:
    """What this machine can do now, whatever program asks: to compare two runs by, and to see whether others were busy."""
    sums, times = [], []
    for _ in range(10):
        started = time.perf_counter()
        sum(range(10_000_000))
        sums.append(time.perf_counter() - started)
    with (work / "fsync").open("wb", buffering=0) as file:
        for _ in range(200):
            file.write(b"x" * 4096)
            started = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - started)
    worst = f"worst of ten {max(sums) * 1000:.0f} ms; much more than the figure means that others were busy"
    return [
        Row("machine", "adding up ten million numbers in Python", round(min(sums) * 1000, 1), "ms", note=worst),
        Row("machine", "one fsync of 4 kB, p50", _ms(times, 50), "ms", note=f"every durable save waits for one; p95 {_ms(times, 95)} ms"),
    ]


def importing(work: Path, size: Size, seed: int) -> tuple[list[Row], Path]:
    """Import the corpus, half of it, and one with labels; returns the project with the whole corpus."""
    whole, half, labelled = work / "corpus.jsonl", work / "half.jsonl", work / "labelled.jsonl"
    write_corpus(whole, size.conversations, size.utterances, seed=seed)
    write_corpus(half, size.conversations // 2, size.utterances // 2, seed=seed)
    write_corpus(labelled, size.conversations, size.utterances, seed=seed, labelled=True)
    ran = []
    for number in range(size.repeats):
        project = new_project(work / f"project{number}")
        ran.append(run(*ANNOTATOR, "import", str(whole), cwd=project))
    halved = run(*ANNOTATOR, "import", str(half), cwd=new_project(work / "half"))
    with_labels = run(*ANNOTATOR, "import", str(labelled), cwd=new_project(work / "labelled"))
    spread = ", ".join(f"{one.seconds:.1f}" for one in ran)
    return [
        Row("import", "with proposals", _median(one.seconds for one in ran), "s", "≤ 5", f"whole process; runs: {spread} s"),
        Row("import", "of that, processor time", _median(one.cpu for one in ran), "s"),
        Row("import", "peak memory", _median(one.peak for one in ran), "MB", note="does not grow with the file: see the next row"),
        Row("import", "peak memory at half the size", round(halved.peak, 1), "MB", note=f"{halved.seconds:.1f} s"),
        Row("import", "with a label on every utterance too", round(with_labels.seconds, 2), "s", note=f"{with_labels.peak:.0f} MB"),
    ], project


def starting(project: Path, size: Size) -> list[Row]:
    """Start the server until it answers; once more than needed, so that the first does not pay for cold caches."""
    times, memory = [], []
    for _ in range(size.repeats + 1):
        with _serve(project) as server:
            times.append(server.started)
            memory.append(server.rss())
    return [
        Row("start", "process start to first page", _median(times), "s", "≤ 2"),
        Row("start", "memory after start", _median(memory), "MB", "≤ 110"),
    ]


def reviewing(work: Path, project: Path, size: Size, seed: int) -> list[Row]:
    """Opening and saving, and saving beside the bare endpoints, all servers up at the same time, in turns."""
    tokens = prepare(project)
    work_list = Work(project, seed)
    bare = {name: _bare_database(work, project, name) for name in ("sessions", "plain")}
    with _serve(project) as ours, _bare(work, "sessions", bare["sessions"]) as sessions, _bare(work, "plain", bare["plain"]) as plain:
        cookies = sign_in(ours, tokens)
        rows = _opening(ours, work_list, cookies, size)
        servers = {"ours": ours, "sessions": sessions, "plain": plain}
        one = {name: _Saves(name, server) for name, server in servers.items()}
        eight = {name: _Saves(name, server) for name, server in servers.items()}
        _take_turns(list(one.values()), work_list, cookies, ANNOTATORS[:1], size)
        _take_turns(list(eight.values()), work_list, cookies, ANNOTATORS, size)
        rows.append(Row("start", "memory after all of this", round(ours.rss(), 1), "MB", note="thousands of saves by 8 clients at once"))
    acknowledged = FIRST + one["ours"].acknowledged + eight["ours"].acknowledged
    missing = float(acknowledged - saved(project))
    return [
        *rows,
        *_of_one(one),
        *_of_eight(eight),
        Row("save", "acknowledged saves that are not in the database", missing, "", "≤ 0", f"of {acknowledged:,}"),
    ]


@dataclass(slots=True)
class _Saves:
    """The blocks of saves that one server answered. The first warms up: it is sent, but not counted in the figures."""

    name: str
    server: Server
    blocks: list[Answered] = field(default_factory=list)
    acknowledged: int = 0
    used: float = 0.0

    def add(self, scripts: list[list[bytes]], seconds: float) -> None:
        before = self.server.cpu()
        answered = drive(self.server.port, scripts, seconds)
        self.acknowledged += len(answered.times)
        if self.acknowledged > len(answered.times):
            self.blocks.append(answered)
            self.used += self.server.cpu() - before

    @property
    def times(self) -> list[float]:
        return [time for block in self.blocks for time in block.times]

    @property
    def rate(self) -> float:
        return _median(block.per_second for block in self.blocks)

    @property
    def cpu(self) -> str:
        return f"{self.used / len(self.times) * 1000:.2f} ms processor each"


def _take_turns(turns: list[_Saves], work_list: Work, cookies: dict[str, str], names: Sequence[str], size: Size) -> None:
    """Saves by the named annotators at once, block by block, one server after the other."""
    alone = len(names) == 1
    count = size.saves if alone else int(size.seconds * 120)
    for _ in range(size.blocks + 1):
        for one in turns:
            scripts = [work_list.saves(name, cookies[name], count, bare=one.name != "ours") for name in names]
            one.add(scripts, 600 if alone else size.seconds)


def _of_one(found: dict[str, _Saves]) -> list[Row]:
    ours, sessions, plain = found["ours"], found["sessions"], found["plain"]
    return [
        Row("save", "1 client, p50", _ms(ours.times, 50), "ms", "≤ 6", ours.cpu),
        Row("save", "1 client, p95", _ms(ours.times, 95), "ms"),
        Row("save", "1 client, p50: bare endpoint, our sessions", _ms(sessions.times, 50), "ms", "", sessions.cpu),
        Row("save", "1 client, p50: bare endpoint, plain sqlite3", _ms(plain.times, 50), "ms", "", plain.cpu),
    ]


def _of_eight(found: dict[str, _Saves]) -> list[Row]:
    ours, sessions, plain = found["ours"], found["sessions"], found["plain"]
    clients = sum(block.cpu for block in ours.blocks) / len(ours.times) * ours.rate
    return [
        Row("save", "8 clients", ours.rate, "saves/s", "", f"{ours.cpu}; the clients together used {clients:.0%} of one core"),
        Row("save", "8 clients, p50", _ms(ours.times, 50), "ms", "", f"p95 {_ms(ours.times, 95)} ms"),
        Row("save", "8 clients: bare endpoint, our sessions", sessions.rate, "saves/s", "", sessions.cpu),
        Row("save", "8 clients: bare endpoint, plain sqlite3", plain.rate, "saves/s", "", plain.cpu),
        Row("save", "ours as a share of the bare endpoint", round(ours.rate / sessions.rate, 2), "", "≥ 0.7"),
        Row("save", "ours as a share of plain sqlite3", round(ours.rate / plain.rate, 2)),
    ]


def _opening(ours: Server, work_list: Work, cookies: dict[str, str], size: Size) -> list[Row]:
    name = ANNOTATORS[0]
    drive(ours.port, [work_list.opens(name, cookies[name], FIRST) + work_list.saves(name, cookies[name], FIRST)])
    memory = ours.rss()
    before = ours.cpu()
    times = drive(ours.port, [work_list.opens(name, cookies[name], size.opens)]).times
    used = (ours.cpu() - before) / len(times)
    return [
        Row("start", f"memory after {FIRST} opened conversations and {FIRST} saves", round(memory, 1), "MB", "≤ 110"),
        Row("open", "a conversation, p50", _ms(times, 50), "ms", "≤ 8"),
        Row("open", "a conversation, p95", _ms(times, 95), "ms"),
        Row("open", "processor time of the server per page", round(used * 1000, 2), "ms"),
    ]


def exporting(work: Path, project: Path, size: Size) -> list[Row]:
    """Export everything as files, from the project with a round and from the one with a label on every utterance."""
    rows = []
    for where, what, aim in ((project, "all as {}", "≤ 2"), (work / "labelled", "all as {}, every utterance labelled", "")):
        for suffix, name in (("csv", "CSV"), ("jsonl", "JSONL")):
            ran = [run(*ANNOTATOR, "export", str(work / f"out.{suffix}"), cwd=where) for _ in range(size.repeats)]
            megabytes = (work / f"out.{suffix}").stat().st_size / 1e6
            note = f"whole process; {megabytes:.0f} MB written, peak memory {_median(one.peak for one in ran):.0f} MB"
            rows.append(Row("export", what.format(name), _median(one.seconds for one in ran), "s", aim, note))
    return rows


def tagging(work: Path, size: Size) -> list[Row]:
    """The local tagger's speed and accuracy, by `bench/tagging.py`."""
    if not VOGUE.exists():
        return [Row("tagging", "not measured", None, note=f"VOGUE is not shipped; put it at {VOGUE} to measure accuracy.")]
    out = work / "tagging.json"
    command = (sys.executable, str(ROOT / "bench" / "tagging.py"), "--vogue", str(VOGUE), "--draws", str(size.draws), "--json", str(out))
    run(*command, cwd=work)
    found = json.loads(out.read_text(encoding="utf-8"))
    rows = []
    for known, speed in found["speed"].items():
        note = f"training on {speed['known_utterances']:,} utterances takes {speed['training_seconds']} s"
        rows.append(Row("tagging", f"speed, learnt from {known}", speed["utterances_per_second"], "utterances/s", "≥ 5,000", note))
    by_model: dict[tuple[int, str], dict[str, float]] = {}
    for one in found["accuracy"]:
        by_model.setdefault((one["k"], one["role"]), {})[one["model"]] = one["top1"]
    for (k, role), top1 in by_model.items():
        others = ", ".join(f"{name} {value:.3f}" for name, value in top1.items() if name != "local")
        aim = f"≥ {top1['plain']:.3f}"
        note = f"beside it: {others}; mean of {size.draws} draws"
        rows.append(Row("tagging", f"top-1 accuracy, {role}, k = {k}", top1["local"], "", aim, note))
    return rows


def _serve(project: Path) -> Server:
    return Server((*ANNOTATOR, "serve"), "/sign-in", cwd=project)


def _bare(work: Path, variant: str, database: Path) -> Server:
    return Server((sys.executable, "-m", "bench.bare", variant), "/sign-in", cwd=work, BENCH_DATABASE=str(database))


def _bare_database(work: Path, project: Path, name: str) -> Path:
    """A copy of the project's database; nobody has it open now, so the file is whole."""
    copy = work / f"bare-{name}.db"
    shutil.copyfile(project / "annotator.db", copy)
    return copy


def _median(values: Iterator[float] | Sequence[float]) -> float:
    return round(statistics.median(values), 2)


def _ms(times: Sequence[float], percent: int) -> float:
    return round(statistics.quantiles(times, n=100, method="inclusive")[percent - 1] * 1000, 2)
