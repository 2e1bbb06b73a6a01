"""All of agreement as files of a folder: figures, tables, drawings, the methods paragraph, the labels and every pair of them."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path
from re import sub
from typing import Any

from annotator.core.agreement.methods import Facts, methods, methods_latex
from annotator.core.agreement.pictures import figures_svg
from annotator.core.agreement.tables import for_paper, tables
from annotator.core.labelled import REPEAT, REQUIRED, Labelled, join_codes
from annotator.core.table import as_csv
from annotator.errors import BadInput
from annotator.exporters.figure import as_pdf, as_png

PAIR_FILE, LABEL_FILE = "pairs.csv", "labels.csv"
_PAIRS = ("conversation", "utterance", "role", "round", "condition", "annotator_a", "codes_a", "annotator_b", "codes_b")
_LONGEST = 80
"""So many bytes, in UTF-8, the name of a drawing's file has at most, without its ending."""
_FURTHER = ("condition", "round", "taxonomy_version")


def write_files(figures: Mapping[str, Any], facts: Facts, labels: Sequence[Labelled], folder: Path) -> list[str]:
    """Write everything into a folder, made where it is not there, and return the names; files of an earlier time are written anew.

    Raises `BadInput` where a file is in the way or nothing may be written.
    """
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is a file. Give --out a folder.")
    contents = dict(_contents(figures, replace(facts, pair_file=PAIR_FILE), labels))
    try:
        for name, content in contents.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
    except OSError as error:
        raise BadInput(f"{folder} cannot be written ({error.strerror}). Give --out another folder.") from error
    return list(contents)


def _contents(figures: Mapping[str, Any], facts: Facts, labels: Sequence[Labelled]) -> Iterator[tuple[str, str | bytes]]:
    yield "agreement.json", json.dumps(figures, indent=2, ensure_ascii=False) + "\n"
    yield PAIR_FILE, pairs_csv(labels)
    yield LABEL_FILE, labels_csv(labels)
    yield "methods.txt", methods(figures, facts) + "\n"
    yield "methods.tex", methods_latex(figures, facts)
    for table in tables(figures):
        yield f"tables/{table.name}.csv", table.csv()
        yield f"tables/{table.name}.tex", for_paper(table).latex()
    on_paper = {"png": as_png, "pdf": as_pdf} if find_spec("vl_convert") else {}
    for name, svg in figures_svg(figures).items():
        stem = f"figures/{file_stem(name)}"
        yield f"{stem}.svg", svg
        for ending, converted in on_paper.items():
            yield f"{stem}.{ending}", converted(svg)


def file_stem(name: str) -> str:
    """The name of a drawing as that of a file: what is no letter, digit or hyphen by its number, and of a long one the beginning and a
    hash of all of it, so that two drawings are never one file.

    >>> file_stem("confusion-Über.ich"), file_stem("a_b"), len(file_stem("?" * 100))
    ('confusion-Über_2e_ich', 'a_5f_b', 80)
    """
    stem = sub(r"[^\w-]|_", lambda sign: f"_{ord(sign[0]):x}_", name)
    if len(stem.encode()) <= _LONGEST:
        return stem
    return f"{stem.encode()[: _LONGEST - 9].decode(errors='ignore')}-{sha256(name.encode()).hexdigest()[:8]}"


def pairs_csv(labels: Iterable[Labelled]) -> str:
    """Every pair of labels of one utterance by two annotators, a row each; repeats are in none. Round and condition are both there,
    joined by `|`, where they are not the same.

    >>> said = [Labelled("c1", "1", "Seeker", who, codes, round="r1") for who, codes in (("ben", ("RP",)), ("ana", ("IQ", "ACK")))]
    >>> pairs_csv(said).splitlines()[1]
    'c1,1,Seeker,r1,,ana,ACK|IQ,ben,RP'
    """
    met: dict[tuple[str, str, str], list[Labelled]] = defaultdict(list)
    for one in labels:
        if one.annotator and not one.repeat:
            met[one[:3]].append(one)
    pairs = ((where, *two) for where, said in met.items() for two in combinations(sorted(said, key=lambda one: one.annotator), 2))
    return as_csv(
        _PAIRS,
        (
            (*where, _both(a.round, b.round), _both(a.condition, b.condition), a.annotator, _codes(a), b.annotator, _codes(b))
            for where, a, b in pairs
        ),
    )


def _both(a: str, b: str) -> str:
    return a if a == b else f"{a}|{b}"


def _codes(label: Labelled) -> str:
    return join_codes(sorted(label.codes))


def labels_csv(labels: Sequence[Labelled]) -> str:
    """The labels as a long table, which `agree` reads; with the column `repeat` where there are repeats.

    >>> labels_csv([Labelled("c1", "1", "Seeker", "ana", ("IQ", "ACK"), condition="blind")]).splitlines()
    ['conversation,utterance,role,annotator,codes,condition,round,taxonomy_version', 'c1,1,Seeker,ana,ACK|IQ,blind,,']
    """
    repeats = any(one.repeat for one in labels)
    rows = (
        (*one[:4], _codes(one), *(getattr(one, name) for name in _FURTHER), *(["1" if one.repeat else ""] if repeats else []))
        for one in labels
    )
    return as_csv((*REQUIRED, *_FURTHER, *([REPEAT] if repeats else [])), rows)
