"""How many keys labelling takes, and whether any is lost: VOGUE's published labels typed as an annotator would who means just them.

The local tagger learns from 30 other conversations; ten are labelled on the real desk in a real browser, a key every 60 ms.
A chord such as Shift + key counts as one key. Handing in and going to the next conversation are not counted.
"""

import json
import random
import sqlite3
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect, sync_playwright

from annotator.core.taxonomy import Taxonomy
from annotator.db import Database
from annotator.flow import accounts
from annotator.flow.round import Wanted, create_round
from annotator.flow.taxonomy import current
from annotator.models import Role
from bench.children import ANNOTATOR, ROOT, Server, run
from bench.measures import VOGUE, Row
from bench.stage import new_project

sys.path.insert(0, str(ROOT / "tests"))  # Chromium is found as the tests find it
from chromium import find_chromium

TRANSCRIPTS = VOGUE.parent / "original" / "data" / "conversation_trials" / "transcripts"
IN_A_PUBLISHED_PROMPT = frozenset({"c1_a_1", "c55_a_1"})
KNOWN, LABELLED = 30, 10
EVERY = 0.060
"""Seconds from key to key: faster than people type."""

COUNT = "window.seen = 0; addEventListener('keydown', (event) => { if (!event.repeat && event.key !== 'Shift') seen += 1; }, true);"


@dataclass(frozen=True, slots=True)
class Place:
    """An utterance on the desk: what is proposed, and what the annotator means."""

    position: int
    turn: int
    role: str
    proposal: frozenset[str]
    meant: tuple[str, ...]

    @property
    def is_right(self) -> bool:
        """Whether the proposal is what is meant."""
        return bool(self.meant) and self.proposal == frozenset(self.meant)


def keys(work: Path, seed: int) -> list[Row]:
    """Label ten conversations and count."""
    if not TRANSCRIPTS.is_dir() or find_chromium() is None:
        return [Row("keys", "not measured", None, note="needs VOGUE's original folder beside the checkout, and a Chromium")]
    project, meant, token = _prepare(work, seed)
    pressed = seen = 0
    with Server((*ANNOTATOR, "serve"), "/sign-in", cwd=project) as server, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        context = chromium.new_context(base_url=f"http://127.0.0.1:{server.port}")
        context.add_init_script(COUNT)
        page = context.new_page()
        _sign_in(page, token)
        for assignment_id, places in meant.items():
            planned = [key for turn in _turns(places) for key in _keys_of(turn, _taxonomy(project))]
            pressed += len(planned)
            seen += _type(page, assignment_id, planned)
        chromium.close()
    places = [place for one in meant.values() for place in one]
    wrong = _wrong(project, meant)
    note = f"{pressed} keys for {len(places)} utterances of {LABELLED} conversations; the tagger learnt from {KNOWN} others"
    plain = sum(1 if place.is_right else max(1, len(place.meant)) for place in places)
    typed = sum(max(1, len(place.meant)) for place in places)
    right = f"{sum(place.is_right for place in places) / len(places):.0%} of the proposals are right"
    lost = "keys the page did not see, and labels that are not what was meant"
    return [
        Row("keys", "keys per utterance", round(pressed / len(places), 3), "", "≤ 1.12", note),
        Row("keys", "the same without confirming a turn by one key", round(plain / len(places), 3), note=right),
        Row("keys", "the same without proposals: typing every code", round(typed / len(places), 3)),
        Row("keys", f"keys lost, one every {EVERY * 1000:.0f} ms", pressed - seen + len(wrong), "", "≤ 0", lost),
    ]


def _prepare(work: Path, seed: int) -> tuple[Path, dict[int, list[Place]], str]:
    """The project with its round; assignment → places; the annotator's link."""
    drawn = random.Random(seed)
    paths = {path.stem: path for path in sorted(TRANSCRIPTS.rglob("*.json")) if path.stem not in IN_A_PUBLISHED_PROMPT}
    chosen = drawn.sample(sorted(paths), KNOWN + LABELLED)
    project = new_project(work / "keys")
    at = ("--project", str(project))
    run(*ANNOTATOR, "import", *(str(paths[name]) for name in chosen[:KNOWN]), "--as", "published", *at, cwd=work)
    run(*ANNOTATOR, "import", *(str(paths[name]) for name in chosen[KNOWN:]), *at, cwd=work)
    run(*ANNOTATOR, "tag", "--train-on", "published", *(word for name in chosen[KNOWN:] for word in ("--only", name)), *at, cwd=work)
    db = Database(f"sqlite:///{project / 'annotator.db'}")
    with db.writing() as session:
        token = accounts.add_user(session, "ana", Role.ANNOTATOR)
        create_round(session, Wanted("keys", ("ana",), selection={"only": chosen[KNOWN:]}))
    db.close()
    taxonomy = _taxonomy(project)
    return project, {id: _places(project, id, _published(paths[name]), taxonomy) for name, id in _assignments(project, chosen)}, token


