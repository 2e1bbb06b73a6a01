"""Verifying what a report has beside the pairs: rounds, conditions, repeats, labels that stand now, what would be, the plan."""

import json
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from annotator.core.agreement import Asked, if_merged, sample_of_rows
from annotator.db import Database
from annotator.errors import Conflict
from annotator.flow import agreement as flow_agreement
from annotator.flow.access import EVERYTHING
from annotator.flow.acts import Act
from annotator.flow.intake import import_paths
from annotator.flow.intake_report import Options
from annotator.flow.verification import Verification, book, data_in, data_of, joint, verify
from annotator.flow.verification.book import Pair
from annotator.flow.verification.overview import with_themselves_tree
from annotator.flow.verification.plan import conversations_needed
from annotator.flow.verification.said import Row, Said, said_of
from annotator.flow.verification.what_if import what_if_tree
from flow.steps import SIZES, act, blind, hand_in, label, label_repeat, reopen, role_at, rolled_back, undo
from flow.verified import assert_equal_and_whole, by_chance, in_two_rounds, labelled, of_table

CODES = {"Seeker": ["PCT", "PEP", "RP"], "Assistant": ["RTI", "RP", "ACK"]}


def places(done: Verification) -> set[str]:
    return {one.where for one in done.checks}


def different(done: Verification) -> set[tuple[str, str]]:
    return {(one.where, one.figure) for one in done.different}


# A table


@pytest.mark.parametrize(
    "asked",
    [Asked(), Asked(round="first"), Asked(condition="blind"), Asked(between=("ann", "cem")), Asked("second", "assisted", ("ann", "ben"))],
    ids=["all", "a round", "a condition", "two annotators", "all of these"],
)  # fmt: skip
@pytest.mark.parametrize("several", [0.0, 0.4], ids=["single labels", "sets"])
def test_every_part_of_a_table_s_report_is_verified_whatever_was_asked_for(asked: Asked, several: float) -> None:
    rows = in_two_rounds(1, several=several)
    report = of_table(rows, asked)
    done = verify(data_of(rows), report, asked)
    assert_equal_and_whole(done, report)
    condition = f"by_condition, {asked.condition or 'blind'}"
    assert {"by_round, first", "by_round, second", condition, "matrix, ann - cem", "plan", "plan, Seeker"} <= places(done)
    assert asked.round == "second" or any(where.startswith("what_if, Seeker, ") for where in places(done))


def test_who_was_asked_once_more_is_verified_within_the_round_asked_for() -> None:
    rows = in_two_rounds(2)
    themselves = {asked: {one for one in places(verify(data_of(rows), of_table(rows, Asked(asked)), Asked(asked))) if "thems" in one}
                  for asked in ("first", "second")}  # fmt: skip
    assert themselves == {"first": {"with_themselves", "with_themselves, ann", "with_themselves, ben"}, "second": {"with_themselves"}}


@pytest.mark.parametrize("half_widths", [(0.005, 0.02), (0.2, 0.5)])
@pytest.mark.parametrize("seed", range(3))
def test_the_plan_is_verified_however_precise_it_shall_be(seed: int, half_widths: tuple[float, float]) -> None:
    rows = labelled(by_chance(seed, "ann ben cem", conversations=5 + 10 * seed))
    asked = Asked(half_width=half_widths[0], code_half_width=half_widths[1])
    report = of_table(rows, asked)
    assert_equal_and_whole(verify(data_of(rows), report, asked), report)
    found = different(verify(data_of(rows), report))
    assert {("plan", "half_width"), ("plan", "code_half_width"), ("plan", "overall.needed")} <= found


@pytest.mark.parametrize("copies", [2, 5])
def test_conversations_that_are_all_alike_give_no_plan(copies: int) -> None:
    """Every error is 0 then, where floating point may leave something of it."""
    once = labelled(by_chance(3, conversations=1, several=0.3))
    rows = [row._replace(conversation=f"c{at}") for at in range(copies) for row in once * 1]
    report = of_table(rows)
    assert_equal_and_whole(verify(data_of(rows), report), report)
    assert report["plan"]["overall"]["needed"] is None


def test_codes_asked_to_be_others_are_verified() -> None:
    rows = in_two_rounds(4)
    into = {"Seeker/A": "B", "C": "D"}
    report = of_table(rows) | {"what_if_asked": json.loads(json.dumps(if_merged(sample_of_rows(rows), Asked(), into)))}
    done = verify(data_of(rows), report)
    assert done.different == []
    assert {"what_if_asked, before, stratified", "what_if_asked, after, Seeker"} <= places(done)
    report["what_if_asked"]["merged"]["C"] = "B"
    assert {where.split(",")[1] for where, _ in different(verify(data_of(rows), report))} == {" after"}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (("by_round",), ("by_round", "rounds listed")),
        (("with_themselves",), ("with_themselves", "annotators listed")),
        (("what_if", "Seeker"), ("what_if, Seeker", "codes listed")),
    ],
)
def test_a_line_that_is_missing_or_there_twice_is_found(path: tuple[str, ...], found: tuple[str, str]) -> None:
    rows = in_two_rounds(5)
    report = of_table(rows)
    for change in (list.pop, lambda lines: lines.append(lines[0])):
        tampered = deepcopy(report)
        lines: Any = tampered
        for name in path:
            lines = lines[name]
        change(lines)
        assert found in different(verify(data_of(rows), tampered))


