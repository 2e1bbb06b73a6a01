"""The desk: one conversation, its proposals, and every act on it as a form that a script can send too."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from html import escape
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request
from pydantic import BaseModel, Field
from sqlmodel import Session
from starlette.responses import HTMLResponse, RedirectResponse, Response

from annotator.core.taxonomy import Code
from annotator.errors import Outdated
from annotator.flow import desk, review
from annotator.flow.acts import MARKS, Act, Asked
from annotator.flow.finding import LOW
from annotator.flow.rows import Row
from annotator.models import User
from annotator.web.deps import ActKey, is_fragment, reading, writing
from annotator.web.render import Page, render_blocks, render_page

router = APIRouter()


class ActForm(BaseModel):
    """One act. `act_key` is made by the page, once per act, so that sending it twice saves it once. See `Asked` for the rest."""

    act: Act = Act.LABEL
    codes: list[str] = []
    act_key: ActKey
    seen: list[str] = []
    """At most one. An empty text must be told from a missing field, which a plain text field would not do."""
    seconds: Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)] | None = None
    reason: Annotated[str, Field(max_length=500)] = ""

    @property
    def asked(self) -> Asked:
        """The act as the use case takes it."""
        return Asked(
            act=self.act,
            act_key=self.act_key,
            codes=tuple(self.codes),
            seen=self.seen[-1] if self.seen else None,
            seconds=self.seconds,
            reason=self.reason,
        )


class UndoForm(BaseModel):
    """Take back the newest act, or the one with the key `target`."""

    act_key: ActKey
    target: str = ""


class HandInForm(BaseModel):
    """Hand in; `with_open` says that some utterances may stay open."""

    with_open: bool = False


NOTHING_NEXT = {
    "open": "Nothing else is open in your conversations.",
    "low": "No other proposal in your conversations is uncertain.",
    "flagged": "Nothing else is flagged in your conversations.",
    "differs": "Nowhere else in your conversations does your label differ from the proposal.",
    "discuss": "Nothing else in your conversations is to be discussed.",
}
"""What to say where there is no next place, by what was looked for (`flow/finding.py`)."""


@dataclass(frozen=True, kw_only=True)
class ReviewPage(Page):
    """One conversation with the utterance at `at` in focus; `built` is the label being put together without script."""

    desk: desk.Desk
    at: int
    built: tuple[str, ...]
    act_key: str
    open_positions: tuple[int, ...] = ()
    low: float = LOW

    def by_category(self, role: str) -> dict[str, list[Code]]:
        """The codes of a role, grouped as the paper discusses them."""
        groups: dict[str, list[Code]] = {}
        for code in self.desk.taxonomy.by_role.get(role, {}).values():
            groups.setdefault(code.category, []).append(code)
        return groups


@dataclass(frozen=True)
class RowFragment:
    """What one utterance's block needs."""

    row: Row
    at: int


@router.post("/review/undo")
def undo(request: Request, form: Annotated[UndoForm, Form()]) -> Response:
    try:
        with writing(request) as (session, user):
            undone = review.undo(session, user, act_key=form.act_key, target=form.target or None)
    except Outdated as error:
        return _outdated(request, error)
    if is_fragment(request):
        return _rows(undone.rows)
    return _to(undone.row.assignment_id, undone.row.position)


@router.post("/review/{assignment_id}/hand-in")
def hand_in(request: Request, assignment_id: int, form: Annotated[HandInForm, Form()]) -> Response:
    with writing(request) as (session, user):
        outcome = review.hand_in(session, user, assignment_id, with_open=form.with_open)
        if outcome.handed_in:
            return RedirectResponse("/review", 303)
        opened = desk.open_desk(session, user, assignment_id)
    page = replace(_page(user, opened, outcome.open_positions[0]), notice=outcome.sentence, open_positions=outcome.open_positions)
    return render_page("review.html", page, 409)


