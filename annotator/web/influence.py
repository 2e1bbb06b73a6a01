"""What the proposals of a round did to its labels: blind against assisted, for leads and researchers; its tables and figures as files."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from markupsafe import Markup
from pydantic import BaseModel, Field
from sqlmodel import Session
from starlette.responses import JSONResponse, Response

from annotator.core.agreement.tables import for_paper
from annotator.core.influence.pictures import figures_svg
from annotator.core.influence.shown import Question
from annotator.core.influence.tables import (
    Compared,
    all_in_one,
    annotators,
    codes,
    everybody,
    tables,
    with_model,
)
from annotator.core.table import Table
from annotator.errors import BadInput
from annotator.flow import agreement, influence, influence_report
from annotator.flow.access import Right, require, view_of
from annotator.models import User
from annotator.web.deps import reading
from annotator.web.render import Page, attached, figure_file, render_page, table_file

router = APIRouter()

Rows = dict[str, dict[str, Compared]]


class Chosen(BaseModel):
    """What an address asks for. A round that is not named is the newest with labels; `drawn` vouches for the draw of an imported one."""

    round: str = Field("", max_length=200)
    assisted: bool = False
    drawn: bool = False
    epsilon: float = Field(0.2, ge=0, le=1)

    @property
    def query(self) -> dict[str, str]:
        """It as a query."""
        flags = {name: "true" for name in ("assisted", "drawn") if getattr(self, name)}
        return {"round": self.round, **flags} | ({"epsilon": f"{self.epsilon:g}"} if self.epsilon != 0.2 else {})

    def question(self, round_name: str | None) -> Question:
        """As figures are asked for."""
        return Question(round=round_name, assisted=self.assisted, vouched=self.drawn, epsilon=self.epsilon)


Wanted = Annotated[Chosen, Query()]


@dataclass(frozen=True, kw_only=True)
class InfluencePage(Page):
    """The report of a round, None where there is none: rows of figures, sentences, tables and pictures by name.

    `people` is annotator → what → the figure, `codes` role → code → what → the figure.
    """

    chosen: Chosen
    rounds: list[str]
    report: dict[str, Any] | None = None
    rows: list[Compared] = field(default_factory=list)
    people: Rows = field(default_factory=dict)
    codes: dict[str, Rows] = field(default_factory=dict)
    with_model: str = ""
    """Which kappa with the model is to be read."""
    sentences: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    pictures: dict[str, Markup] = field(default_factory=dict)

    @property
    def files(self) -> str:
        """Where the files of its tables and figures are."""
        return "/influence"

    @property
    def query(self) -> str:
        """What was chosen, for the addresses of files."""
        return urlencode(self.chosen.query)


@router.get("/influence")
def show(request: Request, chosen: Wanted) -> Response:
    with reading(request) as (session, user):
        require(user, Right.READ_ALL)
        rounds = agreement.rounds_with_labels(session, view_of(user))
        try:
            report = _report(session, user, chosen) if rounds else None
        except BadInput as error:  # such as a round that there is not: the page lets people choose one
            return render_page("influence.html", InfluencePage(user=user, chosen=chosen, rounds=rounds, notice=str(error)), error.status)
    if report is None:
        return render_page("influence.html", InfluencePage(user=user, chosen=chosen, rounds=rounds))
    chosen = chosen.model_copy(update={"round": report["round"]["name"]})
    return render_page("influence.html", InfluencePage(user=user, chosen=chosen, rounds=rounds, report=report, **_parts(report)))


def _report(session: Session, user: User, chosen: Chosen) -> dict[str, Any]:
    """The report of the round that is chosen, or else of the newest with labels."""
    view = view_of(user)
    known = agreement.rounds_with_labels(session, view)
    return influence.report(session, view, chosen.question(chosen.round or next(iter(known), None)))


def _parts(report: dict[str, Any]) -> dict[str, Any]:
    """All that the page shows of a report."""
    of_codes = codes(report)
    return {
        "rows": everybody(report),
        "people": _by(annotators(report), "annotator"),
        "codes": {role: _by((one for one in of_codes if one.role == role), "code") for role in report["codes"]},
        "with_model": with_model(report),
        "sentences": {
            "score": influence_report.score_of(report),
            "shift": list(influence_report.shift_sentences(report)),
            "paired": influence_report.paired_sentence(report),
            "alternative": influence_report.alternative_sentence(report),
        },
        "tables": {table.name: for_paper(table) for table in tables(report)},
        # Drawn by ourselves, with all text in it escaped.
        "pictures": {name: Markup(svg) for name, svg in figures_svg(report).items()},  # noqa: S704
    }


def _by(compared: Iterable[Compared], key: str) -> Rows:
    found: Rows = defaultdict(dict)
    for one in compared:
        found[getattr(one, key)][one.what] = one
    return dict(found)


@router.get("/influence.json")
def as_json(request: Request, chosen: Wanted) -> Response:
    return JSONResponse(_read(request, chosen), headers=attached("influence.json"))


@router.get("/influence.csv")
def as_csv(request: Request, chosen: Wanted) -> Response:
    return Response(all_in_one(_read(request, chosen)).csv(), media_type="text/csv", headers=attached("influence.csv"))


@router.get("/influence/table/{name}.{suffix}")
def table(request: Request, name: str, suffix: str, chosen: Wanted) -> Response:
    return table_file(tables(_read(request, chosen)), name, suffix, "influence-")


@router.get("/influence/figure/{name}.{suffix}")
def figure(request: Request, name: str, suffix: str, chosen: Wanted) -> Response:
    return figure_file(figures_svg(_read(request, chosen)), name, suffix, "influence-")


def _read(request: Request, chosen: Chosen) -> dict[str, Any]:
    with reading(request) as (session, user):
        require(user, Right.READ_ALL)
        return _report(session, user, chosen)
