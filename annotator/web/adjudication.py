"""Settling a round step by step: one utterance, its labels without names, one key; everything is a form without script.

Every act answers with the way to the next step, which the page follows whole and the script as a fragment.
"""

from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from annotator.core.consensus import Codes
from annotator.core.labelled import split_codes
from annotator.core.taxonomy import Code
from annotator.flow import adjudication, queue, settling
from annotator.flow.adjudication import Reason, Verdict
from annotator.flow.queue import Sent
from annotator.flow.settling import Step, Told
from annotator.models import Round, Suggestion
from annotator.web.deps import is_fragment, reading, writing
from annotator.web.render import Page, render_block, render_page

router = APIRouter()


class DecideForm(BaseModel):
    """What is settled: a label whose codes are joined by `|`, or one code, with what was built before it."""

    utterance: int
    seen: int
    codes: list[str] = []
    built: list[str] = []
    reason: Literal[""] | Reason = ""
    comment: str = Field("", max_length=2000)


class DiscussForm(BaseModel):
    """What is sent back, and what those who labelled it are asked."""

    utterance: int
    note: str = Field("", max_length=2000)


class GoldForm(BaseModel):
    """Which gold it is about."""

    gold: int


@dataclass(frozen=True, kw_only=True)
class AdjudicationPage(Page):
    """A step, or none when nothing waits; `told` is the gold settled just now, `proposal` is there when it was asked for."""

    round: Round
    step: Step | None
    sent: list[Sent]
    told: Told | None
    built: Codes
    reason: str
    comment: str
    asked: bool
    proposal: Suggestion | None
    reasons: tuple[Reason, ...] = tuple(Reason)
    many: int = queue.MANY

    @property
    def says(self) -> str:
        """What was settled just now, and by whom what had been said."""
        return said_of(self.told) if self.told else ""

    @property
    def groups(self) -> dict[str, list[Code]]:
        """The codes of the utterance's role, grouped as the paper discusses them."""
        found: dict[str, list[Code]] = {}
        for code in self.step.taxonomy.by_role[self.step.focus.role].values() if self.step else ():
            found.setdefault(code.category, []).append(code)
        return found

    def address(self, **given: int | str) -> str:
        """The address of a step of this round."""
        return f"/adjudication/{self.round.id}?{urlencode(given)}"


def said_of(told: Told) -> str:
    """Who had said what, and what it became.

    >>> said_of(Told(1, ("PEP",), "adjudicated", "lea", "", "", (settling.Voice(1, "ana", ("PEP",)), settling.Voice(2, "ben", None))))
    'ana: PEP, ben: skipped → PEP'
    """
    voices = [f"{one.name}: {_shown(one.codes)}" + (f", later {_shown(one.later)}" if one.later is not None else "") for one in told.voices]
    return f"{', '.join(voices)} → {_shown(told.codes)}"


def _shown(codes: Codes | None) -> str:
    return "skipped" if codes is None else " + ".join(codes) or "no code"


@router.get("/adjudication/{round_id}")
def show(
    request: Request,
    round_id: int,
    utterance: int | None = None,
    after: int | None = None,
    settled: int | None = None,
    proposal: bool = False,
    built: Annotated[tuple[str, ...], Query()] = (),
    reason: str = "",
    comment: str = "",
) -> Response:
    with reading(request) as (session, user):
        round_, sent = queue.in_discussion(session, user, round_id)
        step = settling.step(session, user, round_id, utterance, after)
        page = AdjudicationPage(
            user=user,
            round=round_,
            step=step,
            sent=sent,
            told=settling.told(session, user, round_id, settled) if settled else None,
            built=tuple(dict.fromkeys(code for code in built if step and step.taxonomy.known(step.focus.role, code))),
            reason=reason,
            comment=comment,
            asked=proposal,
            proposal=settling.proposal(session, user, round_id, step.focus.utterance_id) if proposal and step else None,
        )
    if is_fragment(request):
        return render_block("adjudication.html", "step", page)
    return render_page("adjudication.html", page)


@router.post("/adjudication/{round_id}/decide")
def decide(request: Request, round_id: int, form: Annotated[DecideForm, Form()]) -> Response:
    codes = tuple(code for cell in (*form.built, *form.codes) for code in split_codes(cell))
    verdict = Verdict(codes, form.seen, form.reason, form.comment)
    with writing(request) as (session, user):
        gold = adjudication.decide(session, user, round_id, form.utterance, verdict)
    return _to(round_id, after=form.utterance, settled=gold.id or 0)


@router.post("/adjudication/{round_id}/discuss")
def discuss(request: Request, round_id: int, form: Annotated[DiscussForm, Form()]) -> Response:
    with writing(request) as (session, user):
        adjudication.discuss(session, user, round_id, form.utterance, form.note)
    return _to(round_id, after=form.utterance)


@router.post("/adjudication/{round_id}/undo")
def undo(request: Request, round_id: int, form: Annotated[GoldForm, Form()]) -> Response:
    with writing(request) as (session, user):
        utterance = adjudication.undo(session, user, round_id, form.gold)
    return _to(round_id, utterance=utterance)


@router.post("/adjudication/{round_id}/withdraw")
def withdraw(request: Request, round_id: int, form: Annotated[GoldForm, Form()]) -> Response:
    with writing(request) as (session, user):
        utterance = adjudication.withdraw(session, user, round_id, form.gold)
    return _to(round_id, utterance=utterance)


def _to(round_id: int, **given: int) -> Response:
    return RedirectResponse(f"/adjudication/{round_id}?{urlencode(given)}", 303)
