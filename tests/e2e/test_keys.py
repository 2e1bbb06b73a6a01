"""Every key of the desk, on the small sample. What a key did is read from the page and from the database."""

import re
from collections.abc import Callable

import pytest
from conftest import Stage
from playwright.sync_api import Page, expect

import annotator
from annotator.paths import shipped

from .desk import Desk
from .facts import ask, assignment, decisions, flagged, standing

pytestmark = pytest.mark.browser

TALK = "s1_d_1"
NEXT = "s2_d_2"


def test_j_k_and_the_arrows_move(desk: Desk) -> None:
    desk.press("j").at(2).press("ArrowDown").at(3).press("k").at(2).press("ArrowUp").at(1).press("k").at(1)


def test_enter_confirms_the_whole_proposal_and_goes_on(desk: Desk, labels: Callable[[], dict[int, str]]) -> None:
    desk.press("Enter").at(2).press("Enter").at(3).says(1, "RTI", "confirmed").says(2, "PCT|PEP", "confirmed").saved()
    assert labels() == {1: "RTI", 2: "PCT|PEP"}


def test_enter_with_a_label_only_goes_on(stage: Stage, desk: Desk) -> None:
    desk.press("j", "q", "k").at(2).press("Enter").at(3).says(2, "IQ").saved()
    assert [row["codes"] for row in decisions(stage.settings.project, "alice")] == ["IQ"]


def test_enter_without_a_proposal_asks_for_a_code(stage: Stage, desk: Desk, labels: Callable[[], dict[int, str]]) -> None:
    ask(stage.settings.project, "update round_conversation set condition = 'blind'")
    desk.page.reload()
    desk.press("j", "Enter").at(2).warns("choose a code")
    expect(desk.page.locator(".proposal")).to_have_count(0)
    desk.press("e", "k").says(2, "PEP").saved()
    assert labels() == {2: "PEP"}


def test_a_code_key_is_the_label_and_goes_on(desk: Desk, labels: Callable[[], dict[int, str]]) -> None:
    desk.press("p", "q").at(3).says(1, "A").says(2, "IQ").saved()
    assert labels() == {1: "A", 2: "IQ"}


def test_shift_builds_from_empty_and_stays_and_a_plain_key_ends_it(desk: Desk, labels: Callable[[], dict[int, str]]) -> None:
    desk.press("j", "q", "k", "Shift+t").at(2).says(2, "PCT")
    desk.press("Shift+e").at(2).says(2, "PCT|PEP").press("s").at(3).says(2, "PCT|PEP|ANS").saved()
    assert labels() == {2: "PCT|PEP|ANS"}


def test_what_is_built_is_shown_and_ends_when_the_focus_moves(desk: Desk) -> None:
    desk.press("j", "Shift+t", "Shift+e")
    expect(desk.page.locator("#built")).to_have_text("building: PCT + PEP")
    desk.press("j", "k")
    expect(desk.page.locator("#built")).to_have_text("")
    desk.press("a").at(3).says(2, "ACK").saved()


@pytest.mark.parametrize(("before", "after"), [("q", {2: "IQ"}), ("b", {2: "skipped"}), ("j", {})])
def test_escape_drops_what_was_built(desk: Desk, labels: Callable[[], dict[int, str]], before: str, after: dict[int, str]) -> None:
    desk.press("j", before, "k", "Shift+t", "Shift+e", "Escape").at(2)
    expect(desk.page.locator("#built")).to_have_text("")
    desk.saved()
    assert labels() == after
    desk.press("Escape").at(2)
    assert labels() == after


def test_a_label_has_at_most_as_many_codes_as_the_taxonomy_says(desk: Desk, labels: Callable[[], dict[int, str]]) -> None:
    desk.press("j", "Shift+t", "Shift+e", "Shift+s", "a").at(2).warns("at most 3").says(2, "PCT|PEP|ANS").saved()
    assert labels() == {2: "PCT|PEP|ANS"}


