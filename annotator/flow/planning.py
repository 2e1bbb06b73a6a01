"""What a round would hold and be good for: who gets what, what is labelled twice, which codes' agreement that can tell.

The drawing is `core/sampling.py`'s; asking for a round, making and changing it is `flow/round.py`'s.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from annotator.core.labelled import split_codes
from annotator.core.precision import DESIGN_EFFECT, utterances_needed
from annotator.core.sampling import Place
from annotator.core.taxonomy import Taxonomy
from annotator.flow.access import PLACED
from annotator.flow.changes import Change
from annotator.flow.known import sample_labels
from annotator.flow.standing import first_submitted, settled
from annotator.models import (
    Assignment,
    Condition,
    Conversation,
    Kind,
    Round,
    RoundConversation,
    Suggestion,
    TaxonomyVersion,
    User,
    Utterance,
)  # fmt: skip

KAPPA, HALF_WIDTH, CONFIDENCE = 0.8, 0.1, 0.95
"""What a plan calls estimable: a kappa about so high, to so much on either side, with this confidence."""

_ENOUGH = 200
"""Labels of a role from which on they say how frequent its codes are."""


class Verdict(StrEnum):
    """Whether the agreement on a code can be estimated."""

    ESTIMABLE = "estimable"
    NOT_HERE = "too few in this round"
    TOO_FEW = "too few in all conversations"
    UNSEEN = "not seen so far"


_ADVICE = {
    Verdict.ESTIMABLE: "",
    Verdict.NOT_HERE: ". More conversations or a higher overlap would do",
    Verdict.TOO_FEW: ". Report them without kappa, merge rare ones with others, or import more conversations",
    Verdict.UNSEEN: "",
}


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a round can tell of one code's kappa.

    `prevalence` is the share of the role's utterances that carry it (None: nothing says), `expected` how many of the doubly
    labelled ones will, `needed` how many doubly labelled utterances of the role the estimate takes (None: cannot be said),
    `doubled` how many the round has and `available` how many there are in all conversations.
    """

    role: str
    code: str
    prevalence: float | None
    expected: float
    needed: int | None
    doubled: int
    available: int

    @property
    def verdict(self) -> Verdict:
        """Estimable where the round has as many as are needed, else whether all conversations would."""
        if self.needed is None:
            return Verdict.UNSEEN
        if self.needed <= self.doubled:
            return Verdict.ESTIMABLE
        return Verdict.NOT_HERE if self.needed <= self.available else Verdict.TOO_FEW

    @property
    def sentence(self) -> str:
        """The verdict with its numbers."""
        if self.needed is None:
            return f"{self.verdict}: how often it is used is not known yet"
        has = f"needs {self.needed:,}, this round has {self.doubled:,}, the corpus has {self.available:,}"
        return f"{self.verdict} ({has})"

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
        numbers = {"prevalence": self.prevalence, "expected": self.expected, "needed": self.needed, "doubled": self.doubled}
        return {"role": self.role, "code": self.code, **numbers, "available": self.available, "verdict": self.verdict}


@dataclass(frozen=True, slots=True)
class Load:
    """What one annotator gets: conversations (so many of them blind) with all their utterances, and repeats on top."""

    name: str
    conversations: int
    utterances: int
    blind: int
    repeats: int

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
        numbers = {"utterances": self.utterances, "blind": self.blind, "repeats": self.repeats}
        return {"annotator": self.name, "conversations": self.conversations, **numbers}


