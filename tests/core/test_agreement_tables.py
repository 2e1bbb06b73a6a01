"""Tables of agreement: every part of the figures as a table, nothing invented where it is undefined, reasons beside it."""

from typing import Any

import pytest
from hypothesis import given, settings

from annotator.core.agreement import Asked, Handed, pairs_of_sample, sample_of, summary_of
from annotator.core.agreement.tables import cautions, direction, for_paper, tables
from annotator.core.table import Table
from core.test_overview import handed

CODEBOOK = {"Seeker": {"IQ": "Inquire", "RP": "Refine", "ACK": "Other"}, "Assistant": {"IQ": "Inquire", "RP": "Refine", "ACK": "Other"}}
THREE = [
    Handed("ana", "c1", "Seeker", ("IQ", "IQ", "ACK", "RP"), "r1", "blind", "v1"),
    Handed("ben", "c1", "Seeker", ("IQ", "RP", "ACK", "RP"), "r1", "blind", "v1"),
    Handed("cem", "c1", "Seeker", ("IQ", "RP", "", "RP"), "r1", "blind", "v1"),
    Handed("ana", "c2", "Assistant", ("IQ", "IQ", "IQ"), "r2", "assisted", "v2"),
    Handed("ben", "c2", "Assistant", ("IQ", "IQ", "IQ"), "r2", "assisted", "v2"),
    Handed("ana", "c1", "Seeker", ("IQ", "RP", "ACK", "RP"), "r1", "blind", "v1", True),
]


def figures_of(said: list[Handed], asked: Asked | None = None, codebook: Any = None) -> dict[str, Any]:
    sample = sample_of(said)
    return pairs_of_sample(sample, asked, codebook) | summary_of(sample, asked, codebook)


def by_name(figures: dict[str, Any]) -> dict[str, Table]:
    return {table.name: table for table in tables(figures)}


def rows(table: Table) -> list[dict[str, Any]]:
    return [dict(zip(table.heading, row, strict=True)) for row in table.rows]


def test_every_part_has_its_table() -> None:
    found = by_name(figures_of(THREE, codebook=CODEBOOK))
    assert list(found) == [
        "overall", "reading_aids", "pairs", "rest", "codes", "categories", "within_categories", "confusions", "what_if", "rounds",
        "themselves", "plan",
    ]  # fmt: skip


def test_a_part_that_is_missing_gives_no_table() -> None:
    assert tables({}) == []
    assert "categories" not in by_name(figures_of(THREE))
    two = [one for one in THREE if one.annotator != "cem" and not one.repeat]
    assert not {"themselves", "categories"} & set(by_name(figures_of(two)))
    assert {"reading_aids", "categories"}.isdisjoint(by_name(summary_of(sample_of(THREE))))


def test_the_overall_table_has_roles_conditions_and_reasons() -> None:
    figures = figures_of(THREE)
    scopes = {row["scope"]: row for row in rows(by_name(figures)["overall"])}
    assert list(scopes) == ["Assistant", "Seeker", "stratified", "blind only", "assisted only"]
    assert scopes["Seeker"]["kappa"] == figures["overview"]["roles"]["Seeker"]["kappa"]
    assert (scopes["Assistant"]["kappa"], scopes["Assistant"]["undefined"]) == (
        None, figures["overview"]["roles"]["Assistant"]["undefined"]["kappa"]
    )  # fmt: skip
    assert scopes["stratified"]["label pairs"] == 15


def test_labels_after_discussion_are_a_row_of_their_own() -> None:
    sample = sample_of(THREE)
    figures = summary_of(sample, now=(sample, 3))
    assert [row["scope"] for row in rows(by_name(figures)["overall"])][-1] == "after discussion"


def test_reading_aids_are_of_the_pair_where_two_are_compared_and_else_of_all() -> None:
    pair = by_name(figures_of(THREE, Asked(between=("ana", "ben")), CODEBOOK))["reading_aids"]
    assert {"kappa max", "pi", "s", "ac1", "exact match", "codes per label, ana", "codes per label, ben"} <= set(pair.heading)
    every = by_name(figures_of(THREE, codebook=CODEBOOK))["reading_aids"]
    assert {"alpha", "fleiss", "annotators"} <= set(every.heading) and "pi" not in every.heading
    assert {row["role"]: row["annotators"] for row in rows(every)} == {"Assistant": 2, "Seeker": 3}


def test_codes_stand_by_what_they_cost() -> None:
    found = rows(by_name(figures_of(THREE))["codes"])
    costs = [row["cost"] for row in found if row["role"] == "Seeker"]
    assert costs == sorted(costs, reverse=True) and costs[0] > 0
    (always,) = (row for row in found if row["role"] == "Assistant")
    assert (always["kappa"], always["undefined"]) == (None, "both annotators used it for every utterance")
    assert {row["few uses"] for row in found} == {True}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Asked(), "a and b are the labels of any two annotators, in no order"),
        (Asked(between=("ben", "cem")), "a is the label of ben, b that of cem"),
        (Asked(of="ben"), "a is the label of ben, b that of another annotator"),
        (Asked(of="ben", between=("ana", "ben")), "a is the label of ben, b that of ana"),
    ],
)
def test_whose_labels_are_confused_is_said(asked: Asked, said: str) -> None:
    figures = figures_of(THREE, asked)
    assert direction(figures) == said
    assert said in by_name(figures)["confusions"].notes[0]
    counts = [row["n"] for row in rows(by_name(figures)["confusions"])]
    assert counts == sorted(counts, reverse=True)
    assert "∅" in {row[at] for row in by_name(figures_of(THREE))["confusions"].rows for at in (1, 2)}


