"""Who may do and see what: the one place that decides it (design: rights table, rules 2 and 11).

Every page, fragment, file and command that shows labels or proposals asks here first.
"""

from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, false, func, or_, select, true
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from annotator.errors import Conflict, Forbidden, NotFound
from annotator.models import (
    Assignment,
    Comment,
    Condition,
    Conversation,
    Decision,
    ItemDecision,
    ReasonOpened,
    Role,
    Round,
    RoundConversation,
    Submission,
    Suggestion,
    User,
)  # fmt: skip


class Right(StrEnum):
    """One thing a role may do."""

    ANNOTATE = auto()
    READ_ALL = auto()
    READ_NAMES = auto()
    LEAD = auto()


RIGHTS: dict[Role, frozenset[Right]] = {
    Role.ANNOTATOR: frozenset({Right.ANNOTATE}),
    Role.LEAD: frozenset(Right),
    Role.RESEARCHER: frozenset({Right.READ_ALL}),
}

_WANTED = {
    Right.ANNOTATE: "annotators and leads",
    Right.READ_ALL: "leads and researchers",
    Right.READ_NAMES: "leads",
    Right.LEAD: "leads",
}


def may(user: User, right: Right) -> bool:
    """Whether the user's role has the right."""
    return user.disabled_at is None and right in RIGHTS[Role(user.role)]


def require(user: User, right: Right) -> None:
    """Raise `Forbidden` unless the user's role has the right."""
    if not may(user, right):
        raise Forbidden(f"This is for {_WANTED[right]}; you are signed in as {user.role} {user.name}.")


@dataclass(frozen=True, slots=True)
class View:
    """Which labels someone may see: of everybody, or of one user; gold or not; with names or pseudonyms.

    Of conversations that `blind_user_id` has yet to label blind no proposals are shown.
    """

    only_user_id: int | None
    gold: bool
    names: bool
    blind_user_id: int | None = None

    def covers(self, column: Any) -> ColumnElement[bool]:
        """The condition on a user id column that keeps to what this view covers."""
        return column == self.only_user_id if self.only_user_id is not None else true()


EVERYTHING = View(only_user_id=None, gold=True, names=True)
"""What the command line sees: whoever can open the database file can read all of it."""


def view_of(user: User) -> View:
    """What labels this user may see outside the desk: leads everybody's, researchers with pseudonyms, others their own."""
    if may(user, Right.READ_ALL):
        return View(only_user_id=None, gold=True, names=may(user, Right.READ_NAMES), blind_user_id=user.id)
    return View(only_user_id=user.id, gold=False, names=True, blind_user_id=user.id)


def agreement_view(user: User) -> View:
    """Whose agreement this user may see: leads and researchers everybody's, annotators their own, with pseudonyms for the others."""
    if may(user, Right.READ_ALL):
        return view_of(user)
    require(user, Right.ANNOTATE)
    return View(only_user_id=user.id, gold=False, names=False)


def compared(view: View, *, repeats: bool = False) -> ColumnElement[bool]:
    """Which labels go into agreement, said of an assignment and its round; `repeats`, the same person once more, only when asked for.

    One person's view has what they and the others said of the same conversations, in closed rounds made here. Until then
    nobody's labels reach another annotator, in figures neither.
    """
    passes = or_(~col(Assignment.repeat), view.covers(col(Assignment.user_id))) if repeats else ~col(Assignment.repeat)
    if view.only_user_id is None:
        return passes
    own = aliased(Assignment, name="own")
    shared = select(col(own.id)).where(
        col(own.round_id) == col(Assignment.round_id),
        col(own.conversation_id) == col(Assignment.conversation_id),
        col(own.user_id) == view.only_user_id,
    )
    return and_(passes, col(Round.closed_at).is_not(None), col(Round.name) != "", shared.exists())


def shown_suggestion() -> ColumnElement[bool]:
    """The join condition under which a suggestion may be shown to an annotator: the round's pinned run, and not blind."""
    return and_(col(Suggestion.run_id) == col(Round.run_id), col(RoundConversation.condition) == Condition.ASSISTED)


