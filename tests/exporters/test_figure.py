"""Drawings as PNG and PDF, really converted; and what is said where the converter is not installed."""

import re
import struct
import subprocess
import sys
import zlib

import pytest

from annotator.core import svg
from annotator.core.heat_map import Cell, heat_map
from annotator.core.plots import Point, Row, interval_plot
from annotator.exporters.figure import as_pdf, as_png

pytest.importorskip("vl_convert", reason="vl-convert-python is not installed: pip install '.[figures]'")
HALVES = svg.document("Two halves", "The right one is inked.", (6, 2), [svg.rect((3, 0), (3, 2))])
ROWS = [Row("∅ ≥ – <b>", (Point(0.71, 0.6, 0.8),), "n 41/38", href="/x"), Row("OTH", (Point(None),), "few")]
PLOT = interval_plot("κ", ROWS, threshold=0.67)


def pixels(png: bytes) -> list[list[tuple[int, ...]]]:
    """The pixels of a PNG of 8 bits a channel, row by row."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height, depth, kind = struct.unpack(">IIBB", png[16:26])
    size = {2: 3, 6: 4}[kind]
    assert depth == 8
    chunks, at = b"", 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        chunks += png[at + 8 : at + 8 + length] if png[at + 4 : at + 8] == b"IDAT" else b""
        at += length + 12
    data, rows, above = zlib.decompress(chunks), [], [0] * (width * size)
    for start in range(0, height * (width * size + 1), width * size + 1):
        row: list[int] = []
        for place, byte in enumerate(data[start + 1 : start + 1 + width * size]):
            left, corner = (row[place - size], above[place - size]) if place >= size else (0, 0)
            near = min((left, above[place], corner), key=lambda one, to=left + above[place] - corner: abs(to - one))
            row.append((byte + (0, left, above[place], (left + above[place]) // 2, near)[data[start]]) % 256)
        rows.append([tuple(row[place : place + 3]) for place in range(0, len(row), size)])
        above = row
    return rows


def test_a_png_is_black_on_white_and_as_large_as_asked() -> None:
    black, white = (0, 0, 0), (255, 255, 255)
    assert pixels(as_png(HALVES, scale=1)) == [[white] * 3 + [black] * 3] * 2
    assert pixels(as_png(HALVES)) == [[white] * 6 + [black] * 6] * 4


def test_a_png_is_the_same_each_time() -> None:
    assert as_png(PLOT) == as_png(PLOT)


def test_a_pdf_is_one_page_of_the_size_of_the_drawing_with_its_fonts() -> None:
    pdf = as_pdf(PLOT)
    width, height = re.findall(r'(?:width|height)="(\d+)"', PLOT)[:2]
    assert pdf.startswith(b"%PDF-")
    assert re.findall(rb"/MediaBox\s*\[\s*0 0 (\d+) (\d+)", pdf) == [(width.encode(), height.encode())]
    assert re.search(rb"/FontFile", pdf)


def test_words_and_links_of_a_heat_map_are_no_hindrance() -> None:
    picture = heat_map("t", ["a > b"], ["c & d"], [[Cell(0.5, "<1>", "x > y", "/x")]], axes=("ana", "ben"))
    assert len(pixels(as_png(picture, scale=1))[0]) == int(re.findall(r'width="(\d+)"', picture)[0])


@pytest.mark.parametrize("call", ["as_png", "as_pdf"])
def test_without_the_extra_it_says_what_to_install(call: str) -> None:
    code = f"""if True:
        import sys
        sys.modules["vl_convert"] = None
        from annotator.errors import BadInput
        from annotator.exporters.figure import {call}
        try:
            {call}("<svg/>")
        except BadInput as error:
            print(error)
    """
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'conversation-annotator[figures]'" in ran.stdout


def test_the_converter_is_loaded_by_the_first_file_only() -> None:
    code = "import sys, annotator.exporters.figure; print('vl_convert' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
