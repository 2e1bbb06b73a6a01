"""Finding one's way: the last acts, the next place of a kind, utterances by their words."""

import uuid

import pytest
from sqlalchemy import update
from sqlmodel import Session, col

from annotator.errors import BadInput, Forbidden, NotFound
from annotator.flow import finding
from annotator.flow.accounts import get_user
from annotator.flow.acts import Act
from annotator.flow.finding import Wanted
from annotator.flow.round import Wanted as Asked
from annotator.flow.round import create_round
from annotator.models import Assignment, Calibration, Discussion, Suggestion, Utterance
from flow.steps import act, assignment, blind, close_round, hand_in, label, undo, utterance_id

ORDER = ["s1_d_1", "s2_d_2", "s3_d_3"]


def after(session: Session, wanted: Wanted, conversation: str, position: int) -> tuple[str, int] | None:
    """Where alice is led to."""
    keys = {assignment(session, "alice", key): key for key in ORDER}
    place = finding.next_place(session, get_user(session, "alice"), wanted, assignment(session, "alice", conversation), position)
    return place and (keys[place[0]], place[1])


def finish(session: Session, conversation: str, *but: int) -> None:
    size = {"s1_d_1": 32, "s2_d_2": 38, "s3_d_3": 37}[conversation]
    for position in set(range(1, size + 1)) - set(but):
        act(session, "alice", conversation, position, Act.SKIP)


# next


def test_the_next_open_one_is_after_this_then_before_it_then_in_the_other_conversations(session: Session) -> None:
    finish(session, "s1_d_1", 2, 9)
    finish(session, "s2_d_2", 4)
    finish(session, "s3_d_3")
    seen = [("s1_d_1", 2)]
    for _ in range(2):
        seen.append(after(session, Wanted.OPEN, *seen[-1]) or ("none", 0))
    assert seen == [("s1_d_1", 2), ("s1_d_1", 9), ("s1_d_1", 2)]
    for position in (2, 9):
        act(session, "alice", "s1_d_1", position, Act.SKIP)
    assert after(session, Wanted.OPEN, "s1_d_1", 9) == ("s2_d_2", 4)
    assert after(session, Wanted.OPEN, "s3_d_3", 9) == ("s2_d_2", 4)


def test_the_next_open_one_may_be_the_only_one(session: Session) -> None:
    finish(session, "s1_d_1", 2)
    finish(session, "s2_d_2")
    finish(session, "s3_d_3")
    assert after(session, Wanted.OPEN, "s1_d_1", 20) == ("s1_d_1", 2)
    assert after(session, Wanted.OPEN, "s1_d_1", 2) is None, "it leads nowhere but to where I am"


def test_what_is_handed_in_or_closed_is_not_open(session: Session) -> None:
    finish(session, "s1_d_1")
    hand_in(session, "alice", "s2_d_2")
    assert after(session, Wanted.OPEN, "s1_d_1", 1) == ("s3_d_3", 1)
    close_round(session, "r1")
    assert after(session, Wanted.OPEN, "s1_d_1", 1) is None


def test_low_is_a_shown_proposal_below_a_half(session: Session) -> None:
    assert after(session, Wanted.LOW, "s1_d_1", 1) is None, "0.5 is not below 0.5"
    for conversation, position, value in (("s1_d_1", 1, 0.49), ("s3_d_3", 7, 0.2)):
        where = col(Suggestion.utterance_id) == utterance_id(session, conversation, position)
        session.execute(update(Suggestion).where(where).values(confidence=value, probabilities={}))
    blind(session, "r1", "s3_d_3")
    assert after(session, Wanted.LOW, "s2_d_2", 3) == ("s1_d_1", 1)
    assert after(session, Wanted.LOW, "s1_d_1", 1) is None, "what is blind is told by nothing"


