"""`import annotator`: the face for notebooks and scripts."""

import subprocess
import sys
from pathlib import Path

import pytest

import annotator
from annotator import BadInput, Judgement, agreement, agreement_of, cohen_kappa, each_label, load_taxonomy, read_labels
from annotator.paths import shipped

TABLE = """\
conversation,utterance,role,annotator,codes
c1,1,Seeker,ana,IQ
c1,1,Seeker,ben,IQ
c1,2,Seeker,ana,PCT|PEP
c1,2,Seeker,ben,PCT
c1,3,Seeker,ana,PCT
c1,3,Seeker,ben,PCT
c1,4,Assistant,ana,RS
c1,4,Assistant,ben,
c1,5,Assistant,,
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text(TABLE)
    return path


def test_agreement_of_a_table_takes_three_lines(table: Path) -> None:
    (pair,) = agreement_of(read_labels(table))["pairs"]
    assert pair["annotators"] == ["ana", "ben"]
    seeker, other = pair["roles"]["Seeker"], pair["roles"]["Assistant"]
    assert (seeker["n_utterances"], seeker["po"], round(seeker["kappa"], 3)) == (3, pytest.approx(2 / 3), 0.5)
    assert (other["n_utterances"], other["kappa"], other["confusions"]) == (1, 0, [{"a": "RS", "b": "", "n": 1}])


def test_a_table_may_be_named_as_text_and_written_by_a_spreadsheet(table: Path) -> None:
    table.write_text("\ufeff" + TABLE.replace(",", ";").replace("\n", "\r\n"), encoding="utf-8")
    assert len(read_labels(str(table))) == 9
    assert list(each_label(str(table))) == read_labels(table)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "does not exist"), (b"", "is empty"), (b"\xff\xfea", "not UTF-8"), (b"a,b\n", "line 1: the column"),
        (TABLE.encode() + b"c1,6,Seeker\n", "line 11: 3 cells where the heading has 5"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_read_is_a_sentence(table: Path, content: bytes | None, said: str) -> None:
    table.unlink() if content is None else table.write_bytes(content)
    with pytest.raises(BadInput, match=said):
        read_labels(table)


def test_a_folder_instead_of_a_table_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"cannot be read \(Is a directory\)\. Give a table as CSV that you may read\."):
        read_labels(tmp_path)


def test_two_rows_of_one_annotator_for_one_utterance_are_an_error(table: Path) -> None:
    table.write_text(TABLE + "c1,1,Seeker,ana,PEP\n")
    with pytest.raises(BadInput, match="lines 2 and 11: conversation 'c1', utterance '1' has two rows of annotator 'ana'"):
        agreement_of(read_labels(table))


def test_a_row_of_a_repeat_is_another_row_and_in_no_figure(table: Path) -> None:
    figures = agreement_of(read_labels(table))
    first, *rows = TABLE.splitlines()
    again = "c1,1,Seeker,ana,PEP,1"
    table.write_text("\n".join([f"{first},repeat", *(f"{row}," for row in rows), again, ""]))
    assert agreement_of(read_labels(table)) == figures
    table.write_text(table.read_text() + again + "\n")
    with pytest.raises(BadInput, match="annotator 'ana', both repeated. Keep one"):
        read_labels(table)


def test_figures_of_judgements_made_by_hand() -> None:
    labels = {("a", 1): "x", ("a", 2): "x", ("a", 3): "y", ("b", 1): "x", ("b", 2): "y", ("b", 3): "y"}
    said = [Judgement(who, "c1", str(at), "Seeker", frozenset({code})) for (who, at), code in labels.items()]
    assert agreement(said)["pairs"][0]["roles"]["Seeker"]["kappa"] == pytest.approx(0.4)
    assert cohen_kappa({("x", "x"): 1, ("x", "y"): 1, ("y", "y"): 1}).kappa == pytest.approx(0.4)


def test_a_taxonomy_is_loaded_with_its_file_in_messages(tmp_path: Path) -> None:
    assert len(load_taxonomy(shipped("taxonomy.yaml")).codes) == 37
    (tmp_path / "t.yaml").write_text("name: x\n")
    with pytest.raises(BadInput, match=r"^t\.yaml, line 1: the taxonomy lacks labels_per_utterance, roles"):
        load_taxonomy(str(tmp_path / "t.yaml"))


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_taxonomy_that_cannot_be_read_is_a_sentence(tmp_path: Path, content: bytes | None) -> None:
    if content:
        (tmp_path / "t.yaml").write_bytes(content)
    with pytest.raises(BadInput, match=r"t\.yaml"):
        load_taxonomy(tmp_path / "t.yaml")


def test_everything_promised_is_there() -> None:
    assert all(hasattr(annotator, name) for name in annotator.__all__)
    assert annotator.__version__


def test_importing_loads_neither_web_nor_database_nor_numbers() -> None:
    code = "import sys, annotator; print([m for m in ('fastapi', 'sqlalchemy', 'sklearn', 'numpy', 'pydantic') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
