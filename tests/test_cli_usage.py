"""People, rounds, projects and usage on the command line: exit 0 done, 1 a sentence, 2 wrong usage. Data: `test_cli.py`."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Stage
from terminal import Run, done, sentence

from annotator.paths import shipped

SAMPLE = shipped("sample")


# people and rounds


def test_a_new_person_gets_a_link_on_stdout_and_advice_on_stderr(project: Run) -> None:
    ran = project("user", "add", "dora", "--role", "lead")
    assert re.fullmatch(r"http://127\.0\.0\.1:8000/link/[\w-]{32}\n", ran.out)
    assert "Give this link to dora. It works once, for 7 days." in ran.err


def test_a_new_link_is_another_one(project: Run) -> None:
    assert done(project("user", "add", "dora")) != done(project("user", "link", "dora"))


def test_people_are_listed_with_role_and_state(project: Run) -> None:
    done(project("user", "add", "dora"))
    done(project("user", "disable", "bob"))
    found = {one["name"]: (one["role"], one["state"]) for one in json.loads(done(project("user", "list", "--json")))}
    assert found["rui"] == ("researcher", "active")
    assert (found["bob"][1], found["dora"][1]) == ("disabled", "has a link, not used yet")
    assert len(done(project("user", "list")).splitlines()) == len(found) == 6


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "alice"], "There is a user alice already"), (["add", "gold"], "cannot be a name"), (["add", "a|b"], "cannot be a name"),
        (["link", "zoe"], "There is no user 'zoe'"), (["disable", "zoe"], "There is no user 'zoe'"),
    ],
)  # fmt: skip
def test_a_person_that_cannot_be_is_a_sentence(words: list[str], said: str, project: Run) -> None:
    assert said in sentence(project("user", *words))


def test_a_round_gives_all_conversations_to_all_named(project: Run) -> None:
    assert "Round r2: 3 conversations for bob, cem, with the proposals of run 1." in done(
        project("round", "create", "r2", "--annotators", "bob, cem")
    )
    assert "r2                  3 conversations, 2 annotators, run 1" in done(project("round", "list"))


@pytest.mark.parametrize(
    ("name", "annotators", "said"),
    [
        ("r1", "bob", "There is a round r1 already"), ("r2", "zoe", "There is no user 'zoe'"), ("r2", "rui", "cannot annotate"),
        ("r2", ",", "at least one annotator"),
    ],
)  # fmt: skip
def test_a_round_that_cannot_be_is_a_sentence(name: str, annotators: str, said: str, project: Run) -> None:
    assert said in sentence(project("round", "create", name, "--annotators", annotators))


# projects, servers, usage


def test_db_chooses_another_database(project: Run, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'other.db'}"
    done(project("import", SAMPLE, "--db", url))
    counts = [json.loads(done(project("stats", "--json", *more)))["conversations"] for more in ([], ["--db", url])]
    assert counts == [3, 12]


@pytest.mark.parametrize(
    ("toml", "said"),
    [("base_url = ", "annotator.toml is not readable"), ("colour = 1", "colour"), ('base_url = "ftp://x"', "must start with http")],
)
def test_a_mistake_in_the_settings_is_a_sentence(toml: str, said: str, stage: Stage, project: Run) -> None:
    (stage.settings.project / "annotator.toml").write_text(toml, encoding="utf-8")
    assert said in sentence(project("stats"))


def test_a_folder_that_is_no_project_says_how_to_make_one(run: Run, tmp_path: Path) -> None:
    assert "`annotator init DIR` makes one." in sentence(run("stats", "--project", tmp_path))
    assert not list(tmp_path.iterdir())


def test_another_kind_of_database_is_refused_without_its_password(project: Run) -> None:
    said = sentence(project("stats", "--db", "postgresql://ana:secret@localhost/x"))
    assert ("SQLite" in said, "secret" in said) == (True, False)


def test_other_machines_are_not_served_in_the_clear(project: Run) -> None:
    assert "Set base_url in annotator.toml to the https address" in sentence(project("serve", "--host", "0.0.0.0"))


@pytest.mark.parametrize(
    "words",
    [
        [], ["fly"], ["stats", "--xml"], ["init"], ["import"], ["import", "x", "--on-unknown", "guess"], ["user"], ["user", "add"],
        ["user", "add", "x", "--role", "king"], ["round", "create", "r2"], ["tag", "--threshold", "much"], ["serve", "--workers", "0"],
    ],
)  # fmt: skip
def test_wrong_usage_is_exit_code_2(words: list[str], run: Run) -> None:
    ran = run(*words)
    assert ran.code == 2
    assert "Usage: " in ran.out + ran.err
    assert "Traceback" not in ran.err


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The real command, in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANNOTATOR_")}
    line = [sys.executable, "-W", "error", "-m", "annotator", *words]
    return subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_demo_is_a_project_with_people_and_a_first_pass(tmp_path: Path, run: Run) -> None:
    ran = command(tmp_path, "demo", "--no-serve")
    assert ran.returncode == 0, ran.stderr
    assert re.findall(r"^(\w+) +http://127\.0\.0\.1:8000/link/\S+$", ran.stdout, re.MULTILINE) == ["lea", "ana", "ben"]
    folder = tmp_path / "annotator-demo"
    assert "demo                12 conversations, 2 annotators, run 1" in done(run("round", "list", "--project", folder))
    again = done(run("demo", folder, "--no-serve"))
    assert again.count("/link/") == 3, "links that nobody used are given anew"


def test_the_real_command_ends_as_it_should(stage: Stage, tmp_path: Path) -> None:
    right, wrong = command(stage.settings.project, "stats", "--json"), command(tmp_path, "stats")
    assert (right.returncode, json.loads(right.stdout)["conversations"], right.stderr) == (0, 3, "")
    assert (wrong.returncode, wrong.stdout, wrong.stderr.count("\n")) == (1, "", 1)
