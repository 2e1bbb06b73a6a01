"""The figures of agreement, checked by other means: `agree --verify`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from annotator.cli.agreement_figures import Source
from annotator.cli.shared import opened, show
from annotator.errors import BadInput


def verify(source: Source, saved: Path | None, as_json: bool) -> dict[str, Any]:
    """Print what came of verifying a saved report, or one made now of these labels, and return the report; an `AnnotatorError` where a
    figure differs.
    """
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
    return report


def refuse(unused: Mapping[str, bool]) -> None:
    """Raise `BadInput` where options are given that verifying has no use for.

    >>> refuse({"--csv": False})
    """
    if names := [name for name, given in unused.items() if given]:
        raise BadInput(f"Verifying prints what differs, and nothing for {', '.join(names)}. Ask for that without --verify and --report.")