def test_slash_filters_and_enter_takes_the_first(desk: Desk, labels: Callable[[], dict[int, str]]) -> None:
    desk.press("j", "/").type("clarif")
    shown = desk.page.locator("[data-codes-of=Seeker] [data-code]:visible")
    expect(shown).to_have_count(1)
    expect(desk.page.locator("#drawer")).to_contain_text("Ask Clarification")
    desk.press("Enter").at(3).says(2, "AC").saved()
    expect(shown).to_have_count(19)
    assert labels() == {2: "AC"}


def test_a_filter_that_nothing_matches_says_so_and_takes_nothing(desk: Desk, labels: Callable[[], dict[int, str]]) -> None:
    desk.press("/").type("zzzz")
    expect(desk.page.locator("#drawer")).to_have_text("No code of this role matches. Esc shows them all.")
    desk.press("Enter")
    expect(desk.page.locator("#drawer")).to_be_empty()
    assert labels() == {}


def test_shift_enter_in_the_filter_adds_and_stays(desk: Desk, labels: Callable[[], dict[int, str]]) -> None:
    desk.press("j", "/").type("neutral").press("Shift+Enter").at(2).says(2, "NR")
    desk.press("/").type("other").press("Enter").at(3).says(2, "NR|OTH").saved()
    assert labels() == {2: "NR|OTH"}


@pytest.mark.parametrize(("role", "position"), [("Assistant", 1), ("Seeker", 2)])
def test_typing_a_code_into_the_filter_finds_that_code(desk: Desk, role: str, position: int) -> None:
    taxonomy = annotator.load_taxonomy(shipped("taxonomy.yaml"))
    desk.press(*["j"] * (position - 1), "/")
    for code in taxonomy.by_role[role]:
        desk.page.locator("#filter").fill(code.lower())
        expect(desk.page.locator(".first-match")).to_have_attribute("data-code", code)
    desk.press("Enter", "k").says(position, "OTH").saved()


def test_keys_typed_into_the_filter_do_nothing_else(desk: Desk, labels: Callable[[], dict[int, str]]) -> None:
    desk.press("j", "/").type("qjub?").at(2).press("Escape").at(2)
    expect(desk.page.locator("#filter")).to_have_value("")
    expect(desk.page.locator("#filter")).not_to_be_focused()
    assert labels() == {}


def test_keys_with_another_modifier_do_nothing(desk: Desk, labels: Callable[[], dict[int, str]]) -> None:
    for modifier in ("Control", "Alt", "Meta"):
        desk.press("j", *(f"{modifier}+{key}" for key in ("e", "Enter", "k", "b"))).at(2).press("k")
    assert labels() == {}
    assert desk.queue() == []


def test_reserved_and_unknown_keys_do_nothing(desk: Desk, labels: Callable[[], dict[int, str]]) -> None:
    desk.press("j", "n", "Shift+N", "g", "1", "Space", "Backspace", "Delete").at(2)
    assert desk.queue() == []
    assert labels() == {}


def test_a_key_held_down_acts_once(desk: Desk, labels: Callable[[], dict[int, str]]) -> None:
    for _ in range(5):
        desk.page.keyboard.down("Enter")
    desk.page.keyboard.up("Enter")
    desk.at(2).saved()
    assert labels() == {1: "RTI"}


def test_caps_lock_does_not_matter(desk: Desk) -> None:
    desk.press("j").page.locator("body").dispatch_event("keydown", {"key": "Q", "bubbles": True})
    desk.at(3).says(2, "IQ").saved()


def test_f_flags_and_unflags_and_hides_no_label(stage: Stage, desk: Desk) -> None:
    desk.press("Enter", "k", "f", "Enter").at(1).saved()
    expect(desk.row(1).locator(".flag")).to_be_visible()
    assert flagged(stage.settings.project, "alice") == {(TALK, 1)}
    desk.says(1, "RTI", "confirmed").press("f").saved()
    expect(desk.row(1).locator(".flag")).to_have_count(0)
    assert flagged(stage.settings.project, "alice") == set()


