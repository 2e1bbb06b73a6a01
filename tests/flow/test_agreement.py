"""Agreement of a project: what was handed in, one round at a time, under the names a reader may see."""

import csv
import io
import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from sklearn.metrics import cohen_kappa_score
from sqlmodel import Session

from annotator import agreement_of, read_labels
from annotator.core.agreement import Asked
from annotator.core.labelled import Labelled, read_rows
from annotator.db import Database
from annotator.errors import BadInput
from annotator.flow import accounts, agreement, agreement_report
from annotator.flow.access import EVERYTHING, agreement_view, view_of
from annotator.flow.accounts import get_user
from annotator.flow.export import export_to
from annotator.flow.intake import import_paths
from annotator.flow.intake_facts import Options
from annotator.flow.review import Act
from annotator.flow.round import Wanted, create_round
from annotator.flow.taxonomy import current
from annotator.models import Role
from flow.steps import SIZES, act, close_round, hand_in, label, label_repeat, role_at

CODES = {"Seeker": ["PCT", "PEP", "RP"], "Assistant": ["RTI", "RP", "ACK"]}


def work(session: Session, name: str, step: int, conversation: str = "s1_d_1", round_name: str = "r1") -> None:
    """Somebody labels a whole conversation with codes that depend on `step`, some in twos, and hands it in."""
    for position in range(1, SIZES[conversation] + 1):
        codes = CODES[role_at(session, conversation, position)]
        chosen = {codes[position % 3]} if position % step else {codes[0], codes[position % 2 + 1]}
        label(session, name, conversation, position, *chosen, round_name=round_name)
    hand_in(session, name, conversation, round_name)


def pair(figures: dict[str, Any], *names: str) -> dict[str, Any]:
    (found,) = [one for one in figures["pairs"] if one["annotators"] == list(names)]
    return found  # type: ignore[no-any-return]


def assert_alike(here: Any, there: Any) -> None:
    """Equal, but for what floating point leaves where labels are numbered in another order."""
    if isinstance(there, dict):
        assert list(here) == list(there)
        for name, value in there.items():
            assert_alike(here[name], value)
    elif isinstance(there, list):
        assert len(here) == len(there)
        for one, other in zip(here, there, strict=True):
            assert_alike(one, other)
    else:
        assert here == (pytest.approx(there, abs=1e-9) if isinstance(there, float) else there)


def test_nothing_handed_in_is_nothing_to_compare(session: Session) -> None:
    label(session, "alice", "s1_d_1", 2, "PEP")
    label(session, "bob", "s1_d_1", 2, "PEP")
    figures = agreement.report(session, EVERYTHING)
    assert (figures["pairs"], figures["all"], figures["rounds"], figures["matrix"]) == ([], {}, [], [])
    assert figures["verdict"]["met"] is None
    assert agreement_report.as_text(figures).startswith("Nothing to compare yet")


def test_only_conversations_that_both_handed_in_are_compared(session: Session) -> None:
    work(session, "alice", 3)
    work(session, "bob", 4)
    work(session, "alice", 3, "s2_d_2")
    label(session, "bob", "s2_d_2", 1, "RTI")
    figures = pair(agreement.report(session, EVERYTHING), "alice", "bob")
    assert (figures["pooled"]["n_utterances"], figures["pooled"]["n_conversations"], figures["pooled"]["n_blank"]) == (32, 1, 0)


def test_proposals_are_nobodys_labels(session: Session) -> None:
    for name in ("alice", "bob"):
        hand_in(session, name, "s1_d_1")
    assert agreement.report(session, EVERYTHING)["pairs"] == []


def test_skips_and_open_utterances_are_counted_apart(session: Session) -> None:
    work(session, "alice", 3)
    label(session, "bob", "s1_d_1", 1, "RTI")
    act(session, "bob", "s1_d_1", 2, Act.SKIP)
    hand_in(session, "bob", "s1_d_1")
    figures = pair(agreement.report(session, EVERYTHING), "alice", "bob")["stratified"]
    assert (figures["n_utterances"], figures["n_skipped"], figures["n_blank"]) == (1, 1, 30)


