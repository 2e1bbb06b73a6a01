"""The labels that agreement is made of, read as one sample: those of the first submission, or those that stand now."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, and_, func, select
from sqlmodel import Session, col

from annotator.core.agreement import Handed, sample_of
from annotator.flow.access import PLACED, View, compared
from annotator.flow.corpus import shown_names
from annotator.flow.first_labels import Labels, side_by_side
from annotator.flow.standing import standing
from annotator.models import (
    Assignment,
    Conversation,
    Decision,
    FirstLabels,
    Round,
    RoundConversation,
    Submission,
    TaxonomyVersion,
    User,
)  # fmt: skip

if TYPE_CHECKING:
    from annotator.core.agreement.sample import Sample


def handed_in(session: Session, view: View, round_name: str | None = None) -> "Sample":
    """What was handed in, with repeats, as far as the view may compare it; of one round, or of all.

    One person's view has the others as `annotator-1` and so on.
    """
    rows = _rows(session, view, round_name)
    return sample_of(_handed(rows, _names(session, view, rows), {}))


def as_it_stands(session: Session, view: View, round_name: str | None = None) -> "tuple[Sample, int] | None":
    """The same with the labels that stand now, after discussions and second thoughts, and how many utterances' labels changed.

    None where nothing changed since the first submission.
    """
    rows = _rows(session, view, round_name)
    by_assignment = {row.assignment_id: row for row in rows}
    changed: dict[int, Labels] = {}
    n_changed = 0
    decisions = session.execute(standing(col(Decision.assignment_id).in_(_touched(session, by_assignment))))
    for assignment_id, stands in side_by_side(session, decisions).items():
        before: Labels = by_assignment[assignment_id].labels
        n = sum(a != b for role, labels in stands.items() for a, b in zip(labels, before[role], strict=True))
        if n:
            changed[assignment_id], n_changed = stands, n_changed + n
    if not changed:
        return None
    return sample_of(_handed(rows, _names(session, view, rows), changed)), n_changed


def _rows(session: Session, view: View, round_name: str | None) -> list[Any]:
    columns: tuple[Any, ...] = (
        col(FirstLabels.assignment_id), col(FirstLabels.labels), col(TaxonomyVersion.fingerprint), col(Assignment.user_id),
        col(Assignment.repeat), col(Round.name).label("round_name"), col(Conversation.key), col(RoundConversation.condition),
    )  # fmt: skip
    statement: Select[Any] = (
        select(*columns)
        .select_from(FirstLabels)
        .join(Assignment, col(Assignment.id) == col(FirstLabels.assignment_id))
        .join(Round, col(Round.id) == col(Assignment.round_id))
        .join(Conversation, col(Conversation.id) == col(Assignment.conversation_id))
        .join(RoundConversation, PLACED)
        .join(TaxonomyVersion, col(TaxonomyVersion.id) == col(FirstLabels.taxonomy_version_id))
        .where(compared(view, repeats=True))
        .order_by(col(Assignment.conversation_id), col(FirstLabels.assignment_id))
    )
    return list(session.execute(statement if round_name is None else statement.where(col(Round.name) == round_name)))


def _names(session: Session, view: View, rows: list[Any]) -> dict[int, str]:
    return shown_names(session, view) if view.only_user_id is None else _own_names(session, view.only_user_id, rows)


def _handed(rows: Iterable[Any], names: Mapping[int, str], instead: Mapping[int, Labels]) -> Iterable[Handed]:
    for row in rows:
        labels: Labels = instead.get(row.assignment_id, row.labels)
        for role, said in labels.items():
            yield Handed(names[row.user_id], row.key, role, said, row.round_name, row.condition, row.fingerprint, row.repeat)


def _own_names(session: Session, user_id: int, rows: Iterable[Any]) -> dict[int, str]:
    """User id → what one person may call them: themselves by name, the others by numbers that tell nothing of who they are.

    The order depends on the rounds and on who asks, so that numbers of two answers cannot be matched; and on what only the
    database knows of the others, so that nobody can work it out.
    """
    rows = list(rows)
    asked = f"{user_id} {sorted({row.round_name for row in rows})}"

    def place(other: int) -> bytes:
        user = session.get_one(User, other)
        return sha256(f"{asked} {other} {user.password_hash} {user.link_hash}".encode()).digest()

    others = sorted({row.user_id for row in rows} - {user_id}, key=place)
    own = session.get_one(User, user_id).name
    free = (name for number in count(1) if (name := f"annotator-{number}") != own)
    return {user_id: own} | dict(zip(others, free, strict=False))


def _touched(session: Session, assignment_ids: Iterable[int]) -> list[int]:
    """Of these assignments, those in which something was done after the first submission."""
    first = (
        select(col(Submission.assignment_id), func.min(col(Submission.id)).label("id"))
        .where(col(Submission.handed_in))
        .group_by(col(Submission.assignment_id))
        .subquery("first")
    )
    newest = select(col(Decision.assignment_id), func.max(col(Decision.id)).label("id")).where(col(Decision.act_key).is_not(None))
    last = newest.group_by(col(Decision.assignment_id)).subquery("last")
    statement = (
        select(col(Submission.assignment_id))
        .join(first, first.c.id == col(Submission.id))
        .join(last, and_(last.c.assignment_id == col(Submission.assignment_id), last.c.id > col(Submission.last_decision_id)))
    )
    return sorted(set(session.scalars(statement)) & set(assignment_ids))
