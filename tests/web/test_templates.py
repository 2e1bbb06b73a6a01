"""Templates as a whole: they compile, are small, hold no code, and get typed contexts; errors read well in all four places."""

import ast
import dataclasses
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from jinja2 import StrictUndefined, UndefinedError
from starlette.responses import Response

from annotator import errors
from annotator.errors import AnnotatorError
from annotator.paths import PACKAGE, shipped
from annotator.web import app  # noqa: F401 (every screen's page is a subclass once it is imported)
from annotator.web.errors import add_handlers
from annotator.web.render import Page, figure, percent, render_block, templates

from .forms import Reader, text

NAMES = sorted(templates().list_templates())
SENTENCE = "Line 3: “<b>” & 'x' cannot be read. Write it again."


def source(name: str) -> str:
    return (shipped("templates") / name).read_text(encoding="utf-8")


def every(kind: type[AnnotatorError] = AnnotatorError) -> list[type[AnnotatorError]]:
    return [kind, *(below for one in kind.__subclasses__() for below in every(one))]


# templates


@pytest.mark.parametrize("name", NAMES)
def test_a_template_compiles_and_is_short(name: str) -> None:
    templates().get_template(name)
    assert len(source(name).splitlines()) <= 200


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("base.html", "macros.html")])
def test_a_page_has_a_title_and_a_main_part(name: str) -> None:
    assert 'extends "base.html"' in source(name).splitlines()[0]
    assert {"title", "main"} <= set(templates().get_template(name).blocks)


@pytest.mark.parametrize("name", NAMES)
def test_a_template_holds_no_code_no_style_and_nothing_unescaped(name: str) -> None:
    plain = re.sub(r"\{[%{#].*?[%}#]\}", "", source(name), flags=re.DOTALL)
    for tag, attributes in Reader(plain).tags:
        assert not [one for one in attributes if one.startswith(("on", "hx-on", "hx-vals")) or one == "style"]
        assert tag != "style"
        assert tag != "script" or attributes.get("src", "").startswith("/static/")
        assert not attributes.get("href", "").startswith(("http", "//", "javascript"))
    assert not re.search(r"\|\s*safe|autoescape|Markup", source(name))


def test_nothing_undefined_is_printed() -> None:
    assert (templates().undefined, templates().autoescape) == (StrictUndefined, True)
    with pytest.raises(UndefinedError):
        templates().from_string("{{ nothing }}").render()


@pytest.mark.parametrize(
    "name",
    ["agreement", "accounts", "conversations", "error", "export", "intake", "plan", "review", "round", "rounds", "taxonomy", "users"],
)
def test_a_page_needs_what_its_context_has(name: str) -> None:
    with pytest.raises((UndefinedError, TypeError)):
        templates().get_template(f"{name}.html").render(user=None, page=Page(user=None))


def test_figures_and_probabilities_read_as_people_read_them() -> None:
    assert [percent(value) for value in (None, 0.0, 0.714, 1.0)] == ["", "0 %", "71 %", "100 %"]
    assert [figure(value) for value in (None, 0.0, 0.6364, -0.5)] == ["undefined", "0.00", "0.64", "-0.50"]


# contexts


@pytest.mark.parametrize("page", Page.__subclasses__(), ids=lambda page: page.__name__)
def test_a_context_is_a_frozen_dataclass_with_a_docstring(page: type[Page]) -> None:
    assert dataclasses.is_dataclass(page)
    assert page.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert page.__doc__
    assert not page.__doc__.startswith(f"{page.__name__}(")


def calls(path: Path, function: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function:
            yield node


def test_every_page_template_is_rendered_by_its_screen() -> None:
    rendered = {call.args[0].value for path in (PACKAGE / "web").glob("*.py") for call in calls(path, "render_page")}  # type: ignore[attr-defined]
    assert rendered == set(NAMES) - {"base.html", "macros.html"}


def test_every_fragment_is_a_named_block_of_its_page() -> None:
    paths = sorted((PACKAGE / "web").glob("*.py"))
    found = [call for path in paths for name in ("render_block", "render_blocks") for call in calls(path, name) if path.stem != "render"]
    assert found
    for call in found:
        name, block = (argument.value for argument in call.args[:2])  # type: ignore[attr-defined]
        assert block in templates().get_template(name).blocks


def test_a_block_outside_its_page_needs_its_own_context() -> None:
    with pytest.raises(UndefinedError):
        render_block("taxonomy.html", "code", Page(user=None))


# errors, four ways


@pytest.fixture
def raising() -> Callable[[type[Exception]], TestClient]:
    """A browser of an application whose only page raises."""

    def make(kind: type[Exception]) -> TestClient:
        application = FastAPI()
        add_handlers(application)

        @application.get("/")
        def page(request: Request) -> Response:
            raise kind(SENTENCE)

        return TestClient(application, follow_redirects=False)

    return make


Raising = Callable[[type[Exception]], TestClient]
SHOWN = [kind for kind in every() if kind is not errors.NotSignedIn]


@pytest.mark.parametrize("kind", SHOWN)
def test_an_error_is_a_page(kind: type[AnnotatorError], raising: Raising) -> None:
    page = raising(kind).get("/")
    assert page.status_code == kind.status
    assert (SENTENCE in text(page), "<b>" in page.text) == (True, False)
    assert "/" in Reader(page.text).links


@pytest.mark.parametrize("kind", every())
def test_an_error_is_a_fragment(kind: type[AnnotatorError], raising: Raising) -> None:
    answer = raising(kind).get("/", headers={"hx-request": "true"})
    assert (answer.status_code, answer.text) == (kind.status, SENTENCE)
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("kind", every())
def test_an_error_is_json(kind: type[AnnotatorError], raising: Raising) -> None:
    answer = raising(kind).get("/", headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()) == (kind.status, {"error": SENTENCE})


def test_an_error_is_a_line_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from annotator.cli import main

    with pytest.raises(SystemExit) as ended:
        main(["stats", "--project", str(tmp_path / "none")])
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (1, "")
    assert re.fullmatch(r"annotator: .* is no project folder: .*\n", said.err)


def test_every_kind_of_error_is_drawn_with_its_status() -> None:
    drawn = {name: int(status) for name, status in re.findall(r"(\w+) +(\d{3})\b", errors.__doc__ or "")}
    assert drawn == {kind.__name__: kind.status for kind in every()}


def test_a_wrong_address_and_a_wrong_method_are_sentences(alice: TestClient) -> None:
    assert "There is no such page. Go back to the start." in text(alice.get("/nowhere"))
    assert alice.put("/review", headers={"accept": "application/json"}).json() == {"error": "Method Not Allowed."}
