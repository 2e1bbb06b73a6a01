"""Blind is blind: every route, as everybody, in every state, gives away nothing but what the table in `world.py` says.

Two ways of looking. Every secret is a word that stands nowhere else, so that all that somebody can find is known, and is
exactly what they may see. And whatever they may not see is changed in another world, where every answer must be the same.
"""

import io
import re
import shutil
import sqlite3
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from pydantic import BaseModel

from annotator.db import Database
from annotator.exporters import EXPORTERS
from annotator.models import Role
from annotator.settings import Settings
from annotator.web.app import create_app
from annotator.web.deps import COOKIE

from .test_access import TABLE as BODIES
from .world import NUMBERS, PEOPLE, Secret, build_world, change, may_count, may_see, secrets

EVERYBODY = (*(who for who in PEOPLE if who != "bob"), "eve")  # what bob is told alice is

# What stands in the addresses: a new parameter without values here fails.
PATH: dict[str, tuple[Any, ...]] = {
    "position": (1, 2), "token": ("x",), "key": ("x",), "run_id": (1, 2, 99),
    "conversation_id": (*range(1, 16), 99), "item_id": (1, 99), "round_id": (1, 2, 3, 99),
}  # fmt: skip
QUERY: dict[str, tuple[Any, ...]] = {
    "at": (2,), "built": ("ASK",), "page": (2,), "next": ("/export",), "role": ("Seeker",), "code": ("ASK",), "version": ("",),
    "round": ("open", "closed", "nowhere"), "format": tuple(EXPORTERS), "labels": ("gold", *(name for name, _ in PEOPLE.values())),
    "raw": ("true",), "repeats": ("true",), "state": ("other",), "what": ("open", "low", "flagged", "differs", "discuss"), "none": ("low",),
    "q": ("item", "Zq"), "after": (1,), "assignment": (1, 5),
}  # fmt: skip
ALSO = [f"/export/download?format={one}&labels={whose}" for one in EXPORTERS for whose in ("gold", PEOPLE["alice"][0])]
PENDING = ("answer", "comment", "asked", "flag", "items", "grounds", "remark", "label")  # their pages are under way
ASKED = ({}, {"hx-request": "true"}, {"accept": "application/json"})

# More than one body for what people do all day. `{n}` makes every act a new one.
ACTS: dict[str, list[dict[str, Any]]] = {
    "/review/{assignment_id}/items": [{"field": "mentioned_items", "numbers": "3"}, {"field": "gt_items", "numbers": "4"}],
    "/review/{assignment_id}/{position}": [
        {"act": "label", "codes": "ASK"}, {"act": "label", "codes": "SHOW"}, {"act": "label", "codes": "nonsense"},
        {"act": "confirm"}, {"act": "confirm-turn"}, {"act": "skip"}, {"act": "flag", "reason": "why not"}, {"act": "unflag"},
        {"act": "unsure"}, {"act": "sure"}, {"act": "confirm", "seen": "nothing"},
    ],
    "/review/{assignment_id}/{position}/reason": [{}],
    "/review/undo": [{}, {"target": "act-1"}],
    "/review/{assignment_id}/hand-in": [{}],
}  # fmt: skip


@dataclass(frozen=True)
class World:
    """A project in which all states are there at once; who signs in how; the assignments that somebody tries, all of them or some."""

    folder: Path
    tokens: dict[str, str]

    def tried_by(self, who: str, *, every: bool) -> tuple[int, ...]:
        """Somebody's own assignments, all others or every fifth, and one that there is not."""
        own = [one["id"] for one in self.rows() if one["name"] == PEOPLE.get(who, ("",))[0]]
        others = [one["id"] for one in self.rows() if one["id"] not in own]
        return (*own, *(others if every else others[::5]), 99)

    def rows(self) -> list[sqlite3.Row]:
        with closing(sqlite3.connect(self.folder / "annotator.db")) as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute("select a.id, u.name from assignment a join users u on u.id = a.user_id order by a.id").fetchall()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world") / "project"
    return World(folder, build_world(folder))


