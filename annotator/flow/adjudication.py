"""Labels become gold: by themselves where they are equal, by a lead where they differ. Gold never alters a decision.

Gold is facts that are only added, each of a round; the newest of a round counts there. What a lead looks at is `flow/queue.py`'s.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, func, insert, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from annotator.core.consensus import Codes, unanimous
from annotator.core.labelled import join_codes, split_codes
from annotator.core.taxonomy import Taxonomy
from annotator.errors import Conflict, NotFound
from annotator.flow import discussion
from annotator.flow.access import Right, check_settles, require, shown_suggestion
from annotator.flow.discussion import of_round, read_labels
from annotator.flow.standing import first_submitted
from annotator.flow.taxonomy import current, taxonomy_of
from annotator.models import (
    Assignment,
    Decision,
    Gold,
    Round,
    RoundConversation,
    Rule,
    Submission,
    Suggestion,
    TaxonomyVersion,
    User,
    Utterance,
    now,
)  # fmt: skip

_CHUNK = 250


class Reason(StrEnum):
    """Why people differed, as a lead judges it."""

    SLIP = "slip"
    GUIDELINE_UNCLEAR = "guideline unclear"
    AMBIGUOUS = "ambiguous utterance"
    CODE_MISSING = "code missing"
    OTHER = "other"


_HANDED_IN = (
    select(col(Submission.id)).where(col(Submission.assignment_id) == col(Assignment.id), col(Submission.handed_in)).exists()
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a lead settles. `seen` is the number of the newest gold the page knew of (0 for none), `reason` a `Reason` or empty."""

    codes: Codes
    seen: int
    reason: str = ""
    comment: str = ""


# By themselves


def settle(session: Session, round_id: int, conversation_id: int) -> None:
    """Settle what is equally labelled in a conversation of a round, by the labels handed in first; again changes nothing.

    Equal are the labels of two or more people where nobody handed in another; skips contradict nobody. Gold that was settled so
    and is contradicted by somebody who hands in later is withdrawn. What a lead settled or took back stays as they left it.
    """
    _settle(session, session.get_one(Round, round_id), [conversation_id])


def settle_round(session: Session, round_: Round) -> None:
    """Settle what is equally labelled in every conversation of a round that two or more people handed in."""
    conversations = list(session.scalars(handed_in_by_several(round_.id or 0)))
    for start in range(0, len(conversations), _CHUNK):
        _settle(session, round_, conversations[start : start + _CHUNK])


def settle_all(session: Session, lead: User, round_id: int) -> None:
    """What the button does: `settle_round` for a round that was imported, or handed in before there was gold."""
    require(lead, Right.LEAD)
    settle_round(session, get_round(session, round_id))


def handed_in_by_several(round_id: int) -> Select[int]:
    """The conversations of a round that two or more people have handed in; repeats do not count."""
    return (
        select(col(Assignment.conversation_id))
        .where(col(Assignment.round_id) == round_id, ~col(Assignment.repeat), _HANDED_IN)
        .group_by(col(Assignment.conversation_id))
        .having(func.count() > 1)
        .order_by(col(Assignment.conversation_id))
    )


def is_handed_in_by_several(round_id: int, conversation: Any) -> ColumnElement[bool]:
    """The same, as the condition on a conversation's id: for who looks at a few of very many."""
    here = (col(Assignment.round_id) == round_id, col(Assignment.conversation_id) == conversation, ~col(Assignment.repeat))
    return select(func.count(col(Assignment.id))).where(*here, _HANDED_IN).scalar_subquery() > 1


