"""What `agree` is asked and makes: its options read, labels fetched, figures made, files written, its gate."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from annotator import each_label, load_taxonomy, read_labels
from annotator.cli.shared import opened, say
from annotator.core.agreement import Asked, if_merged, sample_of_rows
from annotator.core.labelled import Labelled
from annotator.core.taxonomy import Taxonomy
from annotator.errors import BadInput, Conflict
from annotator.settings import read_settings

if TYPE_CHECKING:
    from annotator.core.agreement.methods import Facts

Place = tuple[Path | None, str | None]
"""A project's folder and its database's URL."""


@dataclass(frozen=True)
class Source:
    """Whose labels, and which: those of a long CSV, with or without the taxonomy of its codes, else those of the project at a place."""

    file: Path | None
    taxonomy_file: Path | None
    asked: Asked
    place: Place

    def __post_init__(self) -> None:
        if self.taxonomy_file is not None and self.file is None:
            raise BadInput("--taxonomy is for a table; a project has its own. Name the table too, or leave --taxonomy out.")

    @property
    def taxonomy(self) -> Taxonomy | None:
        """The taxonomy of the table, where one is given."""
        return None if self.taxonomy_file is None else load_taxonomy(self.taxonomy_file)


# What is asked


def two(names: str | None) -> tuple[str, str] | None:
    """The two annotators of `--between`.

    >>> two("ana, ben"), two(None)
    (('ana', 'ben'), None)
    """
    if names is None:
        return None
    found = [name.strip() for name in names.split(",")]
    if len(found) != 2 or not all(found) or found[0] == found[1]:
        raise BadInput(f"--between {names} does not name two annotators. Write it like --between ana,ben.")
    return found[0], found[1]


def threshold_of(given: float | None, gate: float | None, place: Place) -> float:
    """What the lower limit is held against: the option, else the gate's, else the project's setting."""
    said = gate if given is None else given
    return read_settings(*place).agreement_threshold if said is None else said


def becoming(pairs: Iterable[str]) -> dict[str, str]:
    """Which code becomes which, of `--what-if`.

    >>> becoming(["PIP=PEP", "Seeker/RP = IQ"])
    {'PIP': 'PEP', 'Seeker/RP': 'IQ'}
    """
    found: dict[str, str] = {}
    for pair in pairs:
        old, _, new = (part.strip() for part in pair.partition("="))
        if not old or not new or old.rpartition("/")[2] == new:
            raise BadInput(f"--what-if {pair} does not say which code becomes which. Write it like PIP=PEP or Seeker/PIP=PEP.")
        if found.setdefault(old, new) != new:
            raise BadInput(f"--what-if makes both {found[old]} and {new} of {old}. Choose one.")
    return found


# What is made


def make(source: Source, becomes: Mapping[str, str], out: Path | None, most_pairs: int | None) -> dict[str, Any]:
    """All figures, with "what_if_asked" where codes shall become others; written into a folder, too, where there is one. Unless they are
    written there are none of every pair where there are more than `most_pairs`, as they take long.
    """
    most_pairs = most_pairs if out is None else None
    if source.file is None:
        return _of_project(source, becomes, out, most_pairs)
    return _of_table(source.file, source, becomes, out, most_pairs)


def _of_table(file: Path, source: Source, becomes: Mapping[str, str], out: Path | None, most_pairs: int | None) -> dict[str, Any]:
    from annotator.flow import agreement
    from annotator.flow.agreement_facts import facts_of_rows
    from annotator.flow.agreement_labels import labels_of

    taxonomy, asked = source.taxonomy, source.asked
    rows = read_labels(file) if becomes or out is not None else each_label(file)  # kept where they are asked more than once
    figures = agreement.report_of(rows, asked, taxonomy, most_pairs)
    if becomes:
        figures["what_if_asked"] = if_merged(sample_of_rows(rows), asked, becomes)
    if out is not None:
        _write(out, figures, facts_of_rows(rows, asked, taxonomy), labels_of(rows, asked))
    return figures


def _of_project(source: Source, becomes: Mapping[str, str], out: Path | None, most_pairs: int | None) -> dict[str, Any]:
    from annotator.flow import agreement
    from annotator.flow.access import EVERYTHING
    from annotator.flow.agreement_facts import facts_of
    from annotator.flow.agreement_labels import labels_in

    asked = source.asked
    with opened(*source.place) as (_, database), database.reading() as session:
        figures = agreement.report(session, EVERYTHING, asked, most_pairs)
        if becomes:
            figures["what_if_asked"] = if_merged(agreement.read(session, EVERYTHING, asked)[0], asked, becomes)
        if out is not None:
            _write(out, figures, facts_of(session, EVERYTHING, asked), labels_in(session, EVERYTHING, asked))
    return figures


def _write(out: Path, figures: Mapping[str, Any], facts: "Facts", labels: Sequence[Labelled]) -> None:
    from annotator.flow.agreement_files import write_files

    names = write_files(figures, facts, labels, out)
    first = [name for name in names if "/" not in name]
    say(f"Wrote {', '.join(first)}, and {len(names) - len(first)} tables and figures, to {out}.")


def check_gate(figures: Mapping[str, Any], gate: float) -> None:
    """Raise `Conflict` where the lower limit of the headline figure is under the gate, or is not defined; `BadInput` where the figures
    are a saved report without it.
    """
    verdict = figures.get("verdict") or {}
    if not {"ci95", "sentence"} <= verdict.keys():
        raise BadInput("The report has no verdict to hold --gate against. Save it anew with `annotator agree --json`.")
    interval, sentence = verdict["ci95"], verdict["sentence"]
    if interval is None:
        raise Conflict(f"The gate of {gate:g} is not passed: {sentence}.")
    if interval[0] < gate:
        raise Conflict(f"The gate of {gate:g} is not passed: the lower 95 % limit is {interval[0]:.3f}.")
