"""The figures of a pair of annotators in one role and over roles: the blocks that `agree --json` prints."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from annotator.core.agreement import sets
from annotator.core.agreement.categories import category_figures
from annotator.core.agreement.codes import CodeFigures, code_figures
from annotator.core.agreement.coefficients import (
    NO_PAIR,
    Kappa,
    alpha,
    bennett_s,
    cohen_kappa,
    confusions,
    gwet_ac1,
    kappa_max,
    scott_pi,
    stratified_kappa,
)
from annotator.core.agreement.counts import SKIPPED, Cells, Ratings, pairs_of, pooled, used
from annotator.core.agreement.intervals import ONE_CONVERSATION, Errors, cluster_errors, macro_errors
from annotator.core.agreement.judgement import Codes
from annotator.core.agreement.resampling import bootstrap
from annotator.core.agreement.several import alphas_over_sets, fleiss_kappa, gwet_ac1_of_several, krippendorff_alpha, units_of_role

SEVERAL = 0.05
"""Where more than this share of labels holds several codes, the mean of the codes' kappas is the headline."""
FEW_CONVERSATIONS = 30
"""Below so many conversations the bootstrap stands beside the linearised interval without being asked for."""
_DRAWS = 1000

_SETS = "labels are sets of codes here, and chance over single codes means nothing; see kappa_macro and alpha_masi"
_NO_CODEBOOK = "no taxonomy was given, so the categories of the codes are not known"
NO_CODE = "no code has a defined kappa"
_NOT_ASKED = f"there are {FEW_CONVERSATIONS} conversations or more, so it is made only when asked for"
_FEW_DRAWS = "kappa is undefined in most draws of conversations"
_BY_CATEGORY = ("categories", "kappa_categories", "kappa_within_categories", "kappa_weighted")


