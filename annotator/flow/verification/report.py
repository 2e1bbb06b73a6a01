"""A saved report read for verifying, and what came of verifying as text."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from annotator.errors import AnnotatorError, BadInput
from annotator.flow.verification import oracles
from annotator.flow.verification.compare import Check, Verification
from annotator.flow.verification.figures import BOOK

_SHOWN = 3


def check_installed() -> None:
    """Raise `BadInput` where a library is missing, before long work."""
    oracles.versions()


def read_report(path: Path) -> dict[str, Any]:
    """A saved `agree --json`."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"), parse_constant=lambda word: _no_number(path, word))
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}. Check the path.") from error
    except ValueError as error:
        raise BadInput(f"{path.name} is not JSON: {error}. Give what `annotator agree --json` printed.") from error
    if not isinstance(report, dict):
        raise BadInput(f"{path.name} holds no report. Give what `annotator agree --json` printed.")
    return report


def _no_number(path: Path, word: str) -> float:
    raise BadInput(f"{path.name}: {word} is not a number. A figure that is undefined is null.")


def as_text(done: Verification) -> str:
    """A line per oracle, then what differs, what was not verified and by what versions all this is."""
    lines = [_summary(oracle, [check for check in done.checks if check.oracle == oracle]) for oracle in _in_order(done.checks)]
    lines += [f"  {one.where}, {one.figure}: the report says {one.ours!r}, {one.oracle} {one.theirs!r}" for one in done.different]
    for beside in dict.fromkeys(note.beside for note in done.notes):
        notes = [note for note in done.notes if note.beside == beside]
        near = sum(note.near for note in notes)
        lines.append(f"se within {notes[0].within:.0%} of that of the {beside}, as is likely and not required: {near} of {len(notes)}")
        lines += [f"  {note.where}: {note.ours:.4f}, {beside} {note.other:.4f}" for note in notes if not note.near]
    for reason, n in Counter(one.reason for one in done.not_verified).items():
        places = [f"{one.where}, {one.figure}" for one in done.not_verified if one.reason == reason]
        more = f" and {n - _SHOWN} more" if n > _SHOWN else ""
        lines += [f"Not verified, {_figures(n)}: {reason}", f"  {'; '.join(places[:_SHOWN])}{more}"]
    return "\n".join([*lines, "With " + ", ".join(f"{name} {number}" for name, number in done.versions.items())])


def _in_order(checks: Sequence[Check]) -> list[str]:
    return [name for name in (*oracles.LIBRARIES, BOOK) if any(check.oracle == name for check in checks)]


def _summary(oracle: str, checks: Sequence[Check]) -> str:
    different = sum(not check.ok for check in checks)
    ended = f"{different} {'differs' if different == 1 else 'differ'}" if different else "all equal"
    return f"{oracle}: {_figures(len(checks))}, {ended}"


def _figures(n: int) -> str:
    return f"{n} figure{'' if n == 1 else 's'}"


def refuse_if_different(done: Verification) -> None:
    """Raise `AnnotatorError` where a figure is not what it should be."""
    if n := len(done.different):
        are, them = ("is", "it") if n == 1 else ("are", "them")
        raise AnnotatorError(f"{_figures(n)} of the report {are} not what the data give; the output lists {them}.")
