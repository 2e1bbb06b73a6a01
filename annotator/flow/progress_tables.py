"""Progress of a round as JSON values, as tables to download and as lines for the terminal."""

from collections.abc import Iterable
from typing import Any

from annotator.core.table import as_csv
from annotator.flow.campaign import Listed
from annotator.flow.disputed import Disagreement
from annotator.flow.progress import Conversed, Person, Progress, Tally, Work
from annotator.flow.remarks import Remark

_MARKS = ("utterances", "open", "labelled", "skipped", "flagged", "unsure", "comments")
_PERSON = (
    "annotator", "conversations", "handed_in", *_MARKS, "per_hour",
    "accepted_assisted", "n_assisted", "accepted_blind", "n_blind", "repeats", "repeats_handed_in",
)  # fmt: skip
_CONVERSATION = ("conversation", "condition", "annotator", "state", *_MARKS)
_DISPUTED = ("role", "code", "utterances", "disputed", "share")
_ROUND = ("round", "state", "run", "conversations", "annotators", "given", "handed_in", "made_at", "closed_at")
_REMARK = ("conversation", "utterance", "annotator", "what", "by", "text", "said_at")


def as_dict(progress: Progress, disagreement: Disagreement) -> dict[str, Any]:
    """Everything but texts, as JSON values."""
    made = progress.round
    return {
        "round": made.name,
        "closed_at": made.closed_at.isoformat() if made.closed_at else None,
        "run": made.run_id,
        "plan": made.plan,
        "annotators": [_person(one) for one in progress.people],
        "all": _person(progress.everybody),
        "conversations": [_conversation(one) for one in progress.conversations],
        "disagreement": {
            "roles": {one.role: {"utterances": one.utterances, "differ": one.differ} for one in disagreement.roles},
            "codes": [dict(zip(_DISPUTED, row, strict=True)) for row in _disputed(disagreement)],
        },
    }


def _person(one: Person) -> dict[str, Any]:
    values = {"annotator": one.name, "conversations": one.conversations, "handed_in": one.handed_in} | _marks(one.tally)
    values |= {"per_hour": _rounded(one.tally.per_hour)}
    for condition, tally in (("assisted", one.assisted), ("blind", one.blind)):
        values |= {f"accepted_{condition}": _rounded(tally.accepted), f"n_{condition}": tally.compared}
    return values | {"repeats": one.repeats, "repeats_handed_in": one.repeats_handed_in}


def _conversation(one: Conversed) -> dict[str, Any]:
    works = [{"annotator": work.annotator, "state": work.state} | _marks(work.tally) for work in one.works]
    return {"conversation": one.name, "condition": one.condition, "annotators": works}


def _marks(tally: Tally) -> dict[str, int]:
    return {name: getattr(tally, name) for name in _MARKS}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def people_csv(progress: Progress) -> str:
    """A row per annotator."""
    return as_csv(_PERSON, (list(_person(one).values()) for one in progress.people))


def conversations_csv(progress: Progress) -> str:
    """A row per conversation and annotator."""
    works: Iterable[tuple[Conversed, Work]] = ((one, work) for one in progress.conversations for work in one.works)
    rows = ((one.name, one.condition, work.annotator, work.state, *_marks(work.tally).values()) for one, work in works)
    return as_csv(_CONVERSATION, rows)


def disagreement_csv(disagreement: Disagreement) -> str:
    """A row per role and code, what is disputed most first."""
    return as_csv(_DISPUTED, _disputed(disagreement))


def _disputed(disagreement: Disagreement) -> list[tuple[str, str, int, int, float]]:
    return [(one.role, one.code, one.used, one.disputed, round(one.share, 4)) for one in disagreement.codes]


def remarks_csv(remarks: Iterable[Remark]) -> str:
    """A row per open comment or flag."""
    rows = ((one.conversation, one.position, one.annotator, one.what, one.by, one.text, one.said_at or "") for one in remarks)
    return as_csv(_REMARK, rows)


def rounds_csv(rounds: Iterable[Listed]) -> str:
    """A row per round."""
    return as_csv(_ROUND, map(_round, rounds))


def _round(one: Listed) -> tuple[object, ...]:
    made = one.round
    counts = (one.conversations, one.annotators, one.given, one.handed_in)
    return (made.name, "closed" if made.closed_at else "open", made.run_id, *counts, made.created_at, made.closed_at)


def as_text(progress: Progress, disagreement: Disagreement) -> str:
    """For the terminal."""
    made, everybody = progress.round, progress.everybody
    state = f"closed on {made.closed_at:%Y-%m-%d}" if made.closed_at else "open"
    lines = [f"Round {made.name}, {state}: {everybody.handed_in} of {everybody.conversations} handed in."]
    heading = ("conversations", "handed in", "open", "labelled", "skipped", "flagged", "per hour", "accepted", "same when blind")
    lines.append(f"{'':20}" + "".join(f"{name:>{len(name) + 2}}" for name in heading))
    for one in [*progress.people, *([everybody] if len(progress.people) > 1 else [])]:
        tally = one.tally
        shown = (one.conversations, one.handed_in, tally.open, tally.labelled, tally.skipped, tally.flagged)
        figures = ("-" if tally.per_hour is None else f"{tally.per_hour:,.0f}", _share(one.assisted), _share(one.blind))
        cells = zip(heading, (*map(str, shown), *figures), strict=True)
        lines.append(f"{one.name or 'all':20}" + "".join(f"{cell:>{len(name) + 2}}" for name, cell in cells))
    disputed = [one for one in disagreement.codes if one.disputed][:10]
    if disputed:
        lines.append("Disputed most, among utterances that two or more people labelled:")
    lines += [f"  {one.role} {one.code}: {one.disputed} of {one.used}" for one in disputed]
    return "\n".join(lines)


def _share(tally: Tally) -> str:
    return "-" if tally.accepted is None else f"{tally.accepted:.0%}"
