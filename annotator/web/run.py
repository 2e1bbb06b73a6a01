"""One run: how far it is, live; pause it, go on, ask again about what failed; where it is least certain."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse, RedirectResponse, Response

from annotator.core.calibration import probability
from annotator.core.reliability_svg import reliability_svg
from annotator.flow import first_pass
from annotator.flow.certainty import PAGE, Certainty
from annotator.flow.failures import Group
from annotator.flow.runs import Progress
from annotator.models import Calibration, Run
from annotator.web.deps import reading, writing
from annotator.web.render import Page, render_block, render_page

router = APIRouter()


class MannerForm(BaseModel):
    """What may be changed when a run goes on."""

    max_cost: str = ""
    on_reroute: str = ""


@dataclass(frozen=True, kw_only=True)
class RunPage(Page):
    """A run and one page of its conversations, the least certain first."""

    progress: Progress
    failures: Sequence[Group]
    conversations: Sequence[Certainty]
    calibration: Calibration | None
    other: Run | None
    number: int
    last: int

    def shown(self, stated: float | None) -> str:
        """A confidence as people read it: a probability where the run was calibrated, else the figure that was stated."""
        if stated is None:
            return "–"
        return f"{probability(self.calibration.knots, stated) * 100:.0f} %" if self.calibration else f"{stated:.2f}"


@dataclass(frozen=True)
class ProgressFragment:
    """What the live part of the page needs."""

    progress: Progress


@router.get("/tagging/{run_id}")
def show(request: Request, run_id: int, page: int = 1) -> Response:
    number = max(1, min(page, 1_000_000))
    with reading(request) as (session, user):
        found = first_pass.look(session, user, run_id, number)
    last = max(1, -(-found.total // PAGE))
    shown = RunPage(
        user=user,
        progress=found.progress,
        failures=found.failures,
        conversations=found.conversations,
        calibration=found.calibration,
        other=found.other,
        number=number,
        last=last,
    )
    return render_page("run.html", shown)


@router.get("/tagging/{run_id}/progress")
def progress(request: Request, run_id: int) -> Response:
    with reading(request) as (session, user):
        found = first_pass.progress(session, user, run_id)
    answer = render_block("run.html", "progress", ProgressFragment(progress=found))
    if not found.is_live:
        # What stands below the live part is as old as the page.
        answer.headers["HX-Refresh"] = "true"
    return answer


@router.get("/tagging/{run_id}/run.json")
def as_json(request: Request, run_id: int) -> Response:
    with reading(request) as (session, user):
        found = first_pass.progress(session, user, run_id)
    return JSONResponse(found.as_dict(), headers=_named(f"run-{run_id}.json"))


@router.get("/tagging/{run_id}/failures.csv")
def failures(request: Request, run_id: int) -> Response:
    with reading(request) as (session, user):
        table = first_pass.failures_csv(session, user, run_id)
    return Response(table, media_type="text/csv", headers=_named(f"run-{run_id}-failures.csv"))


@router.get("/tagging/{run_id}/conversations.csv")
def conversations(request: Request, run_id: int) -> Response:
    with reading(request) as (session, user):
        table = first_pass.conversations_csv(session, user, run_id)
    return Response(table, media_type="text/csv", headers=_named(f"run-{run_id}-conversations.csv"))


@router.get("/tagging/{run_id}/reliability.svg")
def reliability(request: Request, run_id: int) -> Response:
    with reading(request) as (session, user):
        found = first_pass.calibrated(session, user, run_id)
    return Response(reliability_svg(found.figures["bins_before"], found.figures["bins_after"]), media_type="image/svg+xml")


@router.post("/tagging/{run_id}/pause")
def pause(request: Request, run_id: int) -> Response:
    with writing(request) as (session, user):
        first_pass.pause(session, user, run_id)
    return _back(run_id)


@router.post("/tagging/{run_id}/resume")
def resume(request: Request, run_id: int, form: Annotated[MannerForm, Form()]) -> Response:
    with writing(request) as (session, user):
        first_pass.go_on(session, user, run_id, form.model_dump())
    request.app.state.runner.wake()
    return _back(run_id)


@router.post("/tagging/{run_id}/retry")
def retry(request: Request, run_id: int) -> Response:
    with writing(request) as (session, user):
        first_pass.retry(session, user, run_id)
    request.app.state.runner.wake()
    return _back(run_id)


def _back(run_id: int) -> Response:
    return RedirectResponse(f"/tagging/{run_id}", 303)


def _named(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
