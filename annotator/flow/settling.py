"""One utterance to settle: its conversation, its labels without names, and what is told once it is settled.

Which one comes next is `flow/queue.py`'s, settling itself `flow/adjudication.py`'s.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlmodel import Session, col

from annotator.core.consensus import Codes, distinct, shuffled, union
from annotator.core.labelled import split_codes
from annotator.core.taxonomy import Taxonomy
from annotator.errors import NotFound
from annotator.flow.access import Right, require
from annotator.flow.adjudication import codes_of, get_round, history, newest_of, place
from annotator.flow.desk import scenario_of
from annotator.flow.discussion import Talk, first_labels, of_round, open_discussions, read_labels
from annotator.flow.queue import count, first_after, last_before, waiting
from annotator.flow.standing import settled, standing
from annotator.models import Assignment, Comment, Conversation, Decision, Gold, Round, Rule, Suggestion, Turn, User, Utterance

Said = dict[int, Codes | None]
"""Assignment id → codes, None for a skip."""


@dataclass(frozen=True, slots=True)
class Line:
    """One utterance of the conversation; `gold` is None where none of this round stands."""

    utterance_id: int
    position: int
    role: str
    text: str
    gold: Codes | None
    rule: str


@dataclass(frozen=True, slots=True)
class TurnLines:
    """The utterances of one turn."""

    number: int
    role: str
    timestamp: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """One of the labels, without names: whether somebody handed it in first, and how many say so after a discussion."""

    codes: Codes
    first: bool
    discussed: int


@dataclass(frozen=True, slots=True)
class Voice:
    """What one person said, shown when it is settled; `later` is their label since a discussion, where that differs."""

    assignment_id: int
    name: str
    codes: Codes | None
    later: Codes | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A gold, who settled it (nobody where the labels were equal), and who had said what."""

    gold_id: int
    codes: Codes
    rule: str
    by: str
    reason: str
    comment: str
    voices: tuple[Voice, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One utterance to settle, with everything around it. `seen` is the newest gold row of it (0 for none).

    `number` is its place among the `left` in the queue (0 where it is not in it), both counted as `queue.count` does; `undoable` is
    the gold that `u` takes back; `comments` are those of annotators on their own work and of leads, without names.
    """

    round: Round
    taxonomy: Taxonomy
    conversation: str
    scenario: str
    turns: tuple[TurnLines, ...]
    focus: Line
    options: tuple[Option, ...]
    union: Codes
    n_skipped: int
    comments: tuple[str, ...]
    talk: Talk | None
    seen: int
    told: Told | None
    number: int
    left: int
    next_id: int | None
    previous_id: int | None
    undoable: int | None


def step(session: Session, lead: User, round_id: int, utterance_id: int | None = None, after: int | None = None) -> Step | None:
    """An utterance to settle: the one asked for, the next in the queue after another, or the first; None when nothing waits."""
    require(lead, Right.LEAD)
    round_ = get_round(session, round_id)
    talks = open_discussions(session, round_id)
    queue = waiting(session, lead, round_, talks)
    if utterance_id is None:
        utterance_id = first_after(session, queue, session.get(Utterance, after) if after else None)
    if utterance_id is None:
        return None
    _, utterance = place(session, lead, round_id, utterance_id)
    if utterance.role not in codes_of(session, round_).roles:
        raise NotFound(f"The taxonomy of this round has no codes for {utterance.role}; there is nothing to settle.")
    return _step(session, lead, round_, utterance, (queue, talks.get(utterance_id)))


def _step(session: Session, lead: User, round_: Round, utterance: Utterance, waits: tuple[Select[int | None], Talk | None]) -> Step:
    queue, talk = waits
    round_id, utterance_id = round_.id or 0, utterance.id or 0
    taxonomy = codes_of(session, round_)
    following, previous = first_after(session, queue, utterance), last_before(session, queue, utterance)
    is_waiting = session.scalar(queue.where(col(Utterance.id) == utterance_id)) is not None
    first = first_labels(session, round_id, [utterance_id]).get(utterance_id, {})
    later = _since(session, round_id, utterance_id, talk)
    rows = history(session, round_id, utterance_id)
    options = _options(first, later, (round_id, utterance_id, lead.id or 0))
    conversation = session.get_one(Conversation, utterance.conversation_id)
    turns = _turns(session, round_id, conversation)
    return Step(
        round=round_,
        taxonomy=taxonomy,
        conversation=conversation.key,
        scenario=scenario_of(session, conversation),
        turns=turns,
        focus=next(line for turn in turns for line in turn.lines if line.utterance_id == utterance_id),
        options=options,
        union=taxonomy.ordered(utterance.role, _together({**first, **later})),
        n_skipped=sum(codes is None for codes in first.values()),
        comments=_comments(session, round_id, utterance_id),
        talk=talk,
        seen=rows[-1].id or 0 if rows else 0,
        told=_told(session, rows[-1]) if rows and rows[-1].rule != Rule.WITHDRAWN else None,
        number=count(session, queue, utterance) if is_waiting else 0,
        left=count(session, queue),
        next_id=following if following != utterance_id else None,
        previous_id=previous if previous != utterance_id else None,
        undoable=newest_of(session, lead, round_id),
    )


def _since(session: Session, round_id: int, utterance_id: int, talk: Talk | None) -> Said:
    """The labels that stand now of those who answered in a discussion."""
    if talk is None or not talk.answered:
        return {}
    answered = col(Decision.assignment_id).in_(talk.answered & talk.asked)
    return read_labels(session, standing(answered, col(Decision.utterance_id) == utterance_id)).get(utterance_id, {})


def _options(first: Said, later: Said, seed: tuple[int, ...]) -> tuple[Option, ...]:
    """The labels that differ, in an order that tells nothing of whose they are."""
    handed_in, now = _labels(first), _labels(later)
    shown = shuffled(distinct([*handed_in, *now]), *seed)
    before = set(map(frozenset, handed_in))
    return tuple(Option(codes, frozenset(codes) in before, sum(set(one) == set(codes) for one in now)) for codes in shown)


def _together(said: Said) -> Codes:
    """All codes of the labels that people stand by now, where these differ."""
    labels = distinct(_labels(said))
    return union(labels) if len(labels) > 1 else ()


def _labels(said: Said) -> list[Codes]:
    return [codes for codes in said.values() if codes is not None]


def _comments(session: Session, round_id: int, utterance_id: int) -> tuple[str, ...]:
    statement = select(col(Comment.body)).where(
        col(Comment.utterance_id) == utterance_id, col(Comment.body) != "", col(Comment.assignment_id).in_(of_round(round_id))
    )
    return tuple(session.scalars(statement.order_by(col(Comment.id))))


def _turns(session: Session, round_id: int, conversation: Conversation) -> tuple[TurnLines, ...]:
    here = select(col(Utterance.id)).where(col(Utterance.conversation_id) == conversation.id)
    gold = {row.utterance_id: row for row in session.execute(settled(col(Gold.round_id) == round_id, col(Gold.utterance_id).in_(here)))}
    lines: dict[int, list[Line]] = {}
    utterances = select(Utterance).where(col(Utterance.conversation_id) == conversation.id).order_by(col(Utterance.position))
    for one in session.scalars(utterances):
        settled_as = gold.get(one.id or 0)
        codes = split_codes(settled_as.codes) if settled_as else None
        line = Line(one.id or 0, one.position, one.role, one.text, codes, settled_as.rule if settled_as else "")
        lines.setdefault(one.turn_position, []).append(line)
    turns = session.scalars(select(Turn).where(col(Turn.conversation_id) == conversation.id).order_by(col(Turn.position)))
    return tuple(TurnLines(turn.number, turn.role, turn.timestamp, tuple(lines[turn.position])) for turn in turns)


# What is shown when it is settled


def told(session: Session, lead: User, round_id: int, gold_id: int) -> Told | None:
    """A gold of a round with who had said what; None where there is no such gold."""
    gold = session.get(Gold, gold_id)
    if gold is None or gold.round_id != round_id or gold.rule == Rule.WITHDRAWN:
        return None
    place(session, lead, round_id, gold.utterance_id)
    return _told(session, gold)


def _told(session: Session, gold: Gold) -> Told:
    round_id = gold.round_id or 0
    first = first_labels(session, round_id, [gold.utterance_id]).get(gold.utterance_id, {})
    later = read_labels(
        session, standing(col(Decision.assignment_id).in_(first), col(Decision.utterance_id) == gold.utterance_id)
    ).get(gold.utterance_id, {})
    names = names_of(session, first)
    voices = [Voice(one, names[one], codes, later[one] if later.get(one, codes) != codes else None) for one, codes in first.items()]
    by = session.get(User, gold.user_id) if gold.user_id else None
    return Told(
        gold_id=gold.id or 0,
        codes=split_codes(gold.codes),
        rule=gold.rule,
        by=by.name if by else "",
        reason=gold.reason,
        comment=gold.comment,
        voices=tuple(sorted(voices, key=lambda voice: voice.name)),
    )


def names_of(session: Session, assignments: Iterable[int]) -> dict[int, str]:
    """Assignment id → whose it is."""
    statement = select(col(Assignment.id), col(User.name)).join(User, col(User.id) == col(Assignment.user_id))
    rows: Iterable[Any] = session.execute(statement.where(col(Assignment.id).in_(assignments)))
    return {row.id: row.name for row in rows}


def proposal(session: Session, lead: User, round_id: int, utterance_id: int) -> Suggestion | None:
    """What the round's run proposes for an utterance, for a lead who asks."""
    round_, _ = place(session, lead, round_id, utterance_id)
    return session.get(Suggestion, {"utterance_id": utterance_id, "run_id": round_.run_id}) if round_.run_id else None
