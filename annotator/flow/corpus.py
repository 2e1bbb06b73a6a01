"""The one reader of labelled utterances: analysis, export and taggers take conversations from here, as plain values.

Agreement reads first-submitted labels instead (`flow/agreement.py`).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, select, true
from sqlmodel import Session, col

from annotator import models
from annotator.core.items import split_numbers
from annotator.core.labelled import split_codes
from annotator.core.transcript import Item, ItemLists, ItemRating, Label, Proposal, Record, Scenario, Transcript, Turn, Utterance
from annotator.errors import BadInput, Forbidden
from annotator.flow.access import View, still_blind
from annotator.flow.standing import settled, standing
from annotator.models import (
    Assignment,
    Call,
    Condition,
    Conversation,
    Decision,
    Gold,
    ItemDecision,
    ItemField,
    Kind,
    Role,
    Round,
    RoundConversation,
    Run,
    Suggestion,
    TaxonomyVersion,
    User,
)  # fmt: skip

_CHUNK = 250


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is said of utterances, by utterance id."""

    labels: Mapping[int, tuple[Label, ...]] = field(default_factory=dict)
    proposals: Mapping[int, tuple[Proposal, ...]] = field(default_factory=dict)
    gold: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    gold_rules: Mapping[int, str] = field(default_factory=dict)
    items: Mapping[int, tuple[ItemLists, ...]] = field(default_factory=dict)
    """By conversation id."""


@dataclass(frozen=True, slots=True)
class _Whose:
    """Whose labels are asked for: what the view covers, the names it shows, of those the chosen ones, repeats too or not."""

    view: View
    names: dict[int, str]
    chosen: set[int]
    repeats: bool

    def assignments(self, chunk: list[int]) -> ColumnElement[bool]:
        """The condition on assignments in these conversations."""
        ordinary = true() if self.repeats else ~col(Assignment.repeat)
        return and_(col(Assignment.conversation_id).in_(chunk), self.view.covers(col(Assignment.user_id)), ordinary)


def read_transcripts(
    session: Session, conversation_ids: Iterable[int], gold: Mapping[int, tuple[str, ...]] | None = None
) -> Iterator[Transcript]:
    """Conversations by id, in that order: their text, and the gold given here by utterance id; no labels of anybody."""
    for chunk in _chunks(conversation_ids):
        yield from _build(session, chunk, _Facts(gold=gold or {}))


def export_records(session: Session, view: View, labels: str = "all", *, repeats: bool = False) -> Iterator[Record]:
    """Everything an export holds, as far as the view covers it: scenarios, items, ratings, then conversations with facts.

    `labels` is `all`, `gold`, or the name of one annotator (for researchers: their pseudonym). With `repeats` come the labels of
    people who were asked once more, which are not told that they are.
    """
    if repeats and view.only_user_id is not None:
        raise Forbidden("Repeats are for leads and researchers. Export without them.")
    names = shown_names(session, view)
    whose = _Whose(view, names, _chosen(names, labels), repeats)
    if view.only_user_id is None:
        yield from _extras(session)
    statement = select(col(Conversation.id)).order_by(col(Conversation.id))
    if view.only_user_id is not None:
        mine = select(col(Assignment.conversation_id)).where(view.covers(col(Assignment.user_id)))
        statement = statement.where(col(Conversation.id).in_(mine))
    outside = _run_outside_rounds(session) if view.only_user_id is None else None
    for chunk in _chunks(one or 0 for one in session.scalars(statement)):
        gold, rules = _gold(session, chunk) if view.gold and labels in ("all", "gold") else ({}, {})
        facts = _Facts(
            labels={} if labels == "gold" else _labels(session, chunk, whose),
            proposals=_proposals(session, chunk, view, outside),
            gold=gold,
            gold_rules=rules,
            items=_item_lists(session, chunk, whose),
        )
        yield from _build(session, chunk, facts)


def shown_names(session: Session, view: View) -> dict[int, str]:
    """User id → the name this view shows: their own, or `annotator-1` and so on in the order they were added."""
    users = session.execute(select(col(User.id), col(User.name), col(User.role)).order_by(col(User.id))).all()
    users = [user for user in users if view.only_user_id in (None, user.id)]
    if view.names:
        return {user.id: user.name for user in users}
    labelled = set(session.scalars(select(col(Assignment.user_id)).distinct()))
    labelling = [user for user in users if user.role != Role.RESEARCHER or user.id in labelled]
    return {user.id: f"annotator-{number}" for number, user in enumerate(labelling, 1)}


