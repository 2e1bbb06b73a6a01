"""`compare` and `calibrate`: results on stdout, warnings on stderr."""

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from conftest import CONVERSATIONS
from terminal import Ran, Run, done, sentence

from annotator.paths import shipped


@pytest.fixture
def labelled(project: Run) -> Run:
    """The project with the sample's labels as those of `ana`."""
    done(project("import", *(shipped("sample") / "transcripts" / f"{name}.json" for name in CONVERSATIONS), "--as", "ana"))
    return project


def warned(ran: Ran) -> str:
    """What went well and warned of, on one line of stderr."""
    assert (ran.code, ran.err.count("\n")) == (0, 1), ran.err
    assert ran.err.startswith("Warning: ")
    return ran.err


def test_compare_prints_figures_codes_and_disagreements(labelled: Run) -> None:
    ran = labelled("compare", 1, "ana")
    assert "None of the 107 labels of ana used here is known to be blind" in warned(ran)
    assert ran.out.startswith("Run 1 (scripted) compared with ana, all labels\n")
    assert "\n107 utterances of 3 conversations have both. Left out: none.\n" in ran.out
    assert re.search(r"stratified +\S+ +\S+ +\S+ +\S+ +\S+ +107\n", ran.out)
    assert re.search(r"Seeker NR .* precision: the run never proposed it\n", ran.out)
    assert len(re.findall(r"^  \d\.\d\d  s\d_d_\d \d+, ", ran.out, re.MULTILINE)) == 15
    assert "(2 of " in done(labelled("compare", 1, "ana", "--disagreements", 2))


def test_compare_prints_json_and_csv_and_writes_files(labelled: Run, tmp_path: Path) -> None:
    found = json.loads(done(labelled("compare", 1, "ana", "--json")))
    assert found["warning"] and found["subset"] == "all"
    assert set(found["roles"]) == {"Seeker", "Assistant"}
    ran = labelled("compare", 1, "ana", "--csv", "--out", tmp_path / "out")
    rows = list(csv.DictReader(io.StringIO(done(ran))))
    assert {row["role"] for row in rows} == {"Seeker", "Assistant"}
    assert "Wrote comparison.json, codes.csv, confusions.csv, disagreements.csv to" in ran.err
    assert json.loads((tmp_path / "out" / "comparison.json").read_text(encoding="utf-8")) == found
    assert (tmp_path / "out" / "codes.csv").read_text(encoding="utf-8") == ran.out
    kept = list(csv.DictReader(io.StringIO((tmp_path / "out" / "disagreements.csv").read_text(encoding="utf-8"))))
    assert len(kept) == len(found["disagreements"]) > 15


def test_compare_reads_another_run(labelled: Run) -> None:
    done(labelled("tag", "--tagger", "scripted", "--threshold", "0.4"))
    ran = labelled("compare", 1, 2)
    assert (ran.code, ran.err) == (0, "")
    # The second run follows no script, and the first's says the role's first code anyway in one of its two utterances.
    assert "compared with run 2 (scripted)\n" in ran.out and "surest first (1 of 1)\n" in ran.out


def test_calibrate_prints_bins_and_what_it_brings(labelled: Run) -> None:
    ran = labelled("calibrate", 1)
    assert "None of the 107 labels of all people used here is known to be blind" in warned(ran)
    assert re.match(r"Run 1 measured on all labels of all people: 107 observations in 3 conversations, 0\.\d{3} right\n", ran.out)
    assert re.search(r"0\.4 to 0\.5 +\d+ +0\.500 +0\.\d{3}  0\.\d{3} to 0\.\d{3}  \|#* *\|\n", ran.out)
    assert re.search(r"ECE +0\.\d{3} -> 0\.\d{3} \(out of fold\)\n", ran.out)


def test_calibrate_prints_json_and_draws(labelled: Run, tmp_path: Path) -> None:
    found = json.loads(done(labelled("calibrate", 1, "--against", "ana", "--json", "--svg", tmp_path / "curve.svg")))
    assert (found["run"], found["against"], found["n"]) == (1, "ana", 107)
    assert all(len(knot) == 2 for knot in found["knots"])
    root = ET.fromstring((tmp_path / "curve.svg").read_text(encoding="utf-8"))
    points = [one for one in found["bins_before"] + found["bins_after"] if one["n"]]
    assert len(root.findall("{http://www.w3.org/2000/svg}circle")) == len(points) + 2
    assert json.loads(done(labelled("calibrate", 1, "--json")))["id"] == found["id"] + 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["compare", 9, "ana"], "There is no run 9. Known: 1."), (["compare", 1, "zoe"], "There is no annotator 'zoe'"),
        (["compare", 1, "9"], "There is no run 9"), (["compare", 1, "alice"], "alice has handed in no label yet"),
        (["compare", 1, "ana", "--out", shipped("taxonomy.yaml")], "is a file. Give --out a folder."),
        (["calibrate", 9], "There is no run 9"), (["calibrate", 1, "--against", "alice"], "alice has handed in no label yet"),
        (["calibrate", 1, "--svg", "no/such/curve.svg"], "no/such is not a folder"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_a_sentence(words: list[object], said: str, labelled: Run) -> None:
    assert said in sentence(labelled(*words))


def test_a_refused_picture_leaves_no_calibration(labelled: Run) -> None:
    sentence(labelled("calibrate", 1, "--svg", "no/such/curve.svg"))
    assert json.loads(done(labelled("calibrate", 1, "--json")))["id"] == 1
