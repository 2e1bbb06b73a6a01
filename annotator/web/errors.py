"""Every refusal as a sentence: a page for people, a fragment for the desk, JSON for programs."""

from dataclasses import dataclass
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import IntegrityError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from annotator.errors import AnnotatorError, BadInput, Conflict, NotFound, NotSignedIn
from annotator.web.deps import is_fragment
from annotator.web.render import Page, render_page


@dataclass(frozen=True, kw_only=True)
class ErrorPage(Page):
    """A sentence and its status."""

    status: int
    sentence: str


def show(request: Request, error: AnnotatorError) -> Response:
    """Render one error the way it was asked for. It may quote what was sent, and that may hold characters that are no text."""
    sentence = str(error).encode(errors="replace").decode()
    if is_fragment(request):
        return PlainTextResponse(sentence, error.status)
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"error": sentence}, error.status)
    if isinstance(error, NotSignedIn) and request.method == "GET":
        return RedirectResponse(f"/sign-in?next={quote(_path(request))}", 303)
    return render_page("error.html", ErrorPage(user=None, status=error.status, sentence=sentence), error.status)


def _path(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def add_handlers(app: FastAPI) -> None:
    """Translate what frameworks raise into our own errors, and show those."""

    @app.exception_handler(AnnotatorError)
    def ours(request: Request, error: AnnotatorError) -> Response:
        return show(request, error)

    @app.exception_handler(RequestValidationError)
    def malformed(request: Request, error: RequestValidationError) -> Response:
        names = ", ".join(sorted({str(one["loc"][-1]) for one in error.errors()}))
        return show(request, BadInput(f"The form is incomplete or wrong at: {names}. Go back, reload the page and try again."))

    @app.exception_handler(IntegrityError)
    def twice(request: Request, error: IntegrityError) -> Response:
        return show(request, Conflict("This was saved already in another way. Reload the page to see what stands."))

    @app.exception_handler(OverflowError)
    def too_large(request: Request, error: OverflowError) -> Response:
        # A number in the address that no database column holds.
        return show(request, NotFound("There is no such page. Go back to the start."))

    @app.exception_handler(UnicodeEncodeError)
    def no_text(request: Request, error: UnicodeEncodeError) -> Response:
        # Half a character, as some encodings of a form can bring one: neither the database nor a page can hold it.
        return show(request, BadInput("The form holds characters that are no text. Type them anew and send it again."))

    @app.exception_handler(HTTPException)
    def framework(request: Request, error: HTTPException) -> Response:
        sentence = "There is no such page. Go back to the start." if error.status_code == 404 else f"{error.detail}."
        known = NotFound(sentence)
        known.status = error.status_code
        return show(request, known)
