"""What every drawing is made of: elements, words and the document around them, as SVG.

Presentation attributes only, no style, no script and no ids, so that a strict CSP lets several drawings stand in one page. Lines and
words are `currentColor`: they take the text's colour in a page, light or dark, and are black in a file of their own.
"""

import re
import unicodedata
from collections.abc import Iterable
from html import escape

FONT = 12
"""Size of words where nothing else is said, in pixels."""
MIDDLE = {"dy": "0.35em"}
"""Puts the middle of a line of words where its foot would be."""
_NOT_IN_XML = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NARROW, _WIDE = frozenset("iljftrI.,:;'|!()[]{}/\\ "), frozenset("mwMW%@—…")


def escaped(words: str) -> str:
    """Words for content or an attribute; what XML cannot hold becomes the replacement character.

    >>> escaped('R&D <b> "x"\\x00')
    'R&amp;D &lt;b&gt; &quot;x&quot;\\ufffd'
    """
    return escape(_NOT_IN_XML.sub("\ufffd", words.replace("\r\n", "\n").replace("\r", "\n")))


def element(name: str, /, *inside: str, **attributes: object) -> str:
    """An element; `inside` is SVG already. `_` in an attribute's name is written `-`, an attribute that is None is left out.

    >>> element("g", element("path", d="M0 0"), stroke_width=1.50, opacity=None)
    '<g stroke-width="1.5"><path d="M0 0"/></g>'
    """
    told = "".join(f' {key.replace("_", "-")}="{_value(value)}"' for key, value in attributes.items() if value is not None)
    return f"<{name}{told}>{''.join(inside)}</{name}>" if inside else f"<{name}{told}/>"


def _value(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else escaped(str(value))


def title(words: str) -> str:
    """What is shown to whoever points at the element around it, and read out as its name."""
    return element("title", escaped(words))


def line(start: tuple[float, float], end: tuple[float, float], **look: object) -> str:
    """A line between two places."""
    places = {"x1": start[0], "y1": start[1], "x2": end[0], "y2": end[1]}
    # Without a fill of its own it would inherit one, and some viewers of PDF draw that as a line too.
    return element("line", **places, **({"stroke": "currentColor", "fill": "none"} | look))


def text(at: tuple[float, float], words: str, *inside: str, **look: object) -> str:
    """One line of words; `inside` is a title or the like."""
    return element("text", escaped(" ".join(words.split())), *inside, x=at[0], y=at[1], **look)


def circle(at: tuple[float, float], radius: float, *inside: str, **look: object) -> str:
    """A disc around a place."""
    return element("circle", *inside, cx=at[0], cy=at[1], r=radius, **look)


def rect(at: tuple[float, float], size: tuple[float, float], *inside: str, **look: object) -> str:
    """A rectangle by its upper left corner and its width and height."""
    return element("rect", *inside, x=at[0], y=at[1], width=size[0], height=size[1], **look)


def link(href: str | None, name: str, *inside: str) -> str:
    """What is inside as a link within the site, `name` its accessible name; without an address only what is inside.

    >>> link("/agreement?code=RP", "RP", text((0, 0), "RP"))
    '<a href="/agreement?code=RP"><title>RP</title><text x="0" y="0">RP</text></a>'
    >>> link("javascript:alert()", "RP")
    Traceback (most recent call last):
    ValueError: 'javascript:alert()' leads out of the site. A drawing links to /..., ?... or #... only.
    """
    if href is None:
        return "".join(inside)
    if not re.match(r"/(?![/\\])|[?#]", href):
        raise ValueError(f"{href!r} leads out of the site. A drawing links to /..., ?... or #... only.")
    return element("a", title(name), *inside, href=href)


def document(name: str, desc: str, size: tuple[float, float], parts: Iterable[str]) -> str:
    """The whole drawing, `name` and `desc` for whoever cannot see it; an image, or a group where it holds links to go to."""
    inside = [title(name), element("desc", escaped(desc)), *parts]
    role = "group" if any("<a " in part for part in inside) else "img"  # of an image nothing inside can be reached
    width, height = (round(side) for side in size)
    look = {"fill": "currentColor", "stroke": "none", "font_family": "system-ui, sans-serif", "font_size": FONT}
    space = {"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {width} {height}", "width": width, "height": height, "role": role}
    return element("svg", "\n", "\n".join(inside), "\n", **space, **look) + "\n"


def width_of(words: str, size: float = FONT) -> float:
    """About how wide words get, in pixels; rather too wide, as fonts differ.

    >>> round(width_of("κ .71")), round(width_of("中文"))
    (32, 24)
    """
    return sum(_share(sign) for sign in words) * size


def _share(sign: str) -> float:
    if unicodedata.combining(sign):
        return 0
    if unicodedata.east_asian_width(sign) in "WF" or sign in _WIDE:
        return 1
    return 0.4 if sign in _NARROW else 0.7 if sign.isupper() else 0.62


def clipped(words: str, width: float, size: float = FONT) -> str:
    """As much of the words as is about so wide, with an ellipsis where some are left out.

    >>> clipped("Refine Preference", 80), clipped("RP", 80)
    ('Refine Pre…', 'RP')
    """
    if width_of(words, size) <= width:
        return words
    room = width - width_of("…", size)
    kept = 0
    while kept < len(words) and (room := room - _share(words[kept]) * size) >= 0:
        kept += 1
    return words[:kept].rstrip() + "…"


def wrapped(words: str, width: float, size: float = FONT, lines: int = 2) -> list[str]:
    """Words broken into so many lines of about that width; the last one is clipped.

    >>> wrapped("n 41/38, too few to say", 90), wrapped("", 90)
    (['n 41/38, too', 'few to say'], [])
    """
    found: list[str] = []
    for word in words.split():
        longer = f"{found[-1]} {word}" if found else word
        if not found or (width_of(longer, size) > width and len(found) < lines):
            found.append(word)
        else:
            found[-1] = longer
    return [clipped(line, width, size) for line in found]
