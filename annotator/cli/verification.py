"""The figures of agreement, checked by other means: `agree --verify`."""

from pathlib import Path
from typing import Any

from annotator.cli.shared import opened, show


def verify(file: Path | None, asked: Any, saved: Path | None, place: tuple[Path | None, str | None], as_json: bool) -> None:
    """Print what came of verifying a saved report, or one made now; an `AnnotatorError` where a figure differs.

    The labels are those of a long CSV, else of the project at `place`: its folder and its database's URL.
    """
    from annotator import read_labels
    from annotator.flow import agreement, verification, verification_labels, verification_report
    from annotator.flow.access import EVERYTHING

    verification_report.check_installed()
    report = verification_report.read_report(saved) if saved is not None else None
    if file is not None:
        rows = read_labels(file)
        report = agreement.report_of(rows, asked) if report is None else report
        chosen = [row for row in rows if asked.condition in (None, row.condition)]
        judgements, codebook = agreement.judgements_of(chosen, asked.round), {}
    else:
        with opened(*place) as (_, database), database.reading() as session:
            report = agreement.report(session, EVERYTHING, asked) if report is None else report
            judgements, codebook = verification_labels.judgements_in(session, asked), verification_labels.codebook_in(session)
    done = verification.verify(judgements, report, codebook)
    if as_json:
        show(done.as_dict())
    else:
        print(verification_report.as_text(done))
    verification_report.refuse_if_different(done)
