"""What files say about utterances - labels, gold, proposals - stored as facts. Conversations are `flow/intake.py`'s.

Imported labels count as submitted, and a fact that is there already is not stored again.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, insert, select
from sqlmodel import Session, col

from annotator import models
from annotator.core.labelled import join_codes, split_codes
from annotator.core.taxonomy import Taxonomy
from annotator.core.transcript import Label, Proposal, Transcript, Utterance
from annotator.errors import BadInput, Conflict
from annotator.flow.accounts import named
from annotator.flow.first_labels import remember
from annotator.flow.intake_items import store_item_lists
from annotator.flow.intake_report import Options, Report, UnknownCode
from annotator.flow.standing import standing
from annotator.flow.taxonomy import version_of
from annotator.models import (
    Assignment,
    Call,
    Condition,
    Decision,
    Gold,
    Kind,
    Round,
    RoundConversation,
    Rule,
    Run,
    Submission,
    Suggestion,
    TaxonomyVersion,
    now,
)  # fmt: skip

IMPORTED = "imported"
"""The tagger's name of runs that came from a file, the rule of gold that came without one, and the key of calls that a file tells of."""


# Run for every conversation, so built once: building a statement takes longer than running it.
_INSERT_DECISION, _INSERT_SUBMISSION, _INSERT_ASSIGNMENT = insert(Decision), insert(Submission), insert(Assignment)
_INSERT_PLACED = insert(RoundConversation)
_LAST_DECISION = select(func.max(col(Decision.id))).where(col(Decision.assignment_id) == bindparam("assignment"))
_PLACED = select(col(RoundConversation.condition)).where(
    col(RoundConversation.round_id) == bindparam("round_id"), col(RoundConversation.conversation_id) == bindparam("conversation_id")
)
_ASSIGNMENT = select(col(Assignment.id)).where(
    col(Assignment.round_id) == bindparam("round_id"),
    col(Assignment.conversation_id) == bindparam("conversation_id"),
    col(Assignment.user_id) == bindparam("user_id"),
    col(Assignment.repeat) == bindparam("repeat"),
)

Places = dict[str, int]
"""Utterance ids of one conversation in the file → ids in the database."""


class _Owner(NamedTuple):
    """Whose labels of a conversation: somebody's in a round, given first or when asked once more."""

    round: str
    name: str
    repeat: bool


class _Suggested(NamedTuple):
    """What a run proposed for an utterance; without a call, model and prompt are None."""

    codes: str
    confidence: float | None
    cost: float | None
    model_version: str | None
    prompt_hash: str | None


