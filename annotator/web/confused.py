"""The utterances behind a cell of the confusion matrix."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from annotator.core.agreement import Asked
from annotator.flow.confused import Cell, Shown, confused
from annotator.web.deps import reading
from annotator.web.render import Page, render_page

router = APIRouter()

Label = Annotated[str, Query(max_length=500)]


@dataclass(frozen=True, kw_only=True)
class ConfusedPage(Page):
    """Utterances on which one label met the other; `chosen` is the query of the agreement page they belong to."""

    cell: Cell
    shown: Shown
    chosen: dict[str, str]

    def address(self, number: int) -> str:
        """The address of another page of the same."""
        return "/confused?" + urlencode(self.chosen | {**self.here, "page": str(number)})

    @property
    def here(self) -> dict[str, str]:
        """The cell as a query."""
        return {"role": self.cell.role, "said": self.cell.said, "other": self.cell.other}

    @property
    def back(self) -> str:
        """The address of the agreement page."""
        return "/agreement?" + urlencode(self.chosen)


@router.get("/confused")
def show(
    request: Request, role: Label, said: Label = "", other: Label = "", round: str = "", condition: str = "", a: str = "", b: str = "",
    page: int = 1,
) -> Response:  # fmt: skip
    cell = Cell(role, said, other)
    asked = Asked(round=round or None, condition=condition or None, between=(a, b) if a and b else None)
    with reading(request) as (session, user):
        shown = confused(session, user, asked, cell, page)
    chosen = {"round": round, "condition": condition, "a": a, "b": b}
    return render_page("confused.html", ConfusedPage(user=user, cell=cell, shown=shown, chosen=chosen))
