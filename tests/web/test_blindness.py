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
from itertools import groupby, product
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
from .world import NUMBERS, OF_MACHINE, PEOPLE, Secret, build_world, change, may_count, may_see, secrets

EVERYBODY = (*(who for who in PEOPLE if who != "bob"), "eve")  # what bob is told alice is

# What stands in the addresses: a new parameter without values here fails.
PATH: dict[str, tuple[Any, ...]] = {
    "position": (1, 2), "token": ("x",), "key": ("x",), "run_id": (1, 2, 99),
    "conversation_id": (*range(1, 17), 99), "item_id": (1, 99), "round_id": (1, 2, 99),
    "name": ("overall", "codes"), "suffix": ("csv", "svg"),
}  # fmt: skip
QUERY: dict[str, tuple[Any, ...]] = {
    "at": (2,), "built": ("ASK",), "page": (2,), "next": ("/export",), "role": ("Seeker",), "code": ("ASK",), "version": ("",),
    "round": ("open", "closed", "nowhere", 1, 2), "format": tuple(EXPORTERS),
    "labels": ("gold", "annotator-1", *(PEOPLE[who][0] for who in ("alice", "bob", "cem"))),
    "raw": ("true",), "repeats": ("true",), "state": ("other",), "what": ("open", "low", "flagged", "differs", "discuss"), "none": ("low",),
    "q": ("item", "Zq"), "after": (1,), "assignment": (1, 5),
    "utterance": (5, 8, 11, 35, 38), "settled": (1, 2), "proposal": ("true",), "reason": ("other",), "comment": ("no",),
    "rule": ("adjudicated",), "show": ("all", "flags"), "assisted": ("true",), "drawn": ("true",), "epsilon": ("0.1",),
    "condition": ("blind",), "a": ("",), "b": ("",), "said": ("ASK",), "threshold": ("0.5",),
    "half_width": ("0.1",), "code_half_width": ("0.2",), "merge": ("ASK=SHOW",), "other": ("SHOW",),
}  # fmt: skip
FORMS = ("round", "merge", "assisted")
"""What changes which labels stand behind the figures; the other values only change how they are told."""
ALSO = [f"/export/download?format={one}&labels={whose}" for one in EXPORTERS for whose in ("gold", PEOPLE["alice"][0])]
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
    "/review/{assignment_id}/{position}/comments": [{"body": "Is it?"}, {"resolves": "true"}],
    "/adjudication/{round_id}/decide": [{"utterance": one, "seen": 0, "codes": "ASK"} for one in (2, 35)],
    "/adjudication/{round_id}/discuss": [{"utterance": one} for one in (14, 38)],
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
            found = connection.execute("select a.id, a.repeat, u.name from assignment a join users u on u.id = a.user_id order by a.id")
            return found.fetchall()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world") / "project"
    return World(folder, build_world(folder))


