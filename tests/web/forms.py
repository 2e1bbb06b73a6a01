"""Reads a page as a browser without script does: finds the forms that show, fills them in and submits them."""

import html
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

from fastapi.testclient import TestClient
from httpx2 import Response

Attributes = dict[str, str]


@dataclass
class Button:
    """A submit button; `label` is what a screen reader says, without the key hint."""

    attributes: Attributes
    label: str = ""

    @property
    def names(self) -> set[str]:
        """What a test may call it: the label, or its first word (a code's buttons are called by their code)."""
        label = self.attributes.get("aria-label") or " ".join(self.label.split())
        return {label, label.split(" ")[0]}


@dataclass
class Option:
    """One choice of the field `name`; without a value its text is sent."""

    name: str
    attributes: Attributes
    text: str = ""

    @property
    def value(self) -> str:
        return self.attributes.get("value", self.text)


@dataclass
class Form:
    """A form with the fields it would send, its boxes that are not ticked, and its buttons."""

    attributes: Attributes
    fields: list[tuple[str, str]] = field(default_factory=list)
    boxes: list[str] = field(default_factory=list)
    buttons: list[Button] = field(default_factory=list)
    options: list[Option] = field(default_factory=list)


class Reader(HTMLParser):
    """Collects what a browser would offer: forms that are not hidden, links, texts, and every tag."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, Attributes]] = []
        self.text = ""
        self._form: Form | None = None
        self._button: Button | None = None
        self._option: Option | None = None
        self._select = self._textarea = ""
        self._in_key = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.tags.append((tag, attributes))
        if tag == "form":
            self._form = Form(attributes)
        elif tag == "a":
            self.links.append(attributes.get("href", ""))
        elif tag == "kbd":
            self._in_key = True
        elif self._form is not None:
            self._field(self._form, tag, attributes)

    def _field(self, form: Form, tag: str, attributes: Attributes) -> None:
        if tag == "input" and attributes.get("type") == "checkbox" and "checked" not in attributes:
            form.boxes.append(attributes["name"])
        elif tag == "input" and "name" in attributes:
            form.fields.append((attributes["name"], attributes.get("value", "")))
        elif tag == "button":
            self._button = Button(attributes)
            form.buttons.append(self._button)
        elif tag == "select":
            self._select = attributes["name"]
        elif tag == "textarea":
            self._textarea = attributes["name"]
            form.fields.append((self._textarea, ""))
        elif tag == "option":
            self._option = Option(self._select, attributes)
            form.options.append(self._option)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._form is not None:
            if "hidden" not in self._form.attributes:
                self.forms.append(self._form)
            self._form = None
        elif tag == "button":
            self._button = None
        elif tag == "kbd":
            self._in_key = False
        elif tag == "option":
            self._option = None
        elif tag == "textarea":
            self._textarea = ""
        elif tag == "select" and self._form is not None:
            self._choose(self._form)

    def _choose(self, form: Form) -> None:
        """A browser sends the selected option, else the first."""
        options = [one for one in form.options if one.name == self._select]
        options.sort(key=lambda one: "selected" not in one.attributes)
        form.fields.append((self._select, options[0].value if options else ""))

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._option is not None:
            self._option.text += data
        if self._textarea and self._form is not None:
            name, before = self._form.fields.pop()
            self._form.fields.append((name, before + data))
        if self._button is not None and not self._in_key:
            self._button.label += data


def text(page: Response) -> str:
    """What stands on a page, on one line."""
    return " ".join(Reader(page.text).text.split())


def cells(page: Response) -> str:
    """What stands on a page, on one line, with a space between any two elements: for tables and lists of facts."""
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", page.text)).split())


def attributes_of(page: Response, tag: str, **wanted: str) -> Attributes:
    """The attributes of the first such tag."""
    tags = (attributes for name, attributes in Reader(page.text).tags if name == tag)
    return next(attributes for attributes in tags if wanted.items() <= attributes.items())


def row(page: Response, position: int) -> Attributes:
    """The attributes of one utterance on the desk."""
    return attributes_of(page, "article", id=f"u{position}")


def buttons(page: Response) -> set[str]:
    """What can be pressed on a page."""
    return {name for form in Reader(page.text).forms for button in form.buttons for name in button.names}


def press(browser: TestClient, page: Response, button: str, headers: dict[str, str] | None = None, **filled: str) -> Response:
    """Submit the form that holds the button, with its hidden fields and what is filled in."""
    found = [(form, one) for form in Reader(page.text).forms for one in form.buttons if button in one.names]
    assert found, f"There is no button {button!r} on {page.url}, only {sorted(buttons(page))}."
    form, pressed = found[0]
    unknown = set(filled) - {name for name, _ in form.fields} - set(form.boxes)
    assert not unknown, f"The form of {button!r} has no field {unknown}."
    fields = [(name, filled.get(name, value)) for name, value in form.fields]
    fields += [(name, filled[name]) for name in form.boxes if name in filled]
    if "name" in pressed.attributes:
        fields.append((pressed.attributes["name"], pressed.attributes.get("value", "")))
    target = urljoin(str(page.url), pressed.attributes.get("formaction") or form.attributes.get("action", ""))
    method = pressed.attributes.get("formmethod") or form.attributes.get("method", "get")
    return _submit(browser, method, target, fields, headers)


def _submit(browser: TestClient, method: str, target: str, fields: list[tuple[str, str]], headers: dict[str, str] | None) -> Response:
    values: dict[str, Any] = {}
    for name, value in fields:
        values.setdefault(name, []).append(value)
    if method == "post":
        return browser.post(target, data=values, headers=headers)
    return browser.get(target, params=values, headers=headers)


def follow(browser: TestClient, answer: Response) -> Response:
    """The page an answer sends to."""
    assert answer.status_code == 303, f"{answer.status_code}: {text(answer)}"
    return browser.get(answer.headers["location"])


def hand_in_as_it_is(browser: TestClient, desk: str) -> Response:
    """Hand a conversation in with whatever is open."""
    refused = press(browser, browser.get(desk), "Hand in")
    return press(browser, refused, next(name for name in buttons(refused) if name.startswith("Hand in with")))
