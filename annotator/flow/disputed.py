"""Where people disagree so far, by code: a look on the way, and no measure of agreement (that is `core/agreement.py`'s)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from annotator.core.labelled import split_codes
from annotator.flow.standing import first_submitted
from annotator.models import Assignment, Decision, Kind, Round, Utterance


@dataclass(frozen=True, slots=True)
class Disputed:
    """A code among utterances that two or more people labelled: on how many somebody used it, on how many not all did."""

    role: str
    code: str
    used: int
    disputed: int

    @property
    def share(self) -> float:
        """How much of its use is disputed."""
        return self.disputed / self.used


@dataclass(frozen=True, slots=True)
class Shared:
    """The utterances of a role that two or more people labelled, and how many of them have labels that differ."""

    role: str
    utterances: int
    differ: int


@dataclass(frozen=True, slots=True)
class Disagreement:
    """By role, and by code: what is disputed most comes first."""

    roles: tuple[Shared, ...]
    codes: tuple[Disputed, ...]


_BETWEEN = "||"
"""Between labels: a cell of codes neither begins nor ends with a bar, and holds no two in a row."""


def disagreement_of(session: Session, made: Round) -> Disagreement:
    """Over the labels that stood when each conversation was first handed in; skips, repeats and labels from files are out."""
    ordinary = select(col(Assignment.id)).where(col(Assignment.round_id) == made.id, ~col(Assignment.repeat))
    labels = first_submitted(
        col(Decision.assignment_id).in_(ordinary), col(Decision.kind).in_((Kind.CONFIRM, Kind.CHANGE, Kind.SKIP))
    ).subquery("labels")
    several = (
        select(labels.c.utterance_id, func.aggregate_strings(labels.c.codes, _BETWEEN).label("said"))
        .where(labels.c.kind != Kind.SKIP)
        .group_by(labels.c.utterance_id)
        .having(func.count() > 1)
        .subquery("several")
    )
    patterns = (
        select(col(Utterance.role), several.c.said, func.count())
        .join(Utterance, col(Utterance.id) == several.c.utterance_id)
        .group_by(col(Utterance.role), several.c.said)
    )
    return _counted(session.connection().execute(patterns))


def _counted(patterns: Iterable[Any]) -> Disagreement:
    """From (role, labels, how many utterances): there are few patterns, however many utterances."""
    utterances: Counter[str] = Counter()
    differ: Counter[str] = Counter()
    used: Counter[tuple[str, str]] = Counter()
    disputed: Counter[tuple[str, str]] = Counter()
    for role, said, n in patterns:
        labels = [frozenset(split_codes(cell)) for cell in said.split(_BETWEEN)]
        anybody, everybody = frozenset.union(*labels), frozenset.intersection(*labels)
        utterances[role] += n
        differ[role] += n if anybody != everybody else 0
        for code in anybody:
            used[role, code] += n
            disputed[role, code] += n if code not in everybody else 0
    codes = [Disputed(*code, n, disputed[code]) for code, n in used.items()]
    codes.sort(key=lambda one: (-one.disputed, -one.share, one.role, one.code))
    roles = [Shared(role, n, differ[role]) for role, n in sorted(utterances.items())]
    return Disagreement(tuple(roles), tuple(codes))
