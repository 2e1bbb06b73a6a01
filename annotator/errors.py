"""The errors a person may meet: each is a sentence, with the HTTP status and exit code it leads to.

    AnnotatorError            500  something of ours
    ├── BadInput              422  a file, form or option that cannot be used; nothing was changed
    ├── NotSignedIn           401
    ├── Forbidden             403  signed in, but this role may not
    ├── NotFound              404  does not exist, or is not yours: the two are never told apart
    ├── Conflict              409  refused by what was said before (handed in, used elsewhere, being worked on)
    │   └── Outdated          409  the page knew an older state than the one that stands
    └── TooManyTries          429
"""

from collections.abc import Iterable
from typing import Any


class AnnotatorError(Exception):
    """A sentence for the user: what was wrong, where, and what to do."""

    status = 500


class BadInput(AnnotatorError):
    status = 422


class NotSignedIn(AnnotatorError):
    status = 401


class Forbidden(AnnotatorError):
    status = 403


class NotFound(AnnotatorError):
    status = 404


class Conflict(AnnotatorError):
    status = 409


class Outdated(Conflict):
    """`rows` is what stands of what the page showed, for showing it anew."""

    def __init__(self, sentence: str, rows: Iterable[Any] = ()) -> None:
        super().__init__(sentence)
        self.rows = tuple(rows)


class TooManyTries(AnnotatorError):
    status = 429
