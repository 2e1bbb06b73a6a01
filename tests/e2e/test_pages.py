"""Every page at two widths, light and dark: nothing sticks out, nothing is complained of in the console. And the desk as plain forms.

With ANNOTATOR_SHOTS=FOLDER each page is kept as a picture.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Stage
from playwright.sync_api import ConsoleMessage, Page, expect

from annotator.db import Database
from annotator.flow import accounts, review
from annotator.flow.acts import Act, Asked
from annotator.models import Call, Failure, Run, Suggestion, now
from annotator.paths import shipped

from .desk import Desk
from .facts import assignment, flagged, standing
from .server import Server, run_command, wait_for

pytestmark = pytest.mark.browser

TALK = "s1_d_1"
SCREENS = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]
WIDEST = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"


@pytest.fixture(params=SCREENS, ids=[f"{width}px-{scheme}" for width, scheme in SCREENS])
def screen(request: pytest.FixtureRequest) -> dict[str, object]:
    """Options of a browser context."""
    width, scheme = request.param
    return {"viewport": {"width": width, "height": 900 if width > 500 else 844}, "color_scheme": scheme, "has_touch": width < 500}


@pytest.fixture
def look_at(page_of: Callable[..., Page], screen: dict[str, object], request: pytest.FixtureRequest) -> Callable[..., Page]:
    """Open a page as somebody, do something there, and check how it looks."""

    pages: dict[str, Page] = {}
    complaints: list[str] = []

    def page_for(who: str) -> Page:
        page = page_of(who, **screen)
        page.on("console", lambda message: complaints.extend(_complaint(message)))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    def look(who: str, path: str, name: str, *keys: str) -> Page:
        page = pages[who] if who in pages else pages.setdefault(who, page_for(who))
        if path:  # else the page that is open
            page.goto(path)
        Desk(page).press(*keys)
        if keys:
            page.wait_for_load_state("networkidle")
        assert page.evaluate(WIDEST) <= 0, f"{name} is wider than the window"
        _keep_picture(page, f"{name}-{request.node.callspec.id}")
        assert complaints == [], name
        return page

    return look


def _complaint(message: ConsoleMessage) -> list[str]:
    # Chromium notes the status of a page that is an error page on purpose.
    wanted = message.type in ("error", "warning") and "Failed to load resource" not in message.text
    return [message.text] if wanted else []


def _keep_picture(page: Page, name: str) -> None:
    if folder := os.environ.get("ANNOTATOR_SHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def test_pages_on_the_way_in(stage: Stage, look_at: Callable[..., Page]) -> None:
    link = run_command("user", "link", "cem", "--project", stage.settings.project).rsplit("/", 1)[-1]
    look_at("eve", "/sign-in", "sign-in")
    look_at("eve", f"/link/{link}", "link")
    look_at("eve", "/link/unknown", "link-used")


def test_pages_of_the_lead(stage: Stage, look_at: Callable[..., Page]) -> None:
    page = look_at("lea", "/users", "users")
    page.get_by_role("button", name="New link for cem").click()
    expect(page.get_by_label("One-time link for cem")).to_be_focused()
    look_at("lea", "", "users-link")
    page.locator("summary").nth(1).click()
    look_at("lea", "", "users-disable")
    look_at("lea", "/import", "import")


def test_pages_of_an_import(stage: Stage, look_at: Callable[..., Page], tmp_path: Path) -> None:
    (tmp_path / "c9.csv").write_text("conversation,utterance,role,annotator,codes,text\nc9,1,Seeker,ana,OLD,Hi.\n")
    page = look_at("lea", "/import", "import-before")
    page.get_by_label("Files").set_input_files([tmp_path / "c9.csv", *sorted((shipped("sample") / "transcripts").iterdir())])
    page.get_by_role("button", name="Show what would come in").click()
    expect(page.get_by_role("heading", name="Unknown codes")).to_be_visible()
    look_at("lea", "", "import-preview")
    page.locator("summary").click()
    page.get_by_label("A code outside").select_option("error")
    page.get_by_role("button", name="Show again").click()
    expect(page.get_by_role("alert")).to_contain_text("the taxonomy has no code 'OLD' for Seeker")
    look_at("lea", "", "import-error")
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_role("heading", name="Import")).to_be_visible()


def test_pages_of_an_annotator(stage: Stage, look_at: Callable[..., Page]) -> None:
    look_at("cem", "/review", "conversations-none")
    look_at("alice", "/review", "conversations")
    look_at("alice", "/taxonomy", "taxonomy")
    look_at("alice", "/export", "export")
    look_at("alice", "/agreement", "forbidden")
    look_at("alice", "/nowhere", "not-found")


def test_the_desk(stage: Stage, look_at: Callable[..., Page]) -> None:
    path = f"/review/{assignment(stage.settings.project, 'alice', TALK)}"
    look_at("alice", f"{path}?at=6", "desk", "Enter", "k")
    look_at("alice", f"{path}?at=8", "desk-building", "Shift+o", "Shift+a", "f")
    look_at("alice", f"{path}?at=9", "desk-filter", "/", "e", "x", "p", "l")
    look_at("alice", f"{path}?at=10", "desk-keys", "?")
    look_at("alice", f"{path}?at=32", "desk-last", "Enter", "Tab")


def test_a_reason_is_folded_and_loads_when_opened(stage: Stage, look_at: Callable[..., Page]) -> None:
    page = look_at("alice", f"/review/{assignment(stage.settings.project, 'alice', TALK)}?at=2", "desk-before-reason")
    reason = page.locator("#u2 .reason")
    expect(reason.locator("p")).to_be_hidden()
    reason.locator("summary").press("Enter")
    expect(reason.locator("p")).to_have_text("The script says so.")
    assert page.evaluate(WIDEST) <= 0


def label_and_hand_in(db: Database, name: str, codes: tuple[str, ...]) -> None:
    """Somebody labels the first conversation with these codes in turn, and hands it in."""
    with db.writing() as session:
        user = accounts.get_user(session, name)
        mine = assignment(Path(str(db.url.database)).parent, name, TALK)
        for position in range(1, 33):
            code = codes[position % len(codes)]
            review.decide(session, user, mine, position, Asked(act=Act.LABEL, codes=(code,), act_key=f"{name}-{position}"))
        review.hand_in(session, user, mine)


def test_pages_after_handing_in(stage: Stage, db: Database, look_at: Callable[..., Page]) -> None:
    project = stage.settings.project
    look_at("lea", "/agreement", "agreement-none")
    label_and_hand_in(db, "alice", ("OTH", "ACK"))
    label_and_hand_in(db, "bob", ("OTH", "ACK", "ACK"))
    look_at("alice", f"/review/{assignment(project, 'alice', TALK)}", "desk-handed-in")
    look_at("alice", "/review", "conversations-handed-in")
    look_at("rui", "/agreement", "agreement-researcher")
    page = look_at("lea", "/agreement", "agreement", "Tab")
    for summary in page.locator("summary").all():
        summary.press("Enter")
    assert page.evaluate(WIDEST) <= 0
    look_at("lea", "/export", "export-lead")


def test_pages_of_the_first_pass(db: Database, look_at: Callable[..., Page]) -> None:
    look_at("lea", "/tagging", "tagging")
    look_at("lea", "/tagging/plan?tagger=local&only=s1_*", "tagging-plan-local")
    look_at("lea", "/tagging/plan?tagger=gemini&tier=flex", "tagging-plan")
    look_at("lea", "/tagging/plan?tagger=gemini&max_cost=much", "tagging-refused")
    look_at("lea", "/tagging/1", "run")
    look_at("lea", "/tagging/1/conversation/1", "proposals")
    stop_a_run(db)
    page = look_at("lea", "/tagging/2", "run-paused")
    expect(page.get_by_role("button", name="Go on")).to_be_visible()


def stop_a_run(db: Database) -> None:
    """A second run, of a provider, that stopped by itself in the middle, with two models and a failure."""
    with db.writing() as session:
        settings, manner = {"model": "gemini-3.5-flash-lite", "thinking": "minimal"}, {"max_cost": "0.50", "tier": "flex"}
        run = Run(id=2, tagger="gemini", version="1", settings=settings, manner=manner, threshold=0.5, taxonomy_version_id=1, known="")
        run.paused_at, run.seconds = now(), 75.0
        run.stopped = "0.4987 USD are spent and the next question might pass the limit. Everything so far is kept."
        session.add(run)
        session.flush()
        for key in ("gemini-3.5-flash-lite", "gemini-3.8-flash"):
            session.add(Call(run_id=2, taxonomy_version_id=1, key=key, prompt_hash="h", model_version=key, cost=0.24935))
        for one in range(1, 33):
            session.add(Suggestion(run_id=2, utterance_id=one, codes="ACK", confidence=one / 33, call_id=1, cost=0.01))
        session.delete(session.get_one(Suggestion, (7, 2)))
        session.add(Failure(run_id=2, utterance_id=7, reason="the service refused the text (PROHIBITED_CONTENT)"))


@pytest.fixture
def plain(server: Server, page_of: Callable[..., Page]) -> Page:
    """Alice's desk in a browser without JavaScript."""
    page = page_of("alice", java_script_enabled=False)
    page.goto(f"/review/{assignment(server.project, 'alice', TALK)}?at=1")
    return page


