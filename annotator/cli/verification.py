"""The figures of agreement, checked by other means: `agree --verify`."""

from pathlib import Path

from annotator.cli.agreement_figures import Source
from annotator.cli.shared import opened, show


def verify(source: Source, saved: Path | None, as_json: bool) -> None:
    """Print what came of verifying a saved report, or one made now of these labels; an `AnnotatorError` where a figure differs."""
    from annotator import read_labels
    from annotator.flow import agreement, verification
    from annotator.flow.access import EVERYTHING

    verification.check_installed()
    report, asked = verification.read_report(saved) if saved is not None else None, source.asked
    if source.file is not None:
        rows, taxonomy = read_labels(source.file), source.taxonomy
        report = agreement.report_of(rows, asked, taxonomy) if report is None else report
        data = verification.data_of(rows, taxonomy)
    else:
        with opened(*source.place) as (_, database), database.reading() as session:
            report = agreement.report(session, EVERYTHING, asked) if report is None else report
            data = verification.data_in(session)
    done = verification.verify(data, report, asked)
    if as_json:
        show(done.as_dict())
    else:
        print(verification.as_text(done))
    verification.refuse_if_different(done)
