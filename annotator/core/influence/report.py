"""What the proposal did: a round's blind labels against its assisted ones, for everybody, per annotator, per code.

The arms are never put together in one figure. They are compared where the blind conversations were drawn by lot and both arms are large
enough; otherwise each arm's own figures stand, and what the proposal did "cannot be estimated", with the reason. The model is scored
against people on blind labels. Everything is clustered by conversation.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from annotator.core.agreement.arms import difference
from annotator.core.agreement.counts import SKIPPED
from annotator.core.agreement.joint import Figure, figures
from annotator.core.agreement.joint_codes import CodeSums, macro
from annotator.core.agreement.overview import Pool
from annotator.core.agreement.report import NO_CODE, SEVERAL
from annotator.core.influence.codes import code_rates, codes_of_role, shift_of, uses_of_role
from annotator.core.influence.proposed import Arm, Proposed, arm_of
from annotator.core.influence.rates import Check, changed, rates, unknown
from annotator.core.influence.shown import ASSISTED, BLIND, Background, Question
from annotator.core.influence.tested import alternative, paired
from annotator.core.influence.words import ERRORS, score, sentence, warnings

Arms = tuple[Arm, Arm]


def influence(shown: Proposed, question: Question, known: Background) -> dict[str, Any]:
    """The whole report of the round asked about; labels of other rounds serve only where the same person labelled blind and assisted.

    {"sentence", "round", "run", "headline", "model", "arms": {ARM: counts}, BLOCK, "annotators": {NAME: BLOCK},
    "codes": {ROLE: {CODE: ...}}, "paired", "alternative", "undefined": {PATH: reason}, "warnings"}, with ARM blind or assisted.
    A BLOCK has
    - "human_human": {ARM: LINE, "difference"}, kappa between people, and "model_human": {ARM: LINE, "inflation"}, between people and
      model, stratified over people and roles: {"kappa": DIFFERENCE, "kappa_macro": DIFFERENCE}. A LINE has n_pairs (of labels),
      n_conversations, po, pe,
      kappa, se, ci95, se_iid, design_effect, kappa_macro with se and ci95, n_codes: the kappas of codes are averaged over those that
      are defined in both arms. `headline` names the one to read. For everybody also "roles".
    - "agreement_with_proposal", "seconds" per utterance and "at_once" (accepted in under 2 s): {ARM: ESTIMATE, "difference"}.
    - "acceptance", the assisted labels that equal the proposal, and "switch_to_model", see `arms.switch_to_model`: ESTIMATE.
    - "shift": {ROLE: the total variation distance of the codes, and for everybody the share of labels per code in either arm}.
    An ESTIMATE has value, se, ci95, n, n_conversations; a DIFFERENCE is assisted minus blind, see `arms.difference`.
    "model" is the model's score: on blind labels, unless the assisted ones are asked for.
    What is None has its reason in "undefined", under its path or that of what it is part of.
    """
    labels = shown.of_round(question.round or "")
    arms = arm_of(labels, BLIND), arm_of(labels, ASSISTED)
    check = Check(known.drawn, tuple(arm.name for arm in arms if not arm.labels.labelled.any()))
    report = {
        "round": {"name": question.round or "", "drawn": known.drawn, **known.round},
        "run": None if known.run is None else dict(known.run),
        "headline": _headline(labels),
        "arms": {arm.name: _counts(arm) for arm in arms},
        **_block(arms, check, question),
        "annotators": {
            name: _block((arms[0].of(at), arms[1].of(at)), check, question, alone=True) for at, name in enumerate(labels.ratings.annotators)
        },
        "codes": {},
        "paired": paired(shown, question.round or ""),
        "alternative": alternative(arms[0], question.epsilon),
        "undefined": {} if known.run is not None else {"run": "no run is pinned by this round, or the table does not say which"},
    }
    for at, role in enumerate(labels.ratings.roles):
        uses = uses_of_role(arms, at)
        report["codes"][role] = codes_of_role(arms, uses, role, check)
        report["shift"][role]["codes"] = code_rates(*uses, check)
    report["model"] = score(report, question)
    report["sentence"] = sentence(report)
    report["warnings"] = [*known.warnings, *warnings(labels, report, known)]
    return {"sentence": report.pop("sentence"), **report, "undefined": dict(_hoisted(report, ()))}


def _headline(labels: Proposed) -> str:
    sizes = np.array([len(label) for label in labels.ratings.labels] or [0])
    several = sizes[labels.ratings.label[labels.labelled]] > 1
    return "kappa_macro" if len(several) and several.mean() > SEVERAL else "kappa"


def _counts(arm: Arm) -> dict[str, int]:
    ratings = arm.labels.ratings
    return {
        "n_conversations": len(np.unique(ratings.conversation)),
        "n_annotators": len(np.unique(ratings.annotator)),
        "n_labels": int(arm.labels.labelled.sum()),
        "n_skipped": int((ratings.label == SKIPPED).sum()),
        "n_utterances": len(np.unique(ratings.unit[arm.labels.labelled])),
        "n_doubly_labelled": len(np.unique(arm.people.met.unit)),
        "n_with_proposal": int(arm.labels.compared.sum()),
    }


def _block(arms: Arms, check: Check, question: Question, *, alone: bool = False) -> dict[str, Any]:
    """The figures of everybody, or of one annotator alone, with fewer details."""
    blind, assisted = arms
    return {
        "human_human": _kappas((blind.people, assisted.people), check, of_people=True, alone=alone),
        "model_human": _kappas((blind.model, assisted.model), check, of_people=False, alone=alone),
        **rates(blind, assisted, check),
        "shift": {
            role: shift_of(*uses_of_role(arms, at), check, question, alone=alone) for at, role in enumerate(blind.labels.ratings.roles)
        },
    }  # fmt: skip


def _kappas(pools: tuple[Pool, Pool], check: Check, *, of_people: bool, alone: bool) -> dict[str, Any]:
    """Kappa in both arms and how it differs, over roles and, but for one annotator alone, for each."""
    what, change = ("doubly labelled utterances", "difference") if of_people else ("labels with a proposal", "inflation")
    roles = () if alone else pools[0].roles
    lines = [_lines(pool, len(roles)) for pool in _of_same_codes(*pools)]
    told = []
    for at, (blind, assisted) in enumerate(zip(*lines, strict=True)):
        sizes = [_size(pool, at - 1, of_people) for pool in pools]
        reason = check.why_not(what, (sizes[0], blind["n_conversations"]), (sizes[1], assisted["n_conversations"]))
        told.append({BLIND: blind, ASSISTED: assisted, change: _change(blind, assisted, reason)})
    return told[0] if alone else told[0] | {"roles": dict(zip(roles, told[1:], strict=True))}


def _size(pool: Pool, role: int, of_people: bool) -> int:
    """How many doubly labelled utterances, or labels beside a proposal; of all roles where `role` is -1."""
    unit = pool.met.unit if role < 0 else pool.met.unit[pool.met.role == role]
    return len(np.unique(unit) if of_people else unit)


def _change(blind: Mapping[str, Any], assisted: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """How kappa and the mean of the codes' kappas differ, unless there is a reason why that cannot be told."""
    n, m = blind["n_conversations"], assisted["n_conversations"]
    return {
        name: unknown("difference", reason) if reason else changed(difference(blind[name], blind[se], n, assisted[name], assisted[se], m))
        for name, (se, _) in ERRORS.items()
    }


