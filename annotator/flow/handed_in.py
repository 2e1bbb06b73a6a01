"""The labels that agreement is made of, read as one sample: those of the first submission, or those that stand now."""

import json
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Text, cast, func, select
from sqlmodel import Session, col

from annotator.core.agreement import Handed, sample_of
from annotator.core.labelled import split_codes
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

_CHUNK = 500


def handed_in(session: Session, view: View, round_name: str | None = None) -> "Sample":
    """What was handed in, with repeats, as far as the view may compare it; of one round, or of all.

    One person's view has the others as `annotator-1` and so on.
    """
    return _sample(session, view, round_name, {})


def as_it_stands(session: Session, view: View, round_name: str | None = None) -> "tuple[Sample, int] | None":
    """The same with the labels that stand now, after discussions and second thoughts, and how many utterances' labels changed.

    None where nothing changed since the first submission.
    """
    touched = list(session.scalars(_TOUCHED))
    if not touched:
        return None
    only = col(FirstLabels.assignment_id).in_(touched)
    before = {row.assignment: row.labels for row in rows_handed_in(session, view, round_name, only)}
    changed: dict[int, Labels] = {}
    n_changed = 0
    found = side_by_side(session, session.execute(standing(col(Decision.assignment_id).in_(sorted(before)))))
    for assignment_id, labels in before.items():
        # Where every label was taken back there is nothing to find.
        stands = found.get(assignment_id) or {role: [None] * len(said) for role, said in labels.items()}
        n = sum(_codes(a) != _codes(b) for role, said in labels.items() for a, b in zip(stands[role], said, strict=True))
        if n:
            changed[assignment_id], n_changed = stands, n_changed + n
    return (_sample(session, view, round_name, changed), n_changed) if changed else None


def _codes(label: str | bool | None) -> frozenset[str] | bool | None:
    """The order of codes, which files may have as they like, is nothing that was said."""
    return frozenset(split_codes(label)) if isinstance(label, str) else label


def _sample(session: Session, view: View, round_name: str | None, instead: Mapping[int, Labels]) -> "Sample":
    """The first labels, but for the assignments whose labels are given."""
    if view.only_user_id is None:
        names = shown_names(session, view)
    else:
        names = _own_names(session, view.only_user_id, rows_handed_in(session, view, round_name))
    return sample_of(
        Handed(names[user_id], conversation, role, said, round_, condition, version, repeat)
        for assignment, labels, user_id, conversation, round_, condition, version, repeat in rows_handed_in(session, view, round_name)
        for role, said in instead.get(assignment, labels).items()
    )


class HandedIn(NamedTuple):
    """What was handed in of an assignment."""

    assignment: int
    labels: Labels
    user_id: int
    conversation: str
    round: str
    condition: str
    version: str
    repeat: bool


def rows_handed_in(session: Session, view: View, round_name: str | None, *where: ColumnElement[bool]) -> Iterator[HandedIn]:
    """What was handed in, assignment by assignment, never all of it at once; many labels are decoded together, which is quicker.

    `where` are more conditions on assignment, round and conversation.
    """
    columns: tuple[Any, ...] = (
        col(FirstLabels.assignment_id), cast(col(FirstLabels.labels), Text), col(Assignment.user_id), col(Conversation.key),
        col(Round.name), col(RoundConversation.condition), col(TaxonomyVersion.fingerprint), col(Assignment.repeat),
    )  # fmt: skip
    statement: Select[Any] = (
        select(*columns)
        .select_from(FirstLabels)
        .join(Assignment, col(Assignment.id) == col(FirstLabels.assignment_id))
        .join(Round, col(Round.id) == col(Assignment.round_id))
        .join(Conversation, col(Conversation.id) == col(Assignment.conversation_id))
        .join(RoundConversation, PLACED)
        .join(TaxonomyVersion, col(TaxonomyVersion.id) == col(FirstLabels.taxonomy_version_id))
        .where(compared(view, repeats=True), *where)
        .order_by(col(Assignment.conversation_id), col(FirstLabels.assignment_id))
    )
    found = session.connection().execute(statement if round_name is None else statement.where(col(Round.name) == round_name))
    for rows in found.partitions(_CHUNK):
        labels = json.loads(f"[{','.join(row[1] for row in rows)}]")
        yield from (HandedIn(row[0], said, *row[2:]) for row, said in zip(rows, labels, strict=True))


def _own_names(session: Session, user_id: int, rows: Iterable[HandedIn]) -> dict[int, str]:
    """User id → what one person may call them: themselves by name, the others by numbers that tell nothing of who they are.

    The order depends on the rounds and on who asks, so that numbers of two answers cannot be matched; and on what only the
    database knows of the others, so that nobody can work it out.
    """
    rows = list(rows)
    asked = f"{user_id} {sorted({row.round for row in rows})}"

    def place(other: int) -> bytes:
        user = session.get_one(User, other)
        return sha256(f"{asked} {other} {user.password_hash} {user.link_hash}".encode()).digest()

    others = sorted({row.user_id for row in rows} - {user_id}, key=place)
    own = session.get_one(User, user_id).name
    free = (name for number in count(1) if (name := f"annotator-{number}") != own)
    return {user_id: own} | dict(zip(others, free, strict=False))


_first = (
    select(col(Submission.assignment_id), func.min(col(Submission.id)).label("id"))
    .where(col(Submission.handed_in))
    .group_by(col(Submission.assignment_id))
    .subquery("first")
)
_later = select(col(Decision.id)).where(
    col(Decision.assignment_id) == col(Submission.assignment_id),
    col(Decision.id) > col(Submission.last_decision_id),
    col(Decision.act_key).is_not(None),
)
_TOUCHED = select(col(Submission.assignment_id)).join(_first, _first.c.id == col(Submission.id)).where(_later.exists())
"""The assignments in which something was done after the first submission."""
