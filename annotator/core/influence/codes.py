"""What proposals did to single codes, and to the codes as a whole; parts of `influence`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotator.core.agreement.arms import difference
from annotator.core.agreement.codes import FEW
from annotator.core.agreement.counts import Real, Whole, totals
from annotator.core.agreement.overview import codes_of
from annotator.core.agreement.shift import total_variation
from annotator.core.influence.proposed import Arm, Mask
from annotator.core.influence.rates import Check, apart, both, changed, estimate, share, unknown
from annotator.core.influence.shown import ASSISTED, BLIND, Question

_FEWEST_DRAWS, _NUMBERS = 200, 2_000_000
_KAPPA = ("kappa", "se", "ci95", "interval")


@dataclass(frozen=True, slots=True)
class Uses:
    """What the labels of one role in one arm hold: a row per label, a column per code of `codes`, of people and of the model.

    `compared` says where there is a proposal; elsewhere the model's row is empty.
    """

    codes: tuple[str, ...]
    conversation: Whole
    people: Mask
    model: Mask
    compared: Mask

    def per_conversation(self, holds: Mask) -> Real:
        """How often each code (a column) was used in each conversation that has labels."""
        present, place = np.unique(self.conversation, return_inverse=True)
        label, code = np.nonzero(holds)
        size = len(self.codes)
        return totals(place[label] * size + code, np.ones(len(label)), len(present) * size).reshape(len(present), size)

    def from_proposals(self) -> float | None:
        """The total variation distance of people's codes from the model's, where there are both."""
        people, model = (holds[self.compared].sum(axis=0, dtype=np.float64) for holds in (self.people, self.model))
        if not people.sum() or not model.sum():
            return None
        return float(np.abs(people / people.sum() - model / model.sum()).sum() / 2)


def uses_of_role(arms: tuple[Arm, Arm], role: int) -> tuple[Uses, Uses]:
    """The uses of one role in the blind and the assisted arm, with the codes that anybody used there."""
    labels = arms[0].labels.ratings.labels
    chosen = [arm.labels.where(arm.labels.labelled & (arm.labels.ratings.role == role)) for arm in arms]
    used = np.unique(np.concatenate([part for one in chosen for part in (one.ratings.label, one.proposal[one.compared])]))
    codes = tuple(sorted(frozenset().union(*(labels[at] for at in used.tolist()))))
    none: frozenset[str] = frozenset()
    holds = np.array([[code in label for code in codes] for label in (*labels, none)], dtype=bool).reshape(len(labels) + 1, len(codes))
    blind, assisted = (
        Uses(codes, one.ratings.conversation, holds[one.ratings.label], holds[one.proposal], one.compared) for one in chosen
    )  # of a label without proposal the place is -1, the empty one that stands last
    return blind, assisted


def shift_of(blind: Uses, assisted: Uses, check: Check, question: Question, *, alone: bool = False) -> dict[str, Any]:
    """How far the codes of the arms are apart as a whole, and how far people's are from the model's in each arm.

    Of one annotator alone, or of very many conversations, fewer draws are made.
    """
    of_people = [uses.per_conversation(uses.people) for uses in (blind, assisted)]
    sizes = [(len(uses.conversation), len(table)) for uses, table in zip((blind, assisted), of_people, strict=True)]
    reason = check.why_not("labels", *sizes)
    found = unknown("shift", reason) | {"draws": 0}
    if not reason:
        affordable = _FEWEST_DRAWS if alone else max(_FEWEST_DRAWS, _NUMBERS // (sizes[0][1] + sizes[1][1]))
        told = total_variation(of_people[0], of_people[1], min(question.draws, affordable), question.seed)
        found = {name: getattr(told, name) for name in ("distance", "chance95", "p", "draws")}
        found |= {"ci95": told.ci95 and list(told.ci95), "undefined": dict(told.why)}
    near = {name: uses.from_proposals() for name, uses in ((BLIND, blind), (ASSISTED, assisted))}
    why = {name: "the arm has no label with a proposal and codes in both" for name, value in near.items() if value is None}
    return found | {"n_conversations": [sizes[0][1], sizes[1][1]], "from_proposals": near | {"undefined": why}}


def code_rates(blind: Uses, assisted: Uses, check: Check) -> dict[str, dict[str, Any]]:
    """{CODE: {"blind", "assisted", "difference", "ratio"}}: the share of labels that hold the code."""
    found = {}
    for at, code in enumerate(blind.codes):
        alone, shown = (share(uses.people[:, at], np.ones(len(uses.people), dtype=bool), uses.conversation) for uses in (blind, assisted))
        row = both(alone, shown, check, "labels")
        a, b = row[BLIND]["value"], row[ASSISTED]["value"]
        row["ratio"] = b / a if a and b is not None and row["difference"]["value"] is not None else None
        if row["ratio"] is None:
            row["undefined"] = {"ratio": row["difference"]["undefined"].get("value") or "the code was not used in the blind arm"}
        found[code] = row
    return found


def codes_of_role(arms: tuple[Arm, Arm], uses: tuple[Uses, Uses], role: str, check: Check) -> dict[str, dict[str, Any]]:
    """{CODE: {"model_human": {"blind", "assisted", "inflation"}, "kept", "added"}} of one role.

    `kept`: of the utterances for which the model proposes the code, the share whose label holds it. `added`: of those for which it
    does not, the share whose label holds it all the same. Both in the blind arm too, where nobody saw what is proposed: proposals
    may draw labels towards a code more than away from it.
    """
    kappas = [codes_of(arm.model.codes[role]) if role in arm.model.codes else ({}, {}) for arm in arms]
    n = [(int((arm.model.met.role == arm.model.roles.index(role)).sum()), one) for arm, one in zip(arms, _conversations(uses), strict=True)]
    reason = check.why_not("labels with a proposal", *n)
    found = {}
    for at, code in enumerate(uses[0].codes):
        lines = [_line(*of_arm, code) for of_arm in kappas]
        found[code] = {
            "model_human": {BLIND: lines[0], ASSISTED: lines[1], "inflation": _inflation(lines, n, reason)},
            "kept": _where(uses, at, check, proposed=True),
            "added": _where(uses, at, check, proposed=False),
        }
    return found


def _conversations(uses: tuple[Uses, Uses]) -> list[int]:
    return [len(np.unique(one.conversation[one.compared])) for one in uses]


def _line(codes: Mapping[str, Mapping[str, Any]], why: Mapping[str, str], code: str) -> dict[str, Any]:
    """One code's kappa between people and model in one arm."""
    if code not in codes:
        told = dict.fromkeys(_KAPPA, "neither people nor the model used it there")
        return {"n_people": 0, "n_model": 0, "n_both": 0, **dict.fromkeys(_KAPPA), "few": True, "undefined": told}
    line = codes[code]
    told = {name: why[f"{code}.{name}"] for name in _KAPPA if f"{code}.{name}" in why}
    counts = {"n_people": line["n_a"], "n_model": line["n_b"], "n_both": line["n_both"]}
    return counts | {name: line[name] for name in (*_KAPPA, "few")} | {"undefined": told}


