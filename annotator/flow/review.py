"""Deciding: label, confirm a turn, mark, undo, hand in, open again. Each act adds facts; a repeated request adds none.

What an act becomes is `flow/acts.py`'s, what the annotator sees `flow/desk.py`'s.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from sqlalchemy import and_, bindparam, func, insert, select
from sqlmodel import Session, col

from annotator.core.labelled import join_codes
from annotator.errors import BadInput, Conflict, Outdated
from annotator.flow.access import OWN_ASSIGNMENTS, check_stays_blind, mine, not_yours, shown_suggestion
from annotator.flow.acts import Act, Asked, numbered, outcome
from annotator.flow.adjudication import settle
from annotator.flow.desk import HANDED_IN, reason
from annotator.flow.discussion import is_asked
from annotator.flow.first_labels import remember
from annotator.flow.rows import DECISIONS, MY_DECISION, SHOWN, UTTERANCES, Row, discussed_of, make_row
from annotator.flow.standing import Standing, fold, unretracted
from annotator.flow.taxonomy import taxonomy_of
from annotator.models import (
    Assignment,
    Condition,
    Conversation,
    Decision,
    Kind,
    ReasonOpened,
    Round,
    RoundConversation,
    Submission,
    Suggestion,
    TaxonomyVersion,
    User,
    Utterance,
    now,
)  # fmt: skip

_CHANGED = "This was changed in another window meanwhile. It is shown as it stands now; choose again if you want something else."
_USED = "This page was used already and showed an older state. It is shown as it stands now; choose again."
_TAKEN_BACK = "This was taken back already, in another window. It is shown as it stands now."


@dataclass(frozen=True, slots=True)
class Undone:
    """Which utterances an undo changed, as they are now, and what was taken back."""

    rows: tuple[Row, ...]
    kind: Kind

    @property
    def row(self) -> Row:
        """The first of them."""
        return self.rows[0]


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

_WHERE: tuple[Any, ...] = (
    col(Assignment.id).label("assignment_id"),
    col(Assignment.round_id),
    col(Assignment.conversation_id),
    col(Assignment.repeat),
    col(Round.taxonomy_version_id),
    col(Round.closed_at),
    col(RoundConversation.condition),
    col(TaxonomyVersion.fingerprint),
    col(Conversation.key).label("conversation"),
    HANDED_IN.label("handed_in"),
)
_PLACE = (
    OWN_ASSIGNMENTS.join(TaxonomyVersion, col(TaxonomyVersion.id) == col(Round.taxonomy_version_id))
    .where(col(Assignment.id) == bindparam("assignment"))
    .with_only_columns(*_WHERE)
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
_TURN_SHOWN = UTTERANCES.where(col(Utterance.turn_position) == bindparam("turn"))
_MY_ASSIGNMENTS = select(col(Assignment.id)).where(col(Assignment.user_id) == bindparam("me"))
_WITH_KEY = (
    select(Decision)
    .where(col(Decision.assignment_id).in_(_MY_ASSIGNMENTS), col(Decision.act_key) == bindparam("act_key"))
    # Keys differ within an assignment; where two assignments have the same one, the newest is meant.
    .order_by(col(Decision.id).desc())
    .limit(1)
)
_CAN_BE_UNDONE = col(Decision.kind).not_in((Kind.RETRACT, Kind.IMPORT))
_NEWEST = select(Decision).where(MY_DECISION, _CAN_BE_UNDONE, unretracted()).order_by(col(Decision.id).desc()).limit(1)
_GROUP = (
    select(Decision)
    .where(col(Decision.assignment_id) == bindparam("assignment"), col(Decision.group_key) == bindparam("group"))
    .order_by(col(Decision.id))
)


def decide(session: Session, user: User, assignment_id: int, position: int, asked: Asked) -> Row:
    """Add one decision on one utterance of mine and return the row as it is now.

    The same `act_key` again changes nothing. Confirming what has a label already changes nothing either. Raises `Outdated` when
    the page knew another state of the utterance than the one that stands.
    """
    found = _find(session, user, assignment_id, position)
    decisions = _decisions(session, assignment_id, found.id)
    stands = fold(decisions).get(found.id, Standing())
    discussed = discussed_of(session, assignment_id, [found])
    row = make_row(assignment_id, found, stands, discussed)
    repeated = next((decision for decision in decisions if decision.act_key == asked.act_key), None)
    if repeated is None:
        _check_seen(row, asked)
        if asked.act == Act.CONFIRM and stands.kind is not None:
            return row
    kind, codes = outcome(taxonomy_of(session, found.taxonomy_version_id, found.fingerprint), row, asked)
    if repeated is not None:
        # A request that comes again asks for the same; anything else comes from a page that was used already.
        if (repeated.kind, repeated.codes) != (kind, join_codes(codes)):
            raise Outdated(_USED, [row])
        return row
    check_open(session, found, found.id)
    made = _fact(found, found.id, kind, asked.act_key) | {
        "assignment_id": assignment_id,
        "codes": join_codes(codes),
        "seconds": asked.seconds,
        "reason": asked.flag_reason,
    }
    return _saved(session, [(found, stands, made)])[0]


def confirm_turn(session: Session, user: User, assignment_id: int, position: int, asked: Asked) -> tuple[Row, ...]:
    """Confirm every proposal of the utterance's turn that is still open, as one act, and return the turn's rows as they are now.

    `seen` is the utterance's own: the others are touched only where they are open, so that nothing is overwritten there.
    """
    place = _find(session, user, assignment_id, position)
    connection = session.connection()
    decisions = connection.execute(DECISIONS, {"assignment": assignment_id}).all()
    stands = fold(decisions)
    turn = connection.execute(_TURN_SHOWN, {"assignment": assignment_id, "turn": place.turn_position}).all()
    discussed = discussed_of(session, assignment_id, turn)
    rows = {found.id: make_row(assignment_id, found, stands.setdefault(found.id, Standing()), discussed) for found in turn}
    repeated = next((decision for decision in decisions if decision.act_key == asked.act_key), None)
    if repeated is not None:
        if (repeated.kind, repeated.group_key) != (Kind.CONFIRM, asked.act_key):
            raise Outdated(_USED, rows.values())
        return tuple(rows.values())
    _check_seen(rows[place.id], asked)
    still_open = [found for found in turn if rows[found.id].state == "open"]
    wanted = [found for found in still_open if rows[found.id].proposal]
    if still_open and not wanted:
        raise BadInput("There is no proposal to confirm in this turn. Choose a code.")
    made = []
    for number, found in enumerate(wanted, 1):
        check_open(session, place, found.id)
        fact = _fact(place, found.id, Kind.CONFIRM, numbered(asked.act_key, number)) | {
            "assignment_id": assignment_id,
            "codes": join_codes(rows[found.id].proposed),
            "group_key": asked.act_key,
            "seconds": asked.seconds if found.id == place.id else None,
        }
        made.append((found, stands[found.id], fact))
    changed = {row.position: row for row in _saved(session, made)}
    return tuple(changed.get(row.position, row) for row in rows.values())


def _find(session: Session, user: User, assignment_id: int, position: int) -> Any:
    """An utterance of mine as `SHOWN`, with where it is as `my_place` has it, or `NotFound`."""
    where = mine(user) | {"assignment": assignment_id, "position": position}
    found = session.connection().execute(_UTTERANCE, where).one_or_none()
    if found is None or found.id is None:
        raise not_yours("conversation" if found is None else "utterance")
    return found


def my_place(session: Session, user: User, assignment_id: int) -> Any:
    """Where an act happens: my assignment with its round, condition and whether it is handed in, or `NotFound`."""
    place = session.execute(_PLACE, mine(user) | {"assignment": assignment_id}).one_or_none()
    if place is None:
        raise not_yours()
    return place


def _check_seen(row: Row, asked: Asked) -> None:
    if asked.seen is not None and asked.seen != row.seen:
        raise Outdated(_CHANGED, [row])


def check_open(session: Session, place: Any, utterance_id: int | None = None) -> None:
    """Raise `Conflict` where labels are settled: but what a lead has sent back for discussion takes acts at any time."""
    locked = place.closed_at is not None or place.handed_in
    if locked and utterance_id and is_asked(session, place.assignment_id, place.round_id, utterance_id):
        return
    if place.closed_at is not None:
        raise Conflict("This round is closed; its labels are settled. Ask the lead if something must change.")
    if place.handed_in:
        raise Conflict(f"You have handed in {place.conversation}. Open it again to change it.")


def _decisions(session: Session, assignment_id: int, utterance_id: int) -> list[Any]:
    return list(session.connection().execute(_DECISIONS, {"assignment": assignment_id, "utterance": utterance_id}))


def _fact(place: Any, utterance_id: int, kind: Kind, act_key: str) -> dict[str, Any]:
    """A decision's columns; all decisions are given the same ones, so that they are stored by one statement."""
    return {
        "utterance_id": utterance_id,
        "kind": kind,
        "codes": "",
        "retracts_id": None,
        "act_key": act_key,
        "group_key": None,
        "taxonomy_version_id": place.taxonomy_version_id,
        "condition": place.condition,
        "seconds": None,
        "reason": "",
        "decided_at": now(),
    }


