"""The long table: its cells, its guard against formulas, and what is wrong with a file."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.core.labelled import (
    COLUMNS,
    REPEAT,
    Labelled,
    cells_of,
    guard,
    join_codes,
    read_conversations,
    read_rows,
    rows_of,
    split_codes,
    unguard,
)
from annotator.core.transcript import Label, Proposal, Transcript, Turn, Utterance
from annotator.errors import BadInput

HEADING = "conversation,utterance,role,annotator,codes"


def rows(text: str) -> list[Labelled]:
    return list(read_rows(io.StringIO(text, newline="\n"), "t.csv"))


def refused(text: str) -> str:
    with pytest.raises(BadInput) as caught:
        rows(text)
    return str(caught.value)


@given(st.text("'=+-@\t\ra ", max_size=6) | st.text())
def test_the_guard_can_be_undone(cell: str) -> None:
    assert unguard(guard(cell)) == cell


@given(st.sampled_from("=+-@\t\r"), st.text())
def test_a_guarded_cell_never_runs(sign: str, rest: str) -> None:
    assert guard(sign + rest).startswith("'")


@given(st.lists(st.sampled_from(["NA", "nan", "null", "ACK", "<no tag available>"]), unique=True))
def test_codes_joined_are_split_again(codes: list[str]) -> None:
    assert list(split_codes(join_codes(codes))) == codes


def test_a_row_is_read_with_its_line() -> None:
    (row,) = rows(f"{HEADING}\nc1,1,Seeker,alice,ACK|RC\n")
    assert row == Labelled("c1", "1", "Seeker", "alice", ("ACK", "RC"), line=2)


@pytest.mark.parametrize("separator", [",", "\t", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_separator_and_any_line_end_will_do(separator: str, end: str) -> None:
    text = f"{HEADING}\nc1,1,Seeker,alice,ACK\nc1,2,Seeker,alice,RC\n".replace(",", separator).replace("\n", end)
    assert [(row.utterance, row.codes, row.line) for row in rows(text)] == [("1", ("ACK",), 2), ("2", ("RC",), 3)]


def test_columns_may_stand_anywhere_in_any_case_among_others() -> None:
    (row,) = rows("Note, Codes ,ANNOTATOR,role,utterance,conversation\nsee,ACK,alice,Seeker,1,c1\n")
    assert row == Labelled("c1", "1", "Seeker", "alice", ("ACK",), line=2)


def test_blank_rows_and_headings_of_tables_put_together_are_no_rows() -> None:
    assert len(rows(f"{HEADING}\nc1,1,Seeker,alice,ACK\n,,,,\n\n{HEADING}\nc1,1,Seeker,bob,ACK\n")) == 2


def test_a_row_over_several_lines_is_named_by_its_first() -> None:
    text = f'{HEADING},text\nc1,1,Seeker,alice,ACK,"a\nb\nc"\nc1,2,Seeker,alice,ACK,"d"\n'
    assert [row.line for row in rows(text)] == [2, 5]


def test_nothing_settled_and_the_empty_set_are_told_apart() -> None:
    found = rows(f"{HEADING},gold\nc1,1,Seeker,,,\nc1,2,Seeker,,,|\nc1,3,Seeker,,,A|B\n")
    assert [row.gold for row in found] == [None, (), ("A", "B")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "t.csv is empty"),
        ("conversation,utterance\nc1,1\n", "line 1: the column role, annotator, codes is missing"),
        (f"{HEADING},CODES\n", "line 1: the column codes is there twice"),
        (f"{HEADING}\nc1,1,Seeker,alice\n", "line 2: 4 cells where the heading has 5"),
        (f"{HEADING}\n,1,Seeker,alice,A\n", "line 2: the conversation is empty"),
        (f"{HEADING}\nc1,1, ,alice,A\n", "line 2: the role is empty"),
        (f"{HEADING},confidence\nc1,1,Seeker,alice,A,high\n", "line 2: confidence is 'high', which is not a number"),
        (f"{HEADING},seconds\nc1,1,Seeker,alice,A,nan\n", "line 2: seconds is 'nan', which is not a number"),
        (f"{HEADING},cost\nc1,1,Seeker,alice,A,free\n", "line 2: cost is 'free', which is not a number"),
        (f'{HEADING}\nc1,1,Seeker,alice,A\nc1,2,Seeker,alice,"A\n\n\n', "line 3: the row that begins here"),
        (f"{HEADING}\nc1,1,Seeker,al\x00ice,A\n", "line 2 contains a NUL"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_the_line(text: str, said: str) -> None:
    assert refused(text).startswith("t.csv") and said in refused(text)


def test_the_first_look_sees_the_conversation_of_every_row() -> None:
    text = f"{HEADING}\nc1,1,Seeker,alice,A\n'=c2,1,Seeker,alice,A\n"
    assert list(read_conversations(io.StringIO(text), "t.csv")) == ["c1", "=c2"]


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
names = cells.map(str.strip).filter(bool)
codes = st.lists(st.sampled_from(["A", "NA", "=B", "-", "nan"]), unique=True).map(tuple)
numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)
lists = st.none() | st.lists(st.integers(-99, 10**9), unique=True, max_size=3).map(tuple)
any_row = st.builds(
    Labelled, names, names, names, cells.map(str.strip), codes, text=cells, round=cells.map(str.strip),
    suggestion=st.none() | codes, confidence=numbers, seconds=numbers, gold=st.none() | codes,
    model_version=cells.map(str.strip), prompt_hash=cells.map(str.strip), cost=numbers,
    gold_rule=cells.map(str.strip), mentioned_items=lists, gt_items=lists, repeat=st.booleans(),
    turn=st.just(""), condition=st.just(""), taxonomy_version=st.just(""), decided_at=st.just(""), line=st.just(0),
)  # fmt: skip


@given(any_row)
def test_a_row_written_is_read_again(row: Labelled) -> None:
    file = io.StringIO(newline="")
    cells = cells_of(row, repeats=True)
    csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([(*COLUMNS, REPEAT), cells])
    (found,) = rows(file.getvalue())
    assert cells_of(found, repeats=True) == cells
    assert cells_of(row) == cells[:-1]
    assert (found.gold_rule, found.mentioned_items, found.gt_items, found.repeat) == (
        row.gold_rule, row.mentioned_items, row.gt_items, row.repeat,
    )  # fmt: skip
    assert (found.codes, found.gold, found.suggestion, found.text) == (row.codes, row.gold, row.suggestion, row.text)
    assert (found.model_version, found.prompt_hash, found.cost) == (row.model_version, row.prompt_hash, row.cost)


def test_an_utterance_has_a_row_per_label_with_the_proposal_of_its_round() -> None:
    labels = (Label("alice", ("A",), round="r1"), Label("bob", (), round="r2"))
    said = Utterance("1", "Hi", labels, (Proposal(("P",), 0.5, "r2"), Proposal(("Q",), 0.25)), ("G",))
    found = list(rows_of(Transcript("c1", (Turn("Seeker", (said,), 3),))))
    assert [(row.annotator, row.codes, row.suggestion, row.gold, row.turn) for row in found] == [
        ("alice", ("A",), ("Q",), ("G",), "3"),
        ("bob", (), ("P",), ("G",), "3"),
    ]


def test_a_row_says_who_answered_where_it_has_the_proposal() -> None:
    labels = (Label("alice", ("A",), round="r1"), Label("bob", (), round="r2"))
    said = Utterance("1", "Hi", labels, (Proposal(("P",), None, "r2", "m-001", "9f2c", 0.25),))
    found = list(rows_of(Transcript("c1", (Turn("Seeker", (said,), 3),))))
    assert [(row.model_version, row.prompt_hash, row.cost) for row in found] == [("", "", None), ("m-001", "9f2c", 0.25)]


def test_an_utterance_nobody_labelled_has_one_row_without_annotator() -> None:
    said = Utterance("1", "Hi", proposals=(Proposal(("P",), 0.5, "r2"),))
    (row,) = rows_of(Transcript("c1", (Turn("Seeker", (said,), 1),)))
    assert (row.annotator, row.codes, row.suggestion, row.round) == ("", (), ("P",), "r2")
