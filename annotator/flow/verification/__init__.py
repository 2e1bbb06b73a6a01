"""Every figure of a report, computed anew from the labels by other means: public libraries, and formulas by the book."""

from annotator.flow.verification.labels import codebook_in, judgements_in
from annotator.flow.verification.report import as_text, check_installed, read_report, refuse_if_different
from annotator.flow.verification.walk import Check, Note, Unverified, Verification, verify

__all__ = [
    "Check",
    "Note",
    "Unverified",
    "Verification",
    "as_text",
    "check_installed",
    "codebook_in",
    "judgements_in",
    "read_report",
    "refuse_if_different",
    "verify",
]
