"""Steps on the way to gold that tests share: a conversation labelled by several people, what a lead does, what stands."""

import time
import uuid

from sqlalchemy import select
from sqlmodel import Session, col

from annotator.flow import adjudication, queue, review
from annotator.flow.accounts import add_user, get_user
from annotator.flow.acts import Act, Asked
from annotator.flow.adjudication import Verdict
from annotator.flow.discussion import open_discussions
from annotator.models import Gold, Role, Round, Rule, Utterance
from flow.steps import assignment, hand_in, role_at, utterance_id

# Two codes of each role; position 1 of s1_d_1 is the Assistant's, 2 to 5 are the Seeker's.
FIRST, SECOND = {"Seeker": "PEP", "Assistant": "RTI"}, {"Seeker": "PCT", "Assistant": "ACK"}


def tick() -> None:
    """Let the clock go on: what comes next is later, to the millisecond."""
    time.sleep(0.002)


def round_id(session: Session, name: str = "r1") -> int:
    return session.scalars(select(col(Round.id)).where(col(Round.name) == name)).one() or 0


def say(session: Session, name: str, labels: dict[int, str], conversation: str = "s1_d_1", round_name: str = "r1") -> None:
    """Somebody labels some utterances (codes joined by `|`, empty for a skip) and hands the conversation in."""
    at, user = assignment(session, name, conversation, round_name), get_user(session, name)
    for position, codes in labels.items():
        asked = Asked(act=Act.LABEL if codes else Act.SKIP, codes=tuple(filter(None, codes.split("|"))), act_key=uuid.uuid4().hex)
        review.decide(session, user, at, position, asked)
    hand_in(session, name, conversation, round_name)


def differ(session: Session, position: int = 2) -> int:
    """Alice and Bob agree on utterances 1 to 3 but for one, and hand in; returns the id of that one."""
    both = {at: FIRST[role_at(session, "s1_d_1", at)] for at in (1, 2, 3)}
    say(session, "alice", both)
    say(session, "bob", both | {position: SECOND[role_at(session, "s1_d_1", position)]})
    return utterance_id(session, "s1_d_1", position)


def other_lead(session: Session) -> str:
    add_user(session, "lou", Role.LEAD)
    return "lou"


def decide(session: Session, utterance: int, *codes: str, name: str = "lea", seen: int | None = None, comment: str = "") -> Gold:
    """A lead settles an utterance, knowing what stands."""
    tick()
    known = newest(session, utterance)
    verdict = Verdict(codes, (known.id or 0 if known else 0) if seen is None else seen, comment=comment)
    return adjudication.decide(session, get_user(session, name), round_id(session), utterance, verdict)


def undo(session: Session, name: str = "lea") -> None:
    """A lead takes back the newest they settled."""
    tick()
    lead = get_user(session, name)
    target = adjudication.newest_of(session, lead, round_id(session))
    assert target is not None
    adjudication.undo(session, lead, round_id(session), target)


def newest(session: Session, utterance: int, round_name: str = "r1") -> Gold | None:
    return next(reversed(adjudication.history(session, round_id(session, round_name), utterance)), None)


def stands(session: Session, utterance: int, round_name: str = "r1") -> tuple[str, str] | None:
    """Codes and rule of the gold of a round, where some stands."""
    found = newest(session, utterance, round_name)
    return None if found is None or found.rule == Rule.WITHDRAWN else (found.codes, found.rule)


def waiting(session: Session, name: str = "lea", round_name: str = "r1") -> list[int]:
    """The positions that wait for a lead, of whatever conversation."""
    lead, round_ = get_user(session, name), session.get_one(Round, round_id(session, round_name))
    found = queue.waiting(session, lead, round_, open_discussions(session, round_.id or 0))
    return list(session.scalars(found.with_only_columns(col(Utterance.position)).order_by(*queue._ORDER)))
