"""Every figure of a report, computed anew from the labels by other means: public libraries, and formulas by the book.

The labels are read as plain rows (`labels`, `said`). What each figure should be is a tree shaped like the report (`figures`, `overview`,
`what_if`, `plan`), from libraries (`oracles`) and from formulas in fractions (`book`, `joint`). The report is held against it part by part
(`walk`, `compare`); what nothing can check is listed with the reason.
"""

from annotator.flow.verification.compare import Check, Note, Unverified, Verification
from annotator.flow.verification.labels import data_in, data_of
from annotator.flow.verification.report import as_text, check_installed, read_report, refuse_if_different
from annotator.flow.verification.said import Data, Row
from annotator.flow.verification.walk import verify

__all__ = [
    "Check",
    "Data",
    "Note",
    "Row",
    "Unverified",
    "Verification",
    "as_text",
    "check_installed",
    "data_in",
    "data_of",
    "read_report",
    "refuse_if_different",
    "verify",
]
