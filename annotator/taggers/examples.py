"""Finds labelled utterances of other conversations that are most like those of one conversation, to show beside it.

TF-IDF with an inverted index in plain Python: scikit-learn would add 96 MB to a process that otherwise only waits for a
network (`docs/decisions/0007-first-pass.md`). Which labels may be shown is decided in `flow/known.py` (rule 11).
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from annotator.core.transcript import Transcript
from annotator.taggers.prompt import LONGEST_TEXT, Example

PER_ROLE = 3
_MOST = 10_000
_FEW = 2_000
"""Above so many known utterances words that every twentieth has are passed over: they cost most of the time and tell little."""
_WORD = re.compile(r"[^\W\d_]+|[?]")


class Examples:
    """The known utterances, by role."""

    def __init__(self, known: Iterable[Transcript], roles: Sequence[str]) -> None:
        self._roles = roles
        self._known: list[tuple[Example, str, str]] = []
        self._index: dict[str, dict[str, list[tuple[int, float]]]] = {role: defaultdict(list) for role in roles}
        counts: list[Counter[str]] = []
        for transcript in known:
            text_hash = transcript.text_hash()
            for turn, utterance in transcript.utterances():
                if utterance.gold and turn.role in self._index and 0 < len(utterance.text) <= LONGEST_TEXT and len(counts) < _MOST:
                    self._known.append((Example(turn.role, utterance.text, utterance.gold), transcript.id, text_hash))
                    counts.append(_words(utterance.text))
        seen = Counter(word for words in counts for word in words)
        self._rarity = {word: math.log(1 + len(counts) / number) for word, number in seen.items()}
        for number, words in enumerate(counts):
            for word, weight in self._weighted(words).items():
                self._index[self._known[number][0].role][word].append((number, weight))
        self._common = len(counts) // 20 if len(counts) > _FEW else len(counts)

    def near(self, transcript: Transcript) -> tuple[Example, ...]:
        """For each role the known utterances nearest to any utterance of the conversation; none of the conversation itself."""
        own_id, own_text = transcript.id, transcript.text_hash()
        best: dict[str, dict[int, float]] = {role: {} for role in self._roles}
        for turn, utterance in transcript.utterances():
            if turn.role in best:
                for number, score in self._scores(turn.role, utterance.text).items():
                    best[turn.role][number] = max(score, best[turn.role].get(number, 0.0))
        chosen: list[Example] = []
        for scores in best.values():
            ranked = sorted(scores, key=lambda number: (-scores[number], number))
            others = (self._known[number] for number in ranked)
            near = (example for example, key, text in others if key != own_id and text != own_text)
            chosen += list(dict.fromkeys(near))[:PER_ROLE]
        return tuple(chosen)

    def _scores(self, role: str, text: str) -> dict[int, float]:
        scores: dict[int, float] = defaultdict(float)
        for word, weight in self._weighted(_words(text)).items():
            known = self._index[role].get(word, ())
            for number, other in known if len(known) <= self._common else ():
                scores[number] += weight * other
        return scores

    def _weighted(self, words: Counter[str]) -> dict[str, float]:
        weights = {word: (1 + math.log(n)) * self._rarity[word] for word, n in words.items() if word in self._rarity}
        length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        return {word: weight / length for word, weight in weights.items()}


def _words(text: str) -> Counter[str]:
    return Counter(_WORD.findall(text.lower()))