def _chosen(names: dict[int, str], labels: str) -> set[int]:
    if labels in ("all", "gold"):
        return set(names)
    chosen = {user_id for user_id, name in names.items() if name == labels}
    if not chosen:
        others = ", ".join(names.values()) or "nobody yet"
        raise BadInput(f"Nobody here is called {labels!r}. Choose all, gold, or one of: {others}.")
    return chosen


def _chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    ids = list(ids)
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]


def _build(session: Session, chunk: list[int], facts: _Facts) -> Iterator[Transcript]:
    connection = session.connection()
    utterances: dict[tuple[int, int], list[Utterance]] = {}
    for key, conversation_id, turn_position, name, text in connection.execute(
        select(*_columns(models.Utterance, "id", "conversation_id", "turn_position", "key", "text"))
        .where(col(models.Utterance.conversation_id).in_(chunk))
        .order_by(col(models.Utterance.conversation_id), col(models.Utterance.position))
    ):
        gold, rule = facts.gold.get(key), facts.gold_rules.get(key, "")
        said = Utterance(name, text, facts.labels.get(key, ()), facts.proposals.get(key, ()), gold, rule)
        utterances.setdefault((conversation_id, turn_position), []).append(said)
    turns: dict[int, list[Turn]] = {}
    for conversation_id, position, role, number, timestamp in connection.execute(
        select(*_columns(models.Turn, "conversation_id", "position", "role", "number", "timestamp"))
        .where(col(models.Turn.conversation_id).in_(chunk))
        .order_by(col(models.Turn.conversation_id), col(models.Turn.position))
    ):
        turns.setdefault(conversation_id, []).append(Turn(role, tuple(utterances[conversation_id, position]), number, timestamp))
    found = connection.execute(select(*_columns(Conversation, "id", "key", "meta")).where(col(Conversation.id).in_(chunk)))
    by_id = {row.id: row for row in found}
    for conversation_id in chunk:
        row = by_id[conversation_id]
        yield Transcript(row.key, tuple(turns[conversation_id]), row.meta, items=facts.items.get(conversation_id, ()))


def _columns(table: Any, *names: str) -> list[Any]:
    return [col(getattr(table, name)) for name in names]


def _labels(session: Session, chunk: list[int], whose: _Whose) -> dict[int, tuple[Label, ...]]:
    assigned = select(col(Assignment.id)).where(whose.assignments(chunk))
    current = standing(col(Decision.assignment_id).in_(assigned)).subquery("current")
    made_in: tuple[Any, ...] = (col(Assignment.user_id), col(Assignment.repeat), col(Round.name).label("round_name"))
    statement = (
        select(*current.c, *made_in, col(TaxonomyVersion.fingerprint))
        .join(Assignment, col(Assignment.id) == current.c.assignment_id)
        .join(Round, col(Round.id) == col(Assignment.round_id))
        .join(TaxonomyVersion, col(TaxonomyVersion.id) == current.c.taxonomy_version_id)
        .where(current.c.kind != Kind.SKIP)
    )
    labels: dict[int, list[Label]] = {}
    for row in session.execute(statement):
        if row.user_id in whose.chosen:
            label = Label(
                annotator=whose.names[row.user_id],
                codes=split_codes(row.codes),
                round=row.round_name,
                condition=row.condition,
                taxonomy_version=row.fingerprint,
                seconds=row.seconds,
                decided_at=iso(row.decided_at),
                repeat=row.repeat,
            )
            labels.setdefault(row.utterance_id, []).append(label)
    return {key: tuple(sorted(value, key=lambda one: (str(one.annotator), one.round, one.repeat))) for key, value in labels.items()}


def _item_lists(session: Session, chunk: list[int], whose: _Whose) -> dict[int, tuple[ItemLists, ...]]:
    """Conversation id → what each annotator says of its items: the newest of each list, where they corrected it."""
    statement = (
        select(col(ItemDecision.field), col(ItemDecision.numbers), col(Round.name).label("round_name"))
        .add_columns(*_columns(Assignment, "conversation_id", "user_id", "repeat"))
        .join(Assignment, col(Assignment.id) == col(ItemDecision.assignment_id))
        .join(Round, col(Round.id) == col(Assignment.round_id))
        .where(whose.assignments(chunk))
        .order_by(col(ItemDecision.id))
    )
    found: dict[int, dict[tuple[str, str, bool], dict[str, tuple[int, ...]]]] = {}
    for row in session.execute(statement):
        if row.user_id in whose.chosen:
            who = (whose.names[row.user_id], row.round_name, row.repeat)
            found.setdefault(row.conversation_id, {}).setdefault(who, {})[row.field] = split_numbers(row.numbers)
    return {
        conversation_id: tuple(
            ItemLists(name, said.get(ItemField.MENTIONED), said.get(ItemField.CHOSEN), round_name, repeat)
            for (name, round_name, repeat), said in sorted(by_annotator.items())
        )
        for conversation_id, by_annotator in found.items()
    }