def test_shift_enter_confirms_what_is_open_of_the_turn_and_one_u_takes_it_back(
    stage: Stage, desk: Desk, labels: Callable[[], dict[int, str]]
) -> None:
    desk.press("j", "q").at(3).press("Shift+Enter").at(6).saved()
    assert labels() == dict.fromkeys((2, 3, 4, 5), "IQ")
    assert len({row["group_key"] for row in decisions(stage.settings.project)[1:]}) == 1
    desk.press("u").at(3).says(3, "", "open").says(5, "", "open").press("a").at(4).says(3, "ACK").saved()
    assert labels() == {2: "IQ", 3: "ACK"}
    desk.press("u", "u").at(2).says(2, "", "open").saved()


def test_shift_enter_undone_after_a_reload_is_taken_back_whole(desk: Desk, labels: Callable[[], dict[int, str]]) -> None:
    desk.press("j", "Shift+Enter", "o").at(7).saved()
    desk.page.reload()
    desk.press("u", "u", "o").at(3).says(2, "OTH").says(5, "", "open").saved()
    assert labels() == {2: "OTH"}


def test_shift_enter_stays_where_a_code_must_be_chosen(stage: Stage, desk: Desk, labels: Callable[[], dict[int, str]]) -> None:
    ask(stage.settings.project, "update round_conversation set condition = 'blind'")
    desk.page.reload()
    desk.press("j", "a", "Shift+Enter").at(3).warns("choose a code").press("a", "a", "a", "k", "Shift+Enter").at(6).saved()
    assert labels() == dict.fromkeys((2, 3, 4, 5), "ACK")


def test_u_takes_back_no_older_act_for_a_tick_in_the_catalogue(desk: Desk, labels: Callable[[], dict[int, str]]) -> None:
    desk.press("p").at(2).page.locator('[data-item="2"]').get_by_label("mentioned").click()
    desk.press("u").warns("tick in the catalogue").says(1, "A").press("u").at(1).says(1, "", "open").saved()
    assert labels() == {}


def test_b_skips_and_goes_on(desk: Desk, labels: Callable[[], dict[int, str]]) -> None:
    desk.press("b").at(2).says(1, "", "skipped").saved()
    expect(desk.page.locator("#progress")).to_have_text(re.compile(r"^1 of \d+ done$"))
    assert labels() == {1: "skipped"}


def test_question_mark_shows_and_hides_the_keys(desk: Desk) -> None:
    keys = desk.page.locator("#keys dl")
    expect(keys).to_be_hidden()
    desk.page.set_viewport_size({"width": 1280, "height": 800})
    desk.press("?")
    expect(keys.locator("dt").first).to_be_in_viewport(ratio=1)
    desk.press("?")
    expect(keys).to_be_hidden()


def test_u_undoes_down_to_none(desk: Desk, labels: Callable[[], dict[int, str]]) -> None:
    desk.press("Enter", "q", "k", "a", "k", "f", "Escape").says(2, "ACK").saved()
    desk.press("u", "u").at(2).says(2, "IQ").press("u").at(2).says(2, "", "open").press("u").at(1).says(1, "", "open").saved()
    assert labels() == {}
    desk.press("u").warns("nothing left to undo").at(1)


def test_u_undoes_what_was_done_before_the_page_was_opened(desk: Desk, labels: Callable[[], dict[int, str]]) -> None:
    desk.press("Enter", "q", "a").saved()
    desk.page.reload()
    desk.press("k", "k", "k").at(1).press("u").at(3).says(3, "", "open").press("u").at(2).says(2, "", "open").saved()
    assert labels() == {1: "RTI"}


