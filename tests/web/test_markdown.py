"""Markdown of a lead: it may shape a text, and nothing else."""

from urllib.parse import urlsplit

import pytest

from annotator.web.markdown import to_html
from annotator.web.render import templates

from .forms import Reader

SHAPING = {"p", "h3", "h4", "h5", "h6", "strong", "em", "ul", "ol", "li", "code", "pre", "blockquote", "hr", "br", "a"}
ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<style>body { display: none }</style>\n\n<form action=/sign-out>",
    "[press](javascript:alert(1))",
    "[press]( JaVaScRiPt:alert(1))",
    "[press](&#106;avascript:alert(1))",
    "[press](java&#10;script:alert(1))",
    "[press](vbscript:x) [press](data:text/html,<script>alert(1)</script>) [press](file:///etc/passwd)",
    "[press][1]\n\n[1]: javascript:alert(1)",
    "<javascript:alert(1)>",
    '[press](https://example.org "x\\" onclick=\\"alert(1)")',
    '[press](https://example.org/"onclick="alert(1))',
    "![a](https://example.org/spy.png) ![b](data:image/svg+xml,<svg/onload=alert(1)>)",
    '![" onerror="alert(1)](x)',
    "```<script>\n</code></pre><script>alert(1)</script>\n```",
    "> " * 5000 + "deep",
    "[" * 20000,
]


def test_a_text_is_shaped() -> None:
    html = to_html("# Before you start\n\nGive *every* utterance **one** code; `ANS` only:\n\n- to a question\n- once")
    assert html.startswith("<h3>Before you start</h3>")
    assert "<em>every</em>" in html
    assert html.count("<li>") == 2


def test_a_link_opens_elsewhere_and_tells_the_other_site_nothing() -> None:
    [link] = [attributes for tag, attributes in Reader(to_html("[the codebook](https://example.org/book)")).tags if tag == "a"]
    assert link == {"href": "https://example.org/book", "rel": "noopener noreferrer", "target": "_blank"}


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_nothing_in_a_text_does_anything(attack: str) -> None:
    page = Reader(to_html(attack))
    assert {tag for tag, _ in page.tags} <= SHAPING
    for tag, attributes in page.tags:
        assert set(attributes) <= ({"href", "rel", "target", "title"} if tag == "a" else {"class"})
        assert urlsplit(attributes.get("href", "")).scheme in ("", "https")


def test_a_text_that_every_desk_shows_is_read_once() -> None:
    text = "![[]()" * 3_000
    assert to_html(text) is to_html(text)


def test_a_picture_is_its_description() -> None:
    assert to_html("![the *shop* <b>](shop.png)") == "<p>the *shop* &lt;b&gt;</p>\n"


def test_pages_have_it_as_a_filter_and_other_text_stays_escaped() -> None:
    page = templates().from_string("{{ said | markdown }}{{ said }}").render(said="*a* <b>")
    assert page == "<p><em>a</em> &lt;b&gt;</p>\n*a* &lt;b&gt;"