@pytest.mark.parametrize(
    ("codes", "confidence", "probabilities", "knots", "leads"),
    [
        ("IQ", 0.9, {"IQ": 0.4}, None, True),  # what shows is the code's own probability
        ("IQ", 0.4, {"IQ": 0.9}, None, False),
        ("IQ|PEP", 0.9, {"IQ": 0.9, "PEP": 0.1}, None, False),
        ("IQ|PEP", 0.4, {"PEP": 0.9}, None, True),
        ('I"Q', None, {'I"Q': 0.1}, None, True),
        ("", 0.1, {}, None, False),
        ("IQ", None, {}, None, False),
        ("IQ", 0.9, {}, [[0.0, 0.1], [1.0, 0.4]], True),  # what shows is calibrated
        ("IQ", 0.4, {}, [[0.0, 0.9], [1.0, 0.9]], False),
        ("IQ", 0.4, {}, [], True),
    ],
)
def test_no_low_proposal_is_passed_over(
    codes: str, confidence: float | None, probabilities: dict[str, float], knots: list[list[float]] | None, leads: bool, session: Session
) -> None:
    session.execute(update(Suggestion).values(confidence=None, probabilities={}))
    at = col(Suggestion.utterance_id) == utterance_id(session, "s3_d_3", 7)
    session.execute(update(Suggestion).where(at).values(codes=codes, confidence=confidence, probabilities=probabilities))
    if knots is not None:
        session.add(Calibration(run_id=1, knots=knots, figures={}))
        session.flush()
    assert after(session, Wanted.LOW, "s1_d_1", 1) == (("s3_d_3", 7) if leads else None)


def test_differs_is_my_label_beside_a_shown_proposal(session: Session) -> None:
    label(session, "alice", "s1_d_1", 2, "PCT", "PEP")
    assert after(session, Wanted.DIFFERS, "s1_d_1", 1) is None
    label(session, "alice", "s2_d_2", 1, "ACK")
    assert after(session, Wanted.DIFFERS, "s1_d_1", 1) == ("s2_d_2", 1)
    blind(session, "r1", "s2_d_2")
    assert after(session, Wanted.DIFFERS, "s1_d_1", 1) is None


def test_flagged_is_found_in_what_is_handed_in_too(session: Session) -> None:
    act(session, "alice", "s3_d_3", 7, Act.FLAG)
    hand_in(session, "alice", "s3_d_3")
    assert after(session, Wanted.FLAGGED, "s1_d_1", 1) == ("s3_d_3", 7)
    act(session, "bob", "s2_d_2", 7, Act.FLAG)
    assert after(session, Wanted.FLAGGED, "s1_d_1", 1) == ("s3_d_3", 7)


def test_to_discuss_is_what_was_sent_back_of_what_i_labelled(session: Session) -> None:
    label(session, "alice", "s2_d_2", 1, "ACK")
    hand_in(session, "alice", "s2_d_2")
    for position in (1, 2):
        session.add(Discussion(round_id=1, utterance_id=utterance_id(session, "s2_d_2", position), user_id=4))
    session.flush()
    assert after(session, Wanted.DISCUSS, "s1_d_1", 5) == ("s2_d_2", 1)
    assert after(session, Wanted.DISCUSS, "s2_d_2", 1) is None


def test_anothers_conversation_is_no_place_to_go_on_from(session: Session) -> None:
    with pytest.raises(NotFound):
        finding.next_place(session, get_user(session, "alice"), Wanted.OPEN, assignment(session, "bob", "s1_d_1"), 1)
    with pytest.raises(Forbidden):
        finding.next_place(session, get_user(session, "rui"), Wanted.OPEN, assignment(session, "bob", "s1_d_1"), 1)


# the last acts


def recent(session: Session) -> list[tuple[str, int, bool]]:
    return [(one.what, one.position, one.taken_back) for one in finding.recent(session, get_user(session, "alice"))]


