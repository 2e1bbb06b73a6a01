"""The gold of a round as a list, and as a table to download."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from annotator.flow import gold
from annotator.flow.gold import Listing
from annotator.models import Rule
from annotator.web.deps import reading
from annotator.web.render import Page, render_page

router = APIRouter()
RULES = (Rule.UNANIMOUS, Rule.UNANIMOUS_ASSISTED, Rule.ADJUDICATED)


@dataclass(frozen=True, kw_only=True)
class SettledPage(Page):
    """One page of gold, of one rule or of all."""

    listing: Listing
    rule: Rule | None
    rules: tuple[Rule, ...]
    number: int

    @property
    def last(self) -> int:
        """The number of the last page."""
        return max(1, -(-self.listing.total // gold.PAGE))

    def address(self, rule: str | None, number: int = 1) -> str:
        """The address of another rule or page."""
        given = {"rule": rule, "page": number if number > 1 else None}
        query = "&".join(f"{name}={value}" for name, value in given.items() if value)
        return f"/adjudication/{self.listing.round.id}/settled" + (f"?{query}" if query else "")


@router.get("/adjudication/{round_id}/settled")
def show(request: Request, round_id: int, rule: Rule | None = None, page: int = 1) -> Response:
    number = max(1, min(page, 1_000_000))
    with reading(request) as (session, user):
        listing = gold.listing(session, user, round_id, rule, number)
    return render_page("settled.html", SettledPage(user=user, listing=listing, rule=rule, rules=RULES, number=number))


@router.get("/adjudication/{round_id}/settled.csv")
def table(request: Request, round_id: int, rule: Rule | None = None) -> Response:
    with reading(request) as (session, user):
        text = gold.gold_csv(session, user, round_id, rule)
    name = f"gold-round-{round_id}.csv"
    return Response(text, media_type="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'})
