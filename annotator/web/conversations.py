"""My conversations, with how far I am; and the way from the start page to what each role does first."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from annotator.flow.access import Right, may
from annotator.flow.desk import PAGE, Progress, Summary, my_conversations, my_summary
from annotator.web.deps import reading
from annotator.web.render import Page, render_page

router = APIRouter()


@dataclass(frozen=True, kw_only=True)
class ConversationsPage(Page):
    """One page of my conversations, and how far I am in all of them."""

    summary: Summary
    conversations: list[Progress]
    total: int
    number: int
    last: int


@router.get("/")
def start(request: Request) -> Response:
    with reading(request) as (_, user):
        return RedirectResponse("/review" if may(user, Right.ANNOTATE) else "/agreement", 303)


@router.get("/review")
def conversations(request: Request, page: int = 1) -> Response:
    number = max(1, min(page, 1_000_000))
    with reading(request) as (session, user):
        found, total = my_conversations(session, user, number)
        summary = my_summary(session, user)
    last = max(1, -(-total // PAGE))
    if number > last:
        return RedirectResponse(f"/review?page={last}", 303)
    shown = ConversationsPage(user=user, summary=summary, conversations=found, total=total, number=number, last=last)
    return render_page("conversations.html", shown)
