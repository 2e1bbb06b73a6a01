"""What a lead does on a project, in a browser without JavaScript: files in, people in."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Stage
from playwright.sync_api import BrowserContext, Page, expect

from annotator.paths import shipped
from annotator.web.deps import COOKIE

from .facts import ask
from .server import Server

pytestmark = pytest.mark.browser


@pytest.fixture
def project(built: Stage, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built.settings.project, tmp_path / "project"))


@pytest.fixture
def lea(built: Stage, project: Path, serve: Callable[..., Server], new_context: Callable[..., BrowserContext]) -> Page:
    server = serve(project)
    context = new_context(server, java_script_enabled=False)
    context.add_cookies([{"name": COOKIE, "value": built.tokens["lea"], "url": server.url}])
    return context.new_page()


def test_files_are_shown_and_come_in(lea: Page, project: Path, tmp_path: Path) -> None:
    lea.goto("/import")
    (tmp_path / "c9.csv").write_text(
        "conversation,utterance,role,annotator,codes,text\nc9,1,Seeker,ana,OLD,Hi.\nc9,2,Seeker,ana,OLD2,Ho.\n"
    )
    archive = shutil.make_archive(str(tmp_path / "vogue"), "zip", shipped("sample"))
    lea.get_by_label("Files").set_input_files([archive, tmp_path / "c9.csv"])
    lea.get_by_label("Labels that name nobody").fill("published")
    lea.get_by_label("Codes to rename").fill("OLD=IQ\nSeeker/OLD2=ACK")
    lea.get_by_role("button", name="Show what would come in").click()
    expect(lea.get_by_text("10 new conversations")).to_be_visible()
    expect(lea.get_by_role("heading", name="Unknown codes")).to_have_count(0)
    assert ask(project, "select count(*) from conversation")[0][0] == 3
    lea.get_by_role("button", name="Import").click()
    expect(lea.get_by_role("heading", name="Imported")).to_be_visible()
    assert ask(project, "select count(*) from conversation")[0][0] == 13
    labels = "select d.codes from decision d join utterance t on t.id = d.utterance_id where t.text in ('Hi.', 'Ho.')"
    assert [row["codes"] for row in ask(project, labels)] == ["IQ", "ACK"]
    assert ask(project, "select count(*) from upload")[0][0] == 0


def test_files_that_are_too_large_are_a_sentence(lea: Page, project: Path, tmp_path: Path) -> None:
    lea.goto("/import")
    (tmp_path / "large.csv").write_bytes(bytes(70 * 1024 * 1024))
    lea.get_by_label("Files").set_input_files(tmp_path / "large.csv")
    lea.get_by_role("button", name="Show what would come in").click()
    expect(lea.get_by_text("The files are larger than the 64 MB that can be sent at once.")).to_be_visible()


def test_a_person_is_added_and_disabled(lea: Page, project: Path) -> None:
    lea.goto("/users")
    lea.get_by_label("Name").fill("dora")
    lea.get_by_role("button", name="Add and make a link").click()
    link = lea.get_by_label("One-time link for dora").input_value()
    lea.goto("/link/" + link.rpartition("/")[2])
    expect(lea.get_by_role("heading", name="Welcome, dora")).to_be_visible()
    lea.goto("/users")
    row = lea.get_by_role("row", name="dora")
    expect(row.get_by_role("button", name="Disable dora")).to_be_hidden()
    row.get_by_text("Disable", exact=True).click()
    row.get_by_role("button", name="Disable dora").click()
    expect(lea.get_by_role("row", name="dora")).to_contain_text("disabled")
