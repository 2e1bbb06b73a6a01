"""The list of rounds, and a new one with its plan before it is made. One round's page: `test_round.py`."""

import csv
import io
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlmodel import col, select, update

from annotator.db import Database
from annotator.flow import accounts
from annotator.models import Assignment, Condition, Round, RoundConversation, Run, User

from .forms import Reader, attributes_of, buttons, cells, follow, press, text

Browse = Callable[[str], TestClient]
SHOW, MAKE = "Show the plan", "Make this round"
FILLED = {"name": "r2", "annotators": ["alice", "cem"], "overlap": "1", "blind": "33", "seed": "4"}


@pytest.fixture
def lea(browse: Browse) -> TestClient:
    return browse("lea")


def rounds(db: Database) -> list[str]:
    with db.reading() as session:
        return list(session.exec(select(Round.name).order_by(col(Round.id))))


# works


def test_rounds_are_listed_with_how_far_they_are(lea: TestClient, browse: Browse, desk: str) -> None:
    assert "r1 open 0 of 6 3 2 run 1" in cells(lea.get("/round"))
    browse("alice").post(f"{desk}/hand-in", data={"with_open": "true"})
    page = lea.get("/round")
    assert "r1 open 1 of 6" in cells(page)
    assert "/round/1" in Reader(page.text).links
    [row] = csv.DictReader(io.StringIO(lea.get("/round/rounds.csv").text))
    assert (row["round"], row["state"], row["given"], row["handed_in"]) == ("r1", "open", "6", "1")


def test_a_new_round_starts_from_usual_values_and_offers_people_runs_and_versions(lea: TestClient) -> None:
    page = lea.get("/round")
    shown = {name: attributes_of(page, "input", name=name)["value"] for name in ("overlap", "blind", "seed", "name")}
    assert shown == {"overlap": "2", "blind": "20", "seed": "1", "name": ""}
    people = [attributes["value"] for tag, attributes in Reader(page.text).tags if attributes.get("name") == "annotators"]
    assert people == ["alice", "bob", "cem", "lea"]
    assert "run 1: scripted" in cells(page)


def test_a_plan_says_who_gets_what_and_stores_nothing(lea: TestClient, db: Database) -> None:
    page = lea.get("/round/plan", params=FILLED)
    said = cells(page)
    assert "Round r2: 3 conversations for alice, cem, with the proposals of run 1." in said
    assert "alice 2" in said or "alice 1" in said
    assert "Utterances that two or more people label: Seeker 0 , Assistant 0 ." in said
    assert said.count("assisted") == 2
    assert rounds(db) == ["r1"]


def test_the_plan_that_was_shown_is_the_round_that_is_made(lea: TestClient, db: Database) -> None:
    page = lea.get("/round/plan", params=FILLED)
    shown = list(csv.DictReader(io.StringIO(lea.get("/round/plan.csv", params=table("conversations")).text)))
    made = press(lea, page, MAKE, instructions="Read the **codebook** first.")
    assert made.headers["location"] == "/round/2"
    with db.reading() as session:
        found = session.exec(select(Round).where(Round.name == "r2")).one()
        conditions = session.exec(select(RoundConversation.condition).where(RoundConversation.round_id == 2)).all()
        loads = session.exec(select(User.name).join(Assignment).where(Assignment.round_id == 2)).all()
    assert (found.instructions, found.plan["seed"], found.plan["blind"]) == ("Read the **codebook** first.", 4, 0.33)
    assert sorted(conditions) == sorted(row["condition"] for row in shown) == [Condition.ASSISTED, Condition.ASSISTED, Condition.BLIND]
    assert sorted(loads) == sorted(row["annotators"] for row in shown)
    round_page = follow(lea, made)
    assert "<strong>codebook</strong>" in round_page.text


def table(name: str) -> dict[str, object]:
    return FILLED | {"table": name}


def test_a_plan_downloads_whole(lea: TestClient) -> None:
    heads = [lea.get("/round/plan.csv", params=table(name)).text.split("\r\n")[0] for name in ("annotators", "codes", "conversations")]
    assert [head.split(",")[0] for head in heads] == ["annotator", "role", "conversation"]


def test_the_way_back_from_a_plan_keeps_what_was_filled_in(lea: TestClient) -> None:
    page = lea.get("/round/plan", params=FILLED | {"only": "s1_d_1, s2_*", "sample": "1"})
    back = next(link for link in Reader(page.text).links if link.startswith("/round?"))
    form = lea.get(back)
    assert attributes_of(form, "input", name="only")["value"] == "s1_d_1, s2_*"
    ticked = [attributes["value"] for _, attributes in Reader(form.text).tags if "checked" in attributes]
    assert ticked == ["alice", "cem"]
    assert attributes_of(form, "input", name="overlap")["value"] == "1"


