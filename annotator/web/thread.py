"""What is said about one utterance: beside the desk for its annotator, and on a page of its own for leads too."""

import secrets
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, RedirectResponse, Response

from annotator.flow import comments
from annotator.web.deps import ActKey, is_fragment, reading, writing
from annotator.web.render import Page, render_block, render_page

router = APIRouter()


class CommentForm(BaseModel):
    """A comment, or that all is resolved, or both."""

    body: Annotated[str, Field(max_length=2000)] = ""
    resolves: bool = False
    act_key: ActKey


@dataclass(frozen=True, kw_only=True)
class ThreadPage(Page):
    """The comments on one utterance, and a form for one more."""

    thread: comments.Thread
    act_key: str


@dataclass(frozen=True)
class ThreadFragment:
    """What the block of the comments needs."""

    thread: comments.Thread
    act_key: str


@dataclass(frozen=True)
class RemarksFragment:
    """What that block of a desk's row needs which counts them."""

    row: comments.Thread


@router.get("/review/{assignment_id}/{position}/comments")
def show(request: Request, assignment_id: int, position: int) -> Response:
    with reading(request) as (session, user):
        thread = comments.thread_of(session, user, assignment_id, position)
    if is_fragment(request):
        return _fragment(thread)
    return render_page("thread.html", ThreadPage(user=user, thread=thread, act_key=secrets.token_urlsafe(12)))


@router.post("/review/{assignment_id}/{position}/comments")
def comment(request: Request, assignment_id: int, position: int, form: Annotated[CommentForm, Form()]) -> Response:
    with writing(request) as (session, user):
        thread = comments.comment(
            session, user, assignment_id, position, body=form.body, resolves=form.resolves, act_key=form.act_key
        )
    if not is_fragment(request):
        return RedirectResponse(f"/review/{assignment_id}/{position}/comments", 303)
    if not thread.own:
        return _fragment(thread)
    counted = bytes(render_block("review.html", "remarks", RemarksFragment(row=thread)).body).decode() if thread.comments else ""
    beside = f'<div hx-swap-oob="innerHTML:#about-{position}">{counted}</div>'
    return HTMLResponse(bytes(_fragment(thread).body).decode() + beside)


def _fragment(thread: comments.Thread) -> HTMLResponse:
    return render_block("thread.html", "thread", ThreadFragment(thread=thread, act_key=secrets.token_urlsafe(12)))
