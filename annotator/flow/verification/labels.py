"""The judgements that a project's report is made of, read anew from the decisions, not from what was kept of them at handing in."""

from sqlalchemy import select
from sqlmodel import Session, col

from annotator.core.agreement import Asked, Judgement
from annotator.core.labelled import split_codes
from annotator.flow.access import EVERYTHING, PLACED, compared
from annotator.flow.agreement import Codebook, codebook_of
from annotator.flow.corpus import shown_names
from annotator.flow.standing import first_submitted
from annotator.flow.taxonomy import current, current_version
from annotator.models import Assignment, Conversation, Kind, Round, RoundConversation, Utterance


def judgements_in(session: Session, asked: Asked) -> list[Judgement]:
    """What stood at the first submissions, of the round, condition and annotators asked for, repeats left out; a skip has no codes."""
    labels = first_submitted().subquery("labels")
    statement = (
        select(
            labels.c.kind, labels.c.codes, col(Assignment.user_id),
            col(Conversation.key).label("conversation"), col(Utterance.key).label("utterance"), col(Utterance.role),
        )
        .join(Assignment, col(Assignment.id) == labels.c.assignment_id)
        .join(Round, col(Round.id) == col(Assignment.round_id))
        .join(RoundConversation, PLACED)
        .join(Conversation, col(Conversation.id) == col(Assignment.conversation_id))
        .join(Utterance, col(Utterance.id) == labels.c.utterance_id)
        .where(compared(EVERYTHING))
    )  # fmt: skip
    if asked.round is not None:
        statement = statement.where(col(Round.name) == asked.round)
    if asked.condition is not None:
        statement = statement.where(col(RoundConversation.condition) == asked.condition)
    names = shown_names(session, EVERYTHING)
    return [
        Judgement(
            names[row.user_id], row.conversation, row.utterance, row.role,
            None if row.kind == Kind.SKIP else frozenset(split_codes(row.codes)),
        )
        for row in session.execute(statement.order_by(col(Conversation.id), col(Utterance.position)))
        if asked.between is None or names[row.user_id] in asked.between
    ]  # fmt: skip


def codebook_in(session: Session) -> Codebook:
    """The taxonomy in force as role → code → category."""
    return codebook_of(current(session)[1] if current_version(session) is not None else None)
