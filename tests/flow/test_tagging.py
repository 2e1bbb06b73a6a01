"""First pass: what a run records, that an interrupted one goes on, who may work on it, and what it leaves alone."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from annotator.db import Database
from annotator.errors import BadInput, Conflict
from annotator.flow import desk, estimate, tagging
from annotator.flow import runs as run_rows
from annotator.flow.accounts import get_user
from annotator.flow.asking import Watch
from annotator.flow.intake import import_paths
from annotator.flow.intake_facts import Options
from annotator.flow.review import Act
from annotator.flow.runs import Order
from annotator.flow.tagging import tag
from annotator.models import Call, Conversation, Decision, Run, Suggestion, TaxonomyVersion, Utterance, now
from annotator.taggers.provider import Provider
from flow.steps import act, assignment, dump

Empty = Callable[[], Database]
SCRIPTED = Order("scripted")


@pytest.fixture
def many(empty: Empty, tmp_path: Path) -> Database:
    """A project of 600 conversations of one utterance: three batches."""
    path = tmp_path / "many.jsonl"
    lines = ({"id": f"c{number}", "utterances": [{"role": "Seeker", "text": f"Hi {number}"}]} for number in range(600))
    path.write_text("\n".join(map(json.dumps, lines)))
    db = empty()
    with db.writing() as session:
        import_paths(session, [path], None, Options())
    return db


def stop(done: int, total: int, note: str) -> None:
    raise KeyboardInterrupt


def interrupt(db: Database, order: Order = SCRIPTED) -> Run:
    """Start a run and stop it after its first batch."""
    with pytest.raises(KeyboardInterrupt):
        tag(db, order, Watch(stop))
    return runs(db)[-1]


def runs(db: Database) -> list[Run]:
    with db.reading() as session:
        return list(session.scalars(select(Run).order_by(col(Run.id))))


def count(db: Database, run_id: int | None) -> tuple[int, int]:
    """A run's suggestions, and the utterances they are of."""
    with db.reading() as session:
        rows = select(func.count(), func.count(func.distinct(col(Suggestion.utterance_id)))).where(col(Suggestion.run_id) == run_id)
        return tuple(session.execute(rows).one())  # type: ignore[return-value]


def lease(db: Database, run: Run, owner: str, age: timedelta = timedelta()) -> None:
    with db.writing() as session:
        stored = session.get_one(Run, run.id)
        stored.leased_by, stored.heartbeat_at = owner, now() - age
        session.add(stored)


def owner(pid: int) -> str:
    return f"{socket.gethostname()}:{pid}"


# What is recorded


def test_a_run_records_how_it_was_made_and_what_it_did(db: Database, tmp_path: Path) -> None:
    script = tmp_path / "s.json"
    script.write_text("{}")
    made = tag(db, Order("scripted", {"script": str(script)}, 0.25))
    (_, run) = runs(db)
    with db.reading() as session:
        version = session.get_one(TaxonomyVersion, run.taxonomy_version_id)
    assert (run.tagger, run.version, run.settings, run.threshold) == ("scripted", "1", {"script": str(script)}, 0.25)
    assert (run.n_conversations, run.n_utterances, made.n_utterances) == (3, 107, 107)
    assert (len(run.known), len(version.fingerprint), run.leased_by, run.heartbeat_at) == (12, 12, None, None)
    assert run.started_at <= (run.finished_at or run.started_at)
    assert run.seconds >= 0


def test_a_suggestion_holds_probabilities_and_a_reason_and_proposes_the_most_probable_first(db: Database) -> None:
    with db.reading() as session:
        found = session.scalars(select(Suggestion).order_by(col(Suggestion.utterance_id)).limit(2)).all()
    assert [(one.codes, one.confidence, one.probabilities, one.reason) for one in found] == [
        ("RTI", 0.9, {"RTI": 0.9}, "The script says so."),
        ("PCT|PEP", 0.8, {"PCT": 0.8, "PEP": 0.6}, "The script says so."),
    ]


@pytest.mark.parametrize(
    ("threshold", "codes"), [(0.0, "PCT|PEP|RP"), (0.3, "PCT|PEP|RP"), (0.31, "PCT|PEP"), (0.6, "PCT|PEP"), (0.7, "PCT"), (1.0, "PCT")]
)
def test_codes_at_or_above_the_threshold_join_the_first_up_to_the_maximum(
    db: Database, tmp_path: Path, threshold: float, codes: str
) -> None:
    script = tmp_path / "s.json"
    script.write_text(json.dumps({"s1_d_1": {"2": {"PEP": 0.6, "RP": 0.3, "PCT": 0.8, "ACK": 0.1}}}))
    run = tag(db, Order("scripted", {"script": str(script)}, threshold))
    with db.reading() as session:
        found = session.scalars(select(Suggestion).where(col(Suggestion.run_id) == run.id).order_by(col(Suggestion.utterance_id))).all()
    assert found[1].codes == codes
    assert found[1].probabilities.keys() == {"PEP", "RP", "PCT", "ACK"}


