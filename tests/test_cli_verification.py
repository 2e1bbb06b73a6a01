"""`annotator agree --verify` and `--report`: what they print, and how they end."""

import csv
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from terminal import Run, sentence

CODES = {"Seeker": ["PCT", "PEP", "RP"], "Assistant": ["RTI", "RP", "ACK"]}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two conversations of sixteen utterances that ann and ben labelled, now and then differently."""
    path = tmp_path / "labels.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["conversation", "utterance", "role", "annotator", "codes", "turn", "text"])
        for at in range(32):
            role = ("Seeker", "Assistant")[at % 2]
            labels = {"ann": CODES[role][at % 3], "ben": CODES[role][(at if at % 5 else at + 1) % 3]}
            for who, codes in labels.items():
                writer.writerow([f"t{at // 16}", f"{at % 16 + 1}.1", role, who, codes, at % 16 + 1, f"Utterance {at}."])
    return path


@pytest.fixture
def saved(run: Run, table: Path, tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    path.write_text(run("agree", table, "--json").out, encoding="utf-8")
    return path


def test_it_says_what_was_verified_and_by_what(run: Run, table: Path, saved: Path) -> None:
    ran = run("agree", table, "--verify")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert [line.partition(":")[0] for line in lines[:4]] == ["scikit-learn", "statsmodels", "nltk", "by the book"]
    assert all(line.endswith(" figures, all equal") for line in lines[:4])
    assert lines[-1].startswith("With scikit-learn ")
    assert "Not verified, 1 figure: what the lower limit is held against, chosen by the project or the command" in lines
    assert run("agree", table, "--report", saved).out == ran.out


def test_it_fails_where_a_published_number_is_another(run: Run, table: Path, saved: Path) -> None:
    report = json.loads(saved.read_text("utf-8"))
    block = report["pairs"][0]["roles"]["Seeker"]
    block["kappa"] = wrong = round(block["kappa"] + 0.01, 4)
    saved.write_text(json.dumps(report), encoding="utf-8")
    ran = run("agree", table, "--report", saved)
    assert (ran.code, ran.err) == (1, "annotator: 1 figure of the report is not what the data give; the output lists it.\n")
    assert f"  ann - ben, Seeker, kappa: the report says {wrong}, scikit-learn 0." in ran.out
    ran = run("agree", table, "--report", saved, "--json")
    found: dict[str, Any] = json.loads(ran.out)
    assert (ran.code, found["equal"], [one["figure"] for one in found["checks"] if not one["ok"]]) == (1, False, ["kappa"])
    assert {"checks", "not_verified", "notes", "versions"} <= found.keys()


def test_it_verifies_a_project_with_its_taxonomy(project: Run, table: Path) -> None:
    assert project("import", table).code == 0
    ran = project("agree", "--verify")
    assert (ran.code, ran.err) == (0, "")
    found = json.loads(project("agree", "--verify", "--json").out)
    figures = {(one["where"], one["figure"]): one["theirs"] for one in found["checks"]}
    assert figures["ann - ben, stratified", "n_utterances"] == 32
    assert 0 < figures["ann - ben, Assistant", "kappa_categories"] < 1


def test_it_verifies_what_was_chosen(run: Run, project: Run, table: Path, tmp_path: Path) -> None:
    rows = table.read_text("utf-8").splitlines()
    third = [row.replace(",ben,", ",cem,") for row in rows if ",ben," in row and ",Seeker," in row and row.startswith("t1,")]
    table.write_text("\n".join([*rows, *third]) + "\n", encoding="utf-8")
    assert project("import", table).code == 0
    for of in (run, project):
        words = ["agree", *([table] if of is run else []), "--between", "ann,cem", "--json"]
        (tmp_path / "chosen.json").write_text(of(*words).out, encoding="utf-8")
        for how in (["--verify"], ["--report", tmp_path / "chosen.json"]):
            ran = of(*words, *how)
            found = json.loads(ran.out)
            assert (ran.code, found["equal"]) == (0, True)
            assert {"ann - cem, Seeker", "matrix, ann - ben", "rest, ben"} <= {one["where"] for one in found["checks"]}
    assert run("agree", table, "--report", tmp_path / "chosen.json").code == 1  # other labels than those of the report


def test_the_gate_stands_after_verifying(run: Run, table: Path, saved: Path) -> None:
    for how in (["--verify"], ["--report", saved], ["--verify", "--json"]):
        ran = run("agree", table, *how, "--gate", "0.999")
        assert ran.code == 1 and ran.out
        assert ran.err.startswith("annotator: The gate of 0.999 is not passed: ")
        assert run("agree", table, *how, "--gate", "-1").code == 0
    report = json.loads(saved.read_text("utf-8"))
    del report["verdict"]
    saved.write_text(json.dumps(report), encoding="utf-8")
    ran = run("agree", table, "--report", saved, "--gate", "0.1")
    assert (ran.code, ran.err.startswith("annotator: The report has no verdict to hold --gate against.")) == (1, True)


@pytest.mark.parametrize("words", [["--csv"], ["--latex"], ["--plan"], ["--what-if", "RP=ACK"], ["--out", "folder"]])
def test_what_verifying_has_no_use_for_is_refused(words: list[str], run: Run, table: Path, saved: Path) -> None:
    for how in (["--verify"], ["--report", saved]):
        assert sentence(run("agree", table, *how, *words)) == (
            f"Verifying prints what differs, and nothing for {words[0]}. Ask for that without --verify and --report."
        )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "report.json cannot be read: No such file"),
        ("{", "report.json is not JSON"),
        ('{"pairs": [NaN]}', "NaN is not a number. A figure that is undefined is null."),
        ("[]", "report.json holds no report"),
        ("{}", "The report has no list of pairs"),
    ],
)
def test_it_refuses_what_is_no_report(text: str | None, said: str, run: Run, table: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    assert said in sentence(run("agree", table, "--report", path))


def test_it_says_what_to_install(run: Run, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nltk", None)  # as if it were not there
    said = sentence(run("agree", table, "--verify"))
    assert said.startswith("Verifying needs nltk, ")
    assert said.endswith("pip install 'conversation-annotator[verify]'")
