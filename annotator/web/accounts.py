"""Sign in by one-time link, then password; sign out."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import BaseModel
from starlette.responses import RedirectResponse, Response

from annotator.errors import BadInput
from annotator.flow import accounts
from annotator.web.deps import COOKIE, database, settings_of
from annotator.web.render import Page, render_page

router = APIRouter()


@dataclass(frozen=True, kw_only=True)
class AccountsPage(Page):
    """Either a sign-in form (`token` empty) or a form to choose a password for `name`."""

    token: str = ""
    name: str = ""
    next: str = "/"


class SignInForm(BaseModel):
    """Name and password."""

    name: str
    password: str
    next: str = "/"


class PasswordForm(BaseModel):
    """A new password, typed twice."""

    password: str
    again: str


@router.get("/sign-in")
def ask(request: Request, next: str = "/") -> Response:
    return render_page("accounts.html", AccountsPage(user=None, next=_own_path(next)))


@router.post("/sign-in")
def sign_in(request: Request, form: Annotated[SignInForm, Form()]) -> Response:
    db = database(request)
    with db.reading() as session:
        accounts.check_tries(session, form.name)
        user = accounts.check_password(session, form.name, form.password)
    with db.writing() as session:
        token = accounts.sign_in(session, form.name, user, settings_of(request).sign_in_days)
    if token is None:
        notice = "Name and password do not match. Check both, or ask the lead for a new link."
        return render_page("accounts.html", AccountsPage(user=None, name=form.name, next=_own_path(form.next), notice=notice), 401)
    return _with_cookie(request, RedirectResponse(_own_path(form.next), 303), token)


@router.get("/link/{token}")
def choose_password(request: Request, token: str) -> Response:
    with database(request).reading() as session:
        owner = accounts.link_owner(session, token)
    return render_page("accounts.html", AccountsPage(user=None, token=token, name=owner.name))


@router.post("/link/{token}")
def use_link(request: Request, token: str, form: Annotated[PasswordForm, Form()]) -> Response:
    try:
        if form.password != form.again:
            raise BadInput("The two passwords differ. Type the same one twice.")
        with database(request).writing() as session:
            signed_in = accounts.use_link(session, token, form.password, settings_of(request).sign_in_days)
    except BadInput as error:
        with database(request).reading() as session:
            owner = accounts.link_owner(session, token)
        page = AccountsPage(user=None, token=token, name=owner.name, notice=str(error))
        return render_page("accounts.html", page, error.status)
    return _with_cookie(request, RedirectResponse("/", 303), signed_in)


@router.post("/sign-out")
def sign_out(request: Request) -> Response:
    with database(request).writing() as session:
        accounts.sign_out(session, request.cookies.get(COOKIE, ""))
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(COOKIE)
    return answer


def _own_path(path: str) -> str:
    """Only paths of this site: `//elsewhere` and `/\\elsewhere` are other sites to a browser."""
    return path if path.startswith("/") and path[1:2] not in ("/", "\\") and path.isprintable() else "/"


def _with_cookie(request: Request, answer: Response, token: str) -> Response:
    settings = settings_of(request)
    age = settings.sign_in_days * 24 * 3600
    answer.set_cookie(COOKIE, token, max_age=age, httponly=True, samesite="lax", secure=settings.secure)
    return answer
