"""Discussions: a lead sends an utterance back to those who labelled it, with the labels all of them handed in first.

One is open while no gold of its round stands for the utterance, so taking that gold back opens it again. What is decided in
it is a decision like any other; agreement goes on to use the labels handed in first.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select
from sqlmodel import Session, col

from annotator.core.labelled import split_codes
from annotator.errors import Conflict
from annotator.flow.standing import first_submitted, unretracted
from annotator.models import (
    LABELLING,
    Assignment,
    Comment,
    Decision,
    Discussion,
    Gold,
    Kind,
    Round,
    Rule,
    User,
    Utterance,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Discussed:
    """An open discussion as one of those who labelled it sees it: what the lead asks, and the codes everybody handed in first.

    `labels` begins with ("you", ...); a skip has no codes. `answered`: whether they themselves have decided or commented since.
    """

    note: str
    labels: tuple[tuple[str, tuple[str, ...]], ...]
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Talk:
    """How far an open discussion is: what was asked, and which of those who labelled it have decided or commented since."""

    note: str
    asked: frozenset[int]
    answered: frozenset[int]

    @property
    def n_answered(self) -> int:
        """How many of them have answered."""
        return len(self.asked & self.answered)

    @property
    def is_answered(self) -> bool:
        """Whether everybody who can has answered."""
        return self.asked <= self.answered


def unsettled(round_id: Any, utterance_id: Any) -> ColumnElement[bool]:
    """The condition that no gold of a round stands for an utterance."""
    newest = (
        select(col(Gold.rule))
        .where(col(Gold.utterance_id) == utterance_id, col(Gold.round_id) == round_id)
        .order_by(col(Gold.id).desc())
        .limit(1)
        .scalar_subquery()
    )
    return func.coalesce(newest, Rule.WITHDRAWN) == Rule.WITHDRAWN


# Built once: an act on a conversation that is handed in asks it, and building a statement takes longer than running it.
_OPEN = (
    select(col(Discussion.id))
    .where(col(Discussion.round_id) == bindparam("round"), col(Discussion.utterance_id) == bindparam("utterance"))
    .where(unsettled(col(Discussion.round_id), col(Discussion.utterance_id)))
    .limit(1)
)
_OF_ASSIGNMENT = (
    select(col(Discussion.id), col(Discussion.utterance_id), col(Utterance.position), col(Discussion.note))
    .join(Utterance, col(Utterance.id) == col(Discussion.utterance_id))
    .join(Assignment, col(Assignment.conversation_id) == col(Utterance.conversation_id))
    .where(col(Assignment.id) == bindparam("assignment"), ~col(Assignment.repeat))
    .where(col(Discussion.round_id) == col(Assignment.round_id))
    .where(unsettled(col(Discussion.round_id), col(Discussion.utterance_id)))
    .order_by(col(Discussion.id))
)


def in_discussion(session: Session, round_id: int | None, utterance_id: int) -> bool:
    """Whether a lead has sent this utterance back to those who labelled it, and nothing has been settled since."""
    return session.connection().scalar(_OPEN, {"round": round_id, "utterance": utterance_id}) is not None


def is_asked(session: Session, assignment_id: int, round_id: int, utterance_id: int) -> bool:
    """Whether an utterance was sent back to this assignment: it is in discussion, and they had labelled it; no repeat ever had."""
    if not in_discussion(session, round_id, utterance_id):
        return False
    return assignment_id in first_labels(session, round_id, [utterance_id]).get(utterance_id, {})


def discussions_of(session: Session, assignment_id: int) -> dict[int, Discussed]:
    """Position → open discussion, for the utterances that this assignment labelled and handed in; none on a repeat.

    Who has yet to hand in sees nothing of it.
    """
    found = session.connection().execute(_OF_ASSIGNMENT, {"assignment": assignment_id}).all()
    if not found:
        return {}
    assignment = session.get_one(Assignment, assignment_id)
    said = first_labels(session, assignment.round_id, [row.utterance_id for row in found])
    answered = _answered(session, [row.id for row in found])
    return {
        row.position: Discussed(row.note, _seen_by(assignment_id, said[row.utterance_id]), assignment_id in answered[row.id])
        for row in found
        if assignment_id in said.get(row.utterance_id, {})
    }


def _seen_by(assignment_id: int, said: dict[int, tuple[str, ...] | None]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    others = sorted(codes or () for one, codes in said.items() if one != assignment_id)
    who = "the other annotator" if len(others) == 1 else "another annotator"
    return ("you", said[assignment_id] or ()), *((who, codes) for codes in others)


def first_labels(session: Session, round_id: int, utterances: Iterable[int]) -> dict[int, dict[int, tuple[str, ...] | None]]:
    """Utterance id → assignment id → the codes handed in first in a round, None for a skip; repeats are out."""
    utterances = list(utterances)
    conversations = select(col(Utterance.conversation_id)).where(col(Utterance.id).in_(utterances))
    here = of_round(round_id).where(col(Assignment.conversation_id).in_(conversations))
    return read_labels(session, first_submitted(col(Decision.assignment_id).in_(here), col(Decision.utterance_id).in_(utterances)))


def of_round(round_id: int) -> Select[int | None]:
    """The assignments of a round but for repeats."""
    return select(col(Assignment.id)).where(col(Assignment.round_id) == round_id, ~col(Assignment.repeat))


def read_labels(session: Session, labels: Select[*tuple[Any, ...]]) -> dict[int, dict[int, tuple[str, ...] | None]]:
    """Utterance id → assignment id → codes, None for a skip; of a statement of standing labels."""
    found: dict[int, dict[int, tuple[str, ...] | None]] = {}
    for row in session.connection().execute(labels):
        found.setdefault(row.utterance_id, {})[row.assignment_id] = None if row.kind == Kind.SKIP else split_codes(row.codes)
    return found


def open_discussions(session: Session, round_id: int) -> dict[int, Talk]:
    """Utterance id → open discussion of a round."""
    statement = select(Discussion).where(
        col(Discussion.round_id) == round_id, unsettled(col(Discussion.round_id), col(Discussion.utterance_id))
    )
    newest = {one.utterance_id: one for one in session.scalars(statement.order_by(col(Discussion.id)))}
    if not newest:
        return {}
    can_answer = _can_answer(session, round_id)
    said = first_labels(session, round_id, newest)
    answered = _answered(session, [one.id or 0 for one in newest.values()])
    return {
        utterance_id: Talk(one.note, frozenset(said.get(utterance_id, ())) & can_answer, answered[one.id or 0])
        for utterance_id, one in newest.items()
    }


def _can_answer(session: Session, round_id: int) -> frozenset[int]:
    """The assignments of a round whose people can sign in, now or by a link they have; people of files cannot."""
    has_a_way_in = and_(col(User.disabled_at).is_(None), or_(col(User.password_hash).is_not(None), col(User.link_hash).is_not(None)))
    statement = select(col(Assignment.id)).join(User, col(User.id) == col(Assignment.user_id))
    return frozenset(session.scalars(statement.where(col(Assignment.round_id) == round_id, has_a_way_in)))


def _answered(session: Session, ids: list[int]) -> dict[int, frozenset[int]]:
    """Discussion id → the assignments in which something was decided, and not taken back, or said since it was opened."""
    decided = (
        select(col(Discussion.id), col(Decision.assignment_id))
        .join(Decision, col(Decision.utterance_id) == col(Discussion.utterance_id))
        .where(col(Decision.kind).in_(LABELLING), col(Decision.decided_at) > col(Discussion.opened_at), unretracted())
    )
    commented = (
        select(col(Discussion.id), col(Comment.assignment_id))
        .join(Comment, col(Comment.utterance_id) == col(Discussion.utterance_id))
        .join(Assignment, col(Assignment.id) == col(Comment.assignment_id))
        .where(col(Comment.user_id) == col(Assignment.user_id), col(Comment.said_at) > col(Discussion.opened_at))
    )
    found: dict[int, set[int]] = {one: set() for one in ids}
    for statement in (decided, commented):
        for discussion_id, assignment_id in session.execute(statement.where(col(Discussion.id).in_(ids))):
            found[discussion_id].add(assignment_id)
    return {key: frozenset(value) for key, value in found.items()}


def send_back(session: Session, lead: User, round_: Round, utterance_id: int, note: str) -> None:
    """Open a discussion. Asking the same again changes nothing while somebody has still to answer.

    Raises `Conflict` where gold stands, or where nobody who labelled it could answer. Whether the lead may is the caller's.
    """
    round_id = round_.id or 0
    if session.scalar(select(unsettled(round_id, bindparam("utterance"))), {"utterance": utterance_id}) is False:
        raise Conflict("This utterance is settled. Take its gold back first, then send it to discussion.")
    asked = frozenset(first_labels(session, round_id, [utterance_id]).get(utterance_id, ()))
    if not round_.name or not asked & _can_answer(session, round_id):
        raise Conflict("Nobody who labelled this utterance can sign in here and answer. Choose its codes yourself.")
    talk = open_discussions(session, round_id).get(utterance_id)
    if talk is None or talk.is_answered or talk.note != note:
        session.add(Discussion(round_id=round_id, utterance_id=utterance_id, user_id=lead.id or 0, note=note))
        session.flush()
