"""A lead watches a round: its figures change by themselves, and what the lead is doing on the page is left alone."""

import uuid
from collections.abc import Callable

import pytest
from conftest import Stage
from playwright.sync_api import Page, expect

from .facts import ask, assignment

pytestmark = pytest.mark.browser


def save(page: Page, address: str, **fields: str) -> None:
    """Somebody saves something, in a browser of their own."""
    answer = page.request.post(address, form={"act_key": uuid.uuid4().hex} | fields, max_redirects=0)
    assert answer.status == 303, answer.text()


def test_figures_change_by_themselves_and_the_page_stays_where_it_is(stage: Stage, page_of: Callable[..., Page]) -> None:
    desk = f"/review/{assignment(stage.settings.project, 'alice', 's1_d_1')}"
    alice, lea = page_of("alice"), page_of("lea", viewport={"width": 390, "height": 800})
    lea.goto("/round/1")
    table = lea.get_by_role("region", name="Annotators", exact=True)
    expect(table.get_by_role("row", name="alice")).to_contain_text("0 of 3")
    lea.get_by_label("cem").check()
    table.focus()
    table.evaluate("region => { region.scrollLeft = 60; }")
    save(alice, f"{desk}/1", act="label", codes="RTI")
    save(alice, f"{desk}/hand-in", with_open="true")
    expect(lea.locator("#progress")).to_contain_text("1 of 6 handed in")
    expect(table.get_by_role("row", name="alice")).to_contain_text("1 of 3")
    expect(lea.get_by_role("region", name="Conversations and annotators").get_by_role("row", name="s1_d_1")).to_contain_text("handed in")
    expect(table).to_be_focused()
    assert table.evaluate("region => region.scrollLeft") == 60
    expect(lea.get_by_label("cem")).to_be_checked()


def test_when_another_window_closes_the_round_the_page_says_so_and_asks_no_more(stage: Stage, page_of: Callable[..., Page]) -> None:
    lea = page_of("lea")
    lea.goto("/round/1")
    expect(lea.get_by_role("heading", name="Close it")).to_be_visible()
    try:
        save(lea, "/round/1/close")
        expect(lea.get_by_text("closed on")).to_be_visible()
        expect(lea.get_by_role("heading", name="Close it")).to_have_count(0)
        assert lea.locator("#progress").get_attribute("hx-get") is None
    finally:
        ask(stage.settings.project, "update round set closed_at = null")  # the server is shared
