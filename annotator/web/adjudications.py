"""Rounds and their gold: how much is settled by itself, by a lead, or waits."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from annotator.flow import adjudication, queue
from annotator.flow.queue import RoundGold
from annotator.web.deps import reading, writing
from annotator.web.render import Page, render_page

router = APIRouter()


@dataclass(frozen=True, kw_only=True)
class AdjudicationsPage(Page):
    """Every round with something to settle."""

    rounds: list[RoundGold]


@router.get("/adjudication")
def show(request: Request) -> Response:
    with reading(request) as (session, user):
        found = queue.rounds(session, user)
    return render_page("adjudications.html", AdjudicationsPage(user=user, rounds=found))


@router.post("/adjudication/{round_id}/settle")
def settle(request: Request, round_id: int) -> Response:
    with writing(request) as (session, user):
        adjudication.settle_all(session, user, round_id)
    return RedirectResponse("/adjudication", 303)
