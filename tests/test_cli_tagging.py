"""`annotator tag` with a provider: plan, run, stop, go on, failures; and a real Ctrl-C. Results on stdout, messages on stderr."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from e2e.server import clean_environment, wait_for
from flow.asked import KEY, calls, labelled, make_project, stored, suggestions, talks, use_standin
from standin import StandIn
from terminal import Run, done, sentence

from annotator.db import Database

QUICK = ("--set", "wait=0.01", "--set", "timeout=20")
GEMINI = ("tag", "--tagger", "gemini")


@pytest.fixture(scope="module")
def running() -> Iterator[StandIn]:
    with StandIn.start(latency=0.1) as standin:
        yield standin


@pytest.fixture
def standin(running: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    running.reset()
    use_standin(monkeypatch, running)
    return running


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = make_project(tmp_path / "p", talks(12))
    yield database
    database.close()


@pytest.fixture
def here(db: Database, tmp_path: Path, run: Run) -> Run:
    """Run a command on the project of twelve conversations."""
    return lambda *words: run(*words, "--project", tmp_path / "p")


@pytest.fixture
def shell(db: Database, tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start a command as a process of its own, to which signals can be sent."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "annotator", *words, "--project", str(tmp_path / "p")]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(command, env=clean_environment(), start_new_session=True, **pipes))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


# Plan


def test_a_plan_says_what_it_would_cost_and_sends_nothing(here: Run, standin: StandIn) -> None:
    said = done(here(*GEMINI, "--plan"))
    assert "would propose codes for 72 utterances in 12 conversations" in said
    assert re.search(r"Price: 0\.\d\d to 0\.\d\d USD, 0\.3 in and 2\.5 out per million tokens", said)
    assert said.endswith("Nothing was sent for this plan.\n")
    assert standin.stats()["calls"] == 0


def test_a_plan_as_json_holds_ranges(here: Run, db: Database) -> None:
    planned = json.loads(done(here(*GEMINI, "--plan", "--json", "--only", "t1*", "--tier", "flex", "--rpm", "30")))
    assert (planned["conversations"], planned["calls"], planned["measured"], planned["price"]["tier"]) == (3, 3, False, "flex")
    assert 0 < planned["cost_range"][0] < planned["cost_range"][1] == planned["cost"]
    with pytest.raises(Exception, match="There is no run yet"):
        stored(db)


# Run


def test_a_run_labels_everything_and_says_what_it_took(here: Run, db: Database, standin: StandIn) -> None:
    ran = here(*GEMINI, *QUICK)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert re.fullmatch(r"Run 1: gemini proposed codes for 72 utterances of 12 conversations in \d+\.\d s\.", lines[0])
    assert re.fullmatch(r"12 answers of gemini-3\.5-flash-lite, 0\.\d{4} USD\.", lines[1])
    assert (len(lines), labelled(db, stored(db))) == (2, 72)


def test_a_run_as_json_tells_cost_models_and_state(here: Run, standin: StandIn) -> None:
    told = json.loads(done(here(*GEMINI, *QUICK, "--json", "--sample", "5", "--seed", "3")))
    assert (told["state"], told["n_chosen"], told["n_utterances"], told["n_calls"], told["n_failures"]) == ("finished", 5, 30, 5, 0)
    assert told["cost"] > 0 and told["model_versions"] == ["gemini-3.5-flash-lite"]
    assert told["selection"] == {"sample": ["5", "3"]}


def test_the_settings_of_the_project_count_and_options_win(here: Run, db: Database, tmp_path: Path, standin: StandIn) -> None:
    (tmp_path / "p" / "annotator.toml").write_text('model = "gemini-3.8-flash"\nthinking = "low"\ntier = "flex"\n')
    done(here(*GEMINI, *QUICK, "--only", "t1", "--thinking", "medium"))
    run = stored(db)
    assert (run.settings["model"], run.settings["thinking"], run.manner["tier"]) == ("gemini-3.8-flash", "medium", "flex")
    (entry,) = standin.log()
    assert (entry["model"], entry["thinking"], entry["tier"]) == ("gemini-3.8-flash", {"thinkingLevel": "MEDIUM"}, "flex")


def test_another_model_that_answers_is_a_note(here: Run, standin: StandIn) -> None:
    standin.faults([{"fault": "rerouted", "times": 1}])
    ran = here(*GEMINI, *QUICK)
    assert (ran.code, ran.err.count("\n"), ran.err[:6]) == (0, 1, "Note: ")
    assert "gemini-3.9-elsewhere answered" in ran.err
    assert "do not treat this run as one tagger" in ran.out


# Failures


def test_failures_are_listed_and_a_retry_asks_for_them(here: Run, db: Database, standin: StandIn) -> None:
    standin.faults([{"fault": "blocked", "match": "what t3 says in place 2.", "times": "always"}])
    said = done(here(*GEMINI, *QUICK))
    assert "1 utterances have no suggestion: `annotator tag --run 1 --failures` lists them, --retry-failed asks again." in said
    ran = here("tag", "--failures")
    assert ran.out == "t3, 3: the service refused the text (PROHIBITED_CONTENT).\n"
    assert "Run 1: 1 utterances have no suggestion." in ran.err
    told = json.loads(done(here("tag", "--failures", "--run", "1", "--json")))
    assert (told["run"], [one["conversation"] for one in told["failures"]]) == (1, ["t3"])
    standin.faults([])
    assert "for 72 utterances" in done(here("tag", "--retry-failed", "--run", "1"))
    assert labelled(db, stored(db)) == 72
    assert "there is nothing to ask again" in here("tag", "--retry-failed").err
    assert done(here("tag", "--failures")) == ""


def test_a_run_that_stopped_says_why_in_its_failures_and_goes_on_by_its_number(here: Run, db: Database, standin: StandIn) -> None:
    standin.faults([{"fault": "rate_day", "times": "always"}])
    ran = here(*GEMINI, *QUICK)
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert ran.err.startswith("annotator: Today's quota of the account is used up.")
    listed = done(here("tag", "--failures"))
    assert listed.count(", 1, 2, 3, 4, 5, 6: not asked yet: Today's quota of the account is used up.") == 12
    assert ".." not in listed
    standin.faults([])
    assert "for 72 utterances" in done(here("tag", "--run", "1"))
    assert "Run 1 is finished." in sentence(here("tag", "--run", "1"))


def test_a_limit_stops_with_a_sentence_and_a_higher_one_goes_on(here: Run, db: Database, standin: StandIn) -> None:
    ran = here(*GEMINI, *QUICK, "--max-cost", "0.01")
    assert ran.code == 1
    assert re.fullmatch(
        r"annotator: 0\.\d{4} USD are spent and the next question might pass the limit\. "
        r"Everything so far is kept; go on with a higher limit \(max_cost\)\.\n",
        ran.err,
    )
    assert sum(call.cost or 0 for call in calls(db)) <= 0.01
    done(here("tag", "--run", "1", "--max-cost", "2"))
    assert labelled(db, stored(db)) == 72


# Refused


BAD_ORDERS = [
    (["--tier", "x"], "tier is 'x'. Choose standard or flex."),
    (["--price", "x"], "price is 'x'. Give USD per million tokens in and out, such as 0.30/2.50."),
    (["--price", "1/x"], "price is 'x'; it must be a number"),
    (["--max-cost", "-1"], "max_cost is '-1.0'; it must be a number from 0 to"),
    (["--rpm", "0"], "rpm is '0.0'; it must be a number from 0.1"),
    (["--concurrency", "0"], "concurrency is '0'; it must be a number from 1 to 256"),
    (["--on-reroute", "ask"], "on_reroute is 'ask'. Choose warn or stop."),
    (["--thinking", "much"], "thinking is 'much'. Choose minimal, low, medium, high."),
    (["--model", "../x"], "'../x' cannot be a model's name."),
    (["--set", "temperature=1"], "The gemini tagger has no setting temperature."),
    (["--set", "x"], "--set x is not of the form NAME=VALUE."),
    (["--only", "nothing-like-this"], "No conversation is called 'nothing-like-this'."),
    (["--leave-out", "c9_*"], "No conversation is called 'c9_*'."),
    (["--model", "gemini-9-new", "--max-cost", "1"], "No price of gemini-9-new is known, so max_cost cannot be kept."),
]
NO_RUN = [
    (["--run", "99"], "There is no run 99. Known: none; `annotator tag` makes one."),
    (["--failures"], "There is no run yet: `annotator tag` makes one."),
    (["--retry-failed"], "There is no run yet: `annotator tag` makes one."),
]


@pytest.mark.parametrize(("options", "said"), [*BAD_ORDERS, *(([*one, "--plan"], said) for one, said in BAD_ORDERS), *NO_RUN])
def test_an_option_that_cannot_be_is_a_sentence_and_starts_nothing(
    here: Run, db: Database, standin: StandIn, options: list[str], said: str
) -> None:
    assert said in sentence(here(*GEMINI, *options))
    assert standin.stats()["calls"] == 0
    with pytest.raises(Exception, match="There is no run yet"):
        stored(db)


@pytest.mark.parametrize(
    "option",
    [["--model", "gemini-3.8-flash"], ["--fresh"], ["--only", "t1"], ["--sample", "2"], ["--threshold", "0"], ["--set", "tier=flex"]],
)
def test_what_would_make_it_another_run_is_refused_where_one_goes_on(here: Run, db: Database, standin: StandIn, option: list[str]) -> None:
    here(*GEMINI, *QUICK, "--max-cost", "0")
    for words in (["--run", "1"], ["--retry-failed"]):
        said = sentence(here("tag", *words, *option))
        assert said == (f"A run goes on as it was ordered, so {option[0]} says nothing here. Leave {option[0]} out, or start a new run.")
    assert stored(db).retries == 0


def test_a_manner_that_cannot_be_does_not_stick_to_a_run(here: Run, db: Database, standin: StandIn) -> None:
    here(*GEMINI, *QUICK, "--max-cost", "0")
    assert "tier is 'x'" in sentence(here("tag", "--run", "1", "--tier", "x"))
    done(here("tag", "--run", "1", "--max-cost", "1"))
    assert labelled(db, stored(db)) == 72


def test_without_a_key_it_is_one_sentence(here: Run, standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GEMINI_API_KEY")
    ran = here(*GEMINI)
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert "There is no key for Gemini. Set GEMINI_API_KEY in the environment" in ran.err


def test_a_wrong_key_is_one_sentence_without_it(here: Run, standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "AIza-wrong")
    ran = here(*GEMINI)
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert "Gemini refused the key (400 INVALID_ARGUMENT)." in ran.err
    assert "AIza-wrong" not in ran.out + ran.err


# Ctrl-C


def test_ctrl_c_finishes_what_is_under_way_says_so_and_the_same_command_goes_on(
    shell: Callable[..., "subprocess.Popen[str]"], here: Run, db: Database, standin: StandIn
) -> None:
    command = (*GEMINI, "--concurrency", "1")
    process = shell(*command)
    wait_for(lambda: len(calls(db)) >= 2, "two answers")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    first, *_, last = err.splitlines()
    assert process.returncode == 1
    assert first == "Finishing what is under way; nothing new is asked. Ctrl-C again stops at once."
    assert re.fullmatch(r"annotator: Stopped with \d+ conversations to go; everything so far is kept\.", last)
    assert "Traceback" not in err and "Run 1: gemini proposed codes for" in out
    run = stored(db)
    assert (run.leased_by, run.paused_at is not None, run.finished_at) == (None, True, None)
    assert len(calls(db)) == standin.stats()["answered"] < 12
    assert labelled(db, run) == 6 * len(calls(db))
    before = suggestions(db, run)
    assert "for 72 utterances" in done(here(*command))
    assert (stored(db).id, labelled(db, run), standin.stats()["bodies_clean_again"]) == (run.id, 72, 0)
    assert suggestions(db, run)[: len(before)] == before


def test_a_second_ctrl_c_stops_at_once_and_what_was_kept_stays(
    shell: Callable[..., "subprocess.Popen[str]"], here: Run, db: Database, standin: StandIn
) -> None:
    standin.faults([{"fault": "hang", "delay": 60, "match": "what t5 says", "times": "always"}])
    process = shell(*GEMINI, "--concurrency", "1")
    wait_for(lambda: len(calls(db)) >= 4 or process.poll() is not None, "some answers")
    wait_for(lambda: stored(db).leased_by, "its lease")
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert process.stderr.readline().startswith("Finishing what is under way")
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode != 0
    assert "Traceback" not in err
    assert (stored(db).leased_by, stored(db).paused_at is not None) == (None, True)
    standin.reset()
    assert "for 72 utterances" in done(here(*GEMINI))
    assert labelled(db, stored(db)) == 72


def test_the_key_is_in_no_file_of_the_project(here: Run, tmp_path: Path, standin: StandIn) -> None:
    done(here(*GEMINI, *QUICK))
    assert [path for path in (tmp_path / "p").rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()] == []
