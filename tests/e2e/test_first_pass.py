"""The first pass with Gemini's stand-in, in a real browser: VOGUE whole, reviewed and exported; and a run from the lead's page."""

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from standin import StandIn

import annotator
from annotator.paths import shipped

from .desk import Desk
from .facts import ask
from .server import Server, run_command, wait_for

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery"
FEW_SHOT = ("c1_a_1", "c55_a_1")
"""Conversations that stand in the prompt VOGUE was published with: in no tagger's score."""


@pytest.fixture
def standin(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    with StandIn.start(latency=0.1) as standin:
        for name, value in {"GEMINI_API_KEY": "test-key", "GOOGLE_GEMINI_BASE_URL": standin.url, "NO_PROXY": "127.0.0.1"}.items():
            monkeypatch.setenv(name, value)
        yield standin


def sign_in(page: Page, link: str) -> None:
    page.goto(link)
    Desk(page).type(PASSWORD).press("Tab").type(PASSWORD).press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def make_project(folder: Path, source: Path, serve: Callable[..., Server], *tag: str) -> tuple[Server, dict[str, str]]:
    """A served project with what `source` holds, tagged where `tag` says how, and everybody's link."""
    run_command("init", folder)
    run_command("import", source, "--project", folder)
    if tag:
        run_command("tag", *tag, "--project", folder)
    server = serve(folder)
    (folder / "annotator.toml").write_text(f'base_url = "{server.url}"\n')
    people = {"ana": "annotator", "lea": "lead"}
    return server, {name: run_command("user", "add", name, "--role", role, "--project", folder) for name, role in people.items()}


# VOGUE whole


def check_run(project: Path, standin: StandIn) -> None:
    """58 conversations in 58 calls, a right suggestion for each utterance, nothing without."""
    (counted,) = ask(project, "select count(*) as n, count(distinct call_id) as calls from suggestion")
    assert (counted["n"], counted["calls"], standin.stats()["calls"]) == (2030, 58, 58)
    assert ask(project, "select * from failure") == []
    taxonomy = annotator.load_taxonomy(project / "taxonomy.yaml")
    for row in ask(project, "select u.role, u.text, s.codes from suggestion s join utterance u on u.id = s.utterance_id"):
        assert set(row["codes"].split("|")) == set(standin.truth(row["role"], row["text"], taxonomy.by_role[row["role"]])), row["text"]


def review(page: Page, link: str) -> tuple[str, dict[int, str]]:
    """Confirm every proposal but three of the least certain conversation that has any, and hand it in; returns what was said."""
    sign_in(page, link)
    links = page.locator("tbody a")
    assert {one.inner_text() for one in links.all()[:2]} == set(FEW_SHOT), "what has no proposal comes first"
    conversation = links.nth(2).inner_text()
    links.nth(2).press("Enter")
    desk = Desk(page).shows(conversation)
    proposed = [row.get_attribute("data-proposal") or "" for row in page.locator(".utterance").all()]
    said = dict(enumerate(proposed, 1))
    for position in said:
        desk.at(position)
        if position in (2, 5, 9):
            desk.press("o")
            said[position] = "OTH"
        else:
            desk.press("Enter")
    desk.warns("All done").saved().press("Tab", "Enter")
    expect(page.get_by_role("heading", name="My conversations")).to_be_visible()
    return conversation, said


def test_vogue_is_tagged_reviewed_and_exported_with_where_each_proposal_came_from(
    vogue: Path, tmp_path: Path, standin: StandIn, serve: Callable[..., Server], new_context: Callable[..., BrowserContext]
) -> None:
    project, left_out = tmp_path / "project", [word for one in FEW_SHOT for word in ("--leave-out", one)]
    server, links = make_project(project, vogue, serve, "--tagger", "gemini", *left_out)
    check_run(project, standin)
    run_command("round", "create", "first", "--annotators", "ana", "--project", project)
    conversation, said = review(new_context(server).new_page(), links["ana"])
    run_command("export", tmp_path / "labels.csv", "--project", project)
    with (tmp_path / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    mine = {int(row["utterance"]): row for row in rows if row["conversation"] == conversation}
    assert {position: set(row["codes"].split("|")) for position, row in mine.items()} == {k: set(v.split("|")) for k, v in said.items()}
    assert {(row["annotator"], row["condition"], row["model_version"]) for row in mine.values()} == {
        ("ana", "assisted", "gemini-3.5-flash-lite")
    }
    assert {len(row["prompt_hash"]) for row in mine.values()} == {12}
    spent = ask(project, "select sum(cost) as spent from call")[0]["spent"]
    assert sum(float(row["cost"]) for row in rows if row["cost"]) == pytest.approx(spent)
    assert {row["suggestion"] for row in rows if row["conversation"] in FEW_SHOT} == {""}


# From the lead's page


def runs_now(project: Path) -> dict[str, object]:
    return dict(ask(project, "select * from run order by id desc limit 1")[0])


def suggestions(project: Path) -> int:
    return int(ask(project, "select count(*) as n from suggestion")[0]["n"])


def order(page: Page, **filled: str) -> None:
    """Fill in an order, look at the plan, start it."""
    page.goto("/tagging")
    page.get_by_label("Tagger").select_option("gemini")
    page.get_by_text("For language models").click()
    for label, value in filled.items():
        page.get_by_label(label.replace("_", " ")).fill(value)
    page.get_by_role("button", name="Show what it would do and cost").click()
    expect(page.get_by_text("gemini-3.5-flash-lite (thinking: minimal) would be asked 12 times")).to_be_visible()
    page.get_by_role("button", name="Start and pay up to this").click()


def test_a_run_is_planned_started_watched_paused_and_goes_on_over_a_killed_server(
    tmp_path: Path, standin: StandIn, serve: Callable[..., Server], new_context: Callable[..., BrowserContext]
) -> None:
    project = tmp_path / "project"
    server, links = make_project(project, shipped("sample"), serve)
    page = new_context(server).new_page()
    sign_in(page, links["lea"])
    order(page, Requests_a_minute="100")
    progress = page.locator("#progress")
    expect(progress).to_contain_text("running")
    wait_for(lambda: suggestions(project) > 30, "the first conversations")
    page.get_by_role("button", name="Pause").click()
    expect(progress).to_contain_text("paused")
    before = suggestions(project)
    assert 0 < before < 445
    page.get_by_role("button", name="Go on").click()
    wait_for(lambda: suggestions(project) > before, "more conversations")
    server.kill()
    assert runs_now(project)["finished_at"] is None
    expect(page.locator("#lost")).to_be_visible()
    server.start()
    expect(page.locator("#lost")).to_be_hidden()
    expect(progress).to_contain_text("finished", timeout=60_000)
    expect(progress).to_contain_text("12 of 12 conversations")
    expect(page.get_by_role("heading", name="Where it is least certain")).to_be_visible()
    expect(page.locator("tbody a[href*=conversation]")).to_have_count(12)
    assert suggestions(project) == 445
    kept = [row["raw"] for row in ask(project, "select raw from call")]
    assert all(json.loads(raw) for raw in kept)
    assert standin.stats()["calls"] - len(kept) <= 1, "only what was under way when the server was killed is asked again"


def test_a_run_without_a_key_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: Callable[..., Server], new_context: Callable[..., BrowserContext]
) -> None:
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    server, links = make_project(tmp_path / "project", shipped("sample") / "transcripts" / "s1_d_1.json", serve)
    page = new_context(server).new_page()
    sign_in(page, links["lea"])
    page.goto("/tagging/plan?tagger=gemini")
    expect(page.get_by_role("alert")).to_contain_text("Set GEMINI_API_KEY in the environment")
    expect(page.get_by_role("button", name="Start and pay up to this")).to_be_disabled()
