"""What is exported and imported again is the same, for any text, name and code; and exported again it is the same bytes.

Not held: by csv a conversation's meta, a turn's timestamp and what somebody says of the items who gave no label; by vogue
whose label it is, facts about it, proposals and the ids of utterances; by convokit facts about labels other than the condition,
repeats, how gold was settled, and proposals after the first.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.core.transcript import ItemLists, Label, Proposal, Transcript, Turn, Utterance
from annotator.exporters import EXPORTERS
from annotator.importers import IMPORTERS
from annotator.importers.base import Source

settings.register_profile("files", max_examples=60, deadline=None)

spreadsheet = ["=1+1", "'=1", "''+", "@a", "\t-", '"', '""', "a,b;c\td", "x\r\ny\rz\n"]
odd = st.sampled_from([*spreadsheet, "😀", "שלום", "\u202eab", "NA", "nan"])
characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
texts = st.builds("{}{}".format, odd | st.text(characters, max_size=8), st.text(characters, max_size=8)).filter(str.strip)
plain = texts.map(str.strip).filter(bool)
codes = st.lists(st.sampled_from(["ACK", "NA", "nan", "null", "None", "=A", "-", "<no tag available>"]), unique=True, max_size=3)
facts = st.sampled_from(["", "r1", "=r2", "'r"])
numbers = st.none() | st.floats(0, 1e6)
labels = st.builds(
    Label, st.none() | plain, codes.map(tuple), facts, facts, facts, numbers, facts, st.booleans()
).filter(lambda label: label.annotator is not None or bool(label.codes))  # fmt: skip
proposals = st.builds(Proposal, codes.map(tuple), numbers, facts, facts, facts, numbers)
golds = st.none() | codes.map(tuple)
values = st.recursive(st.none() | st.booleans() | st.integers() | texts, lambda inner: st.lists(inner, max_size=2), max_leaves=3)
metas = st.dictionaries(st.sampled_from(["conversation_id", "scenario", "catalogue", "a", "é"]), values)


item_numbers = st.none() | st.lists(st.integers(-1, 10**9), unique=True, max_size=3).map(tuple)


@st.composite
def item_lists(draw: st.DrawFn, turns: list[Turn]) -> tuple[ItemLists, ...]:
    """What some say of the items, most of them people who labelled; at most once each."""
    labelled = [(label.annotator, label.round, label.repeat) for turn in turns for said in turn.utterances for label in said.labels]
    who = st.tuples(st.none() | plain, facts, st.booleans())
    chosen = draw(st.lists(st.sampled_from(labelled) | who if labelled else who, unique=True, max_size=3))
    return tuple(ItemLists(name, draw(item_numbers), draw(item_numbers), asked, again) for name, asked, again in chosen)


@st.composite
def transcripts(draw: st.DrawFn, utterances: st.SearchStrategy[Utterance]) -> Transcript:
    """Turns numbered upwards; utterances numbered from 1, or each with an id of its own."""
    count = 0
    named = draw(st.booleans())
    turns = []
    number = draw(st.integers(-1, 3))
    for _ in range(draw(st.integers(1, 3))):
        said = []
        for _ in range(draw(st.integers(1, 2))):
            count += 1
            said.append(replace(draw(utterances), id=f"{draw(plain)}.{count}" if named else str(count)))
        turns.append(Turn(draw(st.sampled_from(["Seeker", "=Assistant", "Käufer 1"])), tuple(said), number, draw(facts)))
        number += draw(st.integers(1, 2))
    key = draw(plain.filter(lambda key: len(key) < 40))
    return Transcript(key, tuple(turns), draw(metas), items=draw(item_lists(turns)))


def distinct(utterance: Utterance) -> Utterance:
    """One label per annotator, round and time of being asked, one proposal per round; only gold has a rule."""
    kept = {(label.annotator, label.round, label.repeat): label for label in utterance.labels}
    proposed = {proposal.round: proposal for proposal in utterance.proposals}
    rule = utterance.gold_rule if utterance.gold is not None else ""
    return replace(utterance, labels=tuple(kept.values()), proposals=tuple(proposed.values()), gold_rule=rule)


full = st.builds(
    Utterance, st.just(""), texts, st.lists(labels, max_size=3).map(tuple), st.lists(proposals, max_size=2).map(tuple), golds, facts
).map(distinct)  # fmt: skip


def there_and_back(name: str, transcript: Transcript) -> Transcript:
    """Write, read, and check that writing again gives the same bytes."""
    with TemporaryDirectory() as folder:
        one, two = (Path(folder) / f"{place}{EXPORTERS[name].suffix}" for place in "ab")
        EXPORTERS[name].write([transcript], one, repeats=True)
        (found,) = IMPORTERS[name].read(Source(one))
        assert isinstance(found, Transcript)
        EXPORTERS[name].write([found], two, repeats=True)
        assert contents(one) == contents(two)
    return found


def contents(path: Path) -> dict[Path, bytes]:
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return {each.relative_to(path): each.read_bytes() for each in files}


def each_utterance(transcript: Transcript, change: Callable[[Utterance], Utterance]) -> Transcript:
    turns = (replace(turn, utterances=tuple(map(change, turn.utterances))) for turn in transcript.turns)
    return replace(transcript, turns=tuple(turns))


@settings(settings.get_profile("files"))
@given(transcripts(full))
def test_jsonl_holds_everything(transcript: Transcript) -> None:
    assert there_and_back("jsonl", transcript) == transcript


def as_in_rows(utterance: Utterance) -> Utterance:
    """Rows hold one proposal per round that somebody labelled in; without labels only one."""
    if not utterance.labels:
        return replace(utterance, proposals=utterance.proposals[:1])
    rounds = dict.fromkeys(label.round for label in utterance.labels)
    known = {proposal.round: proposal for proposal in utterance.proposals}
    if "" in known and not set(rounds) <= set(known):
        known = {}  # the one without a round would be written into the others
    return replace(utterance, proposals=tuple(known[one] for one in rounds if one in known))


def items_in_rows(transcript: Transcript) -> tuple[ItemLists, ...]:
    """Rows hold what is said by those who labelled, in the order of their first labels."""
    said = {(one.annotator, one.round, one.repeat): one for one in transcript.items if (one.mentioned_items, one.gt_items) != (None, None)}
    who = dict.fromkeys((label.annotator, label.round, label.repeat) for _, one in transcript.utterances() for label in one.labels)
    return tuple(said[one] for one in who if one in said)


@settings(settings.get_profile("files"))
@given(transcripts(full))
def test_csv_holds_all_but_meta_and_timestamps(transcript: Transcript) -> None:
    transcript = each_utterance(transcript, as_in_rows)
    turns = tuple(replace(turn, timestamp="") for turn in transcript.turns)
    transcript = replace(transcript, meta={}, turns=turns, items=items_in_rows(transcript))
    assert there_and_back("csv", transcript) == transcript


@settings(settings.get_profile("files"))
@given(transcripts(full))
def test_csv_written_again_is_the_same_whatever_it_could_not_hold(transcript: Transcript) -> None:
    assert there_and_back("csv", transcript).text_hash() == transcript.text_hash()


def named(utterance: Utterance) -> Utterance:
    return replace(utterance, labels=tuple(replace(label, annotator="alice") for label in utterance.labels))


one_label = st.builds(Label, st.just("alice"), codes.filter(bool).map(tuple))
tagged = st.builds(Utterance, st.just(""), texts, st.lists(one_label, max_size=1).map(tuple))


@settings(settings.get_profile("files"))
@given(transcripts(tagged))
def test_vogue_holds_one_label_without_its_name(transcript: Transcript) -> None:
    numbers = iter(range(1, 100))
    transcript = each_utterance(transcript, lambda said: replace(said, id=str(next(numbers))))
    settled = replace(transcript, meta=transcript.meta | one_list(transcript), items=())
    assert each_utterance(there_and_back("vogue", transcript), named) == settled


def one_list(transcript: Transcript) -> dict[str, list[int]]:
    """The lists on which all agree who corrected them."""
    said = [one for one in transcript.items if not one.repeat]
    lists = {field: [getattr(one, field) for one in said if getattr(one, field) is not None] for field in ("mentioned_items", "gt_items")}
    agreed = {field: found[0] for field, found in lists.items() if found and len(set(map(frozenset, found))) == 1}
    return {field: list(numbers) for field, numbers in agreed.items() if numbers}


def as_in_convokit(utterance: Utterance) -> Utterance:
    kept = {label.annotator: Label(label.annotator, label.codes) for label in utterance.labels if label.annotator}
    proposals = tuple(replace(proposal, round="") for proposal in utterance.proposals[:1])
    return replace(utterance, labels=tuple(kept.values()), proposals=proposals, gold_rule="")


@settings(settings.get_profile("files"))
@given(transcripts(full))
def test_convokit_holds_labels_gold_and_a_proposal(transcript: Transcript) -> None:
    transcript = each_utterance(transcript, as_in_convokit)
    transcript = replace(transcript, items=tuple(one for one in transcript.items if not one.repeat))
    assert there_and_back("convokit", transcript) == transcript
