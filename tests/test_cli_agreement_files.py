"""`annotator agree`: which labels, the verdict and the gate, the planner, what-if, tables, and all of it as files."""

import csv
import io
import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from conftest import Stage
from flow.golden import FIRST, SECOND, decide, differ
from flow.steps import hand_in, label, role_at
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session
from terminal import Run, done, sentence

from annotator.core.agreement import report
from annotator.core.labelled import Labelled
from annotator.db import Database
from annotator.flow.agreement_facts import SOFTWARE
from annotator.flow.agreement_files import file_stem, pairs_csv

HEADING = "conversation,utterance,role,annotator,codes,condition,round,taxonomy_version"
SAID = {"ana": "IQ IQ RP RP ACK IQ", "ben": "IQ RP RP RP ACK IQ", "cem": "IQ IQ RP ACK ACK RP"}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Three annotators, eight conversations of two roles, a quarter of them blind, two rounds; ben and cem differ from ana by turns."""
    rows = []
    for at in range(8):
        for who, codes in SAID.items():
            said = (codes if at % 3 else SAID["ana"]).split()
            told = f"{'blind' if at % 4 == 0 else 'assisted'},{'pilot' if at < 3 else 'main'},v1"
            rows += [f"c{at},{n},{('Seeker', 'Assistant')[n % 2]},{who},{code},{told}" for n, code in enumerate(said)]
    return written(tmp_path / "labels.csv", rows)


def written(path: Path, rows: list[str]) -> Path:
    path.write_text("\n".join([HEADING, *rows]), encoding="utf-8")
    return path


def figures(run: Run, *words: object) -> dict[str, Any]:
    return dict(json.loads(done(run("agree", *words, "--json"))))


# Which labels, and the verdict


def test_the_text_begins_with_the_verdict_and_says_what_hurts(run: Run, table: Path) -> None:
    ran = run("agree", table, "--threshold", "0.4")
    found = figures(run, table, "--threshold", "0.4")
    lines = done(ran).splitlines()
    low, high = found["verdict"]["ci95"]
    said = f"kappa {found['verdict']['value']:.3f}, 95 % {low:.3f} to {high:.3f}: lower 95 % limit {low:.3f} ≥ your threshold 0.4"
    assert lines[0] == said
    assert lines[1].startswith("3 annotators, 48 utterances of 8 conversations, 144 pairs of labels, design effect ")
    assert [line for line in lines if line in ("What hurts most", "Most frequent confusions (4 of 4)")] != []
    assert re.search(r"ana - ben  Seeker +\d\.\d{3} +\d\.\d{3} +\d\.\d{3} +24 +-?\d\.\d{3} to \d\.\d{3}", ran.out)
    assert "Warning: Several rounds are in these figures: main, pilot." in ran.err


def test_the_text_says_how_annotators_agree_with_themselves_and_what_misleads(run: Run, tmp_path: Path) -> None:
    rows = [f"c{at},{n},Seeker,{who},{code}," for at in range(3) for n, code in enumerate("ABA") for who in ("ana", "ben")]
    again = [f"c{at},{n},Seeker,ana,{code},1" for at in range(3) for n, code in enumerate("ABB")]
    path = tmp_path / "again.csv"
    path.write_text("\n".join(["conversation,utterance,role,annotator,codes,repeat", *rows, *again]), encoding="utf-8")
    text = done(run("agree", path))
    assert re.search(r"Agreement with themselves, asked once more\nana +0\.\d{3} .*, n 9", text)
    assert "With 3 conversations intervals and design effects are rough" in text
    assert "Most frequent confusions" not in text and "What hurts most" not in text


def test_of_many_pairs_the_text_has_all_together_and_the_ten_lowest(run: Run, tmp_path: Path) -> None:
    names = ("ana", "ben", "cem", "dan", "eva", "fay")
    rows = [
        f"c{at},{n},{('Seeker', 'Assistant')[n % 2]},{who},{'AB'[(n // 2 + (at == 0 and n < 2 * of)) % 2]},,,"
        for at in range(4) for n in range(12) for of, who in enumerate(names) if who != "fay"
    ]  # fmt: skip
    rows += [f"c9,{n},Seeker,{who},A,,," for n in range(2) for who in ("eva", "fay")]
    path = written(tmp_path / "labels.csv", rows)
    text = done(run("agree", path))
    lines, found = text.splitlines(), figures(run, path)
    lowest = lines.index("Lowest kappa of 15 pairs of annotators")
    assert [line.split("  ")[:2] for line in lines[lowest - 3 : lowest]] == [
        ["all pairs", of] for of in ("Assistant", "Seeker", "stratified")
    ]
    kappas = {" - ".join(pair["annotators"]): pair["stratified"]["kappa"] for pair in found["pairs"]}
    shown = [line.split("  ")[0] for line in lines[lowest + 1 : lowest + 11]]
    assert [kappas[pair] for pair in shown] == sorted(kappa for kappa in kappas.values() if kappa is not None)[:10]
    assert all("  stratified" in line for line in lines[lowest + 1 : lowest + 11])
    assert lines[lowest + 11] == (
        "1 more pair without a defined kappa, 4 more pairs without an utterance that both labelled: --csv and --json have all."
    )
    few = done(run("agree", path, "--between", "ana,ben"))
    assert "pooled (flatters)" in few and "Lowest kappa" not in few


def test_what_needs_no_figures_of_every_pair_is_made_without_them(
    run: Run, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        f"c{at},{n},{('Seeker', 'Assistant')[n % 2]},{who},{'AB'[(at + n + n * who // 3) % 2]},,,"
        for at in range(3) for n in range(6) for who in range(7)
    ]  # fmt: skip
    many = written(tmp_path / "many.csv", rows)
    wanted = {form: done(run("agree", many, *form, "--out", tmp_path / "out")) for form in ((), ("--plan",), ("--what-if", "A=B"))}
    few = done(run("agree", table, "--plan"))

    def refused(*_: object) -> None:
        raise AssertionError("figures of every pair are made")

    monkeypatch.setattr(report, "all_pairs", refused)
    assert {form: done(run("agree", many, *form)) for form in wanted} == wanted
    assert done(run("agree", table, "--plan")) == few
    latex = run("agree", many, "--latex")
    assert {"overall", "pairs", "rest", "codes", "plan"} <= set(re.findall(r"\\label\{tab:(\w+)\}", done(latex)))
    assert "left out, as there are more than ten pairs of annotators: --out has them." in latex.err
    for form in (["--json"], ["--csv"], ["--between", "1,2"]):
        with pytest.raises(AssertionError, match="every pair"):
            run("agree", many, *form)


def test_the_text_has_no_plural_of_one(run: Run, tmp_path: Path) -> None:
    one = written(tmp_path / "one.csv", [f"c1,1,Seeker,{who},{code},,," for who, code in (("ana", "A"), ("ben", "B"))])
    lines = done(run("agree", one)).splitlines()
    assert lines[1] == "2 annotators, 1 utterance of 1 conversation, 1 pair of labels"
    assert lines[2] == "With 1 conversation there are no intervals: how conversations differ cannot be told from one."


def test_what_in_a_table_looks_unmeant_is_a_warning(run: Run, tmp_path: Path) -> None:
    rows = [f"c{at},{n},{'Assistant' if n == who == 3 else 'Seeker'},{who},A,,," for at in range(3) for n in range(4) for who in (2, 3)]
    ran = run("agree", written(tmp_path / "labels.csv", [*rows, "c0,9,Seeker,2,a,,,"]), "--json")
    told = json.loads(done(ran))["warnings"]
    assert told[0].startswith("3 utterances have one role in the labels of one annotator and another in those of another")
    assert told[1].startswith("Codes 'A' and 'a' of Seeker differ only in case") and len(told) == 2
    assert ran.err.splitlines()[:2] == [f"Warning: {one}" for one in told]


def test_a_table_is_verified_with_its_taxonomy_and_for_two(run: Run, table: Path, stage: Stage) -> None:
    pytest.importorskip("statsmodels")
    ran = run("agree", table, "--between", "ana,ben", "--taxonomy", stage.settings.taxonomy_file, "--verify")
    assert "by the book: " in done(ran) and "a taxonomy that is not at hand" not in ran.out


def test_labels_are_chosen_by_round_condition_and_annotators(run: Run, table: Path) -> None:
    assert figures(run, table, "--round", "pilot")["overview"]["stratified"]["n_conversations"] == 3
    assert figures(run, table, "--condition", "blind")["conditions"] == ["blind"]
    found = figures(run, table, "--between", "cem, ana")
    assert [pair["annotators"] for pair in found["pairs"]] == [["ana", "cem"]]
    assert run("agree", table, "--condition", "dark").code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--between", "ana"], "does not name two annotators"),
        (["--between", "ana,ana"], "does not name two annotators"),
        (["--between", "ana,dora"], "dora has handed in nothing here. Who has: ana, ben, cem."),
        (["--what-if", "IQ"], "does not say which code becomes which"),
        (["--what-if", "Seeker/IQ=IQ"], "does not say which code becomes which"),
        (["--what-if", "IQ=RP", "--what-if", "IQ=ACK"], "makes both RP and ACK of IQ"),
        (["--what-if", "NONE=RP"], "Nobody used the code NONE"),
        (["--taxonomy", "none.yaml"], "none.yaml does not exist"),
    ],
)
def test_what_cannot_be_asked_is_a_sentence(words: list[str], said: str, run: Run, table: Path) -> None:
    assert said in sentence(run("agree", table, "--round", "main", "--condition", "assisted", *words))


def test_a_taxonomy_is_for_tables(project: Run, stage: Stage) -> None:
    for how in ([], ["--verify"]):
        assert "--taxonomy is for a table" in sentence(project("agree", "--taxonomy", stage.settings.taxonomy_file, *how))


def test_a_taxonomy_gives_categories_and_more_codes_to_choose_from(run: Run, table: Path, stage: Stage) -> None:
    with_it = figures(run, table, "--taxonomy", stage.settings.taxonomy_file)["pairs"][0]["roles"]["Assistant"]
    without = figures(run, table)["pairs"][0]["roles"]["Assistant"]
    assert without["categories"] is None and with_it["categories"]
    assert with_it["s"] != without["s"] and with_it["kappa"] == without["kappa"]


def test_the_bootstrap_is_made_when_asked_for(run: Run, table: Path) -> None:
    drawn = figures(run, table, "--bootstrap", "70", "--seed", "5")["pairs"][0]["stratified"]["bootstrap"]
    assert (drawn["draws"], drawn["seed"]) == (70, 5)


def test_the_threshold_is_the_projects_unless_given(project: Run, stage: Stage, table: Path) -> None:
    with (stage.settings.project / "annotator.toml").open("a", encoding="utf-8") as toml:
        toml.write("\nagreement_threshold = 0.8\n")
    assert figures(project, table)["verdict"]["threshold"] == 0.8
    assert figures(project, table, "--threshold", "0.5")["verdict"]["threshold"] == 0.5
    assert figures(project, table, "--gate", "0.1")["verdict"]["threshold"] == 0.1
    assert figures(project, table, "--gate", "0.1", "--threshold", "0.5")["verdict"]["threshold"] == 0.5


# The gate


@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"], ["--latex"], ["--plan"]])
def test_the_gate_ends_with_1_under_it_whatever_is_printed(form: list[str], run: Run, table: Path) -> None:
    ran = run("agree", table, "--round", "main", "--condition", "assisted", "--gate", "0.999", *form)
    assert ran.code == 1 and ran.out
    assert re.fullmatch(r"annotator: The gate of 0\.999 is not passed: the lower 95 % limit is 0\.\d{3}\.\n", ran.err)
    assert run("agree", table, "--round", "main", "--condition", "assisted", "--gate", "0.1", *form).code == 0


def test_the_verdict_speaks_of_the_gate(run: Run, table: Path) -> None:
    said = done(run("agree", table, "--gate", "0.1")).splitlines()[0]
    assert said.endswith("≥ your threshold 0.1")


def test_the_gate_is_closed_where_there_is_no_limit(run: Run, tmp_path: Path, project: Run) -> None:
    one = written(tmp_path / "one.csv", [f"c1,{at},Seeker,{who},{code},,," for at in (1, 2) for who, code in (("ana", "A"), ("ben", "A"))])
    ran = run("agree", one, "--gate", "0")
    assert ran.code == 1 and "is not passed: no lower limit: both annotators used one label only" in ran.err
    assert project("agree", "--gate", "0").code == 1


# The planner and what-if


def test_the_plan_says_how_many_more_and_what_never_can_be(run: Run, table: Path) -> None:
    text = done(run("agree", table, "--plan", "--half-width", "0.1", "--code-half-width", "0.15"))
    plan = figures(run, table, "--half-width", "0.1", "--code-half-width", "0.15")["plan"]
    assert (plan["half_width"], plan["code_half_width"]) == (0.1, 0.15)
    assert text.startswith("Conversations that two must label until 95 % limits are ±0.1, and ±0.15 for a code, 8 in the corpus")
    need = plan["overall"]
    assert re.search(rf"over roles +8 +{need['now']:.3f} +{need['needed']} +{need['more']}", text)
    assert "Never ±0.15 in this corpus" in text and "What hurts most" not in text


def test_codes_that_nobody_used_are_named_with_the_reason(run: Run, table: Path, stage: Stage) -> None:
    text = done(run("agree", table, "--plan", "--taxonomy", stage.settings.taxonomy_file))
    assert re.search(r"Cannot be told\nnobody used it on 72 pairs of labels: .*Seeker PCT", text)


def test_what_if_shows_both_with_intervals(run: Run, table: Path) -> None:
    text = done(run("agree", table, "--what-if", "Seeker/IQ=RP", "--what-if", "ACK=RP"))
    found = figures(run, table, "--what-if", "Seeker/IQ=RP", "--what-if", "ACK=RP")["what_if_asked"]
    assert found["merged"] == {"Seeker/IQ": "RP", "ACK": "RP"}
    now, then = (found[name]["roles"]["Assistant"] for name in ("before", "after"))
    interval = f"{now['kappa']:.3f} ({now['ci95'][0]:.3f} to {now['ci95'][1]:.3f})"
    assert f"Assistant                       {interval:36} → {then['kappa']:.3f} (" in text
    assert "Seeker                          " in text and "→ undefined" in text
    assert re.search(r"Seeker IQ .* → no such code", text)
    assert "what_if_asked" not in figures(run, table)


# Tables and files


def test_csv_keeps_its_columns(run: Run, table: Path) -> None:
    rows = list(csv.reader(io.StringIO(done(run("agree", table, "--csv")))))
    assert rows[0] == [
        "annotator_a", "annotator_b", "scope", "code", "n_utterances", "n_conversations", "n_skipped", "n_blank", "po", "pe", "kappa",
        "n_a", "n_b", "n_both", "undefined",
    ]  # fmt: skip
    assert {row[2] for row in rows[1:]} == {"Assistant", "Seeker", "stratified", "pooled"}


def test_latex_has_all_tables(run: Run, table: Path) -> None:
    text = done(run("agree", table, "--latex"))
    labels = re.findall(r"\\label\{tab:(\w+)\}", text)
    assert labels == ["overall", "reading_aids", "pairs", "rest", "codes", "confusions", "what_if", "rounds", "plan"]
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 9 and text.isascii()


def test_out_writes_everything(run: Run, table: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    ran = run("agree", table, "--out", out, "--json")
    assert json.loads(ran.out) == json.loads((out / "agreement.json").read_text(encoding="utf-8"))
    names = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert {"pairs.csv", "labels.csv", "methods.txt", "methods.tex", "tables/codes.csv", "tables/codes.tex", "figures/codes.svg"} <= names
    endings = {Path(name).suffix for name in names if name.startswith("figures/")}
    assert endings == ({".svg", ".png", ".pdf"} if find_spec("vl_convert") else {".svg"})
    assert (
        f"Wrote agreement.json, pairs.csv, labels.csv, methods.txt, methods.tex, and {len(names) - 5} tables and figures, to {out}."
        in ran.err
    )
    assert f"made with {SOFTWARE}. The raw pairs of labels are in pairs.csv" in (out / "methods.txt").read_text(encoding="utf-8")


def test_the_pair_file_gives_the_figures_back(run: Run, table: Path, tmp_path: Path) -> None:
    done(run("agree", table, "--out", tmp_path / "out", "--between", "ana,cem"))
    with (tmp_path / "out" / "pairs.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert list(rows[0]) == [
        "conversation", "utterance", "role", "round", "condition", "annotator_a", "codes_a", "annotator_b", "codes_b"
    ]  # fmt: skip
    assert {(row["conversation"], row["round"], row["condition"]) for row in rows} == {
        (f"c{at}", "pilot" if at < 3 else "main", "assisted" if at % 4 else "blind") for at in range(8)
    }
    assert {(row["annotator_a"], row["annotator_b"]) for row in rows} == {("ana", "cem")}
    line = figures(run, table, "--between", "ana,cem")["overview"]["stratified"]
    assert len(rows) == line["n_pairs"]
    assert sum(row["codes_a"] == row["codes_b"] for row in rows) / len(rows) == pytest.approx(line["po"])


@pytest.mark.parametrize("asked", [[], ["--round", "main"], ["--condition", "blind"], ["--between", "ana,cem"]])
def test_the_label_file_gives_the_figures_back(asked: list[str], run: Run, table: Path, tmp_path: Path) -> None:
    lines = table.read_text(encoding="utf-8").splitlines()[1:]
    lines += ["c9,1,Seeker,,,,,", "c9,2,Seeker,ana,,blind,main,v1", "c9,2,Seeker,cem,RP|IQ,blind,main,v1"]
    again = [f"c5,{n},Seeker,cem,{code},assisted,main,v1,1" for n, code in ((0, "IQ"), (2, "RP"))]
    table.write_text("\n".join([f"{HEADING},repeat", *(f"{line}," for line in lines), *again]), encoding="utf-8")
    done(run("agree", table, "--out", tmp_path / "out", *asked))
    wanted = json.loads((tmp_path / "out" / "agreement.json").read_text(encoding="utf-8"))
    found = figures(run, tmp_path / "out" / "labels.csv")
    # These are of all rounds, conditions and annotators, whatever was asked for.
    wider = {"--round": {"by_round"}, "--condition": {"by_round", "by_condition"}, "--between": {"by_round", "matrix", "rest"}}
    assert {name for name in wanted if wanted[name] != found[name]} <= (wider[asked[0]] if asked else set())


def test_two_labels_of_different_rounds_name_both() -> None:
    said = [Labelled("c1", "1", "Seeker", who, (), condition="blind", round=of) for who, of in (("ana", "r2"), ("ben", "r1"))]
    assert pairs_csv([*said, said[0]._replace(annotator=""), said[0]._replace(repeat=True)]).splitlines()[1:] == [
        "c1,1,Seeker,r2|r1,blind,ana,,ben,"
    ]  # fmt: skip


def test_files_are_written_anew_and_what_is_in_the_way_is_a_sentence(run: Run, table: Path, tmp_path: Path) -> None:
    asked = ["agree", table, "--round", "main", "--condition", "assisted", "--out"]
    out = tmp_path / "out"
    out.mkdir()
    (out / "methods.txt").write_text("old", encoding="utf-8")
    done(run(*asked, out))
    assert (out / "methods.txt").read_text(encoding="utf-8").startswith("Agreement was measured on utterances [how they were")
    assert "is a file. Give --out a folder." in sentence(run(*asked, table))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "tables").write_text("", encoding="utf-8")
    assert "cannot be written" in sentence(run(*asked, tmp_path / "other"))


def test_drawings_of_roles_with_alike_or_long_names_are_files_of_their_own(run: Run, tmp_path: Path) -> None:
    roles = ("a.b", "a_2eb", "a_2e_b", "a/b", "x" * 300, "x" * 300 + "y")
    rows = [f"c{at},{n},{role},{who},{'AB'[at % 2]},,," for at in range(2) for n, role in enumerate(roles) for who in ("ana", "ben")]
    done(run("agree", written(tmp_path / "labels.csv", rows), "--out", tmp_path / "out"))
    names = [path.stem for path in (tmp_path / "out" / "figures").glob("confusion-*.svg")]
    assert len(names) == len(roles) and max(map(len, names)) == 80
    assert {file_stem(f"confusion-{role}") for role in roles} == set(names)


@given(st.lists(st.text(min_size=1), unique=True, max_size=8))
def test_two_names_are_never_one_file(names: list[str]) -> None:
    stems = [file_stem(name) for name in names]
    assert len(set(stems)) == len(names)
    assert all(re.fullmatch(r"[\w-]+", stem) and len(stem.encode()) <= 80 for stem in stems)


def test_a_project_writes_what_it_knows(project: Run, db: Database, tmp_path: Path) -> None:
    with db.writing() as session:
        decide(session, differ(session), SECOND["Seeker"])
        _second_conversation(session)
    done(project("agree", "--out", tmp_path / "out"))
    said = (tmp_path / "out" / "methods.txt").read_text(encoding="utf-8")
    assert said.startswith("Agreement was measured on pre-segmented utterances: ") and "of the table" not in said
    assert "In round r1 each conversation was labelled by both annotators (seed 1; all conversations)." in said
    assert "a lead who had labelled none of them settled 1 of" in said
    with (tmp_path / "out" / "pairs.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["utterance"] for row in rows if row["conversation"] == "s1_d_1"] == ["1", "2", "3"]
    assert {row["codes_a"] for row in rows} <= set(FIRST.values())
    assert {(row["round"], row["condition"]) for row in rows} == {("r1", "assisted")}


def test_the_label_file_of_a_project_gives_the_figures_back(project: Run, stage: Stage, db: Database, tmp_path: Path) -> None:
    with db.writing() as session:
        decide(session, differ(session), SECOND["Seeker"])
        _second_conversation(session)
    wanted = json.loads(done(project("agree", "--out", tmp_path / "out", "--json")))
    found = figures(project, tmp_path / "out" / "labels.csv", "--taxonomy", stage.settings.taxonomy_file)
    assert {name for name in wanted if wanted[name] != found[name]} <= {"after_discussion"}  # a table has no later labels


def _second_conversation(session: Session) -> None:
    for name in ("alice", "bob"):
        for at in range(1, 5):
            label(session, name, "s2_d_2", at, FIRST[role_at(session, "s2_d_2", at)])
        hand_in(session, name, "s2_d_2")
