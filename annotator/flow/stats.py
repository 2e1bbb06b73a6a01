"""What a project holds, counted."""

from collections import Counter
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from annotator.core.labelled import split_codes
from annotator.flow.standing import standing
from annotator.models import Assignment, Conversation, Kind, Turn, User, Utterance


def count_all(session: Session) -> dict[str, Any]:
    """Conversations, turns, utterances, tokens (split at white space), per role and in all, and what each annotator labelled."""
    turns: dict[str, int] = {row[0]: row[1] for row in session.execute(select(col(Turn.role), func.count()).group_by(col(Turn.role)))}
    utterances: Counter[str] = Counter()
    tokens: Counter[str] = Counter()
    for role, text in session.execute(select(col(Utterance.role), col(Utterance.text)).execution_options(yield_per=5000)):
        utterances[role] += 1
        tokens[role] += len(text.split())
    roles = {role: {"turns": turns[role], "utterances": utterances[role], "tokens": tokens[role]} for role in sorted(turns)}
    return {
        "conversations": session.scalar(select(func.count()).select_from(Conversation)),
        "turns": sum(turns.values()),
        "utterances": utterances.total(),
        "tokens": tokens.total(),
        "roles": roles,
        "annotators": _count_labels(session),
    }


def _count_labels(session: Session) -> dict[str, dict[str, Any]]:
    """Annotator → labels by number of codes, skips, and how often each role's codes were used; what was asked once more aside."""
    current = standing().subquery("current")
    statement = (
        select(col(User.name), col(Utterance.role), current.c.kind, current.c.codes)
        .join(Assignment, col(Assignment.id) == current.c.assignment_id)
        .join(User, col(User.id) == col(Assignment.user_id))
        .join(Utterance, col(Utterance.id) == current.c.utterance_id)
        .where(~col(Assignment.repeat))
    )
    found: dict[str, dict[str, Any]] = {}
    for name, role, kind, cell in session.execute(statement):
        mine = found.setdefault(name, {"labels": 0, "skipped": 0, "by_number_of_codes": Counter(), "codes": {}})
        if kind == Kind.SKIP:
            mine["skipped"] += 1
            continue
        codes = split_codes(cell)
        mine["labels"] += 1
        mine["by_number_of_codes"][str(len(codes))] += 1
        mine["codes"].setdefault(role, Counter()).update(codes)
    return dict(sorted(found.items()))
