"""The commands that work on data: results on stdout, messages on stderr. People, rounds and usage: `test_cli_usage.py`."""

import csv
import io
import json
import re
import sqlite3
from pathlib import Path

import pytest
from conftest import CONVERSATIONS, Stage
from terminal import Run, done, sentence

from annotator.exporters import EXPORTERS
from annotator.paths import shipped

SAMPLE = shipped("sample")
TABLE = """conversation,utterance,role,annotator,codes
c1,1,Seeker,ana,IQ
c1,1,Seeker,ben,IQ
c1,2,Seeker,ana,PCT
c1,2,Seeker,ben,PEP
c1,3,Seeker,ana,PCT
c1,3,Seeker,ben,PCT
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


# init, import, stats


def test_init_makes_a_project_and_says_what_to_do_next(run: Run, tmp_path: Path) -> None:
    ran = run("init", tmp_path / "study")
    assert (ran.code, ran.out) == (0, f"{tmp_path / 'study'}\n")
    assert "annotator import PATH" in ran.err
    assert {path.name for path in (tmp_path / "study").iterdir()} == {"taxonomy.yaml", "annotator.toml", "annotator.db"}
    assert json.loads(done(run("stats", "--json", "--project", tmp_path / "study")))["conversations"] == 0


def test_init_touches_no_folder_that_holds_something(run: Run, table: Path) -> None:
    assert "exists already" in sentence(run("init", table.parent))
    assert "exists already" in sentence(run("init", table))
    assert [path.name for path in table.parent.iterdir()] == ["labels.csv"]


def test_import_says_what_came_in(project: Run) -> None:
    assert "9 new conversations with 338 utterances; 3 were here already." in done(project("import", SAMPLE))
    assert json.loads(done(project("stats", "--json")))["conversations"] == 12


def test_import_twice_adds_nothing(project: Run) -> None:
    before = done(project("stats", "--json"))
    found = json.loads(done(project("import", "--json", SAMPLE / "transcripts" / "s1_d_1.json")))
    assert (found["conversations"], found["known_conversations"]) == (0, 1)
    assert done(project("stats", "--json")) == before


def test_unnamed_labels_belong_to_whom_as_names(project: Run) -> None:
    done(project("import", SAMPLE, "--as", "published"))
    assert json.loads(done(project("stats", "--json")))["annotators"]["published"]["labels"] == 445


def test_a_code_that_is_not_in_the_taxonomy_is_skipped_renamed_or_refused(project: Run, tmp_path: Path) -> None:
    file = tmp_path / "c9.csv"
    file.write_text("conversation,utterance,role,annotator,codes,text\nc9,1,Seeker,ana,OLD,Hi.\n", encoding="utf-8")
    assert "OLD" in sentence(project("import", file, "--on-unknown", "error"))
    assert "ana" not in json.loads(done(project("stats", "--json")))["annotators"]
    assert "OLD" in done(project("import", file))
    done(project("import", file, "--map", "Seeker/OLD=IQ"))
    assert json.loads(done(project("stats", "--json")))["annotators"]["ana"]["codes"] == {"Seeker": {"IQ": 1}}


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        ("", [], "bad.csv"), ("no,table\n", [], "bad.csv"), (TABLE, [], "its text is not in the file"),
        (TABLE, ["--format", "xml"], "There is no format 'xml'"), (TABLE, ["--map", "OLD"], "--map OLD is not of the form OLD=NEW."),
        (TABLE, ["--as", "a|b"], "cannot be a name"),
    ],
)  # fmt: skip
def test_a_bad_import_is_a_sentence_and_imports_nothing(
    content: str, options: list[str], said: str, project: Run, tmp_path: Path
) -> None:
    (tmp_path / "bad.csv").write_text(content, encoding="utf-8")
    assert said in sentence(project("import", SAMPLE, tmp_path / "bad.csv", *options))
    assert json.loads(done(project("stats", "--json")))["conversations"] == len(CONVERSATIONS)


def test_a_file_that_is_not_there_is_named(project: Run, tmp_path: Path) -> None:
    assert "nothing.json" in sentence(project("import", tmp_path / "nothing.json"))


def test_stats_counts_conversations_turns_utterances_and_tokens(project: Run) -> None:
    found = json.loads(done(project("stats", "--json")))
    assert (found["conversations"], found["utterances"]) == (3, 107)
    assert sum(role["utterances"] for role in found["roles"].values()) == 107
    assert re.search(r"utterances +107\n", done(project("stats")))


# taxonomy


def edit(stage: Stage, before: str, after: str) -> None:
    path = stage.settings.taxonomy_file
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def remove_first_code(stage: Stage) -> None:
    """Take Seeker IQ out of taxonomy.yaml."""
    text = stage.settings.taxonomy_file.read_text(encoding="utf-8")
    start, end = text.index("    - code: IQ\n"), text.index("    - code: CON\n")
    stage.settings.taxonomy_file.write_text(text[:start] + text[end:], encoding="utf-8")


def test_taxonomy_says_version_and_codes(project: Run) -> None:
    found = json.loads(done(project("taxonomy", "--json")))
    assert found["codes"] == {"Seeker": 19, "Assistant": 18}
    assert f"version {found['version']}: 19 codes for Seeker, 18 codes for Assistant" in done(project("taxonomy"))


def test_an_added_code_makes_a_new_version(stage: Stage, project: Run) -> None:
    before = json.loads(done(project("taxonomy", "--json")))
    added = "    - {code: NEW, category: Other, name: New, definition: d, use_when: u, avoid_when: a}\n    - code: CON\n"
    edit(stage, "    - code: CON\n", added)
    after = json.loads(done(project("taxonomy", "--json")))
    assert after["codes"] == {"Seeker": 20, "Assistant": 18}
    assert after["version"] != before["version"]


def test_removing_a_code_that_labels_use_is_refused_with_the_count(stage: Stage, project: Run) -> None:
    done(project("import", SAMPLE, "--as", "published"))
    remove_first_code(stage)
    said = sentence(project("taxonomy"))
    assert "taxonomy.yaml lacks Seeker IQ (Initial Query), which 9 labels use. Put the code back" in said
    assert sentence(project("stats")) == said


def test_removing_a_code_that_nobody_used_makes_a_new_version(stage: Stage, project: Run) -> None:
    remove_first_code(stage)
    assert "18 codes for Seeker" in done(project("taxonomy"))


def test_a_mistake_in_the_taxonomy_is_told_with_its_line(stage: Stage, project: Run) -> None:
    edit(stage, "key: q", "key: jj")
    assert re.match(r"taxonomy.yaml, line \d+: the key 'jj' of IQ", sentence(project("taxonomy")))


# tag


def test_a_plan_says_what_it_would_do_and_stores_nothing(project: Run) -> None:
    before = done(project("round", "list"))
    assert "107 utterances in 3 conversations" in done(project("tag", "--plan"))
    assert json.loads(done(project("tag", "--plan", "--json")))["cost"] == 0
    assert "There is no finished run 2" in sentence(project("round", "create", "r2", "--annotators", "cem", "--run", 2))
    assert done(project("round", "list")) == before


def test_tagging_makes_a_run_that_a_round_can_show(project: Run) -> None:
    found = json.loads(done(project("tag", "--tagger", "scripted", "--threshold", "0.4", "--json")))
    assert (found["id"], found["n_utterances"], found["threshold"]) == (2, 107, 0.4)
    assert "with the proposals of run 2" in done(project("round", "create", "r2", "--annotators", "cem"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--tagger", "oracle"], "There is no tagger 'oracle'"),
        (["--tagger", "scripted", "--threshold", "2"], "must be between 0 and 1"),
        (["--tagger", "scripted", "--set", "script=none.json"], "none.json cannot be read"),
        (["--train-on", "zoe"], "There is no user 'zoe'"),
    ],
)
def test_a_tagger_that_cannot_work_is_a_sentence(options: list[str], said: str, project: Run) -> None:
    assert said in sentence(project("tag", *options))


# agree


def test_agree_reads_a_table_without_a_project(run: Run, table: Path) -> None:
    (pair,) = json.loads(done(run("agree", table, "--json")))["pairs"]
    # po 2/3; both margins IQ 1, PCT 2 | 1, PEP 1: pe (1·1 + 2·1) / 9 = 1/3; kappa 1/2
    assert (pair["annotators"], pair["roles"]["Seeker"]["kappa"]) == (["ana", "ben"], pytest.approx(0.5))
    rows = list(csv.DictReader(io.StringIO(done(run("agree", table, "--csv")))))
    assert next(row for row in rows if row["scope"] == "Seeker")["kappa"] == "0.5"
    assert re.search(r"ana - ben  Seeker +0\.500", done(run("agree", table)))


def test_undefined_is_said_with_the_reason(run: Run, table: Path) -> None:
    table.write_text("".join(TABLE.splitlines(keepends=True)[:3]), encoding="utf-8")
    (pair,) = json.loads(done(run("agree", table, "--json")))["pairs"]
    assert pair["roles"]["Seeker"]["kappa"] is None
    assert pair["roles"]["Seeker"]["undefined"]["kappa"]
    assert "undefined: " in done(run("agree", table))


def test_agree_of_a_project_uses_what_was_handed_in_or_imported(project: Run) -> None:
    assert "Nothing to compare yet" in done(project("agree"))
    for name in ("ana", "ben"):
        done(project("import", SAMPLE, "--as", name))
    (pair,) = json.loads(done(project("agree", "--json")))["pairs"]
    assert {role: block["kappa"] for role, block in pair["roles"].items()} == {"Seeker": 1.0, "Assistant": 1.0}


def test_agree_says_what_it_cannot_read(run: Run, table: Path) -> None:
    assert "does not exist" in sentence(run("agree", table.parent / "none.csv"))
    assert "no labels of a round 'r9'" in sentence(run("agree", table, "--round", "r9"))


def test_two_rows_for_one_label_are_refused_with_their_line(run: Run, table: Path) -> None:
    table.write_text(TABLE + "c1,1,Seeker,ana,CON\n", encoding="utf-8")
    assert "line 8" in sentence(run("agree", table)) or "lines 2 and 8" in sentence(run("agree", table))


# export, backup


@pytest.mark.parametrize("format", EXPORTERS)
def test_every_format_is_exported_and_read_again(format: str, project: Run, run: Run, tmp_path: Path) -> None:
    done(project("import", SAMPLE / "transcripts", "--as", "ana"))
    path = tmp_path / ("out" + EXPORTERS[format].suffix)
    assert done(project("export", path, "--format", format, "--labels", "ana")) == f"{path}\n"
    done(run("init", tmp_path / "second"))
    done(run("import", path, "--as", "ana", "--project", tmp_path / "second"))
    counted = [json.loads(done(one)) for one in (project("stats", "--json"), run("stats", "--json", "--project", tmp_path / "second"))]
    assert counted[0]["annotators"]["ana"] == counted[1]["annotators"]["ana"]


def test_an_untouched_proposal_is_exported_beside_and_never_as_a_label(project: Run, tmp_path: Path) -> None:
    done(project("export", tmp_path / "all.csv"))
    rows = list(csv.DictReader(io.StringIO((tmp_path / "all.csv").read_text(encoding="utf-8"))))
    assert (len(rows), {row["annotator"] for row in rows}, {row["codes"] for row in rows}) == (107, {""}, {""})
    assert rows[1]["suggestion"] == "PCT|PEP"


def test_repeats_have_a_column_of_their_own_where_they_are_asked_for(project: Run, tmp_path: Path) -> None:
    rows = "conversation,utterance,role,annotator,codes,repeat\ns1_d_1,1,Assistant,ana,RTI,\ns1_d_1,1,Assistant,ana,EP,1\n"
    (tmp_path / "in.csv").write_text(rows)
    done(project("import", tmp_path / "in.csv"))
    for options, found in (([], [("RTI", None)]), (["--repeats"], [("RTI", ""), ("EP", "1")])):
        done(project("export", tmp_path / "out.csv", *options))
        table = csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text(encoding="utf-8")))
        assert [(row["codes"], row.get("repeat")) for row in table if row["annotator"]] == found
    assert json.loads(done(project("agree", tmp_path / "out.csv", "--json")))["pairs"] == []


@pytest.mark.parametrize(
    ("path", "options", "said"),
    [
        ("out.xml", [], "say what to write: --format"), ("out.csv", ["--format", "xml"], "xml"),
        ("out.csv", ["--labels", "zoe"], "Nobody here is called 'zoe'"), ("none/out.csv", [], "is not a folder"),
        ("out", ["--format", "vogue", "--labels", "gold", "--repeats"], "cannot tell repeats from first labels"),
        ("project", ["--format", "vogue", "--labels", "gold"], "exists already and is not an empty folder"),
    ],
)  # fmt: skip
def test_an_export_that_cannot_be_is_a_sentence(path: str, options: list[str], said: str, project: Run, tmp_path: Path) -> None:
    assert said in sentence(project("export", tmp_path / path, *options))
    assert not (tmp_path / "out.csv").exists()


def test_a_backup_is_a_whole_project_database_and_overwrites_nothing(stage: Stage, project: Run, run: Run, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    assert done(project("backup", copy)) == f"{copy}\n"
    assert "exists already" in sentence(project("backup", copy))
    with sqlite3.connect(copy) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    assert done(run("stats", "--db", f"sqlite:///{copy}", "--project", tmp_path)) == done(project("stats"))