@dataclass(frozen=True, slots=True)
class Plan:
    """A round, as it would be or was made; `added`, `newcomers` and `changes` are what an extension brings.

    `left_out` counts conversations for whose roles the taxonomy has no codes, `unproposed` assisted ones of which the run said
    nothing, `shown_before` blind ones that come to somebody who has them with proposals in another round. `doubled` is how many
    utterances of each role two or more annotators label; `sources` says for each role where the prevalence of its codes comes from.
    """

    name: str
    run_id: int | None
    taxonomy_version_id: int
    taxonomy: str
    overlap: int | None
    people: tuple[Load, ...]
    places: tuple[Place, ...]
    unproposed: int
    doubled: dict[str, int]
    estimates: tuple[Estimate, ...]
    sources: dict[str, str]
    left_out: int = 0
    shown_before: int = 0
    added: int = 0
    newcomers: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()

    @property
    def conversations(self) -> int:
        """How many conversations the round has."""
        return len(self.places)

    @property
    def moved(self) -> int:
        """How many (conversation, annotator) go to somebody else."""
        return sum(len(change.gone) for change in self.changes)

    @property
    def annotators(self) -> tuple[str, ...]:
        """Who labels."""
        return tuple(load.name for load in self.people)

    @property
    def loads(self) -> dict[str, int]:
        """Annotator → conversations, repeats aside."""
        return {load.name: load.conversations for load in self.people}

    @property
    def blind(self) -> int:
        """How many conversations are blind."""
        return sum(place.blind for place in self.places)

    @property
    def repeats(self) -> int:
        """How many conversations come to somebody a second time."""
        return sum(load.repeats for load in self.people)

    def of_verdict(self, verdict: Verdict) -> list[Estimate]:
        """The codes with this verdict."""
        return [estimate for estimate in self.estimates if estimate.verdict == verdict]

    def summary(self) -> list[str]:
        """What the round holds, for people, but for who gets how much (`people`)."""
        shown = f"with the proposals of run {self.run_id}" if self.run_id else "without proposals, since there is no run yet"
        lines = [f"Round {self.name}: {_many(self.conversations, 'conversation')} for {', '.join(self.annotators)}, {shown}."]
        each = "All annotators" if self.overlap is None else _many(self.overlap, "annotator")
        parts = [f"{each} for each conversation", f"{self.blind:,} of {_many(self.conversations, 'conversation')} blind"]
        parts += [f"{_many(self.repeats, 'repeat')} in all"] if self.repeats else []
        lines.append("; ".join([*parts, f"taxonomy {self.taxonomy}."]))
        if self.added or self.newcomers:
            new = [*self.newcomers, *([_many(self.added, "conversation")] if self.added else [])]
            moved = f" {self.moved:,} of what nobody has begun goes to the newcomers." if self.moved else ""
            lines.append(f"New in it: {', '.join(new)}.{moved}")
        if self.left_out:
            lines.append(f"{_many(self.left_out, 'conversation')} left out: the taxonomy has no codes for their roles.")
        if self.shown_before:
            lines.append(
                f"{_many(self.shown_before, 'blind conversation')} come to somebody who has them with proposals in another round: "
                "what they say of these is not blind. Choose other conversations or annotators."
            )
        if self.unproposed:
            lines.append(f"Run {self.run_id} proposes nothing for {_many(self.unproposed, 'assisted conversation')} of these.")
        return lines

    def precision(self) -> list[str]:
        """What agreement on single codes the round can tell, for people; code by code it is in `estimates`."""
        doubled = ", ".join(f"{role} {number:,}" for role, number in self.doubled.items())
        lines = [f"Utterances labelled by two or more: {doubled}."]
        target = f"±{HALF_WIDTH:.2f} ({CONFIDENCE * 100:.0f} %, design effect {DESIGN_EFFECT:g}), if it is about {KAPPA:.2f}"
        lines.append(f"Kappa of a single code to {target}: {len(self.of_verdict(Verdict.ESTIMABLE))} of {len(self.estimates)} codes.")
        lines += [f"  {self._said(verdict)}: {self._codes(verdict)}{_ADVICE[verdict]}." for verdict in Verdict if self.of_verdict(verdict)]
        lines += [f"How frequent codes are is taken for {role} from {source}." for role, source in self.sources.items()]
        return lines

    def _said(self, verdict: Verdict) -> str:
        """The verdict in words; a code that is too rare does occur, so it says what there is too little of."""
        if verdict != Verdict.TOO_FEW:
            return verdict
        there = {one.role: one.available for one in self.of_verdict(verdict)}
        numbers = ", ".join(f"{role} {number:,}" for role, number in there.items())
        return f"too few for ±{HALF_WIDTH:.2f} even if all utterances of the role ({numbers}) were labelled twice"

    def _codes(self, verdict: Verdict) -> str:
        codes: dict[str, list[str]] = {}
        for estimate in self.of_verdict(verdict):
            codes.setdefault(estimate.role, []).append(estimate.code)
        return "; ".join(f"{role} {', '.join(several)}" for role, several in codes.items())

    def as_dict(self) -> dict[str, Any]:
        """The plan as JSON values."""
        plain = ("name", "run_id", "taxonomy", "overlap", "conversations", "blind", "repeats", "left_out", "unproposed", "shown_before")
        new = ("added", "newcomers", "moved")
        names = ("conversation", "stratum", "condition", "annotators", "repeat_of")
        return {
            **{name: getattr(self, name) for name in (*plain, *new)},
            "annotators": [load.as_dict() for load in self.people],
            "doubled": self.doubled,
            "codes": [estimate.as_dict() for estimate in self.estimates],
            "prevalence_from": self.sources,
            "changes": [asdict(change) for change in self.changes],
            "places": [{name: getattr(place, name) for name in names} for place in self.places],
        }


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation as the planner sees it: its scenario, its size, and how many utterances each role of the taxonomy has in it."""

    id: int
    key: str
    scenario: str
    n_utterances: int
    by_role: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Basis:
    """What a round is made over: its name, the pinned run and taxonomy version, and all conversations that have codes, by key."""

    name: str
    run_id: int | None
    version: TaxonomyVersion
    taxonomy: Taxonomy
    talks: Mapping[str, Talk]


def read_talks(session: Session, taxonomy: Taxonomy) -> dict[str, Talk]:
    """Every conversation in which the taxonomy has codes for somebody, by key, in the order they came in."""
    columns = [col(Conversation.id), col(Conversation.key), col(Conversation.meta), col(Conversation.n_utterances)]
    rows = session.execute(select(*columns).order_by(col(Conversation.id)))
    talks = {row.id: Talk(row.id, row.key, str(row.meta.get("scenario") or ""), row.n_utterances) for row in rows}
    counted = select(col(Utterance.conversation_id), col(Utterance.role), func.count()).where(col(Utterance.role).in_(taxonomy.roles))
    for conversation_id, role, number in session.execute(counted.group_by(col(Utterance.conversation_id), col(Utterance.role))):
        talks[conversation_id].by_role[role] = number
    return {talk.key: talk for talk in talks.values() if talk.by_role}


def describe(session: Session, basis: Basis, overlap: int | None, annotators: Iterable[str], places: Sequence[Place]) -> Plan:
    """What these places mean: loads, what is labelled twice, what can be estimated."""
    talks = basis.talks
    doubled = _sum(talks[place.conversation] for place in places if len(place.annotators) > 1)
    sources, estimates = {}, []
    available = _sum(talks.values())
    for role, codes in basis.taxonomy.by_role.items():
        uses, number, sources[role] = _frequencies(session, basis, role)
        for code in codes:
            prevalence = uses[code] / number if number else None
            expected = round((prevalence or 0) * doubled[role], 1)
            estimates.append(Estimate(role, code, prevalence, expected, _needed(prevalence), doubled[role], available[role]))
    return Plan(
        name=basis.name,
        run_id=basis.run_id,
        taxonomy_version_id=basis.version.id or 0,
        taxonomy=basis.version.fingerprint,
        overlap=overlap,
        people=tuple(_load(name, places, talks) for name in sorted(annotators)),
        places=tuple(places),
        unproposed=_unproposed(session, basis, places),
        shown_before=_shown_before(session, basis, places),
        doubled={role: doubled[role] for role in basis.taxonomy.roles},
        estimates=tuple(estimates),
        sources=sources,
    )


def _sum(talks: Iterable[Talk]) -> Counter[str]:
    total: Counter[str] = Counter()
    for talk in talks:
        total.update(talk.by_role)
    return total


def _load(name: str, places: Sequence[Place], talks: Mapping[str, Talk]) -> Load:
    mine = [place for place in places if name in place.annotators]
    utterances = sum(talks[place.conversation].n_utterances for place in mine)
    return Load(name, len(mine), utterances, sum(place.blind for place in mine), sum(name in place.repeat_of for place in mine))


def _needed(prevalence: float | None) -> int | None:
    if prevalence is None or not 0 < prevalence < 1:
        return None
    return utterances_needed(prevalence, kappa=KAPPA, half_width=HALF_WIDTH, confidence=CONFIDENCE)


def _unproposed(session: Session, basis: Basis, places: Sequence[Place]) -> int:
    """How many assisted conversations the run says nothing of."""
    if basis.run_id is None:
        return 0
    said = select(col(Utterance.conversation_id)).join(Suggestion, col(Suggestion.utterance_id) == col(Utterance.id))
    proposed = set(session.scalars(said.where(col(Suggestion.run_id) == basis.run_id).distinct()))
    return sum(not place.blind and basis.talks[place.conversation].id not in proposed for place in places)


def _shown_before(session: Session, basis: Basis, places: Sequence[Place]) -> int:
    """How many blind conversations come to somebody who was given them assisted in another round."""
    given = (
        select(col(Assignment.conversation_id), col(User.name))
        .join(RoundConversation, PLACED)
        .join(Round, col(Round.id) == col(Assignment.round_id))
        .join(User, col(User.id) == col(Assignment.user_id))
        .where(col(RoundConversation.condition) == Condition.ASSISTED, col(Round.name) != basis.name)
    )
    shown = {tuple(row) for row in session.execute(given.distinct())}
    return sum(
        place.blind and any((basis.talks[place.conversation].id, name) in shown for name in place.annotators) for place in places
    )


# How frequent codes are


def _frequencies(session: Session, basis: Basis, role: str) -> tuple[Counter[str], int, str]:
    """How often each code of a role was used in how many labels, and where that comes from: people, else the run, else the sample."""
    uses, number = _of_people(session, role)
    if number >= _ENOUGH:
        return uses, number, f"{number:,} labels of people"
    if basis.run_id is not None:
        codes = col(Suggestion.codes)
        proposed = select(codes, func.count()).join(Utterance, col(Utterance.id) == col(Suggestion.utterance_id))
        proposed = proposed.where(col(Suggestion.run_id) == basis.run_id, col(Utterance.role) == role)
        uses, number = _count(session.execute(proposed.group_by(codes)))
        if number:
            return uses, number, f"{number:,} proposals of run {basis.run_id}"
    labels = [
        "|".join(utterance.gold)
        for transcript in sample_labels(basis.taxonomy)
        for turn in transcript.turns
        for utterance in turn.utterances
        if turn.role == role and utterance.gold
    ]
    uses, number = _count(Counter(labels).items())
    return uses, number, f"{number:,} labels of the shipped sample" if number else "nothing: there are no labels and no proposals yet"


def _of_people(session: Session, role: str) -> tuple[Counter[str], int]:
    """Gold where there is any, else what people handed in, or what was imported; a person's repeat says nothing new."""
    gold = settled().subquery("gold")
    labels = first_submitted().subquery("labels")
    of_gold = select(gold.c.codes, func.count()).join(Utterance, col(Utterance.id) == gold.c.utterance_id)
    of_labels = (
        select(labels.c.codes, func.count())
        .join(Assignment, col(Assignment.id) == labels.c.assignment_id)
        .join(Utterance, col(Utterance.id) == labels.c.utterance_id)
        .where(~col(Assignment.repeat), labels.c.kind != Kind.SKIP, labels.c.utterance_id.not_in(select(gold.c.utterance_id)))
    )
    here = col(Utterance.role) == role
    rows = [
        *session.execute(of_gold.where(here).group_by(gold.c.codes)),
        *session.execute(of_labels.where(here).group_by(labels.c.codes)),
    ]
    return _count(rows)


def _count(rows: Iterable[Any]) -> tuple[Counter[str], int]:
    """Uses of each code, and labels in all, from (codes of a label, how many such labels)."""
    uses: Counter[str] = Counter()
    number = 0
    for codes, count in rows:
        number += count
        for code in split_codes(codes):
            uses[code] += count
    return uses, number
