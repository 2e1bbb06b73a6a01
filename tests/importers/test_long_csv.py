"""The long table as transcripts."""

from collections.abc import Callable

import pytest

from annotator.core.transcript import ItemLists, Label, Proposal, Transcript
from annotator.errors import BadInput

Reader = Callable[..., list[Transcript]]

HEADING = "conversation,utterance,role,annotator,codes,turn,text,round,suggestion,confidence,gold"
FACTS = "condition,seconds,decided_at,taxonomy_version"


def table(*rows: str) -> str:
    return "\n".join((HEADING, *rows)) + "\n"


def said(transcript: Transcript) -> list[tuple[str, str]]:
    return [(utterance.id, utterance.text) for _, utterance in transcript.utterances()]


def test_rows_of_two_annotators_are_two_labels_of_one_utterance(read: Reader) -> None:
    (transcript,) = read("a.csv", table("c1,1,Seeker,alice,ACK|RC,1,Hi.,,,,", "c1,1,Seeker,bob,,1,Hi.,,,,"))
    (utterance,) = transcript.turns[0].utterances
    assert utterance.labels == (Label("alice", ("ACK", "RC")), Label("bob", ()))


def test_a_row_without_annotator_is_an_utterance_nobody_labelled(read: Reader) -> None:
    (transcript,) = read("a.csv", table("c1,1,Seeker,,,1,Hi.,,,,"))
    assert transcript.turns[0].utterances[0].labels == ()


def test_codes_without_annotator_are_a_label_without_a_name(read: Reader) -> None:
    (transcript,) = read("a.csv", table("c1,1,Seeker,,ACK,1,Hi.,,,,"))
    assert transcript.turns[0].utterances[0].labels == (Label(None, ("ACK",)),)


def test_all_facts_of_a_label_are_restored(read: Reader) -> None:
    (transcript,) = read("a.csv", f"{HEADING},{FACTS}\nc1,1,Seeker,alice,ACK,1,Hi.,r1,,,,blind,2.5,2026-11-23,abc\n")
    expected = Label("alice", ("ACK",), "r1", "blind", "abc", 2.5, "2026-11-23")
    assert transcript.turns[0].utterances[0].labels == (expected,)


MORE = "repeat,gold_rule,mentioned_items,gt_items"


def more(read: Reader, *rows: str) -> Transcript:
    (transcript,) = read("a.csv", "\n".join((f"{HEADING},{MORE}", *rows)) + "\n")
    return transcript


def test_what_somebody_says_once_more_is_a_label_of_its_own(read: Reader) -> None:
    rows = [f"c1,1,Seeker,alice,{code},1,Hi.,r1,,,,{repeat},,," for code, repeat in (("A", ""), ("B", "1"), ("C", "0"))]
    labels = more(read, *rows[:2]).turns[0].utterances[0].labels
    assert labels == (Label("alice", ("A",), "r1"), Label("alice", ("B",), "r1", repeat=True))
    with pytest.raises(BadInput, match="lines 2 and 4.*has two rows of annotator 'alice' in round 'r1'. Keep one"):
        more(read, *rows)
    with pytest.raises(BadInput, match="lines 2 and 3.*in round 'r1', both repeated. Keep one"):
        more(read, rows[1], rows[1])
    with pytest.raises(BadInput, match="line 2: repeat is 'x'"):
        more(read, rows[1].replace(",1,,,", ",x,,,"))


def test_how_gold_was_settled_stands_beside_it(read: Reader) -> None:
    rows = ("c1,1,Seeker,alice,A,1,Hi.,,,,A|B,,adjudicated,,", "c1,2,Seeker,alice,A,1,Hi.,,,,,,adjudicated,,")
    assert [said.gold_rule for _, said in more(read, *rows).utterances()] == ["adjudicated", ""]


def test_lists_of_items_are_of_the_whole_conversation(read: Reader) -> None:
    rows = [
        "c1,1,Seeker,alice,A,1,Hi.,,,,,,,2|7,|",
        "c1,1,Seeker,bob,A,1,Hi.,,,,,,,, 3 ",
        "c1,1,Seeker,cem,A,1,Hi.,,,,,,,,",
        "c1,2,Seeker,alice,A,1,Hi.,,,,,,,2|7,|",
        "c1,2,Seeker,,,1,Hi.,,,,,,,5,",
    ]
    assert more(read, *rows).items == (ItemLists("alice", (2, 7), ()), ItemLists("bob", None, (3,)))
    with pytest.raises(BadInput, match="lines 2 and 3: the gt_items of alice in conversation 'c1' differ"):
        more(read, rows[0], rows[3].replace(",|", ",4"))
    with pytest.raises(BadInput, match="line 2: mentioned_items is 'Item05'. Join the numbers"):
        more(read, rows[0].replace("2|7", "Item05"))


def test_what_is_known_of_a_proposal_is_restored(read: Reader) -> None:
    columns = "model_version,prompt_hash,cost"
    known, unknown, none = "r1,B,,,m-001,9f2c,0.25", "r1,B,,,,,", "r1,,,,m-001,,"
    rows = [f"c1,{at},Seeker,alice,A,1,Hi.,{said}" for at, said in enumerate((known, unknown, none), 1)]
    (transcript,) = read("a.csv", "\n".join((f"{HEADING},{columns}", *rows)))
    found = [utterance.proposals for _, utterance in transcript.utterances()]
    assert found == [(Proposal(("B",), None, "r1", "m-001", "9f2c", 0.25),), (Proposal(("B",), None, "r1"),), ()]


