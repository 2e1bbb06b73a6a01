"""People: who there is, one-time links for them, and no way in any more. A link is shown once, in the answer that made it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import BaseModel
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from annotator.errors import BadInput, Conflict
from annotator.flow import users
from annotator.flow.accounts import LINK_DAYS
from annotator.models import Role, User
from annotator.web.deps import reading, settings_of, writing
from annotator.web.render import Page, render_page

router = APIRouter()


class PersonForm(BaseModel):
    """Whom it is about; the role counts for somebody new only."""

    name: str = ""
    role: Role = Role.ANNOTATOR


@dataclass(frozen=True, kw_only=True)
class UsersPage(Page):
    """Everybody; right after it was made, the one-time link of `name`; and what stands in the form."""

    people: list[users.Person]
    roles: list[Role]
    name: str = ""
    role: Role = Role.ANNOTATOR
    link: str = ""
    days: int = LINK_DAYS


@router.get("/users")
def show(request: Request) -> Response:
    with reading(request) as (session, user):
        people = users.people(session, user)
    return render_page("users.html", UsersPage(user=user, people=people, roles=list(Role)))


@router.post("/users")
def add(request: Request, form: Annotated[PersonForm, Form()]) -> Response:
    return _with_link(request, form, lambda session, user: users.add(session, user, form.name, form.role))


@router.post("/users/link")
def give_link(request: Request, form: Annotated[PersonForm, Form()]) -> Response:
    return _with_link(request, form, lambda session, user: users.give_link(session, user, form.name))


@router.get("/users/link")
def back() -> Response:
    """Where a reload of the page with a link leads; the link is not shown again."""
    return RedirectResponse("/users", 303)


@router.post("/users/disable")
def disable(request: Request, form: Annotated[PersonForm, Form()]) -> Response:
    with writing(request) as (session, user):
        users.disable(session, user, form.name)
    return RedirectResponse("/users", 303)


def _with_link(request: Request, form: PersonForm, make: Callable[[Session, User], str]) -> Response:
    """The page with the new link on it. Its token is in this answer only: in no address, and in the database as a hash."""
    link = notice = ""
    status = 200
    try:
        with writing(request) as (session, user):
            link = f"{settings_of(request).base_url.rstrip('/')}/link/{make(session, user)}"
    except (BadInput, Conflict) as error:
        notice, status = str(error), error.status
    with reading(request) as (session, user):
        people = users.people(session, user)
    page = UsersPage(user=user, notice=notice, people=people, roles=list(Role), name=form.name, role=form.role, link=link)
    return render_page("users.html", page, status)