def _saved(session: Session, made: Sequence[tuple[Any, Standing, dict[str, Any]]]) -> list[Row]:
    """Store the facts; the rows as they stand then, from what is shown of each utterance and what stood before."""
    if not made:
        return []
    session.connection().execute(_INSERT, [fact for _, _, fact in made])
    discussed = discussed_of(session, made[0][2]["assignment_id"], [found for found, _, _ in made])  # an act may answer one
    rows = []
    for found, stands, fact in made:
        stands.take(SimpleNamespace(id=None, **fact))
        rows.append(make_row(fact["assignment_id"], found, stands, discussed))
    return rows


def undo(session: Session, user: User, *, act_key: str, target: str | None = None) -> Undone:
    """Take back my newest standing act in any conversation, or the act with the key `target`; all that one press did at once.

    The decisions stay; retractions are added, so what stood before stands again. The same `act_key` undoes once. Raises
    `Outdated` when `target` was taken back already.
    """
    before = session.scalars(_WITH_KEY.where(col(Decision.kind) == Kind.RETRACT), mine(user) | {"act_key": act_key}).one_or_none()
    if before is not None:
        return _undone(session, [session.get_one(Decision, one.retracts_id) for one in _group(session, before)])
    if target:
        meant = session.scalars(_WITH_KEY.where(_CAN_BE_UNDONE), mine(user) | {"act_key": target}).one_or_none()
    else:
        meant = session.scalars(_NEWEST, mine(user)).one_or_none()
    if meant is None:
        raise Conflict("There is nothing left to undo.")
    group = _group(session, meant)
    if session.scalars(select(col(Decision.id)).where(col(Decision.retracts_id) == meant.id)).one_or_none() is not None:
        raise Outdated(_TAKEN_BACK, _undone(session, group).rows)
    place = my_place(session, user, meant.assignment_id)
    retractions = []
    for number, one in enumerate(group, 1):
        check_open(session, place, one.utterance_id)
        retractions.append(
            _fact(place, one.utterance_id, Kind.RETRACT, numbered(act_key, number))
            | {"assignment_id": one.assignment_id, "retracts_id": one.id, "group_key": act_key if len(group) > 1 else None}
        )
    session.connection().execute(_INSERT, retractions)
    return _undone(session, group)


