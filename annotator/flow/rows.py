"""Utterances as their annotator sees them: text, the proposal that may show, what stands of their acts, what is said about it.

Nothing here reads another person's decisions. Whose rows may be asked for is the callers' to check.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import and_, bindparam, func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from annotator.core.calibration import probability
from annotator.core.items import mentions
from annotator.core.labelled import split_codes
from annotator.flow.access import OWN_ASSIGNMENTS, PLACED, shown_suggestion
from annotator.flow.discussion import Discussed, discussions_of
from annotator.flow.standing import Standing, fold
from annotator.models import (
    Assignment,
    Calibration,
    Comment,
    Decision,
    Discussion,
    Kind,
    Round,
    RoundConversation,
    Suggestion,
    Utterance,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Proposed:
    """One proposed code with its probability, where the tagger gave one."""

    code: str
    probability: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """One utterance on the desk. `state` is open, confirmed, changed or skipped."""

    assignment_id: int
    position: int
    turn: int
    role: str
    text: str
    state: str
    codes: tuple[str, ...]
    seconds: float | None
    flagged: bool
    flag_reason: str
    unsure: bool
    seen: str
    """The key of the newest fact of mine on it; an act that knows another one comes from a page that is not up to date."""
    comments: int
    """How many comments wait for an answer or for being resolved."""
    proposal: tuple[Proposed, ...]
    has_reason: bool
    second: str = ""
    note: str = ""
    discussed: Discussed | None = None
    """What a lead asks those who labelled it, where it was sent back to them."""

    @property
    def proposed(self) -> tuple[str, ...]:
        """The proposed codes."""
        return tuple(one.code for one in self.proposal)

    @property
    def confidence(self) -> float | None:
        """The probability that is shown for the first proposed code."""
        return self.proposal[0].probability if self.proposal else None

    @property
    def differs(self) -> bool:
        """Whether my label is another one than the proposal that shows."""
        return self.state == "changed" and bool(self.proposal)

    @property
    def items(self) -> tuple[int, ...]:
        """The numbers of the catalogue items that the text mentions, whatever the catalogue has."""
        return mentions(self.text)


# Statements, built once: building one takes longer than running it.

_resolving = aliased(Comment, name="resolving")
_resolved = select(col(_resolving.id)).where(
    col(_resolving.assignment_id) == col(Comment.assignment_id),
    col(_resolving.utterance_id) == col(Comment.utterance_id),
    col(_resolving.id) >= col(Comment.id),
    col(_resolving.resolves),
)
_unresolved = (
    select(func.count(col(Comment.id)))
    .where(col(Comment.assignment_id) == col(Assignment.id), col(Comment.utterance_id) == col(Utterance.id), ~_resolved.exists())
    .correlate(Assignment, Utterance)
    .scalar_subquery()
)
SHOWN: tuple[Any, ...] = (
    col(Utterance.id),
    col(Utterance.position),
    col(Utterance.turn_position),
    col(Utterance.role),
    col(Utterance.text),
    col(Suggestion.codes).label("proposed"),
    col(Suggestion.confidence),
    col(Suggestion.probabilities),
    (col(Suggestion.reason) != "").label("has_reason"),
    col(Suggestion.second),
    col(Suggestion.note),
    select(col(Calibration.knots))
    .where(col(Calibration.run_id) == col(Suggestion.run_id))
    .order_by(col(Calibration.id).desc())
    .limit(1)
    .scalar_subquery()
    .label("knots"),
    _unresolved.label("comments"),
    select(col(Discussion.id))
    .where(col(Discussion.round_id) == col(Assignment.round_id), col(Discussion.utterance_id) == col(Utterance.id))
    .correlate(Assignment, Utterance)
    .exists()
    .label("sent_back"),
)
"""What `make_row` needs of an assignment's utterance and the suggestion that may be shown."""

_EVERY_UTTERANCE = (
    select(*SHOWN)
    .select_from(Assignment)
    .join(Round, col(Round.id) == col(Assignment.round_id))
    .join(RoundConversation, PLACED)
    .join(Utterance, col(Utterance.conversation_id) == col(Assignment.conversation_id))
    .outerjoin(Suggestion, and_(col(Suggestion.utterance_id) == col(Utterance.id), shown_suggestion()))
)
UTTERANCES = _EVERY_UTTERANCE.where(col(Assignment.id) == bindparam("assignment")).order_by(col(Utterance.position))
"""The utterances of an assignment's conversation."""

