"""What a run is measured against: people's first-submitted labels, gold, or another run; and which of these labels count.

Labels made with proposals in view flatter the machine that proposes, so blind ones count alone wherever there are any.
`flow/comparison.py` and `flow/calibration.py` compute the figures.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from annotator.core.labelled import split_codes
from annotator.errors import BadInput, Forbidden, NotFound
from annotator.flow.access import View
from annotator.flow.agreement import rounds_with_labels
from annotator.flow.corpus import shown_names
from annotator.flow.runs import any_run
from annotator.flow.standing import first_submitted, settled
from annotator.models import Assignment, Condition, Conversation, Kind, Round, RoundConversation, Run, Suggestion, Utterance

GOLD = "gold"
EVERYBODY = "everybody"


@dataclass(frozen=True, slots=True)
class Proposed:
    """What a run says of an utterance, with its place and text. `codes` has the most probable first."""

    conversation: str
    utterance: str
    role: str
    text: str
    codes: tuple[str, ...]
    confidence: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Said:
    """A label of the reference. `blind`: it was made without proposals in view, for certain."""

    utterance_id: int
    codes: tuple[str, ...]
    blind: bool


@dataclass(frozen=True, slots=True)
class Reference:
    """Labels to measure a run against. `kind` is annotator, everybody, gold or run; skips are counted only."""

    kind: str
    name: str
    labels: Sequence[Said]
    n_skipped: int = 0
    run: Run | None = None


@dataclass(frozen=True, slots=True)
class Subset:
    """The labels that count. `name` is blind or all; `warning` says why they may flatter the machine, if they may."""

    name: str
    labels: Sequence[Said]
    n_not_blind: int
    n_no_suggestion: int
    warning: str = ""


def proposed(session: Session, run_id: int) -> dict[int, Proposed]:
    """Utterance id → what the run says of it, in the order of the conversations."""
    statement: Any = (
        select(
            *(col(Suggestion.utterance_id), col(Conversation.key).label("conversation"), col(Utterance.key), col(Utterance.role)),
            *(col(Utterance.text), col(Suggestion.codes), col(Suggestion.confidence), col(Suggestion.reason)),
        )
        .join(Utterance, col(Utterance.id) == col(Suggestion.utterance_id))
        .join(Conversation, col(Conversation.id) == col(Utterance.conversation_id))
        .where(col(Suggestion.run_id) == run_id)
        .order_by(col(Utterance.conversation_id), col(Utterance.position))
    )
    found = {
        row.utterance_id: Proposed(
            row.conversation, row.key, row.role, row.text, split_codes(row.codes), row.confidence, row.reason
        )
        for row in session.execute(statement)
    }  # fmt: skip
    if not found:
        raise BadInput(f"Run {run_id} has no suggestion yet. `annotator tag` goes on with an unfinished run.")
    return found


def reference(session: Session, view: View, what: str, round_name: str | None = None) -> Reference:
    """The reference of this name: a run's number, `gold`, or an annotator. Proposals are never shown to annotators here."""
    if view.only_user_id is not None:
        raise Forbidden("Comparing runs is for leads and researchers: it shows proposals and labels of all conversations.")
    is_run = what.isascii() and what.isdecimal()
    if round_name is not None and (is_run or what == GOLD):
        raise BadInput(f"--round chooses among an annotator's labels; {'a run' if is_run else 'gold'} belongs to no round. Leave it out.")
    if is_run:
        return _of_run(session, int(what))
    return Reference(GOLD, GOLD, _gold(session)) if what == GOLD else _of_annotator(session, view, what, round_name)


def everybody(session: Session) -> Reference:
    """The labels of all people together, one after the other where several labelled an utterance."""
    return _of_people(session, "everybody", EVERYBODY, None, None)


def _of_run(session: Session, run_id: int) -> Reference:
    run = any_run(session, run_id)
    return Reference("run", str(run_id), [Said(at, one.codes, True) for at, one in proposed(session, run_id).items()], run=run)


