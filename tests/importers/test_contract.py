"""What holds for every importer, whatever its format."""

import inspect
from pathlib import Path

import pytest

from annotator.core.transcript import Transcript, checked
from annotator.errors import BadInput
from annotator.importers import IMPORTERS, importer_for
from annotator.importers.base import Importer, Source

# Two conversations, or one where a file holds one, in every format: (file, content).
EXAMPLES: dict[str, dict[str, str]] = {
    "vogue": {"talk/c1.json": '{"conversation_content": [{"turn": 1, "content": {"role": "Seeker", "utterances": ["Hi."]}}]}'},
    "jsonl": {"talk.jsonl": '{"id": "c1", "utterances": [{"role": "Seeker", "text": "Hi."}]}\n'},
    "csv": {"talk.csv": "conversation,utterance,role,annotator,codes,text\nc1,1,Seeker,,,Hi.\n"},
    "convokit": {
        "talk/utterances.jsonl": '{"id": "c1_u0", "conversation_id": "c1", "speaker": "Seeker", "text": "Hi."}\n',
        "talk/corpus.json": "{}",
    },
    "text": {"talk/c1.txt": "Seeker: Hi.\n"},
}

every_format = pytest.mark.parametrize("name", sorted(IMPORTERS))


def example(folder: Path, name: str) -> Path:
    for file, content in EXAMPLES[name].items():
        path = folder / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder / next(iter(EXAMPLES[name])).split("/")[0]


@every_format
def test_an_importer_is_registered_under_its_name(name: str) -> None:
    assert IMPORTERS[name].name == name


def test_an_importer_has_one_required_method() -> None:
    assert Importer.__abstractmethods__ == {"read"}


@every_format
def test_its_own_example_is_recognised_and_read(name: str, tmp_path: Path) -> None:
    source = Source(example(tmp_path, name))
    (transcript,) = importer_for(source, None).read(source)
    assert isinstance(transcript, Transcript) and checked(transcript) is transcript
    assert importer_for(source, None).name == name
    assert (transcript.id, [(turn.role, said.text) for turn, said in transcript.utterances()]) == ("c1", [("Seeker", "Hi.")])


@every_format
def test_every_format_gives_the_same_conversation(name: str, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (transcript,) = IMPORTERS[name].read(Source(example(tmp_path, name)))
    (other,) = IMPORTERS["text"].read(Source(example(tmp_path / "other", "text")))
    assert isinstance(transcript, Transcript) and isinstance(other, Transcript)
    assert transcript.text_hash() == other.text_hash() and len(transcript.turns) == len(other.turns)


@every_format
def test_reading_is_lazy(name: str, tmp_path: Path) -> None:
    assert inspect.isgenerator(IMPORTERS[name].read(Source(example(tmp_path, name))))


@every_format
def test_reading_counts_up_to_the_total(name: str, tmp_path: Path) -> None:
    source = Source(example(tmp_path, name))
    list(IMPORTERS[name].read(source))
    assert 0 < source.done <= source.total


@every_format
@pytest.mark.parametrize("kind", ["folder", "file", "nonsense"])
def test_what_holds_nothing_is_refused_by_name(name: str, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "nothing"
    path.mkdir() if kind == "folder" else path.write_bytes(b"" if kind == "file" else b"\x89PNG\r\n\x1a\n\x00\x01")
    with pytest.raises(BadInput, match="nothing"):
        list(IMPORTERS[name].read(Source(path)))


def test_an_unknown_format_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no format 'xml'.*convokit, csv, jsonl, text, vogue.*--format"):
        importer_for(Source(tmp_path), "xml")


def test_a_file_of_no_format_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("# Notes\n", encoding="utf-8")
    with pytest.raises(BadInput, match="notes.md.*convokit, csv, jsonl, text, vogue.*--format"):
        importer_for(Source(tmp_path / "notes.md"), None)
