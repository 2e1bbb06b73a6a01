"""Which decisions stand: the one definition of "current label" and "label at the first submission", as statements."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from annotator.core.labelled import split_codes
from annotator.models import LABELLING, Decision, Gold, Kind, Rule, Submission

FLAGS = (Kind.FLAG, Kind.UNFLAG)
UNSURES = (Kind.UNSURE, Kind.SURE)
"""The two kinds of marks: what sets one, and what takes it off."""

_Retraction = aliased(Decision, name="retraction")

_Newest = aliased(Decision, name="newest")
_OfRound, _Settled = aliased(Gold, name="of_round"), aliased(Gold, name="settled")

_COLUMNS: tuple[Any, ...] = (
    col(_Newest.id),
    col(_Newest.assignment_id),
    col(_Newest.utterance_id),
    col(_Newest.kind),
    col(_Newest.codes),
    col(_Newest.taxonomy_version_id),
    col(_Newest.condition),
    col(_Newest.seconds),
    col(_Newest.decided_at),
)


@dataclass(slots=True)
class Standing:
    """What stands of one person's acts on one utterance: the newest labelling decision, and the marks.

    `seen` is the key of the newest fact of any kind, retractions and what they took back included: it tells two states apart.
    """

    label_id: int | None = None
    kind: Kind | None = None
    codes: tuple[str, ...] = ()
    seconds: float | None = None
    flagged: bool = False
    flag_reason: str = ""
    unsure: bool = False
    seen: str = ""

    def take(self, decision: Any) -> None:
        """Let one decision more stand, newer than all before."""
        kind = Kind(decision.kind)
        self.seen = fact_key(decision)
        if kind in LABELLING:
            self.label_id, self.kind, self.codes, self.seconds = decision.id, kind, split_codes(decision.codes), decision.seconds
        elif kind in FLAGS:
            self.flagged = kind == Kind.FLAG
            self.flag_reason = decision.reason if self.flagged else ""
        elif kind in UNSURES:
            self.unsure = kind == Kind.UNSURE


def fold(decisions: Iterable[Any]) -> dict[int, Standing]:
    """Utterance id → what stands, from one assignment's decisions in the order they were made.

    The same rule as `standing` and `marked` below, for callers that have the few decisions of one conversation at hand.
    """
    decisions = list(decisions)
    taken_back = {decision.retracts_id for decision in decisions}
    found: dict[int, Standing] = {}
    for decision in decisions:
        state = found.setdefault(decision.utterance_id, Standing())
        if decision.id in taken_back:
            state.seen = fact_key(decision)
        else:
            state.take(decision)
    return found


def fact_key(decision: Any) -> str:
    """What pages know a decision by: the key of the press that made it; none for imported ones."""
    return decision.group_key or decision.act_key or ""


def unretracted() -> ColumnElement[bool]:
    """Nobody took this decision back."""
    return ~select(col(_Retraction.id)).where(col(_Retraction.retracts_id) == col(Decision.id)).exists()


def standing(*where: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """The newest standing labelling decision per assignment and utterance, for decisions that meet `where`."""
    return _newest(select(func.max(col(Decision.id))).where(col(Decision.kind).in_(LABELLING), unretracted(), *where))


def first_submitted(*where: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """The labelling decision that stood when its conversation was first handed in: what agreement is computed from."""
    first = (
        select(col(Submission.assignment_id), func.min(col(Submission.id)).label("id"))
        .where(col(Submission.handed_in))
        .group_by(col(Submission.assignment_id))
        .subquery("first")
    )
    taken_back = select(col(_Retraction.id)).where(
        col(_Retraction.retracts_id) == col(Decision.id), col(_Retraction.id) <= col(Submission.last_decision_id)
    )
    labels = (
        select(func.max(col(Decision.id)))
        .join(first, first.c.assignment_id == col(Decision.assignment_id))
        .join(Submission, and_(col(Submission.id) == first.c.id, or_(col(Decision.id) <= col(Submission.last_decision_id), _imported())))
        .where(col(Decision.kind).in_(LABELLING), ~taken_back.exists(), *where)
    )
    return _newest(labels)


def _newest(ids: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """The decision with the highest id per assignment and utterance, as rows; a window over all columns takes twice as long."""
    ids = ids.group_by(col(Decision.assignment_id), col(Decision.utterance_id))
    return select(*_COLUMNS).where(col(_Newest.id).in_(ids))


def _imported() -> ColumnElement[bool]:
    """Labels from a file count as submitted whenever they arrive; only acts in the browser have a key."""
    return col(Decision.act_key).is_(None)


def flags(*where: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """The utterances that are flagged, with the reason."""
    return marked(FLAGS, *where)


def marked(kinds: tuple[Kind, Kind], *where: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """The utterances whose newest standing mark of these two kinds is the first: `FLAGS` or `UNSURES`."""
    of_decision = (col(Decision.assignment_id), col(Decision.utterance_id), col(Decision.kind), col(Decision.reason))
    ranked = select(*of_decision, _newest_first()).where(col(Decision.kind).in_(kinds), unretracted(), *where).subquery("marks")
    on = (ranked.c.age == 1, ranked.c.kind == kinds[0])
    return select(ranked.c.assignment_id, ranked.c.utterance_id, ranked.c.reason).where(*on)


def settled(*where: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """The newest gold of each utterance, for gold rows that meet `where`; taking a round's gold back leaves that of other rounds."""
    of_rounds = select(func.max(col(Gold.id))).where(*where).group_by(col(Gold.utterance_id), col(Gold.round_id))
    stands = select(func.max(col(_OfRound.id))).where(col(_OfRound.id).in_(of_rounds), col(_OfRound.rule) != Rule.WITHDRAWN)
    columns = (getattr(_Settled, column.name) for column in Gold.__table__.c)  # type: ignore[attr-defined]
    return select(*columns).where(col(_Settled.id).in_(stands.group_by(col(_OfRound.utterance_id))))


def _newest_first() -> ColumnElement[int]:
    order = col(Decision.id).desc()
    window = func.row_number().over(partition_by=(col(Decision.assignment_id), col(Decision.utterance_id)), order_by=order)
    return window.label("age")
