"""The taggers by name. Importing this loads neither numpy nor scikit-learn: `serve` lists taggers but never runs one."""

from annotator.errors import BadInput
from annotator.taggers.base import Brief, Tagger
from annotator.taggers.local import LocalTagger
from annotator.taggers.scripted import ScriptedTagger

TAGGERS: dict[str, type[Tagger]] = {tagger.name: tagger for tagger in (LocalTagger, ScriptedTagger)}


def make(name: str, brief: Brief) -> Tagger:
    """The tagger of that name, made from the brief.

    Raises `BadInput` for a name that is not registered, and whatever the tagger says of its settings.
    """
    if name not in TAGGERS:
        raise BadInput(f"There is no tagger {name!r}. Choose one of: {', '.join(sorted(TAGGERS))}.")
    return TAGGERS[name](brief)
