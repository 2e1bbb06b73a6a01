"""What is asked of a sample, answered: the figures of the lead's page and of `agree --json` beside those of every pair."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from annotator.core.agreement import report
from annotator.core.agreement.asked import Asked, Corpus
from annotator.core.agreement.overview import by_condition, by_round, matrix, overview_of, pool_of, rest, with_themselves
from annotator.core.agreement.planner import plan
from annotator.core.agreement.sample import Sample
from annotator.core.agreement.what_if import merged, what_if
from annotator.errors import BadInput

ALIKE = "all conversations say the same, so how far the figure may be from the truth cannot be told"

Codebook = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the labels: the taxonomy's role → code → category, the size of the corpus, and the labels as they stand
    now, with how many of them changed since the first submission.
    """

    codebook: Codebook = field(default_factory=dict)
    corpus: Corpus = field(default_factory=Corpus)
    now: tuple[Sample, int] | None = None


def chosen(sample: Sample, asked: Asked) -> Sample:
    """The first labels that the figures are of. Raises `BadInput` where an annotator labelled an utterance in two of the rounds."""
    found = sample
    if asked.round is not None:
        found = found.of_round(asked.round)
    if asked.condition is not None:
        if asked.condition not in found.conditions:
            known = ", ".join(filter(None, found.conditions)) or "not known"
            raise BadInput(f"There are no {asked.condition} labels. Conditions are: {known}.")
        found = found.only(found.condition == found.conditions.index(asked.condition))
    if asked.between is not None:
        found = found.of_annotators(asked.between)
    found.first.check_each_once()
    return found


def summary(sample: Sample, asked: Asked, known: Known) -> dict[str, Any]:
    """{"rounds", "taxonomy_versions", "conditions", "warnings", "overview", "verdict", "what_if", "plan", "matrix", "rest", "by_round",
    "by_condition", "with_themselves", "after_discussion"}.

    `matrix` has the figures of every two annotators, `rest` of each with all the others, whoever was asked for; `by_round` has all
    rounds. All else is of the round, condition and annotators asked for, which may be all; one annotator's own figures are without
    `what_if` and `plan`.
    """
    everyone = chosen(sample, replace(asked, between=None))
    found = everyone if asked.between is None else everyone.of_annotators(asked.between)
    told = {name: found.first.named(name) for name in ("rounds", "versions", "conditions")}
    return {
        "rounds": told["rounds"], "taxonomy_versions": told["versions"], "conditions": told["conditions"],
        "warnings": _warnings(told),
        **_of_pairs(everyone, found, asked, known),
        "by_round": by_round(sample, asked.of),
        "by_condition": by_condition(found, asked.of),
        "with_themselves": [one for one in with_themselves(found) if asked.of in (None, one["annotator"])],
        "after_discussion": _after(asked, known),
    }  # fmt: skip


def _of_pairs(everyone: Sample, found: Sample, asked: Asked, known: Known) -> dict[str, Any]:
    """What is made of all pairs of labels: those of everyone, and those of who was asked for. The pairs go when it is made."""
    among = pool_of(everyone.first.ratings, asked.of)
    pool = among if found is everyone else pool_of(found.first.ratings, asked.of)
    figures = overview_of(pool)
    return {
        "overview": figures,
        "verdict": verdict(figures, asked.threshold),
        "what_if": {} if asked.of is not None else what_if(pool, figures["headline"]),
        "plan": {} if asked.of is not None else plan(figures, asked, known.corpus, known.codebook),
        "matrix": [one for one in matrix(among) if asked.of is None or asked.of in one["annotators"]],
        "rest": [one for one in rest(among) if asked.of in (None, one["annotator"])],
    }


def pairs(sample: Sample, asked: Asked, known: Known) -> dict[str, Any]:
    """{"pairs", "all"}: every figure of every two annotators, and those over all of them; of one annotator their own pairs alone."""
    first = chosen(sample, asked).first
    wanted = report.Wanted(known.codebook, asked.draws, asked.seed)
    found = {"pairs": [pair for pair in report.all_pairs(first.ratings, wanted) if asked.of is None or asked.of in pair["annotators"]]}
    return found if asked.of is not None else found | {"all": report.all_annotators(first.ratings, wanted)}


def page(sample: Sample, asked: Asked, known: Known) -> dict[str, Any]:
    """`summary`, with every figure of the pair where two annotators are looked at, else with those over all of them."""
    found = summary(sample, asked, known)
    if asked.of is not None or found["overview"]["n_annotators"] == 2:
        return found | pairs(sample, asked, known)
    wanted = report.Wanted(known.codebook, asked.draws, asked.seed)
    return found | {"pairs": [], "all": report.all_annotators(chosen(sample, asked).first.ratings, wanted)}


def verdict(figures: Mapping[str, Any], threshold: float) -> dict[str, Any]:
    """Whether the lower 95 % limit of the headline figure, over roles and pairs, reaches the threshold: `met` is None where there is none.
    An interval without width, as of full agreement on a few utterances, promises nothing and is taken for none.

    >>> line = {"kappa": 0.8, "ci95": [0.74, 0.86], "undefined": {}}
    >>> verdict({"headline": "kappa", "stratified": line}, 0.7)["sentence"]
    'lower 95 % limit 0.740 ≥ your threshold 0.7'
    """
    name, line = figures["headline"], figures["stratified"]
    value, interval = line[name], line["ci95" if name == "kappa" else "kappa_macro_ci95"]
    found = {"figure": name, "value": value, "ci95": interval, "threshold": threshold}
    if interval is not None and interval[0] == interval[1]:
        return found | {"ci95": None, "met": None, "sentence": f"no lower limit: {ALIKE}"}
    if interval is None:
        why = line["undefined"].get(name) or line["undefined"].get("ci95") or line["undefined"].get("kappa_macro_ci95")
        return found | {"met": None, "sentence": f"no lower limit: {why}"}
    met = interval[0] >= threshold
    return found | {"met": met, "sentence": f"lower 95 % limit {interval[0]:.3f} {'≥' if met else '<'} your threshold {threshold:g}"}


def _warnings(told: Mapping[str, list[str]]) -> list[str]:
    found = []
    if len(told["rounds"]) > 1:
        names = ", ".join(name or "(imported)" for name in told["rounds"])
        found.append(f"Several rounds are in these figures: {names}. Choose one to report.")
    if len(told["versions"]) > 1:
        found.append(f"Labels under {len(told['versions'])} versions of the taxonomy are in these figures; codes may have changed meaning.")
    if {"blind", "assisted"} <= set(told["conditions"]):
        found.append("Blind and assisted labels are both in these figures. Proposals change how people label: look at each by itself.")
    return found


def _after(asked: Asked, known: Known) -> dict[str, Any] | None:
    if known.now is None:
        return None
    sample, n_changed = known.now
    pool = pool_of(chosen(sample, asked).first.ratings, asked.of)
    line: dict[str, Any] = overview_of(pool)["stratified"]
    return line | {"n_changed": n_changed}


def if_merged(sample: Sample, asked: Asked, into: Mapping[str, str]) -> dict[str, Any]:
    """{"merged": into, "before": overview, "after": overview}: the figures if codes had been others, CODE or ROLE/CODE to code."""
    ratings = chosen(sample, asked).first.ratings
    found = {"before": ratings, "after": merged(ratings, into)}
    return {"merged": dict(into), **{name: overview_of(pool_of(of, asked.of)) for name, of in found.items()}}
