"""Who learns what: nothing of others' labels, nothing of a proposal when blind, nothing through the machine (rules 2, 11)."""

import io
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest
from conftest import Stage
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlmodel import Session, col

from annotator import web
from annotator.core.transcript import Transcript
from annotator.db import Database
from annotator.errors import AnnotatorError, BadInput
from annotator.flow import desk, tagging
from annotator.flow.access import view_of
from annotator.flow.accounts import get_user
from annotator.flow.corpus import export_records
from annotator.flow.intake import import_paths
from annotator.flow.intake_facts import Options
from annotator.flow.known import known_labels
from annotator.flow.review import Act
from annotator.flow.round import Wanted, create_round
from annotator.flow.runs import Order
from annotator.flow.taxonomy import current
from annotator.models import Run, Suggestion, User
from annotator.settings import Settings
from annotator.web.app import create_app
from annotator.web.deps import COOKIE
from flow.steps import act, assignment, blind, close_round, hand_in, label, label_repeat, role_at, rolled_back, settle, undo, utterance_id

# Codes that no proposal has and alice never chooses.
SECRET = {"Seeker": ["NR", "CC", "RJT"], "Assistant": ["EF", "PEX", "PCM"]}
NAMES = {"bob": "Bobolinsky", "cem": "Cemalettin", "lea": "Leandrosa", "rui": "Ruizdottir"}

