"""README and docs say what is true: every command, option, make target, file and setting they name exists."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from annotator.cli import app
from annotator.settings import Settings

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMANDS: Any = typer.main.get_command(app)


def blocks(text: str) -> list[str]:
    """The fenced code blocks."""
    return re.findall(r"^```[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands(path: Path) -> list[list[str]]:
    """Every `annotator …` of a page, in code blocks and inline, as words; comments are left out."""
    text = path.read_text(encoding="utf-8")
    lines = [line.strip().removeprefix("$ ") for block in blocks(text) for line in block.splitlines()]
    lines += re.findall(r"`(annotator [^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    found = [shlex.split(line, comments=True) for line in lines if re.match(r"(\S*/)?annotator ", line)]
    return [words[1:] for words in found]


def wrong(words: list[str]) -> str:
    """What is wrong with a command line, or nothing."""
    command, path = COMMANDS, []
    while hasattr(command, "commands"):
        if not words or words[0] not in command.commands:
            return f"annotator {' '.join(path)} has no command {words[:1]}"
        path.append(words[0])
        command, words = command.commands[words[0]], words[1:]
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
    unknown = [word for word in words if word.startswith("-") and word.partition("=")[0] not in known]
    return f"annotator {' '.join(path)} has no {', '.join(unknown)}" if unknown else ""


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_command_on_a_page_exists_with_its_options(path: Path) -> None:
    assert [sentence for words in commands(path) if (sentence := wrong(words))] == []


def test_a_wrong_command_would_be_noticed() -> None:
    assert wrong(["tagg"])
    assert wrong(["user", "remove", "ana"])
    assert wrong(["stats", "--xml"]) == "annotator stats has no --xml"
    assert not wrong(["round", "create", "first", "--annotators=ana,ben"])


def test_the_readme_begins_with_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [word in text for word in ("make demo", "make test")] == [True, True]
    assert len(commands(ROOT / "README.md")) > 10


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_make_target_on_a_page_exists(path: Path) -> None:
    named = set(re.findall(r"(?:`|^\$? ?)make ([a-z]+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    assert named <= set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_to_it(path: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (path.parent / link).exists()] == []


def test_every_setting_is_documented_and_named_as_it_is() -> None:
    told = "\n".join(path.read_text(encoding="utf-8") for path in PAGES)
    assert [name for name in Settings.model_fields if not re.search(rf"\b({name}|ANNOTATOR_{name.upper()})\b", told)] == []
    assert {name.lower() for name in re.findall(r"ANNOTATOR_([A-Z_]+)\b", told)} - {"chromium"} <= set(Settings.model_fields)


def test_every_command_says_what_it_does() -> None:
    waiting = [COMMANDS]
    while waiting:
        command = waiting.pop()
        assert command.help
        waiting += getattr(command, "commands", {}).values()
