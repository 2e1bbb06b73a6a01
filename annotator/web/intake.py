"""Files in through the browser: choose them, see what would come in, then import or discard."""

from dataclasses import dataclass, replace
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, UploadFile
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from annotator.errors import BadInput, Conflict
from annotator.flow import uploads
from annotator.flow.access import Right, require
from annotator.flow.intake_report import Options, Report, renames
from annotator.flow.unpacking import SentFile
from annotator.importers import IMPORTERS
from annotator.models import User
from annotator.web.deps import database, reading, writing
from annotator.web.render import Page, render_page

router = APIRouter()


class Asked(BaseModel):
    """How to read the files: the options of `annotator import`. Empty is found out, nobody, nothing."""

    format: str = ""
    as_name: str = ""
    renames: Annotated[str, Field(max_length=4000)] = ""  # it goes into an address
    unknown: Literal["skip", "error"] = "skip"

    def options(self) -> Options:
        """The options as the import wants them, or `BadInput`."""
        pairs = [line for line in self.renames.splitlines() if line.strip()]
        return Options(as_name=self.as_name.strip() or None, renamed=renames(pairs), unknown_is_error=self.unknown == "error")


class SendForm(Asked):
    """The files, and how to read them."""

    files: list[UploadFile] = []


@dataclass(frozen=True, kw_only=True)
class IntakePage(Page):
    """The form; or what would come in from the files `names` of the upload `key`; or, when `done`, what came in."""

    asked: Asked
    formats: list[str]
    key: str = ""
    names: list[str]
    report: Report | None = None
    done: bool = False


def _page(user: User, asked: Asked, key: str = "", names: list[str] | None = None) -> IntakePage:
    return IntakePage(user=user, asked=asked, formats=sorted(IMPORTERS), key=key, names=names or [])


@router.get("/import")
def ask(request: Request) -> Response:
    with reading(request) as (_, user):
        require(user, Right.LEAD)
    return render_page("intake.html", _page(user, Asked()))


@router.post("/import")
def send(request: Request, form: Annotated[SendForm, Form()]) -> Response:
    files = [SentFile(file.filename, file.file.read()) for file in form.files if file.filename]
    asked = Asked(**form.model_dump(exclude={"files"}))
    try:
        with writing(request) as (session, user):
            key = uploads.keep(session, user, files)
    except BadInput as error:
        with reading(request) as (_, user):
            page = replace(_page(user, asked), notice=str(error))
        return render_page("intake.html", page, error.status)
    return RedirectResponse(f"/import/{key}?{urlencode(asked.model_dump())}", 303)


@router.get("/import/{key}")
def preview(request: Request, key: str, asked: Annotated[Asked, Query()]) -> Response:
    page, status = _tried(request, key, asked, done=False)
    return render_page("intake.html", page, status)


@router.post("/import/{key}")
def take_in(request: Request, key: str, asked: Annotated[Asked, Form()]) -> Response:
    page, status = _tried(request, key, asked, done=True)
    return render_page("intake.html", page, status)


@router.post("/import/{key}/discard")
def discard(request: Request, key: str) -> Response:
    with writing(request) as (session, user):
        uploads.discard(session, user, key)
    return RedirectResponse("/import", 303)


def _tried(request: Request, key: str, asked: Asked, *, done: bool) -> tuple[IntakePage, int]:
    """The page with what came in, or would; or with what is wrong and the upload still there."""
    with reading(request) as (session, user):
        page = _page(user, asked, key, uploads.names(session, user, key))
    use = uploads.take_in if done else uploads.preview
    try:
        report = use(database(request), user, key, asked.format or None, asked.options())
    except (BadInput, Conflict) as error:
        return replace(page, notice=str(error)), error.status
    return replace(page, report=report, done=done), 200
