"""The parts of drawings: any words come back from the XML as they were, and nothing but words comes of them."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from annotator.core import svg
from core.drawn import drawn, every

ANYTHING = st.text(alphabet=st.characters())  # surrogates too
NOT_IN_XML = {*range(9), 11, 12, *range(14, 32), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF}


def held(words: str) -> str:
    """Words as XML can hold them."""
    lines = words.replace("\r\n", "\n").replace("\r", "\n")
    return "".join("\ufffd" if ord(one) in NOT_IN_XML else one for one in lines)


@given(ANYTHING)
@example("]]></title><script>alert(1)</script>&amp;\x00\ud800\ufffe\r")
def test_any_words_come_back_as_they_were(words: str) -> None:
    parts = [svg.text((0, 1.005), words), svg.rect((0, 0), (1, 1), svg.title(words)), svg.element("g", about=words)]
    root = drawn(svg.document(words, words, (10, 10), parts))
    assert [root[0].text or "", root[1].text or "", root[3][0].text or ""] == [held(words)] * 3
    assert (root[2].text or "") == held(" ".join(words.split()))
    assert root[4].attrib["about"] == re.sub("[\t\n]", " ", held(words))


def test_numbers_are_short_and_what_is_none_is_left_out() -> None:
    line = svg.line((0, 1 / 3), (10.0, -2.5), stroke=None, stroke_width=1.0)
    assert line.partition(" ")[2] == 'x1="0" y1="0.33" x2="10" y2="-2.5" fill="none" stroke-width="1"/>'


def test_lines_and_words_take_the_colour_of_the_text() -> None:
    root = drawn(svg.document("t", "d", (10.4, 20), [svg.line((0, 0), (1, 1)), svg.text((0, 0), "x")]))
    assert root.get("fill") == every(root, "line")[0].get("stroke") == "currentColor"
    assert root.get("viewBox") == "0 0 10 20"


def test_a_drawing_with_links_is_a_group_for_the_links_of_an_image_cannot_be_reached() -> None:
    word = svg.text((0, 0), "<a >")
    assert drawn(svg.document("t", "d", (9, 9), [word])).get("role") == "img"
    root = drawn(svg.document("t", "d", (9, 9), [svg.link("/x?a=1&b=2", "a & b", word)]))
    (link,) = every(root, "a")
    assert (root.get("role"), link.get("href"), link[0].text) == ("group", "/x?a=1&b=2", "a & b")


@pytest.mark.parametrize(
    "href", ["javascript:alert(1)", "//elsewhere.example", "/\\elsewhere.example", "https://other.example", "", " /x", "data:,"]
)
def test_a_link_stays_within_the_site(href: str) -> None:
    with pytest.raises(ValueError, match="leads out of the site"):
        svg.link(href, "name")


@pytest.mark.parametrize("href", ["/", "/agreement?code=RP#x", "?code=RP", "#x"])
def test_a_link_leads_within_the_site(href: str) -> None:
    assert svg.link(href, "name").startswith(f'<a href="{href}">')


@given(st.text(), st.floats(12, 300))
def test_clipped_words_are_a_beginning_and_fit(words: str, width: float) -> None:
    kept = svg.clipped(words, width)
    assert svg.width_of(kept) <= width + 1e-6
    assert kept == words or words.startswith(kept.removesuffix("…"))
