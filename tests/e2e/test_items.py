"""The catalogue beside the dialogue, in a real browser: lit items, boxes that save themselves, keys that stay the desk's."""

from collections.abc import Callable

import pytest
from conftest import Stage
from playwright.sync_api import Locator, Page, expect

from .desk import Desk
from .facts import ask, assignment

pytestmark = pytest.mark.browser


def box(desk: Desk, number: int, word: str) -> Locator:
    return desk.page.locator(f'[data-item="{number}"]').get_by_label(word)


def marks(stage: Stage) -> list[tuple[str, str]]:
    """What was saved of the items, oldest first."""
    return [(row["field"], row["numbers"]) for row in ask(stage.settings.project, "select field, numbers from item_decision order by id")]


def lists(desk: Desk, mentioned: str, chosen: str = "1") -> None:
    expect(desk.page.locator("#item-lists > span")).to_have_text([f"mentioned: {mentioned}", f"chosen: {chosen}"])


@pytest.fixture
def beside(desk: Desk) -> Desk:
    """Alice's desk with the catalogue loaded."""
    expect(desk.page.locator("[data-item]")).to_have_count(12)
    return desk


def test_pictures_show_and_the_mentioned_items_are_lit_as_the_focus_moves(beside: Desk) -> None:
    page = beside.page
    expect(page.locator('[data-item="1"] img')).to_have_js_property("naturalWidth", 200)
    said = page.locator("article[data-items]").first
    position, items = int(said.get_attribute("data-position") or 0), (said.get_attribute("data-items") or "").split()
    expect(page.locator(".item.lit")).to_have_count(0)
    beside.press(*"j" * (position - 1)).at(position)
    assert page.locator(".item.lit").evaluate_all("found => found.map((one) => one.dataset.item)") == items
    beside.press("k")
    expect(page.locator(".item.lit")).to_have_count(0)


def test_the_items_of_the_focused_utterance_are_lit_when_the_page_opens(stage: Stage, page_of: Callable[..., Page]) -> None:
    said = "select min(position) as at from utterance where conversation_id = 1 and text like '%Item0%'"
    (place,) = ask(stage.settings.project, said)
    desk = Desk(page_of("alice")).open(assignment(stage.settings.project, "alice", "s1_d_1"), at=place["at"])
    expect(desk.page.locator(".item.lit")).not_to_have_count(0)


def test_boxes_ticked_faster_than_the_server_answers_are_all_saved(beside: Desk, stage: Stage) -> None:
    lists(beside, "1, 4, 8")
    beside.page.evaluate("""() => [2, 3, 5, 4].forEach((number) => document.querySelector(`[data-item="${number}"] input`).click())""")
    lists(beside, "1, 2, 3, 5, 8")
    box(beside, 1, "chosen").uncheck()
    lists(beside, "1, 2, 3, 5, 8", "none")
    assert dict(marks(stage)) == {"mentioned_items": "1|2|3|5|8", "gt_items": ""}
    beside.page.reload()
    lists(beside, "1, 2, 3, 5, 8", "none")


def test_boxes_of_both_lists_ticked_in_one_burst_are_all_saved(beside: Desk, stage: Stage) -> None:
    beside.page.evaluate("""() => [2, 3].forEach((number) =>
        document.querySelectorAll(`[data-item="${number}"] input`).forEach((box) => box.click()))""")
    lists(beside, "1, 2, 3, 4, 8", "1, 2, 3")
    assert dict(marks(stage)) == {"mentioned_items": "1|2|3|4|8", "gt_items": "1|2|3"}


def test_after_a_click_the_keys_are_the_desks_again(beside: Desk) -> None:
    box(beside, 2, "mentioned").click()
    lists(beside, "1, 2, 4, 8")
    beside.press("j").at(2)
    beside.press("Enter").at(3).says(2, "PCT|PEP", "confirmed")


def test_a_box_reached_by_tab_keeps_the_focus_and_takes_space(beside: Desk) -> None:
    box(beside, 2, "mentioned").focus()
    beside.press("Space")
    lists(beside, "1, 2, 4, 8")
    expect(box(beside, 2, "mentioned")).to_be_focused()


