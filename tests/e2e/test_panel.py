"""The desk beyond labelling: the next of a kind, marks and their reasons, seconds, last acts, comments, discussions."""

from collections.abc import Callable, Iterator

import pytest
from conftest import Stage
from playwright.sync_api import expect

from .desk import Desk
from .facts import ask, assignment, decisions, standing

pytestmark = pytest.mark.browser

TALK = "s1_d_1"
NEXT = "s2_d_2"


def test_a_flag_has_a_reason_where_one_is_typed(stage: Stage, desk: Desk) -> None:
    why = desk.page.get_by_label("Why it is flagged")
    expect(why).to_be_hidden()
    desk.press("f").type("Qu? b").press("Enter").at(1)
    expect(desk.row(1).locator(".flag")).to_contain_text("Qu? b")
    expect(why).not_to_be_focused()
    desk.press("Enter").at(2).saved()
    expect(why).to_be_hidden()
    kinds = [(row["kind"], row["reason"]) for row in decisions(stage.settings.project)]
    assert kinds == [("flag", ""), ("flag", "Qu? b"), ("confirm", "")]


def test_the_reason_of_a_flag_is_left_by_enter_and_dropped_by_escape(stage: Stage, desk: Desk) -> None:
    why = desk.page.get_by_label("Why it is flagged")
    desk.press("f")
    expect(why).to_be_focused()
    desk.press("Enter").at(1)
    expect(why).not_to_be_focused()
    desk.press("f").at(1)
    expect(why).not_to_be_focused()
    desk.press("f").type("oaq").press("Escape", "j", "k").at(1)
    expect(why).to_have_value("")
    desk.saved()
    kinds = [(row["kind"], row["reason"]) for row in decisions(stage.settings.project)]
    assert kinds == [("flag", ""), ("unflag", ""), ("flag", "")]


def test_a_reason_that_is_left_by_the_mouse_is_kept_where_it_was_said(desk: Desk) -> None:
    desk.press("f").type("oaq").row(3).locator(".text").click()
    desk.at(3)
    expect(desk.row(1).locator(".flag")).to_contain_text("oaq")
    expect(desk.row(3).locator(".flag")).to_have_count(0)
    desk.saved()


def test_a_long_word_stays_in_its_column(desk: Desk) -> None:
    desk.press("f").type("w" * 200).press("Enter").saved()
    expect(desk.row(1).locator(".flag")).to_contain_text("w" * 200)
    assert desk.row(1).evaluate("row => row.scrollWidth <= row.clientWidth")


def test_a_reason_typed_while_the_page_waits_is_a_reason(stage: Stage, desk: Desk) -> None:
    desk.press(*["Enter"] * 32, "n", "n", "f", *"Why o", "Enter", "j").shows(NEXT).at(2).saved()
    assert [row["reason"] for row in decisions(stage.settings.project)][-2:] == ["", "why o"]


def test_unsure_is_a_mark_with_a_button(stage: Stage, desk: Desk) -> None:
    button = desk.page.get_by_role("button", name="Unsure")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    desk.press("Enter").at(2).says(1, "RTI", "confirmed").saved()
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(desk.row(1).locator(".unsure")).to_be_visible()
    desk.press("k")
    button.click()
    desk.saved()
    expect(desk.row(1).locator(".unsure")).to_have_count(0)
    assert [row["kind"] for row in decisions(stage.settings.project)] == ["unsure", "confirm", "sure"]


@pytest.fixture
def doubts(stage: Stage) -> Iterator[None]:
    """The tagger is not sure of utterances 9 and 12."""
    project, where = stage.settings.project, "where utterance_id in (9, 12)"
    before = ask(project, f"select confidence, probabilities from suggestion {where}")[0]
    ask(project, f"update suggestion set confidence = 0.3, probabilities = '{{}}' {where}")
    yield
    ask(project, f"update suggestion set confidence = ?, probabilities = ? {where}", *before)


@pytest.mark.usefixtures("doubts")
def test_n_and_a_second_key_go_to_the_next_of_a_kind(stage: Stage, desk: Desk) -> None:
    desk.page.reload()
    desk.press("Enter", "a", "b", "k", "k", "k").at(1).press("n", "n").at(4)
    desk.press("n", "l").at(9).press("n", "l").at(12).press("f", "Enter", "k", "k", "k", "n", "f").at(12).saved()
    desk.press("n", "l").at(9).press("n", "l").at(12)
    desk.press(*["k"] * 11).at(1).press("n", "d").at(2)
    assert len(decisions(stage.settings.project)) == 4


def test_n_shows_what_it_waits_for_and_a_mistyped_chord_does_nothing(desk: Desk, labels: Callable[[], dict[int, str]]) -> None:
    hint = desk.page.locator("#chord")
    desk.page.clock.install()
    desk.press("n")
    expect(hint).to_be_visible()
    desk.press("p").at(1).warns("n and p: no such jump")
    expect(hint).to_be_hidden()
    for key in ("Enter", "Shift+o", "Shift+n", "j", "F1", "Escape"):
        desk.press("n", key).at(1)
    assert desk.queue() == []
    desk.press("p").at(2).press("n").page.clock.run_for(2000)
    expect(hint).to_be_hidden()
    desk.press("f", "Enter").at(2).press("l").at(3).saved()
    assert labels() == {1: "A", 2: "INT"}


