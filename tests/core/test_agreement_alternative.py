"""The alternative annotator test: known answers, the definition against SciPy, what must always hold, what is undefined."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtr
from scipy.stats import false_discovery_control, ttest_1samp
from vectors import cases, close

from annotator.core.agreement.alternative import Alternative, Rule, alternative_test
from annotator.core.agreement.student import t_tail

Humans = dict[str, dict[int, str]]


@cases("alt_test_*")
def test_known_answers(case: dict[str, Any]) -> None:
    data, wanted, params = case["data"], case["expected"], case["params"]
    found = alternative_test(data["humans"], data["llm"], params["epsilon"], rule=Rule(q=params.get("q", 0.05)))
    assert found.by_item.winning_rate == close(wanted["winning_rate"], case)
    assert found.advantage == close(wanted["advantage_probability"], case)
    assert [one.by_item.p for one in found.against.values()] == [close(p, case) for p in wanted["p_values"]]
    assert found.by_item.may_replace == (wanted["winning_rate"] >= 0.5)


def drawn(seed: int, n: int = 60, humans: int = 4, error: float = 0.3, missing: float = 0.0) -> tuple[Humans, dict[int, str]]:
    """Humans and a model who take the truth for something else now and then; some labels are missing."""
    draw = np.random.default_rng(seed)
    truth = draw.integers(0, 4, n)

    def said(wrong: float) -> dict[int, str]:
        labels = np.where(draw.random(n) < wrong, draw.integers(0, 4, n), truth)
        return {at: "ABCD"[code] for at, code in enumerate(labels.tolist()) if draw.random() >= missing}

    return {f"h{who}": said(error) for who in range(humans)}, said(error / 2)


def expected(humans: Humans, model: dict[int, str], epsilon: float) -> tuple[dict[str, float], float]:
    """p-values and winning rate straight from the definition, by SciPy."""
    p = {}
    for who, labels in humans.items():
        differences = []
        for at, label in labels.items():
            others = [said[at] for name, said in humans.items() if name != who and at in said]
            if others and at in model:
                human, machine = (sum(one == other for other in others) for one in (label, model[at]))
                differences.append(int(human >= machine) - int(machine >= human))
        p[who] = float(ttest_1samp(differences, epsilon, alternative="less").pvalue)
    return p, float(np.mean(false_discovery_control(list(p.values()), method="by") <= 0.05))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("missing", [0.0, 0.4])
def test_it_is_the_definition(seed: int, missing: float) -> None:
    humans, model = drawn(seed, n=150, missing=missing)
    found = alternative_test(humans, model, 0.1)
    p, rate = expected(humans, model, 0.1)
    assert {who: one.by_item.p for who, one in found.against.items()} == pytest.approx(p, rel=1e-9)
    assert found.by_item.winning_rate == rate


def test_a_borderline_case_is_decided_by_benjamini_and_yekutieli() -> None:
    """Some humans are beaten at .05 without the correction and not with it."""
    rates = [(alternative_test(*drawn(seed, humans=6), 0.1), expected(*drawn(seed, humans=6), 0.1)) for seed in range(20)]
    assert any(found.by_item.winning_rate < np.mean([one < 0.05 for one in p.values()]) for found, (p, _) in rates)
    assert all(found.by_item.winning_rate == rate for found, (_, rate) in rates)


# What must always hold

label = st.sampled_from("ABC")
several = st.frozensets(label, max_size=3)


def columns(labels: st.SearchStrategy[Any], annotators: int) -> st.SearchStrategy[list[list[Any]]]:
    return st.lists(st.lists(labels, min_size=30, max_size=30), min_size=annotators, max_size=annotators)


def asked(rows: list[list[Any]], model: list[Any], **more: Any) -> Alternative:
    return alternative_test({f"h{at}": dict(enumerate(row)) for at, row in enumerate(rows)}, dict(enumerate(model)), 0.15, **more)


def said(found: Alternative) -> dict[Any, tuple[float | None, bool | None]]:
    return {who: (one.by_item.p, one.by_item.wins) for who, one in found.against.items()}


@given(columns(label, 5), st.permutations(range(4)))
def test_the_order_of_humans_and_of_items_changes_nothing(rows: list[list[str]], order: list[int]) -> None:
    *humans, model = rows
    found = asked(humans, model)
    turned = asked([humans[at][::-1] for at in order], model[::-1])
    assert turned.by_item == found.by_item
    assert turned.advantage == pytest.approx(found.advantage)
    for place, at in enumerate(order):
        assert turned.against[f"h{place}"].by_item.wins == found.against[f"h{at}"].by_item.wins
        assert turned.against[f"h{place}"].by_item.p == pytest.approx(found.against[f"h{at}"].by_item.p)


@given(columns(label, 4), st.permutations("XYZ"))
def test_names_of_codes_change_nothing(rows: list[list[str]], names: list[str]) -> None:
    other = dict(zip("ABC", names, strict=True))
    *humans, model = rows
    *renamed, of_model = [[other[code] for code in row] for row in rows]
    assert asked(humans, model) == asked(renamed, of_model)


@given(columns(label, 4))
def test_a_label_and_the_set_of_it_are_the_same(rows: list[list[str]]) -> None:
    *humans, model = rows
    *sets, of_model = [[frozenset(code) for code in row] for row in rows]
    assert asked(humans, model) == asked(sets, of_model)


@given(columns(label, 3), st.integers(0, 2))
def test_a_model_that_is_one_of_three_humans_beats_all(rows: list[list[str]], who: int) -> None:
    found = asked(rows, rows[who])
    same = found.against[f"h{who}"]
    assert (same.by_item.p, same.by_item.wins, same.advantage, same.human_advantage) == (None, True, 1, 1)
    assert (found.by_item.winning_rate, found.by_item.may_replace, found.advantage) == (1, True, 1)


@given(columns(several, 4))
def test_conversations_of_one_item_are_no_clusters(rows: list[list[Any]]) -> None:
    *humans, model = rows
    found = asked(humans, model, conversations={at: f"c{at}" for at in range(30)})
    assert found.by_item == found.by_conversation
    assert all(one.by_item == one.by_conversation and one.n_conversations == 30 for one in found.against.values())


@given(columns(several, 4), st.floats(0, 0.3), st.floats(0.01, 0.3))
def test_advantages_are_shares_and_a_larger_epsilon_beats_more(rows: list[list[Any]], epsilon: float, more: float) -> None:
    *humans, model = rows
    labels: Mapping[str, Any] = {f"h{at}": dict(enumerate(row)) for at, row in enumerate(humans)}
    low, high = (alternative_test(labels, dict(enumerate(model)), bound) for bound in (epsilon, epsilon + more))
    assert 0 <= low.by_item.winning_rate <= high.by_item.winning_rate <= 1
    for one in low.against.values():
        assert one.advantage + one.human_advantage >= 1  # ties are in both


# Conversations


def test_items_of_one_conversation_tell_less() -> None:
    """In each conversation the model is either ahead throughout or behind throughout: eight draws, not eighty."""
    humans = {name: dict.fromkeys(range(80), "A") for name in ("h0", "h1", "h2")}
    humans["h0"] = {at: "B" if at // 10 < 5 else "A" for at in range(80)}
    model = {at: "A" if at // 10 < 5 else "C" for at in range(80)}
    found = alternative_test(humans, model, 0.15, {at: at // 10 for at in range(80)})
    one = found.against["h0"]
    assert (one.n, one.n_conversations, one.advantage, one.human_advantage) == (80, 8, 0.625, 0.375)
    assert one.by_item.p < 1e-3
    assert one.by_conversation.p > 0.05
    assert one.by_conversation.p == pytest.approx(t_tail((0.15 + 0.25) / (0.9682458366 / 7**0.5), 7), abs=1e-9)


def test_clustered_p_values_keep_their_word_where_those_by_item_do_not() -> None:
    """Three humans; d is epsilon on average, so that no more than one in twenty tests may say that it lies below."""
    draw, false = np.random.default_rng(8), {"by_item": 0, "by_conversation": 0}
    for _ in range(300):
        lead = np.repeat(draw.choice([-1, 0, 1], 20, p=[0.2, 0.45, 0.35]), 5)  # mean .15 is epsilon
        h0 = {at: "A" if d >= 0 else "B" for at, d in enumerate(lead.tolist())}
        model = {at: "A" if d <= 0 else "B" for at, d in enumerate(lead.tolist())}
        found = alternative_test({"h0": h0, "h1": dict.fromkeys(h0, "A"), "h2": dict.fromkeys(h0, "A")}, model, 0.15,
                                 {at: at // 5 for at in h0})  # fmt: skip
        false["by_item"] += found.against["h0"].by_item.p < 0.05
        false["by_conversation"] += found.against["h0"].by_conversation.p < 0.05
    assert false["by_conversation"] / 300 <= 0.08
    assert false["by_item"] / 300 >= 0.15


# Undefined, with the reason


def test_two_humans_are_too_few_unless_it_is_asked_for() -> None:
    humans, model = drawn(1, humans=2)
    found = alternative_test(humans, model, 0.1)
    assert found.by_item[:2] == found.by_conversation[:2] == (None, None)
    assert found.by_item.reason == "2 humans have labels that can be compared, and the test needs 3"
    assert found.advantage is None
    assert all(one.by_item.p is not None and one.by_item.wins is None for one in found.against.values())
    assert alternative_test(humans, model, 0.1, rule=Rule(min_humans=2)).by_item.winning_rate in (0, 0.5, 1)


def test_a_human_with_few_items_is_not_tested_and_still_judges() -> None:
    humans, model = drawn(2)
    few = {**humans, "h3": {at: humans["h3"][at] for at in range(29)}}
    found = alternative_test(few, model, 0.1)
    assert (found.against["h3"].n, found.against["h3"].by_item[:2]) == (29, (None, None))
    assert found.against["h3"].by_item.reason.startswith("29 items can be compared, and fewer than 30")
    assert found.by_item.winning_rate in (0, 1 / 3, 2 / 3, 1)
    without = alternative_test({who: humans[who] for who in ("h0", "h1", "h2")}, model, 0.1)
    assert said(found) != {**said(without), "h3": (None, None)}


def test_nobody_to_test() -> None:
    humans, model = drawn(3, n=20)
    found = alternative_test(humans, model, 0.1)
    assert found.by_item[:2] == (None, None)
    assert found.by_item.reason.startswith("nobody could be tested: 20 items")
    assert alternative_test({}, {}, 0.1).by_item.reason.startswith("0 humans")


def test_items_without_a_label_of_the_model_or_of_another_human_are_left_out() -> None:
    humans, model = drawn(4, n=70)
    humans["h0"][900] = model[900] = "A"  # nobody else
    humans["h0"][901] = humans["h1"][901] = "A"  # not the model
    assert alternative_test(humans, model, 0.1).against["h0"].n == 70


def test_one_other_human_on_an_item_is_enough() -> None:
    humans, model = drawn(5, n=90)
    rota = {who: {at: code for at, code in labels.items() if at % 4 != int(who[1]) and at % 4 != (int(who[1]) + 1) % 4}
            for who, labels in humans.items()}  # fmt: skip
    assert {one.n for one in alternative_test(rota, model, 0.1).against.values()} <= {44, 45, 46}


def test_without_spread_there_is_no_p_and_still_an_answer() -> None:
    same = {name: dict.fromkeys(range(40), "A") for name in ("h0", "h1", "h2")}
    for label, wins, words in (("A", True, "wins all the same, because 0 is below"), ("B", False, "loses all the same, because 1 is not")):
        found = alternative_test(same, dict.fromkeys(range(40), label), 0.15)
        assert {one.by_item[:2] for one in found.against.values()} == {(None, wins)}
        assert words in found.against["h0"].by_item.reason
        assert found.by_item.winning_rate == wins


def test_one_conversation_or_none_given() -> None:
    humans, model = drawn(6)
    for conversations, words in ((None, "are not given"), (dict.fromkeys(range(60), "c1"), "all of it is of one conversation")):
        found = alternative_test(humans, model, 0.1, conversations)
        assert found.by_item.winning_rate is not None
        assert found.by_conversation.winning_rate is None
        assert words in found.by_conversation.reason
        assert words in found.against["h0"].by_conversation.reason


def test_ties_of_shares_that_floating_point_cannot_add_are_ties() -> None:
    """The human agrees by 1/3, 1/2 and 1/6 with the others, the model by 1/6, 1/3 and 1/2: as well, in whatever order they are added."""
    shares = {"x": {"a": 1 / 3, "b": 1 / 2, "c": 1 / 6}, "y": {"a": 1 / 6, "b": 1 / 3, "c": 1 / 2}}
    humans = {name: dict.fromkeys(range(30), name) for name in "xabc"}
    found = alternative_test(humans, dict.fromkeys(range(30), "y"), 0.15, similarity=lambda a, b: shares.get(a, {}).get(b, 0.0))
    assert (found.against["x"].advantage, found.against["x"].human_advantage) == (1, 1)


@given(st.floats(-60, 60), st.floats(0.5, 5000))
def test_the_tail_of_t_is_that_of_scipy(t: float, df: float) -> None:
    assert t_tail(t, df) == pytest.approx(stdtr(df, -t), rel=1e-8, abs=1e-300)
    assert t_tail(t, df) + t_tail(-t, df) == pytest.approx(1)


@pytest.mark.parametrize(("df", "t"), [(1, 6.314), (5, 2.015), (10, 1.812), (30, 1.697), (120, 1.658)])
def test_the_tail_of_t_is_that_of_the_printed_tables(df: int, t: float) -> None:
    assert t_tail(t, df) == pytest.approx(0.05, abs=5e-5)