def test_u_undoes_in_another_conversation(stage: Stage, desk: Desk) -> None:
    project = stage.settings.project
    desk.press("Enter", "q").saved()
    desk.open(assignment(project, "alice", NEXT)).press("u")
    expect(desk.page.locator("h1")).to_contain_text(TALK)
    desk.at(2).says(2, "", "open")
    assert standing(project, "alice") == {(TALK, 1): "RTI"}


def test_the_focus_stays_near_the_middle(desk: Desk) -> None:
    height = desk.page.viewport_size["height"]  # type: ignore[index]
    for position in range(2, 31):
        desk.press("j").at(position)
        box = desk.row(position).bounding_box()
        assert box is not None
        middle = box["y"] + box["height"] / 2
        assert 0.1 * height < middle < 0.8 * height if position < 8 else 0.3 * height < middle < 0.7 * height, position


def test_the_panel_follows_the_role(desk: Desk) -> None:
    for position, role in ((1, "Assistant"), (2, "Seeker"), (5, "Seeker"), (6, "Assistant")):
        desk.open(assignment_in(desk), at=position)
        expect(desk.page.locator("[data-codes-of]:visible")).to_have_attribute("data-codes-of", role)
        expect(desk.page.locator("#focused-role")).to_have_text(role)
    desk.press("k")
    expect(desk.page.locator("[data-codes-of]:visible")).to_have_attribute("data-codes-of", "Seeker")


def assignment_in(desk: Desk) -> int:
    return int(desk.page.locator("[data-desk]").get_attribute("data-desk") or 0)


def test_after_the_last_utterance_tab_and_enter_hand_in(stage: Stage, desk: Desk) -> None:
    desk.press(*["Enter"] * 32).warns("All done").saved().press("Tab")
    expect(desk.page.get_by_role("button", name="Hand in")).to_be_focused()
    desk.press("Enter")
    expect(desk.page).to_have_url(re.compile("/review$"))
    expect(desk.page.get_by_role("row", name=TALK)).to_contain_text("handed in")
    assert len(ask(stage.settings.project, "select * from submission where handed_in")) == 1


def test_what_is_open_when_handing_in_is_said_in_sight_and_beside_the_button(desk: Desk) -> None:
    desk.press(*["j"] * 5, *["Enter"] * 27).warns("5 are still open").saved().press("Tab", "Enter")
    button = desk.page.get_by_role("button", name="Hand in with 5 open")
    expect(desk.page.locator("#hand-in").filter(has=button)).to_contain_text("5 utterances are still open: 1, 2, 3, 4, 5.")
    desk.at(1).warns("5 utterances are still open: 1, 2, 3, 4, 5.")
    expect(desk.alert).to_be_in_viewport(ratio=1)
    expect(desk.row(1)).to_be_in_viewport()


def test_enter_is_the_desks_again_after_moving_away_from_a_button(stage: Stage, desk: Desk) -> None:
    desk.press(*["Enter"] * 31, "j").warns("1 are still open").press("Tab", "k", "j").at(32).press("Enter").saved()
    expect(desk.page).to_have_url(re.compile(r"/review/\d+"))
    assert len(standing(stage.settings.project, "alice")) == 32
    assert ask(stage.settings.project, "select * from submission") == []


def test_enter_confirms_after_a_click_on_an_utterance(desk: Desk, labels: Callable[[], dict[int, str]]) -> None:
    desk.row(3).locator(".text").click()
    desk.at(3).press("Enter").at(4).saved()
    assert labels() == {3: "IQ"}


def test_a_handed_in_conversation_takes_no_keys(stage: Stage, desk: Desk, page_of: Callable[..., Page]) -> None:
    ask(stage.settings.project, "insert into submission values (1, ?, 1, 0, '2026-01-01 00:00:00')", assignment_in(desk))
    desk.page.reload()
    desk.press("e", "Enter", "b", "f", "u", "/", "Escape").at(1).press("j").at(2)
    assert desk.queue() == []
    assert decisions(stage.settings.project) == []
