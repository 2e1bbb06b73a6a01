"""What waits for a lead: how far each round is, the utterances in the queue, and those in discussion.

Settling itself is `flow/adjudication.py`'s, one utterance with its labels `flow/settling.py`'s.
"""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlmodel import Session, col

from annotator.flow.access import Right, may_settle, require
from annotator.flow.adjudication import codes_of, get_round, handed_in_by_several
from annotator.flow.discussion import Talk, open_discussions, unsettled
from annotator.flow.standing import settled
from annotator.models import UNANIMOUS, Assignment, Conversation, Gold, Round, Rule, User, Utterance


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
class Place:
    """Where an utterance stands."""

    utterance_id: int
    conversation_id: int
    position: int

    @property
    def order(self) -> tuple[int, int]:
        """What the queue is sorted by."""
        return self.conversation_id, self.position


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


def waiting(session: Session, lead: User, round_: Round, talks: dict[int, Talk]) -> list[Place]:
    """What this lead can settle now, in the order of conversations; what is in discussion waits until all have answered."""
    round_id = round_.id or 0
    several = handed_in_by_several(round_id).where(may_settle(lead, col(Assignment.conversation_id))).order_by(None)
    statement = (
        select(col(Utterance.id), col(Utterance.conversation_id), col(Utterance.position))
        .where(col(Utterance.conversation_id).in_(several), col(Utterance.role).in_(codes_of(session, round_).roles))
        .where(unsettled(round_id, col(Utterance.id)))
        .order_by(col(Utterance.conversation_id), col(Utterance.position))
    )
    asked = {utterance_id for utterance_id, talk in talks.items() if not talk.is_answered}
    rows = session.connection().execute(statement)
    return [Place(row.id or 0, row.conversation_id, row.position) for row in rows if row.id not in asked]


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
