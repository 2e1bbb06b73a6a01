"""Labelled transcripts out: what a view covers, in one format, put in its place only when all of it is written."""

import shutil
import tempfile
from pathlib import Path

from sqlmodel import Session

from annotator.errors import BadInput
from annotator.exporters import EXPORTERS, exporter
from annotator.exporters.base import Exporter
from annotator.flow.access import View
from annotator.flow.corpus import export_records


def export_to(
    session: Session,
    view: View,
    path: Path,
    *,
    format_name: str | None = None,
    labels: str = "all",
    raw: bool = False,
    repeats: bool = False,
) -> None:
    """Write to `path`: a file is replaced as a whole, a folder must be new or empty."""
    chosen = exporter(format_name or _format_of(path))
    if not path.parent.is_dir():
        raise BadInput(f"{path.parent} is not a folder. Make it first.")
    if not chosen.suffix and path.exists() and (path.is_file() or any(path.iterdir())):
        raise BadInput(f"{path} exists already and is not an empty folder. Choose a new name for the export.")
    if chosen.suffix and path.is_dir():
        example = path / f"export{chosen.suffix}"
        raise BadInput(f"{path} is a folder; the {chosen.name} format is one file. Give a file name such as {example}.")
    with tempfile.TemporaryDirectory(prefix=".export-", dir=path.parent) as folder:
        made = Path(folder) / "export"
        _write(session, view, chosen, made, labels=labels, raw=raw, repeats=repeats)
        if path.is_dir():
            path.rmdir()
        made.replace(path)


def export_file(
    session: Session, view: View, folder: Path, *, format_name: str, labels: str = "all", raw: bool = False, repeats: bool = False
) -> Path:
    """Write one file into `folder` for downloading; formats that are folders become a zip."""
    chosen = exporter(format_name)
    made = folder / f"{chosen.name}-{labels if labels in ('all', 'gold') else 'labels'}{chosen.suffix}"
    _write(session, view, chosen, made, labels=labels, raw=raw, repeats=repeats)
    return made if chosen.suffix else Path(shutil.make_archive(str(made), "zip", made))


def _write(session: Session, view: View, chosen: Exporter, path: Path, *, labels: str, raw: bool, repeats: bool) -> None:
    if repeats and not chosen.holds_repeats:
        able = " or ".join(name for name, one in EXPORTERS.items() if one.holds_repeats)
        raise BadInput(f"The {chosen.name} format cannot tell repeats from first labels. Export them as {able}.")
    chosen.write(export_records(session, view, labels, repeats=repeats), path, raw=raw, repeats=repeats)


def _format_of(path: Path) -> str:
    """The format a path's ending asks for."""
    found = [name for name, one in EXPORTERS.items() if one.suffix and path.suffix.lower() == one.suffix]
    if not found:
        raise BadInput(f"{path.name} does not end in .csv or .jsonl, so say what to write: --format {'|'.join(EXPORTERS)}.")
    return found[0]