PLACED = and_(
    col(RoundConversation.round_id) == col(Assignment.round_id),
    col(RoundConversation.conversation_id) == col(Assignment.conversation_id),
)
"""The join from an assignment to its conversation's place in the round, which has the condition."""

# Under names of their own, so that they are no tables of the statements they stand in.
_FACTS: tuple[Any, ...] = (Decision, Submission, ItemDecision, ReasonOpened)
_BEGINNINGS = [aliased(fact, name=f"begun_{fact.__tablename__}") for fact in _FACTS]
_remark, _whose = aliased(Comment, name="begun_comment"), aliased(Assignment, name="begun_whose")
_handed = aliased(Submission, name="handed")


def begun(assignment: Any) -> ColumnElement[bool]:
    """Whether its person did anything in an assignment, said of its id: what is begun neither moves nor goes away."""
    own = and_(col(_whose.id) == col(_remark.assignment_id), col(_whose.user_id) == col(_remark.user_id))
    said = select(col(_remark.id)).join(_whose, own).where(col(_remark.assignment_id) == assignment)
    return or_(*(select(col(fact.id)).where(col(fact.assignment_id) == assignment).exists() for fact in _BEGINNINGS), said.exists())


def _with_them(assignment: Any) -> ColumnElement[bool]:
    """Whether an assignment, said of its id, is with its person: never handed in, or opened again."""
    newest = select(col(_handed.handed_in)).where(col(_handed.assignment_id) == assignment)
    return ~func.coalesce(newest.order_by(col(_handed.id).desc()).limit(1).scalar_subquery(), false())


_blindly, _drawn, _made = aliased(Assignment, name="blindly"), aliased(RoundConversation, name="drawn"), aliased(Round, name="made")


def still_blind(user_id: Any) -> Select[Any]:
    """The ids of the conversations that somebody has yet to label without proposals, in rounds that are open."""
    return (
        select(col(_blindly.conversation_id))
        .join(_drawn, and_(col(_drawn.round_id) == col(_blindly.round_id), col(_drawn.conversation_id) == col(_blindly.conversation_id)))
        .join(_made, col(_made.id) == col(_blindly.round_id))
        .where(col(_blindly.user_id) == user_id, col(_drawn.condition) == Condition.BLIND)
        .where(col(_made.closed_at).is_(None), _with_them(col(_blindly.id)))
    )


_ordinary = aliased(Assignment, name="ordinary")
_still_to_do = (
    select(col(_ordinary.id))
    .where(col(_ordinary.round_id) == col(Assignment.round_id), col(_ordinary.user_id) == col(Assignment.user_id), ~col(_ordinary.repeat))
    .where(~select(col(Submission.id)).where(col(Submission.assignment_id) == col(_ordinary.id), col(Submission.handed_in)).exists())
)
_first_blind = still_blind(col(Assignment.user_id)).where(col(_blindly.conversation_id) == col(Assignment.conversation_id))
_DUE = and_(
    or_(~col(Assignment.repeat), ~_still_to_do.exists(), begun(col(Assignment.id))),
    or_(col(RoundConversation.condition) != Condition.ASSISTED, ~_first_blind.exists(), begun(col(Assignment.id))),
)
"""A repeat comes when everything else of the round has been handed in, and then looks like any other conversation. What somebody
labels blind in one round comes with proposals in another only when it has been handed in. What is begun stays."""

_again = aliased(Assignment, name="again")
_to_be_repeated = (
    select(col(_again.id))
    .where(col(_again.repeat), col(_again.round_id) == col(Assignment.round_id), col(_again.user_id) == col(Assignment.user_id))
    .where(col(_again.conversation_id) == col(Assignment.conversation_id), _with_them(col(_again.id)), col(Round.closed_at).is_(None))
)
LISTED = or_(col(Assignment.repeat), ~_to_be_repeated.exists(), _still_to_do.exists())  # the last is dear, and seldom asked
"""While a repeat is to be done, the first pass stands in no list: the second would be copied from it."""

