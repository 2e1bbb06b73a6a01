"""What the proposal did: known answers, oracles, what must hold whatever the labels, and how often the intervals hold the truth."""

from collections.abc import Iterable, Iterator, Mapping
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from vectors import cases, close

from annotator.core.agreement.judgement import Handed
from annotator.core.influence import influence_of
from annotator.core.influence.pictures import figures_svg
from annotator.core.influence.shown import ASSISTED, BLIND, HERE, SAID, UNKNOWN, Background, Question, Shown
from annotator.core.influence.tables import all_in_one, everybody, tables
from core.drawn import drawn

CODES = {"Seeker": ["S1", "S2", "S3", "S4"], "Assistant": ["A1", "A2", "A3"]}
DRAWN = Background(drawn=HERE, run={"id": 1})
Row = tuple[str, str, str | bool | None, str | None]
"""Annotator, conversation, label and proposal."""


def one_by_one(rows: Iterable[Row], condition: str, round_name: str = "r1", role: str = "Seeker") -> list[Shown]:
    """Conversations of one utterance each."""
    return [Shown(Handed(who, key, role, (said,), round_name, condition, "v"), (proposal,), (None,)) for who, key, said, proposal in rows]


def report(shown: Iterable[Shown], known: Background = DRAWN, **question: Any) -> dict[str, Any]:
    return influence_of(shown, Question(**{"round": "r1", "draws": 20, **question}), known)


