"""What adding to a round changes in the conversations that it has."""

from collections.abc import Iterable
from dataclasses import dataclass

from annotator.core.sampling import Place


@dataclass(frozen=True, slots=True)
class Change:
    """What an extension changes in a conversation that the round has: who no longer labels it and who does, and the same of repeats."""

    conversation: str
    gone: tuple[str, ...]
    come: tuple[str, ...]
    repeats_gone: tuple[str, ...]
    repeats_come: tuple[str, ...]


def changes_of(before: Iterable[Place], after: Iterable[Place]) -> tuple[Change, ...]:
    """The conversations of `before` in which somebody comes or goes, in their order."""
    now = {place.conversation: place for place in after}

    def change(old: Place) -> Change:
        new = now[old.conversation]
        labels = _without(old.annotators, new.annotators), _without(new.annotators, old.annotators)
        return Change(old.conversation, *labels, _without(old.repeat_of, new.repeat_of), _without(new.repeat_of, old.repeat_of))

    return tuple(one for one in map(change, before) if one.gone or one.come or one.repeats_gone or one.repeats_come)


def _without(names: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in others)
