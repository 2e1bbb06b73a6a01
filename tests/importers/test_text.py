"""Plain text, one turn a line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from annotator.core.transcript import Record, Transcript

Reader = Callable[..., list[Transcript]]


def turns(transcript: Transcript) -> list[tuple[str, list[str]]]:
    return [(turn.role, [said.text for said in turn.utterances]) for turn in transcript.turns]


def test_a_line_is_a_turn_of_sentences(read: Reader) -> None:
    (transcript,) = read("talk.txt", "Seeker: Hi. I need shoes!\n\nAssistant : Sure.\nAssistant: Which?\n")
    assert transcript.id == "talk"
    assert turns(transcript) == [("Seeker", ["Hi.", "I need shoes!"]), ("Assistant", ["Sure."]), ("Assistant", ["Which?"])]
    assert [said.id for _, said in transcript.utterances()] == ["1", "2", "3", "4"]


def test_an_indented_line_goes_on_with_the_turn(read: Reader) -> None:
    (transcript,) = read("talk.txt", "Seeker:\n  Hi. I need\n\tshoes.\n")
    assert turns(transcript) == [("Seeker", ["Hi.", "I need shoes."])]


@pytest.mark.parametrize("role", ["Seeker", "Speaker 1", "user_2", "Co-Host", "Käufer", "Продавец", "1", "x" * 40])
def test_a_role_may_be_written_so(role: str, read: Reader) -> None:
    assert turns(read("talk.txt", f"{role}: Hi.\n")[0]) == [(role, ["Hi."])]


@pytest.mark.parametrize("line", ["https://example.org is nice", "10:30 is fine", "x" * 41 + ": no", "(aside): no", "no colon"])
def test_a_line_without_a_role_is_part_of_what_was_said_if_indented(line: str, read: Reader) -> None:
    assert turns(read("talk.txt", f"Seeker: Well,\n  {line}\n")[0]) == [("Seeker", [f"Well, {line}"])]


def test_a_folder_is_one_conversation_per_file_in_natural_order(tmp_path: Path, records: Callable[[Path], list[Record]]) -> None:
    for name in ("c10.txt", "c2.txt", ".hidden.txt", "notes.md"):
        (tmp_path / name).write_text("Seeker: Hi.\n", encoding="utf-8")
    assert [record.id for record in records(tmp_path) if isinstance(record, Transcript)] == ["c2", "c10"]


def test_a_file_of_another_name_is_recognised_by_its_first_line(read: Reader) -> None:
    assert len(read("talk.log", "\nSeeker: Hi.\n")) == 1
