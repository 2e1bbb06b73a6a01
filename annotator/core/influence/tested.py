"""Who labelled the same utterance blind and assisted, and whether the model may replace an annotator; parts of `influence`."""

from collections.abc import Hashable
from typing import Any

import numpy as np

from annotator.core.agreement.adoption import Adoption, adoption_of
from annotator.core.agreement.alternative import Against, Outcome, Verdict, alternative_test
from annotator.core.agreement.counts import Whole
from annotator.core.influence.proposed import Arm, Proposed
from annotator.core.influence.rates import estimate
from annotator.core.influence.shown import ASSISTED, BLIND

NO_PAIR = "nobody labelled an utterance blind in one round and later, in another, with the proposal in view"


def paired(shown: Proposed, round_name: str) -> dict[str, Any]:
    """{"everybody": ADOPTION, "rows": [{"annotator", "role", ADOPTION}]}: what each said of the same utterance blind and assisted, in
    two rounds of which one is this; see `adoption.adoption_of`. The proposal is the one that was seen.
    """
    blind, assisted = _twice(shown, round_name)
    ratings = shown.ratings
    if not len(blind):
        return {"everybody": None, "rows": [], "undefined": {"everybody": NO_PAIR}}
    rows = []
    group = ratings.annotator[blind] * len(ratings.roles) + ratings.role[blind]
    for one in np.unique(group).tolist():
        name, role = ratings.annotators[one // len(ratings.roles)], ratings.roles[one % len(ratings.roles)]
        found = _adoption(shown, blind[group == one], assisted[group == one])
        rows.append({"annotator": name, "role": role, **_told(found)})
    everybody = _told(_adoption(shown, blind, assisted))
    for name in ("kappa_blind", "kappa_assisted"):  # of several people in one table it would mix their margins
        everybody.pop(name), everybody["undefined"].pop(name, None)
    return {"everybody": everybody, "rows": rows}


def _twice(shown: Proposed, round_name: str) -> tuple[Whole, Whole]:
    """The ratings of one annotator and utterance, blind and assisted, one beside the other."""
    sample = shown.sample
    key = shown.ratings.unit * max(len(shown.ratings.annotators), 1) + shown.ratings.annotator
    here = sample.round == (sample.rounds.index(round_name) if round_name in sample.rounds else -1)
    blind = np.flatnonzero(_is(shown, BLIND) & shown.labelled)
    assisted = np.flatnonzero(_is(shown, ASSISTED) & shown.compared)
    _, at_blind, at_assisted = np.intersect1d(key[blind], key[assisted], return_indices=True)
    blind, assisted = blind[at_blind], assisted[at_assisted]
    meant = (sample.round[blind] != sample.round[assisted]) & (here[blind] | here[assisted])
    return blind[meant], assisted[meant]


def _is(shown: Proposed, condition: str) -> Any:
    names = shown.sample.conditions
    return shown.sample.condition == (names.index(condition) if condition in names else -1)


def _adoption(shown: Proposed, blind: Whole, assisted: Whole) -> Adoption:
    ratings = shown.ratings
    said = (shown.proposal[assisted], ratings.label[blind], ratings.label[assisted], ratings.conversation[blind])
    return adoption_of(*(part.tolist() for part in said))


def _told(found: Adoption) -> dict[str, Any]:
    shares = {name: estimate(getattr(found, name)) for name in ("agree_blind", "agree_assisted", "switch", "leave")}
    kappas = {"kappa_blind": found.kappa_blind, "kappa_assisted": found.kappa_assisted}
    why = {name: kappa.reason for name, kappa in kappas.items() if kappa.kappa is None} | ({"p": found.reason} if found.p is None else {})
    return {
        "n": found.n, **shares, "switched": found.switched, "left": found.left, "p": found.p,
        **{name: kappa.kappa for name, kappa in kappas.items()}, "undefined": why,
    }  # fmt: skip


def alternative(blind: Arm, epsilon: float) -> dict[str, Any]:
    """The alternative annotator test on blind labels: {"epsilon", "advantage", "by_item", "by_conversation", "against": {NAME: ...}}."""
    labels, ratings = blind.labels, blind.labels.ratings
    humans: dict[Hashable, dict[Hashable, Any]] = {name: {} for name in ratings.annotators}
    model: dict[Hashable, Any] = {}
    conversations: dict[Hashable, Hashable] = {}
    columns = (ratings.annotator, ratings.unit, ratings.conversation, ratings.label, labels.proposal)
    chosen = np.flatnonzero(labels.compared)
    for annotator, unit, conversation, label, proposal in zip(*(column[chosen].tolist() for column in columns), strict=True):
        humans[ratings.annotators[annotator]][unit] = ratings.labels[label]
        model[unit], conversations[unit] = ratings.labels[proposal], conversation
    told = {name: said for name, said in humans.items() if said}
    found = alternative_test(told, model, epsilon, conversations)
    reason = found.by_item.reason or "nobody was tested"
    return {
        "epsilon": epsilon,
        "advantage": found.advantage,
        "by_item": _verdict(found.by_item),
        "by_conversation": _verdict(found.by_conversation),
        "against": {str(name): _against(one) for name, one in found.against.items()},
        "undefined": {"advantage": reason} if found.advantage is None else {},
    }


def _verdict(found: Verdict) -> dict[str, Any]:
    told = {"winning_rate": found.winning_rate, "may_replace": found.may_replace}
    return told | {"undefined": {name: found.reason for name, value in told.items() if value is None}}


def _against(one: Against) -> dict[str, Any]:
    figures = {"advantage": one.advantage, "human_advantage": one.human_advantage}
    why = {name: "no other human labelled the same utterances blind" for name, value in figures.items() if value is None}
    tests = {"by_item": _outcome(one.by_item), "by_conversation": _outcome(one.by_conversation)}
    return {"n": one.n, "n_conversations": one.n_conversations, **figures, **tests, "undefined": why}


def _outcome(found: Outcome) -> dict[str, Any]:
    told = {"p": found.p, "wins": found.wins}
    return told | {"undefined": {name: found.reason for name, value in told.items() if value is None}}
