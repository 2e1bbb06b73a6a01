"""Runs as rows: who works on one, pausing and going on from outside, which conversations it is of, what failed."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from e2e.server import clean_environment, wait_for
from sqlalchemy import select, update
from sqlmodel import col
from standin import StandIn

from annotator.db import Database
from annotator.errors import BadInput, Conflict
from annotator.flow import runs, tagging
from annotator.flow.asking import Watch
from annotator.flow.estimate import plan
from annotator.flow.outcomes import chosen
from annotator.flow.runs import any_run, progress_of, state_of
from annotator.flow.tagging import tag
from annotator.models import Conversation, Run, now
from flow.asked import calls, gemini, halting, labelled, make_project, missing, retry, stored, talk

MODULE = [sys.executable, "-m", "annotator"]


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts commands on the project as processes of their own; what still runs afterwards is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: str) -> "subprocess.Popen[str]":
        environment = {**clean_environment(), "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(
            [*MODULE, *words, "--project", str(tmp_path / "p")],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def change(db: Database, **values: object) -> None:
    with db.writing() as session:
        session.execute(update(Run).values(**values))


def slowly(db: Database, watch: Watch | None = None) -> Run:
    """A run that takes about three seconds."""
    return tag(db, gemini(concurrency="1", rpm="200"), watch)


# Who works on it


def test_a_live_lease_refuses_another_worker(talking: Database, standin: StandIn) -> None:
    run = tag(talking, gemini(max_cost="0"))
    change(talking, leased_by=f"{runs._me().rpartition(':')[0]}:{os.getppid()}", heartbeat_at=now())
    for use in (lambda: tag(talking, gemini()), lambda: tagging.work(talking, run.id or 0)):
        with pytest.raises(Conflict, match=f"Run {run.id} is being worked on by .+:{os.getppid()}. Wait for it"):
            use()
    assert standin.stats()["calls"] == 0


def test_a_stale_lease_of_another_machine_is_taken_over(talking: Database, standin: StandIn) -> None:
    run = tag(talking, gemini(max_cost="0"))
    change(talking, leased_by="elsewhere:1", heartbeat_at=now() - timedelta(seconds=61))
    again = tag(talking, gemini(max_cost="1"))
    assert (again.id, labelled(talking, again)) == (run.id, 72)


def test_the_run_of_a_killed_process_is_taken_over_at_once(
    talking: Database, sluggish: StandIn, command: Callable[..., "subprocess.Popen[str]"]
) -> None:
    process = command("tag", "--tagger", "gemini", "--concurrency", "1")
    wait_for(lambda: len(calls(talking)) >= 2, "two answers")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    run = stored(talking)
    assert (run.leased_by is not None, state_of(run)) == (True, "interrupted")
    begun = time.monotonic()
    again = tagging.work(talking, run.id or 0)
    assert time.monotonic() - begun < 20
    assert (labelled(talking, again), again.leased_by) == (72, None)


def test_of_two_workers_started_at_the_same_moment_exactly_one_works(
    talking: Database, sluggish: StandIn, command: Callable[..., "subprocess.Popen[str]"]
) -> None:
    both = [command("tag", "--tagger", "gemini", "--concurrency", "1") for _ in range(2)]
    said = [process.communicate()[1] for process in both]
    assert sorted(process.returncode for process in both) == [0, 1]
    assert "is being worked on by" in next(err for err, process in zip(said, both, strict=True) if process.returncode)
    with talking.reading() as session:
        assert session.scalars(select(col(Run.id))).all() == [1]
    assert (labelled(talking, stored(talking)), sluggish.stats()["calls"]) == (72, 12)


def test_while_it_is_worked_on_its_heart_beats(talking: Database, standin: StandIn) -> None:
    beats: set[object] = set()
    slowly(talking, Watch(lambda done, total, note: beats.add(stored(talking).heartbeat_at)))
    assert len(beats) >= 2


# Pausing and going on


def test_a_pause_from_outside_is_seen_soon_and_what_is_under_way_is_kept(talking: Database, sluggish: StandIn) -> None:
    paused: list[float] = []

    def pause_it(done: int, total: int, note: str) -> None:
        if done >= 1 and not paused:
            with talking.writing() as session:
                run = any_run(session)
                runs.pause(session, run)
                assert state_of(run) == "pausing"
            paused.append(time.monotonic())

    run = tag(talking, gemini(concurrency="1", rpm="60"), Watch(pause_it))
    assert time.monotonic() - paused[0] < 6
    assert (run.finished_at, run.paused_at is not None, run.stopped, state_of(stored(talking))) == (None, True, "", "paused")
    assert len(calls(talking)) == sluggish.stats()["answered"] < 12
    assert labelled(talking, run) == 6 * len(calls(talking))
    again = tag(talking, gemini(rpm="6000"))
    assert (again.id, labelled(talking, again), again.paused_at, sluggish.stats()["bodies_clean_again"]) == (run.id, 72, None, 0)


def test_a_pause_keeps_the_reason_why_it_stopped_before(talking: Database, standin: StandIn) -> None:
    run = tag(talking, gemini(max_cost="0"))
    with talking.writing() as session:
        runs.pause(session, any_run(session, run.id))
    assert stored(talking).stopped == run.stopped != ""


def test_a_finished_run_can_be_neither_paused_nor_gone_on_with(talking: Database, standin: StandIn) -> None:
    run = tag(talking, gemini())
    with talking.writing() as session:
        stored_run = any_run(session, run.id)
        with pytest.raises(Conflict, match="nothing to pause"):
            runs.pause(session, stored_run)
        with pytest.raises(Conflict, match="nothing to go on with"):
            runs.resume(session, stored_run, {})
    with pytest.raises(Conflict, match=r"Run 1 is finished\. `annotator tag --run 1 --retry-failed` asks again"):
        tagging.work(talking, 1)


def test_a_run_for_the_server_waits_until_somebody_works_on_it(talking: Database, standin: StandIn) -> None:
    run = tag(talking, gemini(max_cost="0"))
    with talking.writing() as session:
        assert runs.runs_for_server(session) == []
        runs.resume(session, any_run(session, run.id), {"max_cost": "1"})
        assert runs.runs_for_server(session) == [run.id]
        assert state_of(any_run(session, run.id)) == "waiting"
    done = tagging.work(talking, run.id or 0)
    assert (labelled(talking, done), done.manner["max_cost"]) == (72, "1")
    with talking.reading() as session:
        assert runs.runs_for_server(session) == []


@pytest.mark.parametrize("manner", [{"tier": "x"}, {"max_cost": "-1"}, {"price": "cheap"}, {"concurrency": "0"}])
@pytest.mark.parametrize("use", [runs.resume, runs.adjust])
def test_a_manner_that_cannot_be_is_refused_before_it_is_stored(
    talking: Database, standin: StandIn, use: Callable[..., None], manner: dict[str, str]
) -> None:
    run = tag(talking, gemini(max_cost="0"))
    with pytest.raises(BadInput, match=next(iter(manner))), talking.writing() as session:
        use(session, any_run(session, run.id), manner)
    assert (stored(talking).manner, stored(talking).on_server) == (run.manner, False)


@pytest.mark.parametrize(("on_server", "state"), [(True, "waiting"), (False, "paused")])
def test_an_orderly_end_pauses_what_a_person_started_and_leaves_the_servers_run_to_the_next_server(
    talking: Database, sluggish: StandIn, command: Callable[..., "subprocess.Popen[str]"], on_server: bool, state: str
) -> None:
    with talking.writing() as session:
        run, _ = tagging.start(session, gemini(concurrency="1"))
        run.on_server = on_server
    process = command("tag", "--run", "1")
    wait_for(lambda: len(calls(talking)) >= 1, "an answer")
    process.terminate()
    said = process.communicate(timeout=20)
    assert process.returncode == (0 if on_server else 1), said
    assert (state_of(stored(talking)), stored(talking).leased_by) == (state, None)
    assert len(calls(talking)) == sluggish.stats()["answered"] < 12
    assert labelled(talking, tagging.work(talking, 1)) == 72


def test_how_far_it_is_is_told_while_it_works(talking: Database, standin: StandIn) -> None:
    states: set[tuple[str, int]] = set()

    def look(done: int, total: int, note: str) -> None:
        with talking.reading() as session:
            progress = progress_of(session, any_run(session))
        states.add((progress.state, progress.chosen))
        assert done <= total == 12
        assert progress.conversations + progress.n_open == 12

    slowly(talking, Watch(look))
    assert states == {("running", 12)}


# Which conversations


def keys(db: Database, **selection: list[str]) -> list[str]:
    with db.reading() as session:
        ids = chosen(session, selection)
        found = session.execute(select(col(Conversation.id), col(Conversation.key))).all()
    return sorted(key for at, key in found if at in ids)


@pytest.fixture
def named(tmp_path: Path) -> Iterator[Database]:
    db = make_project(tmp_path / "p", [talk(key, 2) for key in ("c1_a", "c1_b", "c2_a", "odd[1]", "odd1")])
    yield db
    db.close()


@pytest.mark.parametrize(
    ("selection", "found"),
    [
        ({}, ["c1_a", "c1_b", "c2_a", "odd1", "odd[1]"]),
        ({"only": ["c1_*"]}, ["c1_a", "c1_b"]),
        ({"only": ["c1_a", "c2_?"]}, ["c1_a", "c2_a"]),
        ({"leave_out": ["c*"]}, ["odd1", "odd[1]"]),
        ({"only": ["c*"], "leave_out": ["*_a"]}, ["c1_b"]),
        ({"only": ["odd[1]"]}, ["odd1", "odd[1]"]),
        ({"leave_out": ["odd[1]"]}, ["c1_a", "c1_b", "c2_a"]),
        ({"sample": ["99", "1"]}, ["c1_a", "c1_b", "c2_a", "odd1", "odd[1]"]),
    ],
)
def test_patterns_choose_conversations(named: Database, selection: dict[str, list[str]], found: list[str]) -> None:
    assert keys(named, **selection) == found


def test_a_draw_is_the_same_for_the_same_seed_and_another_for_another(talking: Database) -> None:
    drawn = [keys(talking, sample=["4", str(seed)]) for seed in range(20)]
    assert drawn == [keys(talking, sample=["4", str(seed)]) for seed in range(20)]
    assert {len(one) for one in drawn} == {4}
    assert len(set(map(tuple, drawn))) > 10
    assert all(one[0].startswith("t1") for one in [keys(talking, only=["t1*"], sample=["1", str(seed)]) for seed in range(5)])


@pytest.mark.parametrize("where", ["only", "leave_out"])
def test_a_pattern_that_means_nothing_is_a_sentence_and_starts_nothing(talking: Database, standin: StandIn, where: str) -> None:
    order = gemini(selection={where: ["t1", "nothing-like-this"]})
    for use in (tag, plan):
        with pytest.raises(BadInput, match=r"No conversation is called 'nothing-like-this'\. Give an id, or a pattern such as c1_\*\."):
            use(talking, order)
    with talking.reading() as session:
        assert runs.list_runs(session) == []


def test_a_run_of_some_conversations_is_done_when_these_are(talking: Database, standin: StandIn) -> None:
    run = tag(talking, gemini(selection={"sample": ["3", "7"], "leave_out": ["t1"]}))
    assert (run.finished_at is not None, labelled(talking, run), run.n_conversations) == (True, 18, 3)
    assert (missing(talking, run), standin.stats()["calls"]) == ([], 3)


# What failed


def test_a_retry_of_a_run_that_is_worked_on_is_refused(talking: Database, sluggish: StandIn) -> None:
    refused: list[str] = []

    def again(done: int, total: int, note: str) -> None:
        if not refused:
            with pytest.raises(Conflict) as told, talking.writing() as session:
                runs.retry_failed(session, any_run(session))
            refused.append(str(told.value))

    tag(talking, gemini(), Watch(again))
    assert refused[0].startswith("Run 1 is being worked on by ") and refused[0].endswith("Wait for it, or pause it first.")


def test_a_retry_without_failures_changes_nothing(talking: Database, standin: StandIn) -> None:
    run = tag(talking, gemini())
    before = stored(talking).model_dump()
    with talking.writing() as session:
        assert runs.retry_failed(session, any_run(session, run.id)) == 0
    assert stored(talking).model_dump() == before


def test_an_interrupted_retry_goes_on(talking: Database, sluggish: StandIn) -> None:
    sluggish.faults([{"fault": "safety", "times": "always"}])
    run = tag(talking, gemini())
    assert len(missing(talking, run)) == 72
    sluggish.faults([])
    with talking.writing() as session:
        assert runs.retry_failed(session, any_run(session, run.id)) == 72
    change(talking, manner={"concurrency": "1"})
    part = tagging.work(talking, run.id or 0, halting(lambda done: done >= 2))
    assert 12 <= labelled(talking, part) < 72
    again = retry(talking, part)
    whole = again if again.finished_at else tagging.work(talking, run.id or 0)
    assert (labelled(talking, whole), sluggish.stats()["bodies_clean_again"]) == (72, 0)


def test_failures_name_conversation_utterance_role_and_text(talking: Database, standin: StandIn) -> None:
    standin.faults([{"fault": "null_code", "match": "what t3 says in place 1.", "times": "always"}])
    run = tag(talking, gemini())
    assert [one.as_dict() for one in missing(talking, run)] == [
        {
            "conversation": "t3", "utterance": "2", "role": "Assistant", "text": "This is what t3 says in place 1.",
            "reason": "the answer gives it no code",
        }
    ]  # fmt: skip


def test_threads_of_a_worker_that_is_done_are_gone(talking: Database, standin: StandIn) -> None:
    tag(talking, gemini())
    assert [thread for thread in threading.enumerate() if thread.name.startswith("asking-")] == []