@router.post("/review/{assignment_id}/reopen")
def reopen(request: Request, assignment_id: int) -> Response:
    with writing(request) as (session, user):
        review.reopen(session, user, assignment_id)
    return RedirectResponse(f"/review/{assignment_id}", 303)


@router.post("/review/{assignment_id}/{position}")
def act(
    request: Request, assignment_id: int, position: int, form: Annotated[ActForm, Form()], stay: bool = False
) -> Response:
    try:
        with writing(request) as (session, user):
            saved = _act(session, user, assignment_id, position, form.asked)
    except Outdated as error:
        return _outdated(request, error)
    if is_fragment(request):
        return _rows(saved)
    if stay:
        return _to(assignment_id, position, *(f"&built={quote(code, safe='')}" for code in saved[-1].codes))
    return _to(assignment_id, position if form.act in MARKS else saved[-1].position + 1)


def _act(session: Session, user: User, assignment_id: int, position: int, asked: Asked) -> tuple[Row, ...]:
    if asked.act == Act.CONFIRM_TURN:
        return review.confirm_turn(session, user, assignment_id, position, asked)
    return (review.decide(session, user, assignment_id, position, asked),)


def _outdated(request: Request, error: Outdated) -> Response:
    """A refusal of an act by a page that is not up to date: what stands, and the sentence; nothing was changed."""
    if is_fragment(request):
        blocks = bytes(_rows(error.rows).body).decode()
        return HTMLResponse(f'<p class="conflict">{escape(str(error))}</p>{blocks}', error.status)
    row = error.rows[0]
    with reading(request) as (session, user):
        opened = desk.open_desk(session, user, row.assignment_id)
    return render_page("review.html", replace(_page(user, opened, row.position), notice=str(error)), error.status)


@router.get("/review/{assignment_id}")
def show(
    request: Request, assignment_id: int, at: int = 0, built: Annotated[tuple[str, ...], Query()] = (), none: str = ""
) -> Response:
    with reading(request) as (session, user):
        opened = desk.open_desk(session, user, assignment_id)
    return render_page("review.html", replace(_page(user, opened, at, built), notice=NOTHING_NEXT.get(none, "")))


def _page(user: User, opened: desk.Desk, at: int, built: tuple[str, ...] = ()) -> ReviewPage:
    rows = opened.rows
    first_open = next((row.position for row in rows if row.state == "open"), rows[0].position)
    at = at if 1 <= at <= len(rows) else first_open
    known = opened.taxonomy.by_role.get(rows[at - 1].role, {})
    return ReviewPage(
        user=user, desk=opened, at=at, built=tuple(code for code in built if code in known), act_key=secrets.token_urlsafe(12)
    )


@router.get("/review/{assignment_id}/hand-in")
def back(assignment_id: int) -> Response:
    """Where a reload of the answer to an incomplete hand-in leads."""
    return RedirectResponse(f"/review/{assignment_id}", 303)


@router.get("/review/{assignment_id}/{position}")
def row(request: Request, assignment_id: int, position: int) -> Response:
    """One utterance as it stands: what the desk shows again after a refused act."""
    with reading(request) as (session, user):
        opened = desk.open_desk(session, user, assignment_id)
    return _rows([opened.row(position)])


@router.post("/review/{assignment_id}/{position}/reason")
def reason(request: Request, assignment_id: int, position: int) -> Response:
    with writing(request) as (session, user):
        # htmx puts the answer into the page as HTML, and a reason may quote a transcript.
        return HTMLResponse(escape(review.open_reason(session, user, assignment_id, position)))


def _rows(rows: Iterable[Row]) -> HTMLResponse:
    """The utterances' blocks of the desk, one after the other."""
    return render_blocks("review.html", "utterance", (RowFragment(row=row, at=0) for row in rows))


def _to(assignment_id: int, position: int, *more: str) -> Response:
    return RedirectResponse(f"/review/{assignment_id}?at={position}{''.join(more)}#u{position}", 303)
