"""Templates: whole pages, and named blocks of them as fragments. Contexts are dataclasses; nothing undefined is printed.

And what is downloaded: tables and drawings as files.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from annotator.core.agreement.tables import for_paper
from annotator.core.table import Table
from annotator.errors import NotFound
from annotator.exporters.figure import as_pdf, as_png
from annotator.flow.access import Right, may
from annotator.flow.agreement_files import file_stem
from annotator.models import User
from annotator.paths import shipped
from annotator.web.markdown import to_html


@dataclass(frozen=True, kw_only=True)
class Page:
    """What every page needs: who is signed in (None on the way in), and a sentence to show on top."""

    user: User | None
    notice: str = ""

    def may(self, right: str) -> bool:
        """Whether to show the way to something; the use case checks again."""
        return self.user is not None and may(self.user, Right(right))


@cache
def templates() -> Environment:
    """The template environment; compiled templates are kept."""
    environment = Environment(
        loader=FileSystemLoader(shipped("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["percent"] = percent
    environment.filters["figure"] = figure
    environment.filters["interval"] = interval
    environment.filters["stem"] = file_stem
    environment.filters["markdown"] = to_html
    return environment


def percent(probability: float | None) -> str:
    """A probability as people read it: 71 %, or nothing where there is none."""
    return "" if probability is None else f"{probability * 100:.0f} %"


def figure(value: float | None) -> str:
    """A figure to two places, or `undefined`."""
    return "undefined" if value is None else f"{round(value, 2) + 0.0:.2f}"  # no -0.00


def interval(limits: tuple[float, float] | list[float] | None) -> str:
    """Two limits as people read them, or a dash where there are none."""
    return "–" if limits is None else f"{figure(limits[0])} to {figure(limits[1])}"


def render_page(name: str, page: Page, status: int = 200) -> HTMLResponse:
    """A whole page."""
    return HTMLResponse(templates().get_template(name).render(_context(page)), status)


def render_block(name: str, block: str, context: Any, status: int = 200) -> HTMLResponse:
    """One named block of a page, the same markup as in the page."""
    return render_blocks(name, block, [context], status)


def render_blocks(name: str, block: str, contexts: Iterable[Any], status: int = 200) -> HTMLResponse:
    """The same block for one context after the other."""
    template = templates().get_template(name)
    parts = (part for context in contexts for part in template.blocks[block](template.new_context(_context(context))))
    return HTMLResponse("".join(parts), status)


def _context(page: Any) -> dict[str, Any]:
    values = {field.name: getattr(page, field.name) for field in fields(page)}
    return values | {"page": page}


_PICTURES: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "svg": ("image/svg+xml", str.encode), "png": ("image/png", as_png), "pdf": ("application/pdf", as_pdf),
}  # fmt: skip
_TABLES: dict[str, tuple[str, Callable[[Table], str]]] = {
    "csv": ("text/csv", Table.csv), "tex": ("application/x-tex", lambda table: for_paper(table).latex()),
}  # fmt: skip


def table_file(tables: Iterable[Table], name: str, suffix: str, prefix: str = "") -> Response:
    """One of the tables as a file, csv or tex."""
    found = next((one for one in tables if one.name == name), None)
    if found is None or suffix not in _TABLES:
        raise NotFound(f"There is no table {name}.{suffix} here. The page links those that there are.")
    media_type, written = _TABLES[suffix]
    return Response(written(found), media_type=media_type, headers=attached(f"{prefix}{name}.{suffix}"))


def figure_file(drawings: Mapping[str, str], name: str, suffix: str, prefix: str = "") -> Response:
    """One of the drawings as a file, svg, png or pdf."""
    found = {file_stem(one): drawing for one, drawing in drawings.items()}  # a role in a name may be written with any sign
    if name not in found or suffix not in _PICTURES:
        raise NotFound(f"There is no figure {name}.{suffix} here. The page links those that there are.")
    media_type, converted = _PICTURES[suffix]
    return Response(converted(found[name]), media_type=media_type, headers=attached(f"{prefix}{name}.{suffix}"))


def attached(name: str) -> dict[str, str]:
    """The header that makes an answer a file to keep, under this name."""
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