def test_an_empty_overlap_is_everybody_and_a_sample_is_drawn_by_the_seed(lea: TestClient, db: Database) -> None:
    lea.post("/round", data={"name": "all", "annotators": ["alice", "bob", "cem"], "sample": "2", "blind": "", "seed": "9"})
    with db.reading() as session:
        made = session.exec(select(Round).where(Round.name == "all")).one()
        assigned = session.exec(select(Assignment).where(Assignment.round_id == made.id)).all()
    assert (made.plan["overlap"], made.plan["selection"], len(assigned)) == (None, {"sample": ["2", "9"]}, 6)


def test_a_name_is_text_wherever_it_shows(lea: TestClient) -> None:
    name = "<i>x</i>&\"'"
    plan = lea.get("/round/plan", params=FILLED | {"name": name})
    made = press(lea, plan, MAKE)
    for page in (plan, follow(lea, made), lea.get("/round")):
        assert name in text(page)
        assert "i" not in {tag for tag, _ in Reader(page.text).tags}


def test_people_who_cannot_sign_in_yet_are_offered_with_that_word_and_disabled_ones_not(lea: TestClient, db: Database) -> None:
    with db.writing() as session:
        accounts.add_user(session, "dora", accounts.Role.ANNOTATOR)
        accounts.disable(session, "bob")
    page = lea.get("/round")
    assert "dora (has a link, not used yet)" in cells(page)
    people = [attributes["value"] for _, attributes in Reader(page.text).tags if attributes.get("name") == "annotators"]
    assert "bob" not in people


def test_without_a_run_the_form_says_that_all_is_blind(lea: TestClient, db: Database) -> None:
    with db.writing() as session:
        session.execute(update(Round).values(run_id=None))
        session.execute(update(Run).values(finished_at=None))
    assert "there is no finished run, so all is blind" in cells(lea.get("/round"))
    assert "3 blind" in cells(lea.get("/round/plan", params=FILLED))


# wrong role


def test_researchers_read_the_list_and_make_nothing(browse: Browse, db: Database) -> None:
    rui = browse("rui")
    page = rui.get("/round")
    assert "r1 open" in cells(page)
    assert SHOW not in buttons(page)
    assert [rui.get("/round/plan", params=FILLED).status_code, rui.post("/round", data=FILLED).status_code] == [403, 403]
    assert rounds(db) == ["r1"]


def test_annotators_see_no_rounds(browse: Browse, db: Database) -> None:
    alice = browse("alice")
    assert {alice.get(path).status_code for path in ("/round", "/round/plan", "/round/plan.csv", "/round/rounds.csv")} == {403}
    assert alice.post("/round", data=FILLED).status_code == 403
    assert rounds(db) == ["r1"]
    assert "/round" not in Reader(alice.get("/review").text).links


# bad input


@pytest.mark.parametrize(
    ("filled", "sentence"),
    [
        ({"annotators": []}, "Nobody is chosen. Tick the people who shall label."),
        ({"annotators": ["zoe"]}, "There is no user 'zoe'"),
        ({"annotators": ["rui"]}, "rui is a researcher and cannot annotate."),
        ({"name": "r1"}, "There is a round r1 already."),
        ({"name": "  "}, "cannot be a round's name"),
        ({"overlap": "3"}, "Each conversation would need 3 annotators, and there are 2."),
        ({"overlap": "two"}, "The number of annotators per conversation is 'two'; it must be a whole number from 1."),
        ({"overlap": "0"}, "it must be a whole number from 1."),
        ({"blind": "a third"}, "The share of blind conversations is 'a third'; it must be a percentage from 0 to 100."),
        ({"blind": "100,1"}, "must be a percentage from 0 to 100"),
        ({"repeats": "-1"}, "The share of silent repeats is '-1'"),
        ({"seed": "x"}, "The seed is 'x'"),
        ({"sample": "0"}, "The number of conversations drawn by lot is '0'"),
        ({"run": "99"}, "There is no finished run 99."),
        ({"taxonomy": "abc"}, "There is no taxonomy version 'abc'."),
        ({"only": "nothing-like-this"}, "No conversation is called 'nothing-like-this'."),
    ],
)
def test_what_cannot_be_is_a_sentence_beside_the_form_as_filled_in(
    filled: dict[str, str], sentence: str, lea: TestClient, db: Database
) -> None:
    sent = FILLED | filled
    for answer in (lea.get("/round/plan", params=sent), lea.post("/round", data=sent)):
        assert answer.status_code in (404, 409, 422)
        assert sentence in text(answer)
        assert attributes_of(answer, "input", name="seed")["value"] == sent["seed"]
        ticked = [attributes["value"] for _, attributes in Reader(answer.text).tags if "checked" in attributes]
        assert ticked == [name for name in sent["annotators"] if name in ("alice", "cem")]
    assert rounds(db) == ["r1"]


def test_instructions_of_a_refused_round_are_not_lost(lea: TestClient) -> None:
    answer = lea.post("/round", data=FILLED | {"name": "r1", "instructions": "A long text"})
    assert answer.status_code == 409
    assert "A long text" in text(answer)


def test_a_plan_has_no_other_table(lea: TestClient) -> None:
    assert lea.get("/round/plan.csv", params=table("secrets")).status_code == 404
