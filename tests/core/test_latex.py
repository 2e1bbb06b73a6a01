"""Text as LaTeX: by example, what holds for any text, and through pdflatex where there is one."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from annotator.core import latex
from annotator.core.latex import escaped
from annotator.core.table import Table

PDFLATEX = shutil.which("pdflatex")
WRITTEN_OUT = re.compile(
    r"\\[{}$&%#_]|\\[a-zA-Z]+\{\}|\\symbol\{\d+\}|\\[`'^~=\".urHvdc]\{(?:\\?[a-zA-Z]|\\.\{\\?[a-zA-Z]\})\}|\$[^$]+\$|\{[\[\]*]\}"
)
# Letters with accents, ones that pdflatex has no letter for, and what steers layout.
SIGNS = "éàêñüçåőšīăżạíṍ ĳ中жא😀\ufffd\x07\x7f \u200b\u202e\ufeff\ufb01ªⅣ"


def special_in(text: str) -> list[str]:
    """What LaTeX would act on and nobody wrote out."""
    return re.findall(r"[^ -~]|[\\{}$&%#_~^<>\"|`*\[\]]", WRITTEN_OUT.sub("", text))


@given(st.text())
@example("".join(latex._KNOWN) + SIGNS)
@example("\\\\ [x] \r\n\\end{table}%")
def test_any_text_is_one_line_with_nothing_special(text: str) -> None:
    assert special_in(escaped(text)) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a_b % & # $ {x}", r"a\_b \% \& \# \$ \{x\}"),
        ('\\~^<>"|', r"\textbackslash{}\textasciitilde{}\textasciicircum{}\textless{}\textgreater{}\symbol{34}\textbar{}"),
        ("∅ κ ± – ≥", r"$\emptyset$ $\kappa$ $\pm$ -- $\geq$"),
        ("--'' ---", "-{}-'{}' -{}-{}-"),
        ("*x[1]", "{*}x{[}1{]}"),
        (" a\r\n\x0b\u2028b\t", "a b"),
        ("é e\u0301 ﬁ ё", r"\'{e} \'{e} {[}U+FB01{]} {[}U+0451{]}"),
        ("ṍ í", r"\'{\~{o}} \'{\i}"),
        ("a\u200bb\u202ec", "abc"),
        ("\ud800", "{[}U+D800{]}"),
    ],
)
def test_signs(text: str, expected: str) -> None:
    assert escaped(text) == expected


@pytest.mark.skipif(PDFLATEX is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("encoding", ["OT1", "T1"])
def test_pdflatex_takes_every_sign_and_every_start_of_a_row(encoding: str, tmp_path: Path) -> None:
    signs = [chr(at) for at in range(32, 127)] + [*latex._KNOWN, *SIGNS]
    rows = tuple((f"{sign}{sign}x", sign, -0.5, None) for sign in signs)
    table = Table("every_sign.ä", "Every sign: " + "".join(signs), ("[sign]", "*it_self*", "κ", "n"), rows, (f"All {''.join(signs)}",))
    chunks = [Table(f"part{at}", table.title, table.heading, rows[at : at + 40], table.notes).latex() for at in range(0, len(rows), 40)]
    head = rf"\documentclass{{article}}\usepackage[{encoding}]{{fontenc}}\usepackage{{booktabs}}\begin{{document}}"
    (tmp_path / "all.tex").write_text("\n".join([head, *chunks, r"\ref{tab:part0}", r"\end{document}"]), encoding="ascii")
    command = [str(PDFLATEX), "-halt-on-error", "-interaction=nonstopmode", "-draftmode", "all.tex"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
    assert ran.returncode == 0, ran.stdout[-2000:]
    assert "Missing character" not in (tmp_path / "all.log").read_text(errors="replace")