def _lines(pool: Pool, n_roles: int) -> list[dict[str, Any]]:
    """The LINE over all roles, and that of each of the first so many."""
    met, codes = pool.met, list(pool.codes.values())
    if n_roles:
        figure = np.concatenate((np.zeros(len(met.a), dtype=np.int64), met.role + 1))
        met = met.where(np.tile(np.arange(len(met.a)), 2))
    else:
        figure = np.zeros(len(met.a), dtype=np.int64)
    found = figures(met, figure, n_roles + 1)
    return [_line(one, of) for one, of in zip(found, [codes, *([one] for one in codes[:n_roles])], strict=True)]


def _line(found: Figure, codes: Sequence[CodeSums]) -> dict[str, Any]:
    line = found.line()
    value, errors, n_codes = macro(codes)
    told = ("kappa_macro", "kappa_macro_se", "kappa_macro_ci95")
    if errors is None:
        why = dict.fromkeys(told, found.reason if found.n == 0 else NO_CODE)
        return line | dict.fromkeys(told) | {"n_codes": 0, "undefined": line["undefined"] | why}
    why = {f"kappa_macro_{name}": reason for name, reason in errors.why.items() if name in ("se", "ci95")}
    mean = dict(zip(told, (value, errors.se, errors.ci95 and list(errors.ci95)), strict=True))
    return line | mean | {"n_codes": n_codes, "undefined": line["undefined"] | why}


def _of_same_codes(blind: Pool, assisted: Pool) -> tuple[Pool, Pool]:
    """With the codes alone whose kappa is defined in both arms, where both have any: means over other codes cannot be compared."""
    common = {}
    for role in blind.codes:
        defined = [{one.codes[at] for at in np.flatnonzero(~np.isnan(one.kappa))} for one in (blind.codes[role], assisted.codes[role])]
        common[role] = defined[0] & defined[1]
    if not any(common.values()):
        return blind, assisted
    kept = [{role: _only(sums, common[role]) for role, sums in pool.codes.items()} for pool in (blind, assisted)]
    return replace(blind, codes=kept[0]), replace(assisted, codes=kept[1])


def _only(sums: CodeSums, codes: set[str]) -> CodeSums:
    at = [place for place, code in enumerate(sums.codes) if code in codes]
    columns = {name: getattr(sums, name)[at] for name in ("n_a", "n_b", "n_both", "kappa", "weight", "se_iid")}
    return replace(sums, codes=tuple(sums.codes[place] for place in at), clusters=sums.clusters[:, at], **columns)


def _hoisted(part: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Take every `undefined` out of its part of the report; each reason with the path of what it is about."""
    if isinstance(part, dict):
        yield from ((".".join((*path, name)), reason) for name, reason in part.pop("undefined", {}).items())
        parts: Any = part.items()
    else:
        parts = enumerate(part) if isinstance(part, list) else ()
    for name, inside in parts:
        yield from _hoisted(inside, (*path, str(name)))
