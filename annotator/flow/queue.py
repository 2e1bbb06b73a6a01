"""What waits for a lead: how far each round is, the utterances in the queue, and those in discussion.

Settling itself is `flow/adjudication.py`'s, one utterance with its labels `flow/settling.py`'s.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, literal, select, tuple_
from sqlmodel import Session, col

from annotator.flow.access import Right, may_settle, require
from annotator.flow.adjudication import codes_of, get_round, handed_in_by_several, is_handed_in_by_several
from annotator.flow.discussion import Talk, open_discussions, unsettled
from annotator.flow.standing import settled
from annotator.models import UNANIMOUS, Assignment, Conversation, Gold, Round, Rule, User, Utterance

MANY = 1000
_ORDER = (col(Utterance.conversation_id), col(Utterance.position))


@dataclass(frozen=True, slots=True)
class RoundGold:
    """How far a round is, in utterances of conversations that two or more people handed in; `not_yours` in conversations."""

    round_id: int
    name: str
    closed: bool
    conversations: int
    utterances: int
    unanimous: int
    unanimous_assisted: int
    adjudicated: int
    in_discussion: int
    not_yours: int

    @property
    def waiting(self) -> int:
        """Neither settled nor in discussion."""
        return self.utterances - self.unanimous - self.unanimous_assisted - self.adjudicated - self.in_discussion


@dataclass(frozen=True, slots=True)
class Sent:
    """An utterance in discussion that somebody has still to answer."""

    utterance_id: int
    conversation: str
    position: int
    note: str
    answered: int
    asked: int


# Rounds


def rounds(session: Session, lead: User) -> list[RoundGold]:
    """Every round with a conversation that two or more people handed in, the newest first."""
    require(lead, Right.LEAD)
    found = session.scalars(select(Round).order_by(col(Round.id).desc()))
    return [one for round_ in found if (one := of_round(session, lead, round_)).conversations]


def of_round(session: Session, lead: User, round_: Round) -> RoundGold:
    """How far one round is."""
    round_id = round_.id or 0
    several = handed_in_by_several(round_id)
    conversations = list(session.scalars(several))
    yours = set(session.scalars(several.where(may_settle(lead, col(Assignment.conversation_id)))))
    here = (col(Utterance.conversation_id).in_(several.order_by(None)), col(Utterance.role).in_(codes_of(session, round_).roles))
    utterances = session.scalar(select(func.count()).select_from(Utterance).where(*here)) or 0
    gold = settled(col(Gold.round_id) == round_id).subquery("gold")
    rules = {row.rule: row.n for row in session.execute(select(gold.c.rule, func.count().label("n")).group_by(gold.c.rule))}
    unanimous = {rule: rules.pop(rule, 0) for rule in UNANIMOUS}
    talks = open_discussions(session, round_id).values()
    return RoundGold(
        round_id=round_id,
        name=round_.name,
        closed=round_.closed_at is not None,
        conversations=len(conversations),
        utterances=utterances,
        unanimous=unanimous[Rule.UNANIMOUS],
        unanimous_assisted=unanimous[Rule.UNANIMOUS_ASSISTED],
        adjudicated=sum(rules.values()),
        in_discussion=sum(not talk.is_answered for talk in talks),
        not_yours=len(conversations) - len(yours),
    )


# The queue


def waiting(session: Session, lead: User, round_: Round, talks: dict[int, Talk]) -> Select[int | None]:
    """The ids of what this lead can settle now; what is in discussion waits until all have answered."""
    round_id = round_.id or 0
    here = col(Utterance.conversation_id)
    asked = [utterance_id for utterance_id, talk in talks.items() if not talk.is_answered]
    return (
        select(col(Utterance.id))
        .where(col(Utterance.role).in_(codes_of(session, round_).roles), col(Utterance.id).not_in(asked))
        .where(unsettled(round_id, col(Utterance.id)), is_handed_in_by_several(round_id, here), may_settle(lead, here))
    )


def first_after(session: Session, queue: Select[int | None], at: Utterance | None) -> int | None:
    """What comes in a queue after an utterance, or first; conversation by conversation, and from the beginning after the end."""
    ordered = queue.order_by(*_ORDER).limit(1)
    found = session.scalar(ordered.where(tuple_(*_ORDER) > _place(at))) if at else None
    return found or session.scalar(ordered)


def last_before(session: Session, queue: Select[int | None], at: Utterance) -> int | None:
    """What comes in a queue before an utterance, or last."""
    ordered = queue.order_by(*(one.desc() for one in _ORDER)).limit(1)
    return session.scalar(ordered.where(tuple_(*_ORDER) < _place(at))) or session.scalar(ordered)


def count(session: Session, queue: Select[int | None], until: Utterance | None = None) -> int:
    """How many wait, in all or until an utterance; counted up to `MANY` + 1, because counting a long queue takes longer than a step."""
    counted = queue.where(tuple_(*_ORDER) <= _place(until)) if until else queue
    return session.scalar(select(func.count()).select_from(counted.limit(MANY + 1).subquery())) or 0


def _place(at: Utterance) -> Any:
    return tuple_(literal(at.conversation_id), literal(at.position))


def in_discussion(session: Session, lead: User, round_id: int) -> tuple[Round, list[Sent]]:
    """What of a round somebody has still to answer."""
    require(lead, Right.LEAD)
    round_ = get_round(session, round_id)
    talks = {key: talk for key, talk in open_discussions(session, round_id).items() if not talk.is_answered}
    statement = (
        select(col(Utterance.id), col(Conversation.key), col(Utterance.position))
        .join(Conversation, col(Conversation.id) == col(Utterance.conversation_id))
        .where(col(Utterance.id).in_(talks), may_settle(lead, col(Conversation.id)))
        .order_by(col(Conversation.id), col(Utterance.position))
    )
    sent = []
    for utterance_id, key, position in session.execute(statement):
        talk = talks[utterance_id]
        sent.append(Sent(utterance_id, key, position, talk.note, talk.n_answered, len(talk.asked)))
    return round_, sent
