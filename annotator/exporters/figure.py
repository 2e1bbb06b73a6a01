"""A drawing as a file for a paper: PNG and PDF, on white and in black."""

import re
from typing import Any

from annotator.errors import BadInput

_MISSING = "PNG and PDF need vl-convert-python. Install it with: pip install 'conversation-annotator[figures]'. SVG needs nothing."


def as_png(svg: str, scale: float = 2) -> bytes:
    """The drawing in pixels, `scale` of them for each of its own."""
    png: bytes = _converter().svg_to_png(_on_paper(svg), scale=scale)
    return png


def as_pdf(svg: str) -> bytes:
    """The drawing as one page of its own size, its words as words; the page is the same each time, its bytes are not."""
    pdf: bytes = _converter().svg_to_pdf(_on_paper(svg))
    return pdf


def _converter() -> Any:
    try:
        import vl_convert  # an extra of 33 MB, for those who want files
    except ImportError:
        raise BadInput(_MISSING) from None
    return vl_convert


def _on_paper(svg: str) -> str:
    """The same on a white ground, with black for the colour that it would take from a page."""
    return re.sub(r"<svg\b[^>]*", r'\g<0> color="black"><rect width="100%" height="100%" fill="white"/', svg, count=1)
