"""The catalogue beside a conversation: pictures of its items, and boxes for which were mentioned and chosen."""

import secrets
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import AfterValidator, BaseModel, Field
from starlette.responses import RedirectResponse, Response

from annotator.flow import items
from annotator.models import ItemField
from annotator.web.deps import is_fragment, reading, writing
from annotator.web.render import Page, render_block, render_page

router = APIRouter()

# A picture came from a file. As a page of its own an SVG could hold scripts: it may load and run nothing.
_PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"


def _whole_numbers(cells: list[str]) -> list[str]:
    """An empty field names no item."""
    kept = [cell.strip() for cell in cells if cell.strip()]
    if not all(cell.isascii() and cell.isdigit() and len(cell) < 10 for cell in kept):
        raise ValueError("not whole numbers")
    return kept


class ItemsForm(BaseModel):
    """One whole list, and which state of it was seen. `act_key` is new for each act, so that sending it twice saves it once."""

    field: ItemField
    numbers: Annotated[list[str], AfterValidator(_whole_numbers)] = []
    act_key: Annotated[str, Field(min_length=8, max_length=64, pattern="^[A-Za-z0-9_-]+$")]
    seen: int | None = None


@dataclass(frozen=True, kw_only=True)
class ItemsPage(Page):
    """The catalogue on a page of its own, for browsers without script."""

    catalogue: items.Catalogue
    act_key: str


@dataclass(frozen=True)
class CatalogueFragment:
    """What the catalogue's block needs."""

    catalogue: items.Catalogue
    act_key: str


@router.get("/item/{item_id}/picture")
def picture(request: Request, item_id: int) -> Response:
    with reading(request) as (session, _):
        found = items.picture(session, item_id)
    headers = {
        "ETag": f'"{found.tag}"',
        "Cache-Control": "private, max-age=3600",
        "Content-Security-Policy": _PICTURE_POLICY,
    }
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(found.content, media_type=found.media_type, headers=headers)


@router.get("/review/{assignment_id}/items")
def show(request: Request, assignment_id: int) -> Response:
    with reading(request) as (session, user):
        catalogue = items.my_catalogue(session, user, assignment_id)
    if is_fragment(request):
        return _fragment(catalogue)
    return render_page("items.html", ItemsPage(user=user, catalogue=catalogue, act_key=secrets.token_urlsafe(12)))


@router.post("/review/{assignment_id}/items")
def mark(request: Request, assignment_id: int, form: Annotated[ItemsForm, Form()]) -> Response:
    with writing(request) as (session, user):
        marked = items.Marked(form.field, tuple(map(int, form.numbers)), form.act_key, form.seen)
        catalogue = items.mark_items(session, user, assignment_id, marked)
    return _fragment(catalogue) if is_fragment(request) else RedirectResponse(f"/review/{assignment_id}/items", 303)


def _fragment(catalogue: items.Catalogue) -> Response:
    return render_block("items.html", "catalogue", CatalogueFragment(catalogue, secrets.token_urlsafe(12)))
