"""A tagger that proposes what a file says: for demonstrations and for tests that need to know what is proposed."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from annotator.core.transcript import Transcript
from annotator.errors import BadInput
from annotator.taggers.base import Brief, Suggestion, Tagger

Script = Mapping[str, Mapping[str, Mapping[str, float]]]


class ScriptedTagger(Tagger):
    """Reads `{conversation id: {utterance id: {code: probability}}}` from the JSON file of the setting `script`.

    Where the script is silent (or there is none) it proposes the role's first code with 0.5.
    """

    name = "scripted"
    version = "1"

    def __init__(self, brief: Brief) -> None:
        super().__init__(brief)
        self._path = brief.settings.get("script", "")
        self._script = _read(Path(self._path)) if self._path else {}

    def suggest(self, transcripts: Sequence[Transcript]) -> Iterator[Mapping[str, Suggestion]]:
        for transcript in transcripts:
            yield {
                utterance.id: self._suggestion(transcript.id, turn.role, utterance.id)
                for turn, utterance in transcript.utterances()
                if turn.role in self.brief.taxonomy.by_role
            }

    def _suggestion(self, conversation: str, role: str, utterance: str) -> Suggestion:
        codes = self.brief.taxonomy.by_role[role]
        scripted = self._script.get(conversation, {}).get(utterance)
        if not scripted:
            return Suggestion({next(iter(codes)): 0.5}, "The script says nothing of this utterance: the role's first code.")
        unknown = [code for code in scripted if code not in codes]
        if unknown:
            where = f"{self._path}, conversation {conversation}, utterance {utterance}"
            raise BadInput(f"{where}: {', '.join(unknown)} is not a code of {role}. Use one of its codes.")
        return Suggestion(dict(scripted), "The script says so.")


def _read(path: Path) -> Script:
    try:
        script = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read as JSON ({error}). Give `script` the path of the script's JSON file.") from error
    if not _is_script(script):
        shape = "{conversation: {utterance: {code: probability}}}"
        raise BadInput(f"{path} is not a script. Write it as {shape} with probabilities from 0 to 1.")
    return script  # type: ignore[no-any-return]


def _is_script(script: Any) -> bool:
    levels = [script]
    for _ in range(3):
        if not all(isinstance(level, dict) for level in levels):
            return False
        levels = [inner for level in levels for inner in level.values()]
    return all(isinstance(value, int | float) and 0 <= value <= 1 for value in levels)
