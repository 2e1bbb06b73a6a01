"""Utterances as rows of numbers: their words, where they stand in the conversation, and what stands beside them.

Labels never enter here; what is learned from the rows is `learner.py`'s. Needs numpy and scikit-learn: import it late.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from annotator.core.transcript import Transcript, Turn

Floats = NDArray[np.float64]

_TOKEN = re.compile(r"item\d+|[^\W\d_]+(?:['’][^\W\d_]+)*|\d+|[?!]")
_ITEM = re.compile(r"item\d+", re.IGNORECASE)

# How much each block weighs beside the utterance's own words; tuned on VOGUE with `bench/tagging.py`, flat around here.
_PLACE, _BESIDE, _WORDS_BEFORE, _WORDS_AFTER = 0.25, 0.2, 0.5, 0.3
_WIDTH, _SAID = 25, 10  # columns of `places`; the first ten say what the utterance is like, the rest where it stands


class Sheet:
    """Transcripts laid out flat: one entry per utterance, in order."""

    def __init__(self, transcripts: Iterable[Transcript]) -> None:
        self.ids: list[str] = []
        self.texts: list[str] = []
        roles: list[str] = []
        sizes: list[int] = []
        places: list[list[float]] = []
        for transcript in transcripts:
            before = len(self.ids)
            for turn, utterance in transcript.utterances():
                self.ids.append(utterance.id)
                self.texts.append(utterance.text)
                roles.append(turn.role)
            places.extend(_places(transcript.turns))
            sizes.append(len(self.ids) - before)
        self.roles = np.array(roles, dtype=str)
        self.conversation = np.repeat(np.arange(len(sizes)), sizes)
        self.places = np.array(places, dtype=float).reshape(len(places), _WIDTH)

    def __len__(self) -> int:
        return len(self.ids)


def _places(turns: Sequence[Turn]) -> Iterator[list[float]]:
    """What can be counted about each utterance of a conversation. One without neighbours has no place to speak of."""
    total = sum(len(turn.utterances) for turn in turns)
    first_named: dict[str, str] = {}
    at = 0
    for turn in turns:
        last = len(turn.utterances) - 1
        for inside, utterance in enumerate(turn.utterances):
            said = _said(utterance.text, turn.role, first_named)
            stands = [inside == 0, inside == last, last == 0, *_stage(at, total)] if total > 1 else [0.0] * 13
            yield [float(value) for value in (*said, bool(first_named), min(len(first_named), 6) / 6, *stands)]
            at += 1


def _said(text: str, role: str, first_named: dict[str, str]) -> list[float]:
    """Question, length, and items: how many, new here, known, and first named by the other."""
    items = set(_ITEM.findall(text.lower()))
    known = [item for item in items if item in first_named]
    by_other = any(first_named[item] != role for item in known)
    for item in items:
        first_named.setdefault(item, role)
    n_words, n_items = text.count(" ") + 1, len(items)
    asks = text.rstrip().endswith("?")
    length = [min(n_words, 30) / 15, n_words <= 2, 3 <= n_words <= 6]
    return [asks, *length, n_items == 1, n_items == 2, n_items > 2, n_items > len(known), bool(known), by_other]


def _stage(at: int, total: int) -> list[float]:
    fifth = 5 * at // total
    return [at == 0, at < 4, at == total - 1, at >= total - 4, at / total, *(fifth == number for number in range(5))]


@lru_cache(maxsize=100_000)
def _parts(token: str) -> tuple[str, ...]:
    """A word and its beginnings, which stand for its stem in any language."""
    if token.startswith("item") and token[4:].isdigit():
        return ("=item",)
    if token.isdigit():
        return ("=#",)
    return (f"={token}", *(token[:n] for n in range(3, 7) if n < len(token)))


def tokens(text: str) -> list[str]:
    """Words (marked `=`), their beginnings, and pairs of words in their order.

    >>> tokens("Item05 fits?")
    ['=item', '=fits', 'fit', '=?', '=<=item', '=item=fits', '=fits=?', '=?=>']
    """
    parts = [_parts(token) for token in _TOKEN.findall(text.lower())]
    words = [part[0] for part in parts]
    pairs = [first + second for first, second in zip(["=<", *words], [*words, "=>"], strict=True)]
    return [piece for part in parts for piece in part] + pairs


class Rows:
    """Turns sheets into matrices, with the vocabulary of the texts it was made from."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._vectorizer = TfidfVectorizer(analyzer=tokens, sublinear_tf=True)
        self._vectorizer.fit([*texts, "?"])  # never without a vocabulary
        names = self._vectorizer.get_feature_names_out()
        self._single = np.array([number for number, name in enumerate(names) if name.rfind("=") == 0])

    def words(self, sheet: Sheet) -> sparse.csr_matrix:
        """TF-IDF of each utterance's own text, rows of length 1."""
        if not sheet.texts:  # which scikit-learn refuses
            return sparse.csr_matrix((0, len(self._vectorizer.vocabulary_)))
        return sparse.csr_matrix(self._vectorizer.transform(sheet.texts))

    def beside(self, words: sparse.csr_matrix, sheet: Sheet) -> sparse.csr_matrix:
        """All there is to learn from: `words` with the place of each utterance and what was said before and after."""
        single = words[:, self._single]
        before, after = _neighbour(sheet, -1), _neighbour(sheet, 1)
        speaker = np.unique(sheet.roles, return_inverse=True)[1] + 1
        said = np.hstack([np.ones((len(sheet), 1)), sheet.places[:, :_SAID]])
        blocks = [words, _PLACE * sparse.csr_matrix(sheet.places)]
        for neighbour, weight in ((before, _WORDS_BEFORE), (after, _WORDS_AFTER)):
            other = sparse.diags_array((neighbour @ speaker != speaker).astype(float)) @ neighbour
            blocks += [weight * (neighbour @ single)]
            blocks += [_BESIDE * sparse.csr_matrix(matrix @ said) for matrix in (neighbour, other)]
        return sparse.csr_matrix(sparse.hstack(blocks, format="csr"))


def _neighbour(sheet: Sheet, step: int) -> sparse.csr_matrix:
    """The matrix that moves to each row the one `step` away, where that is of the same conversation."""
    here = np.arange(len(sheet))
    there = here + step
    inside = (there >= 0) & (there < len(sheet))
    here, there = here[inside], there[inside]
    same = sheet.conversation[here] == sheet.conversation[there]
    here, there = here[same], there[same]
    return sparse.csr_matrix((np.ones(len(here)), (here, there)), shape=(len(sheet), len(sheet)))
