"""Rounds: asking for one, making it, adding to it, closing it. What a plan holds and is good for is `flow/planning.py`'s."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from sqlalchemy import delete, func, insert, or_, select, update
from sqlmodel import Session, col

from annotator.core.labelled import split_codes
from annotator.core.sampling import Design, Place, draw_places
from annotator.core.taxonomy import Taxonomy
from annotator.errors import BadInput, Conflict, NotFound
from annotator.flow.access import Right, begun, may
from annotator.flow.accounts import get_user
from annotator.flow.adjudication import settle_round
from annotator.flow.changes import changes_of
from annotator.flow.outcomes import chosen
from annotator.flow.planning import Basis, Plan, Talk, describe, read_talks
from annotator.flow.runs import get_run, newest_run
from annotator.flow.taxonomy import current_version, find_version, parsed
from annotator.models import (
    Assignment,
    Comment,
    Condition,
    Round,
    RoundConversation,
    Run,
    Suggestion,
    TaxonomyVersion,
    User,
    Utterance,
    now,
)  # fmt: skip

_LONGEST = 20_000
"""Characters of instructions."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A round as the lead asks for it.

    `overlap` is how many annotators each conversation gets (None: all of them); `blind` and `repeats` are shares, 0 to 1;
    `selection` says which conversations, as in `flow/runs.py`'s Order; `run_id` None means the newest run.
    """

    name: str
    annotators: tuple[str, ...]
    overlap: int | None = None
    blind: float = 0.0
    repeats: float = 0.0
    seed: int = 1
    run_id: int | None = None
    taxonomy: str = ""
    """The fingerprint of a taxonomy version, or its beginning; empty is the newest."""
    selection: dict[str, list[str]] = field(default_factory=dict)
    instructions: str = ""


# A new round


def plan_round(session: Session, wanted: Wanted) -> Plan:
    """What `create_round` would make; stores nothing."""
    return _draw(session, wanted).plan


def create_round(session: Session, wanted: Wanted) -> Plan:
    """Draw a round and store it: conditions, assignments and silent repeats, before anybody opens anything.

    Without any run that proposes something, every conversation is blind.
    """
    drawn = _draw(session, wanted)
    made = Round(
        name=drawn.plan.name,
        run_id=drawn.plan.run_id,
        taxonomy_version_id=drawn.plan.taxonomy_version_id,
        instructions=wanted.instructions,
        plan={
            "overlap": wanted.overlap,
            "blind": wanted.blind,
            "repeats": wanted.repeats,
            "seed": wanted.seed,
            "selection": wanted.selection,
            "annotators": sorted(drawn.ids.values()),
        },
    )
    session.add(made)
    session.flush()
    _store(session, made, drawn)
    return drawn.plan


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A plan with what storing it takes: where conversations stood before, conversations by key, user ids by name."""

    plan: Plan
    before: Sequence[Place]
    talks: Mapping[str, Talk]
    ids: Mapping[str, int]


def _draw(session: Session, wanted: Wanted) -> _Drawn:
    name = wanted.name.strip()
    if not name or len(name) > 60 or not name.isprintable():
        raise BadInput(f"{name!r} cannot be a round's name: use 1 to 60 printable characters.")
    if session.scalars(select(Round).where(col(Round.name) == name)).first():
        raise Conflict(f"There is a round {name} already. Choose another name; rounds are never overwritten.")
    ids = _ids(session, wanted.annotators)
    _check(wanted, len(ids))
    run = get_run(session, wanted.run_id) if wanted.run_id is not None else newest_run(session)
    version = find_version(session, wanted.taxonomy) if wanted.taxonomy else current_version(session)
    if version is None:
        raise BadInput("The project has no taxonomy yet. Put a taxonomy.yaml into its folder and run `annotator taxonomy`.")
    taxonomy = parsed(version.source)
    _check_run(session, run, version, taxonomy)
    basis = Basis(name, run.id if run else None, version, taxonomy, read_talks(session, taxonomy))
    conversations, left_out = _select(session, basis.talks, wanted.selection)
    design = _design(basis.run_id, wanted.overlap, wanted.blind, wanted.repeats, wanted.seed)
    places = draw_places(design, conversations, ids)
    return _Drawn(replace(describe(session, basis, wanted.overlap, ids, places), left_out=left_out), (), basis.talks, ids)


