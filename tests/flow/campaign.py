"""A project big enough to plan in: twelve conversations of three scenarios, four annotators, a scripted run; and how a round stands."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlmodel import Session, col

from annotator.core.sampling import Place
from annotator.db import Database
from annotator.flow import accounts
from annotator.flow.round import Wanted
from annotator.flow.runs import Order
from annotator.flow.tagging import tag
from annotator.models import Assignment, Conversation, Role, Round, RoundConversation, User
from flow.asked import make_project, talk

PEOPLE = ("ana", "ben", "cem", "dan")
KEYS = tuple(f"t{number}" for number in range(12))
ROUND = Wanted("main", PEOPLE[:3], overlap=2, blind=0.25, repeats=0.25, seed=7)


def make_campaign(folder: Path) -> Database:
    """The project. Conversation t0 has the scenario "0", t1 "1", t2 "2", t3 "0" and so on; each has six utterances."""
    db = make_project(folder, [talk(key, scenario=str(number % 3)) for number, key in enumerate(KEYS)])
    script = folder / "script.json"
    script.write_text(json.dumps({key: {"1": {"ASK": 0.9}, "2": {"SHOW": 0.8}} for key in KEYS}))
    tag(db, Order("scripted", {"script": str(script)}))
    with db.writing() as session:
        for name in PEOPLE:
            accounts.add_user(session, name, Role.ANNOTATOR)
    return db


@dataclass(frozen=True)
class Stood:
    """A round as its rows say: condition of each conversation, who labels it, who labels it once more."""

    conditions: dict[str, str]
    annotators: dict[str, tuple[str, ...]]
    repeats: dict[str, tuple[str, ...]]

    @property
    def loads(self) -> Counter[str]:
        return Counter(name for names in self.annotators.values() for name in names)


def stands(session: Session, name: str = "main") -> Stood:
    """How a round stands in the database."""
    round_id = session.scalars(select(col(Round.id)).where(col(Round.name) == name)).one()
    placed = select(col(Conversation.key), col(RoundConversation.condition)).join(Conversation)
    conditions = {key: str(one) for key, one in session.execute(placed.where(col(RoundConversation.round_id) == round_id))}
    rows = select(col(Conversation.key), col(User.name), col(Assignment.repeat)).join_from(Assignment, Conversation).join(User)
    found: tuple[dict[str, list[str]], dict[str, list[str]]] = ({}, {})
    for key, who, repeat in session.execute(rows.where(col(Assignment.round_id) == round_id).order_by(col(User.name))):
        found[repeat].setdefault(key, []).append(who)
    first, again = ({key: tuple(names) for key, names in one.items()} for one in found)
    return Stood(conditions, first, again)


def as_planned(places: tuple[Place, ...]) -> Stood:
    """How the places of a plan would stand."""
    return Stood(
        {place.conversation: place.condition for place in places},
        {place.conversation: place.annotators for place in places},
        {place.conversation: place.repeat_of for place in places if place.repeat_of},
    )