def test_a_number_needed_that_is_gone_without_a_reason_is_found() -> None:
    rows = in_two_rounds(6)
    report = of_table(rows)
    overall = report["plan"]["overall"]
    needed, overall["needed"] = overall["needed"], None
    assert different(verify(data_of(rows), report)) == {("plan", "overall.needed")}
    unknown = of_table(rows[:1])
    assert unknown["plan"]["overall"].pop("reason")
    assert ("plan", "overall.needed") in different(verify(data_of(rows[:1]), unknown))
    assert needed > 1


# By hand


def said(a: str, b: str) -> Said:
    rows = [(who, code) for who, codes in (("ann", a), ("ben", b)) for code in enumerate(codes.split())]
    return said_of(Row(who, f"c{at}", str(at), "Seeker", frozenset(label.split("+"))) for who, (at, label) in rows)


def test_what_if_by_hand() -> None:
    """A A B B against A B B B: po 3/4, pe (2·1 + 2·3)/16 = 1/2; with A and B one nothing is left to agree on; settled all agree."""
    (line,) = what_if_tree(said("A A B B", "A B B B"), "kappa")["Seeker"].values()
    values = {name: figure.value for name, figure in line.items()}
    assert values == {"codes": ["A", "B"], "n": 1, "now": 0.5, "merged": None, "settled": 1.0,
                      "overall_now": 0.5, "overall_merged": None, "overall_settled": 1.0}  # fmt: skip
    of_codes = what_if_tree(said("A+C A B B+C", "A+C B B B+C"), "kappa_macro")["Seeker"]
    assert {name: figure.value for name, figure in of_codes["A - B"].items()}["now"] == pytest.approx((0.5 + 0.5 + 1) / 3)


def test_with_themselves_by_hand() -> None:
    rows = [Row("ann", "c", str(at), "Seeker", frozenset(code), "r", repeat=repeat)
            for repeat, codes in ((False, "AABB"), (True, "ABBB")) for at, code in enumerate(codes)]  # fmt: skip
    other_round = [row._replace(round="r2") for row in rows if row.repeat]
    (line,) = with_themselves_tree([*rows, *other_round]).values()
    assert (line["kappa"].value, line["n_pairs"].value) == (0.5, 4)


@pytest.mark.parametrize(("se", "n", "half_width"), [(0.05, 60, 0.05), (0.3, 2, 0.05), (0.2, 7, 0.01), (0.001, 50, 0.5)])
def test_as_many_conversations_as_needed_do_and_one_less_does_not(se: float, n: int, half_width: float) -> None:
    from scipy.stats import t

    needed = conversations_needed(se, n, half_width)
    reach = [t.ppf(0.975, size - 1) * se * (n / size) ** 0.5 for size in (needed - 1, needed) if size > 1]
    assert reach[-1] <= half_width
    assert needed == 2 or reach[0] > half_width


label_of = st.frozensets(st.sampled_from("ABC"), max_size=2)


@given(st.lists(st.lists(st.tuples(st.sampled_from("cde"), label_of, label_of), max_size=8), min_size=1, max_size=3))
def test_between_two_annotators_margins_are_those_of_the_pair(roles: list[list[tuple[str, frozenset[str], frozenset[str]]]]) -> None:
    parts = [[Pair(*one) for one in part] for part in roles]
    strata = [joint.Stratum((str(at), "ann"), (str(at), "ben"), part) for at, part in enumerate(parts)]
    assert joint.agreed(joint.counted(strata)) == book.stratified(map(book.cohen, parts))
    assert joint.pulls(strata) == book.pulls(parts)


def test_margins_are_of_all_that_an_annotator_said() -> None:
    """Ann says A B where ben says A A, and A A where cem does: her margin of A is 3/4 with either of them."""
    met = {"ben": "AA BA", "cem": "AA AA"}
    strata = [
        joint.Stratum(("s", "ann"), ("s", other), [Pair(str(at), *two) for at, two in enumerate(said.split())])
        for other, said in met.items()
    ]  # fmt: skip
    found = joint.agreed(joint.counted(strata))
    assert (found.n, found.po, found.pe) == (4, Fraction(3, 4), Fraction(3, 4))
    assert found.kappa == 0


# A project


def work(session: Session, name: str, step: int, conversation: str = "s1_d_1") -> None:
    """Somebody labels a conversation, some utterances with two codes, skips one, leaves one out, and hands it in."""
    for position in range(1, SIZES[conversation] + 1):
        known = CODES[role_at(session, conversation, position)]
        if position == step:
            act(session, name, conversation, position, Act.SKIP)
        elif position != 2 * step:
            label(
                session, name, conversation, position, *({known[position % 3]} if position % step else {known[0], known[position % 2 + 1]})
            )
    hand_in(session, name, conversation)