def _ids(session: Session, names: Iterable[str]) -> dict[str, int]:
    """Name → id of people who may annotate; each once."""
    users = [get_user(session, name) for name in names]
    for user in users:
        if not may(user, Right.ANNOTATE):
            raise BadInput(f"{user.name} is {'disabled' if user.disabled_at else f'a {user.role}'} and cannot annotate.")
    return {user.name: user.id or 0 for user in users}


def _check(wanted: Wanted, n_annotators: int) -> None:
    """Raise `BadInput` for numbers that no round can have."""
    if not n_annotators:
        raise BadInput("A round needs at least one annotator: --annotators ana,ben.")
    if wanted.overlap is not None and wanted.overlap < 1:
        raise BadInput(f"The overlap is how many annotators each conversation gets: 1 or more, not {wanted.overlap}.")
    if wanted.overlap is not None and wanted.overlap > n_annotators:
        _check_enough(wanted.overlap, n_annotators)
    for what, share in (("blind", wanted.blind), ("repeats", wanted.repeats)):
        if not 0 <= share <= 1:
            raise BadInput(f"The share of {what} is a number from 0 to 1 (0.2 is a fifth), not {share:g}.")
    if len(wanted.instructions) > _LONGEST:
        raise BadInput(f"The instructions have {len(wanted.instructions):,} characters; {_LONGEST:,} is the most. Link to a longer text.")


def _check_enough(overlap: int, n_annotators: int) -> None:
    if overlap > n_annotators:
        raise BadInput(f"Each conversation would need {overlap} annotators, and there are {n_annotators}. Name more, or lower the overlap.")


def _check_run(session: Session, run: Run | None, version: TaxonomyVersion, taxonomy: Taxonomy) -> None:
    """Every proposed code must be one that the round's annotators can choose."""
    if run is None or run.taxonomy_version_id == version.id:
        return
    said = select(col(Utterance.role), col(Suggestion.codes)).join(Utterance, col(Utterance.id) == col(Suggestion.utterance_id))
    proposed = session.execute(said.where(col(Suggestion.run_id) == run.id).distinct())
    foreign = sorted({f"{role} {code}" for role, codes in proposed for code in split_codes(codes) if not taxonomy.known(role, code)})
    if foreign:
        few = ", ".join(foreign[:5])
        raise BadInput(f"Run {run.id} proposes codes that taxonomy {version.fingerprint} lacks: {few}. Choose another run or version.")


def _select(session: Session, talks: Mapping[str, Talk], selection: Mapping[str, Sequence[str]]) -> tuple[dict[str, str], int]:
    """Conversation → scenario of what is chosen, and how many chosen ones are left out because the taxonomy has no codes for them."""
    ids = set(chosen(session, selection))
    kept = {talk.key: talk.scenario for talk in talks.values() if talk.id in ids}
    if not kept:
        raise BadInput("There are no conversations with roles of the taxonomy yet. Import some with `annotator import` first.")
    return kept, len(ids) - len(kept)


def _design(run_id: int | None, overlap: int | None, blind: float, repeats: float, seed: int) -> Design:
    return Design(overlap, blind if run_id is not None else 1.0, repeats, seed)


# More for a round that is there


def plan_extension(
    session: Session, name: str, annotators: Sequence[str] = (), selection: Mapping[str, Sequence[str]] | None = None
) -> Plan:
    """What `extend_round` would make of a round; stores nothing."""
    return _draw_extension(session, get_round(session, name), annotators, selection or {}).plan


