"""The report of `influence` in a sentence, the model's score, and warnings."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from annotator.core.influence.proposed import Proposed
from annotator.core.influence.rates import FEWEST, NOTHING
from annotator.core.influence.shown import ASSISTED, BLIND, SAID, Background, Question
from annotator.core.influence.tables import percent

ERRORS = {"kappa": ("se", "ci95"), "kappa_macro": ("kappa_macro_se", "kappa_macro_ci95")}
"""The names of a kappa's error and interval in a line."""


def score(report: Mapping[str, Any], question: Question) -> dict[str, Any]:
    """How the model is scored against people: on blind labels, or on assisted ones where that is asked for."""
    name, subset = report["headline"], ASSISTED if question.assisted else BLIND
    line = report["model_human"][subset]
    interval = ERRORS[name][1]
    why = {"value": line["undefined"].get(name), "ci95": line["undefined"].get(interval)}
    if not report["arms"][subset]["n_labels"]:
        advice = "; labels that people gave with the proposals in view would flatter the model" if subset == BLIND else ""
        why = dict.fromkeys(("value", "ci95"), NOTHING[subset] + advice)
    return {
        "subset": subset, "figure": name, "value": line[name], "ci95": line[interval],
        "n": line["n_pairs"], "n_conversations": line["n_conversations"],
        "undefined": {key: reason for key, reason in why.items() if reason},
    }  # fmt: skip


def sentence(report: Mapping[str, Any]) -> str:
    """What the proposal did, or why that cannot be told."""
    switch = report["switch_to_model"]
    if switch["value"] is None:
        return f"What the proposal did cannot be told: {switch['undefined']['value']}."
    if switch["ci95"] is None:
        often = "more often" if switch["value"] > 0 else "less often" if switch["value"] < 0 else "as often"
        moved = f"net, {percent(switch['value'])} of those that would differ went over to it"
        why = switch["undefined"]["ci95"]
        return f"Labels equal the proposal {often} where people see it ({moved}); how sure that is cannot be told: {why}."
    low, high = switch["ci95"]
    interval = f"({percent(low).removesuffix(' %')} to {percent(high)})"
    if high < 0:
        return f"Labels equal the proposal less often where people see it: net, {percent(switch['value'])} {interval} went over to it."
    moved = f"of the labels that would differ from the model without it, {percent(switch['value'])} {interval} went over to it"
    if low > 0:
        return f"Seeing the proposal drew labels towards it: {moved}."
    return f"Whether seeing the proposal changed labels cannot be told from chance: {moved}."


def warnings(labels: Proposed, report: Mapping[str, Any], known: Background) -> list[str]:
    """What else must be said with the figures."""
    sample, told = labels.sample, []
    in_arms = sum(int(np.sum(sample.condition == at)) for at, name in enumerate(sample.conditions) if name in (BLIND, ASSISTED))
    if left_out := len(sample.condition) - in_arms:
        told.append(f"Of {left_out} labels it is not known whether they were given blind or assisted; they are in no figure.")
    model = report["model"]
    if model["subset"] == ASSISTED:
        told.append("The model is scored on labels given with its proposals in view. That flatters it: report the score on blind labels.")
    elif 0 < model["n"] < FEWEST:
        told.append(f"The model is scored on {model['n']} blind labels; fewer than {FEWEST} say little.")
    if known.drawn == SAID:
        told.append("That the blind conversations were drawn at random is the word of whoever asked; nothing here shows it.")
    if len(versions := sample.named("versions")) > 1:
        told.append(f"Labels under {len(versions)} versions of the taxonomy are in these figures; codes may have changed meaning.")
    return told
