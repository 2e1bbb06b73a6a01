"""What in a round waits for somebody's answer: comments that nobody resolved, and flags with their reason."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlmodel import Session, col

from annotator.flow.access import still_labels, view_of
from annotator.flow.corpus import shown_names
from annotator.flow.standing import FLAGS, marked
from annotator.models import Assignment, Comment, Conversation, Decision, Round, User, Utterance


@dataclass(frozen=True, slots=True)
class Remark:
    """What somebody noted on an utterance of an annotator's conversation. `what` is comment or flag; `by` said it."""

    what: str
    assignment_id: int
    conversation: str
    position: int
    annotator: str
    by: str
    text: str
    said_at: datetime | None


def remarks_of(session: Session, user: User, made: Round) -> list[Remark]:
    """All of a round in the order of the conversations, but none on what this person has still to label themselves."""
    names = shown_names(session, view_of(user))
    here = col(Decision.assignment_id).in_(select(col(Assignment.id)).where(col(Assignment.round_id) == made.id))
    found = []
    for what, statement in (("comment", unresolved(made.id)), ("flag", marked(FLAGS, here))):
        for row in session.execute(_placed(statement, user)):
            annotator = names.get(row.annotator_id, "somebody")
            said = (names.get(row.user_id, "somebody"), row.body, row.said_at) if what == "comment" else (annotator, row.reason, None)
            found.append(Remark(what, row.assignment_id, row.conversation, row.position, annotator, *said))
    return sorted(found, key=lambda one: (one.assignment_id, one.position, one.what))


def _placed(statement: Select[*tuple[Any, ...]], user: User) -> Select[*tuple[Any, ...]]:
    """Rows of assignment and utterance, with where that is and whose it is."""
    rows = statement.subquery("said")
    return (
        select(
            *rows.c,
            col(Conversation.key).label("conversation"),
            col(Utterance.position),
            col(Assignment.user_id).label("annotator_id"),
        )
        .join(Assignment, col(Assignment.id) == rows.c.assignment_id)
        .join(Utterance, col(Utterance.id) == rows.c.utterance_id)
        .join(Conversation, col(Conversation.id) == col(Assignment.conversation_id))
        .where(~still_labels(user.id, col(Assignment.conversation_id)))
    )


def unresolved(round_id: int | None) -> Select[*tuple[Any, ...]]:
    """The newest comment of every thread that nobody resolved: `assignment_id`, `utterance_id`, `user_id`, `body`, `said_at`."""
    newest = (
        select(func.max(col(Comment.id)))
        .join(Assignment, col(Assignment.id) == col(Comment.assignment_id))
        .where(col(Assignment.round_id) == round_id)
        .group_by(col(Comment.assignment_id), col(Comment.utterance_id))
        .correlate(None)
    )
    columns = (col(Comment.assignment_id), col(Comment.utterance_id), col(Comment.user_id), col(Comment.body), col(Comment.said_at))
    return select(*columns).where(col(Comment.id).in_(newest), ~col(Comment.resolves))