def _settle(session: Session, round_: Round, conversations: Sequence[int]) -> None:
    round_id = round_.id or 0
    here = of_round(round_id).where(col(Assignment.conversation_id).in_(conversations))
    with_codes = select(col(Utterance.id)).where(
        col(Utterance.conversation_id).in_(conversations), col(Utterance.role).in_(codes_of(session, round_).roles)
    )
    can_be_labelled = set(session.scalars(with_codes))
    said = read_labels(session, first_submitted(col(Decision.assignment_id).in_(here)))
    newest = _newest_gold(session, round_id, conversations)
    assisted = _assisted(session, round_id, conversations)
    made = []
    for utterance_id in sorted(said.keys() & can_be_labelled):
        before = newest.get(utterance_id)
        if before is not None and before.user_id is not None:
            continue
        standing = before if before is not None and before.rule != Rule.WITHDRAWN else None
        codes = unanimous(said[utterance_id].values())
        if codes is not None and standing is None:
            rule = Rule.UNANIMOUS_ASSISTED if utterance_id in assisted else Rule.UNANIMOUS
            made.append({"utterance_id": utterance_id, "codes": join_codes(codes), "rule": rule})
        elif codes is None and standing is not None:
            made.append({"utterance_id": utterance_id, "codes": standing.codes, "rule": Rule.WITHDRAWN})
    if made:
        shared = {"round_id": round_id, "settled_at": now(), "reason": "", "comment": ""}
        session.connection().execute(insert(Gold), [one | shared for one in made])


def _newest_gold(session: Session, round_id: int, conversations: Sequence[int]) -> dict[int, Any]:
    """Utterance id → the newest gold row of a round, withdrawn ones included."""
    statement = (
        select(col(Gold.utterance_id), col(Gold.rule), col(Gold.codes), col(Gold.user_id))
        .join(Utterance, col(Utterance.id) == col(Gold.utterance_id))
        .where(col(Gold.round_id) == round_id, col(Utterance.conversation_id).in_(conversations))
        .order_by(col(Gold.id))
    )
    return {row.utterance_id: row for row in session.connection().execute(statement)}


def _assisted(session: Session, round_id: int, conversations: Sequence[int]) -> set[int]:
    """The utterances of which everybody saw the same proposal."""
    statement = (
        select(col(Utterance.id))
        .join(RoundConversation, col(RoundConversation.conversation_id) == col(Utterance.conversation_id))
        .join(Round, col(Round.id) == col(RoundConversation.round_id))
        .join(Suggestion, col(Suggestion.utterance_id) == col(Utterance.id))
        .where(col(Round.id) == round_id, shown_suggestion(), col(Suggestion.codes) != "")
        .where(col(Utterance.conversation_id).in_(conversations))
    )
    return set(session.scalars(statement))


# By a lead


def get_round(session: Session, round_id: int) -> Round:
    """A round by its number; the one named "" holds imported labels."""
    found = session.get(Round, round_id)
    if found is None:
        raise NotFound("There is no such round. Go back to “Adjudication” and choose one.")
    return found


def codes_of(session: Session, round_: Round) -> Taxonomy:
    """The taxonomy a round's labels are of; today's where an import named a version without its codes."""
    version = session.get_one(TaxonomyVersion, round_.taxonomy_version_id)
    return taxonomy_of(session, version.id or 0, version.fingerprint) if version.source else current(session)[1]


def place(session: Session, lead: User, round_id: int, utterance_id: int) -> tuple[Round, Utterance]:
    """Where something is settled. Raises `Forbidden` for who may not, `NotFound` where nothing of the round can be settled."""
    require(lead, Right.LEAD)
    round_ = get_round(session, round_id)
    utterance = session.get(Utterance, utterance_id)
    if utterance is None or not session.scalar(select(is_handed_in_by_several(round_id, utterance.conversation_id))):
        raise NotFound("There is nothing to settle here: fewer than two people have handed this conversation in, in this round.")
    check_settles(session, lead, utterance.conversation_id)
    return round_, utterance


def history(session: Session, round_id: int, utterance_id: int) -> list[Gold]:
    """Every gold row of an utterance in a round, oldest first."""
    statement = select(Gold).where(col(Gold.round_id) == round_id, col(Gold.utterance_id) == utterance_id)
    return list(session.scalars(statement.order_by(col(Gold.id))))


