"""Rounds: which there are, and a new one: fill in, see who would get what and what that can tell, make it."""

from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from pydantic import BaseModel, Field
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from annotator.errors import AnnotatorError
from annotator.flow import campaign
from annotator.flow.access import Right, may, require
from annotator.flow.campaign import Choices, Listed
from annotator.flow.plan_tables import plan_csv
from annotator.flow.planning import Plan
from annotator.flow.progress_tables import rounds_csv
from annotator.models import User
from annotator.web.deps import reading, writing
from annotator.web.render import Page, render_page

router = APIRouter()
SHOWN = 100
"""Conversations of a plan on its page; the rest is in the table to download."""


class RoundForm(BaseModel):
    """A round as filled in; shares are percentages, an empty field is left to its default."""

    name: str = ""
    annotators: list[str] = Field(default_factory=list)
    overlap: str = ""
    blind: str = ""
    repeats: str = ""
    seed: str = ""
    run: str = ""
    taxonomy: str = ""
    only: str = ""
    leave_out: str = ""
    sample: str = ""
    instructions: str = ""

    def fields(self) -> list[tuple[str, str]]:
        """Everything but the instructions, as a form or an address carries it."""
        texts = self.model_dump(exclude={"annotators", "instructions"})
        return [*texts.items(), *(("annotators", name) for name in self.annotators)]

    def plan(self, session: Session, user: User) -> Plan:
        """What it would make."""
        require(user, Right.LEAD)
        return campaign.plan(session, user, campaign.wanted_from(self.model_dump(exclude={"annotators"}), self.annotators))


@dataclass(frozen=True, kw_only=True)
class RoundsPage(Page):
    """The rounds; for leads, what a new one can be made of and the form as filled in."""

    rounds: list[Listed]
    choices: Choices | None
    form: RoundForm = field(default_factory=RoundForm)


@dataclass(frozen=True, kw_only=True)
class PlanPage(Page):
    """A plan with the form that makes the round. `back` leads to the form as filled in, `tables` to the plan as CSV."""

    plan: Plan
    fields: list[tuple[str, str]]
    back: str
    tables: str
    instructions: str = ""
    more: bool = False
    action: str = "/round"
    shown: int = SHOWN


@router.get("/round")
def show(request: Request, form: Annotated[RoundForm, Query()]) -> Response:
    filled_in = form if request.query_params else RoundForm(overlap="2", blind="20", seed="1")
    with reading(request) as (session, user):
        return render_page("rounds.html", _page(session, user, filled_in))


@router.get("/round/rounds.csv")
def as_csv(request: Request) -> Response:
    with reading(request) as (session, user):
        table = rounds_csv(campaign.list_rounds(session, user))
    return Response(table, media_type="text/csv", headers={"Content-Disposition": 'attachment; filename="rounds.csv"'})


@router.get("/round/plan")
def plan(request: Request, form: Annotated[RoundForm, Query()]) -> Response:
    with reading(request) as (session, user):
        try:
            planned = form.plan(session, user)
        except AnnotatorError as error:
            return _refused(session, user, form, error)
    address = urlencode(form.fields())
    shown = PlanPage(
        user=user,
        plan=planned,
        fields=form.fields(),
        back=f"/round?{address}#new",
        tables=f"/round/plan.csv?{address}",
    )
    return render_page("plan.html", shown)


@router.get("/round/plan.csv")
def plan_as_csv(request: Request, form: Annotated[RoundForm, Query()]) -> Response:
    with reading(request) as (session, user):
        made = plan_csv(form.plan(session, user), request.query_params.get("table", ""))
    return Response(made, media_type="text/csv", headers={"Content-Disposition": 'attachment; filename="plan.csv"'})


@router.post("/round")
def create(request: Request, form: Annotated[RoundForm, Form()]) -> Response:
    try:
        with writing(request) as (session, user):
            require(user, Right.LEAD)
            wanted = campaign.wanted_from(form.model_dump(exclude={"annotators"}), form.annotators)
            made = campaign.create(session, user, wanted)
    except AnnotatorError as error:
        with reading(request) as (session, user):
            return _refused(session, user, form, error)
    return RedirectResponse(f"/round/{made}", 303)


def _page(session: Session, user: User, form: RoundForm, notice: str = "") -> RoundsPage:
    choices = campaign.choices(session, user) if may(user, Right.LEAD) else None
    return RoundsPage(user=user, notice=notice, rounds=campaign.list_rounds(session, user), choices=choices, form=form)


def _refused(session: Session, user: User, form: RoundForm, error: AnnotatorError) -> Response:
    require(user, Right.LEAD)
    return render_page("rounds.html", _page(session, user, form, str(error)), error.status)