# Built once: building a statement takes longer than running it. `mine` gives the parameter.
OWN_ASSIGNMENTS = (
    select(Assignment, Round, Conversation, RoundConversation)
    .join(Round, col(Round.id) == col(Assignment.round_id))
    .join(Conversation, col(Conversation.id) == col(Assignment.conversation_id))
    .join(RoundConversation, PLACED)
    .where(col(Assignment.user_id) == bindparam("me"), col(Round.name) != "", _DUE)
)
"""Assignments a person may open: their own that are due, in rounds made here. Run with `mine(user)`."""


def mine(user: User) -> dict[str, int | None]:
    """The parameters of `OWN_ASSIGNMENTS` for this user; raises `Forbidden` for roles that do not annotate."""
    require(user, Right.ANNOTATE)
    return {"me": user.id}


def check_stays_blind(session: Session, user: User, conversation_id: int) -> None:
    """Raise `Conflict` where a conversation labelled blind may not be opened again, as its proposals were open to the person since."""
    shown = (
        select(col(Assignment.id))
        .join(RoundConversation, PLACED)
        .where(col(Assignment.user_id) == user.id, col(Assignment.conversation_id) == conversation_id)
        .where(col(RoundConversation.condition) == Condition.ASSISTED)
    )
    if may(user, Right.READ_ALL) or session.scalars(shown.limit(1)).one_or_none() is not None:
        raise Conflict(
            "You labelled this conversation blind, and since you handed it in its proposals are open to you elsewhere. "
            "So it stays as it was handed in."
        )


def check_not_blind(session: Session, user: User, conversation_id: int) -> None:
    """Raise `Forbidden` where somebody who may see proposals has still to label this conversation without them."""
    if conversation_id in session.scalars(still_blind(user.id)).all():
        raise Forbidden("You label this conversation blind. Its proposals show when you have handed it in.")


_theirs = aliased(Assignment, name="theirs")


def still_labels(user_id: Any, conversation: Any) -> ColumnElement[bool]:
    """The condition on a conversation's id that somebody has yet to hand it in: until then, no page shows them what others said there.

    Exports and figures of leads hold it all the same: leaving some out in silence would be worse (docs/decisions/0010-gold.md).
    """
    theirs = select(col(_theirs.id)).join(_made, col(_made.id) == col(_theirs.round_id))
    theirs = theirs.where(col(_theirs.user_id) == user_id, col(_theirs.conversation_id) == conversation, ~col(_theirs.repeat))
    return theirs.where(col(_made.closed_at).is_(None), _with_them(col(_theirs.id))).exists()


def commented(user: User) -> ColumnElement[bool]:
    """On whose work this user may read comments and marks, said of an assignment and its place in a round made here.

    Their own where it is due; for leads and researchers everybody's too, but for conversations they have still to label.
    """
    own = and_(col(Assignment.user_id) == user.id, _DUE)
    if not may(user, Right.READ_ALL):
        require(user, Right.ANNOTATE)
        return and_(col(Round.name) != "", own)
    others = and_(col(Assignment.user_id) != user.id, ~still_labels(user.id, col(Assignment.conversation_id)))
    return and_(col(Round.name) != "", or_(own, others))


def may_settle(user: User, conversation: Any) -> ColumnElement[bool]:
    """The condition on a conversation's id under which a lead may settle its labels: it is not theirs to label, nor was."""
    theirs = select(col(_theirs.id)).where(col(_theirs.user_id) == user.id, col(_theirs.conversation_id) == conversation)
    return ~or_(still_labels(user.id, conversation), theirs.where(begun(col(_theirs.id))).exists())


def check_settles(session: Session, user: User, conversation_id: int) -> None:
    """Raise `Forbidden` for who is no lead, and for a lead who labelled the conversation or has still to label it."""
    require(user, Right.LEAD)
    if not session.scalar(select(may_settle(user, conversation_id))):
        raise Forbidden(
            "You label this conversation yourself, in this round or in another, and nobody settles their own labels. "
            "Another lead can settle it."
        )


def not_yours(what: str = "conversation") -> NotFound:
    """The one answer for what does not exist and for what belongs to another."""
    return NotFound(f"There is no such {what} among yours. Go back to your conversations and open it from there.")
