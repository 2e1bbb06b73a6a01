"""Asking a provider: what goes out, seen on the wire. Nobody's labels of an open round are in it (rule 11)."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Stage
from sqlmodel import Session
from standin import StandIn

from annotator.db import Database
from annotator.flow.tagging import tag
from annotator.models import Scenario
from flow.asked import KEY, gemini, labelled, make_project, message, talk, wire
from flow.steps import close_round, hand_in, label, role_at

SECRET = {"Seeker": "NR", "Assistant": "EF"}
"""Codes that these people choose and no sample has in these places."""


@pytest.fixture
def cast(stage: Stage, tmp_path: Path) -> Iterator[Database]:
    """The cast's project: three sample conversations, an open round of alice and bob."""
    folder = shutil.copytree(stage.settings.project, tmp_path / "cast")
    database = Database(f"sqlite:///{Path(folder) / 'annotator.db'}")
    yield database
    database.close()


def sent(db: Database, standin: StandIn, name: str) -> dict[str, dict[str, Any]]:
    """The bodies of one fresh run, by the first utterance they ask about."""
    with wire(standin) as (address, bodies):
        run = tag(db, gemini(name, endpoint=address))
    assert labelled(db, run) == 107
    return {json.dumps([message(body)["utterances"], message(body)["label"]]): body for body in bodies}


def test_scenario_items_and_examples_stand_beside_the_conversation(cast: Database, standin: StandIn) -> None:
    for body in sent(cast, standin, "beside").values():
        said = message(body)
        assert said.keys() <= {"utterances", "label", "scenario", "items", "labelled_elsewhere", "task"}
        assert {one["role"] for one in said["labelled_elsewhere"]} == {"Seeker", "Assistant"}
        assert all(one["codes"] for one in said["labelled_elsewhere"])
        assert [one["id"] for one in said["utterances"]] == said["label"] == list(range(1, len(said["label"]) + 1))
        assert said["task"].startswith(f"Give one row for each of these {len(said['label'])} ids")


def test_a_scenario_of_the_project_is_sent_with_its_conversations_only(tmp_path: Path, standin: StandIn) -> None:
    db = make_project(tmp_path / "p", [talk("with", meta={"scenario": "S1"}), talk("without")])
    with db.writing() as session:
        session.add(Scenario(key="S1", body="You look for boots."))
    with wire(standin) as (address, bodies):
        assert labelled(db, tag(db, gemini(endpoint=address))) == 12
    said = {message(body).get("scenario"): json.dumps(message(body)["utterances"]) for body in bodies}
    assert said.keys() == {None, "You look for boots."}
    assert "This is what with says" in said["You look for boots."]
    db.close()


def test_rules_and_codebook_are_apart_from_what_people_said(cast: Database, standin: StandIn) -> None:
    systems = {json.dumps(body["systemInstruction"]) for body in sent(cast, standin, "apart").values()}
    assert len(systems) == 1
    assert "evening food markets" not in systems.pop()


def test_nothing_deprecated_and_no_key_is_in_a_body(cast: Database, standin: StandIn) -> None:
    for body in sent(cast, standin, "plain").values():
        assert KEY not in json.dumps(body)
        config = body["generationConfig"]
        assert not {"temperature", "topP", "topK", "seed"} & config.keys()
        assert config["responseMimeType"] == "application/json"
        assert "maxItems" not in json.dumps(config) and "minItems" not in json.dumps(config)


def work_in_the_open_round(session: Session) -> None:
    """Alice and bob label the first ten utterances of two conversations, and alice hands one in."""
    for name in ("alice", "bob"):
        for conversation in ("s1_d_1", "s2_d_2"):
            for position in range(1, 11):
                label(session, name, conversation, position, SECRET[role_at(session, conversation, position)])
    hand_in(session, "alice", "s1_d_1")


def test_no_label_of_an_open_round_is_in_any_request(cast: Database, standin: StandIn) -> None:
    before = sent(cast, standin, "before")
    with cast.writing() as session:
        work_in_the_open_round(session)
    after = sent(cast, standin, "after")
    assert after == before
    with cast.writing() as session:
        close_round(session, "r1")
    closed = sent(cast, standin, "closed")
    assert closed != before, "a closed round's labels are examples, so this test would have seen one"


def test_a_conversations_own_labels_are_not_shown_beside_it(cast: Database, standin: StandIn) -> None:
    with cast.writing() as session:
        work_in_the_open_round(session)
        close_round(session, "r1")
    for body in sent(cast, standin, "own").values():
        own = {one["text"] for one in message(body)["utterances"]}
        shown = message(body)["labelled_elsewhere"]
        assert [one for one in shown if one["text"] in own and set(one["codes"]) <= set(SECRET.values())] == []