def test_what_is_refused_goes_back_and_says_why(beside: Desk, stage: Stage) -> None:
    at = assignment(stage.settings.project, "alice", "s1_d_1")
    columns = "assignment_id, handed_in, last_decision_id, submitted_at"
    ask(stage.settings.project, f"insert into submission ({columns}) values (?, 1, 0, '2026-11-26')", at)  # in another window
    box(beside, 2, "mentioned").click()
    expect(beside.page.locator("[data-refused]")).to_contain_text("You have handed in s1_d_1")
    expect(box(beside, 2, "mentioned")).not_to_be_checked()
    assert marks(stage) == []


def test_what_another_window_changed_shows_as_it_stands(beside: Desk, stage: Stage) -> None:
    at = assignment(stage.settings.project, "alice", "s1_d_1")
    columns = "assignment_id, field, numbers, act_key, decided_at"
    ask(stage.settings.project, f"insert into item_decision ({columns}) values (?, 'mentioned_items', '1|9', 'other', '2026-11-26')", at)
    box(beside, 2, "mentioned").focus()
    beside.press("Space")
    expect(beside.page.locator("[data-refused]")).to_contain_text("It says 1, 9 now")
    lists(beside, "1, 9")
    expect(box(beside, 2, "mentioned")).not_to_be_checked()
    expect(box(beside, 9, "mentioned")).to_be_checked()
    expect(box(beside, 2, "mentioned")).to_be_focused()
    beside.press("Space")
    lists(beside, "1, 2, 9")
    expect(beside.page.locator("[data-refused]")).to_be_empty()
    assert marks(stage) == [("mentioned_items", "1|9"), ("mentioned_items", "1|2|9")]


def test_a_burst_on_an_older_state_overwrites_nothing(beside: Desk, stage: Stage) -> None:
    at = assignment(stage.settings.project, "alice", "s1_d_1")
    columns = "assignment_id, field, numbers, act_key, decided_at"
    ask(stage.settings.project, f"insert into item_decision ({columns}) values (?, 'mentioned_items', '1|9', 'other', '2026-11-26')", at)
    beside.page.evaluate("""() => [2, 3, 5].forEach((number) => document.querySelector(`[data-item="${number}"] input`).click())""")
    lists(beside, "1, 9")
    expect(beside.page.locator("[data-refused]")).to_contain_text("It says 1, 9 now")
    beside.page.wait_for_load_state("networkidle")
    assert marks(stage) == [("mentioned_items", "1|9")]


def test_without_a_network_a_box_goes_back_and_says_so(beside: Desk, stage: Stage) -> None:
    beside.page.context.set_offline(True)
    box(beside, 2, "mentioned").click()
    expect(beside.page.locator("[data-refused]")).to_contain_text("Not saved")
    expect(box(beside, 2, "mentioned")).not_to_be_checked()
    beside.page.context.set_offline(False)
    box(beside, 2, "mentioned").click()
    lists(beside, "1, 2, 4, 8")
    expect(beside.page.locator("[data-refused]")).to_be_empty()


def test_a_folded_catalogue_stays_folded(beside: Desk) -> None:
    beside.page.locator("[data-catalogue] > summary").click()
    beside.page.reload()
    expect(beside.page.locator("[data-catalogue]")).not_to_have_attribute("open", "")


def test_without_script_the_catalogue_is_a_page_that_saves(stage: Stage, page_of: Callable[..., Page]) -> None:
    page = page_of("alice", java_script_enabled=False)
    page.goto(f"/review/{assignment(stage.settings.project, 'alice', 's1_d_1')}")
    page.get_by_role("link", name="Catalogue").click()
    page.locator('[data-item="4"]').get_by_label("chosen").check()
    page.get_by_role("button", name="Save what was chosen").click()
    expect(page.locator("#item-lists")).to_contain_text("chosen: 1, 4")
    assert marks(stage) == [("gt_items", "1|4")]
