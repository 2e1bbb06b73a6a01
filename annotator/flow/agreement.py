"""Agreement between people: the labels standing at the first submission, paired and counted in `core/agreement.py`."""

import csv
import io
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import count
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from annotator.core.agreement import Judgement, agreement, agreement_of_all
from annotator.core.labelled import Labelled, guard, split_codes
from annotator.errors import BadInput
from annotator.flow.access import View, compared
from annotator.flow.corpus import shown_names
from annotator.flow.standing import first_submitted
from annotator.models import Assignment, Conversation, Kind, Round, Submission, User, Utterance

_OVERALL = ("n_utterances", "n_conversations", "n_skipped", "n_blank", "po", "pe", "kappa")
_PER_CODE = ("n_a", "n_b", "n_both", "kappa")
_TABLE = ("annotator_a", "annotator_b", "scope", "code", *_OVERALL, "n_a", "n_b", "n_both", "undefined")


def report(session: Session, view: View, round_name: str | None = None) -> dict[str, Any]:
    """All figures over what was handed in, of one round or of all; `rounds` says which went in ("" is what was imported).

    One person's view has the pairs that they are in, the others as `annotator-1` and so on, and nothing of `all` annotators at once.
    """
    rows = _submitted(session, view, round_name)
    names = shown_names(session, view) if view.only_user_id is None else _own_names(session, view.only_user_id, rows)
    said = list(_judgements(rows, names))
    figures = agreement(said)
    if view.only_user_id is None:
        figures["all"] = agreement_of_all(said)
    else:
        figures["pairs"] = [pair for pair in figures["pairs"] if names[view.only_user_id] in pair["annotators"]]
    return figures | {"rounds": sorted({row.round_name for row in rows})}


def _own_names(session: Session, user_id: int, rows: Iterable[Any]) -> dict[int, str]:
    """User id → what one person may call them: themselves by name, the others by numbers that tell nothing of who they are.

    The order depends on the rounds and on who asks, so that numbers of two answers cannot be matched; and on what only the
    database knows of the others, so that nobody can work it out.
    """
    rows = list(rows)
    asked = f"{user_id} {sorted({row.round_name for row in rows})}"

    def place(other: int) -> bytes:
        user = session.get_one(User, other)
        return sha256(f"{asked} {other} {user.password_hash} {user.link_hash}".encode()).digest()

    others = sorted({row.user_id for row in rows} - {user_id}, key=place)
    own = session.get_one(User, user_id).name
    free = (name for number in count(1) if (name := f"annotator-{number}") != own)
    return {user_id: own} | dict(zip(others, free, strict=False))


def report_of(rows: Iterable[Labelled], round_name: str | None = None) -> dict[str, Any]:
    """All figures over the rows of a long table; repeats are the same person once more and in no figure between people."""
    rows = [row for row in rows if row.annotator and not row.repeat and round_name in (None, row.round)]
    if round_name is not None and not rows:
        raise BadInput(f"The table has no labels of a round {round_name!r}. Leave --round out to use all rows.")
    said = [Judgement(row.annotator, row.conversation, row.utterance, row.role, frozenset(row.codes)) for row in rows]
    return agreement(said) | {"all": agreement_of_all(said), "rounds": sorted({row.round for row in rows})}


def rounds_with_labels(session: Session, view: View) -> list[str]:
    """The names of rounds in which something was handed in that this view may compare."""
    statement = (
        select(col(Round.name)).distinct()
        .join(Assignment, col(Assignment.round_id) == col(Round.id))
        .join(Submission, col(Submission.assignment_id) == col(Assignment.id))
        .where(compared(view))
    )  # fmt: skip
    return sorted(session.scalars(statement))


def _submitted(session: Session, view: View, round_name: str | None) -> list[Any]:
    if round_name is not None and round_name not in (known := rounds_with_labels(session, view)):
        if view.only_user_id is not None:
            raise BadInput(f"No closed round of yours is called {round_name!r}. Closed are: {', '.join(known) or 'none yet'}.")
        raise BadInput(f"Nothing was handed in for a round {round_name!r}. Known: {', '.join(known) or 'none'}.")
    labels = first_submitted().subquery("labels")
    statement = (
        select(
            labels.c.kind,
            labels.c.codes,
            col(Assignment.user_id),
            col(Round.name).label("round_name"),
            col(Conversation.key).label("conversation"),
            col(Utterance.key).label("utterance"),
            col(Utterance.role),
        )
        .join(Assignment, col(Assignment.id) == labels.c.assignment_id)
        .join(Round, col(Round.id) == col(Assignment.round_id))
        .join(Conversation, col(Conversation.id) == col(Assignment.conversation_id))
        .join(Utterance, col(Utterance.id) == labels.c.utterance_id)
        .where(compared(view))
        .order_by(col(Utterance.id))
    )
    return list(session.execute(statement if round_name is None else statement.where(col(Round.name) == round_name)))


def _judgements(rows: Iterable[Any], names: dict[int, str]) -> Iterator[Judgement]:
    for row in rows:
        codes = None if row.kind == Kind.SKIP else frozenset(split_codes(row.codes))
        yield Judgement(names[row.user_id], row.conversation, row.utterance, row.role, codes)


def as_text(figures: dict[str, Any]) -> str:
    """The figures as a table for the terminal."""
    if not figures["pairs"]:
        return "Nothing to compare yet: agreement needs two annotators who have both handed in the same conversation."
    lines = [f"{'':32}{'kappa':>11}{'po':>11}{'pe':>11}{'n':>8}"]
    for pair in figures["pairs"]:
        blocks = {**pair["roles"], "stratified": pair["stratified"], "pooled (flatters)": pair["pooled"]}
        if not pair["pooled"]["n_utterances"]:
            lines.append(f"{' - '.join(pair['annotators'])}  share no utterance that both labelled; nothing to compare")
            continue
        for scope, block in blocks.items():
            shown = [("undefined" if block[name] is None else f"{block[name]:.3f}") for name in ("kappa", "po", "pe")]
            who = f"{' - '.join(pair['annotators'])}  {scope}"
            lines.append(f"{who:32}{shown[0]:>11}{shown[1]:>11}{shown[2]:>11}{block['n_utterances']:>8}")
            reason = block["undefined"].get("kappa")
            lines += [f"    undefined: {reason}"] if reason else []
    return "\n".join(lines)


def as_csv(figures: dict[str, Any]) -> str:
    """The figures as one flat table: a row per pair and scope (role, stratified, pooled), then one per code of it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_TABLE)
    for pair in figures["pairs"]:
        blocks = {**pair["roles"], "stratified": pair["stratified"], "pooled": pair["pooled"]}
        for scope, block in blocks.items():
            for cells in _rows_of(block):
                row = dict(zip(("annotator_a", "annotator_b", "scope"), (*pair["annotators"], scope), strict=True)) | cells
                writer.writerow([_cell(row.get(column)) for column in _TABLE])
    return out.getvalue()


def _rows_of(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield {name: block[name] for name in _OVERALL} | {"undefined": block["undefined"].get("kappa", "")}
    for code, values in block["codes"].items():
        undefined = block["undefined"].get(f"codes.{code}.kappa", "")
        yield {"code": code, "undefined": undefined} | {name: values[name] for name in _PER_CODE}


def _cell(value: Any) -> str:
    return "" if value is None else guard(value) if isinstance(value, str) else str(value)
