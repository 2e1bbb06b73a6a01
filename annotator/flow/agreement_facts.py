"""What is known beside the figures of agreement, for the methods paragraph: of the rounds of a project, or of a long table."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from sqlalchemy import func, join, select
from sqlmodel import Session, col

from annotator.core.agreement import Asked
from annotator.core.agreement.methods import Drawn, Facts, Settled
from annotator.core.labelled import Labelled, split_codes
from annotator.core.taxonomy import Taxonomy
from annotator.flow.access import PLACED, View, compared
from annotator.flow.corpus import shown_names
from annotator.flow.first_labels import Labels
from annotator.flow.runs import model_versions
from annotator.flow.standing import settled
from annotator.flow.taxonomy import parsed
from annotator.models import (
    Assignment,
    Call,
    FirstLabels,
    Gold,
    Round,
    RoundConversation,
    Rule,
    Run,
    Suggestion,
    TaxonomyVersion,
    Utterance,
)  # fmt: skip

SOFTWARE = f"conversation-annotator {version('conversation-annotator')}"
_OURS = frozenset({Rule.UNANIMOUS, Rule.UNANIMOUS_ASSISTED, Rule.ADJUDICATED})
_Label = frozenset[str]
_CHUNK = 500


def facts_of(session: Session, view: View, asked: Asked) -> Facts:
    """What a project knows of the labels asked for: how their rounds were drawn, skips, the proposals shown, what became gold."""
    rows = _handed_in(session, view, asked)
    rounds = [session.get_one(Round, at) for at in sorted({row.round_id for row in rows})]
    said = [label for row in rows for labels in row.labels.values() for label in labels]
    planned = [one for one in rounds if one.plan]
    return Facts(
        software=SOFTWARE,
        drawn=tuple(map(_drawn, planned)),
        first=bool(rounds) and len(planned) == len(rounds),
        codes_per_label=_codes_per_label(session, rounds),
        n_labels=len(said),
        n_skipped=sum(label is False for label in said),
        n_blank=sum(label is None for label in said),
        proposals=tuple(_proposals(session, run_id) for run_id in dict.fromkeys(one.run_id for one in rounds) if run_id is not None),
        settled=_settled_of(session, rows) if view.gold else None,
        of_project=True,
    )


def _handed_in(session: Session, view: View, asked: Asked) -> list[Any]:
    statement = (
        select(col(Assignment.round_id), col(Assignment.conversation_id), col(FirstLabels.labels))
        .select_from(FirstLabels)
        .join(Assignment, col(Assignment.id) == col(FirstLabels.assignment_id))
        .join(Round, col(Round.id) == col(Assignment.round_id))
        .join(RoundConversation, PLACED)
        .where(compared(view))
    )
    if asked.round is not None:
        statement = statement.where(col(Round.name) == asked.round)
    if asked.condition is not None:
        statement = statement.where(col(RoundConversation.condition) == asked.condition)
    if asked.between is not None:
        ids = [user_id for user_id, name in shown_names(session, view).items() if name in asked.between]
        statement = statement.where(col(Assignment.user_id).in_(ids))
    return list(session.execute(statement))


def _drawn(round_: Round) -> Drawn:
    plan = round_.plan
    chosen = _in_words(plan.get("selection", {})) + ("; more were added later" if plan.get("added") else "")
    numbers = {name: plan[name] for name in ("overlap", "seed", "blind", "repeats")}
    return Drawn(round_.name, len(plan["annotators"]), conversations=chosen, **numbers)


def _in_words(selection: Mapping[str, Sequence[str]]) -> str:
    """Which conversations were chosen, see `outcomes.chosen`.

    >>> _in_words({}), _in_words({"only": ["c1_*"], "sample": ["20", "3"]})
    ('all conversations', 'conversations named c1_*, of these 20 drawn by lot with seed 3')
    """
    words = f"conversations named {', '.join(selection['only'])}" if selection.get("only") else "all conversations"
    if selection.get("leave_out"):
        words += f" but for {', '.join(selection['leave_out'])}"
    if selection.get("sample"):
        number, seed = selection["sample"]
        words += f", of these {number} drawn by lot with seed {seed}"
    return words


def _codes_per_label(session: Session, rounds: Iterable[Round]) -> tuple[int, int] | None:
    sources = [session.get_one(TaxonomyVersion, at).source for at in {one.taxonomy_version_id for one in rounds}]
    if not sources or not all(sources):
        return None
    found = [parsed(source) for source in sources]
    return min(one.min_codes for one in found), max(one.max_codes for one in found)


def _proposals(session: Session, run_id: int) -> str:
    """A run in words: its tagger, the models that answered, their prompts."""
    run = session.get_one(Run, run_id)
    used = select(col(Suggestion.call_id)).where(col(Suggestion.run_id) == run_id, col(Suggestion.call_id).is_not(None))
    prompts = select(col(Call.prompt_hash)).where(col(Call.id).in_(used), col(Call.prompt_hash) != "").distinct()
    told = [f"version {run.version}", *filter(None, model_versions(session, run_id))]
    told += [f"prompt {one}" for one in sorted(session.scalars(prompts))]
    return f"run {run_id} of the tagger {run.tagger} ({', '.join(told)})"


def _settled_of(session: Session, rows: Iterable[Any]) -> Settled | None:
    """What the gold of their rounds did to the labels handed in; None where there is no gold."""
    of_round: dict[int, dict[int, list[Labels]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        of_round[row.round_id][row.conversation_id].append(row.labels)
    n_gold, adjudicated = 0, []
    for round_id, labels in of_round.items():
        gold = settled(col(Gold.round_id) == round_id).subquery("gold")
        placed = join(gold, Utterance, col(Utterance.id) == gold.c.utterance_id)
        per = select(col(Utterance.conversation_id), func.count().label("n")).select_from(placed).group_by(col(Utterance.conversation_id))
        n_gold += sum(one.n for one in session.execute(per) if one.conversation_id in labels)
        by_lead = select(gold.c.utterance_id, gold.c.codes, col(Utterance.conversation_id)).select_from(placed)
        stands = session.execute(by_lead.where(gold.c.rule == Rule.ADJUDICATED)).all()
        said = _said(session, labels, {one.utterance_id: one.conversation_id for one in stands if one.conversation_id in labels})
        adjudicated += [(frozenset(split_codes(one.codes)), said[one.utterance_id]) for one in stands if one.utterance_id in said]
    return _counted(n_gold, adjudicated)


def _said(session: Session, labels: Mapping[int, Sequence[Labels]], wanted: Mapping[int, int]) -> dict[int, list[_Label]]:
    """Utterance id → what was handed in of it, skips left out, of wanted utterances and their conversations."""
    found: dict[int, list[_Label]] = {}
    places, conversations = Counter[tuple[int, str]](), sorted(set(wanted.values()))
    for start in range(0, len(conversations), _CHUNK):
        here = col(Utterance.conversation_id).in_(conversations[start : start + _CHUNK])
        statement = select(col(Utterance.id), col(Utterance.conversation_id), col(Utterance.role)).where(here)
        in_order = statement.order_by(col(Utterance.conversation_id), col(Utterance.position))
        for utterance_id, conversation_id, role in session.connection().execute(in_order):
            at = places[conversation_id, role]
            places[conversation_id, role] += 1
            if utterance_id in wanted:
                told = (one[role][at] for one in labels[conversation_id] if role in one)
                found[utterance_id or 0] = [frozenset(split_codes(label)) for label in told if isinstance(label, str)]
    return found


def _counted(n_gold: int, adjudicated: Sequence[tuple[_Label, Sequence[_Label]]]) -> Settled | None:
    """From how much gold there is, and what a lead settled with what annotators had said of it."""
    n_changed = sum(any(label != gold for label in said) for gold, said in adjudicated)
    n_new = sum(gold not in said for gold, said in adjudicated)
    return Settled(n_gold, len(adjudicated), n_changed, n_new) if n_gold else None


def facts_of_rows(rows: Iterable[Labelled], asked: Asked, taxonomy: Taxonomy | None = None) -> Facts:
    """What a long table knows: nothing of how its labels came about, but which are missing, whose proposals it has, what became gold."""
    known: dict[str, set[tuple[str, str]]] = defaultdict(set)
    said: dict[tuple[str, str, str], list[Labelled]] = defaultdict(list)
    by: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        known[row.conversation].add((row.utterance, row.role))
        if is_asked_for(row, asked):
            said[row.conversation, row.utterance, row.role].append(row)
            by[row.conversation].add(row.annotator)
    n_labels = sum(len(known[conversation]) * len(annotators) for conversation, annotators in by.items())
    chosen = [row for labels in said.values() for row in labels]
    first = ((labels[0], labels) for labels in said.values())
    gold = [(row.gold_rule, frozenset(row.gold), labels) for row, labels in first if row.gold is not None and row.gold_rule in _OURS]
    return Facts(
        software=SOFTWARE,
        codes_per_label=None if taxonomy is None else (taxonomy.min_codes, taxonomy.max_codes),
        n_labels=n_labels,
        n_blank=n_labels - len(chosen),
        proposals=tuple(sorted({_proposal(row) for row in chosen if row.condition == "assisted" and row.model_version})),
        settled=_counted(
            len(gold), [(label, [frozenset(row.codes) for row in labels]) for rule, label, labels in gold if rule == Rule.ADJUDICATED]
        ),
    )


def is_asked_for(row: Labelled, asked: Asked) -> bool:
    """Whether a row is a first label, of the round, condition and annotators asked for."""
    return (
        bool(row.annotator) and not row.repeat
        and asked.round in (None, row.round) and asked.condition in (None, row.condition)
        and (asked.between is None or row.annotator in asked.between)
    )  # fmt: skip


def _proposal(row: Labelled) -> str:
    return f"{row.model_version} (prompt {row.prompt_hash})" if row.prompt_hash else row.model_version
