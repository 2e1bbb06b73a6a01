"""The long table as it is written."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest

from annotator.core.labelled import COLUMNS
from annotator.core.transcript import Label, Proposal, Transcript, Turn, Utterance
from annotator.exporters import EXPORTERS


def written(folder: Path, *transcripts: Transcript, raw: bool = False) -> str:
    EXPORTERS["csv"].write(transcripts, folder / "out.csv", raw=raw)
    return (folder / "out.csv").read_bytes().decode("utf-8")


def test_a_conversation_is_written_so(talk: Transcript, tmp_path: Path) -> None:
    assert written(tmp_path, talk) == (
        "conversation,utterance,role,annotator,codes,turn,text,condition,round,taxonomy_version,"
        "suggestion,confidence,seconds,decided_at,gold,model_version,prompt_hash,cost,gold_rule,mentioned_items,gt_items\n"
        "c1,1,Seeker,alice,ACK|RC,1,Hi.,assisted,r1,abc123,ACK,0.8312,2.5,2026-11-23T05:00:00Z,ACK,m-001,9f2c,0.00021,adjudicated,2|7,|\n"
        "c1,1,Seeker,bob,,1,Hi.,blind,r1,abc123,ACK,0.8312,7.0,2026-11-23T06:00:00Z,ACK,m-001,9f2c,0.00021,adjudicated,,\n"
        'c1,2,Assistant,,,2,"\'=Well, ""so""\nthen",,,,RTI|RC,0.5,,,,,,,,,\n'
    )


def test_the_heading_is_there_without_any_record(tmp_path: Path) -> None:
    assert written(tmp_path) == ",".join(COLUMNS) + "\n"


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "'="])
def test_no_cell_begins_with_what_a_spreadsheet_runs(sign: str, tmp_path: Path) -> None:
    label = Label(f"{sign}a", (f"{sign}b",), f"{sign}c", f"{sign}d", f"{sign}e", 1.0, f"{sign}f")
    proposal = Proposal((f"{sign}l",), model_version=f"{sign}m", prompt_hash=f"{sign}n", cost=-1.0)
    said = Utterance(f"{sign}g", f"{sign}h", (label,), (proposal,), (f"{sign}i",))
    text = written(tmp_path, Transcript(f"{sign}j", (Turn(f"{sign}k", (said,), -1),)))
    _, row = csv.reader(io.StringIO(text, newline=""))
    assert all(cell[:1] in ("'", "1", "") for cell in row)


def test_raw_cells_are_not_guarded(talk: Transcript, tmp_path: Path) -> None:
    assert '"=Well, ""so""' in written(tmp_path, talk, raw=True)


@pytest.mark.parametrize("text", ["a\rb", "a\nb", "a\r\nb", 'a"b', "a,b"])
def test_cells_are_quoted_on_every_version_of_python(text: str, tmp_path: Path) -> None:
    said = Utterance("1", text)
    quoted = '"' + text.replace('"', '""') + '"'
    assert f",{quoted}," in written(tmp_path, Transcript("c1", (Turn("Seeker", (said,), 1),)))


@pytest.mark.parametrize(("number", "cell"), [(0.8312, "0.8312"), (1, "1.0"), (1e-9, "1e-09"), (1 / 3, "0.3333333333333333")])
def test_numbers_are_written_as_short_as_possible(number: float, cell: str, talk: Transcript, tmp_path: Path) -> None:
    said = Utterance("1", "Hi.", (Label("alice", (), seconds=number),))
    assert f",{cell},," in written(tmp_path, replace(talk, turns=(Turn("Seeker", (said,), 1),)))
