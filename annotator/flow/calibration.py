"""Calibration of a run: stated confidence mapped to how often it is right, measured on people's labels or gold.

Which labels count is `flow/reference.py`'s, as for comparisons; the figures are `core/calibration.py`'s.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from annotator.core.calibration import Observation, simplify, summary
from annotator.db import Database
from annotator.errors import BadInput
from annotator.flow.access import EVERYTHING
from annotator.flow.reference import Subset, everybody, proposed, reference, subset
from annotator.flow.runs import any_run
from annotator.models import Calibration

FEWEST, FEWEST_CONVERSATIONS = 30, 2
_MOST_FOLDS = 10
_BAR = 20


@dataclass(frozen=True, slots=True)
class Observed:
    """A suggestion beside one label of its utterance: the stated confidence, and whether its first code is among the label's."""

    conversation: str
    stated: float
    hit: bool


def calibrate(db: Database, run_id: int, against: str | None = None, *, every: bool = False) -> Calibration:
    """Measure a run and store the result; the newest of a run counts, earlier ones stay."""
    with db.reading() as session:
        measured = measure(session, run_id, against, every=every)
    with db.writing() as session:  # opened only now, so that fitting keeps nobody waiting
        session.add(measured)
    return measured


def newest(session: Session, run_id: int) -> Calibration | None:
    """The calibration of a run that counts, if it was ever measured."""
    statement = select(Calibration).where(col(Calibration.run_id) == run_id).order_by(col(Calibration.id).desc()).limit(1)
    return session.scalars(statement).one_or_none()


def measure(session: Session, run_id: int, against: str | None = None, *, every: bool = False) -> Calibration:
    """The calibration of a run against one annotator, gold, or (None) everybody; nothing is stored.

    The knots come from all observations. The figures "after" come from fits that never saw the conversation they are tested on.
    """
    run = any_run(session, run_id)
    of = everybody(session) if against is None else reference(session, EVERYTHING, against)
    if of.run is not None:
        raise BadInput(f"A run is calibrated on people's labels, not on run {of.name}. Give --against a name or gold, or leave it out.")
    suggested = proposed(session, run_id)
    chosen = subset(of, suggested, every=every)
    observed = [
        Observed(one.conversation, one.confidence, _is_hit(one.codes, label.codes))
        for label in chosen.labels
        if (one := suggested[label.utterance_id]).confidence is not None
    ]
    _check_enough(run_id, observed, chosen)
    before: list[Observation] = [(one.stated, one.hit) for one in observed]
    unfinished = "" if run.finished_at else f"Run {run_id} is not finished: used is what it has, {len(suggested)} suggestions."
    figures: dict[str, Any] = {
        "against": of.name,
        "subset": chosen.name,
        "n_conversations": len({one.conversation for one in observed}),
        "n_folds": len(folds(observed)),
        "warning": " ".join(filter(None, [chosen.warning, unfinished])),
        **summary(before, list(zip(out_of_fold(observed), (one.hit for one in observed), strict=True))),
    }
    return Calibration(run_id=run_id, knots=_fit_knots(before), figures=figures)


def _is_hit(proposed_codes: Sequence[str], label: Sequence[str]) -> bool:
    """Whether the first proposed code is among the label's; a proposal of no code hits the label of no code."""
    return proposed_codes[0] in label if proposed_codes else not label


def _check_enough(run_id: int, observed: Sequence[Observed], chosen: Subset) -> None:
    n, conversations = len(observed), len({one.conversation for one in observed})
    if n >= FEWEST and conversations >= FEWEST_CONVERSATIONS:
        return
    silent = len(chosen.labels) - n
    told = f"; {silent} labels are on suggestions without a confidence" if silent else ""
    more = f", or use the {chosen.n_not_blind} labels that are not blind too: --all" if chosen.n_not_blind else ""
    raise BadInput(
        f"Run {run_id} has {n} suggestions with a confidence and a label, in {conversations} conversations{told}. Calibration needs "
        f"{FEWEST} in {FEWEST_CONVERSATIONS} conversations. Have more conversations labelled and handed in, best blind{more}."
    )


def folds(observed: Sequence[Observed]) -> list[tuple[list[int], list[int]]]:
    """What to fit on and what to test on, by index: whole conversations, in at most ten parts."""
    # Loaded only here: scikit-learn takes a second and much memory.
    from sklearn.model_selection import GroupKFold

    conversations = [one.conversation for one in observed]
    parts = GroupKFold(min(_MOST_FOLDS, len(set(conversations)))).split(conversations, groups=conversations)
    return [(fit.tolist(), test.tolist()) for fit, test in parts]


def out_of_fold(observed: Sequence[Observed]) -> list[float]:
    """The calibrated probability of every observation, from a fit without its conversation."""
    probabilities = [0.0] * len(observed)
    for fit, test in folds(observed):
        model = _fit([(observed[at].stated, observed[at].hit) for at in fit])
        for at, found in zip(test, model.predict([observed[at].stated for at in test]), strict=True):
            probabilities[at] = float(found)
    return probabilities


def _fit(observations: Sequence[Observation]) -> Any:
    """Isotonic regression: the rising step line nearest to the hits, which keeps the order of the stated confidences."""
    # Loaded only here, as in `folds`.
    from sklearn.isotonic import IsotonicRegression

    model = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
    return model.fit([stated for stated, _ in observations], [float(hit) for _, hit in observations])


def _fit_knots(observations: Sequence[Observation]) -> list[list[float]]:
    model = _fit(observations)
    return simplify(list(zip(model.X_thresholds_.tolist(), model.y_thresholds_.tolist(), strict=True)))


def as_dict(found: Calibration) -> dict[str, Any]:
    """A calibration as JSON values."""
    return {"id": found.id, "run": found.run_id, "made_at": found.made_at.isoformat(), **found.figures, "knots": found.knots}


def as_text(found: Calibration) -> str:
    """A calibration for the terminal: the bins with the share of hits as a bar, then the figures."""
    figures = found.figures
    whom = "all people" if figures["against"] == "everybody" else figures["against"]
    which = "blind labels" if figures["subset"] == "blind" else "all labels"
    return "\n".join(
        [
            f"Run {found.run_id} measured on {which} of {whom}: {figures['n']} observations in {figures['n_conversations']} conversations, "
            f"{figures['share']:.3f} right",
            "",
            f"{'stated':14}{'n':>6}{'mean':>8}{'right':>8}  95 %",
            *[_bin_line(one) for one in figures["bins_before"] if one["n"]],
            "",
            f"ECE    {_change(figures, 'ece')}",
            f"Brier  {_change(figures, 'brier')}",
            f"AUROC  {_number(figures['auroc'])}{_reason(figures, 'auroc')}",
            f"Out of fold: {figures['n_folds']} fits, each tested on conversations it never saw. The mapping has {len(found.knots)} knots.",
        ]
    )


def _bin_line(one: Mapping[str, Any]) -> str:
    low, high = one["ci95"]
    bar = "#" * round(one["share"] * _BAR)
    sides = f"{one['low']:.1f} to {one['high']:.1f}"
    return f"{sides:14}{one['n']:>6}{one['stated']:>8.3f}{one['share']:>8.3f}  {f'{low:.3f} to {high:.3f}':14}  |{bar:{_BAR}}|"


def _change(figures: Mapping[str, Any], name: str) -> str:
    return f"{_number(figures[f'{name}_before'])} -> {_number(figures[f'{name}_after'])} (out of fold)"


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def _reason(figures: Mapping[str, Any], name: str) -> str:
    return f": {figures['undefined'][name]}" if name in figures["undefined"] else ""
