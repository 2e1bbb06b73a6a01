"""The figures that public libraries have, asked of them: scikit-learn, statsmodels and nltk. None is what they cannot tell.

Labels are lists of names, one per utterance, of either annotator. All imports are late: together they take two seconds and 200 MB,
and nothing else needs statsmodels or nltk, which are extras.
"""

import warnings
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import version
from math import isnan, sqrt
from typing import Any

from annotator.errors import BadInput

Labels = Sequence[str]
Sets = Sequence[frozenset[str]]
Said = Sequence[tuple[str, int, Hashable]]
"""(annotator, utterance, label), as nltk wants it."""
Distance = Callable[[Any, Any], float]
LIBRARIES = {"scikit-learn": "sklearn", "statsmodels": "statsmodels", "nltk": "nltk"}
_ROUNDING = 1e-13


def versions() -> dict[str, str]:
    """Library → version; raises `BadInput` where one is not installed."""
    missing = [name for name, module in LIBRARIES.items() if not _there(module)]
    if missing:
        raise BadInput(
            f"Verifying needs {' and '.join(missing)}, not part of an ordinary installation. "
            "Install them with: pip install 'conversation-annotator[verify]'"
        )
    return {name: version(name) for name in (*LIBRARIES, "scipy")}


def _there(module: str) -> bool:
    try:
        import_module(module)
    except ImportError:
        return False
    return True


@contextmanager
def quiet() -> Iterator[None]:
    """The libraries warn of figures that are undefined; here None says it."""
    import numpy as np  # with the libraries, which all need it

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def asked(figure: Callable[[], Any]) -> float | None:
    """A library's figure; its exceptions on data that have none, and nan, are None."""
    try:
        found = float(figure())
    except (ArithmeticError, AssertionError, ValueError):
        return None
    return None if isnan(found) else found


# scikit-learn


def cohen_kappa(a: Labels, b: Labels) -> float | None:
    # heavy
    from sklearn.metrics import cohen_kappa_score

    return asked(lambda: cohen_kappa_score(a, b))


def share_equal(a: Labels, b: Labels) -> float | None:
    # heavy
    from sklearn.metrics import accuracy_score

    return asked(lambda: accuracy_score(a, b)) if a else None


def specific(a: Labels, b: Labels, name: str) -> float | None:
    """Dice's coefficient of one of the names is its F1."""
    # heavy
    from sklearn.metrics import f1_score

    return asked(lambda: f1_score(a, b, pos_label=name))


def mean_jaccard(a: Sets, b: Sets) -> float | None:
    # heavy
    from sklearn.metrics import jaccard_score
    from sklearn.preprocessing import MultiLabelBinarizer

    # With two columns that nobody uses there are several even where there is one code or none.
    codes = [*sorted(frozenset().union(*a, *b)), "", "|"]
    columns = MultiLabelBinarizer(classes=codes)
    return asked(lambda: jaccard_score(columns.fit_transform(a), columns.fit_transform(b), average="samples", zero_division=1.0))


# statsmodels


def _table(a: Labels, b: Labels) -> tuple[list[str], Any]:
    import numpy as np  # with statsmodels, which needs it

    names = sorted({*a, *b})
    place = {name: at for at, name in enumerate(names)}
    table = np.zeros((len(names), len(names)))
    for (x, y), n in Counter(zip(a, b, strict=True)).items():
        table[place[x], place[y]] = n
    return names, table


def kappa_max(a: Labels, b: Labels) -> float | None:
    # heavy
    from statsmodels.stats.inter_rater import cohens_kappa

    return asked(lambda: cohens_kappa(_table(a, b)[1]).kappa_max)


def se_iid(a: Labels, b: Labels) -> float | None:
    """The error of Fleiss, Cohen and Everitt (1969)."""
    # heavy
    from statsmodels.stats.inter_rater import cohens_kappa

    _, table = _table(a, b)
    variance = asked(lambda: cohens_kappa(table).var_kappa)
    if variance is None:
        return None
    # The variance is a difference of two sums about as large as 1; where it should be 0 their rounding stays, also below 0.
    n = table.sum()
    difference = variance * n * (1 - table.sum(axis=0) @ table.sum(axis=1) / n**2) ** 2
    return 0.0 if abs(difference) < _ROUNDING else sqrt(variance)


def kappa_spread(share: float, kappa: float) -> float:
    """The variance of a kappa times the number of pairs, where both annotators give a code to this share and agree by this kappa."""
    # heavy
    from statsmodels.stats.inter_rater import cohens_kappa

    apart = (1 - kappa) * share * (1 - share)
    return float(cohens_kappa([[share - apart, apart], [apart, 1 - share - apart]]).var_kappa)


def weighted_kappa(a: Labels, b: Labels, distance: Distance) -> float | None:
    # heavy
    from statsmodels.stats.inter_rater import cohens_kappa

    names, table = _table(a, b)
    return asked(lambda: cohens_kappa(table, weights=[[distance(x, y) for y in names] for x in names], return_results=False))


def fleiss(units: Iterable[Sequence[Hashable]]) -> float | None:
    """Of units with equally many labels; of two annotators it is Scott's pi."""
    return _of_counts(units, "fleiss", 0)


def randolph(units: Iterable[Sequence[Hashable]], k: int) -> float | None:
    """Of two annotators it is Bennett's S; `k` names are there to choose from."""
    return _of_counts(units, "randolph", k)


def _of_counts(units: Iterable[Sequence[Hashable]], method: str, k: int) -> float | None:
    # heavy
    import numpy as np
    from statsmodels.stats.inter_rater import fleiss_kappa

    units = list(units)
    place: dict[Hashable, int] = {}
    cells = [(at, place.setdefault(label, len(place))) for at, unit in enumerate(units) for label in unit]
    counts = np.zeros((len(units), max(len(place), k)))
    for at, label in cells:
        counts[at, label] += 1
    return asked(lambda: fleiss_kappa(counts, method=method)) if units else None


# nltk


def chance(a: Labels, b: Labels) -> float | None:
    """The chance agreement of Cohen's kappa."""
    # heavy
    from nltk.metrics.agreement import AnnotationTask

    return asked(lambda: AnnotationTask(_said(a, b)).Ae_kappa("a", "b")) if a else None


def _said(a: Sequence[Hashable], b: Sequence[Hashable]) -> Said:
    return [(who, at, label) for who, labels in (("a", a), ("b", b)) for at, label in enumerate(labels)]


def alpha(a: Sequence[Hashable], b: Sequence[Hashable], distance: Distance) -> float | None:
    """Krippendorff's alpha of two annotators with complete labels."""
    return alpha_of_all(_said(a, b), distance)


def alpha_of_all(said: Said, distance: Distance) -> float | None:
    """Krippendorff's alpha of any number of annotators, labels missing or not.

    The distance is given: nltk's of sets divide by 0 for two empty ones, and up to 3.10.0 have .67 for 2/3.
    """
    # heavy
    from nltk.metrics.agreement import AnnotationTask

    labels_of: dict[int, list[Hashable]] = {}
    for _, unit, label in said:
        labels_of.setdefault(unit, []).append(label)
    if len({label for labels in labels_of.values() if len(labels) > 1 for label in labels}) < 2:
        return None  # nltk says 1 of a single label, though nothing could have differed
    return asked(lambda: AnnotationTask(said, distance=distance).alpha())
