"""A run compared with an annotator, gold or another run: which labels pair up, what it cost, what to look at.

What counts as a label is `flow/reference.py`'s, the figures are `core/comparison.py`'s, text and tables `flow/comparison_report.py`'s.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from annotator.core.comparison import Pair, compare
from annotator.core.labelled import join_codes
from annotator.errors import BadInput
from annotator.flow.access import View
from annotator.flow.reference import Proposed, Reference, Said, Subset, each_once, proposed, reference, subset
from annotator.flow.runs import any_run
from annotator.models import Call, Failure, Run, Suggestion


def report(
    session: Session, view: View, run_id: int, what: str, *, every: bool = False, round_name: str | None = None
) -> dict[str, Any]:
    """All figures of a run against `what` (a run's number, an annotator's name, `gold`), on blind labels where there are any."""
    run = any_run(session, run_id)
    against = reference(session, view, what, round_name)
    if against.run is not None and against.run.id == run.id:
        raise BadInput(f"Run {run_id} agrees with itself. Give another run's number, an annotator's name, or gold.")
    suggested = proposed(session, run_id)
    chosen = subset(against, suggested, every=every)
    labels = each_once(chosen.labels, against.name)
    if not labels:
        raise BadInput(_nothing_in_common(run_id, against, len(suggested)))
    pairs = [(one, labels[at]) for at, one in suggested.items() if at in labels]
    about, about_other = run_facts(session, run, len(suggested)), None
    if against.run is not None:
        about_other = run_facts(session, against.run, len(against.labels))
    return {
        "run": about,
        "reference": {"kind": against.kind, "name": against.name} | ({"run": about_other} if about_other else {}),
        "subset": chosen.name,
        "left_out": _left_out(suggested, against, chosen),
        "warning": " ".join(filter(None, [chosen.warning, *_warnings(about, about_other)])),
        **compare(Pair(one.conversation, one.utterance, one.role, frozenset(one.codes), frozenset(said.codes)) for one, said in pairs),
        "disagreements": _disagreements(pairs),
    }


def _nothing_in_common(run_id: int, against: Reference, n_suggestions: int) -> str:
    whose = f"run {against.name}" if against.run else against.name
    return (
        f"Run {run_id} and {whose} have no utterance in common: the run has suggestions for {n_suggestions} utterances, {whose} has labels "
        f"of {len({label.utterance_id for label in against.labels})} others. Tag or label the same conversations."
    )


def _left_out(suggested: Mapping[int, Proposed], against: Reference, chosen: Subset) -> dict[str, int]:
    labelled = {label.utterance_id for label in against.labels}
    return {
        "no_label": sum(at not in labelled for at in suggested),
        "no_suggestion": chosen.n_no_suggestion,
        "not_blind": chosen.n_not_blind,
        "skipped": against.n_skipped,
    }


def run_facts(session: Session, run: Run, n_suggestions: int) -> dict[str, Any]:
    """What a run is: who tagged, with which model versions, whether it is finished, what it cost in USD per thousand utterances."""
    # What its suggestions cost, whichever run paid for the answers.
    asked = select(func.count(col(Suggestion.call_id)), func.count(col(Suggestion.cost)), func.sum(col(Suggestion.cost)))
    n_asked, n_known, total = session.execute(asked.where(col(Suggestion.run_id) == run.id)).one()
    versions = select(col(Call.model_version)).where(col(Call.run_id) == run.id).distinct().order_by(col(Call.model_version))
    failures = session.scalar(select(func.count()).select_from(Failure).where(col(Failure.run_id) == run.id))
    cost = float(total or 0.0) if n_known >= n_asked else None
    return {
        "id": run.id,
        "tagger": run.tagger,
        "version": run.version,
        "model_versions": list(session.scalars(versions)),
        "finished": run.finished_at is not None,
        "taxonomy_version_id": run.taxonomy_version_id,
        "n_suggestions": n_suggestions,
        "n_failures": failures or 0,
        "cost": cost,
        "cost_per_thousand": None if cost is None else cost / n_suggestions * 1000,
        "undefined": {} if cost is not None else {"cost_per_thousand": f"of {n_asked - n_known} suggestions the cost is not known"},
    }


def _warnings(run: Mapping[str, Any], other: Mapping[str, Any] | None) -> list[str]:
    told = [sentence for one in (run, other) if one for sentence in _of_one(one)]
    if other is None:
        return told
    ours, theirs = run["model_versions"], other["model_versions"]
    if ours and theirs and ours != theirs:
        told.append(f"The runs' model versions differ: {', '.join(ours)} and {', '.join(theirs)}.")
    if run["taxonomy_version_id"] != other["taxonomy_version_id"]:
        told.append("The runs used different versions of the taxonomy.")
    return told


def _of_one(run: Mapping[str, Any]) -> list[str]:
    told = []
    if not run["finished"]:
        told.append(f"Run {run['id']} is not finished: compared is what it has, {run['n_suggestions']} suggestions.")
    if run["n_failures"]:
        told.append(f"Run {run['id']} failed on {run['n_failures']} utterances, which are in no figure; they may have been the hard ones.")
    if len(run["model_versions"]) > 1:
        told.append(f"Run {run['id']} holds answers of several model versions: {', '.join(run['model_versions'])}.")
    return told


def _disagreements(pairs: list[tuple[Proposed, Said]]) -> list[dict[str, Any]]:
    """Where the labels differ, surest of the run's first: either the run or the reference is most plainly wrong there."""
    unequal = [(one, said) for one, said in pairs if set(one.codes) != set(said.codes)]
    unequal.sort(key=lambda pair: -1.0 if pair[0].confidence is None else pair[0].confidence, reverse=True)
    return [
        {
            "conversation": one.conversation,
            "utterance": one.utterance,
            "role": one.role,
            "text": one.text,
            "run": join_codes(one.codes),
            "reference": join_codes(said.codes),
            "confidence": one.confidence,
            "reason": one.reason,
        }
        for one, said in unequal
    ]
