"""The agreement page in a real browser, with as much data as VOGUE has: its numbers are those of the JSON, its cells lead on."""

import csv
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from annotator.core.taxonomy import Taxonomy
from annotator.db import Database
from annotator.flow import accounts
from annotator.flow.intake import import_paths
from annotator.flow.intake_report import Options
from annotator.flow.project import init_project, open_project
from annotator.flow.taxonomy import current
from annotator.models import Role
from annotator.settings import Settings
from annotator.web.deps import COOKIE

from .server import Server
from .test_accessible import faults

pytestmark = pytest.mark.browser

N_CONVERSATIONS, N_UTTERANCES = 60, 35
NAMES = ("ana", "ben", "cem")
HEADING = ("conversation", "utterance", "role", "text", "annotator", "codes", "round", "condition")


def rows(taxonomy: Taxonomy) -> Iterator[tuple[str, ...]]:
    """Sixty conversations, each labelled by two of three people who differ more in some conversations than in others."""
    rng = random.Random(7)
    for number in range(N_CONVERSATIONS):
        sure, people = rng.betavariate(8, 2), rng.sample(NAMES, 2)
        condition = "blind" if number % 4 == 0 else "assisted"
        for at in range(1, N_UTTERANCES + 1):
            role = ("Assistant", "Seeker")[at % 2]
            codes = list(taxonomy.by_role[role])
            meant = codes[min(int(rng.expovariate(0.25)), len(codes) - 1)]
            for name in people:
                said = [meant if rng.random() < sure else rng.choice(codes)]
                said += [rng.choice(codes)] if rng.random() < 0.12 else []
                yield f"c{number}", str(at), role, f"Utterance {at} of {number}", name, "|".join(dict.fromkeys(said)), "pilot", condition


def sign_in(db: Database, name: str, role: Role) -> str:
    with db.writing() as session:
        link = accounts.add_user(session, name, role)
        return accounts.use_link(session, link, "correct horse battery", days=1)


@dataclass
class Campaign:
    server: Server
    token: str


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    folder = tmp_path_factory.mktemp("agreement") / "project"
    init_project(folder)
    db = open_project(Settings(project=folder))
    table = folder / "labels.csv"
    with db.writing() as session, table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADING)
        writer.writerows(rows(current(session)[1]))
        file.flush()
        import_paths(session, [table], None, Options())
    token = sign_in(db, "lea", Role.LEAD)
    db.close()
    server = Server(folder)
    server.start()
    yield Campaign(server, token)
    server.kill()
    assert server.complaints() == ""


@pytest.fixture
def page(campaign: Campaign, new_context: Callable[..., BrowserContext]) -> Page:
    context = new_context(campaign.server, viewport={"width": 1280, "height": 900})
    context.add_cookies([{"name": COOKIE, "value": campaign.token, "url": campaign.server.url}])
    page = context.new_page()
    page.goto("/agreement?round=pilot")
    return page


def cells(table: Locator) -> dict[str, list[str]]:
    """The first cell of each row → the others."""
    return {row.locator("th").inner_text(): row.locator("td").all_inner_texts() for row in table.locator("tbody tr").all()}


def shown(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.2f}".replace("-0.00", "0.00")


def between(limits: list[float] | None) -> str:
    return "–" if limits is None else f"{shown(limits[0])} to {shown(limits[1])}"


def figures_of(page: Page) -> Any:
    link = page.get_by_role("link", name="All figures as JSON").get_attribute("href")
    return page.request.get(link or "").json()


def test_the_numbers_on_the_page_are_those_of_the_json(page: Page) -> None:
    figures = figures_of(page)
    overview, verdict = figures["overview"], figures["verdict"]
    assert (overview["headline"], overview["n_utterances"]) == ("kappa_macro", N_CONVERSATIONS * N_UTTERANCES)
    head = page.get_by_label("Verdict")
    expect(head.locator("b")).to_have_text(shown(verdict["value"]))
    expect(head).to_contain_text(f"95 % {between(verdict['ci95'])}")
    expect(head).to_contain_text(verdict["sentence"][1:])
    by_role = cells(page.get_by_label("Kappa by role"))
    for label, line in {**overview["roles"], "All roles, stratified": overview["stratified"]}.items():
        assert by_role[label] == [
            shown(line["kappa"]), between(line["ci95"]), shown(line["kappa_macro"]), between(line["kappa_macro_ci95"]), shown(line["po"]),
            shown(line["pe"]), shown(line["design_effect"]), str(line["n_pairs"]), str(line["n_conversations"]),
        ]  # fmt: skip
    for role, line in overview["roles"].items():
        page.get_by_text(f"{role}: the numbers").click()
        codes = cells(page.get_by_label(f"Codes of {role}", exact=True))
        assert set(codes) == set(line["codes"])
        for code, values in line["codes"].items():
            assert codes[code][:4] == [str(values["n_a"]), str(values["n_b"]), str(values["n_both"]), shown(values["kappa"])]
            assert codes[code][4].startswith(between(values["ci95"]))
    rest = cells(page.get_by_label("Each annotator with all the others", exact=True))
    assert {name: row[0] for name, row in rest.items()} == {
        one["annotator"]: f"{one['kappa']:.3f} [{one['ci95'][0]:.3f}, {one['ci95'][1]:.3f}]" for one in figures["rest"]
    }


def test_a_confusion_leads_to_its_utterances_and_a_merge_is_tried_at_once(page: Page) -> None:
    figures = figures_of(page)
    top = figures["overview"]["roles"]["Seeker"]["confusions"][0]
    page.get_by_label("Most frequent confusions of Seeker").get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"{top['a']} and {top['b']}")
    assert page.locator(".confused > li").count() == min(top["n"], 50)
    expect(page.locator("main")).to_contain_text(f"{top['n']} times, over pairs of annotators")
    page.get_by_role("link", name="Back to agreement").click()
    first = figures["what_if"]["Seeker"][0]
    page.get_by_role("link", name=" into ".join(first["codes"]), exact=True).click()
    told = page.locator("#merged")
    expect(told).to_be_visible()
    expect(told).to_contain_text(f"{shown(first['now'])} (")
    expect(told.get_by_role("listitem").last).to_contain_text(f"→ {shown(first['merged'])}")


def test_a_cell_of_the_matrix_is_a_way_to_two_annotators_alone(page: Page) -> None:
    page.get_by_role("link", name="ana and ben", exact=True).click()
    expect(page.get_by_label("Verdict")).to_contain_text("ana and ben")
    found = page.request.get("/agreement.json?round=pilot&a=ana&b=ben").json()
    (pair,) = found["pairs"]
    assert cells(page.get_by_label("Kappa by role"))["Seeker"][0] == shown(pair["roles"]["Seeker"]["kappa"])
    assert cells(page.get_by_label("Kappa by role"))["All roles pooled*"][0] == shown(pair["pooled"]["kappa"])


def test_tables_and_figures_come_as_files(page: Page) -> None:
    links = page.locator(".files a").evaluate_all("links => links.map(one => one.href)")
    assert len(links) > 20
    for link in links:
        answer = page.request.get(link)
        assert answer.status == 200, link
        assert len(answer.body()) > 50
        assert "attachment" in answer.headers["content-disposition"]


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_is_never_wider_than_the_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    for details in page.locator("details").all():
        details.evaluate("one => { one.open = true; }")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_page_and_its_drawings_are_for_everybody(page: Page) -> None:
    assert faults(page) == []
