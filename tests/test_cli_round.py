"""`round`: plan, create, add, close, list; results on stdout, messages on stderr, a sentence where it cannot be."""

import json
from functools import partial
from pathlib import Path

import pytest
from conftest import Stage
from flow.campaign import KEYS, PEOPLE, make_campaign
from sqlmodel import select
from terminal import Run, done, run_main, sentence

from annotator.db import Database
from annotator.models import Round

TWO_EACH = ("--annotators", "ana,ben,cem", "--overlap", 2, "--blind", 0.25, "--seed", 7, "--repeats", 0.25)


@pytest.fixture(scope="module")
def built_campaign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "p"
    make_campaign(folder).close()
    return folder


@pytest.fixture
def campaign(built_campaign: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command on a project of twelve conversations, this test's own."""
    url = f"sqlite:///{tmp_path / 'annotator.db'}"
    original = Database(f"sqlite:///{built_campaign / 'annotator.db'}")
    original.backup(tmp_path / "annotator.db")
    original.close()
    command = partial(run_main, capfd)
    return lambda *words: command(*words, "--project", built_campaign, "--db", url)


def test_a_plan_shows_who_gets_what_and_stores_nothing(campaign: Run) -> None:
    ran = campaign("round", "create", "main", *TWO_EACH, "--plan")
    assert (ran.code, ran.err) == (0, "Nothing is stored. Leave --plan out to do it.\n")
    assert ran.out.startswith("Round main: 12 conversations for ana, ben, cem, with the proposals of run 1.\n")
    table = ran.out.split("\n\n")[1].splitlines()
    assert table[0] == "annotator  conversations  utterances  blind  repeats"
    assert [line.split() for line in table[1:]] == [[name, "8", "48", "2", "2"] for name in ("ana", "ben", "cem")]
    assert "Utterances labelled by two or more: Seeker 36, Assistant 36." in ran.out
    assert done(campaign("round", "list")) == ""


def test_what_is_made_is_what_was_planned(campaign: Run) -> None:
    planned = json.loads(done(campaign("round", "create", "main", *TWO_EACH, "--plan", "--json")))
    made = json.loads(done(campaign("round", "create", "main", *TWO_EACH, "--json")))
    assert made == planned
    assert (made["conversations"], made["blind"], made["repeats"], made["overlap"]) == (12, 3, 6, 2)
    (listed,) = json.loads(done(campaign("round", "list", "--json")))
    told = {name: listed[name] for name in ("name", "run_id", "conversations", "annotators", "overlap", "blind", "repeats", "seed")}
    assert told == {
        "name": "main", "run_id": 1, "conversations": 12, "annotators": 3, "overlap": 2, "blind": 0.25, "repeats": 0.25, "seed": 7,
    }  # fmt: skip
    assert listed["closed_at"] is None


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        (["--only", "t1", "--only", "t2"], {"t1", "t2"}),
        (["--only", "t1*", "--leave-out", "t11"], {"t1", "t10"}),
        ([], set(KEYS)),
    ],
)
def test_conversations_are_chosen_as_for_a_first_pass(campaign: Run, options: list[str], keys: set[str]) -> None:
    made = json.loads(done(campaign("round", "create", "main", "--annotators", "ana", *options, "--json")))
    assert {place["conversation"] for place in made["places"]} == keys


def test_a_sample_depends_on_the_seed(campaign: Run) -> None:
    def sample(seed: int) -> set[str]:
        options = ("--annotators", "ana", "--sample", 5, "--seed", seed, "--plan", "--json")
        return {place["conversation"] for place in json.loads(done(campaign("round", "create", "main", *options)))["places"]}

    assert len(sample(1)) == 5
    assert sample(1) == sample(1) != sample(2)


def test_instructions_come_from_a_file(campaign: Run, tmp_path: Path) -> None:
    path = tmp_path / "read-this.md"
    path.write_text("# Read\n\nthis – first", encoding="utf-8")
    done(campaign("round", "create", "main", "--annotators", "ana", "--instructions", path))
    database = Database(f"sqlite:///{tmp_path / 'annotator.db'}")
    with database.reading() as session:
        assert session.exec(select(Round.instructions)).one() == "# Read\n\nthis – first"
    database.close()


def test_adding_people_and_conversations(campaign: Run) -> None:
    done(campaign("round", "create", "main", *TWO_EACH, "--only", "t?"))
    planned = done(campaign("round", "add", "main", "--annotators", "dan", "--only", "t10", "--plan"))
    assert "Round main: 11 conversations for ana, ben, cem, dan" in planned
    assert "New in it: dan, 1 conversation." in planned
    assert "10 conversations, 3 annotators" in done(campaign("round", "list"))
    assert done(campaign("round", "add", "main", "--annotators", "dan", "--only", "t10")) == planned
    added = json.loads(done(campaign("round", "add", "main", "--sample", 1, "--json")))
    assert (added["conversations"], added["added"], added["moved"]) == (12, 1, 0)
    assert {one["conversations"] for one in added["annotators"]} == {6}
    assert [one["annotator"] for one in added["annotators"]] == list(PEOPLE)


def test_closing_is_listed_and_happens_once(campaign: Run) -> None:
    done(campaign("round", "create", "main", *TWO_EACH))
    assert done(campaign("round", "close", "main")).startswith("Round main is closed.")
    assert done(campaign("round", "list")) == f"{'main':20}12 conversations, 3 annotators, run 1, closed\n"
    assert "Round main was closed on" in sentence(campaign("round", "close", "main"))
    assert "Round main is closed, so nothing can be added" in sentence(campaign("round", "add", "main", "--annotators", "dan"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["create", "main", "--annotators", "ana", "--overlap", "2"], "Each conversation would need 2 annotators, and there are 1"),
        (["create", "main", "--annotators", "ana", "--blind", "20"], "The share of blind is a number from 0 to 1"),
        (["create", "main", "--annotators", "ana", "--taxonomy", "zz"], "There is no taxonomy version 'zz'"),
        (["create", "main", "--annotators", "ana", "--only", "x*"], "No conversation is called 'x*'"),
        (["create", "main", "--annotators", "ana", "--instructions", "none.md"], "The instructions none.md cannot be read"),
        (["add", "main", "--annotators", "ana"], "There is no round 'main'. Known: none; `annotator round create` makes one."),
        (["close", "main"], "There is no round 'main'"),
    ],
)
def test_what_cannot_be_is_a_sentence(campaign: Run, words: list[str], said: str) -> None:
    assert said in sentence(campaign("round", *words))
    assert done(campaign("round", "list")) == ""


def test_adding_nothing_is_a_sentence(stage: Stage, project: Run) -> None:
    done(project("round", "create", "r2", "--annotators", "cem"))
    assert "Say what to add: annotators, conversations, or both." in sentence(project("round", "add", "r2"))


def test_progress_is_a_table_json_or_csv(project: Run) -> None:
    said = done(project("round", "progress", "r1"))
    assert "Round r1, open: 0 of 6 handed in." in said
    assert "alice" in said
    assert json.loads(done(project("round", "progress", "r1", "--json")))["annotators"][1]["open"] == 107
    assert done(project("round", "progress", "r1", "--csv")).splitlines()[1].startswith("alice,3,0,107,107,")
    assert "There is no round 'r9'. Known: r1." in sentence(project("round", "progress", "r9"))
