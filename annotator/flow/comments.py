"""Comments on one person's work on one utterance, by them and by leads; a thread is resolved when its newest comment resolves it.

They change no label and stay possible when a conversation is handed in or a round closed. Who may read them is `flow/access.py`'s.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import takewhile
from typing import Any

from sqlalchemy import Select, false, func, null, select
from sqlmodel import Session, col

from annotator.errors import BadInput, Conflict
from annotator.flow.access import PLACED, Right, commented, may, not_yours, require, view_of
from annotator.flow.corpus import shown_names
from annotator.flow.rows import DECISIONS
from annotator.flow.standing import FLAGS, Standing, fold, marked
from annotator.models import Assignment, Comment, Conversation, Decision, Round, RoundConversation, User, Utterance

PAGE = 100


class Listing(StrEnum):
    """What a list holds: threads that wait for an answer, all threads, or flags."""

    UNRESOLVED = "unresolved"
    ALL = "all"
    FLAGS = "flags"


@dataclass(frozen=True, slots=True)
class Said:
    """One comment. `who` is "you", a name or pseudonym, or for annotators "lead"."""

    who: str
    body: str
    resolves: bool
    said_at: datetime


@dataclass(frozen=True, slots=True)
class Thread:
    """What was said about an utterance in `annotator`'s conversation, oldest first, with what stands of their label and flag."""

    assignment_id: int
    position: int
    conversation: str
    round: str
    role: str
    text: str
    annotator: str
    own: bool
    codes: tuple[str, ...]
    flagged: bool
    flag_reason: str
    said: tuple[Said, ...]

    @property
    def comments(self) -> int:
        """How many comments wait for an answer or for being resolved."""
        return len(list(takewhile(lambda one: not one.resolves, reversed(self.said))))


@dataclass(frozen=True, slots=True)
class Listed:
    """A thread with its newest comment, or a flag with its reason; `annotator` is whose conversation it is."""

    assignment_id: int
    position: int
    conversation: str
    round: str
    text: str
    annotator: str
    who: str
    body: str
    resolved: bool
    said_at: datetime | None


def thread_of(session: Session, user: User, assignment_id: int, position: int) -> Thread:
    """The comments on one utterance of an assignment, where this user may read them; else `NotFound`."""
    found = _find(session, user, assignment_id, position)
    names = _names(session, user)
    comments = select(Comment).where(col(Comment.assignment_id) == assignment_id, col(Comment.utterance_id) == found.utterance_id)
    decisions = session.execute(DECISIONS.where(col(Decision.utterance_id) == found.utterance_id), {"assignment": assignment_id})
    stands = fold(decisions).get(found.utterance_id, Standing())
    said = session.scalars(comments.order_by(col(Comment.id)))
    return Thread(
        assignment_id=assignment_id,
        position=position,
        conversation=found.conversation,
        round=found.round,
        role=found.role,
        text=found.text,
        annotator=names.get(found.annotator_id, "annotator"),
        own=found.annotator_id == user.id,
        codes=stands.codes,
        flagged=stands.flagged,
        flag_reason=stands.flag_reason,
        said=tuple(Said(names.get(one.user_id, "lead"), one.body, one.resolves, one.said_at) for one in said),
    )


def comment(
    session: Session, user: User, assignment_id: int, position: int, *, body: str, resolves: bool, act_key: str
) -> Thread:
    """Say something about an utterance of mine, or as a lead about anybody's, or that it is resolved, or both.

    The same `act_key` again says nothing more.
    """
    require(user, Right.ANNOTATE)
    found = _find(session, user, assignment_id, position)
    body = body.strip()
    with_key = select(Comment).where(col(Comment.assignment_id) == assignment_id, col(Comment.act_key) == act_key)
    before = session.scalars(with_key).one_or_none()
    if before is not None:
        if (before.utterance_id, before.user_id, before.body, before.resolves) != (found.utterance_id, user.id, body, resolves):
            raise Conflict("This page was used already. Reload it to see what was said, then write again.")
    elif not body and not resolves:
        raise BadInput("The comment is empty. Write something, or resolve what was said.")
    else:
        where = {"assignment_id": assignment_id, "utterance_id": found.utterance_id}
        session.add(Comment(**where, user_id=user.id or 0, body=body, resolves=resolves, act_key=act_key))
        session.flush()
    return thread_of(session, user, assignment_id, position)


