"""The agreement page for leads and researchers, and its figures as JSON and CSV."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from annotator.flow import agreement
from annotator.flow.access import Right, require, view_of
from annotator.web.deps import reading
from annotator.web.render import Page, render_page

router = APIRouter()


@dataclass(frozen=True, kw_only=True)
class AgreementPage(Page):
    """The figures of all pairs, for one round or all."""

    figures: dict[str, Any]
    rounds: list[str]
    chosen: str


def _figures(request: Request, round: str) -> tuple[Any, dict[str, Any], list[str]]:
    with reading(request) as (session, user):
        require(user, Right.READ_ALL)
        figures = agreement.report(session, view_of(user), round or None)
        return user, figures, agreement.rounds_with_labels(session)


@router.get("/agreement")
def show(request: Request, round: str = "") -> Response:
    user, figures, rounds = _figures(request, round)
    return render_page("agreement.html", AgreementPage(user=user, figures=figures, rounds=rounds, chosen=round))


@router.get("/agreement.json")
def as_json(request: Request, round: str = "") -> Response:
    return JSONResponse(_figures(request, round)[1], headers={"Content-Disposition": 'attachment; filename="agreement.json"'})


@router.get("/agreement.csv")
def as_csv(request: Request, round: str = "") -> Response:
    table = agreement.as_csv(_figures(request, round)[1])
    return Response(table, media_type="text/csv", headers={"Content-Disposition": 'attachment; filename="agreement.csv"'})
