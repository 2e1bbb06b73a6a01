"""Labels at the first submission, kept side by side per assignment: written when it is handed in, read for figures."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, delete, insert, select
from sqlmodel import Session, col

from annotator.flow.standing import first_submitted
from annotator.models import Assignment, Decision, FirstLabels, Kind, Submission, Utterance

_CHUNK = 500

Labels = dict[str, list[str | bool | None]]


def remember(session: Session, assignment_ids: Iterable[int], *, anew: bool = True) -> None:
    """Keep what stood at the first submission of these assignments; where it is kept already, only if wanted `anew`."""
    wanted = sorted(set(assignment_ids))
    if not anew:
        kept = select(col(FirstLabels.assignment_id)).where(col(FirstLabels.assignment_id).in_(wanted))
        wanted = sorted(set(wanted) - set(session.scalars(kept)))
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        session.execute(delete(FirstLabels).where(col(FirstLabels.assignment_id).in_(chunk)))
        if rows := _rows(session, chunk):
            session.execute(insert(FirstLabels), rows)


def remember_all(session: Session) -> None:
    """Keep what is not kept yet, of a project of an older version."""
    missing = select(col(Submission.assignment_id)).distinct().where(col(Submission.handed_in))
    remember(session, session.scalars(missing.where(col(Submission.assignment_id).not_in(select(col(FirstLabels.assignment_id))))).all())


def _rows(session: Session, assignment_ids: list[int]) -> list[dict[str, Any]]:
    decisions = session.execute(first_submitted(col(Decision.assignment_id).in_(assignment_ids))).all()
    versions: dict[int, int] = {}
    for row in decisions:
        versions[row.assignment_id] = max(row.taxonomy_version_id, versions.get(row.assignment_id, 0))
    found = side_by_side(session, decisions)
    return [{"assignment_id": at, "labels": labels, "taxonomy_version_id": versions[at]} for at, labels in found.items()]


def side_by_side(session: Session, decisions: Iterable[Any]) -> dict[int, Labels]:
    """Assignment id → the labels of these decisions as `FirstLabels` has them, for assignments that have any."""
    said: dict[int, dict[int, str | bool]] = defaultdict(dict)
    for row in decisions:
        said[row.assignment_id][row.utterance_id] = False if row.kind == Kind.SKIP else row.codes
    of_utterance: tuple[Any, ...] = (col(Assignment.id), col(Utterance.id).label("utterance_id"), col(Utterance.role))
    utterances: Select[Any] = (
        select(*of_utterance)
        .join(Utterance, col(Utterance.conversation_id) == col(Assignment.conversation_id))
        .where(col(Assignment.id).in_(list(said)))
        .order_by(col(Utterance.position))
    )
    labels: dict[int, Labels] = {at: {} for at in said}
    for row in session.execute(utterances):
        labels[row.id].setdefault(row.role, []).append(said[row.id].get(row.utterance_id))
    return labels
