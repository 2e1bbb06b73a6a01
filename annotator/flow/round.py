"""Rounds: which conversations which annotators label, over which pinned run and taxonomy version.

This first form gives all conversations to all named annotators, assisted.
"""

from dataclasses import dataclass, field

from sqlalchemy import func, insert, select
from sqlmodel import Session, col

from annotator.errors import BadInput, Conflict
from annotator.flow.access import Right, may
from annotator.flow.accounts import get_user
from annotator.flow.runs import get_run, newest_run
from annotator.flow.taxonomy import current
from annotator.models import Assignment, Condition, Conversation, Round, RoundConversation, User, Utterance


@dataclass(frozen=True, slots=True)
class Wanted:
    """A round as the lead asks for it.

    `overlap` is how many annotators each conversation gets (None: all of them); `blind` and `repeats` are shares, 0 to 1;
    `selection` says which conversations, as in `flow/runs.py`'s Order; `run_id` None means the newest run.
    """

    name: str
    annotators: tuple[str, ...]
    overlap: int | None = None
    blind: float = 0.0
    repeats: float = 0.0
    seed: int = 1
    run_id: int | None = None
    taxonomy: str = ""
    """The fingerprint of a taxonomy version, or its beginning; empty is the newest."""
    selection: dict[str, list[str]] = field(default_factory=dict)
    instructions: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """What a new round holds."""

    name: str
    conversations: int
    left_out: int
    annotators: tuple[str, ...]
    run_id: int | None


def create_round(session: Session, wanted: Wanted) -> Made:
    """Make a round of all conversations for all named annotators, assisted by one run (the newest, unless given)."""
    name, annotators, run_id = wanted.name.strip(), wanted.annotators, wanted.run_id
    if not name or len(name) > 60 or not name.isprintable():
        raise BadInput(f"{name!r} cannot be a round's name: use 1 to 60 printable characters.")
    if session.scalars(select(Round).where(col(Round.name) == name)).first():
        raise Conflict(f"There is a round {name} already. Choose another name; rounds are never overwritten.")
    users = [_annotator(session, annotator) for annotator in dict.fromkeys(annotators)]
    if not users:
        raise BadInput("A round needs at least one annotator: --annotators ana,ben.")
    run = get_run(session, run_id) if run_id is not None else newest_run(session)
    version, taxonomy = current(session)
    conversations = _with_codes(session, taxonomy.roles)
    if not conversations:
        raise BadInput("There are no conversations with roles of the taxonomy yet. Import some with `annotator import` first.")
    everything = session.scalar(select(func.count()).select_from(Conversation)) or 0
    made = Round(name=name, run_id=run.id if run else None, taxonomy_version_id=version.id or 0)
    session.add(made)
    session.flush()
    condition = Condition.ASSISTED if run else Condition.BLIND
    placed = [{"round_id": made.id, "conversation_id": one, "condition": condition} for one in conversations]
    assigned = [{"round_id": made.id, "conversation_id": one, "user_id": user.id} for user in users for one in conversations]
    session.connection().execute(insert(RoundConversation), placed)
    session.connection().execute(insert(Assignment), assigned)
    return Made(name, len(conversations), everything - len(conversations), tuple(user.name for user in users), made.run_id)


def _with_codes(session: Session, roles: tuple[str, ...]) -> list[int]:
    """The conversations in which the taxonomy has codes for somebody."""
    speaking = select(col(Utterance.conversation_id)).where(col(Utterance.role).in_(roles))
    statement = select(col(Conversation.id)).where(col(Conversation.id).in_(speaking)).order_by(col(Conversation.id))
    return [one or 0 for one in session.scalars(statement)]


def list_rounds(session: Session) -> list[tuple[Round, int, int]]:
    """Every round made here, with its numbers of conversations and annotators."""
    statement = (
        select(Round, func.count(col(Assignment.conversation_id).distinct()), func.count(col(Assignment.user_id).distinct()))
        .join(Assignment, col(Assignment.round_id) == col(Round.id))
        .where(col(Round.name) != "")
        .group_by(col(Round.id))
        .order_by(col(Round.id))
    )
    return [(row[0], row[1], row[2]) for row in session.execute(statement)]


def _annotator(session: Session, name: str) -> User:
    user = get_user(session, name)
    if not may(user, Right.ANNOTATE):
        raise BadInput(f"{name} is {'disabled' if user.disabled_at else f'a {user.role}'} and cannot annotate.")
    return user
