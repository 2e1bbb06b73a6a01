"""The tagger that works offline: learns from the taxonomy's examples and the known conversations, in seconds.

What a feature is stands in `features.py`, what is fitted in `learner.py`; here is who learns from whom (rule 11).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from annotator.core.taxonomy import Taxonomy
from annotator.core.transcript import Transcript, Turn, Utterance
from annotator.taggers.base import Brief, Suggestion, Tagger

if TYPE_CHECKING:
    from annotator.taggers.features import Rows, Sheet
    from annotator.taggers.learner import Learner, Nearest

# `features` and `learner` are imported inside methods: they load scikit-learn, which `serve` never needs.

_FOLDS = 10
_AT_ONCE = 250

Folds = frozenset[int]


@dataclass(frozen=True, slots=True)
class _Known:
    """Everything known, as rows; `folds` holds -1 for the taxonomy's examples, which are never left out."""

    making: "Rows"
    sheet: "Sheet"
    words: Any
    rows: Any
    gold: list[tuple[str, ...] | None]
    folds: list[int]


class LocalTagger(Tagger):
    """Logistic regression per role and code on words, neighbours and place.

    Known conversations are spread over ten folds. A transcript that is among them is tagged by a model that learned
    from none of its fold, so that neither its probabilities nor the quoted examples depend on its own labels.
    """

    name = "local"
    version = "1"
    threshold = 0.4

    def __init__(self, brief: Brief) -> None:
        super().__init__(brief)
        self._folds_of: dict[str, set[int]] = {}
        for transcript in brief.known:
            for identity in _identities(transcript):
                self._folds_of.setdefault(identity, set()).add(_fold(transcript))
        self._learned: dict[tuple[str, Folds], tuple[Learner, Nearest]] = {}

    def suggest(self, transcripts: Sequence[Transcript]) -> Iterator[Mapping[str, Suggestion]]:
        for start in range(0, len(transcripts), _AT_ONCE):
            yield from self._suggest_at_once(transcripts[start : start + _AT_ONCE])

    def _suggest_at_once(self, transcripts: Sequence[Transcript]) -> Iterator[Mapping[str, Suggestion]]:
        from annotator.taggers.features import Sheet

        sheet = Sheet(transcripts)
        words = self._known.making.words(sheet)
        rows = self._known.making.beside(words, sheet)
        suggested: dict[int, Suggestion] = {}
        for (role, left_out), numbers in self._groups(transcripts).items():
            learner, nearest = self._learn(role, left_out)
            codes = tuple(self.brief.taxonomy.by_role[role])
            probabilities = learner.probabilities(rows[numbers]).tolist()
            for number, values, reason in zip(numbers, probabilities, nearest.reasons(words[numbers]), strict=True):
                suggested[number] = Suggestion(dict(zip(codes, values, strict=True)), reason)
        number = 0
        for transcript in transcripts:
            by_id: dict[str, Suggestion] = {}
            for _, utterance in transcript.utterances():
                if number in suggested:
                    by_id[utterance.id] = suggested[number]
                number += 1
            yield by_id

    def _groups(self, transcripts: Sequence[Transcript]) -> dict[tuple[str, Folds], list[int]]:
        """The numbers of the utterances that the same model speaks for: (role, folds it must not know) → numbers."""
        groups: dict[tuple[str, Folds], list[int]] = {}
        number = 0
        for transcript in transcripts:
            left_out = frozenset().union(*(self._folds_of.get(identity, ()) for identity in _identities(transcript)))
            for turn, _ in transcript.utterances():
                if turn.role in self.brief.taxonomy.by_role:
                    groups.setdefault((turn.role, left_out), []).append(number)
                number += 1
        return groups

    @cached_property
    def _known(self) -> _Known:
        from annotator.taggers.features import Rows, Sheet

        examples = list(_examples(self.brief.taxonomy))
        transcripts = [*examples, *self.brief.known]
        sheet = Sheet(transcripts)
        making = Rows(sheet.texts)
        words = making.words(sheet)
        gold = [_gold(self.brief.taxonomy, turn, said) for transcript in transcripts for turn, said in transcript.utterances()]
        folds = [-1] * len(examples)
        for transcript in self.brief.known:
            folds += [_fold(transcript)] * sum(len(turn.utterances) for turn in transcript.turns)
        return _Known(making, sheet, words, making.beside(words, sheet), gold, folds)

    def _learn(self, role: str, left_out: Folds) -> "tuple[Learner, Nearest]":
        from annotator.taggers.learner import Example, Learner, Nearest

        if (role, left_out) not in self._learned:
            known = self._known
            numbers, golds = [], []
            for number, (gold, fold, of) in enumerate(zip(known.gold, known.folds, known.sheet.roles, strict=True)):
                if gold is not None and fold not in left_out and of == role:
                    numbers.append(number)
                    golds.append(gold)
            examples = [Example(known.sheet.texts[number], gold) for number, gold in zip(numbers, golds, strict=True)]
            learner = Learner(tuple(self.brief.taxonomy.by_role[role]), known.rows[numbers], golds)
            self._learned[role, left_out] = learner, Nearest(known.words[numbers], examples)
        return self._learned[role, left_out]


def _identities(transcript: Transcript) -> tuple[str, str]:
    return f"id {transcript.id}", f"text {transcript.text_hash()}"


def _fold(transcript: Transcript) -> int:
    return int(transcript.text_hash()[:8], 16) % _FOLDS


def _examples(taxonomy: Taxonomy) -> Iterator[Transcript]:
    """The taxonomy's examples, each a conversation of its own."""
    for code in taxonomy.codes:
        for example in code.examples:
            yield Transcript("", (Turn(code.role, (Utterance("", example, gold=(code.code,)),), 1),))


def _gold(taxonomy: Taxonomy, turn: Turn, utterance: Utterance) -> tuple[str, ...] | None:
    """The label to learn, None where there is none: not labelled, no text, or by codes the taxonomy no longer has."""
    if utterance.gold is None or not utterance.text.strip():
        return None
    codes = taxonomy.ordered(turn.role, utterance.gold)
    return codes if codes or not utterance.gold else None
