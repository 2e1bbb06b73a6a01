"""What the proposal did in a round. What counts it needs numpy and is loaded by the first call: servers start without."""

from collections.abc import Iterable
from typing import Any

from annotator.core.influence.shown import Background, Question, Shown


def influence_of(shown: Iterable[Shown], question: Question, known: Background) -> dict[str, Any]:
    """What the proposal did in a round: see `report.influence`."""
    from annotator.core.influence import proposed, report  # with numpy

    return report.influence(proposed.proposed_of(shown), question, known)
