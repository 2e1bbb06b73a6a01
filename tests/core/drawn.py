"""Reading a drawing in tests: its elements as XML, and what a strict policy would forbid in it."""

import re
import xml.etree.ElementTree as ET

SVG = "{http://www.w3.org/2000/svg}"


def drawn(picture: str) -> ET.Element:
    """The root of a drawing, after a look that it needs nothing but itself and nothing that a strict CSP forbids."""
    root = ET.fromstring(picture)
    assert "<!" not in picture and "<?" not in picture
    for one in root.iter():
        assert one.tag.startswith(SVG) and one.tag.removeprefix(SVG) not in ("style", "script", "image", "use", "foreignObject")
        assert not {name for name in one.attrib if name in ("style", "id", "class") or name.startswith("on") or ":" in name}
        assert not [key for key, value in one.attrib.items() if key != "href" and re.search(r"url\(|^https?:|\bnan\b|\binf\b", value)]
        assert {one.get(name) for name in ("fill", "stroke")} <= {None, "none", "currentColor"}
    assert [child.tag for child in root][:2] == [f"{SVG}title", f"{SVG}desc"]
    return root


def every(root: ET.Element, name: str) -> list[ET.Element]:
    return list(root.iter(SVG + name))


def words(root: ET.Element) -> list[str]:
    """All visible words, a text at a time."""
    return [one.text or "" for one in every(root, "text")]


def titles(root: ET.Element) -> list[str]:
    """What all but the drawing itself say to whoever points at them."""
    return [one.text or "" for one in every(root, "title")][1:]


def number(one: ET.Element, name: str) -> float:
    return float(one.attrib[name])