def press_button(page: Page, name: str) -> None:
    page.locator(".panel").get_by_role("button", name=name).click()


def focus(page: Page, position: int) -> None:
    expect(page.locator(".utterance[aria-current]")).to_have_attribute("data-position", str(position))


def test_without_script_labels_are_plain_forms(server: Server, plain: Page) -> None:
    press_button(plain, "Enter Confirm")
    focus(plain, 2)
    press_button(plain, "q IQ Initial Query")
    focus(plain, 3)
    press_button(plain, "b Skip")
    focus(plain, 4)
    press_button(plain, "f Flag")
    focus(plain, 4)
    expect(plain.locator("#u4 .flag")).to_be_visible()
    assert standing(server.project, "alice") == {(TALK, 1): "RTI", (TALK, 2): "IQ", (TALK, 3): "skipped"}
    assert flagged(server.project, "alice") == {(TALK, 4)}


def test_without_script_a_second_code_is_added_and_undone(server: Server, plain: Page) -> None:
    plain.locator("#u2 .text").click()
    press_button(plain, "Add PCT and stay")
    focus(plain, 2)
    expect(plain.locator("#built")).to_have_text("building: PCT")
    press_button(plain, "Add PEP and stay")
    press_button(plain, "s ANS Answer")
    focus(plain, 3)
    assert standing(server.project, "alice") == {(TALK, 2): "PCT|PEP|ANS"}
    press_button(plain, "u Undo")
    focus(plain, 2)
    assert standing(server.project, "alice") == {(TALK, 2): "PCT|PEP"}