_MADE: tuple[Any, ...] = (
    col(Decision.id),
    col(Decision.utterance_id),
    col(Decision.kind),
    col(Decision.codes),
    col(Decision.retracts_id),
    col(Decision.act_key),
    col(Decision.group_key),
    col(Decision.seconds),
    col(Decision.reason),
)
DECISIONS = select(*_MADE).where(col(Decision.assignment_id) == bindparam("assignment")).order_by(col(Decision.id))
"""All acts of an assignment, as `fold` reads them."""

MY_DECISION = OWN_ASSIGNMENTS.where(col(Assignment.id) == col(Decision.assignment_id)).correlate(Decision).exists()
"""The condition on a decision that it is mine. Where the newest few are asked for, only they are looked at."""

_AMONG = col(Assignment.id).in_(bindparam("assignments", expanding=True))
_UTTERANCES_AMONG = _EVERY_UTTERANCE.add_columns(col(Assignment.id).label("assignment_id")).where(_AMONG)
_DECISIONS_AMONG = (
    select(*_MADE, col(Decision.assignment_id))
    .where(col(Decision.assignment_id).in_(bindparam("assignments", expanding=True)))
    .order_by(col(Decision.assignment_id), col(Decision.id))
)


def rows_of(session: Session, assignment_ids: Iterable[int]) -> dict[int, list[Row]]:
    """Assignment id → its rows in order, for several assignments by a few statements."""
    connection, which = session.connection(), {"assignments": list(assignment_ids)}
    made = groupby(connection.execute(_DECISIONS_AMONG, which), attrgetter("assignment_id"))
    stands = {assignment_id: fold(decisions) for assignment_id, decisions in made}
    shown: dict[int, list[Any]] = {}
    for found in connection.execute(_UTTERANCES_AMONG.order_by(col(Assignment.id), col(Utterance.position)), which):
        shown.setdefault(found.assignment_id, []).append(found)
    rows = {}
    for assignment_id, utterances in shown.items():
        mine, discussed = stands.get(assignment_id, {}), discussed_of(session, assignment_id, utterances)
        rows[assignment_id] = [make_row(assignment_id, found, mine.get(found.id, Standing()), discussed) for found in utterances]
    return rows


def discussed_of(session: Session, assignment_id: int, shown: Iterable[Any]) -> dict[int, Discussed]:
    """Position → open discussion; asked for only where one of the utterances `SHOWN` was ever sent back, which is rare."""
    return discussions_of(session, assignment_id) if any(found.sent_back for found in shown) else {}


def make_row(assignment_id: int, found: Any, stands: Standing, discussed: dict[int, Discussed]) -> Row:
    """A desk row from the columns `SHOWN`, what stands of my acts, and the open discussions by position."""
    proposed = split_codes(found.proposed or "")
    chances = found.probabilities or {}
    first = {proposed[0]: found.confidence} if proposed else {}
    return Row(
        assignment_id=assignment_id,
        position=found.position,
        turn=found.turn_position,
        role=found.role,
        text=found.text,
        state=_state(stands, proposed),
        codes=stands.codes,
        seconds=stands.seconds,
        flagged=stands.flagged,
        flag_reason=stands.flag_reason,
        unsure=stands.unsure,
        seen=stands.seen,
        comments=found.comments or 0,
        proposal=tuple(Proposed(code, _chance(chances.get(code, first.get(code)), found.knots)) for code in proposed),
        has_reason=bool(found.has_reason),
        second=found.second or "",
        note=found.note or "",
        discussed=discussed.get(found.position),
    )


def _chance(stated: float | None, knots: list[list[float]] | None) -> float | None:
    """A probability to show: calibrated, where the run's confidence was measured on people's labels."""
    return stated if stated is None or not knots else probability(knots, stated)


def _state(stands: Standing, proposed: tuple[str, ...]) -> str:
    if stands.kind is None:
        return "open"
    if stands.kind == Kind.SKIP:
        return "skipped"
    return "confirmed" if proposed and set(stands.codes) == set(proposed) else "changed"
