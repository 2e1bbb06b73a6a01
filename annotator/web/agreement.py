"""The agreement page, its tables, figures and methods paragraph: everybody's for leads and researchers, their own for annotators."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from markupsafe import Markup
from pydantic import BaseModel, Field
from sqlmodel import Session
from starlette.responses import JSONResponse, Response

from annotator.core.agreement import Asked, if_merged
from annotator.core.agreement.methods import methods
from annotator.core.agreement.pictures import figures_svg
from annotator.core.agreement.tables import cautions, for_paper, tables
from annotator.core.table import Table
from annotator.errors import BadInput
from annotator.flow import agreement, agreement_report
from annotator.flow.access import Right, View, agreement_view, may, require
from annotator.flow.agreement_facts import facts_of
from annotator.web.deps import is_fragment, reading, settings_of
from annotator.web.render import Page, attached, figure_file, render_block, render_page, table_file

router = APIRouter()


class Chosen(BaseModel):
    """What an address asks for: "" is all, a round that is not named is the newest on the page, and all of them in files."""

    round: str | None = None
    condition: str = ""
    a: str = ""
    b: str = ""
    threshold: float | None = Field(None, ge=-1, le=1)
    half_width: float = Field(0.05, ge=0.005, le=1)
    code_half_width: float = Field(0.1, ge=0.005, le=1)
    merge: str = Field("", max_length=200)

    @property
    def query(self) -> dict[str, str]:
        """What it asks for, as a query; the merge that is tried is none of it."""
        numbers = {"threshold": self.threshold, "half_width": self.half_width, "code_half_width": self.code_half_width}
        given = {name: f"{value:g}" for name, value in numbers.items() if value is not None}
        return {"round": self.round or "", "condition": self.condition, "a": self.a, "b": self.b, **given}

    def asked(self, request: Request) -> Asked:
        """As figures are asked for. Raises `BadInput` where of two annotators one is named, or one twice."""
        if bool(self.a) != bool(self.b) or (self.a and self.a == self.b):
            raise BadInput("Choose two different annotators to look at, or none for all of them.")
        return Asked(
            round=self.round or None, condition=self.condition or None, between=(self.a, self.b) if self.a else None,
            threshold=settings_of(request).agreement_threshold if self.threshold is None else self.threshold,
            half_width=self.half_width, code_half_width=self.code_half_width,
        )  # fmt: skip


Wanted = Annotated[Chosen, Query()]


@dataclass(frozen=True, kw_only=True)
class AgreementPage(Page):
    """The figures that may be seen; `own` where they are one annotator's, `figures` None where there are none.

    `pictures` are drawings by name, `merged` the figures before and after two codes are merged.
    """

    chosen: Chosen
    own: bool
    rounds: list[str]
    figures: dict[str, Any] | None = None
    threshold: float = 0.0
    pictures: dict[str, Markup]
    tables: dict[str, Table]
    cautions: list[str]
    merged: dict[str, Any] | None = None
    methods: str = ""

    @property
    def sections(self) -> set[str]:
        """The parts that this page has."""
        figures = self.figures or {}
        of_many = {"pairs", "rest"} if len(figures["matrix"]) > 1 else set()
        of_rounds = {"rounds"} if len(figures["by_round"]) > 1 else set()
        of_one = {"themselves"} if figures["with_themselves"] else set()
        return {"roles", "codes", "confusions", *of_rounds, *of_one} | ({"pairs"} if self.own else of_many | {"plan", "methods"})

    @property
    def files(self) -> str:
        """Where the files of its tables and figures are."""
        return "/agreement"

    @property
    def query(self) -> str:
        """What was chosen, for the addresses of files."""
        return urlencode(self.chosen.query)

    def confused(self, role: str, said: str, other: str) -> str:
        """Where the utterances are on which these two labels met."""
        return _confused(self.chosen, role, said, other)

    def between(self, a: str, b: str) -> str:
        """This page for two annotators."""
        return _between(self.chosen, a, b)


@dataclass(frozen=True)
class MethodsFragment:
    """What the block of the methods paragraph needs."""

    methods: str


def _between(chosen: Chosen, a: str, b: str) -> str:
    return "/agreement?" + urlencode(chosen.query | {"a": a, "b": b})


def _confused(chosen: Chosen, role: str, said: str, other: str) -> str:
    return "/confused?" + urlencode(chosen.query | {"role": role, "said": said, "other": other})


@router.get("/agreement")
def show(request: Request, chosen: Wanted) -> Response:
    with reading(request) as (session, user):
        view = agreement_view(user)
        rounds = agreement.rounds_with_labels(session, view)
        if chosen.round is None:
            chosen = chosen.model_copy(update={"round": rounds[0] if rounds else ""})
        empty = partial(AgreementPage, user=user, chosen=chosen, own=not may(user, Right.READ_ALL), rounds=rounds)
        try:
            page = empty(**_parts(request, session, view, chosen))
        except BadInput as error:  # such as labels of one person in two rounds: the page lets people choose one
            page = empty(notice=str(error), pictures={}, tables={}, cautions=[])
    return render_page("agreement.html", page, 422 if page.notice else 200)


def _parts(request: Request, session: Session, view: View, chosen: Chosen) -> dict[str, Any]:
    """All that the page shows, from one reading of the labels."""
    asked = chosen.asked(request)
    figures = agreement.page(session, view, asked)
    pictures = figures_svg(figures, partial(_confused, chosen), partial(_between, chosen))
    merged = None
    if chosen.merge:
        sample, own_asked, _ = agreement.read(session, view, asked)
        merged = if_merged(sample, own_asked, _merge(chosen.merge))
    return {
        "figures": figures,
        "threshold": asked.threshold,
        # Drawn by ourselves, with all text in it escaped.
        "pictures": {name: Markup(svg) for name, svg in pictures.items()},  # noqa: S704
        "tables": {table.name: for_paper(table) for table in tables(figures)},
        "cautions": cautions(figures),
        "merged": merged,
    }


def _merge(wanted: str) -> dict[str, str]:
    """`PIP=PEP` or `Seeker/PIP=PEP` as what becomes what."""
    old, _, new = (part.strip() for part in wanted.partition("="))
    if not old or not new or old.rpartition("/")[2] == new:
        raise BadInput(f"{wanted!r} does not say which code to merge into which. Write it like PIP=PEP.")
    return {old: new}


@router.get("/agreement.json")
def as_json(request: Request, chosen: Wanted) -> Response:
    with reading(request) as (session, user):
        figures = agreement.report(session, agreement_view(user), chosen.asked(request))
    return JSONResponse(figures, headers=attached("agreement.json"))


@router.get("/agreement.csv")
def as_csv(request: Request, chosen: Wanted) -> Response:
    with reading(request) as (session, user):
        table = agreement_report.as_csv(agreement.report(session, agreement_view(user), chosen.asked(request)))
    return Response(table, media_type="text/csv", headers=attached("agreement.csv"))


@router.get("/agreement/methods.txt")
def paragraph(request: Request, chosen: Wanted) -> Response:
    asked = chosen.asked(request)
    with reading(request) as (session, user):
        require(user, Right.READ_ALL)
        view = agreement_view(user)
        told = methods(agreement.page(session, view, asked), facts_of(session, view, asked))
    if is_fragment(request):
        return render_block("agreement.html", "methods", MethodsFragment(methods=told))
    return Response(told + "\n", media_type="text/plain", headers=attached("methods.txt"))


@router.get("/agreement/table/{name}.{suffix}")
def table(request: Request, name: str, suffix: str, chosen: Wanted) -> Response:
    return table_file(tables(_figures(request, chosen)), name, suffix)


@router.get("/agreement/figure/{name}.{suffix}")
def figure(request: Request, name: str, suffix: str, chosen: Wanted) -> Response:
    return figure_file(figures_svg(_figures(request, chosen)), name, suffix)


def _figures(request: Request, chosen: Chosen) -> dict[str, Any]:
    with reading(request) as (session, user):
        return agreement.page(session, agreement_view(user), chosen.asked(request))