def test_a_proposal_counts_once_per_round(read: Reader) -> None:
    rows = ("c1,1,Seeker,alice,A,1,Hi.,r1,A|B,0.5,", "c1,1,Seeker,bob,A,1,Hi.,r1,A|B,0.5,", "c1,1,Seeker,bob,A,1,Hi.,r2,C,,")
    (transcript,) = read("a.csv", table(*rows))
    assert transcript.turns[0].utterances[0].proposals == (Proposal(("A", "B"), 0.5, "r1"), Proposal(("C",), None, "r2"))


def test_gold_may_stand_in_one_row_only_and_in_any_order(read: Reader) -> None:
    rows = ("c1,1,Seeker,alice,A,1,Hi.,,,,A|B", "c1,1,Seeker,bob,A,1,Hi.,,,,", "c1,1,Seeker,cem,A,1,Hi.,,,,B|A")
    (transcript,) = read("a.csv", table(*rows))
    assert transcript.turns[0].utterances[0].gold == ("A", "B")


def test_numbered_utterances_come_in_order_and_others_as_they_stand(read: Reader) -> None:
    (transcript,) = read("a.csv", table("c1,10,A,x,A,2,j,,,,", "c1,9,A,x,A,1,i,,,,"))
    assert said(transcript) == [("9", "i"), ("10", "j")]
    (transcript,) = read("a.csv", table("c1,u10,A,x,A,1,j,,,,", "c1,u9,A,x,A,2,i,,,,"))
    assert said(transcript) == [("u10", "j"), ("u9", "i")]


def test_tables_of_two_annotators_put_together_are_one_conversation_each(read: Reader) -> None:
    alice = [f"{c},{u},Seeker,alice,A,1,t{u},,,," for c in ("c2", "c1") for u in (1, 2)]
    bob = [row.replace("alice", "bob") for row in reversed(alice)]
    found = read("a.csv", table(*alice, HEADING, *bob))
    assert [transcript.id for transcript in found] == ["c2", "c1"]
    assert [len(utterance.labels) for transcript in found for _, utterance in transcript.utterances()] == [2, 2, 2, 2]


def test_one_unlabelled_row_per_table_is_no_row_twice(read: Reader) -> None:
    (transcript,) = read("a.csv", table("c1,1,Seeker,,,1,Hi.,,,,", "c1,1,Seeker,,,1,Hi.,,,,", "c1,1,Seeker,bob,A,1,Hi.,,,,"))
    assert transcript.turns[0].utterances[0].labels == (Label("bob", ("A",)),)


def test_rows_that_stand_together_are_read_one_conversation_at_a_time(read: Reader) -> None:
    rows = [f"c{c},1,Seeker,alice,A,1,Hi.,,,," for c in range(5)]
    assert [transcript.place for transcript in read("a.csv", table(*rows))] == [f"a.csv, line {n}" for n in range(2, 7)]


def test_turns_follow_the_column_or_else_the_role(read: Reader) -> None:
    (transcript,) = read("a.csv", table("c1,1,A,x,A,4,i,,,,", "c1,2,A,x,A,5,j,,,,", "c1,3,A,x,A,5,k,,,,"))
    assert [(turn.number, len(turn.utterances)) for turn in transcript.turns] == [(4, 1), (5, 2)]
    (transcript,) = read("a.csv", table("c1,1,A,x,A,,i,,,,", "c1,2,A,x,A,,j,,,,", "c1,3,B,x,A,,k,,,,"))
    assert [(turn.number, len(turn.utterances)) for turn in transcript.turns] == [(1, 2), (2, 1)]


@pytest.mark.parametrize("text", ["conversation,utterance,role,annotator,codes\nc1,1,A,x,A\n", table("c1,1,A,x,A,1,,,,,")])
def test_a_table_without_texts_can_be_read(text: str, read: Reader) -> None:
    (transcript,) = read("a.csv", text)
    assert transcript.partial and said(transcript) == [("1", "")]


def test_a_text_may_stand_in_one_row_only(read: Reader) -> None:
    (transcript,) = read("a.csv", table("c1,1,A,x,A,1,,,,,", "c1,1,A,y,A,1,Hi.,,,,"))
    assert transcript.partial and said(transcript) == [("1", "Hi.")]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.dat"])
def test_tabs_and_other_endings_are_recognised(name: str, read: Reader) -> None:
    assert len(read(name, table("c1,1,A,x,A,1,Hi.,,,,").replace(",", "\t"))) == 1


@pytest.mark.parametrize("code", ["NA", "nan", "null", "None", "=SUM(A1)", "<no tag available>"])
def test_codes_that_other_tools_take_for_nothing_are_codes(code: str, read: Reader) -> None:
    (transcript,) = read("a.csv", table(f"c1,1,A,x,{code},1,Hi.,,,,"))
    assert transcript.turns[0].utterances[0].labels == (Label("x", (code,)),)


def test_a_guarded_text_is_read_as_it_was(read: Reader) -> None:
    (transcript,) = read("a.csv", table("c1,1,A,x,A,1,'=1+1,,,,", "c1,2,A,x,A,1,'tis,,,,"))
    assert said(transcript) == [("1", "=1+1"), ("2", "'tis")]
