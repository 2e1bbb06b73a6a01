"""Markdown of a lead as HTML that can do nothing: no HTML of its own, no script in a link, no picture from elsewhere."""

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markupsafe import Markup, escape

_DOWN = 2
"""How much lower a text's headings stand: `#` on a page that has its title and section headings is the third level."""


@lru_cache(maxsize=32)
def to_html(text: str) -> Markup:
    """Markdown as HTML; what is no Markdown shows as it was typed. The same text is read once: every desk shows its round's.

    >>> to_html("**Two** codes at most. <b>")
    Markup('<p><strong>Two</strong> codes at most. &lt;b&gt;</p>\\n')
    """
    return Markup(_parser().render(text))  # noqa: S704 - `html` is off: all text of others is escaped, links are checked


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False})
    parser.core.ruler.push("pages", _fit_into_a_page)
    parser.add_render_rule("image", _name_of_picture)
    return parser


def _fit_into_a_page(state: StateCore) -> None:
    """Headings go below the page's own; links out of the tool tell the other site nothing and leave this page open."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + _DOWN)}"
        for link in token.children or ():
            if link.type == "link_open":
                link.attrSet("rel", "noopener noreferrer")
                link.attrSet("target", "_blank")


def _name_of_picture(self: RendererProtocol, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    """Our pages load nothing from elsewhere, so a picture is its description."""
    return str(escape(tokens[at].content))
