"""Label what people do in conversations: first pass, review, agreement, export.

The public face for notebooks and scripts: load a taxonomy, read an exported table, compute agreement.

>>> from annotator import agreement_of, load_taxonomy, read_labels
"""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from annotator.core.agreement import (
    Judgement,
    Kappa,
    adoption_of,
    agreement,
    agreement_of_all,
    alpha,
    alternative_test,
    bennett_s,
    category_weight,
    cohen_kappa,
    difference,
    exact_match,
    goodness_of_fit,
    gwet_ac1,
    gwet_ac2,
    jaccard_distance,
    kappa_max,
    kappa_within_categories,
    masi_distance,
    mcnemar_exact,
    mean_codes,
    mean_jaccard,
    mean_of,
    one_vs_rest,
    ordered_weight,
    pabak,
    pooled_kappa,
    rate,
    scott_pi,
    specific_agreement,
    standard_errors,
    stratified_kappa,
    switch_to_model,
    table_of,
    weighted_kappa,
)
from annotator.core.labelled import Labelled, each_once, read_rows
from annotator.core.power import size_for_any_table, size_for_margins, size_to_estimate, size_to_test
from annotator.core.taxonomy import Taxonomy, parse_taxonomy
from annotator.errors import AnnotatorError, BadInput

if TYPE_CHECKING:
    from annotator.core.agreement.counts import cells_of
    from annotator.core.agreement.intervals import cluster_errors
    from annotator.core.agreement.resampling import bootstrap, jackknife_error
    from annotator.core.agreement.several import (
        fleiss_error,
        fleiss_kappa,
        gwet_ac1_of_several,
        krippendorff_alpha,
        randolph_kappa,
        units_of_counts,
        units_of_ratings,
    )
    from annotator.core.agreement.shift import total_variation

__version__ = "0.1.0"

__all__ = [
    "AnnotatorError", "BadInput", "Judgement", "Kappa", "Labelled", "Taxonomy",
    "adoption_of", "agreement", "agreement_of", "agreement_of_all", "alpha", "alternative_test", "bennett_s", "bootstrap",
    "category_weight", "cells_of", "cluster_errors", "cohen_kappa", "difference", "each_label", "exact_match", "fleiss_error",
    "fleiss_kappa", "goodness_of_fit", "gwet_ac1", "gwet_ac1_of_several", "gwet_ac2", "jaccard_distance", "jackknife_error", "kappa_max",
    "kappa_within_categories", "krippendorff_alpha", "load_taxonomy", "masi_distance", "mcnemar_exact", "mean_codes", "mean_jaccard",
    "mean_of", "one_vs_rest", "ordered_weight", "pabak", "pooled_kappa", "randolph_kappa", "rate", "read_labels", "scott_pi",
    "size_for_any_table", "size_for_margins", "size_to_estimate", "size_to_test", "specific_agreement", "standard_errors",
    "stratified_kappa", "switch_to_model", "table_of", "total_variation", "units_of_counts", "units_of_ratings", "weighted_kappa",
]  # fmt: skip

# These need numpy, which commands and servers that compute no agreement start without.
_WITH_NUMPY = {
    "cells_of": "counts", "cluster_errors": "intervals", "bootstrap": "resampling", "jackknife_error": "resampling",
    "total_variation": "shift",
    **dict.fromkeys(
        (
            "fleiss_error", "fleiss_kappa", "gwet_ac1_of_several", "krippendorff_alpha", "randolph_kappa", "units_of_counts",
            "units_of_ratings",
        ),
        "several",
    ),
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _WITH_NUMPY:
        raise AttributeError(f"module 'annotator' has no attribute {name!r}")
    return getattr(import_module(f"annotator.core.agreement.{_WITH_NUMPY[name]}"), name)


def load_taxonomy(path: str | Path) -> Taxonomy:
    """Read a `taxonomy.yaml`; raises `BadInput` with the line of what is wrong."""
    path = Path(path)
    try:
        return parse_taxonomy(path.read_text(encoding="utf-8"), path.name)
    except FileNotFoundError as error:
        raise BadInput(f"{path} does not exist. Check the path.") from error
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}). Give a taxonomy.yaml that you may read.") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path.name}: not UTF-8 text (byte {error.start + 1}). Save the file as UTF-8.") from error


def read_labels(path: str | Path) -> list[Labelled]:
    """Read a long CSV or TSV, one row per round, utterance and annotator, and one more of each repeat.

    Raises `BadInput` with the line of what is wrong.
    """
    return list(each_label(path))


def each_label(path: str | Path) -> Iterator[Labelled]:
    """The same one after the other, for a table too large to be held."""
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            yield from each_once(read_rows(lines, path.name), path.name)
    except FileNotFoundError as error:
        raise BadInput(f"{path} does not exist. Check the path.") from error
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}). Give a table as CSV that you may read.") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path.name}: not UTF-8 text (byte {error.start + 1}). Save the table as CSV (UTF-8).") from error


def agreement_of(rows: list[Labelled]) -> dict[str, Any]:
    """Agreement between every two annotators of a long table: the same figures as `annotator agree FILE --json`."""
    labelled = (row for row in rows if row.annotator and not row.repeat)
    return agreement(Judgement(row.annotator, row.conversation, row.utterance, row.role, frozenset(row.codes)) for row in labelled)