@dataclass
class Visit:
    """Everything that somebody is answered: (what was asked, the answer)."""

    app: FastAPI
    client: TestClient
    seen: tuple[int, ...]
    changed: tuple[int, ...]
    answers: list[tuple[str, str]] = field(default_factory=list)
    acts: int = 0

    def ask(self, method: str, path: str, **sent: Any) -> None:
        answer = self.client.request(method, path, **sent)
        self.answers.append((f"{method} {path} {sent}", told(answer)))

    def look(self, *headers: dict[str, str]) -> None:
        """Get all there is, asked for in these ways by turns."""
        for at, path in enumerate(pages(self.app, PATH | {"assignment_id": self.seen})):
            self.ask("GET", path, headers=headers[at % len(headers)])

    def act(self, bodies: dict[str, list[dict[str, Any]]]) -> None:
        """Do something everywhere, of many things every other one; every act has a key of its own."""
        for path, all_data in bodies.items():
            places = filled(path, PATH | {"assignment_id": self.changed})
            for at, (data, place) in enumerate(product(all_data, places)):
                if len(all_data) < 3 or (at + at // len(places)) % 2:
                    self.acts += 1
                    self.ask("POST", place, data={"act_key": f"mine-{self.acts:04}", **data}, headers=ASKED[self.acts % 3])


    def end(self) -> None:
        """Everything else that can be done, the way out last: what it changes is not looked at any more."""
        others = [route.path for route in routes(self.app, "POST") if route.path not in ACTS]
        for path in sorted(others, key="/sign-out".__eq__):
            for place in filled(path, PATH | {"assignment_id": self.changed}):
                self.ask("POST", place, **BODIES["POST", path][0])


@contextmanager
def visit(world: World, who: str, folder: Path, hidden: Any = None) -> Iterator[Visit]:
    """Somebody's browser on a copy of the project, in which what is `hidden` from them is another."""
    settings = Settings(project=Path(shutil.copytree(world.folder, folder)))
    if hidden is not None:
        db = Database(settings.database)
        with db.writing() as session:
            change(session, hidden, who)
        db.close()
    app = create_app(settings)
    with TestClient(app, follow_redirects=False) as client:
        client.headers["sec-fetch-site"] = "same-origin"
        if who in world.tokens:
            client.cookies.set(COOKIE, world.tokens[who])
        labels = PEOPLE.get(who, ("", Role.LEAD))[1] == Role.ANNOTATOR
        yield Visit(app, client, world.tried_by(who, every=not labels), world.tried_by(who, every=False))


@dataclass(frozen=True)
class Told:
    """What somebody is answered in one world, and in another where all that is hidden from them differs."""

    who: str
    here: list[tuple[str, str]]
    there: list[tuple[str, str]]


@pytest.fixture(scope="module", params=EVERYBODY)
def answers(request: pytest.FixtureRequest, world: World, tmp_path_factory: pytest.TempPathFactory) -> Told:
    who, folder = request.param, tmp_path_factory.mktemp(request.param)

    def hidden(secret: Secret) -> bool:
        return not (may_see(who, secret) or may_count(who, secret))

    said = []
    for name, changed in (("here", None), ("there", hidden)):
        with visit(world, who, folder / name, changed) as one:
            one.look({})
            one.act(ACTS)
            one.look(*ASKED[1:])
            one.end()
        said.append(one.answers)
    return Told(who, *said)


def routes(app: FastAPI, method: str) -> Iterator[Any]:
    """Every route of the application, in the order in which they are tried."""
    for one in app.routes:
        for route in getattr(getattr(one, "original_router", None), "routes", ()):
            if method in route.methods:
                yield route


def filled(path: str, known: dict[str, tuple[Any, ...]]) -> list[str]:
    """A path as often as there are values for what stands in it."""
    names = re.findall(r"{(\w+)}", path)
    assert set(names) <= known.keys(), f"give {names} of {path} some values in PATH"
    return [path.format(**dict(zip(names, values, strict=True))) for values in product(*(known[name] for name in names))]


def pages(app: FastAPI, known: dict[str, tuple[Any, ...]]) -> Iterator[str]:
    """Every address that can be got, plain, and with each value of each thing that can be asked for."""
    for route in routes(app, "GET"):
        # A form that is sent by GET is left as it is when nothing is filled in.
        wanted = {one.name: one.field_info for one in route.dependant.query_params if not is_form(one.field_info.annotation)}
        assert wanted.keys() <= QUERY.keys(), f"give {wanted.keys() - QUERY.keys()} of {route.path} some values in QUERY"
        needed = "&".join(f"{name}={QUERY[name][0]}" for name, info in wanted.items() if info.is_required())
        asked = [needed, *(f"{needed}&{name}={value}" for name, info in wanted.items() if not info.is_required() for value in QUERY[name])]
        for path in filled(route.path, known):
            yield from (f"{path}?{one.strip('&')}" if one else path for one in asked)
    yield from ALSO


def is_form(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


# What is another every time: keys and links made by chance, and times.
MASKED = re.compile(r'name="act_key" value="[^"]+"|/(link|import)/[\w-]{9,}|\d{4}-\d\d-\d\d[T ][^"<,]*|expires=[^;]*')


def told(answer: Response) -> str:
    """An answer whole: status, headers and body, but for what is another every time."""
    # The tag of a file that was made for the answer is made of its time and size.
    passing = ("date", "content-length", "last-modified", *(["etag"] if "last-modified" in answer.headers else []))
    headers = sorted(f"{name}: {value}" for name, value in answer.headers.items() if name not in passing)
    text = "".join(sorted(map(repr, unzipped(answer.content)))) if answer.content[:2] == b"PK" else answer.text
    return MASKED.sub("", f"{answer.status_code} {headers} {text}")


def unzipped(content: bytes) -> Iterator[bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        yield from (archive.read(name) for name in archive.namelist())


SIGNS = re.compile(r"Zq_(?P<kind>[a-z]+)_(?P<whose>[a-z]+)_(?P<place>[a-z]\d)")


def found(answers: list[tuple[str, str]]) -> dict[Secret, set[str]]:
    """Secret → what was asked where it came to light."""
    numbers = {str(one.number): one for one in secrets() if one.kind in NUMBERS}
    number = re.compile("|".join(map(re.escape, numbers)))
    seen: dict[Secret, set[str]] = defaultdict(set)
    for asked, text in answers:
        for word in SIGNS.finditer(text):
            seen[Secret(**word.groupdict())].add(asked)
        for figure in number.finditer(text):
            seen[numbers[figure[0]]].add(asked)
    return seen


def test_everybody_finds_what_they_may_see_and_nothing_else(answers: Told) -> None:
    seen = found(answers.here)
    expected = {secret for secret in secrets() if may_see(answers.who, secret)}
    for secret in [secret for secret in seen if may_count(answers.who, secret)]:
        assert not [asked for asked in seen.pop(secret) if "/agreement" not in asked], f"{secret} is more than a figure"
    leaks = [f"{secret.word} at {sorted(seen[secret])[:3]}" for secret in set(seen) - expected]
    assert not leaks, "\n".join(["seen, but may not be:", *sorted(leaks)])
    missed = [secret.word for secret in expected - set(seen) if secret.kind not in PENDING and "_a3" not in secret.word]
    assert not missed, "\n".join(["may be seen, but is not (could this test fail?):", *sorted(missed)])


def test_annotators_and_researchers_read_no_name_but_their_own(answers: Told) -> None:
    if PEOPLE.get(answers.who, ("", Role.ANNOTATOR))[1] == Role.LEAD:
        return
    names = re.compile("|".join(name for who, (name, _) in PEOPLE.items() if who != answers.who))
    assert [asked for asked, text in answers.here if names.search(text) and not names.search(asked)] == []


def test_what_may_not_be_seen_changes_no_answer(answers: Told) -> None:
    for here, there in zip(answers.here, answers.there, strict=True):
        assert here == there