def extend_round(
    session: Session, name: str, annotators: Sequence[str] = (), selection: Mapping[str, Sequence[str]] | None = None
) -> Plan:
    """Add conversations (of a selection; none is none) and annotators to a round, by the shares and the seed it was drawn by.

    Conditions that are drawn never change and what somebody has begun never moves. Newcomers take over what has not begun
    until loads are even; in a round where all label everything, they get everything.
    """
    round_, selection = get_round(session, name), selection or {}
    drawn = _draw_extension(session, round_, annotators, selection)
    _store(session, round_, drawn)
    added = {"annotators": list(_ids(session, annotators).values()), "selection": {key: list(value) for key, value in selection.items()}}
    round_.plan = round_.plan | {"annotators": sorted(drawn.ids.values()), "added": [*round_.plan.get("added", []), added]}
    session.flush()
    return drawn.plan


def _draw_extension(session: Session, round_: Round, annotators: Sequence[str], selection: Mapping[str, Sequence[str]]) -> _Drawn:
    if round_.closed_at is not None:
        raise Conflict(f"Round {round_.name} is closed, so nothing can be added to it. Make a new round.")
    if not round_.plan:
        raise BadInput(f"Round {round_.name} came from a file and was never planned, so nothing can be added to it. Make a new round.")
    if not annotators and not any(selection.values()):
        raise BadInput("Say what to add: annotators, conversations, or both.")
    version = session.get_one(TaxonomyVersion, round_.taxonomy_version_id)
    basis = Basis(round_.name, round_.run_id, version, parsed(version.source), read_talks(session, parsed(version.source)))
    before = _places(session, round_, basis.talks)
    staff = _staff(session, round_)
    newcomers = _ids(session, annotators)
    if there := [name for name in newcomers if any(user.name == name for user in staff)]:
        raise Conflict(f"{', '.join(there)} is in round {round_.name} already. Leave that name out.")
    conversations, left_out = _more(session, round_, basis.talks, before, selection)
    able = {user.name: user.id or 0 for user in staff if may(user, Right.ANNOTATE)} | newcomers
    plan = round_.plan
    if conversations and plan["overlap"] is not None:
        _check_enough(plan["overlap"], len(able))
    design = _design(round_.run_id, plan["overlap"], plan["blind"], plan["repeats"], plan["seed"])
    places = draw_places(design, conversations, able, before, newcomers)
    everybody = {user.name: user.id or 0 for user in staff} | newcomers
    described = describe(session, basis, plan["overlap"], everybody, places)
    described = replace(described, left_out=left_out, added=len(conversations), newcomers=tuple(sorted(newcomers)))
    described = replace(described, changes=changes_of(before, places))
    return _Drawn(described, before, basis.talks, everybody)


def _staff(session: Session, round_: Round) -> list[User]:
    """Everybody who labels in a round, also those for whom it has nothing so far."""
    assigned = select(col(Assignment.user_id)).where(col(Assignment.round_id) == round_.id)
    ids = {*session.scalars(assigned.distinct()), *round_.plan["annotators"]}
    return list(session.scalars(select(User).where(col(User.id).in_(ids)).order_by(col(User.id))))


def _more(
    session: Session, round_: Round, talks: Mapping[str, Talk], before: Sequence[Place], selection: Mapping[str, Sequence[str]]
) -> tuple[dict[str, str], int]:
    """Conversation → scenario of what a selection adds, and how many have no codes; nothing without a selection.

    A sample is drawn from what is not in the round yet.
    """
    if not any(selection.values()):
        return {}, 0
    kept, left_out = _select(session, talks, {key: value for key, value in selection.items() if key != "sample"})
    new = sorted(kept.keys() - {place.conversation for place in before})
    if not new:
        raise BadInput(f"Round {round_.name} has all of these conversations already. Choose others.")
    if sample := selection.get("sample"):
        number, seed = int(sample[0]), int(sample[1])
        new = Random(seed).sample(new, min(number, len(new)))  # noqa: S311 - a draw anyone may repeat, no secret
    return {key: kept[key] for key in new}, left_out


