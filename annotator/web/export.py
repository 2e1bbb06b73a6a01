"""Labelled transcripts to download: everything for leads and researchers, their own labels for annotators."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from annotator.exporters import EXPORTERS
from annotator.flow.access import view_of
from annotator.flow.corpus import shown_names
from annotator.flow.export import export_file
from annotator.web.deps import reading
from annotator.web.render import Page, render_page

router = APIRouter()


@dataclass(frozen=True, kw_only=True)
class ExportPage(Page):
    """The formats, and whose labels can be had."""

    formats: list[str]
    choices: list[str]


@router.get("/export")
def show(request: Request) -> Response:
    with reading(request) as (session, user):
        view = view_of(user)
        names = list(shown_names(session, view).values())
    choices = ["all", "gold", *names] if view.gold else names
    return render_page("export.html", ExportPage(user=user, formats=list(EXPORTERS), choices=choices))


@router.get("/export/download")
def download(request: Request, format: str = "csv", labels: str = "all", raw: bool = False, repeats: bool = False) -> Response:
    folder = tempfile.TemporaryDirectory(prefix="export-")
    try:
        with reading(request) as (session, user):
            options = {"raw": raw, "repeats": repeats}
            made = export_file(session, view_of(user), Path(folder.name), format_name=format, labels=labels, **options)
    except BaseException:
        folder.cleanup()
        raise
    return FileResponse(made, filename=made.name, background=BackgroundTask(folder.cleanup))