def test_seconds_count_while_somebody_is_there(stage: Stage, desk: Desk) -> None:
    clock = desk.page.clock
    clock.install()
    desk.page.reload()
    desk.at(1)
    for keys, waited in ((["a"], 7), (["k"], 2), (["a", "a"], 3), (["a"], 300)):
        clock.fast_forward(1000 * waited)
        desk.press(*keys)
    desk.at(4).saved()
    seconds = [(row["position"], row["seconds"]) for row in decisions(stage.settings.project)]
    for (position, found), (wanted, at_least) in zip(seconds, [(1, 7), (1, 10), (2, 2), (3, 60)], strict=True):
        assert position == wanted
        assert at_least <= found < at_least + 5


def test_n_goes_on_in_the_next_conversation_with_the_keys_pressed_meanwhile(stage: Stage, desk: Desk) -> None:
    project = stage.settings.project
    desk.press(*["Enter"] * 32, "n", "n", "Shift+o", "a").shows(NEXT).at(2).says(1, "OTH|ACK").saved()
    assert len(standing(project, "alice")) == 33
    desk.press("f", "Enter", "n", "f").warns("Nothing else is flagged").press("n", "d").at(1)


def test_n_finds_nothing_and_says_so_and_keys_meant_for_there_do_nothing_here(desk: Desk) -> None:
    desk.press("n", "f", "a").warns("flagged").warns("keys pressed since then were not used").at(1).press("a").at(2).saved()


def test_esc_gives_up_the_way_to_the_next_while_it_waits_for_the_server(desk: Desk) -> None:
    desk.page.route("**/review/next*", lambda route: None)
    desk.press("n", "f", "a", "Escape", "p").at(2).says(1, "A").saved()


def test_the_last_acts_lead_back_to_their_places(stage: Stage, desk: Desk) -> None:
    desk.press("j", "Shift+Enter", "o", "u").at(6).saved()
    desk.page.get_by_text("My last acts").click()
    acts = desk.page.locator("#recent-acts li")
    expect(acts).to_have_count(2)
    expect(acts.first).to_contain_text("taken back")
    expect(acts.nth(1)).to_contain_text("a turn of 4")
    desk.press("a").at(7)
    expect(acts.first).to_contain_text("ACK")
    acts.nth(2).get_by_role("link").click()
    desk.at(2).press("o").at(3).saved()
    desk.open(assignment(stage.settings.project, "alice", NEXT))
    desk.page.get_by_text("My last acts").click()
    acts.first.get_by_role("link").click()
    desk.shows(TALK).at(2).says(2, "OTH")


def test_a_comment_is_said_in_the_panel(stage: Stage, desk: Desk) -> None:
    desk.page.route("**/comments", lambda route: (desk.press("o"), route.continue_()))  # typed before the field is there
    desk.press("j").page.get_by_role("link", name="Comment").click()
    field = desk.page.get_by_label("Your comment")
    expect(field).to_be_focused()
    desk.page.unroute_all()
    desk.type("Why so? n").at(2)
    desk.page.locator("#drawer").get_by_role("button", name="Comment").click()
    expect(desk.row(2).locator(".comments")).to_have_text("1 comment")
    desk.press("k").at(1)
    desk.row(2).locator(".comments").click()
    expect(desk.page.locator("#drawer")).to_contain_text("Why so? n")
    expect(desk.page.locator(".htmx-settling")).to_have_count(0)
    field.fill("By the keys")
    desk.press("Control+Enter")
    expect(desk.page.locator("#drawer .said-so-far")).to_contain_text("By the keys")
    assert [row["body"] for row in ask(stage.settings.project, "select body from comment")] == ["Why so? n", "By the keys"]
    assert decisions(stage.settings.project) == []


def test_keys_act_on_what_is_discussed_though_the_rest_is_handed_in(stage: Stage, desk: Desk, labels: Callable[[], dict[int, str]]) -> None:
    project = stage.settings.project
    here = assignment(project, "alice", TALK)
    desk.press("o", "a", "o").at(4).saved()
    ask(project, "insert into submission values (1, ?, 1, 3, '2026-01-01 00:00:00')", here)
    ask(project, "insert into discussion values (1, 1, 2, 4, 'Is it?', '2026-01-01 00:00:00')")
    desk.open(here, at=1).press("p", "b").at(1)
    desk.press("j").at(2)
    expect(desk.row(2).locator(".discuss")).to_contain_text("Is it?")
    desk.press("q").at(3).press("e", "Enter").at(3).saved()
    assert labels() == {1: "OTH", 2: "IQ", 3: "OTH"}
    desk.press("u").at(2).says(2, "ACK").saved()
