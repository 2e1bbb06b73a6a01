"""One round: who is how far, live; where people disagree; what waits for an answer; add to it and close it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from pydantic import BaseModel, Field
from sqlmodel import Session
from starlette.responses import JSONResponse, RedirectResponse, Response

from annotator.errors import AnnotatorError
from annotator.flow import campaign, progress_tables
from annotator.flow.access import Right, may, require
from annotator.flow.campaign import Annotator, Live, More
from annotator.flow.plan_tables import plan_csv
from annotator.flow.planning import Plan
from annotator.flow.progress import Conversed
from annotator.flow.remarks import Remark
from annotator.models import User
from annotator.web.deps import reading, writing
from annotator.web.render import Page, render_block, render_page

router = APIRouter()
PAGE = 100
_REMARKS, _CODES = 10, 20


class MoreForm(BaseModel):
    """What shall come into a round."""

    annotators: list[str] = Field(default_factory=list)
    only: str = ""
    leave_out: str = ""
    sample: str = ""
    all_others: str = ""

    def fields(self) -> list[tuple[str, str]]:
        """As a form or an address carries it."""
        return [*self.model_dump(exclude={"annotators"}).items(), *(("annotators", name) for name in self.annotators)]

    def more(self, session: Session, round_id: int) -> More:
        """What that is for this round."""
        return campaign.more_from(session, round_id, self.model_dump(exclude={"annotators"}), self.annotators)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The live part: figures of the round, and one page of its conversations."""

    live: Live
    conversations: Sequence[Conversed]
    number: int
    last: int
    codes: int = _CODES


@dataclass(frozen=True, kw_only=True)
class RoundPage(Page, Shown):
    """A round as planned and as it is; `newcomers` is whom a lead could add, `form` what they filled in for that."""

    remarks: Sequence[Remark]
    n_remarks: int
    newcomers: Sequence[Annotator]
    form: MoreForm = field(default_factory=MoreForm)


@dataclass(frozen=True, kw_only=True)
class MorePage(Page):
    """A plan of what would be added, with the form that adds it; the same page as of a new round."""

    plan: Plan
    fields: list[tuple[str, str]]
    back: str
    tables: str
    action: str
    more: bool = True
    shown: int = PAGE


@router.get("/round/{round_id}")
def show(request: Request, round_id: int, form: Annotated[MoreForm, Query()], page: int = 1) -> Response:
    with reading(request) as (session, user):
        return render_page("round.html", _page(session, user, round_id, page=page, form=form))


def _page(session: Session, user: User, round_id: int, **said: Any) -> RoundPage:
    remarks = campaign.remarks(session, user, round_id)
    newcomers = campaign.newcomers(session, user, round_id) if may(user, Right.LEAD) else []
    paged = _paged(campaign.live(session, user, round_id), said.pop("page", 1))
    return RoundPage(user=user, remarks=remarks[:_REMARKS], n_remarks=len(remarks), newcomers=newcomers, **paged, **said)


def _paged(live: Live, page: int) -> dict[str, Any]:
    found = live.progress.conversations
    last = max(1, -(-len(found) // PAGE))
    number = max(1, min(page, last))
    return {"live": live, "conversations": found[(number - 1) * PAGE : number * PAGE], "number": number, "last": last}


@router.get("/round/{round_id}/progress")
def progress(request: Request, round_id: int, page: int = 1, state: str = "") -> Response:
    with reading(request) as (session, user):
        if campaign.unchanged(session, user, round_id, state):
            return Response(status_code=204)
        live = campaign.live(session, user, round_id)
    answer = render_block("round.html", "progress", Shown(**_paged(live, page)))
    if live.progress.round.closed_at is not None:
        # What can be done stands below the live part and is as old as the page.
        answer.headers["HX-Refresh"] = "true"
    return answer


@router.get("/round/{round_id}/progress.json")
def as_json(request: Request, round_id: int) -> Response:
    with reading(request) as (session, user):
        live = campaign.live(session, user, round_id)
    return JSONResponse(progress_tables.as_dict(live.progress, live.disagreement), headers=_named(round_id, "progress.json"))


@router.get("/round/{round_id}/progress.csv")
def people(request: Request, round_id: int) -> Response:
    with reading(request) as (session, user):
        table = progress_tables.people_csv(campaign.live(session, user, round_id).progress)
    return _csv(table, round_id, "progress")


@router.get("/round/{round_id}/conversations.csv")
def conversations(request: Request, round_id: int) -> Response:
    with reading(request) as (session, user):
        table = progress_tables.conversations_csv(campaign.live(session, user, round_id).progress)
    return _csv(table, round_id, "conversations")


@router.get("/round/{round_id}/disagreement.csv")
def disagreement(request: Request, round_id: int) -> Response:
    with reading(request) as (session, user):
        table = progress_tables.disagreement_csv(campaign.live(session, user, round_id).disagreement)
    return _csv(table, round_id, "disagreement")


@router.get("/round/{round_id}/remarks.csv")
def remarks(request: Request, round_id: int) -> Response:
    with reading(request) as (session, user):
        table = progress_tables.remarks_csv(campaign.remarks(session, user, round_id))
    return _csv(table, round_id, "remarks")


@router.get("/round/{round_id}/add")
def plan(request: Request, round_id: int, form: Annotated[MoreForm, Query()]) -> Response:
    with reading(request) as (session, user):
        require(user, Right.LEAD)
        try:
            planned = campaign.plan_addition(session, user, round_id, form.more(session, round_id))
        except AnnotatorError as error:
            return _refused(session, user, round_id, form, error)
    address = urlencode(form.fields())
    here = f"/round/{round_id}"
    shown = MorePage(
        user=user,
        plan=planned,
        fields=form.fields(),
        back=f"{here}?{address}#add",
        tables=f"{here}/add.csv?{address}",
        action=f"{here}/add",
    )
    return render_page("plan.html", shown)


@router.get("/round/{round_id}/add.csv")
def plan_as_csv(request: Request, round_id: int, form: Annotated[MoreForm, Query()]) -> Response:
    with reading(request) as (session, user):
        require(user, Right.LEAD)
        planned = campaign.plan_addition(session, user, round_id, form.more(session, round_id))
    return _csv(plan_csv(planned, request.query_params.get("table", "")), round_id, "plan")


@router.post("/round/{round_id}/add")
def add(request: Request, round_id: int, form: Annotated[MoreForm, Form()]) -> Response:
    try:
        with writing(request) as (session, user):
            require(user, Right.LEAD)
            campaign.add(session, user, round_id, form.more(session, round_id))
    except AnnotatorError as error:
        with reading(request) as (session, user):
            require(user, Right.LEAD)
            return _refused(session, user, round_id, form, error)
    return RedirectResponse(f"/round/{round_id}", 303)


@router.post("/round/{round_id}/close")
def close(request: Request, round_id: int) -> Response:
    with writing(request) as (session, user):
        campaign.close(session, user, round_id)
    return RedirectResponse(f"/round/{round_id}", 303)


def _refused(session: Session, user: User, round_id: int, form: MoreForm, error: AnnotatorError) -> Response:
    return render_page("round.html", _page(session, user, round_id, form=form, notice=str(error)), error.status)


def _csv(table: str, round_id: int, name: str) -> Response:
    return Response(table, media_type="text/csv", headers=_named(round_id, f"{name}.csv"))


def _named(round_id: int, name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="round-{round_id}-{name}"'}