def _places(session: Session, round_: Round, talks: Mapping[str, Talk]) -> list[Place]:
    """A round as it stands."""
    keys = {talk.id: talk.key for talk in talks.values()}
    conditions = session.execute(
        select(col(RoundConversation.conversation_id), col(RoundConversation.condition)).where(col(RoundConversation.round_id) == round_.id)
    )
    places = {one: Place(keys[one], talks[keys[one]].scenario, condition == Condition.BLIND, ()) for one, condition in conditions}
    # What a lead wrote to somebody does not move to another person either.
    told = select(col(Comment.id)).where(col(Comment.assignment_id) == col(Assignment.id)).exists()
    is_begun = or_(begun(col(Assignment.id)), told).label("begun")
    columns = (col(Assignment.conversation_id), col(Assignment.repeat), col(User.name), is_begun)
    rows = select(*columns).join(User, col(User.id) == col(Assignment.user_id)).where(col(Assignment.round_id) == round_.id)
    for row in session.execute(rows.order_by(col(User.name))):
        place = places[row.conversation_id]
        if row.repeat:
            place = replace(place, repeat_of=(*place.repeat_of, row.name))
        else:
            place = replace(place, annotators=(*place.annotators, row.name))
        places[row.conversation_id] = replace(place, begun=place.begun | {row.name}) if row.begun else place
    return list(places.values())


def _store(session: Session, round_: Round, drawn: _Drawn) -> None:
    """Write down what differs from before: new places and assignments, those that change hands, repeats that come or go."""
    connection = session.connection()
    before = {place.conversation: place for place in drawn.before}
    placed, assigned = [], []
    for place in drawn.plan.places:
        old = before.get(place.conversation)
        at = {"round_id": round_.id, "conversation_id": drawn.talks[place.conversation].id}
        if old is None:
            placed.append({**at, "condition": Condition(place.condition)})
            old = replace(place, annotators=(), repeat_of=())
        here = [col(Assignment.round_id) == round_.id, col(Assignment.conversation_id) == at["conversation_id"]]
        come = [drawn.ids[name] for name in place.annotators if name not in old.annotators]
        gone = [drawn.ids[name] for name in old.annotators if name not in place.annotators]
        if dropped := [drawn.ids[name] for name in old.repeat_of if name not in place.repeat_of]:
            connection.execute(delete(Assignment).where(*here, col(Assignment.user_id).in_(dropped), col(Assignment.repeat)))
        for left, taken in zip(gone, come, strict=False):
            connection.execute(update(Assignment).where(*here, col(Assignment.user_id) == left).values(user_id=taken))
        assigned += [{**at, "user_id": one, "repeat": False} for one in come[len(gone) :]]
        again = [name for name in place.repeat_of if name not in old.repeat_of]
        assigned += [{**at, "user_id": drawn.ids[name], "repeat": True} for name in again]
    assigned.sort(key=lambda one: (one["repeat"], one["user_id"], one["conversation_id"]))
    for table, rows in ((RoundConversation, placed), (Assignment, assigned)):
        if rows:
            connection.execute(insert(table), rows)


# Closing, finding, listing


def close_round(session: Session, name: str) -> Round:
    """Close a round: its labels are settled, what is equal becomes gold, and annotators may see their agreement. Once only."""
    round_ = get_round(session, name)
    if round_.closed_at is not None:
        raise Conflict(f"Round {round_.name} was closed on {round_.closed_at:%d %B %Y} already.")
    settle_round(session, round_)
    round_.closed_at = now()
    session.flush()
    return round_


def get_round(session: Session, name: str) -> Round:
    """A round by its name; what was imported without one has none."""
    found = session.scalars(select(Round).where(col(Round.name) == name.strip(), col(Round.name) != "")).one_or_none()
    if found is None:
        names = session.scalars(select(col(Round.name)).where(col(Round.name) != "").order_by(col(Round.id)))
        raise NotFound(f"There is no round {name!r}. Known: {', '.join(names) or 'none; `annotator round create` makes one'}.")
    return found


def list_rounds(session: Session) -> list[tuple[Round, int, int]]:
    """Every round made here, with its numbers of conversations and annotators."""
    statement = (
        select(Round, func.count(col(Assignment.conversation_id).distinct()), func.count(col(Assignment.user_id).distinct()))
        .join(Assignment, col(Assignment.round_id) == col(Round.id))
        .where(col(Round.name) != "")
        .group_by(col(Round.id))
        .order_by(col(Round.id))
    )
    return [(row[0], row[1], row[2]) for row in session.execute(statement)]
