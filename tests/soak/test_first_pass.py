"""The first pass under `kill -9` and under a rain of faults: no answer is paid for twice, nothing is lost, wrong or doubled."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from e2e.saves import check_whole
from e2e.server import clean_environment, wait_for
from flow.asked import calls, gemini, labelled, make_project, missing, retry, stored, suggestions, talk, talks, use_standin
from standin import StandIn
from standin.faults import ANSWER_FAULTS, REQUEST_FAULTS, TRANSPORT_FAULTS

from annotator.db import Database
from annotator.flow.tagging import tag
from annotator.paths import shipped

pytestmark = pytest.mark.soak

KILLS, AT_ONCE = 20, 8
CONVERSATIONS = [*talks(300, 6), *(talk(f"long{at}", 150) for at in range(6))]
UTTERANCES, QUESTIONS = 300 * 6 + 6 * 150, 300 + 6 * 3
COMMAND = ("tag", "--tagger", "gemini", "--concurrency", str(AT_ONCE), "--set", "wait=0.01")


def start(project: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "annotator", *COMMAND, "--project", str(project)]
    return subprocess.Popen(command, env=clean_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)


def kill(process: "subprocess.Popen[bytes]") -> None:
    """No shutdown, no last word."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.mark.parametrize("seed", [1, 2])
def test_kills_make_nobody_ask_again_what_is_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    chance, project = random.Random(seed), tmp_path / "p"
    db = make_project(project, CONVERSATIONS)
    lost = 0
    with StandIn.start(latency=0.12, jitter=0.1, seed=seed) as standin:
        use_standin(monkeypatch, standin)
        for _ in range(KILLS):
            before = len(calls(db))
            process = start(project)
            wanted = before + chance.randint(0, 12)
            wait_for(lambda: len(calls(db)) >= wanted or process.poll() is not None, f"{wanted} answers")  # noqa: B023 - at once
            time.sleep(chance.uniform(0, 0.2))
            kill(process)
            time.sleep(0.5)  # what was under way at the stand-in comes to its end there
            check_whole(project)
            assert not calls(db) or labelled(db, stored(db)) >= 0
            gone = standin.stats()["answered"] - len(calls(db)) - lost
            assert 0 <= gone <= AT_ONCE
            lost += gone
        assert len(calls(db)) < QUESTIONS, "the kills came after the end"
        run = tag(db, gemini(concurrency=str(AT_ONCE)))
        assert standin.stats()["answered"] == len(calls(db)) + lost
    assert (run.id, labelled(db, run), missing(db, run), run.finished_at is not None) == (1, UTTERANCES, [], True)
    assert max(Counter(call.key for call in calls(db)).values()) == 1
    assert len(calls(db)) == QUESTIONS
    assert sum(one.cost or 0 for one in suggestions(db, run)) == pytest.approx(sum(call.cost or 0 for call in calls(db)))
    check_whole(project)
    db.close()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_where_a_fault_hits_nearly_every_second_call_nothing_is_wrong_and_everything_has_an_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    db: Database = make_project(tmp_path / "p", talks(150, 12), shipped("taxonomy.yaml").read_text(encoding="utf-8"))
    names = (*ANSWER_FAULTS, *TRANSPORT_FAULTS, *REQUEST_FAULTS)
    share = 1 - 0.55 ** (1 / len(names))
    with StandIn.start(seed=seed) as standin:
        use_standin(monkeypatch, standin)
        standin.faults([{"fault": name, "share": share, **({"delay": 0.05} if name == "rate_minute" else {})} for name in names])
        run = tag(db, gemini(timeout="3"))
        stats = standin.stats()
        assert run.finished_at is not None
        assert labelled(db, run) + len(missing(db, run)) == 1800
        assert len(missing(db, run)) <= 40
        assert 0.3 < sum(stats["faults"].values()) / stats["calls"] < 0.6
        standin.faults([])
        assert labelled(db, retry(db, run)) == 1800
    db.close()