def test_rounds_name_their_versions_and_the_plan_says_what_cannot_be_told() -> None:
    found = by_name(figures_of(THREE, codebook=CODEBOOK))
    assert [row[:3] for row in found["rounds"].rows] == [("r1", "v1", "blind"), ("r2", "v2", "assisted")]
    plan = {(row["role"], row["code"]): row for row in rows(found["plan"])}
    assert plan["Assistant", "RP"]["undefined"] == "nobody used it on 3 pairs of labels"
    assert ("over roles", "") in plan and ("Seeker", "") in plan


def test_every_caption_is_one_sentence_of_unit_and_clustering() -> None:
    for table in tables(figures_of(THREE, codebook=CODEBOOK)):
        assert table.title.endswith(".") and table.title.count(". ") == 0
        assert "utterance" in table.title or "labels" in table.title or "conversations" in table.title
        if "se" in table.heading:
            assert "clustered by conversation" in table.title


def test_in_a_paper_reasons_stand_under_the_table() -> None:
    table = by_name(figures_of(THREE))["overall"]
    printed = for_paper(table)
    assert printed.heading == (
        "scope",
        "kappa",
        "macro",
        "macro of frequent codes",
        "po",
        "pe",
        "se",
        "se iid",
        "design effect",
        "label pairs",
        "conversations",
    )
    assert rows(printed)[1]["kappa"] == rows(table)[1]["kappa"] and rows(printed)[0]["kappa"] is None
    assert printed.title.endswith("and what is undefined is a dash, for the reason under the table.")
    assert printed.notes[0] == f"Undefined: {rows(table)[0]['undefined']} (Assistant, assisted only)."
    assert "Undefined: " in printed.latex() and for_paper(printed) == printed


def test_a_page_has_no_room_for_thousands_of_rows() -> None:
    table = Table("t", "T.", ("n",), tuple((at,) for at in range(1000)))
    assert (len(for_paper(table).rows), for_paper(table).notes) == (60, ("The first 60 of 1,000 rows.",))


def test_a_kappa_that_prevalence_makes_low_is_explained() -> None:
    many = ("OTH",) * 48
    said = [
        Handed(who, f"c{at}", "Seeker", (*many, *odd))
        for at in range(2) for who, odd in (("ana", ("RP", "OTH")), ("ben", ("OTH", "RP")))
    ]  # fmt: skip
    figures = figures_of(said)
    few, words = cautions(figures)
    assert few == "With 2 conversations intervals and design effects are rough: how conversations differ is told by few of them."
    assert "OTH is on 98 % of them" in words and "-0.02" in words
    assert by_name(figures)["reading_aids"].notes == (few, words)
    assert cautions(figures_of(THREE)) == [few]


def test_one_conversation_has_no_intervals() -> None:
    one = [Handed(who, "c1", "Seeker", ("IQ", "RP", "IQ")) for who in ("ana", "ben")]
    assert cautions(figures_of(one)) == ["With 1 conversation there are no intervals: how conversations differ cannot be told from one."]


def test_what_merging_would_leave_undefined_has_a_reason() -> None:
    said = [Handed(who, f"c{at}", "Seeker", ("IQ", "RP", last)) for at in range(3) for who, last in (("ana", "RP"), ("ben", "IQ"))]
    table = by_name(figures_of(said))["what_if"]
    (row,) = rows(table)
    assert row["merged"] is row["overall merged"] is None and row["settled"] == 1
    assert row["undefined"] == "merged, overall merged: everybody would use one label only, and chance alone would agree on it always"
    told = figures_of(said)
    told["what_if"]["Seeker"][0]["undefined"]["merged"] = "for a reason of its own"
    (row,) = rows(by_name(told)["what_if"])
    assert row["undefined"].startswith("merged: for a reason of its own; overall merged: everybody")


def test_margins_that_differ_are_explained() -> None:
    said = [
        Handed(who, f"c{at}", "Seeker", labels)
        for at in range(2) for who, labels in (("ana", ("RP",) * 6 + ("IQ",) * 4), ("ben", ("RP",) * 2 + ("IQ",) * 8))
    ]  # fmt: skip
    assert "ana and ben use labels unequally often" in cautions(figures_of(said))[1]


@settings(max_examples=30)
@given(handed())
def test_any_figures_have_tables_and_every_empty_kappa_has_a_reason(said: list[Handed]) -> None:
    for table in tables(figures_of(said, codebook=CODEBOOK)):
        assert table.csv() and table.latex() and for_paper(table).latex()
        if "kappa low" in table.heading:
            for row in rows(table):
                assert (row["kappa low"] is None) == bool(row["undefined"]), (table.name, row)
