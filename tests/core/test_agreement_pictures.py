"""Drawings of agreement: which there are, that undefined says why, that cells lead where the page wants."""

import pytest
from hypothesis import given, settings

from annotator.core.agreement import Asked, Handed
from annotator.core.agreement.pictures import MOST_LABELS, figures_svg
from core.drawn import drawn, every, titles, words
from core.test_agreement_tables import THREE, figures_of
from core.test_overview import handed


def test_three_annotators_have_all_drawings_and_two_those_that_say_something() -> None:
    assert list(figures_svg(figures_of(THREE))) == ["codes", "pairs", "confusion-Assistant", "confusion-Seeker", "rounds", "rest"]
    two = [one for one in THREE if one.annotator != "cem" and one.round == "r1"]
    assert list(figures_svg(figures_of(two))) == ["codes", "confusion-Seeker"]
    assert figures_svg({}) == {}


def test_codes_stand_by_cost_with_the_threshold_and_say_what_is_too_few() -> None:
    root = drawn(figures_svg(figures_of(THREE, Asked(threshold=0.8)))["codes"])
    said = words(root)
    assert "threshold 0.8" in said and [one for one in said if one in ("Assistant", "Seeker")] == ["Assistant", "Seeker"]
    assert any("too few to say" in one for one in titles(root))
    assert any("IQ: undefined; n 3/3, both annotators used it for every utterance" in one for one in titles(root))


def test_pairs_without_shared_utterances_say_so_and_the_diagonal_has_oneself() -> None:
    root = drawn(figures_svg(figures_of([*THREE, Handed("dora", "c9", "Seeker", ("IQ",), "r1")]))["pairs"])
    told = titles(root)
    assert any(one.startswith("ana, asked once more: ") for one in told)
    assert "ben was not asked once more" in told
    assert any(one.startswith("ana and dora: undefined; ") for one in told)


def test_cells_of_confusions_lead_to_their_utterances() -> None:
    asked = []

    def confused(role: str, a: str, b: str) -> str:
        asked.append((role, a, b))
        return f"/confused?{len(asked)}"

    picture = figures_svg(figures_of(THREE, Asked(between=("ana", "ben"))), confused)["confusion-Seeker"]
    assert ("Seeker", "IQ", "RP") in asked and ("Seeker", "RP", "IQ") not in asked
    root = drawn(picture)
    assert {one.get("href") for one in every(root, "a")} <= {f"/confused?{number + 1}" for number in range(len(asked))}
    assert "ana said IQ, ben RP: 1" in titles(root) and "ana and ben said IQ: 1" in titles(root)
    assert figures_svg(figures_of(THREE), between=lambda a, b: f"/agreement?{a}{b}")["pairs"].count("<a ") == 6


def test_with_many_annotators_a_confusion_is_in_both_triangles() -> None:
    told = titles(drawn(figures_svg(figures_of(THREE))["confusion-Seeker"]))
    assert {"one said IQ, the other RP: 2", "one said RP, the other IQ: 2", "one said ∅, the other ACK: 2"} <= set(told)


def test_of_many_labels_the_most_used_are_kept() -> None:
    labels = tuple(f"C{at:02}" for at in range(30) for _ in range(at + 1))
    said = [Handed(who, f"c{at}", "Seeker", labels[::way]) for at in range(2) for who, way in (("ana", 1), ("ben", -1))]
    root = drawn(figures_svg(figures_of(said))["confusion-Seeker"])
    assert (root[0].text or "").startswith(f"Labels of Seeker, the {MOST_LABELS} most used of 30")
    assert "C29" in words(root) and "C00" not in words(root)


@settings(max_examples=25)
@given(handed())
def test_any_figures_can_be_drawn(said: list[Handed]) -> None:
    for picture in figures_svg(figures_of(said)).values():
        drawn(picture)


@pytest.mark.parametrize("name", ["codes", "rest", "rounds"])
def test_intervals_are_explained_to_whoever_cannot_see_them(name: str) -> None:
    assert "95 % limits, clustered by conversation" in (drawn(figures_svg(figures_of(THREE))[name])[1].text or "")
