"""What is learned of one role: a probability per code, and which known examples an utterance is nearest to.

Rows come from `features.py`; which examples may be learned from is `local.py`'s. Needs scikit-learn: import it late.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from annotator.taggers.features import Floats

_C = 30.0
_MOST_SHOWN = 2000  # examples searched for the nearest; more cost time and say the same


@dataclass(frozen=True, slots=True)
class Example:
    """A known utterance of the role."""

    text: str
    codes: tuple[str, ...]


class Learner:
    """One logistic regression per code of a role, each code against all others."""

    def __init__(self, codes: Sequence[str], rows: sparse.csr_matrix, known: Sequence[tuple[str, ...]]) -> None:
        # liblinear asks BLAS for many tiny sums; its threads only wait for each other (20 s for 1.5 s on a busy machine).
        with threadpool_limits(limits=1, user_api="blas"):
            fitted = [_fit(rows, np.array([code in label for label in known], dtype=bool), len(codes)) for code in codes]
        self._weights = np.array([weights for weights, _ in fitted]).T
        self._bias = np.array([bias for _, bias in fitted])

    def probabilities(self, rows: sparse.csr_matrix) -> Floats:
        """One row per utterance, one column per code."""
        return np.asarray(1 / (1 + np.exp(-(rows @ self._weights + self._bias))))


def _fit(rows: sparse.csr_matrix, has: np.typing.NDArray[np.bool_], n_codes: int) -> tuple[Floats, float]:
    """Weights and bias of one code; a code that all or none of the examples have gets its smoothed share."""
    if has.any() and not has.all():
        model = LogisticRegression(C=_C, solver="liblinear").fit(rows, has)
        return model.coef_[0], float(model.intercept_[0])
    share = (has.sum() + 1 / (n_codes + 1)) / (len(has) + 1)
    return np.zeros(rows.shape[1]), float(np.log(share / (1 - share)))


class Nearest:
    """Finds the known examples whose words are most like an utterance's."""

    def __init__(self, words: sparse.csr_matrix, examples: Sequence[Example]) -> None:
        once = list({example: number for number, example in reversed(list(enumerate(examples)))}.values())
        shown = sorted(once)[:_MOST_SHOWN]
        self._examples = [examples[number] for number in shown]
        self._words = words[shown].T.tocsr()

    def reasons(self, words: sparse.csr_matrix) -> list[str]:
        """A sentence per row that quotes its two nearest."""
        if not self._examples:
            return ["Nothing is known of this role yet."] * words.shape[0]
        alike = (words @ self._words).toarray()
        quoted = [f"“{_short(example.text)}” → {', '.join(example.codes) or 'none'}" for example in self._examples]
        best = alike.argmax(axis=1)
        every = np.arange(len(best))
        first = alike[every, best]
        alike[every, best] = -1
        second_best = alike.argmax(axis=1)
        second = alike[every, second_best]
        return [
            _reason([quoted[number] for number, score in pair if score > 0])
            for pair in zip(zip(best, first, strict=True), zip(second_best, second, strict=True), strict=True)
        ]


def _reason(quotes: list[str]) -> str:
    return f"Nearest known: {'; '.join(quotes)}." if quotes else "No known utterance shares a word with it."


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 90 else text[:89].rstrip() + "…"
