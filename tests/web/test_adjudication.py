"""Settling step by step, without script: every act is a form or a link found in the page."""

import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from flow.golden import differ, stands
from flow.steps import utterance_id
from httpx2 import Response
from sqlmodel import col, select

from annotator.db import Database
from annotator.flow.round import Wanted, create_round
from annotator.models import Comment, Gold, Rule

from .forms import Reader, attributes_of, buttons, follow, press, text

Browse = Callable[[str], TestClient]
STEP = "/adjudication/1"
FRAGMENT = {"hx-request": "true"}


@pytest.fixture
def at(db: Database) -> int:
    """The utterance, second of s1_d_1, that Alice labelled PEP and Bob PCT."""
    with db.writing() as session:
        return differ(session)


@pytest.fixture
def lea(browse: Browse, at: int) -> TestClient:
    return browse("lea")


@pytest.fixture
def gold(db: Database, at: int) -> Callable[[], tuple[str, str] | None]:
    """What stands for it."""

    def read() -> tuple[str, str] | None:
        with db.reading() as session:
            return stands(session, at)

    return read


def option(page: Response, number: int) -> str:
    """The name of the button that the key of this number presses."""
    form = next(form for form in Reader(page.text).forms if form.attributes.get("id") == "decide")
    return next(one.label.split()[0] for one in form.buttons if one.attributes.get("data-key") == str(number))


# works


def test_a_step_shows_the_labels_and_no_names(lea: TestClient) -> None:
    page = lea.get(STEP)
    assert "s1_d_1 · 2 1 of 30 waiting" in text(page)
    assert {option(page, 1), option(page, 2)} == {"PEP", "PCT"}
    assert {"together:", "IQ", "ACK"} <= buttons(page)
    assert not re.search("alice|bob", page.text)
    assert attributes_of(page, "article", id="u2")["aria-current"] == "true"
    assert "settled" in attributes_of(page, "article", id="u1")["class"]


def test_a_number_settles_with_that_label_tells_who_said_what_and_goes_on(lea: TestClient, gold: Callable[[], object]) -> None:
    page = lea.get(STEP)
    chosen = option(page, 2)
    following = follow(lea, press(lea, page, chosen))
    assert gold() == (chosen, Rule.ADJUDICATED)
    assert f"alice: PEP, bob: PCT → {chosen}" in text(following)
    assert "s1_d_1 · 4 1 of 29 waiting" in text(following)


@pytest.mark.parametrize(("button", "codes"), [("together:", "PEP|PCT"), ("IQ", "IQ")])
def test_the_union_and_any_code_settle_too(lea: TestClient, gold: Callable[[], object], button: str, codes: str) -> None:
    press(lea, lea.get(STEP), button)
    found = gold()
    assert isinstance(found, tuple)
    assert set(found[0].split("|")) == set(codes.split("|"))


def test_several_codes_are_built_without_losing_the_comment(lea: TestClient, gold: Callable[[], object], db: Database) -> None:
    built = press(lea, lea.get(STEP), "Add PIP and stay", comment="both said", reason="code missing")
    assert "building: PIP" in text(built)
    press(lea, built, "IQ")
    assert gold() == ("PIP|IQ", Rule.ADJUDICATED)
    with db.reading() as session:
        newest = session.exec(select(Gold).order_by(col(Gold.id).desc())).first()
    assert newest is not None
    assert (newest.reason, newest.comment) == ("code missing", "both said")


def test_undo_brings_the_utterance_back(lea: TestClient, gold: Callable[[], object]) -> None:
    following = follow(lea, press(lea, lea.get(STEP), "IQ"))
    page = follow(lea, press(lea, following, "Undo"))
    assert (gold(), "s1_d_1 · 2 1 of 30 waiting" in text(page)) == (None, True)
    nothing = press(lea, page, "Undo")
    assert (nothing.status_code, "nothing of yours to undo" in text(nothing)) == (404, True)


def test_what_is_settled_shows_names_and_can_be_taken_back(lea: TestClient, at: int, gold: Callable[[], object]) -> None:
    press(lea, lea.get(STEP), "IQ")
    page = lea.get(f"{STEP}?utterance={at}")
    assert "Settled as IQ, adjudicated by lea: alice PEP; bob PCT." in text(page)
    threads = [link for link in Reader(page.text).links if link.endswith("/2/comments")]
    assert {lea.get(link).status_code for link in threads} == {200}
    follow(lea, press(lea, page, "Take back"))
    assert gold() is None


def test_the_proposal_is_not_sent_until_asked_for(lea: TestClient, at: int) -> None:
    page = lea.get(STEP)
    assert not re.search("80 %|The script says", page.text)
    assert "The proposal: PCT + PEP, stated 80 %. The script says so." in text(lea.get(f"{STEP}?utterance={at}&proposal=1"))


def test_next_and_before_pass_by_without_settling(lea: TestClient, gold: Callable[[], object]) -> None:
    links = {tags["data-key"]: tags["href"] for name, tags in Reader(lea.get(STEP).text).tags if name == "a" and "data-key" in tags}
    assert "s1_d_1 · 4 2 of 30 waiting" in text(lea.get(links["j"]))
    assert "s1_d_1 · 32 30 of 30 waiting" in text(lea.get(links["k"]))
    assert gold() is None


