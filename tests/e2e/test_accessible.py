"""Every page as people with other senses and hands meet it: axe-core finds nothing serious, in light and dark, wide and narrow.

Also by keyboard alone: where the focus is shows. And right-to-left text stands on the right.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from conftest import Stage
from playwright.sync_api import Browser, Page, expect
from web.test_access import routes as all_routes
from web.world import PEOPLE, PLACES, build_world

from annotator.web.app import create_app
from annotator.web.deps import COOKIE

from .desk import Desk
from .facts import assignment
from .server import Server, run_command

pytestmark = pytest.mark.browser

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
EVERYTHING = {"runOnly": {"type": "tag", "values": TAGS}, "rules": {"target-size": {"enabled": True}}}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
RUN = "options => axe.run(options).then(found => found.violations)"


@dataclass(frozen=True)
class Place:
    """A project where all states are there at once, its server, and who signs in how."""

    server: Server
    tokens: dict[str, str]

    @property
    def project(self) -> Path:
        return self.server.project

    def desk(self, conversation: str, who: str = "alice") -> str:
        """The address of somebody's desk."""
        return f"/review/{assignment(self.project, PEOPLE[who][0], conversation)}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    project = tmp_path_factory.mktemp("accessible") / "project"
    tokens = build_world(project)
    server = Server(project)
    server.start()
    yield Place(server, tokens)
    server.kill()
    assert server.complaints() == ""


@pytest.fixture
def page_for(place: Place, browser: Browser) -> Iterator[Callable[..., Page]]:
    """One page per person, kept for the whole test."""
    pages: dict[str, Page] = {}

    def find(who: str) -> Page:
        if who not in pages:
            context = browser.new_context(base_url=place.server.url, viewport={"width": 1280, "height": 900})
            context.set_default_timeout(20_000)
            if who in place.tokens:
                context.add_cookies([{"name": COOKIE, "value": place.tokens[who], "url": place.server.url}])
            pages[who] = context.new_page()
        return pages[who]

    yield find
    for page in pages.values():
        page.context.close()


def faults(page: Page) -> list[str]:
    """What axe finds on the page as it is, wide and narrow, in light and dark. Colours are all that differs in the dark."""
    page.evaluate(AXE_SCRIPT)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    told = []
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for scheme, options in (("light", EVERYTHING), ("dark", COLOURS)):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            found = page.evaluate(RUN, options)
            told += [f"{width} {scheme}: {_sentence(one)}" for one in found]
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})
    return told


def _sentence(violation: dict[str, Any]) -> str:
    nodes = [f"{' '.join(map(str, node['target']))}: {node['failureSummary'].splitlines()[1].strip()}" for node in violation["nodes"][:3]]
    return f"{violation['id']} ({violation['impact']}) {len(violation['nodes'])} x {nodes}"


