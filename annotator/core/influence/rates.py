"""Shares and times in both arms, blind and assisted, how they differ, and whether that can be told at all; parts of `influence`."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from annotator.core.agreement.arms import Difference, Estimate, difference, mean_of, rate, switch_to_model
from annotator.core.agreement.counts import Whole
from annotator.core.influence.proposed import Arm, Mask, Proposed
from annotator.core.influence.shown import ASSISTED, BLIND, UNKNOWN

FEWEST = 50
"""Labels, or doubly labelled utterances, that an arm must have for the arms to be compared."""
AT_ONCE = 2.0
"""Seconds within which a proposal is taken over without having been read with care."""

NOT_DRAWN = "it is not known whether the blind conversations were drawn at random"
NOTHING = {BLIND: "nothing was labelled blind", ASSISTED: "nothing was labelled with the proposals in view"}
_ALL = {
    "difference": ("value", "se", "z", "p", "df", "p_t", "ci95"),
    "estimate": ("value", "se", "ci95"),
    "shift": ("distance", "ci95", "chance95", "p"),
}


@dataclass(frozen=True, slots=True)
class Check:
    """Whether two arms may be compared. `drawn` says who drew the blind conversations at random, `empty` names arms without any label."""

    drawn: str
    empty: tuple[str, ...] = ()

    def why_not(self, what: str, blind: tuple[float, int], assisted: tuple[float, int]) -> str:
        """Why not, or nothing; the arms by how many of `what` they have, and in how many conversations.

        >>> Check("here").why_not("labels", (49, 7), (300, 40))
        'the blind arm has 49 labels, and fewer than 50 are too few to tell'
        """
        if self.empty:
            return NOTHING[self.empty[0]]
        arms = ((BLIND, blind), (ASSISTED, assisted))
        for name, (n, _) in arms:
            if not n:
                return f"the {name} arm has no {what}"
        if self.drawn == UNKNOWN:
            return NOT_DRAWN
        for name, (n, conversations) in arms:
            if n < FEWEST:
                return f"the {name} arm has {n:.0f} {what}, and fewer than {FEWEST} are too few to tell"
            if conversations < 2:
                return f"the {name} arm has one conversation, and how conversations differ cannot be told from one"
        return ""


# As reports hold them


def estimate(found: Estimate) -> dict[str, Any]:
    """A share or mean as reports hold it."""
    return {
        "value": found.value, "se": found.se, "ci95": found.ci95 and list(found.ci95),
        "n": int(found.n), "n_conversations": found.n_conversations, "undefined": dict(found.why),
    }  # fmt: skip


def changed(found: Difference) -> dict[str, Any]:
    """A difference, assisted minus blind, as reports hold it."""
    figures = {name: getattr(found, name) for name in _ALL["difference"]}
    return figures | {"ci95": found.ci95 and list(found.ci95), "undefined": dict(found.why)}


def unknown(kind: str, reason: str) -> dict[str, Any]:
    """A figure of which nothing can be told."""
    return dict.fromkeys(_ALL[kind]) | {"undefined": dict.fromkeys(_ALL[kind], reason)}


def both(blind: Estimate, assisted: Estimate, check: Check, what: str) -> dict[str, Any]:
    """A figure in both arms, and how they differ, where that can be told."""
    reason = check.why_not(what, (blind.n, blind.n_conversations), (assisted.n, assisted.n_conversations))
    found = unknown("difference", reason) if reason else apart(blind, assisted)
    return {BLIND: estimate(blind), ASSISTED: estimate(assisted), "difference": found}


def apart(blind: Estimate, assisted: Estimate) -> dict[str, Any]:
    """How two shares or means differ, as reports hold it."""
    return changed(difference(blind.value, blind.se, blind.n_conversations, assisted.value, assisted.se, assisted.n_conversations))


def share(hits: Mask, among: Mask, conversation: Whole) -> Estimate:
    """The share of hits among some ratings, clustered by conversation."""
    n = np.bincount(conversation[among])
    hit = np.bincount(conversation[among & hits], minlength=len(n))
    return rate(hit[n > 0].tolist(), n[n > 0].tolist())


# All labels of an arm, or of one annotator in it


def rates(blind: Arm, assisted: Arm, check: Check) -> dict[str, Any]:
    """Agreement with the proposal, acceptance, net switch, seconds, and what is accepted at once."""
    alone, shown = (_accepted(arm.labels) for arm in (blind, assisted))
    reason = check.why_not("labels with a proposal", (alone.n, alone.n_conversations), (shown.n, shown.n_conversations))
    return {
        "agreement_with_proposal": both(alone, shown, check, "labels with a proposal"),
        "acceptance": estimate(shown),
        "switch_to_model": unknown("estimate", reason) if reason else estimate(switch_to_model(alone, shown)),
        "seconds": both(_seconds(blind.labels), _seconds(assisted.labels), check, "timed utterances"),
        "at_once": both(_at_once(blind.labels), _at_once(assisted.labels), check, "timed labels with a proposal"),
    }


def _accepted(arm: Proposed) -> Estimate:
    return share(arm.equal, arm.compared, arm.ratings.conversation)


def _seconds(arm: Proposed) -> Estimate:
    """Seconds per utterance labelled or skipped, of the conversations in which somebody's time was counted.

    Utterances that were confirmed together with their turn have no time of their own: it is with the one that had the focus.
    """
    ratings, timed = arm.ratings, ~np.isnan(arm.seconds)
    work = ratings.annotator * (int(ratings.conversation.max(initial=-1)) + 1) + ratings.conversation
    counted = np.isin(work, work[timed])
    conversation = ratings.conversation[counted]
    return mean_of(np.bincount(conversation, np.nan_to_num(arm.seconds[counted])).tolist(), np.bincount(conversation).tolist())


def _at_once(arm: Proposed) -> Estimate:
    with np.errstate(invalid="ignore"):
        quick = arm.seconds < AT_ONCE
    return share(arm.equal & quick, arm.compared & ~np.isnan(arm.seconds), arm.ratings.conversation)