def _group(session: Session, decision: Decision) -> list[Decision]:
    """All that was decided by the same press, the decision itself included."""
    if decision.group_key is None:
        return [decision]
    return list(session.scalars(_GROUP, {"assignment": decision.assignment_id, "group": decision.group_key}))


def _undone(session: Session, decisions: list[Decision]) -> Undone:
    rows = []
    for decision in decisions:
        found = session.execute(_ONE_SHOWN, {"assignment": decision.assignment_id, "utterance": decision.utterance_id}).one()
        stands = fold(_decisions(session, decision.assignment_id, decision.utterance_id))
        discussed = discussed_of(session, decision.assignment_id, [found])
        rows.append(make_row(decision.assignment_id, found, stands.get(decision.utterance_id, Standing()), discussed))
    return Undone(tuple(rows), Kind(decisions[0].kind))


def open_reason(session: Session, user: User, assignment_id: int, position: int) -> str:
    """Why the tagger proposed what it did, where that may be shown; when it was read first is recorded."""
    said = reason(session, user, assignment_id, position)
    at = {"assignment_id": assignment_id, "utterance_id": _find(session, user, assignment_id, position).id}
    if session.scalars(select(ReasonOpened).filter_by(**at)).first() is None:
        session.add(ReasonOpened(**at))
    return said


def hand_in(session: Session, user: User, assignment_id: int, *, with_open: bool = False) -> HandIn:
    """Hand a conversation in. With open utterances only when asked `with_open`; they stay unlabelled and out of every figure."""
    place = my_place(session, user, assignment_id)
    if place.closed_at is not None:
        check_open(session, place)
    open_positions = _open_positions(session, assignment_id)
    if place.handed_in:
        return HandIn(True, open_positions)
    if open_positions and not with_open:
        return HandIn(False, open_positions)
    _submit(session, assignment_id, handed_in=True)
    session.flush()
    remember(session, [assignment_id], anew=False)
    settle(session, place.round_id, place.conversation_id)
    return HandIn(True, open_positions)


def reopen(session: Session, user: User, assignment_id: int) -> None:
    """Open a handed-in conversation again. Agreement keeps using the labels of the first submission."""
    place = my_place(session, user, assignment_id)
    if place.closed_at is not None:
        check_open(session, place)
    if place.handed_in:
        if place.condition == Condition.BLIND:
            check_stays_blind(session, user, place.conversation_id)
        _submit(session, assignment_id, handed_in=False)


def _open_positions(session: Session, assignment_id: int) -> tuple[int, ...]:
    stands = fold(session.execute(DECISIONS, {"assignment": assignment_id}))
    rows = session.execute(UTTERANCES, {"assignment": assignment_id})
    return tuple(row.position for row in rows if row.id not in stands or stands[row.id].kind is None)


def _submit(session: Session, assignment_id: int, *, handed_in: bool) -> None:
    last = session.scalar(select(func.max(col(Decision.id))).where(col(Decision.assignment_id) == assignment_id))
    session.add(Submission(assignment_id=assignment_id, handed_in=handed_in, last_decision_id=last or 0))