CONFUSED = "/confused?role=Seeker&said=PCT&other=IQ"
# Pages by who looks at them. `{a1}` is the desk of who looks for that conversation of `web/world.py`.
PAGES = {
    "on the way in": [("eve", "/sign-in"), ("eve", "/link/unknown"), ("alice", "/nowhere")],
    "of an annotator": [
        ("alice", "/review"), ("cem", "/review"), ("alice", "/taxonomy"), ("alice", "/agreement"), ("alice", "/export"),
        ("alice", CONFUSED),
    ],
    "to find one's way": [
        ("alice", "/review/search?q=item"), ("alice", "/review/recent"), ("alice", "/comments"), ("alice", "{a1}/2/comments"),
    ],
    "of the desk": [("alice", "{a1}"), ("alice", "{a2}"), ("alice", "{a3}"), ("alice", "{b1}"), ("alice", "{c1}"), ("alice", "{a1}/items")],
    "of a researcher": [
        ("rui", "/agreement"), ("rui", "/export"), ("rui", "/review"), ("rui", "/comments?show=flags"), ("rui", "/round/1"),
    ],
    "of a lead": [
        ("lea", "/agreement"), ("lea", CONFUSED), ("lea", "/export"), ("lea", "/import"), ("lea", "/users"), ("leo", "/review"),
        ("lea", "/comments"), ("lea", "/influence?round=open"), ("lea", "/influence?round=nowhere"),
    ],
    "of rounds": [
        ("lea", "/round"), ("lea", "/round/1"), ("lea", "/round/2"), ("lea", "/round/plan?name=next&annotators=Bobolinsky&blind=0.3"),
        ("lea", "/round/1/add?annotators=Leandrosa"),
    ],
    "of adjudication": [
        ("lea", "/adjudication"), ("lea", "/adjudication/1"), ("lea", "/adjudication/1?utterance=8&proposal=true"),
        ("lea", "/adjudication/1?utterance=11"), ("lea", "/adjudication/1/settled"),
    ],
    "of the first pass": [
        ("lea", "/tagging"), ("lea", "/tagging/plan?tagger=local"), ("lea", "/tagging/plan?tagger=gemini&max_cost=much"),
        ("lea", "/tagging/1"), ("lea", "/tagging/2"), ("lea", "/tagging/2/conversation/1"),
    ],
}  # fmt: skip
REFUSED = {
    "/link/unknown": 404, "/nowhere": 404, "rui /review": 403,
    "/tagging/plan?tagger=gemini&max_cost=much": 422, "/influence?round=nowhere": 422,
}  # fmt: skip
# Addresses that answer with a piece of a page, a file, or the way to a page; and pages that a test below opens.
NO_PAGES = {
    "/", "/link/{token}", "/review/{assignment_id}/hand-in", "/review/{assignment_id}/{position}", "/review/next", "/taxonomy/code",
    "/export/download", "/users/link", "/import/{key}", "/item/{item_id}/picture", "/tagging/{run_id}/progress",
    "/round/{round_id}/progress",
}  # fmt: skip


def test_every_page_is_looked_at(stage: Stage) -> None:
    looked_at = [re.sub(r"{\w\d}", "/review/1", path).partition("?")[0] for group in PAGES.values() for _, path in group]
    routes = {path for method, path in all_routes(create_app(stage.settings)) if method == "GET"}
    routes = {path for path in routes - NO_PAGES if not re.search(r"\.(csv|json|svg|txt|{suffix})$", path)}
    patterns = {path: re.sub(r"{\w+}", r"\\w+", path) for path in routes}
    assert [path for path in sorted(routes) if not any(re.fullmatch(patterns[path], one) for one in looked_at)] == []


@pytest.mark.parametrize("group", PAGES)
def test_axe_finds_nothing_on_pages(group: str, place: Place, page_for: Callable[..., Page]) -> None:
    told = []
    for who, path in PAGES[group]:
        page = page_for(who)
        answer = page.goto(path.format(**{one.key: place.desk(one.key, who) for one in PLACES.values() if who in one.people}))
        assert answer is not None
        assert answer.status == REFUSED.get(path, REFUSED.get(f"{who} {path}", 200)), path
        page.wait_for_load_state("networkidle")
        told += [f"{who} {path} {fault}" for fault in faults(page)]
    assert told == []


def test_axe_finds_nothing_while_files_come_in(page_for: Callable[..., Page], tmp_path: Path) -> None:
    (tmp_path / "z9.csv").write_text("conversation,utterance,role,annotator,codes,text\nz9,1,Seeker,ana,OLD,Hi.\n")
    page = page_for("lea")
    page.goto("/import")
    page.get_by_label("Files").set_input_files(tmp_path / "z9.csv")
    page.get_by_role("button", name="Show what would come in").click()
    expect(page.get_by_role("heading", name="Unknown codes")).to_be_visible()
    assert faults(page) == []
    page.get_by_role("button", name="Discard").click()


def test_axe_finds_nothing_where_a_password_is_chosen(place: Place, page_for: Callable[..., Page]) -> None:
    link = run_command("user", "link", PEOPLE["leo"][0], "--project", place.project).rsplit("/", 1)[-1]
    page = page_for("eve")
    page.goto(f"/link/{link}")
    assert faults(page) == []


KEYS = {"building": ("Shift+o", "Shift+a", "f"), "filtering": ("/", "e", "x"), "all keys": ("?",), "after the last": ("End", "Tab")}


@pytest.mark.parametrize("doing", KEYS)
def test_axe_finds_nothing_on_the_desk_while(doing: str, server: Server, desk: Desk) -> None:
    desk.page.set_viewport_size({"width": 1280, "height": 900})
    desk.open(assignment(server.project, "alice", "s1_d_1"), at=8).press(*KEYS[doing])
    desk.page.wait_for_load_state("networkidle")
    assert faults(desk.page) == []