def iso(time: datetime) -> str:
    """A time as exports hold it: UTC, to the millisecond."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _run_outside_rounds(session: Session) -> int | None:
    """Whose proposals stand beside labels of no round: the newest finished run that no round pinned, else the newest."""
    pinned = select(col(Round.run_id)).where(col(Round.run_id).is_not(None))
    runs = session.execute(select(col(Run.id), col(Run.id).in_(pinned).label("pinned")).where(col(Run.finished_at).is_not(None))).all()
    return max(runs, key=lambda run: (not run.pinned, run.id)).id if runs else None


def _proposals(session: Session, chunk: list[int], view: View, outside: int | None) -> dict[int, tuple[Proposal, ...]]:
    in_round = and_(
        col(RoundConversation.conversation_id) == col(models.Utterance.conversation_id), col(Suggestion.run_id) == col(Round.run_id)
    )
    # Said of the suggestion, whose key this is: otherwise SQLite goes through the whole run for every chunk.
    shown = select(col(models.Utterance.id)).where(col(models.Utterance.conversation_id).in_(chunk))
    here = col(Suggestion.utterance_id).in_(shown.where(col(models.Utterance.conversation_id).not_in(still_blind(view.blind_user_id))))
    columns = [*_columns(Suggestion, "utterance_id", "codes", "confidence", "cost"), *_columns(Call, "model_version", "prompt_hash")]
    answered = col(Call.id) == col(Suggestion.call_id)
    statement: Any = (
        select(*columns, col(Round.name).label("round_name"))
        .select_from(Suggestion)
        .join(models.Utterance, col(models.Utterance.id) == col(Suggestion.utterance_id))
        .join(Round, col(Round.run_id) == col(Suggestion.run_id))
        .join(RoundConversation, and_(col(RoundConversation.round_id) == col(Round.id), in_round))
        .outerjoin(Call, answered)  # last: SQLite does not move a table over an outer join
        .where(here, _may_see_proposal(view))
        .order_by(col(Round.name))
    )
    proposals: dict[int, list[Proposal]] = {}
    if outside is not None:
        beside = select(*columns).select_from(Suggestion).outerjoin(Call, answered).where(here, col(Suggestion.run_id) == outside)
        for utterance_id, codes, confidence, cost, model, prompt in session.connection().execute(beside):
            proposals[utterance_id] = [Proposal(split_codes(codes), confidence, "", model or "", prompt or "", cost)]
    for utterance_id, codes, confidence, cost, model, prompt, round_name in session.connection().execute(statement):
        proposal = Proposal(split_codes(codes), confidence, round_name, model or "", prompt or "", cost)
        proposals.setdefault(utterance_id, []).append(proposal)
    return {key: tuple(value) for key, value in proposals.items()}


def _may_see_proposal(view: View) -> ColumnElement[bool]:
    """An annotator's own export holds what the desk showed: proposals of their own assisted conversations."""
    if view.only_user_id is None:
        return true()
    mine = select(col(Assignment.id)).where(
        col(Assignment.round_id) == col(RoundConversation.round_id),
        col(Assignment.conversation_id) == col(RoundConversation.conversation_id),
        view.covers(col(Assignment.user_id)),
    )
    return and_(mine.exists(), col(RoundConversation.condition) == Condition.ASSISTED)


def _gold(session: Session, chunk: list[int]) -> tuple[dict[int, tuple[str, ...]], dict[int, str]]:
    """Utterance id → its gold, and → how that was settled."""
    here = select(col(models.Utterance.id)).where(col(models.Utterance.conversation_id).in_(chunk))
    found = session.connection().execute(settled(col(Gold.utterance_id).in_(here))).all()
    return {row.utterance_id: split_codes(row.codes) for row in found}, {row.utterance_id: row.rule for row in found}


def _extras(session: Session) -> Iterator[Record]:
    for scenario in session.scalars(select(models.Scenario).order_by(col(models.Scenario.id))):
        yield Scenario(scenario.key, scenario.body)
    for item in session.scalars(select(models.Item).order_by(col(models.Item.catalogue), col(models.Item.number))):
        yield Item(item.number, item.catalogue, item.name, item.meta, item.picture, item.picture_type)
    ratings = select(models.ItemRating, col(Conversation.key)).join(
        Conversation, col(Conversation.id) == col(models.ItemRating.conversation_id)
    )
    for rating, key in session.execute(ratings.order_by(col(models.ItemRating.id))):
        yield ItemRating(key, rating.role, rating.row)
