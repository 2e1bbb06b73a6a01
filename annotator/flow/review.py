"""Deciding: label, skip, flag, undo, hand in, open again. Each act adds one fact; a repeated request adds none.

What the annotator sees is `flow/desk.py`'s.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import and_, bindparam, func, insert, select
from sqlmodel import Session, col

from annotator.core.labelled import join_codes
from annotator.core.taxonomy import Taxonomy
from annotator.errors import BadInput, Conflict
from annotator.flow.access import OWN_ASSIGNMENTS, mine, not_yours, shown_suggestion
from annotator.flow.desk import DECISIONS, SHOWN, UTTERANCES, Row, make_row
from annotator.flow.standing import Standing, fold, unretracted
from annotator.flow.taxonomy import taxonomy_of
from annotator.models import (
    Assignment,
    Conversation,
    Decision,
    Kind,
    Round,
    RoundConversation,
    Submission,
    Suggestion,
    TaxonomyVersion,
    User,
    Utterance,
    now,
)  # fmt: skip


class Act(StrEnum):
    """What an annotator can do to an utterance."""

    LABEL = "label"
    CONFIRM = "confirm"
    SKIP = "skip"
    FLAG = "flag"
    UNFLAG = "unflag"


@dataclass(frozen=True, slots=True)
class Undone:
    """Which utterance an undo changed, as it is now, and what was taken back."""

    row: Row
    kind: Kind


@dataclass(frozen=True, slots=True)
class HandIn:
    """Whether a conversation is handed in now, and the positions of utterances still open."""

    handed_in: bool
    open_positions: tuple[int, ...]

    @property
    def sentence(self) -> str:
        """What to tell the annotator."""
        if not self.open_positions:
            return "Handed in."
        shown = ", ".join(map(str, self.open_positions[:10])) + (" and more" if len(self.open_positions) > 10 else "")
        one = len(self.open_positions) == 1
        return f"{len(self.open_positions)} utterance{'' if one else 's'} {'is' if one else 'are'} still open: {shown}."


# Statements of an act, built once: building one takes longer than running it.

_HANDED_IN = (
    select(col(Submission.handed_in))
    .where(col(Submission.assignment_id) == col(Assignment.id))
    .order_by(col(Submission.id).desc())
    .limit(1)
    .scalar_subquery()
)
_PLACE = (
    OWN_ASSIGNMENTS.join(TaxonomyVersion, col(TaxonomyVersion.id) == col(Round.taxonomy_version_id))
    .where(col(Assignment.id) == bindparam("assignment"))
    .with_only_columns(
        col(Round.taxonomy_version_id),
        col(Round.closed_at),
        col(RoundConversation.condition),
        col(TaxonomyVersion.fingerprint),
        col(Conversation.key).label("conversation"),
        _HANDED_IN.label("handed_in"),
    )
)
_UTTERANCE = (
    _PLACE.add_columns(*SHOWN)
    .outerjoin(
        Utterance,
        and_(
            col(Utterance.conversation_id) == col(Assignment.conversation_id), col(Utterance.position) == bindparam("position")
        ),
    )
    .outerjoin(Suggestion, and_(col(Suggestion.utterance_id) == col(Utterance.id), shown_suggestion()))
)
_INSERT = insert(Decision)
_DECISIONS = DECISIONS.where(col(Decision.utterance_id) == bindparam("utterance"))
_ONE_SHOWN = UTTERANCES.where(col(Utterance.id) == bindparam("utterance"))


def decide(
    session: Session, user: User, assignment_id: int, position: int, *, act: Act, codes: tuple[str, ...] = (), act_key: str
) -> Row:
    """Add one decision on one utterance of mine and return the row as it is now.

    The same `act_key` again changes nothing. Confirming what has a label already changes nothing either.
    """
    found = session.connection().execute(_UTTERANCE, mine(user) | {"assignment": assignment_id, "position": position}).one_or_none()
    if found is None or found.id is None:
        raise not_yours("conversation" if found is None else "utterance")
    decisions = _decisions(session, assignment_id, found.id)
    stands = fold(decisions).get(found.id, Standing())
    row = make_row(assignment_id, found, stands)
    repeated = next((decision for decision in decisions if decision.act_key == act_key), None)
    if repeated is None and act == Act.CONFIRM and stands.kind is not None:
        return row
    taxonomy = taxonomy_of(session, found.taxonomy_version_id, found.fingerprint)
    kind, chosen = _outcome(taxonomy, row, act, tuple(dict.fromkeys(codes)))
    if repeated is not None:
        _check_same(repeated, kind, chosen)
        return row
    _check_open(found)
    made = {
        "assignment_id": assignment_id,
        "utterance_id": found.id,
        "kind": kind,
        "codes": join_codes(chosen),
        "act_key": act_key,
        "taxonomy_version_id": found.taxonomy_version_id,
        "condition": found.condition,
        "decided_at": now(),
    }
    session.connection().execute(_INSERT, made)
    return make_row(assignment_id, found, _after(stands, kind, chosen))


def _check_same(decision: Any, kind: Kind, codes: tuple[str, ...]) -> None:
    """A request that comes again asks for the same; anything else comes from a page that was used already."""
    if (decision.kind, decision.codes) != (kind, join_codes(codes)):
        raise Conflict("This page was used already and shows an older state. Reload it to see what stands, then choose again.")


def _outcome(taxonomy: Taxonomy, row: Row, act: Act, codes: tuple[str, ...]) -> tuple[Kind, tuple[str, ...]]:
    """The kind of decision an act becomes, and its codes."""
    if act in (Act.FLAG, Act.UNFLAG):
        return Kind(act), ()
    if act == Act.SKIP:
        # Where an empty label is a label, passing on says "none of the codes".
        return (Kind.SKIP if taxonomy.min_codes else Kind.CHANGE), ()
    if act == Act.CONFIRM:
        if not row.proposal:
            raise BadInput("There is no proposal to confirm. Choose a code.")
        return Kind.CONFIRM, tuple(proposed.code for proposed in row.proposal)
    taxonomy.check_label(row.role, codes)
    return Kind.CHANGE, codes


def _after(stands: Standing, kind: Kind, codes: tuple[str, ...]) -> Standing:
    if kind in (Kind.FLAG, Kind.UNFLAG):
        return Standing(stands.label_id, stands.kind, stands.codes, kind == Kind.FLAG)
    return Standing(stands.label_id, kind, codes, stands.flagged)


def _place(session: Session, user: User, assignment_id: int) -> Any:
    """Where an act happens: my assignment with its round, condition and whether it is handed in, or `NotFound`."""
    place = session.execute(_PLACE, mine(user) | {"assignment": assignment_id}).one_or_none()
    if place is None:
        raise not_yours()
    return place


def _check_open(place: Any) -> None:
    if place.closed_at is not None:
        raise Conflict("This round is closed; its labels are settled. Ask the lead if something must change.")
    if place.handed_in:
        raise Conflict(f"You have handed in {place.conversation}. Open it again to change it.")


def _decisions(session: Session, assignment_id: int, utterance_id: int) -> list[Any]:
    return list(session.connection().execute(_DECISIONS, {"assignment": assignment_id, "utterance": utterance_id}))


def undo(session: Session, user: User, *, act_key: str, target: str | None = None) -> Undone:
    """Take back my newest standing act in any conversation, or the act with the key `target`.

    The decision stays; a retraction is added, so what stood before stands again. The same `act_key` undoes once.
    """
    own = OWN_ASSIGNMENTS.with_only_columns(col(Assignment.id))
    acts = select(Decision).where(col(Decision.assignment_id).in_(own))
    before = session.scalars(acts.where(col(Decision.act_key) == act_key), mine(user)).first()
    if before is not None and before.retracts_id is not None:
        return _undone(session, session.get_one(Decision, before.retracts_id))
    acts = acts.where(col(Decision.kind).not_in((Kind.RETRACT, Kind.IMPORT)), unretracted())
    if target:
        acts = acts.where(col(Decision.act_key) == target)
    newest = session.scalars(acts.order_by(col(Decision.id).desc()).limit(1), mine(user)).one_or_none()
    if newest is None:
        raise Conflict("There is nothing left to undo.")
    place = _place(session, user, newest.assignment_id)
    _check_open(place)
    made = {
        "assignment_id": newest.assignment_id,
        "utterance_id": newest.utterance_id,
        "kind": Kind.RETRACT,
        "codes": "",
        "retracts_id": newest.id,
        "act_key": act_key,
        "taxonomy_version_id": place.taxonomy_version_id,
        "condition": place.condition,
        "decided_at": now(),
    }
    session.connection().execute(_INSERT, made)
    return _undone(session, newest)


def _undone(session: Session, decision: Decision) -> Undone:
    found = session.execute(_ONE_SHOWN, {"assignment": decision.assignment_id, "utterance": decision.utterance_id}).one()
    stands = fold(_decisions(session, decision.assignment_id, decision.utterance_id))
    return Undone(make_row(decision.assignment_id, found, stands.get(decision.utterance_id, Standing())), Kind(decision.kind))


def hand_in(session: Session, user: User, assignment_id: int, *, with_open: bool = False) -> HandIn:
    """Hand a conversation in. With open utterances only when asked `with_open`; they stay unlabelled and out of every figure."""
    place = _place(session, user, assignment_id)
    if place.closed_at is not None:
        _check_open(place)
    open_positions = _open_positions(session, assignment_id)
    if place.handed_in:
        return HandIn(True, open_positions)
    if open_positions and not with_open:
        return HandIn(False, open_positions)
    _submit(session, assignment_id, handed_in=True)
    return HandIn(True, open_positions)


def reopen(session: Session, user: User, assignment_id: int) -> None:
    """Open a handed-in conversation again. Agreement keeps using the labels of the first submission."""
    place = _place(session, user, assignment_id)
    if place.closed_at is not None:
        _check_open(place)
    if place.handed_in:
        _submit(session, assignment_id, handed_in=False)


def _open_positions(session: Session, assignment_id: int) -> tuple[int, ...]:
    stands = fold(session.execute(DECISIONS, {"assignment": assignment_id}))
    rows = session.execute(UTTERANCES, {"assignment": assignment_id})
    return tuple(row.position for row in rows if row.id not in stands or stands[row.id].kind is None)


def _submit(session: Session, assignment_id: int, *, handed_in: bool) -> None:
    last = session.scalar(select(func.max(col(Decision.id))).where(col(Decision.assignment_id) == assignment_id))
    session.add(Submission(assignment_id=assignment_id, handed_in=handed_in, last_decision_id=last or 0))
