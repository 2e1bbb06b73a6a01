"""The figures of agreement, checked by other means: `agree --verify`."""

from dataclasses import replace
from pathlib import Path

from annotator.cli.agreement_figures import Source
from annotator.cli.shared import opened, show


def verify(source: Source, saved: Path | None, as_json: bool) -> None:
    """Print what came of verifying a saved report, or one made now of these labels; an `AnnotatorError` where a figure differs."""
    from annotator import read_labels
    from annotator.flow import agreement, verification
    from annotator.flow.access import EVERYTHING
    from annotator.flow.agreement_facts import is_asked_for

    verification.check_installed()
    report, asked = verification.read_report(saved) if saved is not None else None, source.asked
    if source.file is not None:
        rows, taxonomy = read_labels(source.file), source.taxonomy
        report = agreement.report_of(rows, asked, taxonomy) if report is None else report
        everyone = agreement.judgements_of(row for row in rows if is_asked_for(row, replace(asked, between=None)))
        codebook = agreement.codebook_of(taxonomy)
    else:
        with opened(*source.place) as (_, database), database.reading() as session:
            report = agreement.report(session, EVERYTHING, asked) if report is None else report
            everyone = verification.judgements_in(session, replace(asked, between=None))
            codebook = verification.codebook_in(session)
    judgements = [one for one in everyone if asked.between is None or one.annotator in asked.between]
    done = verification.verify(judgements, report, codebook, everyone if asked.between else None)
    if as_json:
        show(done.as_dict())
    else:
        print(verification.as_text(done))
    verification.refuse_if_different(done)