@dataclass
class Visit:
    """Everything that somebody is answered: (what was asked, the answer)."""

    app: FastAPI
    client: TestClient
    every: tuple[int, ...]
    some: tuple[int, ...]
    answers: list[tuple[str, str]] = field(default_factory=list)
    acts: int = 0

    def ask(self, method: str, path: str, **sent: Any) -> None:
        answer = self.client.request(method, path, **sent)
        self.answers.append((f"{method} {path} {sent}", told(answer)))

    def look(self, *headers: dict[str, str], most: int = 1000) -> None:
        """Get all there is, asked for in these ways by turns; of one page with many addresses not many more than `most`."""
        alike = groupby(pages(self.app, self.every, self.some), lambda address: re.sub(r"\d+", "", address.partition("?")[0]))
        found = [one for _, same in alike for addresses in [list(same)] for one in addresses[:: len(addresses) // most + 1]]
        for at, path in enumerate(found):
            self.ask("GET", path, headers=headers[at % len(headers)])

    def act(self, bodies: dict[str, list[dict[str, Any]]]) -> None:
        """Do something everywhere, of many things every other one; every act has a key of its own."""
        for path, all_data in bodies.items():
            places = filled(path, self.some)
            for at, (data, place) in enumerate(product(all_data, places)):
                if len(all_data) < 3 or (at + at // len(places)) % 2:
                    self.acts += 1
                    self.ask("POST", place, data={"act_key": f"mine-{self.acts:04}", **data}, headers=ASKED[self.acts % 3])


    def end(self) -> None:
        """Everything else that can be done, the way out last: what it changes is not looked at any more."""
        others = [route.path for route in routes(self.app, "POST") if route.path not in ACTS]
        for path in sorted(others, key="/sign-out".__eq__):
            for place in filled(path, self.some):
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


def answers(world: World, who: str, folder: Path) -> Told:
    """Look at everything, act, look again, do everything else; in both worlds."""

    def hidden(secret: Secret) -> bool:
        return not (may_see(who, secret) or may_count(who, secret))

    said: list[list[tuple[str, str]]] = []
    for name, changed in (("here", None), ("there", hidden)):
        if said and not any(map(hidden, secrets())):
            said.append(said[0])  # a lead who labels nothing may see all there is
            continue
        with visit(world, who, folder / name, changed) as one:
            one.look({})
            one.act(ACTS)
            one.look(*ASKED[1:], most=15)
            one.end()
        said.append(one.answers)
    return Told(who, *said)


def routes(app: FastAPI, method: str) -> Iterator[Any]:
    """Every route of the application, in the order in which they are tried."""
    for one in app.routes:
        for route in getattr(getattr(one, "original_router", None), "routes", ()):
            if method in route.methods:
                yield route


def filled(path: str, assignments: tuple[int, ...]) -> list[str]:
    """A path as often as there are values for what stands in it."""
    names, known = re.findall(r"{(\w+)}", path), PATH | {"assignment_id": assignments}
    assert set(names) <= known.keys(), f"give {names} of {path} some values in PATH"
    return [path.format(**dict(zip(names, values, strict=True))) for values in product(*(known[name] for name in names))]


def pages(app: FastAPI, every: tuple[int, ...], some: tuple[int, ...]) -> Iterator[str]:
    """Every address that can be got, plain, and with each value of each thing that can be asked for.

    Comments are on everybody's conversations; otherwise some assignments of others will do.
    """
    for route in routes(app, "GET"):
        # A form that is sent by GET is left as it is when nothing is filled in.
        wanted = {one.name: one.field_info for one in route.dependant.query_params if not is_form(one.field_info.annotation)}
        # What several addresses ask for alike is a form too. A file of one name holds nothing that the page does not.
        forms = [one.field_info.annotation for one in route.dependant.query_params if is_form(one.field_info.annotation)]
        if "{name}" not in route.path:
            wanted |= {name: info for form in forms for name, info in form.model_fields.items() if name in FORMS}
        assert wanted.keys() <= QUERY.keys(), f"give {wanted.keys() - QUERY.keys()} of {route.path} some values in QUERY"
        needed = "&".join(f"{name}={QUERY[name][0]}" for name, info in wanted.items() if info.is_required())
        asked = [needed, *(f"{needed}&{name}={value}" for name, info in wanted.items() if not info.is_required() for value in QUERY[name])]
        for path in filled(route.path, every if "comments" in route.path else some):
            yield from (f"{path}?{one.strip('&')}" if one else path for one in asked)
    yield from ALSO
    yield from (f"/review/next?what={what}&assignment={one}" for what in QUERY["what"] for one in some)


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


@pytest.mark.parametrize("who", EVERYBODY)
def test_everybody_learns_what_they_may_and_nothing_else(who: str, world: World, tmp_path: Path) -> None:
    # One test, because what it looks at takes long to get and is the same for all that is asked of it.
    told = answers(world, who, tmp_path)
    exactly_what_may_be_seen_is_seen(told)
    a_repeat_looks_like_a_conversation_never_seen(told, world)
    annotators_and_researchers_read_no_name_but_their_own(told)
    what_may_not_be_seen_changes_no_answer(told)


def exactly_what_may_be_seen_is_seen(answers: Told) -> None:
    seen = found(answers.here)
    expected = {secret for secret in secrets() if may_see(answers.who, secret)}
    for secret in [secret for secret in seen if may_count(answers.who, secret)]:
        assert not [asked for asked in seen.pop(secret) if "/agreement" not in asked], f"{secret} is more than a figure"
    leaks = [f"{secret.word} at {sorted(seen[secret])[:3]}" for secret in set(seen) - expected]
    assert not leaks, "\n".join(["seen, but may not be:", *sorted(leaks)])
    missed = [secret.word for secret in expected - set(seen)]
    assert not missed, "\n".join(["may be seen, but is not (could this test fail?):", *sorted(missed)])


def a_repeat_looks_like_a_conversation_never_seen(answers: Told, world: World) -> None:
    repeats = {f"GET /review/{one['id']}" for one in world.rows() if one["repeat"]}
    untouched = answers.here[: [asked.partition(" ")[0] for asked, _ in answers.here].index("POST")]
    of_repeats = [one for one in untouched if re.split(r"(?<=\d)\b", one[0])[0] in repeats]
    assert {secret.kind for secret in found(of_repeats)} <= {*OF_MACHINE}
    if PEOPLE.get(answers.who, ("", Role.LEAD))[1] == Role.ANNOTATOR:
        assert [asked for asked, text in answers.here if "repeat" in text.lower() and "repeats=" not in asked] == []


def annotators_and_researchers_read_no_name_but_their_own(answers: Told) -> None:
    if PEOPLE.get(answers.who, ("", Role.ANNOTATOR))[1] == Role.LEAD:
        return
    names = re.compile("|".join(name for who, (name, _) in PEOPLE.items() if who != answers.who))
    assert [asked for asked, text in answers.here if names.search(text) and not names.search(asked)] == []


def what_may_not_be_seen_changes_no_answer(answers: Told) -> None:
    for here, there in zip(answers.here, answers.there, strict=True):
        assert here == there
