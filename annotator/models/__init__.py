"""Every table, a file per station. Facts are only added; what is current is a query in `flow/`.

No `from __future__ import annotations` in these files: SQLModel reads the annotations.
"""

from sqlmodel import SQLModel

from annotator.models.accounts import FailedSignIn, SignIn, User
from annotator.models.intake import Conversation, Item, ItemRating, Scenario, TaxonomyVersion, Turn, Upload, Utterance
from annotator.models.review import (
    Assignment,
    Comment,
    Decision,
    Discussion,
    FirstLabels,
    Gold,
    ItemDecision,
    ReasonOpened,
    Round,
    RoundConversation,
    Submission,
)
from annotator.models.tagging import Calibration, Call, Failure, Run, Suggestion
from annotator.models.words import LABELLING, UNANIMOUS, Condition, ItemField, Kind, Role, Rule, now

__all__ = [
    "LABELLING",
    "UNANIMOUS",
    "Assignment",
    "Calibration",
    "Call",
    "Comment",
    "Condition",
    "Conversation",
    "Decision",
    "Discussion",
    "FailedSignIn",
    "Failure",
    "FirstLabels",
    "Gold",
    "Item",
    "ItemDecision",
    "ItemField",
    "ItemRating",
    "Kind",
    "ReasonOpened",
    "Role",
    "Round",
    "RoundConversation",
    "Rule",
    "Run",
    "SQLModel",
    "Scenario",
    "SignIn",
    "Submission",
    "Suggestion",
    "TaxonomyVersion",
    "Turn",
    "Upload",
    "User",
    "Utterance",
    "now",
]