def decide(session: Session, lead: User, round_id: int, utterance_id: int, verdict: Verdict) -> Gold:
    """Settle an utterance, anew where it is settled. The same request again adds nothing and returns the same gold.

    Raises `BadInput` for codes the taxonomy does not allow, `Conflict` where it was settled since the page was made.
    """
    round_, utterance = place(session, lead, round_id, utterance_id)
    codes = tuple(dict.fromkeys(verdict.codes))
    codes_of(session, round_).check_label(utterance.role, codes)
    newest = next(reversed(history(session, round_id, utterance_id)), None)
    if newest is not None and newest.id != verdict.seen:
        if _is_by(newest, lead) and set(split_codes(newest.codes)) == set(codes):
            return newest
        raise Conflict("This utterance was settled, or its gold taken back, since this page was made. Look at it again.")
    return _add(
        session, round_id, utterance_id,
        codes=join_codes(codes), rule=Rule.ADJUDICATED, user_id=lead.id, reason=verdict.reason, comment=verdict.comment.strip(),
    )  # fmt: skip


def _is_by(gold: Gold, lead: User) -> bool:
    return gold.rule == Rule.ADJUDICATED and gold.user_id == lead.id


def _add(session: Session, round_id: int, utterance_id: int, **fields: Any) -> Gold:
    made = Gold(round_id=round_id, utterance_id=utterance_id, **fields)
    session.add(made)
    session.flush()
    return made


def undo(session: Session, lead: User, round_id: int, gold_id: int) -> int:
    """Take back what this lead settled with that gold: what stood before it stands again. Returns the utterance's id.

    Where something newer stands, as after the same request, nothing changes.
    """
    require(lead, Right.LEAD)
    gold = session.get(Gold, gold_id)
    if gold is None or gold.round_id != round_id or not _is_by(gold, lead):
        raise NotFound("There is nothing of yours to undo here.")
    _, utterance = place(session, lead, round_id, gold.utterance_id)
    rows = history(session, round_id, gold.utterance_id)
    if rows[-1].id == gold.id:
        _stand_again(session, lead, gold, rows)
        settle(session, round_id, utterance.conversation_id)  # labels handed in meanwhile may contradict what stood before
    return gold.utterance_id


def _stand_again(session: Session, lead: User, gold: Gold, rows: list[Gold]) -> None:
    """What stood before is said once more, with its own author and time: by those an undo of it finds what was before."""
    before = next((row for row in reversed(rows) if row.settled_at < gold.settled_at), None)
    if before is None or before.rule == Rule.WITHDRAWN:
        _withdraw(session, lead, gold)
    else:
        session.add(Gold(**before.model_dump(exclude={"id"})))
        session.flush()


def withdraw(session: Session, lead: User, round_id: int, gold_id: int) -> int:
    """Take a gold back, whoever or whatever settled it: it waits in the queue again. Returns the utterance's id."""
    require(lead, Right.LEAD)
    gold = session.get(Gold, gold_id)
    if gold is None or gold.round_id != round_id:
        raise NotFound("There is no such gold in this round.")
    place(session, lead, round_id, gold.utterance_id)
    newest = history(session, round_id, gold.utterance_id)[-1]
    if newest.rule == Rule.WITHDRAWN:
        return gold.utterance_id
    if newest.id != gold.id:
        raise Conflict("This utterance was settled anew since this page was made. Look at it again.")
    _withdraw(session, lead, gold)
    return gold.utterance_id


def _withdraw(session: Session, lead: User, gold: Gold) -> None:
    _add(session, gold.round_id or 0, gold.utterance_id, codes=gold.codes, rule=Rule.WITHDRAWN, user_id=lead.id)


def discuss(session: Session, lead: User, round_id: int, utterance_id: int, note: str) -> None:
    """Send an utterance back to those who labelled it, with their labels shown to each other."""
    round_, _ = place(session, lead, round_id, utterance_id)
    discussion.send_back(session, lead, round_, utterance_id, note.strip())


def newest_of(session: Session, lead: User, round_id: int) -> int | None:
    """The gold that `undo` would take back now: the newest this lead settled in a round that still stands."""
    later = aliased(Gold, name="later")
    replaced = select(col(later.id)).where(
        col(later.utterance_id) == col(Gold.utterance_id), col(later.round_id) == round_id, col(later.id) > col(Gold.id)
    )
    own = select(col(Gold.id)).where(
        col(Gold.round_id) == round_id, col(Gold.user_id) == lead.id, col(Gold.rule) == Rule.ADJUDICATED, ~replaced.exists()
    )
    return session.scalar(own.order_by(col(Gold.settled_at).desc(), col(Gold.id).desc()).limit(1))
