"""Steps that tests of use cases share: acts of a person by name, and the whole database as plain rows."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, SQLModel, col

from annotator.core.labelled import join_codes
from annotator.db import Database
from annotator.flow import review
from annotator.flow.accounts import get_user
from annotator.flow.acts import Act, Asked
from annotator.flow.desk import Row, open_desk
from annotator.models import Assignment, Condition, Conversation, Decision, Gold, Kind, Round, RoundConversation, Utterance

SIZES = {"s1_d_1": 32, "s2_d_2": 38, "s3_d_3": 37}


class _RollBack(Exception):
    pass


@contextmanager
def rolled_back(db: Database) -> Iterator[Session]:
    """One transaction of which nothing stays."""
    with suppress(_RollBack), db.writing() as session:
        yield session
        raise _RollBack


def dump(session: Session) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    tables = SQLModel.metadata.sorted_tables
    return {table.name: [tuple(row) for row in session.execute(select(table).order_by(*table.primary_key))] for table in tables}


def assignment(session: Session, name: str, conversation: str, round_name: str = "r1", repeat: bool = False) -> int:
    """The id of somebody's assignment."""
    statement = (
        select(col(Assignment.id))
        .join(Round, col(Round.id) == col(Assignment.round_id))
        .join(Conversation, col(Conversation.id) == col(Assignment.conversation_id))
        .where(col(Round.name) == round_name, col(Conversation.key) == conversation)
        .where(col(Assignment.user_id) == get_user(session, name).id, col(Assignment.repeat).is_(repeat))
    )
    return int(session.scalars(statement).one())


def decisions(session: Session) -> list[tuple[Kind, str]]:
    """Every decision's kind and codes, in the order they were made."""
    return [(row.kind, row.codes) for row in session.execute(select(Decision.kind, Decision.codes).order_by(col(Decision.id)))]


def row_of(session: Session, name: str, conversation: str, position: int) -> Row:
    """An utterance as somebody's desk shows it."""
    opened = open_desk(session, get_user(session, name), assignment(session, name, conversation))
    return opened.rows[position - 1]


def act(
    session: Session, name: str, conversation: str, position: int, what: Act, *codes: str, round_name: str = "r1", key: str = ""
) -> Row:
    """Somebody does something to an utterance."""
    at, user = assignment(session, name, conversation, round_name), get_user(session, name)
    asked = Asked(act=what, codes=codes, act_key=key or uuid.uuid4().hex)
    if what == Act.CONFIRM_TURN:
        return next(row for row in review.confirm_turn(session, user, at, position, asked) if row.position == position)
    return review.decide(session, user, at, position, asked)


def label(session: Session, name: str, conversation: str, position: int, *codes: str, round_name: str = "r1") -> Row:
    """Somebody gives an utterance these codes."""
    return act(session, name, conversation, position, Act.LABEL, *codes, round_name=round_name)


def undo(session: Session, name: str, target: str | None = None) -> review.Undone:
    """Somebody takes their newest act back."""
    return review.undo(session, get_user(session, name), act_key=uuid.uuid4().hex, target=target)


def hand_in(session: Session, name: str, conversation: str, round_name: str = "r1") -> review.HandIn:
    """Somebody hands a conversation in, open utterances or not."""
    at = assignment(session, name, conversation, round_name)
    return review.hand_in(session, get_user(session, name), at, with_open=True)


def repeat_of(session: Session, name: str, conversation: str, round_name: str = "r1") -> int:
    """Give somebody a conversation of theirs once more; the id of that assignment."""
    first = session.get_one(Assignment, assignment(session, name, conversation, round_name))
    session.add(Assignment(**first.model_dump(exclude={"id", "repeat"}), repeat=True))
    session.flush()
    return assignment(session, name, conversation, round_name, repeat=True)


def label_repeat(session: Session, name: str, conversation: str, codes: dict[int, str]) -> int:
    """Somebody is given a conversation of r1 once more, labels it (position → code) and hands it in; the id of that assignment."""
    at, user = repeat_of(session, name, conversation), get_user(session, name)
    for one in SIZES:  # only then is a repeat due
        hand_in(session, name, one)
    session.flush()
    for position, code in codes.items():
        review.decide(session, user, at, position, Asked(act=Act.LABEL, codes=(code,), act_key=uuid.uuid4().hex))
    review.hand_in(session, user, at, with_open=True)
    return at


def reopen(session: Session, name: str, conversation: str) -> None:
    """Somebody opens a conversation again."""
    review.reopen(session, get_user(session, name), assignment(session, name, conversation))


def utterance_id(session: Session, conversation: str, position: int) -> int:
    statement = select(col(Utterance.id)).join(Conversation, col(Conversation.id) == col(Utterance.conversation_id))
    return int(session.scalars(statement.where(col(Conversation.key) == conversation, col(Utterance.position) == position)).one())


def role_at(session: Session, conversation: str, position: int) -> str:
    return session.get_one(Utterance, utterance_id(session, conversation, position)).role


def settle(session: Session, conversation: str, position: int, *codes: str) -> None:
    """Gold for an utterance."""
    session.add(Gold(utterance_id=utterance_id(session, conversation, position), codes=join_codes(codes), rule="unanimous"))
    session.flush()


def blind(session: Session, round_name: str, *conversations: str) -> None:
    """Show no proposals of these conversations in the round."""
    found = session.scalars(select(Round).where(col(Round.name) == round_name)).one()
    keys = select(col(Conversation.id)).where(col(Conversation.key).in_(conversations))
    places = select(RoundConversation).where(
        col(RoundConversation.round_id) == found.id, col(RoundConversation.conversation_id).in_(keys)
    )
    for placed in session.scalars(places):
        placed.condition = Condition.BLIND
    session.flush()


def close_round(session: Session, round_name: str) -> None:
    found = session.scalars(select(Round).where(col(Round.name) == round_name)).one()
    found.closed_at = found.created_at
    session.flush()
