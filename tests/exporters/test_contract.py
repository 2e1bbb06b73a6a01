"""What holds for every exporter, whatever its format."""

from dataclasses import replace
from pathlib import Path

import pytest

from annotator.core.transcript import Item, ItemLists, ItemRating, Label, Record, Scenario, Transcript, Utterance
from annotator.errors import BadInput
from annotator.exporters import EXPORTERS, exporter
from annotator.exporters.base import Exporter, item_lists, one_label
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


@every_format
def test_what_somebody_says_once_more_is_nowhere_unless_asked_for_and_never_a_label_of_theirs(
    name: str, talk: Transcript, tmp_path: Path
) -> None:
    ask = "asked-once-more"
    first = talk.turns[0].utterances[0]
    labels = (first.labels[0], replace(first.labels[0], codes=(ask,), repeat=True))
    again = replace(talk, turns=(replace(talk.turns[0], utterances=(replace(first, labels=labels, gold=None),)),))
    EXPORTERS[name].write([again], tmp_path / "out", repeats=EXPORTERS[name].holds_repeats)
    everything = b"".join(files(tmp_path / "out").values()).decode()
    assert (ask in everything) == EXPORTERS[name].holds_repeats
    source = Source(tmp_path / "out")
    (found,) = importer_for(source, name).read(source)
    assert isinstance(found, Transcript)
    assert [label.codes for label in found.turns[0].utterances[0].labels if not label.repeat] == [("ACK", "RC")]


def test_one_label_is_gold_or_the_only_annotators(talk: Transcript) -> None:
    first, last = (said for _, said in talk.utterances())
    assert one_label(talk, first, "vogue") == ("ACK",)
    assert one_label(talk, last, "vogue") == ()
    twice = Utterance("1", "Hi.", (Label("alice", ("A",), "r1"), Label("alice", ("B",), "r2")))
    assert one_label(talk, twice, "vogue") == ("B",)
    again = Utterance("1", "Hi.", (Label("alice", ("A",)), Label("alice", ("B",), repeat=True), Label("bob", ("C",), repeat=True)))
    assert one_label(talk, again, "vogue") == ("A",)
    with pytest.raises(BadInput, match="conversation c1, utterance 1 has labels of alice, bob"):
        one_label(talk, replace(first, gold=None), "vogue")


SOURCE = {"mentioned_items": [7, 2, 9], "gt_items": [7]}


@pytest.mark.parametrize(
    ("said", "lists"),
    [
        ((), {}),
        ((ItemLists("alice", (2, 7), ()),), {"mentioned_items": [2, 7], "gt_items": []}),
        ((ItemLists("alice", (2,)), ItemLists("bob", (2,), (9,))), {"mentioned_items": [2], "gt_items": [9]}),
        ((ItemLists("alice", (2,), (2, 9)), ItemLists("bob", (7,), (9, 2))), {"gt_items": [2, 9]}),
        ((ItemLists("alice", (2,)), ItemLists("alice", (7,), (9,), repeat=True)), {"mentioned_items": [2]}),
        ((ItemLists("alice", (9, 7, 2), (7,)),), {}),  # as the source has it, in another order
    ],
)
def test_one_list_of_items_is_what_all_say_who_corrected_it(
    said: tuple[ItemLists, ...], lists: dict[str, list[int]], talk: Transcript
) -> None:
    assert item_lists(replace(talk, meta=SOURCE, items=said)) == lists
