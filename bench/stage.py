"""The project that is measured: the corpus imported, eight annotators, a round that gives everything to everybody."""

import random
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import text

from annotator.core.taxonomy import Taxonomy
from annotator.db import Database
from annotator.flow import accounts
from annotator.flow.round import Wanted, create_round
from annotator.flow.taxonomy import current
from annotator.models import Role
from bench.children import ANNOTATOR, Server, run
from bench.load import get, post

ANNOTATORS = tuple(f"annotator{number}" for number in range(1, 9))
_PASSWORD = "not-a-secret-at-all"


def new_project(folder: Path) -> Path:
    """An empty project; its database is there already, so that importing is all that is timed."""
    run(*ANNOTATOR, "init", str(folder), cwd=folder.parent)
    return folder


@dataclass(frozen=True, slots=True)
class Place:
    """An utterance as one annotator has it."""

    assignment_id: int
    position: int
    utterance_id: int
    role: str


def prepare(project: Path) -> dict[str, str]:
    """Add annotators and round; returns the token of each annotator's link."""
    db = Database(f"sqlite:///{project / 'annotator.db'}")
    with db.writing() as session:
        tokens = {name: accounts.add_user(session, name, Role.ANNOTATOR) for name in ANNOTATORS}
        create_round(session, Wanted("one", tuple(ANNOTATORS)))
    db.close()
    return tokens


def sign_in(server: Server, tokens: dict[str, str]) -> dict[str, str]:
    """Every annotator's cookie, by the way people get it."""
    body = urlencode({"password": _PASSWORD, "again": _PASSWORD})
    return {name: server.post(f"/link/{token}", body) for name, token in tokens.items()}


class Work:
    """Requests that nobody has sent yet, in an order drawn by a seed; every save is of another utterance."""

    def __init__(self, project: Path, seed: int) -> None:
        self._random = random.Random(seed)
        db = Database(f"sqlite:///{project / 'annotator.db'}")
        with db.reading() as session:
            self._taxonomy: Taxonomy = current(session)[1]
            rows = session.execute(text(_PLACES)).all()
        db.close()
        self._places: dict[str, list[Place]] = {name: [] for name in ANNOTATORS}
        for name, *place in rows:
            self._places[name].append(Place(*place))
        for places in self._places.values():
            self._random.shuffle(places)
        self._acts = 0

    def opens(self, name: str, cookie: str, count: int) -> list[bytes]:
        """Requests for the pages of conversations."""
        mine = sorted({place.assignment_id for place in self._places[name]})
        return [get(f"/review/{assignment_id}", cookie) for assignment_id in self._random.choices(mine, k=count)]

    def saves(self, name: str, cookie: str, count: int, *, bare: bool = False) -> list[bytes]:
        """Forms that choose a code for an utterance; `bare` for the yardstick's address."""
        return [self._save(self._places[name].pop(), cookie, bare=bare) for _ in range(count)]

    def _save(self, place: Place, cookie: str, *, bare: bool) -> bytes:
        self._acts += 1
        code = self._random.choice(list(self._taxonomy.by_role[place.role]))
        body = urlencode({"act": "label", "codes": code, "act_key": f"bench-{self._acts:012d}"})
        path = f"/{place.assignment_id}/{place.utterance_id}" if bare else f"/review/{place.assignment_id}/{place.position}"
        return post(path, cookie, body)


_PLACES = """SELECT users.name, assignment.id, utterance.position, utterance.id, utterance.role
FROM assignment JOIN users ON users.id = assignment.user_id JOIN utterance ON utterance.conversation_id = assignment.conversation_id
WHERE assignment.conversation_id % (SELECT 1 + count(*) / 2000 FROM conversation) = 0 ORDER BY assignment.id, utterance.position"""
"""Some 2,000 conversations all over the corpus: more than are needed, and the bench stays small."""


def saved(project: Path) -> int:
    """How many decisions are in the database."""
    db = Database(f"sqlite:///{project / 'annotator.db'}")
    with db.reading() as session:
        count: int = session.execute(text("SELECT count(*) FROM decision")).scalar_one()
    db.close()
    return count
