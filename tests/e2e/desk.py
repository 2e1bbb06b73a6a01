"""The desk as a person at the keyboard sees it: keys go in, the page is read."""

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

SAVED = re.compile(r"^saved \d\d:\d\d:\d\d$")
RETRYING = "not saved, retrying"
KEPT = """() => new Promise((found) => {
    const open = indexedDB.open("annotator-acts", 1);
    open.onupgradeneeded = () => open.result.createObjectStore("acts", {keyPath: "key"});
    open.onsuccess = () => {
        const all = open.result.transaction("acts").objectStore("acts").getAll();
        all.onsuccess = () => { open.result.close(); found(all.result); };
    };
})"""


class Desk:
    """One browser page on a conversation."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.alert = page.locator("#alert")
        self.status = page.locator("#status")

    def open(self, assignment: int, at: int | None = None) -> "Desk":
        """Go to a conversation, at its first open utterance or at `at`."""
        self.page.goto(f"/review/{assignment}" + (f"?at={at}" if at else ""))
        expect(self.page.locator(".utterance[aria-current]")).to_have_count(1)
        return self

    def shows(self, conversation: str) -> "Desk":
        """The page is that of this conversation, and its script runs."""
        expect(self.page.locator("h1")).to_contain_text(conversation)
        self.page.wait_for_load_state("load")
        return self

    def press(self, *keys: str) -> "Desk":
        """Press keys as fast as they go."""
        for key in keys:
            self.page.keyboard.press(key)
        return self

    def type(self, text: str) -> "Desk":
        """Type a text, letter by letter."""
        self.page.keyboard.type(text)
        return self

    def row(self, position: int) -> Locator:
        """One utterance."""
        return self.page.locator(f"#u{position}")

    def at(self, position: int) -> "Desk":
        """The focus is on this utterance, and on no other."""
        expect(self.page.locator(".utterance[aria-current]")).to_have_attribute("data-position", str(position))
        return self

    def says(self, position: int, codes: str, state: str | None = None) -> "Desk":
        """An utterance shows this label (codes joined by `|`), and this state where one is given."""
        expect(self.row(position)).to_have_attribute("data-codes", codes)
        if state:
            expect(self.row(position)).to_have_attribute("data-state", state)
        return self

    def saved(self) -> "Desk":
        """Everything is saved, and the page says when."""
        expect(self.status).to_have_text(SAVED)
        assert self.queue() == []
        return self

    def retrying(self) -> "Desk":
        """The page says that something is not saved yet."""
        expect(self.status).to_have_text(RETRYING)
        return self

    def warns(self, words: str) -> "Desk":
        """The alert says this."""
        expect(self.alert).to_contain_text(words)
        return self

    def queue(self) -> list[Any]:
        """What this browser keeps of the person's acts until the server has said yes to them."""
        user = self.page.locator("[data-user]").get_attribute("data-user")
        return [act for act in self.page.evaluate(KEPT) if act["user"] == user]

    def tab_to(self, target: Locator, tries: int = 80) -> "Desk":
        """Press Tab until the target has the focus."""
        for _ in range(tries):
            self.page.keyboard.press("Tab")
            if target.evaluate("(element) => element === document.activeElement"):
                return self
        raise AssertionError(f"{tries} times Tab does not lead to {target}")
