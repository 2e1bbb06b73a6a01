"""Agreement between annotators on the same utterances, from counts. Reading labels is `flow/agreement.py`'s.

A label is a set of codes of one role; two labels agree when the sets are equal. Figures are given per role, because the roles
have different codes and can never be confused. The way of a figure: judgements are counted once (`counts`) into cells of
conversation and label pair; tables and sums of these give the coefficients (`coefficients`, `weighted`, `sets`, `several`,
`per_code`), their errors (`intervals`, `resampling`, `rare`) and the blocks of a report (`codes`, `categories`, `report`). What proposals
did to labels is in `arms`, `shift` and `adoption`, whether a model may replace a human in `alternative`.

Only what needs no numpy is named here, so that a server and a command start without it.
"""

from annotator.core.agreement.adoption import adoption_of, mcnemar_exact
from annotator.core.agreement.alternative import alternative_test
from annotator.core.agreement.arms import difference, mean_of, rate, switch_to_model
from annotator.core.agreement.asked import Asked, Corpus
from annotator.core.agreement.coefficients import (
    Kappa,
    alpha,
    bennett_s,
    cohen_kappa,
    confusions,
    gwet_ac1,
    kappa_max,
    pabak,
    scott_pi,
    stratified_kappa,
    table_of,
)
from annotator.core.agreement.face import (
    agreement,
    agreement_of_all,
    if_merged,
    meetings,
    page_of,
    pairs_of_sample,
    sample_of,
    sample_of_rows,
    summary_of,
    suspicions_of,
    table_of_rows,
)
from annotator.core.agreement.judgement import Codes, Handed, Judgement, Meeting
from annotator.core.agreement.per_code import kappa_within_categories, one_vs_rest, pooled_kappa, specific_agreement
from annotator.core.agreement.rare import goodness_of_fit
from annotator.core.agreement.sets import exact_match, jaccard_distance, masi_distance, mean_codes, mean_jaccard
from annotator.core.agreement.weighted import (
    category_weight,
    gwet_ac2,
    ordered_weight,
    standard_errors,
    weighted_kappa,
)

__all__ = [
    "Asked",
    "Codes",
    "Corpus",
    "Handed",
    "Judgement",
    "Kappa",
    "Meeting",
    "adoption_of",
    "agreement",
    "agreement_of_all",
    "alpha",
    "alternative_test",
    "bennett_s",
    "category_weight",
    "cohen_kappa",
    "confusions",
    "difference",
    "exact_match",
    "goodness_of_fit",
    "gwet_ac1",
    "gwet_ac2",
    "if_merged",
    "jaccard_distance",
    "kappa_max",
    "kappa_within_categories",
    "masi_distance",
    "mcnemar_exact",
    "mean_codes",
    "mean_jaccard",
    "mean_of",
    "meetings",
    "one_vs_rest",
    "ordered_weight",
    "pabak",
    "page_of",
    "pairs_of_sample",
    "pooled_kappa",
    "rate",
    "sample_of",
    "sample_of_rows",
    "scott_pi",
    "specific_agreement",
    "standard_errors",
    "stratified_kappa",
    "summary_of",
    "suspicions_of",
    "switch_to_model",
    "table_of",
    "table_of_rows",
    "weighted_kappa",
]  # fmt: skip
