"""First pass: the runs there are, and ordering a new one: fill in, see what it would do and cost, confirm."""

from dataclasses import dataclass, field
from math import ceil
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from pydantic import BaseModel
from starlette.responses import RedirectResponse, Response

from annotator.errors import AnnotatorError
from annotator.flow import first_pass
from annotator.flow.access import Right, require
from annotator.flow.estimate import Plan
from annotator.flow.runs import Progress
from annotator.models import User
from annotator.taggers import PROVIDERS
from annotator.web.deps import reading, settings_of, writing
from annotator.web.render import Page, render_page

router = APIRouter()


class OrderForm(BaseModel):
    """A first pass as filled in; an empty field is left to the project's settings."""

    tagger: str = "local"
    model: str = ""
    thinking: str = ""
    tier: str = ""
    max_cost: str = ""
    rpm: str = ""
    price: str = ""
    on_reroute: str = ""
    only: str = ""
    leave_out: str = ""
    sample: str = ""
    threshold: str = ""
    train_on: str = ""


@dataclass(frozen=True, kw_only=True)
class TaggingPage(Page):
    """The runs, the form as filled in, and the plan of what it says."""

    runs: list[Progress]
    form: OrderForm = field(default_factory=OrderForm)
    plan: Plan | None = None
    in_the_way: str = ""
    providers: tuple[str, ...] = tuple(PROVIDERS)

    @property
    def limit(self) -> str:
        """A limit to propose: somewhat above what the run may cost."""
        if self.form.max_cost or self.plan is None or not self.plan.cost:
            return self.form.max_cost
        return f"{ceil(self.plan.cost * 125) / 100:.2f}"


@router.get("/tagging")
def show(request: Request) -> Response:
    with reading(request) as (session, user):
        return render_page("tagging.html", TaggingPage(user=user, runs=first_pass.list_progress(session, user)))


@router.get("/tagging/plan")
def plan(request: Request, form: Annotated[OrderForm, Query()]) -> Response:
    with reading(request) as (session, user):
        runs = first_pass.list_progress(session, user)
        try:
            planned, in_the_way = first_pass.plan(session, user, first_pass.order_from(settings_of(request), form.model_dump()))
        except AnnotatorError as error:
            return _refused(user, runs, form, error)
    return render_page("tagging.html", TaggingPage(user=user, runs=runs, form=form, plan=planned, in_the_way=in_the_way))


@router.post("/tagging")
def start(request: Request, form: Annotated[OrderForm, Form()]) -> Response:
    try:
        with writing(request) as (session, user):
            require(user, Right.LEAD)
            run = first_pass.start(session, user, first_pass.order_from(settings_of(request), form.model_dump()))
    except AnnotatorError as error:
        with reading(request) as (session, user):
            return _refused(user, first_pass.list_progress(session, user), form, error)
    request.app.state.runner.wake()
    return RedirectResponse(f"/tagging/{run.id}", 303)


def _refused(user: User, runs: list[Progress], form: OrderForm, error: AnnotatorError) -> Response:
    return render_page("tagging.html", TaggingPage(user=user, runs=runs, form=form, notice=str(error)), error.status)
