"""The very utterances on which two labels met: from a cell of the confusion matrix to what was said."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session, col

from annotator.core.agreement import Asked, Meeting, meetings
from annotator.core.labelled import split_codes
from annotator.flow.access import agreement_view, still_labels
from annotator.flow.agreement import read
from annotator.models import Conversation, User, Utterance

PAGE = 50


@dataclass(frozen=True, slots=True)
class Confused:
    """An utterance that two annotators labelled, and what was said just before it."""

    conversation: str
    position: int
    text: str
    before: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One page of them: `n` in all, of which `kept_back` are of conversations that who looks has still to label."""

    rows: tuple[Confused, ...]
    n: int
    kept_back: int
    number: int

    @property
    def last(self) -> int:
        """The number of the last page."""
        return max(1, -(-(self.n - self.kept_back) // PAGE))


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of the confusion matrix of a role: two labels, each a set of codes joined by `|`."""

    role: str
    said: str
    other: str


def confused(session: Session, user: User, asked: Asked, cell: Cell, number: int = 1) -> Shown:
    """The utterances of one role on which one label met another, as far as this person may see them.

    Annotators see their own confusions of closed rounds. Nobody is shown what others said in a conversation they have still to label.
    """
    sample, asked, _ = read(session, agreement_view(user), asked)
    said, other = (frozenset(split_codes(label)) for label in (cell.said, cell.other))
    found = meetings(sample, asked, cell.role, said, other)
    open_to = _open_to(session, user, {one.conversation for one in found})
    shown = [one for one in found if one.conversation in open_to]
    number = max(1, number)
    if asked.of is not None:  # nobody learns by the conversations who the numbers of other pages are
        shown = [one._replace(second="another annotator") for one in shown]
    rows = _rows(session, cell.role, shown[(number - 1) * PAGE : number * PAGE])
    return Shown(rows, len(found), len(found) - len(shown), number)


def _open_to(session: Session, user: User, keys: set[str]) -> set[str]:
    statement = select(col(Conversation.key)).where(~still_labels(user.id, col(Conversation.id)))
    return set(session.scalars(statement)) & keys


def _rows(session: Session, role: str, found: list[Meeting]) -> tuple[Confused, ...]:
    statement = (
        select(col(Conversation.key), col(Utterance.position), col(Utterance.role), col(Utterance.text))
        .join(Conversation, col(Conversation.id) == col(Utterance.conversation_id))
        .where(col(Conversation.key).in_({one.conversation for one in found}))
        .order_by(col(Utterance.conversation_id), col(Utterance.position))
    )
    said: dict[str, list[tuple[int, str, str]]] = {}
    for key, position, of_role, text in session.execute(statement):
        said.setdefault(key, []).append((position, of_role, text))
    rows = []
    for one in found:
        places = [at for at, (_, of_role, _) in enumerate(said[one.conversation]) if of_role == role]
        at = places[one.place]
        before = said[one.conversation][at - 1][2] if at else ""
        rows.append(Confused(one.conversation, said[one.conversation][at][0], said[one.conversation][at][2], before, one.first, one.second))
    return tuple(rows)