def test_kappa_is_that_of_scikit_learn_on_the_exported_table(session: Session, tmp_path: Path) -> None:
    work(session, "alice", 3)
    work(session, "bob", 4)
    export_to(session, EVERYTHING, tmp_path / "labels.csv")
    said: dict[str, dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    with (tmp_path / "labels.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            said[row["role"]][row["annotator"]][row["utterance"]] = "|".join(sorted(row["codes"].split("|")))
    figures = pair(agreement.report(session, EVERYTHING), "alice", "bob")["roles"]
    for role in ("Seeker", "Assistant"):
        a, b = ([said[role][name][key] for key in said[role]["alice"] if key in said[role]["bob"]] for name in ("alice", "bob"))
        assert figures[role]["kappa"] == pytest.approx(cohen_kappa_score(a[:], b[:]), abs=1e-12)
        assert 0 < figures[role]["kappa"] < 1


def test_the_project_and_its_exported_table_give_the_same_figures(session: Session, tmp_path: Path) -> None:
    work(session, "alice", 3)
    work(session, "bob", 4)
    export_to(session, EVERYTHING, tmp_path / "labels.csv")
    table = read_labels(tmp_path / "labels.csv")
    wanted, taxonomy = agreement.report(session, EVERYTHING), current(session)[1]
    assert_alike(agreement.report_of(table, taxonomy=taxonomy), wanted)
    assert agreement_of(table)["pairs"][0]["roles"]["Seeker"]["ci95"] == wanted["pairs"][0]["roles"]["Seeker"]["ci95"]
    assert_alike(agreement.report_of(table, Asked(round="r1"), taxonomy), wanted)


# Rounds


def two_rounds(session: Session) -> None:
    create_round(session, Wanted("r2", ("alice", "bob")))
    for round_name, step in (("r1", 4), ("r2", 3)):
        work(session, "alice", 3, round_name=round_name)
        work(session, "bob", step, round_name=round_name)


def test_two_rounds_over_the_same_conversation_need_a_choice(session: Session) -> None:
    two_rounds(session)
    with pytest.raises(BadInput, match=r"alice labelled conversation s1_d_1 more than once, in more than one round\. .*--round NAME"):
        agreement.report(session, EVERYTHING)
    first, second = (agreement.report(session, EVERYTHING, Asked(round=name)) for name in ("r1", "r2"))
    assert (first["rounds"], second["rounds"]) == (["r1"], ["r2"])
    assert pair(first, "alice", "bob")["pooled"]["po"] < pair(second, "alice", "bob")["pooled"]["po"] == 1


def test_a_table_of_two_rounds_needs_a_choice_too(session: Session, tmp_path: Path) -> None:
    two_rounds(session)
    export_to(session, EVERYTHING, tmp_path / "labels.csv")
    table = read_labels(tmp_path / "labels.csv")
    with pytest.raises(BadInput, match="labelled conversation s1_d_1 more than once"):
        agreement.report_of(table)
    of_table = agreement.report_of(table, Asked(round="r2"), current(session)[1])
    assert_alike(of_table, agreement.report(session, EVERYTHING, Asked(round="r2")))


def test_rounds_over_different_conversations_go_together(session: Session) -> None:
    create_round(session, Wanted("r2", ("alice", "bob")))
    for name in ("alice", "bob"):
        work(session, name, 3)
        work(session, name, 3, "s2_d_2", "r2")
    figures = agreement.report(session, EVERYTHING)
    assert (figures["rounds"], agreement.rounds_with_labels(session, EVERYTHING)) == (["r1", "r2"], ["r2", "r1"])
    assert "Several rounds are in these figures" in figures["warnings"][0]
    assert pair(figures, "alice", "bob")["pooled"]["n_conversations"] == 2


def test_a_round_that_is_not_there_is_refused_with_those_that_are(session: Session) -> None:
    work(session, "alice", 3)
    with pytest.raises(BadInput, match=r"Nothing was handed in for a round 'r9'\. Known: r1"):
        agreement.report(session, EVERYTHING, Asked(round="r9"))
    with pytest.raises(BadInput, match="no labels of a round 'r9'"):
        agreement.report_of([], Asked(round="r9"))


def test_imported_labels_are_compared_with_those_of_people(session: Session, tmp_path: Path) -> None:
    work(session, "alice", 3)
    path = tmp_path / "labels.csv"
    path.write_text("conversation,utterance,role,annotator,codes\ns1_d_1,2,Seeker,dora,PCT\n")
    import_paths(session, [path], None, Options())
    figures = agreement.report(session, EVERYTHING)
    assert figures["rounds"] == ["", "r1"]
    assert pair(figures, "alice", "dora")["roles"]["Seeker"]["n_utterances"] == 1
    assert pair(figures, "alice", "dora")["roles"]["Seeker"]["n_blank"] == 14


# Names


def test_a_researcher_reads_the_same_figures_under_pseudonyms(session: Session) -> None:
    work(session, "alice", 3)
    work(session, "bob", 4)
    real = agreement.report(session, EVERYTHING)
    shown = agreement.report(session, view_of(get_user(session, "rui")))
    assert [one["annotators"] for one in shown["pairs"]] == [["annotator-1", "annotator-2"]]
    assert shown["pairs"][0]["roles"] == real["pairs"][0]["roles"]
    assert "alice" not in json.dumps(shown)


def test_the_sentence_about_two_rounds_names_no_one_to_a_researcher(session: Session) -> None:
    two_rounds(session)
    with pytest.raises(BadInput, match=r"^annotator-1 labelled"):
        agreement.report(session, view_of(get_user(session, "rui")))


def test_labels_imported_under_a_name_that_became_a_researcher_are_still_compared(session: Session, tmp_path: Path) -> None:
    work(session, "alice", 3)
    path = tmp_path / "labels.csv"
    path.write_text("conversation,utterance,role,annotator,codes\ns1_d_1,2,Seeker,dora,PCT\n")
    import_paths(session, [path], None, Options())
    accounts.add_user(session, "dora", Role.RESEARCHER)
    shown = agreement.report(session, view_of(get_user(session, "dora")))
    assert [one["annotators"] for one in shown["pairs"]] == [["annotator-1", "annotator-5"]]


# An annotator's own


def overlapping(session: Session) -> None:
    """Alice and Bob label one conversation, Bob and Cem another; all hand in."""
    create_round(session, Wanted("r2", ("bob", "cem")))
    work(session, "alice", 3)
    work(session, "bob", 4)
    for name in ("bob", "cem"):
        work(session, name, 3, "s2_d_2", "r2")


def own(session: Session, name: str, round_name: str | None = None) -> dict[str, Any]:
    return agreement.report(session, agreement_view(get_user(session, name)), Asked(round=round_name))


def test_an_annotator_sees_nothing_of_open_rounds(session: Session) -> None:
    overlapping(session)
    close_round(session, "r2")
    assert (own(session, "alice")["pairs"], own(session, "alice")["rounds"]) == ([], [])
    assert own(session, "bob")["rounds"] == ["r2"]
    for name in ("r1", "r9"):
        with pytest.raises(BadInput, match=rf"^No closed round of yours is called '{name}'\. Closed are: none yet\.$"):
            own(session, "alice", name)


def test_an_annotator_sees_the_pairs_they_are_in_when_the_round_is_closed(session: Session) -> None:
    overlapping(session)
    for name in ("r1", "r2"):
        close_round(session, name)
    real = pair(agreement.report(session, EVERYTHING, Asked(round="r1")), "alice", "bob")
    (found,) = own(session, "alice")["pairs"]
    assert found == real | {"annotators": ["alice", "annotator-1"]}
    assert "all" not in own(session, "alice")
    assert [one["annotators"][0] for one in own(session, "bob", "r1")["pairs"]] == ["annotator-1"]
    assert own(session, "cem")["rounds"] == ["r2"]
    assert not re.search("bob|cem", json.dumps([own(session, "alice"), own(session, "alice", "r1")]))


def test_two_others_are_told_apart_and_not_compared_for_somebody_else(session: Session) -> None:
    create_round(session, Wanted("r3", ("alice", "bob", "cem")))
    for step, name in enumerate(("alice", "bob", "cem"), 3):
        work(session, name, step, round_name="r3")
    close_round(session, "r3")
    assert [one["annotators"] for one in own(session, "alice")["pairs"]] == [["alice", "annotator-1"], ["alice", "annotator-2"]]
    assert own(session, "alice") == own(session, "alice", "r3")


def test_a_person_called_like_a_pseudonym_is_not_taken_for_another(session: Session) -> None:
    accounts.add_user(session, "annotator-1", Role.ANNOTATOR)
    create_round(session, Wanted("r3", ("annotator-1", "bob")))
    for name in ("annotator-1", "bob"):
        work(session, name, 3, round_name="r3")
    close_round(session, "r3")
    assert [one["annotators"] for one in own(session, "annotator-1")["pairs"]] == [["annotator-1", "annotator-2"]]


def test_imported_labels_are_in_no_annotators_own_agreement(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("conversation,utterance,role,annotator,codes\n" + "".join(f"s1_d_1,2,Seeker,{who},PCT\n" for who in ("alice", "dora")))
    import_paths(session, [path], None, Options())
    close_round(session, "")
    assert (own(session, "alice")["pairs"], own(session, "alice")["rounds"]) == ([], [])
    assert pair(agreement.report(session, EVERYTHING), "alice", "dora")["pooled"]["n_utterances"] == 1


# Repeats


def test_a_repeat_is_in_no_figure_between_people(session: Session) -> None:
    work(session, "alice", 3)
    work(session, "bob", 4)
    before = agreement.report(session, EVERYTHING)
    label_repeat(session, "alice", "s1_d_1", {1: "ACK", 2: "OTH"})
    after = agreement.report(session, EVERYTHING)
    assert [one["annotator"] for one in after.pop("with_themselves")] == ["alice"]
    assert after == {name: value for name, value in before.items() if name != "with_themselves"}
    close_round(session, "r1")
    assert own(session, "alice")["pairs"][0]["roles"] == before["pairs"][0]["roles"]


# Tables


def test_the_table_holds_every_scope_and_code_and_says_what_is_undefined(session: Session) -> None:
    for name in ("alice", "bob"):
        label(session, name, "s1_d_1", 1, "RTI")
        label(session, name, "s1_d_1", 2, "PCT")
        label(session, name, "s1_d_1", 3, "PEP" if name == "bob" else "PCT")
        hand_in(session, name, "s1_d_1")
    figures = agreement.report(session, EVERYTHING)
    rows = list(csv.DictReader(io.StringIO(agreement_report.as_csv(figures))))
    assert {(row["annotator_a"], row["annotator_b"]) for row in rows} == {("alice", "bob")}
    assert [row["scope"] for row in rows if not row["code"]] == ["Assistant", "Seeker", "stratified", "pooled"]
    assistant, seeker = ({row["code"]: row for row in rows if row["scope"] == role} for role in ("Assistant", "Seeker"))
    assert (assistant[""]["kappa"], assistant[""]["undefined"]) == ("", "both annotators used one label only, so chance agreement is 1")
    assert (assistant["RTI"]["kappa"], assistant["RTI"]["undefined"]) == ("", "both annotators used it for every utterance")
    assert (seeker[""]["kappa"], seeker[""]["n_utterances"], seeker["PEP"]["n_b"]) == ("0.0", "2", "1")
    assert {row["code"] for row in rows if row["scope"] == "pooled"} == {"", "Assistant/RTI", "Seeker/PCT", "Seeker/PEP"}


def test_the_text_says_undefined_and_why(session: Session) -> None:
    for name in ("alice", "bob"):
        label(session, name, "s1_d_1", 1, "RTI")
        hand_in(session, name, "s1_d_1")
    text = agreement_report.as_text(agreement.report(session, EVERYTHING))
    assert "undefined: both annotators used one label only" in text
    assert "pooled (flatters)" in text


def test_the_text_names_a_pair_that_shares_nothing_and_keeps_columns_apart() -> None:
    said = [("ana", "a"), ("ben", "b"), ("ana", "c"), ("cem", "c")]
    rows = [Labelled(conversation=key, utterance="1", role="Seeker", annotator=name, codes=("X",)) for name, key in said]
    text = agreement_report.as_text(agreement.report_of(rows))
    assert "ana - ben  share no utterance that both labelled" in text
    assert "undefinedundefined" not in text
    assert "ana - cem  Seeker                 undefined      1.000      1.000       1" in text


def test_rows_of_repeats_are_in_no_figure_between_people() -> None:
    heading = "conversation,utterance,role,annotator,codes"
    rows = [f"c1,{at},Seeker,{name},{code}" for at, (a, b) in enumerate(("AA", "BB", "AB"), 1) for name, code in (("ana", a), ("ben", b))]
    without = agreement.report_of(read_rows([heading, *rows], "t.csv"))
    repeated = [f"{row}," for row in rows] + [f"c1,{at},Seeker,ana,B,1" for at in (1, 2, 3)] + ["c1,1,Seeker,cem,B,1"]
    found = agreement.report_of(read_rows([f"{heading},repeat", *repeated], "t.csv"))
    assert [one["annotator"] for one in found.pop("with_themselves")] == ["ana"]
    assert found == {name: value for name, value in without.items() if name != "with_themselves"}


def test_a_name_that_a_spreadsheet_would_run_is_guarded_in_the_table() -> None:
    rows = [f'c1,1,Seeker,"{name}",ACK' for name in ("=1+1", "bob")]
    table = read_rows(["conversation,utterance,role,annotator,codes", *rows], "t.csv")
    assert "'=1+1" in agreement_report.as_csv(agreement.report_of(table))


def test_vogue_alone_has_one_annotator_and_no_pairs(vogue_db: Database) -> None:
    with vogue_db.reading() as session:
        figures = agreement.report(session, EVERYTHING)
    assert (figures["pairs"], figures["rounds"]) == ([], [""])
    assert {role: block["n_annotators"] for role, block in figures["all"].items()} == {"Seeker": 1, "Assistant": 1}
