"""What was said about whose utterances, as a list: of everybody for leads and researchers, of their own for annotators."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from annotator.flow.comments import Listed, Listing, count_for_me, listed
from annotator.web.deps import reading
from annotator.web.render import Page, render_page

router = APIRouter()


@dataclass(frozen=True, kw_only=True)
class CommentsPage(Page):
    """One page of threads or flags, of one round or of all; `for_me` counts where somebody else said the last word."""

    rows: list[Listed]
    listing: Listing
    round_id: int | None
    number: int
    more: bool
    for_me: int

    def address(self, listing: str, number: int = 1) -> str:
        """The address of another list or page, of the same round."""
        more = {"round": self.round_id, "page": number if number > 1 else None}
        return f"/comments?show={listing}" + "".join(f"&{name}={value}" for name, value in more.items() if value is not None)


@router.get("/comments")
def show(request: Request, show: Listing = Listing.UNRESOLVED, round: int | None = None, page: int = 1) -> Response:
    number = max(1, min(page, 1_000_000))
    with reading(request) as (session, user):
        rows, more = listed(session, user, show, round, number)
        for_me = count_for_me(session, user)
    shown = CommentsPage(user=user, rows=rows, listing=show, round_id=round, number=number, more=more, for_me=for_me)
    return render_page("comments.html", shown)
