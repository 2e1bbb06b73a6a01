"""The main job in the browser on VOGUE: two people label the same conversations by keyboard alone, the lead finds their kappa."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

import annotator

from . import journey
from .desk import Desk
from .facts import flagged, standing
from .journey import Material, Person, kappa_of, read_material, watch_mouse
from .server import Server, run_command

pytestmark = pytest.mark.browser

FIRST, SECOND = "c31_a_1", "c34_b_4"
PASSWORD = "correct horse battery"


@dataclass
class Campaign:
    """A VOGUE project made by the command line, served, with everybody's one-time link."""

    server: Server
    links: dict[str, str]
    material: Material

    @property
    def project(self) -> Path:
        return self.server.project


@pytest.fixture
def campaign(vogue: Path, tmp_path: Path, serve: Callable[..., Server]) -> Campaign:
    project = tmp_path / "project"
    transcripts = [next(vogue.rglob(f"{name}.json")) for name in (FIRST, SECOND)]
    run_command("init", project)
    run_command("import", *transcripts, "--project", project)
    run_command("tag", "--tagger", "local", "--project", project)
    server = serve(project)
    (project / "annotator.toml").write_text(f'base_url = "{server.url}"\n')
    people = {"ana": "annotator", "ben": "annotator", "lea": "lead"}
    links = {name: run_command("user", "add", name, "--role", role, "--project", project) for name, role in people.items()}
    run_command("round", "create", "first", "--annotators", "ana,ben", "--project", project)
    taxonomy = annotator.load_taxonomy(project / "taxonomy.yaml")
    return Campaign(server, links, read_material(project, transcripts, taxonomy))


def label_by_keyboard(campaign: Campaign, page: Page, name: str, trusts: int, skips: journey.Place) -> Person:
    """The whole way of one annotator, from the link to the second conversation handed in."""
    person = Person(name, Desk(page), campaign.material, trusts, skips)
    person.sign_in(campaign.links[name], PASSWORD)
    person.open(FIRST)
    person.label_all(FIRST, {4: journey.slip_and_undo, 6: journey.flag, 10: journey.find_by_name})
    person.follow("Back to my conversations")
    person.open(SECOND)
    person.press("u")
    person.desk.shows(FIRST)
    last = (FIRST, page.locator(".utterance").count())
    person.desk.at(last[1])
    person.label(last)
    person.hand_in()
    person.open(SECOND)
    person.label_all(SECOND, {5: journey.find_by_name, 12: journey.slip_and_undo})
    person.hand_in()
    return person


def check_what_was_meant(campaign: Campaign, person: Person) -> None:
    """What the person meant is what stands in the database, and each kind of key had its turn."""
    found = {place: frozenset(codes.split("|")) for place, codes in standing(campaign.project, person.name).items()}
    assert found == person.meant
    assert len(found) >= 30
    assert flagged(campaign.project, person.name) == {(FIRST, 6)}
    assert sum(len(codes) > 1 for codes in found.values()) >= 3
    assert {"Enter", "u", "b", "f", "/"} <= set(person.pressed)
    assert any(key.startswith("Shift+") for key in person.pressed)


def download_csv(lea: Person) -> str:
    """The long CSV through the export page, by keyboard."""
    lea.follow("Export")
    button = lea.desk.page.get_by_role("button", name="Download")
    expect(button).to_be_visible()
    with lea.desk.page.expect_download() as download:
        lea.desk.tab_to(button).press("Enter")
    return Path(download.value.path()).read_text(encoding="utf-8")


def check_agreement(campaign: Campaign, lea: Person) -> None:
    """Page, JSON and command say what scikit-learn says of the exported CSV."""
    lea.follow("Agreement")
    page = lea.desk.page
    expect(page.get_by_label("Verdict")).to_contain_text("ana and ben")
    rows = page.get_by_label("Kappa by role").locator("tbody tr").all()
    shown = {row.locator("th").inner_text(): row.locator("td").all_inner_texts() for row in rows}
    (pair,) = page.request.get("/agreement.json").json()["pairs"]
    expected = kappa_of(download_csv(lea), "ana", "ben")
    assert set(expected) == set(pair["roles"]) == {"Seeker", "Assistant"}
    for role, (kappa, n) in expected.items():
        assert pair["roles"][role]["kappa"] == pytest.approx(kappa, abs=1e-12)
        assert pair["roles"][role]["n_utterances"] == n
        assert shown[role][0] == f"{kappa:.2f}"
        assert 0 < kappa < 1
    assert json.loads(run_command("agree", "--json", "--project", campaign.project))["pairs"] == [pair]


def test_two_people_label_vogue_by_keyboard_and_the_lead_finds_their_kappa(
    campaign: Campaign, new_context: Callable[..., BrowserContext]
) -> None:
    contexts = {name: new_context(campaign.server) for name in campaign.links}
    mouse = {name: watch_mouse(context) for name, context in contexts.items()}
    ana = label_by_keyboard(campaign, contexts["ana"].new_page(), "ana", trusts=7, skips=(FIRST, 9))
    ben = label_by_keyboard(campaign, contexts["ben"].new_page(), "ben", trusts=4, skips=(SECOND, 3))
    check_what_was_meant(campaign, ana)
    check_what_was_meant(campaign, ben)
    lea = Person("lea", Desk(contexts["lea"].new_page()), campaign.material, trusts=1, skips=(FIRST, 1))
    lea.sign_in(campaign.links["lea"], PASSWORD)
    check_agreement(campaign, lea)
    assert mouse == {"ana": [], "ben": [], "lea": []}


def test_the_watch_sees_a_mouse(server: Server, new_context: Callable[..., BrowserContext]) -> None:
    context = new_context(server)
    seen = watch_mouse(context)
    page = context.new_page()
    page.goto("/sign-in")
    page.get_by_role("button", name="Sign in").press("Enter")
    assert seen == []
    page.get_by_role("button", name="Sign in").click()
    assert seen == ["pointerdown", "mousedown", "click"]