def listed(session: Session, user: User, listing: Listing, round_id: int | None, page: int) -> tuple[list[Listed], bool]:
    """One page of the threads or flags that this user may read, of one round or of all, and whether there are more."""
    statement = _flags(user) if listing == Listing.FLAGS else _threads(user, unresolved=listing == Listing.UNRESOLVED)
    if round_id is not None:
        statement = statement.where(col(Assignment.round_id) == round_id)
    names = _names(session, user)
    found = session.execute(statement.offset((page - 1) * PAGE).limit(PAGE + 1)).all()
    return [_listed(row, names) for row in found[:PAGE]], len(found) > PAGE


def count_for_me(session: Session, user: User) -> int:
    """How many unresolved threads that this user may read ended with somebody else's comment."""
    theirs = _threads(user, unresolved=True).where(col(Comment.user_id) != user.id).order_by(None)
    return session.scalar(select(func.count()).select_from(theirs.subquery())) or 0


def _listed(row: Any, names: dict[int, str]) -> Listed:
    return Listed(
        assignment_id=row.assignment_id,
        position=row.position,
        conversation=row.conversation,
        round=row.round,
        text=row.text,
        annotator=names.get(row.annotator_id, "annotator"),
        who=names.get(row.user_id, "lead"),
        body=row.body,
        resolved=row.resolves,
        said_at=row.said_at,
    )


_COLUMNS: tuple[Any, ...] = (
    col(Assignment.id).label("assignment_id"),
    col(Assignment.user_id).label("annotator_id"),
    col(Utterance.id).label("utterance_id"),
    col(Utterance.position),
    col(Utterance.role),
    col(Utterance.text),
    col(Conversation.key).label("conversation"),
    col(Round.name).label("round"),
)
_WHERE = (
    select(*_COLUMNS)
    .select_from(Assignment)
    .join(Round, col(Round.id) == col(Assignment.round_id))
    .join(RoundConversation, PLACED)
    .join(Conversation, col(Conversation.id) == col(Assignment.conversation_id))
    .join(Utterance, col(Utterance.conversation_id) == col(Conversation.id))
)
"""Every utterance as every annotator has it."""


def _find(session: Session, user: User, assignment_id: int, position: int) -> Any:
    statement = _WHERE.where(col(Assignment.id) == assignment_id, col(Utterance.position) == position, commented(user))
    found = session.execute(statement).one_or_none()
    if found is None:
        raise not_yours("utterance")
    return found


def _threads(user: User, *, unresolved: bool) -> Select[*tuple[Any, ...]]:
    newest = select(func.max(col(Comment.id))).group_by(col(Comment.assignment_id), col(Comment.utterance_id)).correlate(None)
    statement = (
        _WHERE.join(Comment, (col(Comment.assignment_id) == col(Assignment.id)) & (col(Comment.utterance_id) == col(Utterance.id)))
        .add_columns(col(Comment.user_id), col(Comment.body), col(Comment.resolves), col(Comment.said_at))
        .where(commented(user), col(Comment.id).in_(newest))
        .order_by(col(Comment.id).desc())
    )
    return statement.where(~col(Comment.resolves)) if unresolved else statement


def _flags(user: User) -> Select[*tuple[Any, ...]]:
    flags = marked(FLAGS).subquery("flags")
    return (
        _WHERE.join(flags, (flags.c.assignment_id == col(Assignment.id)) & (flags.c.utterance_id == col(Utterance.id)))
        .add_columns(col(Assignment.user_id), flags.c.reason.label("body"), false().label("resolves"), null().label("said_at"))
        .where(commented(user))
        .order_by(col(Assignment.id), col(Utterance.position))
    )


def _names(session: Session, user: User) -> dict[int, str]:
    """User id → what to call them for this user: annotators know themselves, and that whoever else comments is a lead."""
    names = shown_names(session, view_of(user)) if may(user, Right.READ_ALL) else {}
    return names | {user.id or 0: "you"}