others = st.lists(
    st.tuples(
        st.sampled_from([("bob", "r1"), ("bob", "r2"), ("cem", "r2")]),
        st.sampled_from(["s1_d_1", "s2_d_2"]),
        st.integers(1, 5),
        st.sampled_from([Act.LABEL, Act.SKIP, Act.FLAG, "undo", "hand in"]),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=12,
)


def others_work(session: Session, done: list[Any]) -> None:
    """What bob and cem do; what is refused since they handed in changes nothing."""
    for (name, round_name), conversation, position, what, which in done:
        secret = SECRET[role_at(session, conversation, position)][which]
        try:
            if what == "undo":
                undo(session, NAMES[name])
            elif what == "hand in":
                hand_in(session, NAMES[name], conversation, round_name)
            else:
                codes = [secret] if what == Act.LABEL else []
                act(session, NAMES[name], conversation, position, what, *codes, round_name=round_name)
        except AnnotatorError:
            continue


def prepare(session: Session) -> None:
    """Names that stand nowhere else, and a second round that alice shares with bob and cem."""
    for old, new in NAMES.items():
        session.execute(update(User).where(col(User.name) == old).values(name=new))
    create_round(session, Wanted("r2", ("alice", "Bobolinsky", "Cemalettin")))
    act(session, "alice", "s1_d_1", 2, Act.LABEL, "PCT", key="alices-first")
    act(session, "alice", "s1_d_1", 3, Act.SKIP, key="alices-second")


# In the use cases


def all_that_alice_reaches(session: Session) -> str:
    """Her conversations, her desks, every reason and her export, as text."""
    alice = get_user(session, "alice")
    mine, total = desk.my_conversations(session, alice)
    seen: list[Any] = [mine, total]
    for one in mine:
        opened = desk.open_desk(session, alice, one.assignment_id)
        seen += [opened.turns, opened.handed_in_at]
        seen += [desk.reason(session, alice, one.assignment_id, row.position) for row in opened.rows[:5] if row.has_reason]
    seen += list(export_records(session, view_of(alice)))
    return "\n".join(map(repr, seen))


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(done=others)
def test_alice_sees_the_same_whatever_bob_and_cem_decide(shared_db: Database, done: list[Any]) -> None:
    with rolled_back(shared_db) as session:
        prepare(session)
        before = all_that_alice_reaches(session)
        others_work(session, done)
        assert all_that_alice_reaches(session) == before
        assert not re.search("|".join(NAMES.values()), before)
        assert not re.search(rf"'({'|'.join(code for codes in SECRET.values() for code in codes)})'", before)


def test_alice_gets_neither_gold_nor_anothers_name_in_her_export(session: Session) -> None:
    prepare(session)
    settle(session, "s1_d_1", 2, "NR")
    label(session, "Bobolinsky", "s1_d_1", 2, "NR")
    alice = view_of(get_user(session, "alice"))
    assert "'NR'" not in repr(list(export_records(session, alice)))
    for labels in ("Bobolinsky", "annotator-2"):
        with pytest.raises(BadInput, match="Nobody here is called") as caught:
            list(export_records(session, alice, labels))
        assert "Cem" not in str(caught.value)


def test_gold_is_empty_for_an_annotator_who_asks_for_it(session: Session) -> None:
    prepare(session)
    settle(session, "s1_d_1", 2, "NR")
    records = list(export_records(session, view_of(get_user(session, "alice")), "gold"))
    assert "'NR'" not in repr(records)


def test_conversations_of_others_are_not_in_her_export(session: Session) -> None:
    prepare(session)
    assert {one.id for one in export_records(session, view_of(get_user(session, "alice")))} == {"s1_d_1", "s2_d_2", "s3_d_3"}
    assert list(export_records(session, view_of(User(id=999, name="eve", role="annotator")))) == []


# In every answer


@contextmanager
def as_alice(stage: Stage, folder: Path, change: Callable[[Session], None]) -> Iterator[TestClient]:
    """Alice's browser on a copy of the project after some change."""
    copy = Settings(project=Path(shutil.copytree(stage.settings.project, folder)))
    db = Database(copy.database)
    with db.writing() as session:
        prepare(session)
        change(session)
    db.close()
    with TestClient(create_app(copy), follow_redirects=False) as client:
        client.headers["sec-fetch-site"] = "same-origin"
        client.cookies.set(COOKIE, stage.tokens["alice"])
        yield client


# Two assignments of alice in r1, one of bob, one of each in r2, and none.
VALUES = {
    "{assignment_id}": (1, 2, 4, 7, 10, 13, 99), "{position}": (1, 2, 5), "{token}": ("x",), "{key}": ("x",),
    "{run_id}": (1, 99), "{conversation_id}": (1, 99), "{item_id}": (1, 99),
}  # fmt: skip
FORMATS, WHOSE = ("csv", "jsonl", "convokit"), ("all", "gold", "alice", "Bobolinsky")


def paths() -> list[str]:
    """Every path that a browser can get, as often as there are values for its parameters."""
    modules = [import_module(f"annotator.web.{one.name}") for one in iter_modules(web.__path__)]
    routes = [route for module in modules if hasattr(module, "router") for route in module.router.routes]
    found = [route.path for route in routes if "GET" in route.methods]
    for name, values in VALUES.items():
        found = [one.replace(name, str(value)) for one in found for value in (values if name in one else [""])]
    assert not [one for one in found if "{" in one], "give the new parameter some values above"
    exports = [f"/export/download?format={one}&labels={whose}" for one in FORMATS for whose in WHOSE]
    return [*found, *exports, "/taxonomy/code?role=Seeker&code=NR", "/agreement?round=r1"]


MASKED = re.compile(r'name="act_key" value="[^"]+"|\d{4}-\d\d-\d\d[T ][^"<,]*|filename="[^"]+"')


def shown(client: TestClient, path: str) -> str:
    answer = client.get(path)
    text = "".join(sorted(repr(chunk) for chunk in unzipped(answer.content))) if answer.content[:2] == b"PK" else answer.text
    return f"{path} {answer.status_code} {answer.headers.get('location')} {MASKED.sub('', text)}"


def unzipped(content: bytes) -> Iterator[bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        yield from (archive.read(name) for name in archive.namelist())


def answers(client: TestClient) -> list[str]:
    """What alice gets from every route, from every kind of act, and from every route again."""
    said = [shown(client, path) for path in paths()]
    at = next(int(found) for one in said if (found := next(iter(re.findall(r'data-desk="(\d+)"', one)), None)))
    for name, fragment in (("page", {}), ("fragment", {"hx-request": "true"})):
        for number, (path, data) in enumerate((
            (f"/review/{at}/2", {"codes": "RP"}), (f"/review/{at}/2", {"act": "confirm"}), (f"/review/{at}/4", {"act": "confirm"}),
            (f"/review/{at}/2", {"codes": "RP", "seen": "of-another-window"}), (f"/review/{at}/1/reason", {}),
            (f"/review/{at}/5", {"act": "flag", "reason": "Two at once?"}), (f"/review/{at}/5", {"act": "unsure"}),
            (f"/review/{at}/6", {"act": "skip"}), ("/review/undo", {}), (f"/review/{at}/7", {"act": "confirm-turn"}), ("/review/undo", {}),
            (f"/review/{at}/hand-in", {}), (f"/review/{at}/hand-in", {"with_open": "true"}), (f"/review/{at}/reopen", {}),
        )):  # fmt: skip
            answer = client.post(path, data=data | {"act_key": f"alice-{name}-{number}"}, headers=fragment)
            said.append(f"{path} {answer.status_code} {answer.headers.get('location')} {MASKED.sub('', answer.text)}")
    return said + [shown(client, path) for path in paths()]


def test_no_answer_to_alice_depends_on_what_others_decided(stage: Stage, tmp_path: Path) -> None:
    people = [("bob", "r1"), ("bob", "r2"), ("cem", "r2")]
    acts = [Act.LABEL, Act.LABEL, Act.FLAG, Act.SKIP, Act.LABEL]
    done = [(who, "s1_d_1", position, what, position % 3) for who in people for position, what in enumerate(acts, 1)]
    done += [(who, "s2_d_2", position, Act.LABEL, 1) for who in people for position in range(1, 39)]
    done += [(who, conversation, 1, "hand in", 0) for who in people[:2] for conversation in ("s1_d_1", "s2_d_2")]
    with as_alice(stage, tmp_path / "quiet", lambda session: None) as client:
        quiet = answers(client)
    with as_alice(stage, tmp_path / "busy", lambda session: others_work(session, done)) as client:
        busy = answers(client)
    assert busy == quiet
    assert not [name for name in NAMES.values() if any(name in one.partition(" ")[2] and "labels=" not in one for one in busy)]


def other_run(session: Session) -> None:
    """Suggestions as different as can be, in all runs."""
    for one in session.scalars(select(Suggestion)):
        one.codes, one.confidence, one.probabilities, one.reason = "OTH", 0.9137, {"OTH": 0.9137}, "Quoth the tagger."
    session.flush()


def blind_everywhere(session: Session) -> None:
    for round_name in ("r1", "r2"):
        blind(session, round_name, "s1_d_1", "s2_d_2", "s3_d_3")


def test_no_answer_in_the_blind_condition_depends_on_the_proposal(stage: Stage, tmp_path: Path) -> None:
    def changed(session: Session) -> None:
        blind_everywhere(session)
        other_run(session)

    with as_alice(stage, tmp_path / "one", blind_everywhere) as client:
        one = answers(client)
    with as_alice(stage, tmp_path / "other", changed) as client:
        other = answers(client)
    assert one == other
    assert not [text for text in other if re.search(r"0\.9137|91 %|Quoth|The script", text)]
    assert {proposal for text in one for proposal in re.findall(r'data-proposal="([^"]*)"', text)} == {""}


def test_the_same_check_sees_the_proposal_where_it_is_shown(stage: Stage, tmp_path: Path) -> None:
    with as_alice(stage, tmp_path / "assisted", other_run) as client:
        text = "\n".join(answers(client))
    assert all(sign in text for sign in ("0.9137", "91 %", "Quoth the tagger.", 'data-proposal="OTH"'))


def test_a_proposal_of_another_run_than_the_rounds_is_not_shown(session: Session) -> None:
    before = all_that_alice_reaches(session)
    run = Run(**session.get_one(Run, 1).model_dump(exclude={"id"}))
    session.add(run)
    session.flush()
    session.add(Suggestion(run_id=run.id or 0, utterance_id=utterance_id(session, "s1_d_1", 1), codes="EF", confidence=0.9, reason="x"))
    session.flush()
    assert all_that_alice_reaches(session) == before


def test_there_is_no_reason_to_read_when_blind_nor_in_anothers_conversation(session: Session) -> None:
    blind(session, "r1", "s1_d_1")
    alice = get_user(session, "alice")
    with pytest.raises(BadInput, match="no reason to show"):
        desk.reason(session, alice, assignment(session, "alice", "s1_d_1"), 1)
    assert desk.reason(session, alice, assignment(session, "alice", "s2_d_2"), 1)
    with pytest.raises(AnnotatorError, match="no such conversation among yours"):
        desk.reason(session, alice, assignment(session, "bob", "s2_d_2"), 1)


# Through the machine (rule 11)


def known(session: Session, *train_on: str) -> list[Transcript]:
    return known_labels(session, current(session)[1], train_on)


def gold_of(session: Session, position: int, *train_on: str) -> tuple[str, ...] | None:
    """What a tagger may know of an utterance of s1_d_1 from the project; the sample's own label when nothing."""
    found = {one.id: one for one in known(session, *train_on)}["s1_d_1"]
    return list(found.utterances())[position - 1][1].gold


def label_all(session: Session, name: str) -> None:
    for position in range(1, 33):
        label(session, name, "s1_d_1", position, SECRET[role_at(session, "s1_d_1", position)][position % 3])
    hand_in(session, name, "s1_d_1")


def test_labels_of_an_open_round_are_never_known_to_a_tagger(session: Session) -> None:
    before = known(session)
    label_all(session, "alice")
    assert known(session) == before
    with pytest.raises(BadInput, match="No imported labels belong to alice"):
        known(session, "alice")


def test_labels_of_a_closed_round_are_known(session: Session) -> None:
    label_all(session, "alice")
    assert gold_of(session, 1) == ("RTI",)
    close_round(session, "r1")
    assert gold_of(session, 1) == ("PEX",)


def test_what_was_never_handed_in_is_not_known_even_when_the_round_is_closed(session: Session) -> None:
    label(session, "alice", "s1_d_1", 1, "EF")
    before = known(session)
    close_round(session, "r1")
    assert known(session) == before


def test_what_somebody_says_once_more_is_never_known(session: Session) -> None:
    label_all(session, "alice")
    label_repeat(session, "alice", "s1_d_1", {1: "EF", 2: "NR"})
    close_round(session, "r1")
    assert gold_of(session, 1) == ("PEX",)


def test_imported_labels_are_known_only_when_asked_for_by_name(session: Session, tmp_path: Path) -> None:
    before = known(session)
    path = tmp_path / "labels.csv"
    path.write_text("conversation,utterance,role,annotator,codes\ns1_d_1,1,Assistant,dora,EF\ns1_d_1,2,Seeker,emil,NR\n")
    import_paths(session, [path], None, Options())
    assert known(session) == before
    assert (gold_of(session, 1, "dora"), gold_of(session, 2, "dora")) == (("EF",), None)
    assert (gold_of(session, 1, "dora", "emil"), gold_of(session, 2, "dora", "emil")) == (("EF",), ("NR",))


def test_gold_is_known_and_wins_over_other_labels(session: Session) -> None:
    label(session, "alice", "s1_d_1", 1, "EF")
    hand_in(session, "alice", "s1_d_1")
    close_round(session, "r1")
    settle(session, "s1_d_1", 1, "PEX")
    assert gold_of(session, 1) == ("PEX",)


def suggestions(db: Database, run: Run) -> dict[int, tuple[Any, ...]]:
    with db.reading() as session:
        rows = session.scalars(select(Suggestion).where(col(Suggestion.run_id) == run.id))
        return {row.utterance_id: (row.codes, row.confidence, str(row.probabilities), row.reason) for row in rows}


def test_a_new_run_says_the_same_whatever_is_labelled_in_an_open_round(db: Database) -> None:
    first = suggestions(db, tagging.tag(db, Order("local")))
    with db.writing() as session:
        label_all(session, "alice")
        label_all(session, "bob")
    assert suggestions(db, tagging.tag(db, Order("local"))) == first


def test_a_conversations_own_gold_never_changes_what_is_suggested_for_it_but_for_others(db: Database) -> None:
    found = []
    for shift in (0, 1):
        with db.writing() as session:
            for position in range(1, 33):
                settle(session, "s1_d_1", position, SECRET[role_at(session, "s1_d_1", position)][(position + shift) % 3])
        found.append(suggestions(db, tagging.tag(db, Order("local"))))
    with db.reading() as session:
        own = {utterance_id(session, "s1_d_1", position) for position in range(1, 33)}
    assert {key for key in found[0] if found[0][key] != found[1][key]}.isdisjoint(own)
    assert found[0] != found[1]
