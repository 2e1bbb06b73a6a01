"""What holds for every exporter, whatever its format."""

from dataclasses import replace
from pathlib import Path

import pytest

from annotator.core.transcript import Item, ItemRating, Label, Record, Scenario, Transcript, Utterance
from annotator.errors import BadInput
from annotator.exporters import EXPORTERS, exporter
from annotator.exporters.base import Exporter, one_label
from annotator.importers import importer_for
from annotator.importers.base import Source

every_format = pytest.mark.parametrize("name", sorted(EXPORTERS))
EXTRAS: list[Record] = [Scenario("1", "Farm"), Item(1, "a", "Coat"), ItemRating("c1", "Seeker", {"conversation_id": "1"})]


def settled(transcript: Transcript) -> Transcript:
    """The same with no label but gold, which every format holds."""
    turns = tuple(
        replace(turn, utterances=tuple(replace(said, labels=(), gold=("ACK",)) for said in turn.utterances))
        for turn in transcript.turns
    )
    return replace(transcript, turns=turns)


def files(path: Path) -> dict[str, bytes]:
    found = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    return {str(each.relative_to(path)): each.read_bytes() for each in found}


@every_format
def test_an_exporter_is_registered_under_its_name(name: str) -> None:
    assert exporter(name).name == name
    assert exporter(name).suffix in ("", f".{name}")


def test_an_exporter_has_one_required_method() -> None:
    assert Exporter.__abstractmethods__ == {"write"}


def test_an_unknown_format_is_answered_with_the_known_ones() -> None:
    with pytest.raises(BadInput, match="no format 'xml'.*convokit, csv, jsonl, vogue"):
        exporter("xml")


@every_format
def test_the_same_records_give_the_same_bytes(name: str, talk: Transcript, tmp_path: Path) -> None:
    for target in ("one", "two"):
        EXPORTERS[name].write([settled(talk), *EXTRAS], tmp_path / target)
    assert files(tmp_path / "one") == files(tmp_path / "two")


@every_format
def test_extras_may_come_first_or_last(name: str, talk: Transcript, tmp_path: Path) -> None:
    EXPORTERS[name].write([settled(talk), *EXTRAS], tmp_path / "one")
    EXPORTERS[name].write([*EXTRAS, settled(talk)], tmp_path / "two")
    assert files(tmp_path / "one") == files(tmp_path / "two")


@every_format
def test_what_is_written_is_recognised_and_says_the_same(name: str, talk: Transcript, tmp_path: Path) -> None:
    path = tmp_path / f"out{EXPORTERS[name].suffix}"
    EXPORTERS[name].write([settled(talk)], path)
    importer = importer_for(Source(path), None)
    (found,) = importer.read(Source(path))
    assert isinstance(found, Transcript) and importer.name == name
    assert (found.id, found.text_hash()) == (talk.id, talk.text_hash())


@every_format
def test_records_are_taken_one_at_a_time(name: str, talk: Transcript, tmp_path: Path) -> None:
    EXPORTERS[name].write((replace(settled(talk), id=f"c{n}") for n in range(3)), tmp_path / "out")
    assert files(tmp_path / "out")


@every_format
def test_lines_end_as_on_unix_without_a_byte_order_mark(name: str, talk: Transcript, tmp_path: Path) -> None:
    EXPORTERS[name].write([settled(talk), *EXTRAS], tmp_path / "out")
    for content in files(tmp_path / "out").values():
        assert b"\r" not in content and not content.startswith(b"\xef\xbb\xbf")


def test_one_label_is_gold_or_the_only_annotators(talk: Transcript) -> None:
    first, last = (said for _, said in talk.utterances())
    assert one_label(talk, first, "vogue") == ("ACK",)
    assert one_label(talk, last, "vogue") == ()
    twice = Utterance("1", "Hi.", (Label("alice", ("A",), "r1"), Label("alice", ("B",), "r2")))
    assert one_label(talk, twice, "vogue") == ("B",)
    with pytest.raises(BadInput, match="conversation c1, utterance 1 has labels of alice, bob"):
        one_label(talk, replace(first, gold=None), "vogue")