def _inflation(lines: list[dict[str, Any]], n: list[tuple[int, int]], reason: str) -> dict[str, Any]:
    for name, line in zip((BLIND, ASSISTED), lines, strict=True):
        if line["few"] and not reason:
            reason = f"in the {name} arm people and model used it fewer than {FEW} times on average"
    if reason:
        return unknown("difference", reason)
    blind, assisted = lines
    return changed(difference(blind["kappa"], blind["se"], n[0][1], assisted["kappa"], assisted["se"], n[1][1]))


def _where(uses: tuple[Uses, Uses], code: int, check: Check, *, proposed: bool) -> dict[str, Any]:
    """How often labels hold a code where it is proposed, or where it is not."""
    shares = [share(one.people[:, code], one.compared & (one.model[:, code] == proposed), one.conversation) for one in uses]
    sizes = [(one.n, one.n_conversations) for one in shares]
    total = [(int(one.compared.sum()), conversations) for one, conversations in zip(uses, _conversations(uses), strict=True)]
    reason = check.why_not("labels with a proposal", *total)
    for name, (n, _) in zip((BLIND, ASSISTED), sizes, strict=True):
        if n < FEW and not reason:
            reason = f"in the {name} arm there are {n:.0f} such labels, and fewer than {FEW} are too few to tell"
    found = unknown("difference", reason) if reason else apart(*shares)
    return {BLIND: estimate(shares[0]), ASSISTED: estimate(shares[1]), "difference": found}
