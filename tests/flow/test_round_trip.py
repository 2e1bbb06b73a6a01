"""Export, import into a fresh project, export: the same bytes, whatever people did in between."""

import csv
import json
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import Session, col

from annotator.db import Database
from annotator.errors import BadInput, Conflict, Forbidden
from annotator.flow import review
from annotator.flow.access import EVERYTHING, view_of
from annotator.flow.accounts import get_user
from annotator.flow.acts import Act, Asked
from annotator.flow.export import export_to
from annotator.flow.intake import import_paths
from annotator.flow.intake_report import Options
from annotator.flow.items import Marked, mark_items
from annotator.flow.round import Wanted, create_round
from annotator.models import Assignment, Call, Decision, Gold, ItemDecision, ItemField, Run, Suggestion, User
from annotator.settings import Settings
from flow.steps import act, assignment, blind, dump, hand_in, label_repeat, role_at, rolled_back, settle, utterance_id

Empty = Callable[[], Database]
FORMATS = {"csv": "export.csv", "jsonl": "export.jsonl", "vogue": "export"}
PLACES = FORMATS | {"convokit": "corpus"}
CODES = {"Seeker": ["PCT", "PEP", "RP", "ACK"], "Assistant": ["RTI", "RP", "ACK", "EP"]}


@pytest.fixture(scope="module")
def fresh_db(empty_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = shutil.copytree(empty_folder, tmp_path_factory.mktemp("fresh") / "project")
    db = Database(Settings(project=Path(folder)).database)
    yield db
    db.close()


def content(path: Path) -> dict[str, bytes]:
    """Every file of an export."""
    if path.is_file():
        return {"": path.read_bytes()}
    return {str(one.relative_to(path)): one.read_bytes() for one in path.rglob("*") if one.is_file()}


def exported(session: Session, folder: Path, format_name: str, **options: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / PLACES[format_name]
    if path.exists():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    export_to(session, EVERYTHING, path, format_name=format_name, **options)
    return path


def there_and_back(
    session: Session, fresh: Session, folder: Path, format_name: str, name: str | None = None, repeats: bool = False
) -> None:
    """Assert that an export is the same after a fresh project took it in."""
    options = {"labels": name or "all", "repeats": repeats}
    first = exported(session, folder / "first", format_name, **options)
    import_paths(fresh, [first], None, Options(as_name=name))
    assert content(exported(fresh, folder / "second", format_name, **options)) == content(first)


def mark(session: Session, name: str, conversation: str, field: ItemField, *numbers: int) -> None:
    """Somebody says which items were mentioned or chosen; in the cast's project there are twelve."""
    kept = [number for number in numbers if number <= 12]
    mark_items(session, get_user(session, name), assignment(session, name, conversation), Marked(field, tuple(kept), uuid.uuid4().hex))


def work(session: Session, done: list[Any]) -> None:
    """What two people did: `done` holds (who, conversation, position, act, how many codes)."""
    for who, conversation, position, what, many in done:
        if what == "items":
            mark(session, who, conversation, list(ItemField)[many % 2], *range(position, position + many - 1))
        elif what == "gold":
            settle(session, conversation, position, *CODES[role_at(session, conversation, position)][:many])
        else:
            codes = CODES[role_at(session, conversation, position)][-many:] if what == Act.LABEL else ()
            act(session, who, conversation, position, what, *codes)


def answer(session: Session, conversation: str, position: int, model: str, prompt: str, cost: float | None, run_id: int = 1) -> None:
    """Let a suggestion be one that a provider was asked for."""
    key = {"utterance_id": utterance_id(session, conversation, position), "run_id": run_id}
    suggestion = session.get_one(Suggestion, key)
    version = session.get_one(Run, run_id).taxonomy_version_id
    call = Call(run_id=run_id, taxonomy_version_id=version, key="k", prompt_hash=prompt, model_version=model, raw="{}", cost=0.5)
    session.add(call)
    session.flush()
    suggestion.call_id, suggestion.cost = call.id if model or prompt else None, cost
    session.flush()


answers = st.lists(
    st.tuples(
        st.sampled_from(["s1_d_1", "s2_d_2"]),
        st.integers(1, 6),
        st.sampled_from(["", "m-001", "=m-002"]),
        st.sampled_from(["", "9f2c", "-77"]),
        st.sampled_from([None, 0.0, 0.00021, 1 / 3]),
    ),
    max_size=6,
)
steps = st.lists(
    st.tuples(
        st.sampled_from(["alice", "bob"]),
        st.sampled_from(["s1_d_1", "s2_d_2"]),
        st.integers(1, 6),
        st.sampled_from([Act.LABEL, Act.LABEL, Act.CONFIRM, Act.SKIP, Act.FLAG, "gold", "items"]),
        st.integers(1, 3),
    ),
    max_size=25,
)
slow = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.mark.parametrize("format_name", ["csv", "jsonl"])
@slow
@given(done=steps, answered=answers)
def test_everything_people_and_models_did_survives_a_round_trip(
    shared_db: Database, fresh_db: Database, tmp_path: Path, format_name: str, done: list[Any], answered: list[Any]
) -> None:
    with rolled_back(shared_db) as session, rolled_back(fresh_db) as fresh:
        for one in answered:
            answer(session, *one)
        work(session, done)
        there_and_back(session, fresh, tmp_path, format_name)


@slow
@given(done=steps)
def test_the_labels_of_one_annotator_survive_a_round_trip_in_the_corpus_own_format(
    shared_db: Database, fresh_db: Database, tmp_path: Path, done: list[Any]
) -> None:
    with rolled_back(shared_db) as session, rolled_back(fresh_db) as fresh:
        # One label that no later step takes away: a file without any names nobody.
        work(session, [("alice", "s3_d_3", 9, Act.CONFIRM, 1), *done])
        there_and_back(session, fresh, tmp_path, "vogue", "alice")


@pytest.mark.parametrize("format_name", ["csv", "jsonl"])
def test_two_rounds_one_of_them_blind_survive_a_round_trip(session: Session, fresh_db: Database, tmp_path: Path, format_name: str) -> None:
    create_round(session, Wanted("r2", ("bob", "cem")))
    blind(session, "r2", "s2_d_2")
    work_of = (("alice", "r1", "s1_d_1"), ("bob", "r2", "s2_d_2"), ("bob", "r1", "s2_d_2"), ("cem", "r2", "s1_d_1"))
    for name, round_name, conversation in work_of:
        for position in range(1, 9):
            code = CODES[role_at(session, conversation, position)][position % 3]
            act(session, name, conversation, position, Act.LABEL, code, round_name=round_name)
        hand_in(session, name, conversation, round_name)
    with rolled_back(fresh_db) as fresh:
        there_and_back(session, fresh, tmp_path, format_name)


@pytest.mark.parametrize("format_name", ["csv", "jsonl"])
def test_what_people_say_once_more_survives_a_round_trip_where_it_is_asked_for(
    session: Session, fresh_db: Database, tmp_path: Path, format_name: str
) -> None:
    work(session, [("alice", "s1_d_1", 2, Act.CONFIRM, 1), ("bob", "s1_d_1", 2, Act.LABEL, 1)])
    again = label_repeat(session, "alice", "s1_d_1", {1: "EP", 2: "NR"})
    mark_items(session, get_user(session, "bob"), assignment(session, "bob", "s1_d_1"), Marked(ItemField.CHOSEN, (4,), "key-of-bob"))
    session.add(ItemDecision(assignment_id=again, field=ItemField.CHOSEN, numbers="9"))
    session.flush()
    silent, asked = (content(exported(session, tmp_path, format_name, repeats=repeats))[""] for repeats in (False, True))
    assert b"repeat" not in silent and b"NR" not in silent and b"NR" in asked
    with rolled_back(fresh_db) as fresh:
        there_and_back(session, fresh, tmp_path, format_name, repeats=True)
        repeats = fresh.execute(select(Assignment).where(col(Assignment.repeat))).scalars().all()
        said = {row.codes for row in fresh.scalars(select(Decision).where(col(Decision.assignment_id) == repeats[0].id))}
        assert (len(repeats), said) == (1, {"EP", "NR"})
        again_silent = content(exported(fresh, tmp_path / "third", format_name))[""]
        assert b"repeat" not in again_silent and b"NR" not in again_silent
    with rolled_back(fresh_db) as fresh:
        there_and_back(session, fresh, tmp_path, format_name)


@pytest.mark.parametrize("format_name", ["csv", "jsonl", "convokit"])
def test_corrected_lists_of_items_become_their_annotators_own_facts(
    session: Session, empty: Empty, tmp_path: Path, format_name: str
) -> None:
    work(session, [("alice", "s1_d_1", 2, Act.CONFIRM, 1), ("bob", "s1_d_1", 2, Act.CONFIRM, 1)])
    mark(session, "alice", "s1_d_1", ItemField.CHOSEN)
    mark(session, "bob", "s1_d_1", ItemField.MENTIONED, 1, 4)
    mark(session, "bob", "s1_d_1", ItemField.MENTIONED, 8, 4, 1)  # as the source has it
    first = exported(session, tmp_path, format_name)
    with empty().writing() as fresh:
        for new in (2, 0):
            assert import_paths(fresh, [first], None, Options()).item_lists == new
        rows = select(col(User.name), col(ItemDecision.field), col(ItemDecision.numbers)).join_from(ItemDecision, Assignment).join(User)
        assert [tuple(row) for row in fresh.execute(rows.order_by(col(User.name)))] == [
            ("alice", "gt_items", ""), ("bob", "mentioned_items", "8|4|1"),
        ]  # fmt: skip
        of_alice = fresh.scalars(select(ItemDecision).where(col(ItemDecision.field) == ItemField.CHOSEN)).one().assignment_id
        fresh.add(ItemDecision(assignment_id=of_alice, field=ItemField.CHOSEN, numbers="5"))
        with pytest.raises(Conflict, match="alice says that gt_items of conversation s1_d_1 are 5 where the file says none"):
            import_paths(fresh, [first], None, Options())


def test_vogues_own_json_has_the_lists_that_its_annotator_corrected(session: Session, tmp_path: Path) -> None:
    mark(session, "alice", "s1_d_1", ItemField.CHOSEN, 4)
    mark(session, "bob", "s1_d_1", ItemField.CHOSEN, 8)
    mark(session, "bob", "s1_d_1", ItemField.MENTIONED, 2)

    def lists(labels: str) -> tuple[list[int], list[int]]:
        path = exported(session, tmp_path / labels, "vogue", labels=labels) / "conversation_trials" / "transcripts" / "s1_d_1.json"
        found = json.loads(path.read_bytes())
        return found["mentioned_items"], found["gt_items"]

    assert [lists(labels) for labels in ("alice", "bob", "gold", "cem")] == [
        ([1, 4, 8], [4]), ([2], [8]), ([2], [1]), ([1, 4, 8], [1]),
    ]  # fmt: skip


@pytest.mark.parametrize("format_name", ["csv", "jsonl"])
def test_how_gold_was_settled_is_restored(session: Session, empty: Empty, tmp_path: Path, format_name: str) -> None:
    settle(session, "s1_d_1", 1, "RTI")
    first = exported(session, tmp_path, format_name)
    with empty().writing() as fresh:
        import_paths(fresh, [first], None, Options())
        assert [gold.rule for gold in fresh.scalars(select(Gold))] == ["unanimous"]
    first.write_bytes(first.read_bytes().replace(b"unanimous", b"withdrawn"))
    with empty().writing() as fresh:
        import_paths(fresh, [first], None, Options())
        assert [gold.rule for gold in fresh.scalars(select(Gold))] == ["imported"]


def test_a_label_of_the_desk_is_exported_with_seconds_condition_and_proposal(session: Session, tmp_path: Path) -> None:
    blind(session, "r1", "s2_d_2")
    for conversation, code in (("s1_d_1", "PCT"), ("s2_d_2", "RTI")):
        asked = Asked(act=Act.LABEL, codes=(code,), act_key="a-key-of-one-act", seconds=2.5)
        review.decide(session, get_user(session, "alice"), assignment(session, "alice", conversation), 2, asked)
    with exported(session, tmp_path, "csv").open(encoding="utf-8", newline="") as file:
        rows = {row["conversation"]: row for row in csv.DictReader(file) if row["annotator"]}
    columns = ("seconds", "condition", "suggestion", "confidence", "round")
    assert [rows["s1_d_1"][column] for column in columns] == ["2.5", "assisted", "PCT|PEP", "0.8", "r1"]
    assert [rows["s2_d_2"][column] for column in columns[:2]] == ["2.5", "blind"]


def test_repeats_are_refused_where_a_format_or_a_person_must_not_have_them(session: Session, tmp_path: Path) -> None:
    label_repeat(session, "alice", "s1_d_1", {1: "EP"})
    for format_name in ("vogue", "convokit"):
        with pytest.raises(BadInput, match=f"The {format_name} format cannot tell repeats from first labels. Export them as csv or jsonl"):
            exported(session, tmp_path, format_name, repeats=True)
    own = view_of(get_user(session, "alice"))
    with pytest.raises(Forbidden, match="Repeats are for leads and researchers"):
        export_to(session, own, tmp_path / "own.csv", repeats=True)
    export_to(session, own, tmp_path / "own.csv")
    assert b"repeat" not in (tmp_path / "own.csv").read_bytes() and b",EP," not in (tmp_path / "own.csv").read_bytes()
    export_to(session, view_of(get_user(session, "rui")), tmp_path / "rui.csv", repeats=True)
    assert b"annotator-1,EP" in (tmp_path / "rui.csv").read_bytes()


@pytest.mark.parametrize("format_name", FORMATS)
def test_the_whole_corpus_survives_a_round_trip(vogue_db: Database, empty: Empty, tmp_path: Path, format_name: str) -> None:
    with vogue_db.reading() as session, empty().writing() as fresh:
        there_and_back(session, fresh, tmp_path, format_name, "final")


@pytest.mark.parametrize("format_name", ["csv", "jsonl"])
def test_taking_an_export_back_into_its_own_project_adds_nothing(session: Session, tmp_path: Path, format_name: str) -> None:
    work(session, [("alice", "s1_d_1", 2, Act.CONFIRM, 1), ("bob", "s1_d_1", 2, Act.LABEL, 2), ("", "s1_d_1", 2, "gold", 1)])
    answer(session, "s1_d_1", 2, "m-001", "9f2c", 0.25)
    first = exported(session, tmp_path, format_name)
    before, rows = content(first), dump(session)
    report = import_paths(session, [first], None, Options())
    assert (report.conversations, report.labels, report.known_labels, report.gold, report.proposals) == (0, 0, 2, 0, 0)
    assert content(exported(session, tmp_path, format_name)) == before
    assert dump(session) == rows


@pytest.mark.parametrize("format_name", ["csv", "jsonl", "convokit"])
def test_who_answered_is_restored_as_one_call_that_nobody_paid_for_here(
    session: Session, empty: Empty, tmp_path: Path, format_name: str
) -> None:
    answered = (("m-001", "9f2c", 0.25), ("m-001", "9f2c", 0.5), ("m-002", "9f2c", None), ("", "", 0.1))
    for position, (model, prompt, cost) in enumerate(answered, 1):
        answer(session, "s1_d_1", position, model, prompt, cost)
    first = exported(session, tmp_path, format_name)
    with empty().writing() as fresh:
        for _ in range(2):
            import_paths(fresh, [first], None, Options())
            # JSONL holds the round's proposal beside that of no round: two runs.
            calls = {call.id: call for call in fresh.scalars(select(Call).where(col(Call.run_id) == 1))}
            assert {(call.model_version, call.prompt_hash, call.key, call.cost, call.raw) for call in calls.values()} == {
                ("m-001", "9f2c", "imported", None, ""), ("m-002", "9f2c", "imported", None, ""),
            }  # fmt: skip
            said = [fresh.get_one(Suggestion, {"utterance_id": utterance_id(fresh, "s1_d_1", at), "run_id": 1}) for at in range(1, 6)]
            assert [one.cost for one in said] == [0.25, 0.5, None, 0.1, None]
            assert [calls[one.call_id].model_version if one.call_id else "" for one in said] == ["m-001", "m-001", "m-002", "", ""]
            assert len(calls) == 2


@pytest.mark.parametrize(
    ("said", "new"),
    [
        ({}, 0),
        ({"model_version": "m-001"}, 0),
        ({"prompt_hash": "9f2c", "cost": 0.25}, 0),
        ({"model_version": "m-002"}, 1),
        ({"prompt_hash": "77"}, 1),
        ({"model_version": "m-001", "cost": 1}, 1),
    ],
)
def test_a_file_may_say_less_of_a_proposal_but_what_it_says_else_is_another(
    session: Session, tmp_path: Path, said: dict[str, Any], new: int
) -> None:
    answer(session, "s1_d_1", 2, "m-001", "9f2c", 0.25)
    path = exported(session, tmp_path, "jsonl")
    line = next(entry for entry in map(json.loads, path.read_text(encoding="utf-8").splitlines()) if entry["id"] == "s1_d_1")
    utterances = [utterance for turn in line["turns"] for utterance in turn["utterances"]]
    proposal = utterances[1]["proposals"][0]
    kept = {key: value for key, value in proposal.items() if key in ("codes", "confidence")}
    for utterance in utterances:
        utterance.pop("proposals")
    utterances[1]["proposals"] = [kept | said]
    path.write_text(json.dumps(line), encoding="utf-8")
    assert import_paths(session, [path], None, Options()).proposals == new


def test_an_annotators_own_export_says_who_answered_only_where_it_holds_the_proposal(session: Session, tmp_path: Path) -> None:
    for conversation in ("s1_d_1", "s2_d_2"):
        answer(session, conversation, 2, f"m-of-{conversation}", f"p-of-{conversation}", 0.25)
    blind(session, "r1", "s2_d_2")
    for format_name in ("csv", "jsonl", "convokit"):
        export_to(session, view_of(get_user(session, "alice")), tmp_path / format_name, format_name=format_name)
        everything = b"".join(content(tmp_path / format_name).values())
        assert b"m-of-s1_d_1" in everything and b"p-of-s1_d_1" in everything
        assert b"-of-s2_d_2" not in everything


@pytest.mark.parametrize(("format_name", "labels"), [("csv", "all"), ("jsonl", "all"), ("convokit", "all"), ("vogue", "annotator-1")])
def test_a_researcher_gets_pseudonyms_and_no_name_anywhere(session: Session, tmp_path: Path, format_name: str, labels: str) -> None:
    for name in ("alice", "bob", "cem", "lea", "rui"):
        get_user(session, name).name = f"{name}-Nachname"
    session.flush()
    work(session, [("alice-Nachname", "s1_d_1", 2, Act.CONFIRM, 1), ("bob-Nachname", "s1_d_1", 2, Act.LABEL, 2)])
    mark(session, "alice-Nachname", "s1_d_1", ItemField.CHOSEN, 11, 12)
    view = view_of(get_user(session, "rui-Nachname"))
    export_to(session, view, tmp_path / "out", format_name=format_name, labels=labels)
    everything = b"".join(content(tmp_path / "out").values())
    assert b"Nachname" not in everything
    assert (b"annotator-1" in everything) == (format_name != "vogue")
    assert b"PCT" in everything
    assert (b'"annotator": "annotator-1", "round": "r1", "gt_items": [11, 12]' in everything) == (format_name in ("jsonl", "convokit"))
    assert (b"11|12" in everything) == (format_name == "csv")


def test_a_researcher_chooses_labels_by_pseudonym_only(session: Session, tmp_path: Path) -> None:
    view = view_of(get_user(session, "rui"))
    with pytest.raises(Exception, match="Nobody here is called 'alice'") as caught:
        export_to(session, view, tmp_path / "x.csv", labels="alice")
    assert "bob" not in str(caught.value)