# Where the focus is

LOOKS = """element => {
    const style = getComputedStyle(element);
    return JSON.stringify(["outlineStyle", "outlineWidth", "outlineColor", "boxShadow", "borderColor"].map(name => style[name]));
}"""
REMEMBER = f"""() => {{
    const focusable = "a, button, input, select, textarea, summary, [tabindex]";
    window.looks = new Map([...document.querySelectorAll(focusable)].map(element => [element, ({LOOKS})(element)]));
}}"""
# Of the element that has the focus: what it is, whether it looks as it did without, whether anything of it can be seen.
FOCUSED = f"""() => {{
    const element = document.activeElement, box = element.getBoundingClientRect(), parts = [.1, .5, .9];
    const points = parts.flatMap(x => parts.map(y => [box.left + box.width * x, box.top + box.height * y]));
    const shows = top => top && (element.contains(top) || element.closest("label")?.contains(top));
    const seen = points.some(([x, y]) => shows(document.elementFromPoint(x, y)));
    return [element.outerHTML.slice(0, 80), looks.get(element) === ({LOOKS})(element), seen];
}}"""


def tabbed(page: Page) -> list[tuple[str, bool, bool]]:
    """What Tab leads to, once around the page."""
    page.evaluate(REMEMBER)
    stops: list[tuple[str, bool, bool]] = []
    for _ in range(300):
        page.keyboard.press("Tab")
        stop = tuple(page.evaluate(FOCUSED))
        if stops and (stop[0].startswith("<body") or stop == stops[0]):
            break
        stops.append(stop)  # type: ignore[arg-type]
    return stops


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("path", ["/review", "desk"])
def test_where_the_focus_is_shows(path: str, width: int, server: Server, page_of: Callable[..., Page]) -> None:
    page = page_of("alice", viewport={"width": width, "height": 900})
    page.goto(path if path == "/review" else f"/review/{assignment(server.project, 'alice', 's1_d_1')}?at=1")
    check_focus(page, 40 if path == "desk" else 5)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("path", ["/round", "/round/1", "/adjudication/1", "/comments", "/users"])
def test_where_the_focus_is_shows_to_a_lead(path: str, width: int, page_for: Callable[..., Page]) -> None:
    page = page_for("lea")
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(path)
    check_focus(page, 8)


def check_focus(page: Page, fewest: int) -> None:
    """Go once around the page by Tab, to at least so many places."""
    page.wait_for_load_state("networkidle")
    stops = tabbed(page)
    assert len(stops) > fewest
    assert [what for what, same, _ in stops if same] == [], "looks the same with the focus"
    assert [what for what, _, seen in stops if not seen] == [], "has the focus but is hidden behind something"


# Right to left

HEBREW, ARABIC = "אני מחפש ז'קט חם ועמיד במים.", "هل تريد شيئًا للمطر أم للبرد؟"
SIDES = """element => {
    const range = document.createRange(); range.selectNodeContents(element);
    const text = range.getBoundingClientRect(), box = element.getBoundingClientRect();
    return [getComputedStyle(element).direction, Math.round(box.right - text.right) < 2, Math.round(text.left - box.left) < 2];
}"""


def test_right_to_left_text_stands_on_the_right(place: Place, page_for: Callable[..., Page], tmp_path: Path) -> None:
    (tmp_path / "rtl.txt").write_text(f"Seeker: {HEBREW}\nAssistant: {ARABIC}\nSeeker: Yes please.\n", encoding="utf-8")
    where = ("--project", place.project)
    run_command("import", tmp_path / "rtl.txt", *where)
    run_command("round", "create", "rtl", "--annotators", PEOPLE["alice"][0], "--only", "rtl", *where)
    page = page_for("alice")
    page.goto(f"{place.desk('rtl')}?at=1")
    said = [page.locator(f"#u{position} .text").evaluate(SIDES) for position in (1, 2, 3)]
    assert [one[0] for one in said] == ["rtl", "rtl", "ltr"]
    assert [one[1:] for one in said] == [[True, False], [True, False], [False, True]]
    assert page.locator("#focused-text").evaluate(SIDES)[0] == "rtl"