_Table = Mapping[tuple[Codes, Codes], int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """How to count. `codebook` is role → code → category, with all codes there are to choose from, used or not; empty where no
    taxonomy is known. `draws` of the bootstrap; 0 makes it only where conversations are few.
    """

    codebook: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    draws: int = 0
    seed: int = 1


@dataclass(frozen=True, slots=True)
class _Part:
    """One table of a pair, counted: the family of coefficients, and its codes."""

    cells: Cells
    table: _Table
    family: dict[str, Kappa]
    codes: CodeFigures
    codebook: Mapping[str, str]


def pair_figures(by_role: Mapping[str, Cells], wanted: Wanted) -> dict[str, Any]:
    """{"roles": {ROLE: BLOCK}, "stratified": BLOCK, "pooled": BLOCK} of two annotators."""
    n_conversations = 1 + max(int(cells.conversation.max(initial=-1)) for cells in by_role.values())
    parts = {role: _part(cells, n_conversations, wanted.codebook.get(role, {})) for role, cells in by_role.items()}
    everything = {f"{role}/{code}": f"{role}/{name}" for role, codes in wanted.codebook.items() for code, name in codes.items()}
    together = _part(pooled(by_role), n_conversations, everything)
    return {
        "roles": {role: _block(part, n_conversations, wanted) for role, part in parts.items()},
        "stratified": _stratified(parts, wanted),
        "pooled": _block(together, n_conversations, wanted) | {"pooled": True},
    }


def _part(cells: Cells, n_conversations: int, codebook: Mapping[str, str]) -> _Part:
    table, size = cells.table(), len(codebook) + (frozenset() in cells.labels)
    family = {"kappa": cohen_kappa(table), "kappa_max": kappa_max(table), "pi": scott_pi(table), "alpha": alpha(table)}
    if any(len(label) > 1 for label in cells.labels):
        family |= dict.fromkeys(("s", "ac1"), Kappa(family["kappa"].n, None, None, None, _SETS))
    else:
        family |= {"s": bennett_s(table, size), "ac1": gwet_ac1(table, size)}
    family |= {f"alpha_{name}": found for name, found in alphas_over_sets(cells).items()}
    return _Part(cells, table, family, code_figures(cells, n_conversations), codebook)


def _block(part: _Part, n_conversations: int, wanted: Wanted) -> dict[str, Any]:
    """The figures of one role, or of the roles pooled."""
    block = _figures([part], part.family, part.table, wanted)
    undefined = block["undefined"] | {f"codes.{key}": why for key, why in part.codes.undefined.items()}
    if part.codebook:
        by_category, why = category_figures(part.cells, part.codebook, n_conversations)
    else:
        by_category, why = dict.fromkeys(_BY_CATEGORY), dict.fromkeys(_BY_CATEGORY, _NO_CODEBOOK)
    return block | by_category | {
        "codes": part.codes.figures, "confusions": confusions(part.table), "undefined": undefined | why,
    }  # fmt: skip


def _stratified(parts: Mapping[str, _Part], wanted: Wanted) -> dict[str, Any]:
    """The figures over all roles, each coefficient stratified by role, codes as `Role/CODE` with their figures within the role."""
    together: Counter[tuple[Codes, Codes]] = Counter()
    for part in parts.values():
        together.update(part.table)
    family = {name: _over_roles([part.family[name] for part in parts.values()]) for name in next(iter(parts.values())).family}
    block = _figures(list(parts.values()), family, together, wanted)
    codes = {f"{role}/{code}": values for role, part in parts.items() for code, values in part.codes.figures.items()}
    why = {f"codes.{role}/{key}": why for role, part in parts.items() for key, why in part.codes.undefined.items()}
    return block | {"codes": codes, "undefined": block["undefined"] | why}


def _over_roles(found: Sequence[Kappa]) -> Kappa:
    for one in found:
        if one.n and one.po is None:
            return one
    return stratified_kappa(found)


def _figures(parts: Sequence[_Part], family: Mapping[str, Kappa], table: _Table, wanted: Wanted) -> dict[str, Any]:
    """What roles, stratified and pooled have alike. `table` is for figures that take no chance from it."""
    cells = [part.cells for part in parts]
    kappa = family["kappa"]
    errors = cluster_errors(cells, kappa)
    macro, macro_error, n_codes = macro_errors([part.codes.uses for part in parts])
    drawn, not_drawn = _drawn(cells, kappa, wanted)
    several, mean_codes = sets.share_of_several(table), sets.mean_codes(table)
    figures: dict[str, Any] = {
        "n_utterances": kappa.n,
        "n_conversations": _n_conversations(cells),
        "n_skipped": sum(one.n_skipped for one in cells),
        "n_blank": sum(one.n_blank for one in cells),
        "headline": "kappa_macro" if (several or 0) > SEVERAL else "kappa",
        "po": kappa.po, "pe": kappa.pe, "kappa": kappa.kappa,
        "se": errors.se, "ci95": _listed(errors.ci95), "se_iid": errors.se_iid, "design_effect": errors.design_effect,
        "bootstrap": drawn,
        **{name: found.kappa for name, found in family.items() if name != "kappa"},
        "kappa_macro": macro,
        "kappa_macro_se": macro_error and macro_error.se, "kappa_macro_ci95": macro_error and _listed(macro_error.ci95),
        "n_codes": n_codes,
        "exact_match": sets.exact_match(table), "mean_jaccard": sets.mean_jaccard(table),
        "mean_codes": _listed(mean_codes), "share_several": several,
    }  # fmt: skip
    undefined = {name: found.reason for name, found in family.items() if found.kappa is None} | errors.why
    undefined |= {"bootstrap": not_drawn} if drawn is None else {}
    undefined |= _why_no_macro(macro_error, kappa.n)
    if kappa.n == 0:
        undefined |= dict.fromkeys(("po", "pe", "exact_match", "mean_jaccard", "mean_codes", "share_several"), NO_PAIR)
    return figures | {"undefined": undefined}


def _n_conversations(cells: Sequence[Cells]) -> int:
    return len(used(np.concatenate([one.conversation for one in cells])))


def _listed(pair: tuple[float, float] | None) -> list[float] | None:
    return None if pair is None else list(pair)


def _why_no_macro(errors: Errors | None, n: int) -> dict[str, str]:
    if errors is None:
        return dict.fromkeys(("kappa_macro", "kappa_macro_se", "kappa_macro_ci95"), NO_CODE if n else NO_PAIR)
    return {f"kappa_macro_{name}": why for name, why in errors.why.items() if name in ("se", "ci95")}


def _drawn(cells: Sequence[Cells], kappa: Kappa, wanted: Wanted) -> tuple[dict[str, Any] | None, str]:
    """The bootstrap, or why there is none."""
    n = _n_conversations(cells)
    if kappa.kappa is None:
        return None, kappa.reason
    if n < 2:
        return None, ONE_CONVERSATION
    if not wanted.draws and n >= FEW_CONVERSATIONS:
        return None, _NOT_ASKED
    found = bootstrap(cells, wanted.draws or _DRAWS, wanted.seed)
    if found.se is None:
        return None, _FEW_DRAWS
    return {"draws": found.draws, "seed": found.seed, "se": found.se, "ci95": _listed(found.ci95)}, ""


def all_pairs(ratings: Ratings, wanted: Wanted) -> list[dict[str, Any]]:
    """The figures of every two annotators, in the order of their names."""
    return [{"annotators": [a, b], **pair_figures(by_role, wanted)} for (a, b), by_role in pairs_of(ratings).items()]


def all_annotators(ratings: Ratings, wanted: Wanted) -> dict[str, dict[str, Any]]:
    """{ROLE: figures over all annotators at once}: alpha, Fleiss' kappa and AC1 of the whole label, alpha over sets."""
    found = {}
    for at, role in enumerate(ratings.roles):
        units = units_of_role(ratings, at)
        said = (ratings.role == at) & (ratings.label != SKIPPED)
        labels = [ratings.labels[label] for label in used(units.label).tolist()]
        kappas = {"alpha": krippendorff_alpha(units), "fleiss": fleiss_kappa(units)}
        if any(len(label) > 1 for label in labels):
            kappas["ac1"] = Kappa(0, None, None, None, _SETS)
        else:  # the label without codes is one more choice, as in the blocks of pairs
            kappas["ac1"] = gwet_ac1_of_several(units, len(wanted.codebook.get(role, {})) + (frozenset() in labels))
        kappas |= {f"alpha_{name}": one for name, one in alphas_over_sets(units).items()}
        found[role] = {
            "n_annotators": len(used(ratings.annotator[said])),
            "n_utterances": kappas["alpha"].n,
            **{name: one.kappa for name, one in kappas.items()},
            "undefined": {name: one.reason for name, one in kappas.items() if one.kappa is None},
        }
    return found