@pytest.mark.parametrize("threshold", [-0.1, 1.5, float("nan")])
def test_a_threshold_that_is_no_probability_is_refused(db: Database, threshold: float) -> None:
    with pytest.raises(BadInput, match="must be between 0 and 1"):
        tag(db, Order("scripted", {}, threshold))
    assert len(runs(db)) == 1


@pytest.mark.parametrize("use", [tag, estimate.plan])
def test_an_unknown_tagger_is_refused_with_the_known_ones(db: Database, use: Any) -> None:
    with pytest.raises(BadInput, match=r"There is no tagger 'gemmini'\. Choose one of: .*local, scripted"):
        use(db, Order("gemmini"))


def test_a_tagger_that_fails_leaves_nothing_stored_and_no_lease(db: Database, tmp_path: Path) -> None:
    script = tmp_path / "s.json"
    script.write_text(json.dumps({"s1_d_1": {"2": {"RTI": 0.6}}}))
    with pytest.raises(BadInput, match="RTI is not a code of Seeker"):
        tag(db, Order("scripted", {"script": str(script)}))
    run = runs(db)[-1]
    assert (run.leased_by, run.finished_at, count(db, run.id)) == (None, None, (0, 0))


# Planning


def test_a_plan_counts_and_stores_nothing(db: Database) -> None:
    with db.reading() as session:
        before = dump(session)
    planned = estimate.plan(db, Order("local"))
    with db.reading() as session:
        assert dump(session) == before
    assert (planned.conversations, planned.utterances, planned.cost) == (3, 107, 0.0)
    assert planned.known_conversations == 12
    assert estimate.plan_dict(planned)["known_utterances"] > 400


def test_a_plan_counts_the_labels_it_may_learn_from(vogue_db: Database) -> None:
    without = estimate.plan(vogue_db, Order("local"))
    with_final = estimate.plan(vogue_db, Order("local", train_on=("final",)))
    assert (without.utterances, with_final.known_conversations - without.known_conversations) == (2106, 60)
    assert with_final.known_utterances - without.known_utterances == 2103


def test_a_plan_measures_answers_that_came_here_and_none_that_a_file_tells_of(db: Database) -> None:
    with db.writing() as session:
        provider = estimate.plan_of(session, Order("gemini"))[1].tagger
        assert isinstance(provider, Provider)
        facts = {"run_id": 1, "taxonomy_version_id": 1, "prompt_hash": provider.prompt_hash, "model_version": "m"}
        here = [Call(key=f"k{at}", conversation_id=1, tokens_in=500, tokens_out=90, seconds=2.0, **facts) for at in range(20)]
        told = Call(key="imported", **facts)
        session.add_all([*here, told])
        session.flush()
        first, second, *_ = session.scalars(select(Suggestion).order_by(col(Suggestion.utterance_id)))
        first.call_id = here[0].id
        session.flush()
        before = estimate.plan_of(session, Order("gemini"))[0]
        second.call_id = told.id
        session.flush()
        assert estimate.plan_of(session, Order("gemini"))[0] == before
        assert before.measured


# Interrupted


def test_an_interrupted_run_goes_on_and_doubles_nothing(many: Database) -> None:
    first = interrupt(many)
    assert (first.finished_at, first.leased_by, first.n_conversations) == (None, None, 250)
    seen: list[tuple[int, int]] = []
    again = tag(many, SCRIPTED, Watch(lambda done, total, note: seen.append((done, total))))
    assert again.id == first.id
    assert seen == [(500, 600), (600, 600)]
    assert count(many, first.id) == (600, 600)
    assert [run.n_utterances for run in runs(many)] == [600]
    assert runs(many)[0].finished_at is not None


def test_a_run_stopped_after_its_last_batch_is_finished(db: Database) -> None:
    run = interrupt(db)
    assert run.finished_at is not None
    assert count(db, run.id) == (107, 107)


@pytest.mark.parametrize("order", [Order("scripted", threshold=0.9), Order("scripted", {"note": "other"}), Order("local")])
def test_another_order_does_not_go_on_with_an_unfinished_run(many: Database, order: Order) -> None:
    first = interrupt(many)
    other = interrupt(many, order)
    assert (first.id, other.id) == (1, 2)
    assert [run.n_conversations for run in runs(many)] == [250, 250]


def test_a_finished_run_is_not_gone_on_with(db: Database) -> None:
    assert [tag(db, SCRIPTED).id, tag(db, SCRIPTED).id] == [2, 3]


def test_an_unfinished_run_is_nobodys_newest(many: Database) -> None:
    interrupt(many)
    with many.reading() as session:
        assert run_rows.newest_run(session) is None
        with pytest.raises(BadInput, match=r"no finished run 1\. Finished: none"):
            run_rows.get_run(session, 1)


