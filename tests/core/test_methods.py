"""The methods paragraph: every item of the reporting checklist is in it, from figures and facts or as a bracket, never made up."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from annotator.core.agreement import Asked, Handed
from annotator.core.agreement.methods import Drawn, Facts, Settled, methods, methods_latex
from core.test_agreement_tables import CODEBOOK, THREE, figures_of
from core.test_overview import handed

FACTS = Facts(
    software="conversation-annotator 0.1.0",
    drawn=(Drawn("r1", 3, None, 7, 0.2), Drawn("r2", 3, 2, 8, 0.2, conversations="conversations named c2*")),
    first=True,
    codes_per_label=(0, 2),
    n_labels=18, n_skipped=2, n_blank=1,
    proposals=("run 4 of the tagger gemini (gemini-3.5-flash-lite, prompt 9f2c41d07be3)",),
    settled=Settled(7, 4, 3, 1),
    pair_file="pairs.csv",
    of_project=True,
)  # fmt: skip


def figures() -> dict[str, Any]:
    return figures_of(THREE, codebook=CODEBOOK)


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ("coefficient and variant", "The coefficient is Cohen's kappa of the whole label"),
        ("coefficient and variant", "stratified by roles and pairs of annotators"),
        ("annotators: number", "at least two of 3 annotators"),
        ("annotators: training", "[who they are, and how they were trained]"),
        ("annotators: who saw what", "The software showed nobody the labels of others before they had handed in their own."),
        ("annotators: who labelled what", "In round r1 each conversation was labelled by all 3 annotators (seed 7; all conversations)."),
        ("n utterances and conversations", "7 utterances of 2 conversations"),
        (
            "how they were selected",
            "In round r2 each conversation was labelled by 2 of 3 annotators, drawn by lot (seed 8; conversations named",
        ),
        ("unit", "pre-segmented utterances"),
        ("single or multi-label", "A label is a set of 0 to 2 codes (multi-label); 0 % of labels hold several codes."),
        ("skip policy", "Of 18 labels to give, 2 were skipped and 1 left open"),
        ("kappa with clustered CI", "95 %, linearised, with errors clustered by conversation (G = 2"),
        ("kappa with clustered CI", "Kappa is 0."),
        ("po and pe", "Observed agreement po is 0."),
        ("po and pe", "chance agreement pe 0."),
        ("alpha or pi", "Krippendorff's alpha of the whole label 0."),
        ("per role", "Per role it is Assistant undefined (both"),
        ("per category", "With codes collapsed to their categories kappa is"),
        ("per code with n and CI", "Per code (this code against the rest; 4 codes in use"),
        ("per code with n and CI", "4 codes in use, on either side of the pairs of labels "),
        ("codes per label", "codes per label goes from 0.75 by cem to 1.00 by ben, a label counted for every pair it is in."),
        ("alpha or pi", "alpha with MASI over sets "),
        ("alpha or pi", "; MASI weighs the Jaccard similarity of two sets by 1 where they are equal, 2/3 where one holds the other, 1/3"),
        ("alpha or pi", "share no code, and two empty sets agree."),
        ("kappa with clustered CI", "pe from the margins of either annotator over all their pairs of labels of a role"),
        ("confusions", "; the two labels are in no order (all: table confusions)."),
        ("per code with n and CI", "too few to say: 4; without kappa: 1"),
        ("confusions", "Seeker IQ with RP (2)"),
        ("confusions", "Seeker ∅ with ACK (2)"),
        ("blind or assisted", "Some conversations were labelled blind, a share of 20 % drawn by lot beforehand"),
        ("which model and prompt", "run 4 of the tagger gemini (gemini-3.5-flash-lite, prompt 9f2c41d07be3) (assisted)"),
        ("adjudication procedure", "a lead who had labelled none of them settled 4 of 7 utterances with gold"),
        (
            "how often adjudication changed labels",
            "On 3 of these (75 %) gold differs from what at least one annotator had said, on 1 (25 %)",
        ),
        ("guideline version", "Codes are of taxonomy versions v1, v2."),
        ("software and version", "Figures were made with conversation-annotator 0.1.0."),
        ("the raw pair file", "The raw pairs of labels are in pairs.csv, kept at [where it can be found]."),
        ("self-agreement", "Silently asked once more, annotators agree with themselves: kappa is ana"),
        ("first labels", "as they were first handed in, before any discussion"),
        ("rounds and versions together", "[Check: Several rounds are in these figures: r1, r2."),
    ],
)
def test_an_item_of_the_checklist(item: str, words: str) -> None:
    assert words in methods(figures(), FACTS), item


def test_the_share_of_the_corpus_is_said_where_its_size_is_known() -> None:
    found = figures()
    found["plan"]["corpus"] = {"n_conversations": 20, "utterances": {"Seeker": 80, "Assistant": 60}}
    assert "7 utterances of 2 conversations (5 % of 140 utterances in 20 conversations)" in methods(found, FACTS)


@pytest.mark.parametrize(
    "words",
    [
        "selected by [how they were selected]", "annotators saw [what they saw]", "[whether these are the first labels",
        "[whether utterances could be skipped", "[which model, with which prompt]", "[procedure, and how often it changed labels]",
        "[software and version]", "[the raw pair file]", "[kappa per category, which needs the taxonomy]",
    ],
)  # fmt: skip
def test_what_is_not_known_is_a_bracket(words: str) -> None:
    assert words in methods(figures_of(THREE), Facts())


def test_of_a_table_nobody_knows_how_it_was_segmented_and_of_what_it_is_a_part() -> None:
    found = figures_of(THREE)
    found["plan"]["corpus"] = {"n_conversations": 20, "utterances": {"Seeker": 80, "Assistant": 60}}
    said = methods(found, replace(FACTS, of_project=False))
    assert said.startswith(
        "Agreement was measured on utterances [how they were segmented, and whether before they were labelled]: 7 utterances of 2 "
        "conversations (5 % of 140 utterances in 20 conversations of the table, which are [all of the corpus, or how they were chosen]) "
        "were labelled by at least two of 3 annotators"
    )


def test_one_of_a_thing_is_no_plural() -> None:
    one = [Handed(who, "c1", "Seeker", ("IQ",), "r1") for who in ("ana", "ben", "cem")]
    said = methods(figures_of(one), FACTS)
    assert "1 utterance of 1 conversation was labelled by at least two of 3 annotators, which makes 3 pairs of labels." in said
    assert "With 1 conversation there are no intervals" in said


def test_what_no_figure_has_is_a_bracket_too() -> None:
    unknown = [one._replace(version="", condition="", round="") for one in THREE if not one.repeat]
    said = methods(figures_of(unknown), Facts())
    assert "taxonomy [version]" in said and "[Whether annotators saw proposals of a model" in said
    found = figures()
    del found["pairs"], found["all"]
    assert "[alpha, which `annotator agree` gives]" in methods(found, FACTS)
    assert "[kappa per category, which `annotator agree --out` gives per pair of annotators: table categories]" in methods(found, FACTS)


def test_with_all_facts_only_what_no_tool_knows_is_left_in_brackets() -> None:
    left = re.findall(r"\[(.*?)\]", methods(figures(), FACTS))
    assert left[:3] == ["who they are, and how they were trained", "and by which rule the lead decided", "where it can be found"]
    assert [one[:7] for one in left[3:]] == ["Check: "] * len(figures()["warnings"])


def test_two_annotators_have_pi_and_their_own_bootstrap() -> None:
    said = methods(figures_of(THREE, Asked(between=("ana", "ben"), draws=50)), replace(FACTS, drawn=()))
    assert "were labelled by two annotators." in said and "stratified by roles, each" in said
    assert "Scott's pi" in said
    several = [Handed(who, f"c{at}", "Seeker", ("IQ", "RP", last), "r1") for at in range(4) for who, last in (("ana", "RP"), ("ben", "IQ"))]
    assert "A bootstrap of conversations (60 draws, seed 3)" in methods(figures_of(several, Asked(draws=60, seed=3)), FACTS)


def test_where_labels_hold_several_codes_the_mean_of_the_codes_is_reported() -> None:
    said = [
        Handed(who, f"c{at}", "Seeker", ("IQ|RP", "RP", last), "r1", "blind")
        for at in range(3) for who, last in (("ana", "RP"), ("ben", "IQ"))
    ]  # fmt: skip
    text = methods(figures_of(said), FACTS)
    assert "The coefficient is the mean of Cohen's kappa (each code against the rest, per role) over 2 codes" in text
    assert "The mean of the codes' kappas is " in text and "kappa of the whole label 0." in text
    assert "All labels were given blind, without proposals of a model." in text
    assert "The mean number of codes per label is 1.33 by ana and 1.33 by ben." in text
    assert "; the first label is that of ana, the second that of ben (all: table confusions)." in text
    assert "2 codes in use, by both annotators together " in text


def test_the_mean_of_codes_used_often_stands_beside_that_of_all() -> None:
    said = [
        Handed(who, f"c{at}", "Seeker", ("IQ|RP", "RP", last, "ACK" if at == 3 else "RP"), "r1", "blind")
        for at in range(12) for who, last in (("ana", "RP"), ("ben", "IQ" if at % 3 else "RP"))
    ]  # fmt: skip
    found = figures_of(said)
    line = found["overview"]["stratified"]
    assert (line["n_codes"], line["n_codes_frequent"]) == (3, 2)
    assert f", over the 2 codes of which ten uses by each are expected {line['kappa_macro_frequent']:.3f} (95 % " in methods(found, FACTS)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (replace(FACTS, codes_per_label=(1, 1)), "Each utterance got one code (single-label)."),
        (replace(FACTS, codes_per_label=None), "All labels hold one code at most (single-label)."),
        (replace(FACTS, n_skipped=None), "; labels missing in conversations that were labelled otherwise: 1"),
        (
            replace(FACTS, settled=Settled(5, 0, 0, 0)),
            "Equal labels became gold as they are (5 utterances); no utterance was adjudicated by a lead.",
        ),
        (replace(FACTS, settled=None), "[procedure, and how often it changed labels]"),
    ],
)
def test_facts_that_may_differ(facts: Facts, words: str) -> None:
    assert words in methods(figures(), facts)


def test_where_categories_are_known_and_their_kappa_is_not_the_taxonomy_is_not_missing() -> None:
    alike = [Handed(who, f"c{at}", "Seeker", ("IQ",), "r1") for at in range(2) for who in ("ana", "ben")]
    said = methods(figures_of(alike, codebook=CODEBOOK), FACTS)
    assert "Agreement on categories of codes is undefined (why: table within_categories)." in said and "needs the taxonomy" not in said


def test_in_latex_it_is_one_line() -> None:
    line = methods_latex(figures(), FACTS)
    assert line.count("\n") == 1 and line.isascii() and r"95 \%" in line and "{[}who they are" in line


def test_without_pairs_it_says_so() -> None:
    alone = [one for one in THREE if one.annotator == "ana" and not one.repeat]
    assert methods(figures_of(alone), FACTS) == "No utterance is labelled by two annotators, so there is no agreement to report."


@settings(max_examples=25)
@given(handed())
def test_nothing_undefined_is_printed_as_a_number(said: list[Handed]) -> None:
    for facts in (Facts(), FACTS):
        assert not re.search(r"None|\bnan\b|\binf\b|\{", methods(figures_of(said), facts))
