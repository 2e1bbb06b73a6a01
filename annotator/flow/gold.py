"""The gold of a round as a list: what stands, by which rule, who settled it and why, and who had said what."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlmodel import Session, col

from annotator.core.consensus import Codes
from annotator.core.labelled import join_codes, split_codes
from annotator.core.table import as_csv
from annotator.flow.access import Right, require, still_labels
from annotator.flow.adjudication import get_round
from annotator.flow.corpus import iso
from annotator.flow.discussion import first_labels
from annotator.flow.settling import names_of
from annotator.flow.standing import settled
from annotator.models import Conversation, Gold, Round, Rule, User, Utterance

PAGE = 50
_CHUNK = 500
_HEADING = ("conversation", "utterance", "role", "text", "gold", "rule", "settled_by", "settled_at", "reason", "comment", "labels")


@dataclass(frozen=True, slots=True)
class Settled:
    """One gold label; `by` is empty where the labels were equal, `said` has (name, codes) with None for a skip."""

    gold_id: int
    utterance_id: int
    conversation: str
    key: str
    position: int
    role: str
    text: str
    codes: Codes
    rule: str
    by: str
    settled_at: str
    reason: str
    comment: str
    said: tuple[tuple[str, Codes | None], ...]

    @property
    def labels(self) -> str:
        """Who had said what, on one line."""
        return "; ".join(f"{name}: {'skipped' if codes is None else join_codes(codes) or 'no code'}" for name, codes in self.said)


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a round's gold: how many there are by rule, and the rows of the rules asked for."""

    round: Round
    counts: dict[str, int]
    rows: list[Settled]
    total: int


def listing(session: Session, lead: User, round_id: int, rule: Rule | None, page: int) -> Listing:
    """One page of the gold that stands in a round, of one rule or of all, in the order of conversations.

    Conversations that the lead has still to label are left out.
    """
    require(lead, Right.LEAD)
    round_ = get_round(session, round_id)
    all_gold = _gold(lead, round_id).order_by(None).subquery("all_gold")
    counts = {row.rule: row.n for row in session.execute(select(all_gold.c.rule, func.count().label("n")).group_by(all_gold.c.rule))}
    rows = session.execute(_gold(lead, round_id, rule).offset((page - 1) * PAGE).limit(PAGE)).all()
    total = sum(counts.values()) if rule is None else counts.get(rule, 0)
    return Listing(round_, counts, _settled(session, round_id, rows), total)


def gold_csv(session: Session, lead: User, round_id: int, rule: Rule | None) -> str:
    """The same, all of it, as a table."""
    require(lead, Right.LEAD)
    get_round(session, round_id)
    found = session.execute(_gold(lead, round_id, rule)).all()
    rows = [row for start in range(0, len(found), _CHUNK) for row in _settled(session, round_id, found[start : start + _CHUNK])]
    return as_csv(_HEADING, (
        (one.conversation, one.key, one.role, one.text, join_codes(one.codes) or "|", one.rule, one.by, one.settled_at,
         one.reason, one.comment, one.labels) for one in rows
    ))  # fmt: skip


def _gold(lead: User, round_id: int, rule: Rule | None = None) -> Select[*tuple[Any, ...]]:
    gold = settled(col(Gold.round_id) == round_id).subquery("gold")
    statement = (
        select(*gold.c, col(Utterance.key), col(Utterance.position), col(Utterance.role), col(Utterance.text))
        .add_columns(col(Conversation.key).label("conversation"), col(User.name).label("settled_by"))
        .select_from(gold)
        .join(Utterance, col(Utterance.id) == gold.c.utterance_id)
        .join(Conversation, col(Conversation.id) == col(Utterance.conversation_id))
        .outerjoin(User, col(User.id) == gold.c.user_id)
        .where(~still_labels(lead.id, col(Conversation.id)))
        .order_by(col(Conversation.id), col(Utterance.position))
    )
    return statement if rule is None else statement.where(gold.c.rule == rule)


def _settled(session: Session, round_id: int, rows: Iterable[Any]) -> list[Settled]:
    rows = list(rows)
    labels = first_labels(session, round_id, [row.utterance_id for row in rows])
    names = names_of(session, {one for said in labels.values() for one in said})
    return [
        Settled(
            gold_id=row.id,
            utterance_id=row.utterance_id,
            conversation=row.conversation,
            key=row.key,
            position=row.position,
            role=row.role,
            text=row.text,
            codes=split_codes(row.codes),
            rule=row.rule,
            by=row.settled_by or "",
            settled_at=iso(row.settled_at),
            reason=row.reason,
            comment=row.comment,
            said=tuple(sorted((names[one], codes) for one, codes in labels.get(row.utterance_id, {}).items())),
        )
        for row in rows
    ]
