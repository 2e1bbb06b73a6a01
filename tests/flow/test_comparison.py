"""Runs compared with people, gold and each other: which labels count, what is said about them, what it cost."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select

from annotator.errors import AnnotatorError, BadInput, Forbidden, NotFound
from annotator.flow import accounts, comparison, comparison_report
from annotator.flow.access import EVERYTHING, view_of
from annotator.flow.accounts import get_user
from annotator.flow.intake import import_paths
from annotator.flow.intake_facts import Options
from annotator.flow.reference import everybody
from annotator.flow.review import Act
from annotator.flow.round import Wanted, create_round
from annotator.models import Call, Failure, Run, Suggestion, now
from annotator.paths import shipped
from flow.steps import act, blind, hand_in, label, label_repeat, reopen, role_at, settle, utterance_id


def report(session: Session, what: str, run_id: int = 1, **options: Any) -> dict[str, Any]:
    return comparison.report(session, EVERYTHING, run_id, what, **options)


def work(session: Session, name: str, conversation: str, round_name: str = "r1") -> None:
    """Somebody labels four utterances and hands in: the first two as run 1 proposes, the others not."""
    for position in (1, 2, 3, 4):
        codes = proposal(session, conversation, position) if position < 3 else [other(session, conversation, position)]
        label(session, name, conversation, position, *codes, round_name=round_name)
    hand_in(session, name, conversation, round_name)


def proposal(session: Session, conversation: str, position: int) -> list[str]:
    return session.get_one(Suggestion, (utterance_id(session, conversation, position), 1)).codes.split("|")


def other(session: Session, conversation: str, position: int) -> str:
    """A code that run 1 proposes nowhere."""
    return {"Seeker": "NR", "Assistant": "RC"}[role_at(session, conversation, position)]


def second_run(session: Session, codes: str = "PCT", conversation: str = "s1_d_1", **facts: Any) -> Run:
    """Another run that says something of the first three utterances of a conversation."""
    first = session.get_one(Run, 1)
    made = {"tagger": "other", "version": "1", "threshold": 0.5, "known": "", "finished_at": now()} | facts
    run = Run(**made, taxonomy_version_id=first.taxonomy_version_id)
    session.add(run)
    session.flush()
    for position in (1, 2, 3):
        session.add(Suggestion(run_id=run.id, utterance_id=utterance_id(session, conversation, position), codes=codes, confidence=0.7))
    session.flush()
    return run


def call(session: Session, run_id: int, cost: float | None, model: str = "m-1") -> None:
    version = session.get_one(Run, run_id).taxonomy_version_id
    session.add(Call(run_id=run_id, taxonomy_version_id=version, key="k", prompt_hash="p", model_version=model, cost=cost))
    session.flush()


# Which labels count


def test_blind_labels_count_alone_where_there_are_any(session: Session) -> None:
    blind(session, "r1", "s1_d_1")
    work(session, "alice", "s1_d_1")
    work(session, "alice", "s2_d_2")
    found = report(session, "alice")
    assert (found["subset"], found["stratified"]["n_utterances"], found["stratified"]["n_conversations"]) == ("blind", 4, 1)
    assert (found["left_out"], found["warning"]) == ({"no_label": 99, "no_suggestion": 0, "not_blind": 4, "skipped": 0}, "")
    assert found["stratified"]["exact_match"] == 0.5


def test_all_labels_are_used_on_request_with_a_warning(session: Session) -> None:
    blind(session, "r1", "s1_d_1")
    work(session, "alice", "s1_d_1")
    work(session, "alice", "s2_d_2")
    found = report(session, "alice", every=True)
    assert (found["subset"], found["stratified"]["n_utterances"], found["left_out"]["not_blind"]) == ("all", 8, 0)
    assert found["warning"].startswith("Only 4 of the 8 labels of alice used here are known to be blind. The others were made, or may")


def test_without_blind_labels_all_are_used_with_a_warning(session: Session) -> None:
    work(session, "alice", "s1_d_1")
    found = report(session, "alice")
    assert (found["subset"], found["stratified"]["n_utterances"]) == ("all", 4)
    assert found["warning"].startswith("None of the 4 labels of alice used here is known to be blind.")
    assert "flatters the machine" in found["warning"]


def test_all_of_blind_labels_need_no_warning(session: Session) -> None:
    blind(session, "r1", "s1_d_1")
    work(session, "alice", "s1_d_1")
    assert report(session, "alice", every=True)["warning"] == ""


def test_imported_labels_are_not_known_to_be_blind(session: Session) -> None:
    import_paths(session, [shipped("sample") / "transcripts" / "s1_d_1.json"], None, Options(as_name="published"))
    found = report(session, "published")
    assert (found["subset"], found["stratified"]["n_utterances"]) == ("all", 32)
    assert "None of the 32 labels of published" in found["warning"]


def test_what_somebody_says_once_more_is_not_compared_nor_measured(session: Session) -> None:
    work(session, "alice", "s1_d_1")
    before = report(session, "alice"), len(everybody(session).labels)
    label_repeat(session, "alice", "s1_d_1", {1: "ACK", 5: "ACK"})
    assert (report(session, "alice"), len(everybody(session).labels)) == before


def test_gold_counts_as_blind_where_its_conversation_was_placed_blind(session: Session) -> None:
    settle(session, "s1_d_1", 1, "RTI")
    settle(session, "s2_d_2", 1, other(session, "s2_d_2", 1))
    found = report(session, "gold")
    assert (found["subset"], found["stratified"]["n_utterances"], found["stratified"]["exact_match"]) == ("all", 2, 0.5)
    assert "gold labels" in found["warning"]
    blind(session, "r1", "s1_d_1")
    found = report(session, "gold")
    assert (found["subset"], found["stratified"]["n_utterances"], found["left_out"]["not_blind"]) == ("blind", 1, 1)


def test_the_newest_gold_counts(session: Session) -> None:
    settle(session, "s1_d_1", 1, "ACK")
    settle(session, "s1_d_1", 1, "RTI")
    assert report(session, "gold")["stratified"]["exact_match"] == 1.0


def test_skips_are_in_no_figure_and_counted(session: Session) -> None:
    act(session, "alice", "s1_d_1", 3, Act.SKIP)
    label(session, "alice", "s1_d_1", 1, "RTI")
    hand_in(session, "alice", "s1_d_1")
    found = report(session, "alice")
    assert (found["stratified"]["n_utterances"], found["left_out"]["skipped"]) == (1, 1)


def test_the_label_at_the_first_submission_counts(session: Session) -> None:
    label(session, "alice", "s1_d_1", 1, "ACK")
    with pytest.raises(BadInput, match="alice has handed in no label yet"):
        report(session, "alice")
    hand_in(session, "alice", "s1_d_1")
    reopen(session, "alice", "s1_d_1")
    label(session, "alice", "s1_d_1", 1, "RTI")
    assert report(session, "alice")["stratified"]["exact_match"] == 0.0


def test_labels_of_several_rounds_need_a_choice(session: Session) -> None:
    create_round(session, Wanted("r2", ("alice",), run_id=1))
    work(session, "alice", "s1_d_1")
    label(session, "alice", "s1_d_1", 1, "ACK", round_name="r2")
    hand_in(session, "alice", "s1_d_1", "r2")
    with pytest.raises(BadInput, match="1 utterances in more than one round"):
        report(session, "alice")
    assert report(session, "alice", round_name="r2")["stratified"]["exact_match"] == 0.0
    assert report(session, "alice", round_name="r1")["stratified"]["n_utterances"] == 4


# Runs


def test_two_runs_are_compared_on_what_both_say(session: Session) -> None:
    second_run(session)
    found = report(session, "2")
    assert (found["reference"]["kind"], found["reference"]["run"]["tagger"], found["subset"]) == ("run", "other", "all")
    assert (found["stratified"]["n_utterances"], found["left_out"]["no_label"], found["warning"]) == (3, 104, "")


def test_a_number_wins_over_a_name(session: Session) -> None:
    accounts.named(session, "2")
    with pytest.raises(NotFound, match="There is no run 2. Known: 1"):
        report(session, "2")


def test_differing_and_several_model_versions_are_warned_of(session: Session) -> None:
    second_run(session)
    call(session, 1, 0.1, "m-1")
    call(session, 2, 0.1, "m-2")
    assert report(session, "2")["warning"] == "The runs' model versions differ: m-1 and m-2."
    call(session, 2, 0.1, "m-3")
    assert "Run 2 holds answers of several model versions: m-2, m-3." in report(session, "2")["warning"]


def test_an_unfinished_run_is_compared_as_far_as_it_came(session: Session) -> None:
    second_run(session, finished_at=None)
    session.add(Failure(run_id=2, utterance_id=utterance_id(session, "s1_d_1", 4), reason="timeout"))
    work(session, "alice", "s1_d_1")
    found = report(session, "alice", run_id=2)
    assert (found["run"]["finished"], found["stratified"]["n_utterances"], found["left_out"]["no_suggestion"]) == (False, 3, 1)
    assert "Run 2 is not finished: compared is what it has, 3 suggestions." in found["warning"]
    assert "failed on 1 utterances" in found["warning"]


def test_cost_per_thousand_counts_what_suggestions_cost_whoever_paid_and_is_undefined_where_one_is_unknown(session: Session) -> None:
    second_run(session)
    assert report(session, "1", run_id=2)["run"]["cost_per_thousand"] == 0.0
    found = session.scalars(select(Suggestion).where(col(Suggestion.run_id) == 2)).all()
    for one in found:
        one.call_id, one.cost = 1, 0.002
    session.flush()
    assert report(session, "1", run_id=2)["run"]["cost_per_thousand"] == pytest.approx(2.0)
    found[0].cost = None
    session.flush()
    told = report(session, "1", run_id=2)["run"]
    assert (told["cost_per_thousand"], told["undefined"]["cost_per_thousand"]) == (None, "of 1 suggestions the cost is not known")


# What to look at


def test_disagreements_come_surest_first_and_with_all_that_is_needed(session: Session) -> None:
    label(session, "alice", "s1_d_1", 3, other(session, "s1_d_1", 3))
    label(session, "alice", "s1_d_1", 2, "PEP")
    label(session, "alice", "s1_d_1", 1, "ACK")
    hand_in(session, "alice", "s1_d_1")
    session.get_one(Suggestion, (utterance_id(session, "s1_d_1", 3), 1)).confidence = None
    session.flush()
    found = report(session, "alice")["disagreements"]
    assert [(row["utterance"], row["confidence"]) for row in found] == [("1", 0.9), ("2", 0.8), ("3", None)]
    second = found[1]
    assert (second["run"], second["reference"], second["role"], second["reason"]) == ("PCT|PEP", "PEP", "Seeker", "The script says so.")
    assert second["text"]


def test_text_shows_as_many_as_asked_and_never_control_characters(session: Session) -> None:
    work(session, "alice", "s1_d_1")
    found = report(session, "alice")
    found["disagreements"][0]["text"] = "\x1b[31mred\nline " + "x" * 200
    shown = comparison_report.as_text(found, 1)
    assert "(1 of 2)" in shown
    assert "\x1b" not in shown and "> [31mred line xxx" in shown.replace("  ", " ")
    assert "stratified" in shown and "Cost per thousand utterances: 0.0000 USD" in shown


def test_files_hold_everything_and_no_formula(session: Session, tmp_path: Path) -> None:
    work(session, "alice", "s1_d_1")
    found = report(session, "alice")
    found["disagreements"][0]["text"] = "=HYPERLINK(1)"
    paths = comparison_report.write_files(found, tmp_path / "new" / "out")
    assert [path.name for path in paths] == ["comparison.json", "codes.csv", "confusions.csv", "disagreements.csv"]
    assert json.loads(paths[0].read_text(encoding="utf-8")) == found
    tables = [list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")))) for path in paths[1:]]
    assert tables[2][0]["text"] == "'=HYPERLINK(1)" and len(tables[2]) == len(found["disagreements"])
    assert sum(int(row["n"]) for row in tables[1]) == 2
    assert {(row["role"], row["code"]): row["f1"] for row in tables[0]}["Assistant", "RTI"]
    with pytest.raises(BadInput, match="is a file"):
        comparison_report.write_files(found, paths[0])


def test_the_figures_are_json(session: Session) -> None:
    work(session, "alice", "s1_d_1")
    found = report(session, "alice")
    assert json.loads(json.dumps(found)) == found


# Refusals


@pytest.mark.parametrize(
    ("run_id", "what", "options", "said"),
    [
        (9, "alice", {}, "There is no run 9. Known: 1."), (2**70, "alice", {}, "There is no run"),
        (1, "zoe", {}, "There is no annotator 'zoe'. Known: alice, bob, cem, lea, rui"), (1, "1", {}, "Run 1 agrees with itself"),
        (1, "gold", {}, "There is no gold yet"), (1, "bob", {}, "bob has handed in no label yet"),
        (1, "gold", {"round_name": "r1"}, "--round chooses among an annotator's labels"),
        (1, "alice", {"round_name": "r9"}, "Nothing was handed in for a round 'r9'"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_a_sentence(session: Session, run_id: int, what: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(AnnotatorError) as refused:
        report(session, what, run_id, **options)
    assert said in str(refused.value)


def test_nothing_in_common_is_a_sentence(session: Session) -> None:
    second_run(session, conversation="s2_d_2")
    work(session, "alice", "s1_d_1")
    with pytest.raises(BadInput, match="Run 2 and alice have no utterance in common: the run has suggestions for 3 utterances"):
        report(session, "alice", run_id=2)


def test_a_run_without_suggestions_is_a_sentence(session: Session) -> None:
    second_run(session)
    for one in session.exec(select(Suggestion).where(col(Suggestion.run_id) == 2)):
        session.delete(one)
    session.flush()
    with pytest.raises(BadInput, match="Run 2 has no suggestion yet"):
        report(session, "1", run_id=2)


def test_annotators_may_not_compare_and_researchers_see_pseudonyms(session: Session) -> None:
    work(session, "alice", "s1_d_1")
    with pytest.raises(Forbidden):
        comparison.report(session, view_of(get_user(session, "alice")), 1, "alice")
    researcher = view_of(get_user(session, "rui"))
    with pytest.raises(NotFound, match=r"Known: annotator-1, annotator-2"):
        comparison.report(session, researcher, 1, "alice")
    assert comparison.report(session, researcher, 1, "annotator-1")["reference"]["name"] == "annotator-1"
