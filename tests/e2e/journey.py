"""People of the VOGUE journey: what each means to say of every utterance, and the keys that say it. Nobody has a mouse."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, expect
from sklearn.metrics import cohen_kappa_score

from annotator.core.taxonomy import Taxonomy

from .desk import Desk
from .facts import proposals

Place = tuple[str, int]

WATCH = """for (const kind of ["pointerdown", "mousedown", "touchstart", "wheel", "click", "dblclick"])
    addEventListener(kind, (event) => event.isTrusted && (kind !== "click" || event.detail > 0) && noteMouse(kind), true);"""


def watch_mouse(context: BrowserContext) -> list[str]:
    """What people do with mouse, pen or finger on the pages of this context from now on."""
    seen: list[str] = []
    context.expose_function("noteMouse", lambda kind: seen.append(kind))
    context.add_init_script(WATCH)
    return seen


@dataclass(frozen=True)
class Material:
    """What there is to label: proposals from the database, the published labels, and the keys of the taxonomy."""

    taxonomy: Taxonomy
    proposed: dict[Place, tuple[str, list[str]]]
    published: dict[Place, list[str]]

    def key(self, place: Place, code: str) -> str:
        """The key of a code on the desk."""
        return str(self.taxonomy.by_role[self.proposed[place][0]][code].key)


def read_material(project: Path, transcripts: list[Path], taxonomy: Taxonomy) -> Material:
    """Put together what the people of the journey know."""
    proposed = {place: (role, codes.split("|")) for place, (role, codes) in proposals(project).items()}
    published: dict[Place, list[str]] = {}
    for path in transcripts:
        turns = json.loads(path.read_text())["conversation_content"]
        tags = [codes for turn in turns for codes in turn["content"]["tags"]]
        published |= {(path.stem, position): codes for position, codes in enumerate(tags, 1)}
    return Material(taxonomy, proposed, published)


@dataclass
class Person:
    """One annotator at the keyboard. Says what was published, but at a position `trusts` divides what is proposed, or else OTH."""

    name: str
    desk: Desk
    material: Material
    trusts: int
    skips: Place
    meant: dict[Place, frozenset[str]] = field(default_factory=dict)
    pressed: list[str] = field(default_factory=list)

    def press(self, *keys: str) -> None:
        """Press keys, and remember which."""
        self.pressed += keys
        self.desk.press(*keys)

    def sign_in(self, link: str, password: str) -> None:
        """Open the one-time link and choose a password; the cursor is in the first field already."""
        self.desk.page.goto(link)
        expect(self.desk.page.get_by_label("Password")).to_be_focused()
        self.desk.type(password).press("Tab").type(password).press("Enter")
        expect(self.desk.page.get_by_role("heading", name="My conversations")).to_be_visible()

    def follow(self, link: str) -> None:
        """Go to a link by Tab and open it."""
        self.desk.tab_to(self.desk.page.get_by_role("link", name=link, exact=True)).press("Enter")

    def open(self, conversation: str) -> None:
        """From the list of conversations to one of them."""
        self.follow(conversation)
        self.desk.shows(conversation)

    def label_all(self, conversation: str, detours: dict[int, Callable[["Person", Place], None]]) -> None:
        """Label a conversation from the first utterance to the last, with a detour here and there."""
        places = [place for place in self.material.proposed if place[0] == conversation]
        for place in places:
            if place[1] in detours:
                detours[place[1]](self, place)
            self.label(place)
        self.desk.warns("All done").saved()

    def label(self, place: Place) -> None:
        """Say what is meant of one utterance with the fewest keys."""
        proposal = self.material.proposed[place][1]
        codes = (proposal or ["OTH"]) if place[1] % self.trusts == 0 else self.material.published[place]
        self.meant[place] = frozenset(codes if place != self.skips else ["skipped"])
        if place == self.skips:
            self.press("b")
        elif set(codes) == set(proposal):
            self.press("Enter")
        else:
            keys = [self.material.key(place, code) for code in codes]
            self.press(*(f"Shift+{key}" for key in keys[:-1]), keys[-1])

    def hand_in(self) -> None:
        """After the last utterance: Tab leads to the button."""
        self.desk.saved().press("Tab")
        expect(self.desk.page.get_by_role("button", name="Hand in")).to_be_focused()
        self.desk.press("Enter")
        expect(self.desk.page.get_by_role("heading", name="My conversations")).to_be_visible()


def slip_and_undo(person: Person, place: Place) -> None:
    """A wrong code, seen at once."""
    person.press("o", "u")
    person.desk.at(place[1])


def flag(person: Person, place: Place) -> None:
    """Flag the utterance before labelling it."""
    person.press("f", "Enter")


def find_by_name(person: Person, place: Place) -> None:
    """Take a code by its name from the filter, and take it back."""
    person.press("/")
    person.desk.type("others")
    person.press("Enter")
    person.desk.at(place[1] + 1).says(place[1], "OTH")
    person.press("u")


def kappa_of(table: str, a: str, b: str) -> dict[str, tuple[float, int]]:
    """Role → Cohen's kappa by scikit-learn and the number of utterances, from an exported long CSV."""
    rows = list(csv.DictReader(io.StringIO(table)))
    said: dict[str, dict[Any, str]] = {name: {} for name in (a, b)}
    for row in rows:
        if row["annotator"] in said:
            said[row["annotator"]][row["role"], row["conversation"], row["utterance"]] = "|".join(sorted(row["codes"].split("|")))
    both = sorted(said[a].keys() & said[b].keys())
    found = {}
    for role in {place[0] for place in both}:
        places = [place for place in both if place[0] == role]
        found[role] = (float(cohen_kappa_score([said[a][one] for one in places], [said[b][one] for one in places])), len(places))
    return found