def corpus(rng: Random, conversations: int = 60, *, blind: float = 0.4, switch: float = 0.5, size: int = 8) -> Iterator[Shown]:
    """Two people label alike as far as a conversation is easy; where they see another proposal than their own label, they may go over."""
    of_blind = set(rng.sample(range(conversations), round(conversations * blind)))
    for at in range(conversations):
        condition = BLIND if at in of_blind else ASSISTED
        right, model_right = (min(0.95, max(0.4, rng.gauss(mean, 0.1))) for mean in (0.75, 0.65))
        for role, codes in CODES.items():
            truth = [rng.choice(codes) for _ in range(size // 2)]
            proposals = [say(rng, one, codes, model_right) for one in truth]
            for who in ("ana", "ben"):
                labels = [say(rng, one, codes, right) for one in truth]
                if condition == ASSISTED:
                    labels = [proposal if rng.random() < switch else label for label, proposal in zip(labels, proposals, strict=True)]
                seconds = [rng.expovariate(1 / (6 if condition == BLIND else 4)) for _ in labels]
                yield Shown(Handed(who, f"c{at}", role, labels, "r1", condition, "v"), proposals, seconds)


def say(rng: Random, truth: str, codes: list[str], right: float) -> str:
    return truth if rng.random() < right else rng.choice(codes)


# Known answers


@cases("anchoring_independent*")
def test_kappa_in_two_independent_arms(case: dict[str, Any]) -> None:
    shown = [one for arm in (BLIND, ASSISTED) for one in of_table(case["data"][arm], arm)]
    found, wanted = report(shown)["human_human"], case["expected"]
    assert (found[BLIND]["kappa"], found[ASSISTED]["kappa"]) == (close(wanted["kappa_blind"], case), close(wanted["kappa_assisted"], case))
    change = found["difference"]["kappa"]
    assert change["value"] == close(wanted["diff"], case)
    # Every utterance is a conversation here: the clustered error is that of independent utterances times sqrt(G / (G - 1)).
    assert change["se"] == pytest.approx(wanted["se_diff"], rel=0.005)


def of_table(table: list[list[int]], condition: str) -> Iterator[Shown]:
    cells = ((a, b) for a, row in enumerate(table) for b, n in enumerate(row) for _ in range(n))
    for at, labels in enumerate(cells):
        yield from one_by_one(((who, f"{condition}{at}", f"x{code}", None) for who, code in zip("AB", labels, strict=True)), condition)


@cases("anchoring_paired*")
def test_the_same_annotator_blind_and_assisted(case: dict[str, Any]) -> None:
    data, wanted = case["data"], case["expected"]
    shown = []
    for round_name, arm in (("r0", BLIND), ("r1", ASSISTED)):
        told = enumerate(zip(data[arm], data["llm"], strict=True))
        shown += one_by_one((("ana", f"c{at}", said, model) for at, (said, model) in told), arm, round_name)
    found = report(shown)["paired"]
    (row,) = found["rows"]
    assert (row["annotator"], row["n"], row["switched"], row["left"]) == ("ana", wanted["n"], wanted["mcnemar_b"], wanted["mcnemar_c"])
    shares = {"agree_llm_blind": "agree_blind", "agree_llm_assisted": "agree_assisted", "switch_to_llm_when_differs": "switch"}
    assert {name: row[ours]["value"] for name, ours in shares.items()} == {name: close(wanted[name], case) for name in shares}
    kappas = [close(wanted[name], case) for name in ("kappa_llm_blind", "kappa_llm_assisted")]
    assert [row["kappa_blind"], row["kappa_assisted"]] == kappas
    assert row["p"] == found["everybody"]["p"] == 0.25
    assert "kappa_blind" not in found["everybody"]


def test_the_model_is_scored_against_people_like_one_annotator_more() -> None:
    said = list(corpus(Random(3)))
    found = report(said)["model_human"]
    for condition in (BLIND, ASSISTED):
        above = below = 0.0
        for role in CODES:
            for who in ("ana", "ben"):
                mine = [one for one in said if (one.handed.annotator, one.handed.role, one.handed.condition) == (who, role, condition)]
                labels = [code for one in mine for code in one.handed.labels]
                proposals = [code for one in mine for code in one.proposals]
                po = sum(a == b for a, b in zip(labels, proposals, strict=True)) / len(labels)
                pe = 1 - (1 - po) / (1 - cohen_kappa_score(labels, proposals))
                above, below = above + len(labels) * (po - pe), below + len(labels) * (1 - pe)
        assert found[condition]["kappa"] == pytest.approx(above / below, abs=1e-12)


def test_shares_and_times_are_counted_per_arm() -> None:
    """Two conversations in each arm; in the assisted ones a label more is the proposal, and times are halved."""
    said = {
        BLIND: {"c1": ("xxyy", "xxxx", (4, 4, 8, None)), "c2": ("xyyy", "xxyy", (None,) * 4)},
        ASSISTED: {"c3": ("xxxy", "xxxx", (1, 1, 4, 2)), "c4": ("xyyy", "xxyy", (None,) * 4)},
    }
    shown = [
        Shown(Handed("ana", key, "Seeker", tuple(labels), "r1", condition, "v"), tuple(proposals), seconds)
        for condition, of_arm in said.items() for key, (labels, proposals, seconds) in of_arm.items()
    ]  # fmt: skip
    found = report(shown)
    assert [found["agreement_with_proposal"][arm]["value"] for arm in (BLIND, ASSISTED)] == [5 / 8, 6 / 8]
    assert found["acceptance"]["value"] == 6 / 8
    # Without a time of its own an utterance was confirmed with its turn; what nobody timed is left out.
    assert [(found["seconds"][arm]["value"], found["seconds"][arm]["n"]) for arm in (BLIND, ASSISTED)] == [(4, 4), (2, 4)]
    assert [(found["at_once"][arm]["value"], found["at_once"][arm]["n"]) for arm in (BLIND, ASSISTED)] == [(0, 3), (0.5, 4)]
    x = found["codes"]["Seeker"]["x"]
    assert [(x["kept"][arm]["value"], x["kept"][arm]["n"]) for arm in (BLIND, ASSISTED)] == [(3 / 6, 6), (4 / 6, 6)]
    assert [(x["added"][arm]["value"], x["added"][arm]["n"]) for arm in (BLIND, ASSISTED)] == [(0, 2), (0, 2)]
    assert [found["shift"]["Seeker"]["codes"]["x"][arm]["value"] for arm in (BLIND, ASSISTED)] == [3 / 8, 4 / 8]
    assert found["shift"]["Seeker"]["from_proposals"] == {BLIND: 3 / 8, ASSISTED: 2 / 8}


def test_whoever_always_agrees_with_the_model_leaves_nobody_to_go_over() -> None:
    said = [one._replace(handed=one.handed._replace(labels=one.proposals)) for one in corpus(Random(1))]
    found = report(said)
    assert (found["acceptance"]["value"], found["model_human"][ASSISTED]["kappa"], found["human_human"][BLIND]["kappa"]) == (1, 1, 1)
    assert found["switch_to_model"]["value"] is None
    assert found["sentence"] == (
        "What the proposal did cannot be told: people alone always said what the model says, so nobody could go over."
    )


def test_a_model_that_people_follow_is_told_from_one_they_ignore() -> None:
    followed, ignored = (report(corpus(Random(4), 120, switch=switch)) for switch in (0.6, 0.0))
    assert followed["sentence"].startswith("Seeing the proposal drew labels towards it: of the labels that would differ from the model")
    assert ignored["sentence"].startswith("Whether seeing the proposal changed labels cannot be told from chance")
    low, high = followed["model_human"]["inflation"]["kappa"]["ci95"]
    assert 0.1 < low < high < 0.6


def test_labels_against_the_proposal_are_told_too() -> None:
    def contrary(one: Shown) -> Shown:
        if one.handed.condition == BLIND:
            return one
        kept = 1 if one.handed.conversation.endswith(("1", "2")) else 2
        others = [next(code for code in CODES[one.handed.role] if code != proposal) for proposal in one.proposals]
        return one._replace(handed=one.handed._replace(labels=[*one.proposals[:kept], *others[kept:]]))

    found = report(map(contrary, corpus(Random(2))))
    assert found["sentence"].startswith("Labels equal the proposal less often where people see it: net, −")
    always = [one._replace(handed=one.handed._replace(labels=[*one.proposals[:2], "OTH", "OTH"])) for one in corpus(Random(2))]
    assert "how sure that is cannot be told: the rate of the blind arm has no error" in report(always)["sentence"]


def test_codes_that_one_arm_lacks_are_in_the_mean_of_neither() -> None:
    """Otherwise means over other codes would be compared."""

    def more(one: Shown) -> Shown:
        rare = one.handed.condition == ASSISTED and one.handed.role == "Seeker" and one.handed.conversation.endswith("1")
        first, *others = one.handed.labels
        return one._replace(handed=one.handed._replace(labels=[f"{first}|{'RARE' if rare else 'Z'}", *others]))

    found = report(map(more, corpus(Random(1))))
    assert found["headline"] == "kappa_macro"
    assert found["human_human"][BLIND]["n_codes"] == found["human_human"][ASSISTED]["n_codes"] == 9
    rare = found["codes"]["Seeker"]["RARE"]["model_human"]
    assert (rare[BLIND]["kappa"], rare[ASSISTED]["n_people"] > 0) == (None, True)
    assert found["undefined"]["codes.Seeker.RARE.model_human.blind.kappa"] == "neither people nor the model used it there"


# What cannot be estimated


def small(blind: int, conversations: int = 10) -> list[Shown]:
    """So many blind utterances, each labelled by two, in some conversations; the assisted arm is large enough."""
    rng, found = Random(1), []
    for condition, n, sizes in ((BLIND, blind, conversations), (ASSISTED, 120, 20)):
        for at in range(min(n, sizes)):
            size = len(range(at, n, sizes))
            proposals = rng.choices("xy", k=size)
            for who in ("ana", "ben"):
                handed = Handed(who, f"{condition}{at}", "Seeker", rng.choices("xy", k=size), "r1", condition, "v")
                found.append(Shown(handed, proposals, [None] * size))
    return found


WHY = {
    "no blind arm": (small(0), DRAWN, "nothing was labelled blind"),
    "no assisted arm": (
        [one for one in small(60) if one.handed.condition == BLIND], DRAWN, "nothing was labelled with the proposals in view",
    ),
    "few": (small(24), DRAWN, "the blind arm has 24 doubly labelled utterances, and fewer than 50 are too few to tell"),
    "one conversation": (small(60, 1), DRAWN, "the blind arm has one conversation, and how conversations differ cannot be told from one"),
    "not drawn": (small(60), Background(), "it is not known whether the blind conversations were drawn at random"),
    "no proposals": (
        [one._replace(proposals=[None] * len(one.proposals)) for one in small(60)], DRAWN, "the blind arm has no labels with a proposal",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WHY)
def test_what_cannot_be_estimated_is_none_with_the_reason(case: str) -> None:
    shown, known, reason = WHY[case]
    found = report(shown, known)
    part = "model_human.inflation.kappa" if case == "no proposals" else "human_human.difference.kappa"
    assert found["undefined"][f"{part}.value"] == found["undefined"][f"{part}.ci95"] == reason
    assert found["switch_to_model"]["value"] is None or case == "few"
    assert case == "few" or found["sentence"].startswith("What the proposal did cannot be told: ")


@pytest.mark.parametrize("known", [Background(), Background(drawn=SAID), DRAWN])
def test_each_arms_own_kappa_stands_without_a_draw(known: Background) -> None:
    found = report(small(60), known)
    assert found["human_human"][BLIND]["ci95"] and found["model_human"][ASSISTED]["ci95"] and found["model"]["ci95"]
    told = [found[name][change]["kappa"]["value"] for name, change in (("human_human", "difference"), ("model_human", "inflation"))]
    told += [found["seconds"]["difference"]["value"], found["shift"]["Seeker"]["distance"], found["switch_to_model"]["value"]]
    assert [value is None for value in told] == ([True] * 5 if known.drawn == UNKNOWN else [False, False, True, False, False])
    assert any("word of whoever asked" in warning for warning in found["warnings"]) == (known.drawn == SAID)


def test_the_model_is_scored_on_blind_labels_unless_asked_otherwise() -> None:
    blind, flattered = report(small(60)), report(small(60), assisted=True)
    assert (blind["model"]["subset"], blind["model"]["n"], blind["warnings"]) == (BLIND, 120, [])
    assert (flattered["model"]["subset"], flattered["model"]["n"]) == (ASSISTED, 240)
    assert flattered["warnings"] == [
        "The model is scored on labels given with its proposals in view. That flatters it: report the score on blind labels."
    ]
    assert {key: value for key, value in blind.items() if key not in ("model", "warnings")} == {
        key: value for key, value in flattered.items() if key not in ("model", "warnings")
    }
    nothing = report(small(0))
    assert nothing["model"]["value"] is None
    assert "would flatter the model" in nothing["undefined"]["model.value"]
    assert "The model is scored on 40 blind labels; fewer than 50 say little." in report(small(20))["warnings"]


def test_labels_of_unknown_condition_are_in_no_figure() -> None:
    unknown = [one._replace(handed=one.handed._replace(condition="", annotator="cem")) for one in small(60)]
    found, without = report([*small(60), *unknown]), report(small(60))
    assert found["warnings"] == ["Of 360 labels it is not known whether they were given blind or assisted; they are in no figure."]
    assert found["human_human"] == without["human_human"]


def test_the_alternative_annotator_test_takes_blind_labels_of_three() -> None:
    found = report(small(60))
    assert found["undefined"]["alternative.by_item.may_replace"] == "2 humans have labels that can be compared, and the test needs 3"
    third = [one._replace(handed=one.handed._replace(annotator="cem")) for one in small(60) if one.handed.annotator == "ana"]
    tested = report([*small(60), *third])["alternative"]
    assert set(tested["against"]) == {"ana", "ben", "cem"}
    assert tested["by_conversation"]["may_replace"] is False  # labels at random are nobody's substitute for two who are one
    assert tested["against"]["ana"]["n"] == 60


# What must hold


LABELS = st.lists(st.sampled_from(["x", "y", "x|y", "", False, None]), min_size=3, max_size=3)
PROPOSALS = st.lists(st.sampled_from(["x", "y", "y|x", None]), min_size=3, max_size=3)
SECONDS = st.lists(st.none() | st.floats(0, 60), min_size=3, max_size=3)


@st.composite
def shown(draw: st.DrawFn) -> list[Shown]:
    found = []
    for at in range(draw(st.integers(0, 4))):
        condition, round_name = draw(st.sampled_from([BLIND, ASSISTED, ""])), draw(st.sampled_from(["r1", "r1", "r0"]))
        for role in draw(st.sets(st.sampled_from(["Seeker", "Assistant"]))):
            proposals = draw(PROPOSALS)
            for name in draw(st.sets(st.sampled_from(["ana", "ben", "cem"]))):
                repeat = draw(st.booleans()) and round_name == "r0"
                handed = Handed(name, f"c{at}", role, draw(LABELS), round_name, condition, "v", repeat)
                found.append(Shown(handed, proposals, draw(SECONDS)))
    return found


def undefined(part: Any, path: str = "") -> Iterator[str]:
    """The paths of what is None."""
    if part is None:
        yield path
    inside = part.items() if isinstance(part, Mapping) else enumerate(part) if isinstance(part, list) else ()
    for name, value in inside:
        yield from undefined(value, f"{path}.{name}".strip("."))


@settings(max_examples=60)
@given(shown(), st.sampled_from([HERE, UNKNOWN]))
def test_whatever_the_labels_all_that_is_none_has_a_reason(said: list[Shown], drawn_by: str) -> None:
    found = report(said, Background(drawn=drawn_by))
    told = found["undefined"]
    assert [path for path in undefined(found) if not told.get(path)] == []
    assert all(isinstance(reason, str) and reason for reason in told.values())
    assert [table.csv() for table in [*tables(found), all_in_one(found)]]
    assert all(drawn(picture) is not None for picture in figures_svg(found).values())
    assert len(everybody(found)) >= 6


@settings(max_examples=60)
@given(shown())
def test_one_arm_knows_nothing_of_the_other(said: list[Shown]) -> None:
    whole = report(said)
    for arm in (BLIND, ASSISTED):
        alone = report([one for one in said if one.handed.condition == arm])
        assert whole["arms"][arm] == alone["arms"][arm]
        for name in ("human_human", "model_human", "agreement_with_proposal", "seconds", "at_once"):
            ours, theirs = whole[name][arm], alone[name][arm]
            assert {key: value for key, value in ours.items() if not key.startswith(("kappa_macro", "n_codes"))} == {
                key: value for key, value in theirs.items() if not key.startswith(("kappa_macro", "n_codes"))
            }
    assert report(reversed(said))["agreement_with_proposal"] == whole["agreement_with_proposal"]


# How often intervals hold the truth


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    def figures(found: dict[str, Any]) -> dict[str, Any]:
        return {
            "switch": found["switch_to_model"], "inflation": found["model_human"]["inflation"]["kappa"],
            "between people": found["human_human"]["difference"]["kappa"], "seconds": found["seconds"]["difference"],
            "acceptance": found["acceptance"], "code": found["codes"]["Seeker"]["S1"]["kept"]["difference"],
        }  # fmt: skip

    truth = {name: one["value"] for name, one in figures(report(corpus(Random(0), 3000, blind=0.5))).items()}
    assert truth["switch"] == pytest.approx(0.5, abs=0.05)
    hits = dict.fromkeys(truth, 0)
    for seed in range(60):
        for name, one in figures(report(corpus(Random(seed), 50), draws=5)).items():
            hits[name] += one["ci95"][0] <= truth[name] <= one["ci95"][1]
    # Of 60 intervals at 95 % fewer than 51 hold the truth once in three thousand times.
    assert min(hits.values()) >= 51, hits
