"""The taggers and providers by name. Importing this loads neither numpy nor google: `serve` lists them but never runs one."""

from annotator.errors import BadInput
from annotator.taggers.base import Brief, Tagger
from annotator.taggers.gemini import Gemini
from annotator.taggers.local import LocalTagger
from annotator.taggers.provider import Manner, Provider
from annotator.taggers.scripted import ScriptedTagger

TAGGERS: dict[str, type[Tagger]] = {tagger.name: tagger for tagger in (LocalTagger, ScriptedTagger)}
"""Those that work in this process, at no cost."""
PROVIDERS: dict[str, type[Provider]] = {provider.name: provider for provider in (Gemini,)}
"""Those that are asked over a network."""


def make(name: str, brief: Brief, manner: Manner | None = None) -> Tagger | Provider:
    """The tagger or provider of that name, made from the brief.

    Raises `BadInput` for a name that is not registered, and whatever it says of its settings.
    """
    if name in PROVIDERS:
        return PROVIDERS[name](brief, manner or Manner())
    if name not in TAGGERS:
        raise BadInput(f"There is no tagger {name!r}. Choose one of: {', '.join(sorted(TAGGERS.keys() | PROVIDERS.keys()))}.")
    return TAGGERS[name](brief)
