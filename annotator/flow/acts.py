"""What an annotator can do to an utterance, and what decision each act becomes; storing is `flow/review.py`'s."""

from dataclasses import dataclass
from enum import StrEnum

from annotator.core.taxonomy import Taxonomy
from annotator.errors import BadInput
from annotator.flow.rows import Row
from annotator.models import Kind


class Act(StrEnum):
    """What an annotator can do to an utterance, or with `confirm-turn` to all of its turn."""

    LABEL = "label"
    CONFIRM = "confirm"
    CONFIRM_TURN = "confirm-turn"
    SKIP = "skip"
    FLAG = "flag"
    UNFLAG = "unflag"
    UNSURE = "unsure"
    SURE = "sure"


MARKS = (Act.FLAG, Act.UNFLAG, Act.UNSURE, Act.SURE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One act as the page asks for it.

    `act_key` is new for each act, and the same when the request comes again. `seen` is the key of the newest fact that the page
    knew of the utterance ("" for none); None asks for no check. `seconds` is how long the utterance had the focus, in all.
    """

    act: Act
    act_key: str
    codes: tuple[str, ...] = ()
    seen: str | None = None
    seconds: float | None = None
    reason: str = ""

    @property
    def flag_reason(self) -> str:
        """Why it is flagged; other acts have no reason."""
        return self.reason.strip() if self.act == Act.FLAG else ""


def outcome(taxonomy: Taxonomy, row: Row, asked: Asked) -> tuple[Kind, tuple[str, ...]]:
    """The kind of decision an act becomes, and its codes; raises `BadInput` where the taxonomy or the proposal does not give it."""
    if asked.act in MARKS:
        return Kind(asked.act), ()
    if asked.act == Act.SKIP:
        # Where an empty label is a label, passing on says "none of the codes".
        return (Kind.SKIP if taxonomy.min_codes else Kind.CHANGE), ()
    if asked.act in (Act.CONFIRM, Act.CONFIRM_TURN):
        if not row.proposal:
            raise BadInput("There is no proposal to confirm. Choose a code.")
        return Kind.CONFIRM, row.proposed
    codes = tuple(dict.fromkeys(asked.codes))
    taxonomy.check_label(row.role, codes)
    return Kind.CHANGE, codes


def numbered(act_key: str, number: int) -> str:
    """The key of the decision with that number, from 1, among those of one press: no two may have the same.

    >>> numbered("a1b2c3d4", 1), numbered("a1b2c3d4", 2)
    ('a1b2c3d4', 'a1b2c3d4.2')
    """
    return act_key if number == 1 else f"{act_key}.{number}"