def test_without_script_turns_marks_reasons_comments_and_the_next_are_forms_and_links(server: Server, plain: Page) -> None:
    plain.locator("#u3 .text").click()
    press_button(plain, "⇧ Enter Turn")
    focus(plain, 6)
    press_button(plain, "Unsure")
    press_button(plain, "f Flag")
    plain.get_by_label("Why it is flagged").fill("Two at once")
    plain.get_by_label("Why it is flagged").press("Enter")
    expect(plain.locator("#u6 .flag")).to_contain_text("Two at once")
    press_button(plain, "u Undo")
    expect(plain.locator("#u6 .unsure")).to_be_visible()
    plain.get_by_role("link", name="Comment").click()
    plain.get_by_label("Your comment").fill("Why?")
    plain.get_by_role("button", name="Comment").click()
    plain.get_by_role("link", name="To the utterance").click()
    plain.get_by_role("link", name="n d differs").click()
    expect(plain.get_by_role("alert").first).to_contain_text("Nowhere else")
    plain.get_by_role("link", name="n n open").click()
    focus(plain, 7)
    assert flagged(server.project, "alice") == {(TALK, 6)}
    assert standing(server.project, "alice") == {(TALK, 2): "PCT|PEP", (TALK, 3): "IQ", (TALK, 4): "IQ", (TALK, 5): "IQ"}


def test_without_script_a_conversation_is_handed_in_and_opened_again(server: Server, plain: Page) -> None:
    press_button(plain, "Enter Confirm")
    plain.get_by_role("button", name="Hand in").click()
    expect(plain.get_by_role("alert").first).to_contain_text("31 utterances are still open")
    plain.get_by_role("button", name="Hand in with 31 open").click()
    expect(plain.get_by_role("row", name=TALK)).to_contain_text("handed in")
    plain.get_by_role("link", name=TALK).click()
    plain.get_by_role("button", name="Open it again").click()
    press_button(plain, "Enter Confirm")
    assert len(standing(server.project, "alice")) == 2


FOCUSED = ".utterance[aria-current]"
IN_VIEW = """(what) => {
    const box = (selector) => document.querySelector(selector).getBoundingClientRect();
    const row = box(what), narrow = innerWidth < 960;
    return row.top >= box(".desk-head").bottom - 1 && row.bottom <= (narrow ? box(".panel").top : innerHeight) + 1;
}"""


def test_the_focused_utterance_is_never_covered(server: Server, page_of: Callable[..., Page], screen: dict[str, object]) -> None:
    desk = Desk(page_of("alice", **screen)).open(assignment(server.project, "alice", TALK), at=1)
    desk.page.wait_for_load_state("networkidle")  # the catalogue has its place
    for position in range(1, 32):
        desk.at(position)
        wait_for(lambda: desk.page.evaluate(IN_VIEW, FOCUSED), f"utterance {position} to be in view", seconds=5)
        desk.press("j")


@pytest.mark.parametrize("width", [1280, 390])
def test_typing_into_the_filter_does_not_move_the_page(server: Server, page_of: Callable[..., Page], width: int) -> None:
    page = page_of("alice", viewport={"width": width, "height": 844})
    desk = Desk(page).open(assignment(server.project, "alice", TALK), at=9)
    page.wait_for_load_state("networkidle")
    before = page.evaluate("scrollY")
    desk.press("/").type("e")
    expect(page.locator("#drawer .code")).to_be_visible()
    assert page.evaluate("scrollY") == before
    assert page.evaluate(IN_VIEW, FOCUSED)


@pytest.mark.parametrize("width", [1280, 390])
def test_after_the_last_utterance_the_button_to_hand_in_is_in_view(server: Server, page_of: Callable[..., Page], width: int) -> None:
    page = page_of("alice", viewport={"width": width, "height": 844})
    desk = Desk(page).open(assignment(server.project, "alice", TALK), at=32).press("Enter")
    expect(page.locator("#hand-in")).to_be_focused()
    desk.press("Tab")
    expect(page.get_by_role("button", name="Hand in")).to_be_focused()
    wait_for(lambda: page.evaluate(IN_VIEW, "#hand-in button"), "the button to be in view", seconds=5)
