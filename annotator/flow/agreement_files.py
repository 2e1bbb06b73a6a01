"""All of agreement as files of a folder: figures, tables, drawings, the methods paragraph, and every pair of labels."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path
from re import sub
from typing import Any

from annotator.core.agreement import Judgement
from annotator.core.agreement.methods import Facts, methods, methods_latex
from annotator.core.agreement.pictures import figures_svg
from annotator.core.agreement.tables import for_paper, tables
from annotator.core.labelled import join_codes
from annotator.core.table import as_csv
from annotator.errors import BadInput
from annotator.exporters.figure import as_pdf, as_png

PAIR_FILE = "pairs.csv"
_PAIRS = ("conversation", "utterance", "role", "annotator_a", "codes_a", "annotator_b", "codes_b")


def write_files(figures: Mapping[str, Any], facts: Facts, judgements: Iterable[Judgement], folder: Path) -> list[str]:
    """Write everything into a folder, made where it is not there, and return the names; files of an earlier time are written anew.

    Raises `BadInput` where a file is in the way or nothing may be written.
    """
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is a file. Give --out a folder.")
    contents = dict(_contents(figures, replace(facts, pair_file=PAIR_FILE), judgements))
    try:
        for name, content in contents.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
    except OSError as error:
        raise BadInput(f"{folder} cannot be written ({error.strerror}). Give --out another folder.") from error
    return list(contents)


def _contents(figures: Mapping[str, Any], facts: Facts, judgements: Iterable[Judgement]) -> Iterator[tuple[str, str | bytes]]:
    yield "agreement.json", json.dumps(figures, indent=2, ensure_ascii=False) + "\n"
    yield PAIR_FILE, pairs_csv(judgements)
    yield "methods.txt", methods(figures, facts) + "\n"
    yield "methods.tex", methods_latex(figures, facts)
    for table in tables(figures):
        yield f"tables/{table.name}.csv", table.csv()
        yield f"tables/{table.name}.tex", for_paper(table).latex()
    on_paper = {"png": as_png, "pdf": as_pdf} if find_spec("vl_convert") else {}
    for name, svg in figures_svg(figures).items():
        stem = "figures/" + sub(r"[^\w-]", lambda sign: f"_{ord(sign[0]):x}", name)
        yield f"{stem}.svg", svg
        for ending, converted in on_paper.items():
            yield f"{stem}.{ending}", converted(svg)


def pairs_csv(judgements: Iterable[Judgement]) -> str:
    """Every pair of labels of one utterance by two annotators, a row each, so that others can work the figures out; skips are no labels.

    >>> said = [Judgement(who, "c1", "1", "Seeker", frozenset(codes)) for who, codes in (("ben", ("RP",)), ("ana", ("IQ", "ACK")))]
    >>> pairs_csv(said).splitlines()[1]
    'c1,1,Seeker,ana,ACK|IQ,ben,RP'
    """
    met: dict[tuple[str, str, str], dict[str, str]] = defaultdict(dict)
    for one in judgements:
        if one.codes is not None:
            met[one.conversation, one.utterance, one.role][one.annotator] = join_codes(sorted(one.codes))
    rows = ((*where, *a, *b) for where, said in met.items() for a, b in combinations(sorted(said.items()), 2))
    return as_csv(_PAIRS, rows)
