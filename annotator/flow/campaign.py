"""What leads do with rounds on their pages: watch one, plan and make one, add to it, close it. Researchers may watch.

The drawing is `flow/round.py`'s, the counting `flow/progress.py`'s.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import and_, func, or_, select
from sqlmodel import Session, col

from annotator.errors import BadInput
from annotator.flow import round as rounds
from annotator.flow.access import Right, may, require, view_of
from annotator.flow.accounts import list_users, state_of
from annotator.flow.adjudication import codes_of
from annotator.flow.disputed import Disagreement, disagreement_of
from annotator.flow.planning import Plan
from annotator.flow.progress import Progress, ever_handed_in, made_round, progress_of
from annotator.flow.remarks import Remark, remarks_of
from annotator.flow.round import Wanted
from annotator.models import Assignment, Comment, Decision, Round, Run, Submission, Suggestion, TaxonomyVersion, User

# Watching


@dataclass(frozen=True, slots=True)
class Live:
    """What changes while people work. `state` differs when any of it may."""

    progress: Progress
    disagreement: Disagreement
    state: str
    names: dict[tuple[str, str], str]
    """What codes are called, by role and code."""


def live(session: Session, user: User, round_id: int) -> Live:
    """How far a round is and what is disputed, under the names this person may read."""
    require(user, Right.READ_ALL)
    made = made_round(session, round_id)
    state = _state(session, made)  # before the figures, so that what happens in between is shown at the next look
    progress = progress_of(session, view_of(user), made)
    names = {(code.role, code.code): code.name for code in codes_of(session, made).codes}
    return Live(progress, disagreement_of(session, made), state, names)


def unchanged(session: Session, user: User, round_id: int, state: str) -> bool:
    """Whether a page that shows `state` shows what is there; much quicker than looking again."""
    require(user, Right.READ_ALL)
    return _state(session, made_round(session, round_id)) == state


def _state(session: Session, made: Round) -> str:
    """A word that differs whenever anybody did something anywhere, or the round grew or was closed."""
    newest = (select(func.max(col(table.id))).scalar_subquery() for table in (Decision, Submission, Comment, Assignment))
    return "-".join(str(one or 0) for one in (*session.execute(select(*newest)).one(), int(made.closed_at is not None)))


def remarks(session: Session, user: User, round_id: int) -> list[Remark]:
    """Open comments and flags of a round, under the names this person may read."""
    require(user, Right.READ_ALL)
    return remarks_of(session, user, made_round(session, round_id))


@dataclass(frozen=True, slots=True)
class Listed:
    """A round in the list: how much there is to do, and how many of the `given` (conversation, annotator) are handed in.

    In a closed one what was handed in and opened again counts as handed in, as in `flow/progress.py`.
    """

    round: Round
    conversations: int
    annotators: int
    given: int
    handed_in: int


def list_rounds(session: Session, user: User) -> list[Listed]:
    """Every round with how far it is, the newest first."""
    require(user, Right.READ_ALL)
    newest = select(func.max(col(Submission.id))).group_by(col(Submission.assignment_id))
    handed_in = select(col(Submission.assignment_id)).where(col(Submission.id).in_(newest), col(Submission.handed_in))
    is_in = or_(col(Assignment.id).in_(handed_in), and_(col(Round.closed_at).is_not(None), ever_handed_in()))
    counted = (
        select(col(Assignment.round_id), func.count(), func.count().filter(is_in))
        .join(Round, col(Round.id) == col(Assignment.round_id))
        .where(~col(Assignment.repeat))
        .group_by(col(Assignment.round_id))
    )
    done = {row[0]: (row[1], row[2]) for row in session.execute(counted)}
    return [Listed(*one, *done.get(one[0].id, (0, 0))) for one in reversed(rounds.list_rounds(session))]


# Planning


@dataclass(frozen=True, slots=True)
class Annotator:
    """Somebody who may label; `note` says what is special about them."""

    name: str
    note: str


@dataclass(frozen=True, slots=True)
class Choices:
    """What a round can be made of: people, finished runs and taxonomy versions, the newest first."""

    annotators: list[Annotator]
    runs: list[Run]
    versions: list[TaxonomyVersion]


def choices(session: Session, lead: User) -> Choices:
    """What a lead can choose from."""
    require(lead, Right.LEAD)
    proposes = select(col(Suggestion.run_id)).where(col(Suggestion.run_id) == col(Run.id)).exists()
    runs = select(Run).where(col(Run.finished_at).is_not(None), proposes).order_by(col(Run.id).desc())
    versions = select(TaxonomyVersion).where(col(TaxonomyVersion.source) != "")
    versions = versions.order_by(col(TaxonomyVersion.adopted_at).desc(), col(TaxonomyVersion.id).desc())
    return Choices(_may_annotate(session), list(session.scalars(runs)), list(session.scalars(versions)))


def newcomers(session: Session, lead: User, round_id: int) -> list[Annotator]:
    """Who may label and is not in the round."""
    require(lead, Right.LEAD)
    made = made_round(session, round_id)
    inside = set(session.scalars(select(col(Assignment.user_id)).where(col(Assignment.round_id) == made.id).distinct()))
    inside |= set(made.plan.get("annotators", ()))
    return _may_annotate(session, but=inside)


def _may_annotate(session: Session, but: Collection[int | None] = ()) -> list[Annotator]:
    """Annotators first, then leads, who may label too."""
    people = [one for one in list_users(session) if may(one, Right.ANNOTATE) and one.id not in but]
    notes = {one.name: ", ".join(filter(None, (one.role if may(one, Right.LEAD) else "", _absent(one)))) for one in people}
    return [Annotator(one.name, notes[one.name]) for one in sorted(people, key=lambda one: may(one, Right.LEAD))]


def _absent(user: User) -> str:
    state = state_of(user)
    return "" if state == "active" else state


def wanted_from(filled_in: Mapping[str, str], annotators: Iterable[str]) -> Wanted:
    """The round that a form says. Raises `BadInput` for what cannot be."""
    given = {name: value.strip() for name, value in filled_in.items() if value.strip()}
    names = tuple(annotators)
    if not names:
        raise BadInput("Nobody is chosen. Tick the people who shall label.")
    seed = _whole(given.get("seed", "1"), "The seed", least=0)
    return Wanted(
        name=given.get("name", ""),
        annotators=names,
        overlap=_whole(given["overlap"], "The number of annotators per conversation") if "overlap" in given else None,
        blind=_share(given.get("blind", "0"), "The share of blind conversations"),
        repeats=_share(given.get("repeats", "0"), "The share of silent repeats"),
        seed=seed,
        run_id=_whole(given["run"], "The run") if "run" in given else None,
        taxonomy=given.get("taxonomy", ""),
        selection=selection_from(given, seed),
        instructions=filled_in.get("instructions", "").strip(),
    )


def selection_from(filled_in: Mapping[str, str], seed: int) -> dict[str, list[str]]:
    """Which conversations a form says; none said is an empty selection."""
    found = {name: re.findall(r"[^\s,]+", filled_in.get(name, "")) for name in ("only", "leave_out")}
    if sample := filled_in.get("sample", "").strip():
        found["sample"] = [str(_whole(sample, "The number of conversations drawn by lot")), str(seed)]
    return {name: value for name, value in found.items() if value}


def _whole(word: str, what: str, least: int = 1) -> int:
    if not re.fullmatch("[0-9]{1,9}", word) or int(word) < least:
        raise BadInput(f"{what} is {word!r}; it must be a whole number from {least}.")
    return int(word)


def _share(word: str, what: str) -> float:
    number = word.removesuffix("%").strip().replace(",", ".")
    if not re.fullmatch(r"[0-9]{1,3}([.][0-9]{1,4})?", number) or float(number) > 100:
        raise BadInput(f"{what} is {word!r}; it must be a percentage from 0 to 100.")
    return float(number) / 100


# Making and changing


def plan(session: Session, lead: User, wanted: Wanted) -> Plan:
    """What a round would be; stores nothing."""
    require(lead, Right.LEAD)
    return rounds.plan_round(session, wanted)


def create(session: Session, lead: User, wanted: Wanted) -> int:
    """Make a round; returns its number."""
    require(lead, Right.LEAD)
    made = rounds.create_round(session, wanted)
    return rounds.get_round(session, made.name).id or 0


@dataclass(frozen=True, slots=True)
class More:
    """What shall come into a round: people by name, and conversations by a selection."""

    annotators: tuple[str, ...]
    selection: Mapping[str, list[str]]


def more_from(session: Session, round_id: int, filled_in: Mapping[str, str], annotators: Iterable[str]) -> More:
    """The addition that a form says; `all_others` is every conversation that is not in the round. A sample goes by the round's seed."""
    seed = int(made_round(session, round_id).plan.get("seed", 1))
    selection = selection_from(filled_in, seed)
    if filled_in.get("all_others") and not selection:
        selection = {"only": ["*"]}
    return More(tuple(annotators), selection)


def plan_addition(session: Session, lead: User, round_id: int, more: More) -> Plan:
    """What a round would be with more in it; stores nothing."""
    require(lead, Right.LEAD)
    return rounds.plan_extension(session, made_round(session, round_id).name, more.annotators, more.selection)


def add(session: Session, lead: User, round_id: int, more: More) -> None:
    """Add people and conversations to a round."""
    require(lead, Right.LEAD)
    rounds.extend_round(session, made_round(session, round_id).name, more.annotators, more.selection)


def close(session: Session, lead: User, round_id: int) -> None:
    """Close a round for good."""
    require(lead, Right.LEAD)
    rounds.close_round(session, made_round(session, round_id).name)