def test_conversations_that_came_later_are_tagged_by_the_next_run(many: Database, tmp_path: Path) -> None:
    tag(many, SCRIPTED)
    path = tmp_path / "more.jsonl"
    path.write_text(json.dumps({"id": "late", "utterances": [{"role": "Seeker", "text": "Late"}]}))
    with many.writing() as session:
        import_paths(session, [path], None, Options())
    assert tag(many, SCRIPTED).n_utterances == 601


def test_roles_the_taxonomy_lacks_get_no_suggestion_and_the_run_ends(empty: Empty, tmp_path: Path) -> None:
    db, path = empty(), tmp_path / "x.jsonl"
    path.write_text(json.dumps({"id": "c", "utterances": [{"role": "Narrator", "text": "Hi"}, {"role": "Seeker", "text": "Hi"}]}))
    with db.writing() as session:
        import_paths(session, [path], None, Options())
    run = tag(db, SCRIPTED)
    assert (run.n_utterances, run.finished_at is not None) == (1, True)


# A second run


def test_a_second_run_adds_and_leaves_suggestions_and_decisions_as_they_were(db: Database, tmp_path: Path) -> None:
    with db.writing() as session:
        act(session, "alice", "s1_d_1", 2, Act.CONFIRM)
        before = {name: dump(session)[name] for name in ("suggestion", "decision", "round", "round_conversation")}
        desk_before = desk.open_desk(session, get_user(session, "alice"), assignment(session, "alice", "s1_d_1"))
    script = tmp_path / "s.json"
    script.write_text(json.dumps({"s1_d_1": {"2": {"RP": 0.99}}}))
    tag(db, Order("scripted", {"script": str(script)}))
    with db.reading() as session:
        after = {name: dump(session)[name] for name in before}
        assert desk.open_desk(session, get_user(session, "alice"), assignment(session, "alice", "s1_d_1")) == desk_before
    assert len(after["suggestion"]) == 2 * 107
    assert [row for name, rows in before.items() for row in rows if row not in after[name]] == []
    assert after["decision"] == before["decision"]


# The lease


def test_a_run_that_another_living_process_works_on_is_left_to_it(many: Database) -> None:
    run = interrupt(many)
    lease(many, run, owner(os.getppid()))
    with pytest.raises(Conflict, match=f"Run 1 is being worked on by {owner(os.getppid())}. Wait for it"):
        tag(many, SCRIPTED)
    assert count(many, run.id) == (250, 250)


def test_a_run_of_a_process_that_died_is_taken_over_at_once(many: Database) -> None:
    run = interrupt(many)
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    lease(many, run, owner(gone.pid))
    assert tag(many, SCRIPTED).id == run.id
    assert count(many, run.id) == (600, 600)


@pytest.mark.parametrize("who", ["elsewhere:1", "elsewhere:x"])
def test_a_process_of_another_machine_keeps_its_lease_while_its_heart_beats(many: Database, who: str) -> None:
    run = interrupt(many)
    lease(many, run, who)
    with pytest.raises(Conflict):
        tag(many, SCRIPTED)
    lease(many, run, who, age=timedelta(seconds=61))
    assert tag(many, SCRIPTED).id == run.id


def test_another_order_does_not_wait_for_a_run_that_is_worked_on(many: Database) -> None:
    lease(many, interrupt(many), owner(os.getppid()))
    assert tag(many, Order("scripted", threshold=0.9)).n_utterances == 600


def test_while_it_works_a_run_is_leased_to_this_process(many: Database) -> None:
    seen: list[tuple[str | None, bool]] = []
    tag(many, SCRIPTED, Watch(lambda done, total, note: seen.append((runs(many)[0].leased_by, runs(many)[0].heartbeat_at is not None))))
    assert seen == [(owner(os.getpid()), True)] * 3
    assert runs(many)[0].leased_by is None


# The local tagger


def test_the_local_tagger_proposes_for_every_utterance_codes_of_its_role(db: Database) -> None:
    run = tag(db, Order("local"))
    with db.reading() as session:
        _, taxonomy = tagging.current(session)
        rows = session.execute(
            select(col(Utterance.role), col(Suggestion.codes), col(Suggestion.confidence), col(Suggestion.reason))
            .join(Suggestion, col(Suggestion.utterance_id) == col(Utterance.id))
            .where(col(Suggestion.run_id) == run.id)
        ).all()
    assert len(rows) == 107
    for role, codes, confidence, reason in rows:
        taxonomy.check_label(role, tuple(codes.split("|")))
        assert 0 < confidence <= 1
        assert reason


def test_learning_from_somebody_without_imported_labels_is_refused(db: Database) -> None:
    for name, said in (("alice", "No imported labels belong to alice"), ("nobody", "There is no user 'nobody'")):
        with pytest.raises(Exception, match=said):
            tag(db, Order("local", train_on=(name,)))
    assert len(runs(db)) == 1


def test_a_project_without_conversations_makes_an_empty_run(empty: Empty) -> None:
    db = empty()
    assert tag(db, SCRIPTED).n_utterances == 0
    with db.reading() as session:
        assert [session.scalar(select(func.count()).select_from(table)) for table in (Conversation, Decision, Suggestion)] == [0, 0, 0]