def _taxonomy(project: Path) -> Taxonomy:
    db = Database(f"sqlite:///{project / 'annotator.db'}")
    with db.reading() as session:
        found = current(session)[1]
    db.close()
    return found


def _published(path: Path) -> list[list[str]]:
    turns = json.loads(path.read_text(encoding="utf-8"))["conversation_content"]
    return [codes for turn in turns for codes in turn["content"]["tags"]]


def _ask(project: Path, sql: str, *values: Any) -> list[Any]:
    connection = sqlite3.connect(project / "annotator.db")
    found = connection.execute(sql, values).fetchall()
    connection.close()
    return found


def _assignments(project: Path, chosen: list[str]) -> list[tuple[str, int]]:
    sql = """select c.key, a.id from assignment a join conversation c on c.id = a.conversation_id
             join round r on r.id = a.round_id where r.name = 'keys' order by a.id"""
    return [(key, id) for key, id in _ask(project, sql) if key in chosen[KNOWN:]]


def _places(project: Path, assignment_id: int, published: list[list[str]], taxonomy: Taxonomy) -> list[Place]:
    sql = """select u.position, u.turn_position, u.role, coalesce(s.codes, '') from assignment a join round r on r.id = a.round_id
             join utterance u on u.conversation_id = a.conversation_id
             left join suggestion s on s.utterance_id = u.id and s.run_id = r.run_id where a.id = ? order by u.position"""
    return [
        Place(position, turn, role, frozenset(codes.split("|")), taxonomy.ordered(role, tags))
        for (position, turn, role, codes), tags in zip(_ask(project, sql, assignment_id), published, strict=True)
    ]


def _turns(places: list[Place]) -> list[list[Place]]:
    turns: dict[int, list[Place]] = {}
    for place in places:
        turns.setdefault(place.turn, []).append(place)
    return list(turns.values())


def _keys_of(turn: list[Place], taxonomy: Taxonomy) -> list[str]:
    """The fewest keys that say what is meant of a turn, in order; as soon as the rest of it is right, one key confirms that."""
    if len(turn) > 1 and all(place.is_right for place in turn):
        return ["Shift+Enter"]
    return [*_keys_of_one(turn[0], taxonomy), *_keys_of(turn[1:], taxonomy)] if turn else []


def _keys_of_one(place: Place, taxonomy: Taxonomy) -> list[str]:
    if place.is_right:
        return ["Enter"]
    if not place.meant:  # a code that was published but is in no version of the taxonomy
        return ["b"]
    typed = [str(taxonomy.by_role[place.role][code].key) for code in place.meant]
    return [*(f"Shift+{key}" for key in typed[:-1]), typed[-1]]


def _sign_in(page: Page, token: str) -> None:
    page.goto(f"/link/{token}")
    page.get_by_label("Password").first.fill("not-a-secret-at-all")
    page.keyboard.press("Tab")
    page.keyboard.type("not-a-secret-at-all")
    page.keyboard.press("Enter")
    page.wait_for_url("**/review")


def _type(page: Page, assignment_id: int, planned: list[str]) -> int:
    """Press the keys of one conversation on time, wait until all is saved, and return how many keys the page saw."""
    page.goto(f"/review/{assignment_id}?at=1")
    page.wait_for_load_state("load")
    due = time.perf_counter()
    for key in planned:
        time.sleep(max(0.0, due - time.perf_counter()))
        page.keyboard.press(key)
        due += EVERY
    expect(page.locator("#status")).to_contain_text("saved ", timeout=20_000)
    return int(page.evaluate("window.seen"))


def _wrong(project: Path, meant: dict[int, list[Place]]) -> list[tuple[int, int]]:
    """Where the newest label is not what was meant."""
    sql = """select a.id, u.position, d.codes from decision d join assignment a on a.id = d.assignment_id
             join utterance u on u.id = d.utterance_id where d.kind in ('confirm', 'change', 'skip') order by d.id"""
    found = {(id, position): frozenset(filter(None, codes.split("|"))) for id, position, codes in _ask(project, sql)}
    places = [(id, place) for id, of_one in meant.items() for place in of_one]
    return [(id, place.position) for id, place in places if found.get((id, place.position)) != frozenset(place.meant)]
