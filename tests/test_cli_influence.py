"""`annotator influence`: of a project and of a table, as text, JSON and CSV; warnings on stderr, refusals as sentences."""

import csv
import io
import json
from pathlib import Path

import pytest
from flow.anchored import label_all, make_anchored
from terminal import Run, done, sentence

HEADING = ("conversation", "utterance", "role", "annotator", "codes", "condition", "round", "suggestion", "seconds")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A project with a labelled round, and the same as a long table."""
    folder = tmp_path_factory.mktemp("influence")
    db = make_anchored(folder / "p")
    with db.writing() as session:
        given = label_all(session, folder / "p")
    db.close()
    rows = [(*one[1:4], one.annotator, one.code, one.condition, "main", one.proposal, one.seconds) for one in given]
    with (folder / "labels.csv").open("w", newline="") as out:
        csv.writer(out).writerows([HEADING, *rows])
    return folder / "p", folder / "labels.csv"


def test_the_text_begins_with_what_the_proposal_did(run: Run, made: tuple[Path, Path]) -> None:
    ran = run("influence", "--project", made[0])
    lines = done(ran).splitlines()
    assert lines[0].startswith("Seeing the proposal drew labels towards it: of the labels that would differ from the model without it, ")
    assert "Round main: run 1; blind conversations drawn at random by this program." in lines
    assert [line.split()[:3] for line in lines if line.startswith("net switch")] == [["net", "switch", "to"]]
    assert any(line.startswith("The model against people, on 120 blind labels: kappa 0.") for line in lines)
    assert lines[-1].startswith("May the model replace an annotator? ")
    assert ran.err == ""


def test_json_and_csv_hold_the_same(run: Run, made: tuple[Path, Path]) -> None:
    found = json.loads(done(run("influence", "--json", "--round", "main", "--project", made[0])))
    rows = list(csv.DictReader(io.StringIO(done(run("influence", "--csv", "--project", made[0])))))
    kappa = next(row for row in rows if (row["figure"], row["role"], row["annotator"]) == ("kappa with the model", "", ""))
    assert float(kappa["blind"]) == found["model_human"]["blind"]["kappa"] == found["model"]["value"]
    assert float(kappa["change low"]) == found["model_human"]["inflation"]["kappa"]["ci95"][0]
    few = next(row for row in rows if (row["figure"], row["annotator"]) == ("net switch to the proposal", "ana"))
    assert (few["change"], few["undefined"]) == ("", "the blind arm has 36 labels with a proposal, and fewer than 50 are too few to tell")


def test_of_a_table_the_arms_are_compared_only_where_somebody_vouches(run: Run, made: tuple[Path, Path]) -> None:
    silent, vouched = run("influence", made[1]), run("influence", made[1], "--drawn-at-random")
    assert done(silent).startswith("What the proposal did cannot be told: it is not known whether the blind conversations were drawn")
    assert done(vouched).startswith("Seeing the proposal drew labels towards it")
    assert "Round main: no run is known; blind conversations drawn at random, as whoever asked says." in vouched.out
    assert "is the word of whoever asked" in vouched.err
    assert silent.err == ""


def test_scoring_on_assisted_labels_warns(run: Run, made: tuple[Path, Path]) -> None:
    ran = run("influence", "--assisted", "--json", "--project", made[0])
    assert json.loads(done(ran))["model"]["subset"] == "assisted"
    warning = "The model is scored on labels given with its proposals in view. That flatters it: report the score on blind labels."
    assert ran.err == f"Warning: {warning}\n"
    assert f"Note: {warning}" in done(run("influence", "--assisted", "--project", made[0]))


def test_epsilon_and_seed_are_passed_on(run: Run, made: tuple[Path, Path]) -> None:
    strict, lenient = (json.loads(done(run("influence", made[1], "--json", "--epsilon", one)))["alternative"] for one in ("0", "1"))
    assert (strict["epsilon"], strict["by_item"]["may_replace"]) == (0.0, False)
    assert (lenient["epsilon"], lenient["by_item"]["may_replace"]) == (1.0, True)
    shifts = [
        json.loads(done(run("influence", "--json", "--seed", seed, "--project", made[0])))["shift"]["Seeker"] for seed in ("1", "1", "2")
    ]
    assert shifts[0] == shifts[1] != shifts[2]


def test_what_cannot_be_told_is_a_sentence(run: Run, project: Run, made: tuple[Path, Path], tmp_path: Path) -> None:
    assert "There are no labels that were handed in yet" in sentence(project("influence"))
    assert "Nothing was handed in for a round 'other'. Known: main." in sentence(run("influence", made[1], "--round", "other"))
    two = made[1].read_text() + "c1,1,Seeker,ana,ASK,blind,other,ASK,1\n"
    (tmp_path / "two.csv").write_text(two)
    assert "Say which: --round NAME. There are labels of: main, other." in sentence(run("influence", tmp_path / "two.csv"))
    assert run("influence", "--epsilon", "2").code == 2
    assert "does not exist" in sentence(run("influence", tmp_path / "none.csv"))