def test_the_last_acts_come_newest_first_with_what_was_taken_back(session: Session) -> None:
    label(session, "alice", "s1_d_1", 1, "RTI")
    act(session, "alice", "s2_d_2", 3, Act.FLAG)
    act(session, "alice", "s1_d_1", 4, Act.UNSURE)
    undo(session, "alice")
    label(session, "bob", "s1_d_1", 1, "RTI")
    assert recent(session) == [("unsure", 4, True), ("flagged", 3, False), ("labelled", 1, False)]


def test_a_turn_is_one_of_the_last_acts(session: Session) -> None:
    act(session, "alice", "s1_d_1", 3, Act.CONFIRM_TURN, key="the-turn")
    (one,) = finding.recent(session, get_user(session, "alice"))
    assert (one.what, one.many, one.position, one.codes) == ("confirmed", 4, 2, ("PCT", "PEP"))
    undo(session, "alice")
    assert recent(session) == [("confirmed", 2, True)]


def test_there_are_ten_last_acts(session: Session) -> None:
    finish(session, "s1_d_1")
    assert [position for _, position, _ in recent(session)] == list(range(32, 22, -1))


# by words


def found(session: Session, words: str, name: str = "alice") -> list[tuple[str, int]]:
    rows, _ = finding.search(session, get_user(session, name), words, 1)
    return [(row.conversation, row.position) for row in rows]


def said(session: Session, position: int, text: str) -> None:
    session.execute(update(Utterance).where(col(Utterance.id) == utterance_id(session, "s1_d_1", position)).values(text=text))


@pytest.mark.parametrize(
    ("text", "words"),
    [("The Überwurf costs 100 % more_or_less", "überWURF"), ("The Überwurf costs 100 % more_or_less", "100 MORE_or"),
     ("The Überwurf costs 100 % more_or_less", "% überwurf"), ("אני מחפשת שמלה אדומה", "אדומה שמלה"), ("ПЛАТЬЕ", "платье"),
     ("a\\b / c", "\\b"), ("a\\b / c", "/"), ("it's \"so\" nice", "it's \"so\"")],
)  # fmt: skip
def test_all_words_in_any_order_and_case_and_script(text: str, words: str, session: Session) -> None:
    said(session, 5, text)
    assert ("s1_d_1", 5) in found(session, words)


@pytest.mark.parametrize("words", ["100%more", "more-or", "m_re_or", "Über%costs", "zebra überwurf"])
def test_signs_are_taken_as_they_stand(words: str, session: Session) -> None:
    said(session, 5, "The Überwurf costs 100 % more_or_less")
    assert ("s1_d_1", 5) not in found(session, words)


def test_so_many_words_are_looked_for_and_no_more(session: Session) -> None:
    said(session, 5, "one two three four five six seven eight nine")
    assert found(session, "one two three four five six seven EIGHT eight") == [("s1_d_1", 5)]
    with pytest.raises(BadInput, match="These are 9 words; 8 at most"):
        found(session, "one two three four five six seven eight nine")


def test_only_my_own_that_are_due_are_searched_the_newest_round_first(session: Session) -> None:
    said(session, 5, "xylophone")
    create_round(session, Asked("r2", ("alice", "cem")))
    rows, _ = finding.search(session, get_user(session, "alice"), "xylophone", 1)
    assert [row.round for row in rows] == ["r2", "r1"]
    at = assignment(session, "alice", "s1_d_1", "r2")
    session.execute(update(Assignment).where(col(Assignment.id) == at).values(repeat=True))
    assert len(found(session, "xylophone")) == 1
    assert found(session, "xylophone", "cem") == [("s1_d_1", 5)]
    assert found(session, "xylophone", "lea") == []


def test_what_is_found_comes_in_pages(session: Session) -> None:
    session.execute(update(Utterance).values(text=uuid.uuid4().hex + " everywhere"))
    pages = [finding.search(session, get_user(session, "alice"), "everywhere", page) for page in (1, 2)]
    assert [(len(rows), more) for rows, more in pages] == [(100, True), (7, False)]
