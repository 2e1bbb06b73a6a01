"""Any text as LaTeX that compiles under pdflatex with no package but booktabs: plain ASCII, every special character written out."""

import unicodedata
from itertools import pairwise

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    '"': r"\symbol{34}", "`": r"\symbol{96}",  # the one is active under babel's German, the other makes quotes
    "[": "{[}", "]": "{]}", "*": "{*}",  # at the start of a row \\ and \midrule would read them as their own
}  # fmt: skip
_MATHS = {
    "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\varepsilon", "θ": r"\theta", "κ": r"\kappa",
    "λ": r"\lambda", "μ": r"\mu", "µ": r"\mu", "π": r"\pi", "ρ": r"\rho", "σ": r"\sigma", "τ": r"\tau", "φ": r"\varphi", "χ": r"\chi",
    "ω": r"\omega", "Δ": r"\Delta", "Σ": r"\Sigma", "Ω": r"\Omega", "∅": r"\emptyset", "±": r"\pm", "×": r"\times", "÷": r"\div",
    "·": r"\cdot", "≤": r"\leq", "≥": r"\geq", "≠": r"\neq", "≈": r"\approx", "∞": r"\infty", "−": "-", "→": r"\rightarrow",
    "←": r"\leftarrow", "↔": r"\leftrightarrow", "∈": r"\in", "∪": r"\cup", "∩": r"\cap", "√": r"\surd", "²": "^{2}", "³": "^{3}",
    "°": r"^{\circ}", "½": r"\frac{1}{2}", "∑": r"\sum", "¬": r"\neg",
}  # fmt: skip
_WORDS = {
    "–": "--", "—": "---", "…": r"\ldots{}", "‘": r"\symbol{96}", "’": "'", "“": r"\textquotedblleft{}", "”": r"\textquotedblright{}",
    "„": ",,", "•": r"\textbullet{}", "§": r"\S{}", "¶": r"\P{}", "©": r"\copyright{}", "£": r"\pounds{}", "ß": r"\ss{}",
    "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ø": r"\o{}", "Ø": r"\O{}", "ł": r"\l{}", "Ł": r"\L{}",
    "ı": r"\i{}", "¡": r"!\symbol{96}", "¿": r"?\symbol{96}", "‐": "-", "‑": "-",
}  # fmt: skip
_ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u", "\u0307": ".", "\u0308": '"',
    "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0323": "d", "\u0327": "c",
}  # fmt: skip
_KNOWN = _SPECIAL | _WORDS | {sign: f"${name}$" for sign, name in _MATHS.items()}
_JOINED = "-',"  # two of one kind would become a dash or a quote


def escaped(text: str) -> str:
    r"""One line of LaTeX that prints the text: runs of white space are one space, what only steers the layout of Unicode is left out.

    A sign that pdflatex has no letter for is named by its code point, so that nothing is lost in silence.

    >>> escaped("50 % of R&D_1, κ ≥ .67"), escaped("Zoë [x]"), escaped("中")
    ('50 \\% of R\\&D\\_1, $\\kappa$ $\\geq$ .67', 'Zo\\"{e} {[}x{]}', '{[}U+4E2D{]}')
    """
    line = " ".join(unicodedata.normalize("NFC", text).split())
    return "".join(("{}" if one == before and one in _JOINED else "") + _sign(one) for before, one in pairwise(f" {line}"))


def _sign(sign: str) -> str:
    if sign in _KNOWN:
        return _KNOWN[sign]
    if sign.isascii() and sign.isprintable():
        return sign
    if unicodedata.category(sign) == "Cf":
        return ""
    apart = unicodedata.normalize("NFD", sign)
    letter, marks = apart[0], apart[1:]
    if not (letter.isascii() and letter.isalpha() and marks and all(mark in _ACCENTS for mark in marks)):
        return f"{{[}}U+{ord(sign):04X}{{]}}"
    accented = f"\\{letter}" if letter in "ij" else letter
    for mark in marks:
        accented = f"\\{_ACCENTS[mark]}{{{accented}}}"
    return accented
