"""The codebook, readable by everybody who may sign in; one code as a fragment for the desk's drawer."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from annotator.core.taxonomy import Code, Taxonomy
from annotator.flow.taxonomy import current, find_code
from annotator.web.deps import reading
from annotator.web.render import Page, render_block, render_page

router = APIRouter()


@dataclass(frozen=True, kw_only=True)
class TaxonomyPage(Page):
    """The newest version of the taxonomy."""

    taxonomy: Taxonomy


@dataclass(frozen=True)
class CodeFragment:
    """One code."""

    code: Code


@router.get("/taxonomy")
def codebook(request: Request) -> Response:
    with reading(request) as (session, user):
        _, found = current(session)
    return render_page("taxonomy.html", TaxonomyPage(user=user, taxonomy=found))


@router.get("/taxonomy/code")
def one_code(request: Request, role: str, code: str, version: str = "") -> Response:
    with reading(request) as (session, _):
        found = find_code(session, role, code, version)
    return render_block("taxonomy.html", "code", CodeFragment(code=found))
