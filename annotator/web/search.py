"""Finding one's way: utterances of my conversations by their words, my last acts, and the way to the next place of a kind."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from annotator.flow import finding
from annotator.web.deps import is_fragment, reading
from annotator.web.render import Page, render_block, render_page

router = APIRouter()


@dataclass(frozen=True, kw_only=True)
class SearchPage(Page):
    """One page of what was found for the words `q`; without words my last acts."""

    q: str
    found: list[finding.Found]
    number: int
    more: bool
    acts: list[finding.Recent]

    @property
    def is_last(self) -> bool:
        """Whether no page comes after this one, whatever is found."""
        return self.number == finding.MOST_PAGES

    def address(self, number: int) -> str:
        """The address of another page of the same search."""
        return f"/review/search?q={quote(self.q, safe='')}&page={number}"


@dataclass(frozen=True)
class RecentFragment:
    """What the block of the last acts needs."""

    acts: list[finding.Recent]


@router.get("/review/search")
def search(request: Request, q: Annotated[str, Query(max_length=100)] = "", page: int = 1) -> Response:
    number = max(1, min(page, finding.MOST_PAGES))
    with reading(request) as (session, user):
        found, more = finding.search(session, user, q, number) if q.strip() else ([], False)
        acts = [] if q.strip() else finding.recent(session, user)
    return render_page("search.html", SearchPage(user=user, q=q.strip(), found=found, number=number, more=more, acts=acts))


@router.get("/review/recent")
def recent(request: Request) -> Response:
    with reading(request) as (session, user):
        acts = finding.recent(session, user)
    if is_fragment(request):
        return render_block("search.html", "recent", RecentFragment(acts=acts))
    return render_page("search.html", SearchPage(user=user, q="", found=[], number=1, more=False, acts=acts))


@router.get("/review/next")
def next_place(request: Request, what: finding.Wanted, assignment: int, after: int = 0) -> Response:
    with reading(request) as (session, user):
        place = finding.next_place(session, user, what, assignment, after)
    if place is None:
        return RedirectResponse(f"/review/{assignment}?at={after}&none={what}#u{after}", 303)
    return RedirectResponse(f"/review/{place[0]}?at={place[1]}#u{place[1]}", 303)
