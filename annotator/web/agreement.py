"""The agreement page, and its figures as JSON and CSV: everybody's for leads and researchers, their own for annotators."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from annotator.core.agreement import Asked
from annotator.errors import BadInput
from annotator.flow import agreement, agreement_report
from annotator.flow.access import Right, agreement_view, may
from annotator.web.deps import reading
from annotator.web.render import Page, render_page

router = APIRouter()


@dataclass(frozen=True, kw_only=True)
class AgreementPage(Page):
    """The figures of all pairs that may be seen, for one round or all; `own` where they are one annotator's."""

    figures: dict[str, Any]
    rounds: list[str]
    chosen: str
    own: bool


def _figures(request: Request, round: str) -> dict[str, Any]:
    with reading(request) as (session, user):
        return agreement.report(session, agreement_view(user), Asked(round=round or None))


@router.get("/agreement")
def show(request: Request, round: str = "") -> Response:
    with reading(request) as (session, user):
        view = agreement_view(user)
        rounds = agreement.rounds_with_labels(session, view)
        try:
            figures, notice = agreement.report(session, view, Asked(round=round or None)), ""
        except BadInput as error:  # such as labels of one person in two rounds: the page lets people choose one
            figures, notice = {"pairs": []}, str(error)
    own = not may(user, Right.READ_ALL)
    page = AgreementPage(user=user, notice=notice, figures=figures, rounds=rounds, chosen=round, own=own)
    return render_page("agreement.html", page, 422 if notice else 200)


@router.get("/agreement.json")
def as_json(request: Request, round: str = "") -> Response:
    return JSONResponse(_figures(request, round), headers={"Content-Disposition": 'attachment; filename="agreement.json"'})


@router.get("/agreement.csv")
def as_csv(request: Request, round: str = "") -> Response:
    table = agreement_report.as_csv(_figures(request, round))
    return Response(table, media_type="text/csv", headers={"Content-Disposition": 'attachment; filename="agreement.csv"'})