class Facts:
    """Stores the facts of one import; remembers the rounds, people, runs and unknown codes it met."""

    def __init__(self, session: Session, version: TaxonomyVersion, taxonomy: Taxonomy, options: Options, report: Report) -> None:
        self.session, self.version, self.taxonomy = session, version, taxonomy
        self.options, self.report = options, report
        self._rounds: dict[str, Round] = {}
        self._users: dict[str, int] = {}
        self._versions: dict[str, int] = {}
        self._runs: dict[str, int] = {}
        self._calls: dict[tuple[int, str, str], int] = {}
        self._strays: set[UnknownCode] = set()
        self._labelled: list[int] = []

    def store(self, batch: list[tuple[Transcript, int, Places]], *, known: bool) -> None:
        """Store the facts of conversations given with their ids; `known` ones were in the database before."""
        suggestions: list[dict[str, Any]] = []
        golds: list[dict[str, Any]] = []
        for transcript, conversation_id, places in batch:
            self._store_labels(transcript, conversation_id, places)
            self._store_items(transcript, conversation_id)
            golds.extend(self._golds(transcript, places, known=known))
            suggestions.extend(self._suggestions(transcript, conversation_id, places, known=known))
        remember(self.session, self._labelled)
        self._labelled.clear()
        self.report.gold += len(golds)
        self.report.proposals += len(suggestions)
        for table, rows in ((Gold, golds), (Suggestion, suggestions)):
            if rows:
                self.session.connection().execute(insert(table), rows)

    # Codes

    def _known_codes(self, transcript: Transcript, role: str, utterance: Utterance, codes: tuple[str, ...]) -> tuple[str, ...]:
        """The codes the taxonomy has, after renaming; the others are reported, or refused."""
        renamed = self.options.renamed
        if renamed:
            codes = tuple(dict.fromkeys(renamed.get(f"{role}/{code}", renamed.get(code, code)) for code in codes))
        table = self.taxonomy.by_role.get(role, {})
        if all(code in table for code in codes):
            return codes
        for code in codes:
            if code not in table:
                self._unknown(UnknownCode(transcript.id, utterance.id, role, code), transcript.place)
        return tuple(code for code in codes if code in table)

    def _unknown(self, unknown: UnknownCode, place: str) -> None:
        if self.options.unknown_is_error:
            raise BadInput(
                f"{place}: conversation {unknown.conversation}, utterance {unknown.utterance}: the taxonomy has no code "
                f"{unknown.code!r} for {unknown.role}. Add it to taxonomy.yaml, rename it with --map {unknown.code}=NEW, "
                "or leave such codes out with --on-unknown skip."
            )
        if unknown not in self._strays:
            self._strays.add(unknown)
            self.report.unknown.append(unknown)

    # Labels

    def _store_labels(self, transcript: Transcript, conversation_id: int, places: Places) -> None:
        by_owner: dict[_Owner, list[tuple[int, Label, tuple[str, ...]]]] = {}
        for turn, utterance in transcript.utterances():
            for label in utterance.labels:
                name = label.annotator or self.options.as_name
                if name is None:
                    self.report.unnamed_labels += 1
                    continue
                codes = self._known_codes(transcript, turn.role, utterance, label.codes)
                if codes or not label.codes:
                    owner = _Owner(label.round, name, label.repeat)
                    by_owner.setdefault(owner, []).append((places[utterance.id], label, codes))
        for owner, labels in by_owner.items():
            self._store_owned(transcript, conversation_id, owner, labels)

    def _store_owned(
        self, transcript: Transcript, conversation_id: int, owner: _Owner, labels: list[tuple[int, Label, tuple[str, ...]]]
    ) -> None:
        first = labels[0][1]
        self._round(owner.round, first)
        assignment_id, made = self._assignment(conversation_id, owner, _condition(first.condition, transcript))
        have = {} if made else self._have(assignment_id)
        rows = []
        for utterance_id, label, codes in labels:
            if utterance_id not in have:
                rows.append(self._decision(assignment_id, utterance_id, label, codes, transcript))
            elif set(have[utterance_id]) != set(codes):
                raise Conflict(
                    f"{transcript.place}: {owner.name} labelled conversation {transcript.id}, utterance "
                    f"{self.session.get_one(models.Utterance, utterance_id).key} with {join_codes(have[utterance_id]) or 'nothing'} "
                    f"where the file says {join_codes(codes) or 'nothing'}. Labels are never overwritten: import the new ones "
                    "under another name."
                )
        self.report.labels += len(rows)
        self.report.known_labels += len(labels) - len(rows)
        if rows:
            self.session.connection().execute(_INSERT_DECISION, rows)
            self._hand_in(assignment_id)
            self._labelled.append(assignment_id)

    def _hand_in(self, assignment_id: int) -> None:
        connection = self.session.connection()
        last = connection.scalar(_LAST_DECISION, {"assignment": assignment_id}) or 0
        handed_in = {"assignment_id": assignment_id, "handed_in": True, "last_decision_id": last, "submitted_at": now()}
        connection.execute(_INSERT_SUBMISSION, [handed_in])

    def _store_items(self, transcript: Transcript, conversation_id: int) -> None:
        """What people say of the items belongs to the same assignments as their labels."""
        for said in transcript.items:
            name = said.annotator or self.options.as_name
            if name is None:
                self.report.unnamed_labels += 1
                continue
            owner = _Owner(said.round, name, said.repeat)
            assignment_id, made = self._assignment(conversation_id, owner, Condition.UNKNOWN)
            if made:
                self._hand_in(assignment_id)
            self.report.item_lists += store_item_lists(self.session, assignment_id, said, f"{transcript.place}: {name}", transcript.id)

    def _have(self, assignment_id: int) -> dict[int, tuple[str, ...]]:
        rows = self.session.execute(standing(col(Decision.assignment_id) == assignment_id))
        return {row.utterance_id: split_codes(row.codes) for row in rows}

    def _decision(
        self, assignment_id: int, utterance_id: int, label: Label, codes: tuple[str, ...], transcript: Transcript
    ) -> dict[str, Any]:
        if len(codes) > self.taxonomy.max_codes:
            self.report.too_many_codes += 1
        empty_is_skip = not codes and self.taxonomy.min_codes > 0
        return {
            "assignment_id": assignment_id,
            "utterance_id": utterance_id,
            "kind": Kind.SKIP if empty_is_skip else Kind.IMPORT,
            "codes": join_codes(codes),
            "taxonomy_version_id": self._version(label.taxonomy_version),
            "condition": _condition(label.condition, transcript),
            "seconds": label.seconds,
            "decided_at": _time(label.decided_at, transcript),
        }

    def _user(self, name: str) -> int:
        if name not in self._users:
            self._users[name] = named(self.session, name).id or 0
        return self._users[name]

    def _version(self, fingerprint: str) -> int:
        if not fingerprint:
            return self.version.id or 0
        if fingerprint not in self._versions:
            self._versions[fingerprint] = version_of(self.session, fingerprint).id or 0
        return self._versions[fingerprint]

    def _round(self, name: str, label: Label | None = None) -> Round:
        if name not in self._rounds:
            found = self.session.scalars(select(Round).where(col(Round.name) == name)).one_or_none()
            if found is None:
                found = Round(name=name, taxonomy_version_id=self._version(label.taxonomy_version if label else ""))
                self.session.add(found)
                self.session.flush()
            self._rounds[name] = found
        return self._rounds[name]

    def _assignment(self, conversation_id: int, owner: _Owner, condition: Condition) -> tuple[int, bool]:
        """The assignment's id, and whether it was made just now."""
        connection = self.session.connection()
        round_id, user_id = self._round(owner.round).id, self._user(owner.name)
        key = {"round_id": round_id, "conversation_id": conversation_id, "user_id": user_id, "repeat": owner.repeat}
        found = connection.scalar(_ASSIGNMENT, key)
        if found is not None:
            return found, False
        self._place(round_id, conversation_id, condition)
        connection.execute(_INSERT_ASSIGNMENT, [key])
        made = connection.scalar(_ASSIGNMENT, key)
        assert made is not None
        return made, True

    def _place(self, round_id: int | None, conversation_id: int, condition: Condition) -> None:
        """Put the conversation into the round, unless it is there: then its condition stays."""
        connection = self.session.connection()
        key = {"round_id": round_id, "conversation_id": conversation_id}
        if connection.scalar(_PLACED, key) is None:
            connection.execute(_INSERT_PLACED, [{**key, "condition": condition}])

    # Gold and proposals

    def _golds(self, transcript: Transcript, places: Places, *, known: bool) -> Iterator[dict[str, Any]]:
        have = self._gold_of(places) if known else {}
        for turn, utterance in transcript.utterances():
            if utterance.gold is None:
                continue
            codes = self._known_codes(transcript, turn.role, utterance, utterance.gold)
            utterance_id = places[utterance.id]
            if (codes or not utterance.gold) and have.get(utterance_id) != set(codes):
                rule = IMPORTED if utterance.gold_rule in ("", Rule.WITHDRAWN) else utterance.gold_rule
                yield {"utterance_id": utterance_id, "codes": join_codes(codes), "rule": rule, "settled_at": now()}

    def _gold_of(self, places: Places) -> dict[int, set[str]]:
        statement = select(col(Gold.utterance_id), col(Gold.codes)).where(col(Gold.utterance_id).in_(places.values()))
        return {row.utterance_id: set(split_codes(row.codes)) for row in self.session.execute(statement.order_by(col(Gold.id)))}

    def _suggestions(self, transcript: Transcript, conversation_id: int, places: Places, *, known: bool) -> Iterator[dict[str, Any]]:
        have = self._suggested(places) if known else {}
        placed: set[str] = set()
        for turn, utterance in transcript.utterances():
            for proposal in utterance.proposals:
                codes = self._known_codes(transcript, turn.role, utterance, proposal.codes)
                before = have.get(places[utterance.id], {})
                # Some run proposed just this: an export taken back in.
                if not codes or (before and any(_is_of(proposal, join_codes(codes), one) for one in before.values())):
                    continue
                run_id = self._run(proposal)
                if proposal.round and proposal.round not in placed:
                    placed.add(proposal.round)
                    self._place(self._round(proposal.round).id, conversation_id, Condition.UNKNOWN)
                if run_id not in before:
                    yield {
                        "run_id": run_id,
                        "utterance_id": places[utterance.id],
                        "codes": join_codes(codes),
                        "confidence": proposal.confidence,
                        "probabilities": {},
                        "reason": "",
                        "call_id": self._call(run_id, proposal),
                        "cost": proposal.cost,
                    }

    def _suggested(self, places: Places) -> dict[int, dict[int, _Suggested]]:
        """Utterance id → run id → what it proposed."""
        statement = (
            select(col(Suggestion.utterance_id), col(Suggestion.run_id), col(Suggestion.codes), col(Suggestion.confidence))
            .add_columns(col(Suggestion.cost), col(Call.model_version), col(Call.prompt_hash))
            .select_from(Suggestion)
            .outerjoin(Call, col(Call.id) == col(Suggestion.call_id))
            .where(col(Suggestion.utterance_id).in_(places.values()))
        )
        found: dict[int, dict[int, _Suggested]] = {}
        for utterance_id, run_id, *said in self.session.connection().execute(statement):
            found.setdefault(utterance_id, {})[run_id] = _Suggested(*said)
        return found

    def _call(self, run_id: int, proposal: Proposal) -> int | None:
        """The call that stands for all answers of one model to one prompt; nobody paid for it here, so it has no cost."""
        model, prompt = proposal.model_version, proposal.prompt_hash
        if not model and not prompt:
            return None
        key = (run_id, model, prompt)
        if key not in self._calls:
            same = (col(Call.model_version) == model, col(Call.prompt_hash) == prompt)
            call = self.session.scalars(select(Call).where(col(Call.run_id) == run_id, col(Call.key) == IMPORTED, *same)).first()
            if call is None:
                version_id = self.version.id or 0
                call = Call(run_id=run_id, taxonomy_version_id=version_id, key=IMPORTED, prompt_hash=prompt, model_version=model)
                self.session.add(call)
                self.session.flush()
            self._calls[key] = call.id or 0
        return self._calls[key]

    def _run(self, proposal: Proposal) -> int:
        """The run that holds the proposals a file gives for a round; pinned by the round where it has none yet."""
        if proposal.round not in self._runs:
            found = [
                run
                for run in self.session.scalars(select(Run).where(col(Run.tagger) == IMPORTED))
                if run.settings.get("round") == proposal.round
            ]
            run = found[0] if found else self._make_run(proposal.round)
            self._runs[proposal.round] = run.id or 0
        return self._runs[proposal.round]

    def _make_run(self, round_name: str) -> Run:
        run = Run(
            tagger=IMPORTED,
            version="",
            settings={"round": round_name},
            threshold=0.5,
            taxonomy_version_id=self.version.id or 0,
            known="",
            finished_at=now(),
        )
        self.session.add(run)
        self.session.flush()
        if round_name:
            owner = self._round(round_name)
            owner.run_id = owner.run_id or run.id
        return run


def _is_of(proposal: Proposal, codes: str, suggested: _Suggested) -> bool:
    """Whether a file's proposal, with these codes, is that suggestion; a file may say less of it, not something else."""
    return (
        (codes, proposal.confidence) == (suggested.codes, suggested.confidence)
        and proposal.model_version in ("", suggested.model_version)
        and proposal.prompt_hash in ("", suggested.prompt_hash)
        and proposal.cost in (None, suggested.cost)
    )


def _condition(value: str, transcript: Transcript) -> Condition:
    try:
        return Condition(value)
    except ValueError:
        raise BadInput(
            f"{transcript.place}: conversation {transcript.id}: the condition {value!r} is neither assisted nor blind. Correct it."
        ) from None


def _time(value: str, transcript: Transcript) -> datetime:
    if not value:
        return now()
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        raise BadInput(
            f"{transcript.place}: conversation {transcript.id}: decided_at {value!r} is no time like 2026-03-01T09:30:00Z."
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
