"""Settling by keys in a real browser: no key is lost while the next step comes; a discussion goes to an annotator and back."""

from collections.abc import Callable

import pytest
from conftest import Stage
from flow.golden import differ, say
from flow.steps import role_at, utterance_id
from playwright.sync_api import Page, expect

from annotator.db import Database

from .desk import Desk
from .facts import ask, assignment
from .server import Server, wait_for
from .test_pages import look_at, screen  # noqa: F401 - fixtures

pytestmark = pytest.mark.browser

GOLD = "select g.codes, g.rule, t.position from gold g join utterance t on t.id = g.utterance_id where g.user_id is not null order by g.id"


class Steps:
    """Lea at the queue."""

    def __init__(self, page: Page, stage: Stage) -> None:
        self.page, self.project = page, stage.settings.project
        page.goto("/adjudication/1")

    def press(self, *keys: str) -> "Steps":
        for key in keys:
            self.page.keyboard.press(key)
        return self

    def at(self, position: int) -> "Steps":
        expect(self.page.locator(".utterance[aria-current]")).to_have_id(f"u{position}")
        expect(self.page.locator("#focused-number")).to_contain_text(f"· {position}")
        return self

    def option(self, number: int) -> str:
        return self.page.locator(f'.options [data-key="{number}"]').get_attribute("value") or ""

    def gold(self) -> list[tuple[str, str, int]]:
        return [tuple(row) for row in ask(self.project, GOLD)]


@pytest.fixture
def lea(stage: Stage, db: Database, page_of: Callable[..., Page]) -> Steps:
    """Utterance 2 of s1_d_1 was labelled PEP and PCT, 4 to 32 by nobody."""
    with db.writing() as session:
        differ(session)
    return Steps(page_of("lea"), stage)


def test_numbers_a_codes_key_and_undo(lea: Steps) -> None:
    first, second = lea.at(2).option(1), lea.option(2)
    lea.press("1").at(4).press("u").at(2).press("2").at(4).press("u").at(2).press("3").at(4)
    expect(lea.page.locator("#status")).to_contain_text("alice: PEP, bob: PCT → ")
    lea.press("q").at(5).press("Shift+i", "Shift+p")
    expect(lea.page.locator("#built")).to_have_text("building: IF + IA")
    lea.press("Enter").at(6)
    *back_and_forth, union, by_key, built = lea.gold()
    assert back_and_forth == [(codes, rule, 2) for codes in (first, second) for rule in ("adjudicated", "withdrawn")]
    assert (set(union[0].split("|")), union[1:]) == ({first, second}, ("adjudicated", 2))
    assert (by_key, built) == (("IQ", "adjudicated", 4), ("IF|IA", "adjudicated", 5))


def test_keys_pressed_while_the_next_step_comes_are_played_there(lea: Steps, server: Server) -> None:
    lea.at(2)
    server.pause(seconds=1.0)
    lea.press("q", "j", "q", "u", "q", "j", "j", "k")
    lea.at(7)
    assert [(codes, position) for codes, rule, position in lea.gold() if rule == "adjudicated"] == [("IQ", 2), ("IQ", 5), ("IQ", 5)]


def test_what_is_refused_stops_the_keys_behind_it(lea: Steps, db: Database, server: Server) -> None:
    with db.writing() as session:
        say(session, "alice", {3: "PEP|PCT|IQ"}, "s2_d_2")
        say(session, "bob", {3: "PIP|RP"}, "s2_d_2")
        at, role = utterance_id(session, "s2_d_2", 3), role_at(session, "s2_d_2", 3)
    assert role == "Seeker"
    lea.page.goto(f"/adjudication/1?utterance={at}")
    lea.at(3)
    server.pause(seconds=1.0)
    lea.press("3", "1", "q")
    expect(lea.page.locator("#alert")).to_contain_text("A label has 1 to 3 codes, this one 5. The 2 keys you pressed since did nothing.")
    assert lea.at(3).gold() == []
    lea.press("0")
    expect(lea.page.locator("#proposal")).to_be_visible()


def test_a_discussion_goes_to_an_annotator_and_back(lea: Steps, stage: Stage, page_of: Callable[..., Page]) -> None:
    lea.at(2).press("f").page.keyboard.type("Is it a preference?")
    lea.press("Enter").at(4)
    for name, keys in (("alice", ["q"]), ("bob", ["q"])):
        desk = Desk(page_of(name)).open(assignment(stage.settings.project, name, "s1_d_1"), at=2)
        expect(desk.row(2)).to_contain_text("To discuss: you said")
        expect(desk.row(2)).to_contain_text("Is it a preference?")
        desk.press(*keys).saved().says(2, "IQ")
    lea.page.goto("/adjudication/1")
    lea.at(2)
    expect(lea.page.locator(".options")).to_contain_text("2 after the discussion")
    number = next(number for number in (1, 2, 3) if lea.option(number) == "IQ")
    lea.press(str(number)).at(4)
    expect(lea.page.locator("#status")).to_have_text("alice: PEP, later IQ, bob: PCT, later IQ → IQ")
    assert wait_for(lea.gold, "the gold") == [("IQ", "adjudicated", 2)]


def test_how_the_pages_look(lea: Steps, look_at: Callable[..., Page]) -> None:  # noqa: F811 - the fixture
    look_at("lea", "/adjudication", "adjudications")
    page = look_at("lea", "/adjudication/1", "adjudication", "Shift+q")
    look_at("lea", "", "adjudication-next", "p", "0", "f")
    page.keyboard.press("Escape")
    look_at("lea", "/adjudication/1?utterance=2", "adjudication-settled")
    look_at("lea", "/adjudication/1/settled", "settled")
    page.goto("/adjudication/1")
    page.keyboard.press("u")
    expect(page.locator("#u2")).to_have_attribute("aria-current", "true")
    page.keyboard.press("f")
    page.keyboard.type("Is “warm” a preference?")
    page.keyboard.press("Enter")
    expect(page.locator(".sent")).to_contain_text("0 of 2 answered")
    look_at("alice", "/review/1?at=4", "desk-to-discuss")