def test_a_discussion_leaves_the_queue_until_it_is_answered(lea: TestClient, at: int) -> None:
    page = follow(lea, press(lea, lea.get(STEP), "Send", note="Is it a preference?"))
    assert "s1_d_1 · 4 1 of 29 waiting" in text(page)
    assert "1 in discussion" in text(page)
    assert "s1_d_1 · 2 0 of 2 answered: Is it a preference?" in text(page)
    assert "In discussion: 0 of 2 answered. You asked: Is it a preference?" in text(lea.get(f"{STEP}?utterance={at}"))


def test_comments_show_without_names(lea: TestClient, at: int, db: Database) -> None:
    with db.writing() as session:
        session.add(Comment(assignment_id=1, utterance_id=at, user_id=1, body="<b>unsure</b> between two"))
    page = lea.get(STEP)
    assert "1 comment" in text(page)
    assert "<b>unsure</b> between two" in text(page)
    assert "alice" not in page.text


def test_when_nothing_waits_the_page_says_so(lea: TestClient) -> None:
    page = lea.get(STEP)
    for _ in range(30):
        page = follow(lea, press(lea, page, "ACK"))
    assert "Nothing waits" in text(page)
    assert lea.get(STEP).status_code == 200


def test_every_key_that_shows_does_one_thing(lea: TestClient) -> None:
    tags = Reader(lea.get(STEP).text).tags
    keys = [found["data-key"] for _, found in tags if "data-key" in found]
    assert len(keys) > 20
    assert len(keys) == len(set(keys))


def test_a_fragment_is_the_step_of_the_page(lea: TestClient, at: int) -> None:
    page, fragment = lea.get(f"{STEP}?utterance={at}"), lea.get(f"{STEP}?utterance={at}", headers=FRAGMENT)
    assert fragment.text.strip() in page.text
    assert "html" not in {tag for tag, _ in Reader(fragment.text).tags}


# a request that comes twice


def test_a_double_click_makes_one_gold(lea: TestClient, db: Database) -> None:
    page = lea.get(STEP)
    answers = [press(lea, page, "IQ") for _ in range(2)]
    assert answers[0].headers["location"] == answers[1].headers["location"]
    refused = press(lea, page, "PEP")
    assert (refused.status_code, "since this page was made" in text(refused)) == (409, True)
    with db.reading() as session:
        assert len(session.exec(select(Gold).where(Gold.rule == Rule.ADJUDICATED)).all()) == 1


# not yours, wrong role, bad input


def test_a_conversation_one_labels_is_not_ones_to_settle(lea: TestClient, db: Database, at: int) -> None:
    page = lea.get(STEP)
    with db.writing() as session:
        create_round(session, Wanted("r2", ("lea",)))
    refused = press(lea, page, "IQ")
    assert (refused.status_code, "nobody settles their own labels" in text(refused)) == (403, True)
    assert lea.get(f"{STEP}?utterance={at}").status_code == 403
    assert "Nothing waits" in text(lea.get(STEP))


@pytest.mark.parametrize("name", ["alice", "rui"])
def test_it_is_for_leads(lea: TestClient, browse: Browse, name: str, at: int, gold: Callable[[], object]) -> None:
    answers = [
        browse(name).get(STEP),
        browse(name).get(f"{STEP}?utterance={at}&proposal=1", headers=FRAGMENT),
        browse(name).post(f"{STEP}/decide", data={"utterance": at, "seen": 0, "codes": "PEP"}),
        browse(name).post(f"{STEP}/discuss", data={"utterance": at}),
        browse(name).post(f"{STEP}/withdraw", data={"gold": 1}),
    ]
    assert [answer.status_code for answer in answers] == [403] * 5
    assert not [answer for answer in answers if "PCT" in answer.text]
    assert gold() is None


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ({"codes": "PEP|PCT|IQ|RP"}, 422, "1 to 3 codes, this one 4"), ({"codes": ""}, 422, "1 to 3 codes"),
        ({"codes": "EF"}, 422, "EF is not a code of Seeker"), ({"codes": "PEP", "reason": "mood"}, 422, "wrong at"),
        ({"codes": "PEP", "comment": "x" * 2001}, 422, "wrong at: comment"), ({"codes": "PEP", "seen": 99}, 303, ""),
        ({"codes": "PEP", "utterance": 99999}, 404, "fewer than two people"),
    ],
)  # fmt: skip
def test_what_cannot_be_settled_is_a_sentence(lea: TestClient, at: int, sent: dict[str, object], status: int, said: str) -> None:
    answer = lea.post(f"{STEP}/decide", data={"utterance": at, "seen": 0} | sent)
    assert (answer.status_code, said in text(answer)) == (status, True)


def test_a_conversation_with_one_submission_has_nothing_to_settle(lea: TestClient, db: Database) -> None:
    with db.reading() as session:
        other = utterance_id(session, "s2_d_2", 1)
    assert lea.get(f"{STEP}?utterance={other}").status_code == 404