def _of_annotator(session: Session, view: View, name: str, round_name: str | None) -> Reference:
    names = shown_names(session, view)
    user_id = next((user_id for user_id, shown in names.items() if shown == name), None)
    if user_id is None:
        known = ", ".join(sorted(names.values())) or "nobody yet"
        raise NotFound(f"There is no annotator {name!r}. Known: {known}; or give a run's number, or gold.")
    if round_name is not None and round_name not in (rounds := rounds_with_labels(session, view)):
        raise NotFound(f"Nothing was handed in for a round {round_name!r}. Known: {', '.join(rounds) or 'none'}.")
    found = _of_people(session, "annotator", name, user_id, round_name)
    if not found.labels:
        where = f" in round {round_name}" if round_name else ""
        raise BadInput(f"{name} has handed in no label{where} yet. Labels count once their conversation is handed in, or imported.")
    return found


def _of_people(session: Session, kind: str, name: str, user_id: int | None, round_name: str | None) -> Reference:
    labels = first_submitted().subquery("labels")
    statement = (
        select(labels.c.utterance_id, labels.c.kind, labels.c.codes, labels.c.condition)
        .join(Assignment, col(Assignment.id) == labels.c.assignment_id)
        .join(Round, col(Round.id) == col(Assignment.round_id))
        .where(~col(Assignment.repeat))  # the same person once more, who has seen the conversation
        .order_by(labels.c.id)
    )
    if user_id is not None:
        statement = statement.where(col(Assignment.user_id) == user_id)
    if round_name is not None:
        statement = statement.where(col(Round.name) == round_name)
    rows = session.execute(statement).all()
    said = [
        Said(row.utterance_id, split_codes(row.codes), row.condition == Condition.BLIND) for row in rows if row.kind != Kind.SKIP
    ]  # fmt: skip
    return Reference(kind, name, said, n_skipped=len(rows) - len(said))


def _gold(session: Session) -> list[Said]:
    """The newest gold of each utterance; blind where its conversation was placed blind in some round."""
    blind = set(
        session.scalars(select(col(RoundConversation.conversation_id)).where(col(RoundConversation.condition) == Condition.BLIND))
    )
    gold = settled().subquery("gold")
    statement = (
        select(gold.c.utterance_id, gold.c.codes, col(Utterance.conversation_id))
        .join(Utterance, col(Utterance.id) == gold.c.utterance_id)
        .order_by(gold.c.id)
    )
    found = [Said(row.utterance_id, split_codes(row.codes), row.conversation_id in blind) for row in session.execute(statement)]
    if not found:
        raise BadInput("There is no gold yet. Compare with an annotator or another run, or settle gold first.")
    return found


def subset(of: Reference, suggested: Container[int], *, every: bool) -> Subset:
    """The labels on what the run suggested: the blind ones alone, unless there are none or `every` one is asked for."""
    common = [label for label in of.labels if label.utterance_id in suggested]
    blind = [label for label in common if label.blind]
    without = len(of.labels) - len(common)
    if of.run is not None:
        return Subset("all", common, 0, without)
    if blind and not every:
        return Subset("blind", blind, len(common) - len(blind), without)
    return Subset("all", common, 0, without, _warning(of, len(common), len(blind)))


def _warning(of: Reference, n: int, n_blind: int) -> str:
    if n == n_blind:
        return ""
    whose = {"gold": "gold labels", "everybody": "labels of all people"}.get(of.kind, f"labels of {of.name}")
    known, others = (f"Only {n_blind}", "The others") if n_blind else ("None", "They")
    return (
        f"{known} of the {n} {whose} used here {'are' if n_blind > 1 else 'is'} known to be blind. {others} were made, or may have been "
        "made, with the proposals in view, which flatters the machine."
    )


def each_once(labels: Sequence[Said], name: str) -> dict[int, Said]:
    """The labels by utterance; two for one utterance are refused, because which is meant must be said."""
    found = {label.utterance_id: label for label in labels}
    if len(found) < len(labels):
        raise BadInput(f"{name} labelled {len(labels) - len(found)} utterances in more than one round. Say which is meant: --round NAME.")
    return found