def verified(session: Session, asked: Asked | None = None) -> tuple[Verification, dict[str, Any]]:
    report = json.loads(json.dumps(flow_agreement.report(session, EVERYTHING, asked or Asked())))
    return verify(data_in(session), report, asked), report


def test_the_report_of_a_project(session: Session) -> None:
    blind(session, "r1", "s2_d_2")
    for conversation in ("s1_d_1", "s2_d_2"):
        work(session, "alice", 3, conversation)
        work(session, "bob", 4, conversation)
    label_repeat(session, "alice", "s1_d_1", {1: "RTI", 2: "PCT", 3: "RP", 5: "ACK"})
    reopen(session, "bob", "s1_d_1")
    label(session, "bob", "s1_d_1", 2, "PEP")
    done, report = verified(session)
    assert_equal_and_whole(done, report)
    assert {one.oracle for one in done.checks} == {"scikit-learn", "statsmodels", "nltk", "by the book"}
    by_figure = {(one.where, one.figure): one for one in done.checks}
    assert by_figure["alice - bob, Assistant", "codes.RTI.kappa"].oracle == "scikit-learn"
    assert by_figure["alice - bob, stratified", "n_skipped"].theirs == 4
    assert by_figure["after_discussion", "n_changed"].theirs == 1
    assert by_figure["plan", "corpus.n_conversations"].theirs == 3
    assert by_figure["plan, Seeker", "codes.IQ.n_conversations"].theirs == 2  # nobody used it
    assert {"by_condition, blind", "by_condition, assisted", "by_round, r1", "with_themselves, alice"} <= places(done)
    for asked in (Asked(round="r1"), Asked(condition="blind"), Asked(between=("alice", "bob"))):
        assert_equal_and_whole(*verified(session, asked))


def test_without_the_taxonomy_the_plan_of_a_project_is_verified_all_the_same(session: Session) -> None:
    work(session, "alice", 3)
    work(session, "bob", 4)
    _, report = verified(session)
    done = verify(replace(data_in(session), codebook={}), report)
    assert done.different == []
    assert not any(one.where.startswith("plan") for one in done.not_verified)


def test_labels_that_changed_are_those_of_the_decisions(session: Session) -> None:
    for name in ("alice", "bob"):
        label(session, name, "s1_d_1", 2, "PCT")
        hand_in(session, name, "s1_d_1")
    done, report = verified(session)
    assert_equal_and_whole(done, report)
    assert report["after_discussion"] is None
    reopen(session, "bob", "s1_d_1")
    undo(session, "bob")
    done, report = verified(session)
    assert_equal_and_whole(done, report)
    assert (report["after_discussion"]["n_changed"], report["after_discussion"]["n_pairs"]) == (1, 0)
    wrong = [report | {"after_discussion": None}, report | {"after_discussion": report["after_discussion"] | {"n_changed": 2}}]
    assert [different(verify(data_in(session), one)) for one in wrong] == [
        {("report", "after_discussion")},
        {("after_discussion", "n_changed")},
    ]


def test_codes_in_another_order_are_no_change(session: Session, tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text("conversation,utterance,role,annotator,codes,round\ns1_d_1,2,Seeker,alice,PEP|PCT,r1\n", encoding="utf-8")
    import_paths(session, [file], None, Options())
    reopen(session, "alice", "s1_d_1")
    label(session, "alice", "s1_d_1", 2, "PCT", "PEP")
    done, report = verified(session)
    assert_equal_and_whole(done, report)
    assert report["after_discussion"] is None
    label(session, "alice", "s1_d_1", 2, "PCT")
    done, report = verified(session)
    assert_equal_and_whole(done, report)
    assert report["after_discussion"]["n_changed"] == 1


ACTS = st.lists(
    st.tuples(
        st.sampled_from(("alice", "bob")), st.sampled_from(("s1_d_1", "s2_d_2")), st.integers(1, 4),
        st.sampled_from(("label", "label", "two", "skip", "undo", "hand in", "hand in", "reopen")), st.integers(0, 2),
    ),
    max_size=30,
)  # fmt: skip


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(acts=ACTS)
def test_whatever_people_did_the_report_is_what_the_decisions_say(db: Database, acts: list[tuple[str, str, int, str, int]]) -> None:
    with rolled_back(db) as session:
        for name, conversation, at, what, which in acts:
            codes = CODES[role_at(session, conversation, at)]
            with suppress(Conflict):  # such as a label on what is handed in
                if what in ("label", "two"):
                    label(session, name, conversation, at, *{codes[which], codes[which - (what == "two")]})
                elif what == "skip":
                    act(session, name, conversation, at, Act.SKIP)
                elif what == "undo":
                    undo(session, name)
                elif what == "hand in":
                    hand_in(session, name, conversation)
                else:
                    reopen(session, name, conversation)
        assert_equal_and_whole(*verified(session))
