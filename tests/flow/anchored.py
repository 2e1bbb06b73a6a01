"""A round in which people go over to the proposals that they see, made by the real use cases: forty conversations, three annotators."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

from sqlalchemy import select
from sqlmodel import Session, col

from annotator.core.labelled import Labelled
from annotator.db import Database
from annotator.flow import accounts, review
from annotator.flow.acts import Act, Asked
from annotator.flow.round import Wanted, create_round
from annotator.flow.runs import Order
from annotator.flow.tagging import tag
from annotator.models import Assignment, Conversation, Role, Round, RoundConversation, User
from flow.asked import CODES, make_project, talks

PEOPLE = ("ana", "ben", "cem")
KEYS = [f"t{at}" for at in range(40)]
SIZE = 6
ROUND = Wanted("main", PEOPLE, overlap=2, blind=0.25, seed=7)
SWITCH = 0.6


class Given(NamedTuple):
    """One label as it was given."""

    annotator: str
    conversation: str
    utterance: str
    role: str
    code: str
    proposal: str
    condition: str
    seconds: float

    def row(self) -> Labelled:
        """As a long table has it."""
        return Labelled(
            self.conversation, self.utterance, self.role, self.annotator, (self.code,), condition=self.condition, round="main",
            suggestion=(self.proposal,), seconds=self.seconds,
        )  # fmt: skip


def roles() -> Iterator[tuple[int, str]]:
    """The place of every utterance of a conversation, from 1, and its role."""
    for at in range(SIZE):
        yield at + 1, ("Seeker", "Assistant")[at % 2]


def say(rng: Random, truth: str, role: str, right: float) -> str:
    return truth if rng.random() < right else rng.choice(CODES[role])


def make_anchored(folder: Path) -> Database:
    """The project: the run proposes what is right in two of three cases, nobody has labelled anything yet."""
    rng = Random(5)
    db = make_project(folder, talks(len(KEYS), SIZE))
    truth = {key: {str(at): rng.choice(CODES[role]) for at, role in roles()} for key in KEYS}
    proposals = {key: {str(at): {say(rng, truth[key][str(at)], role, 0.65): 0.9} for at, role in roles()} for key in KEYS}
    (folder / "truth.json").write_text(json.dumps(truth))
    (script := folder / "script.json").write_text(json.dumps(proposals))
    tag(db, Order("scripted", {"script": str(script)}))
    with db.writing() as session:
        for name in PEOPLE:
            accounts.add_user(session, name, Role.ANNOTATOR)
        accounts.add_user(session, "lea", Role.LEAD)
        accounts.add_user(session, "rui", Role.RESEARCHER)
        create_round(session, ROUND)
    return db


def label_all(session: Session, folder: Path, round_name: str = "main", but: str = "") -> list[Given]:
    """Everybody but one labels and hands in all they have in a round; what they said."""
    rng = Random(6)
    truth, proposals = (json.loads((folder / name).read_text()) for name in ("truth.json", "script.json"))
    statement = (
        select(Assignment, User, col(Conversation.key), col(RoundConversation.condition))
        .join(User, col(User.id) == col(Assignment.user_id))
        .join(Round, col(Round.id) == col(Assignment.round_id))
        .join(Conversation, col(Conversation.id) == col(Assignment.conversation_id))
        .join(
            RoundConversation,
            (col(RoundConversation.round_id) == col(Round.id)) & (col(RoundConversation.conversation_id) == col(Conversation.id)),
        )
        .where(col(Round.name) == round_name, col(User.name) != but)
        .order_by(col(Assignment.id))
    )
    given = []
    for work, user, key, condition in session.execute(statement).all():
        for at, role in roles():
            (proposal,) = proposals[key][str(at)]
            code = say(rng, truth[key][str(at)], role, 0.75)
            if condition == "assisted" and rng.random() < SWITCH:
                code = proposal
            seconds = round(rng.uniform(4, 8) if condition == "blind" else rng.uniform(1, 5), 2)
            act = Asked(act=Act.LABEL, codes=(code,), act_key=f"{round_name}-{work.id}-{at}", seconds=seconds)
            review.decide(session, user, work.id, at, act)
            given.append(Given(user.name, key, str(at), role, code, proposal, str(condition), seconds))
        review.hand_in(session, user, work.id, with_open=False)
    return given
