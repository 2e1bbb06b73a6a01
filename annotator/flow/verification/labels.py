"""The labels that a report is made of, read anew: of a project from the decisions, not from what was kept of them at handing in."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, func, select
from sqlmodel import Session, col

from annotator.core.agreement import Corpus
from annotator.core.labelled import Labelled, split_codes
from annotator.core.taxonomy import Taxonomy
from annotator.flow.access import EVERYTHING, PLACED, compared
from annotator.flow.agreement import codebook_of
from annotator.flow.corpus import shown_names
from annotator.flow.standing import first_submitted, standing
from annotator.flow.taxonomy import current, current_version
from annotator.flow.verification.said import Data, Row
from annotator.models import Assignment, Conversation, Decision, Kind, Round, RoundConversation, Utterance


def data_in(session: Session) -> Data:
    """What stood at the first submissions and what stands now, and what else a project knows."""
    known = current(session)[1] if current_version(session) is not None else None
    n = session.scalar(select(func.count()).select_from(Conversation)) or 0
    by_role = select(col(Utterance.role), func.count()).group_by(col(Utterance.role))
    corpus = Corpus(n, dict(tuple(row) for row in session.execute(by_role)))
    # Who handed in without a single label is in no figure, also not in that of the labels that stand now.
    now = standing(col(Decision.assignment_id).in_(select(first_submitted().subquery("labelled").c.assignment_id)))
    return Data(_rows(session, first_submitted()), codebook_of(known), corpus, _rows(session, now))


def data_of(rows: Iterable[Labelled], taxonomy: Taxonomy | None = None) -> Data:
    """The same of a long table; rows without an annotator say only which utterances there are."""
    rows = list(rows)
    roles = Counter(role for _, _, role in {(row.conversation, row.utterance, row.role) for row in rows})
    said = [
        Row(row.annotator, row.conversation, row.utterance, row.role, frozenset(row.codes), row.round, row.condition, row.repeat)
        for row in rows if row.annotator
    ]  # fmt: skip
    return Data(said, codebook_of(taxonomy), Corpus(len({row.conversation for row in rows}), roles))


def _rows(session: Session, decisions: Select[Any]) -> list[Row]:
    labels = decisions.subquery("labels")
    statement = (
        select(
            labels.c.kind, labels.c.codes, col(Assignment.user_id), col(Assignment.repeat), col(RoundConversation.condition),
            col(Round.name).label("round"), col(Conversation.key).label("conversation"), col(Utterance.key).label("utterance"),
            col(Utterance.role),
        )
        .join(Assignment, col(Assignment.id) == labels.c.assignment_id)
        .join(Round, col(Round.id) == col(Assignment.round_id))
        .join(RoundConversation, PLACED)
        .join(Conversation, col(Conversation.id) == col(Assignment.conversation_id))
        .join(Utterance, col(Utterance.id) == labels.c.utterance_id)
        .where(compared(EVERYTHING, repeats=True))
        .order_by(col(Conversation.id), col(Utterance.position))
    )  # fmt: skip
    names = shown_names(session, EVERYTHING)
    return [
        Row(
            names[row.user_id], row.conversation, row.utterance, row.role,
            None if row.kind == Kind.SKIP else frozenset(split_codes(row.codes)), row.round, str(row.condition), row.repeat,
        )
        for row in session.execute(statement)
    ]  # fmt: skip
