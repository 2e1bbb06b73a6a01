"""How many doubly labelled utterances a code needs before its kappa can be stated with a given precision."""

from math import ceil
from statistics import NormalDist

from annotator.core.agreement.coefficients import table_of
from annotator.core.agreement.weighted import standard_errors

DESIGN_EFFECT = 2.0
"""How many times more is needed because the utterances of a conversation are alike; measured designs lie around it."""


def kappa_spread(prevalence: float, kappa: float) -> float:
    """Q, the variance of an estimated kappa times the number of pairs, for one code against all others.

    It is the large-sample variance (`standard_errors`) of the table of two annotators who both give the code to a share
    `prevalence` p of utterances and agree by `kappa` k: both p² + k p (1 - p), either alone (1 - k) p (1 - p) each, neither
    (1 - p)² + k p (1 - p).
    Undefined where nobody or everybody has the code (p of 0 or 1): raises `ZeroDivisionError`.
    Source: Fleiss, Cohen and Everitt (1969), Large sample standard errors of kappa and weighted kappa, Psychological
    Bulletin 72, 323-327.

    >>> round(kappa_spread(0.5, 0.8), 6)  # with even margins 1 - k²
    0.36
    """
    apart = (1 - kappa) * prevalence * (1 - prevalence)
    error = standard_errors(table_of([[prevalence - apart, apart], [apart, 1 - prevalence - apart]])).se
    if error is None:
        raise ZeroDivisionError("nobody or everybody has the code")
    return error**2


def utterances_needed(
    prevalence: float, *, kappa: float, half_width: float, confidence: float, design_effect: float = DESIGN_EFFECT
) -> int:
    """How many utterances two people must both label until the interval of a code's kappa is `half_width` to either side.

    n = design effect * Q * (z / half width)², rounded up; Q is `kappa_spread`, z the normal quantile of `confidence`. It grows
    as 1 / prevalence where a code is rare. The default design effect is 2, because the utterances of a conversation are alike
    and tell less than as many of different conversations; 1 is for independent utterances.

    >>> [utterances_needed(p, kappa=0.8, half_width=0.1, confidence=0.95, design_effect=1) for p in (0.5, 0.2, 0.1, 0.05, 0.02, 0.01)]
    [139, 222, 401, 768, 1873, 3716]
    >>> [utterances_needed(p, kappa=0.6, half_width=0.1, confidence=0.95, design_effect=1) for p in (0.5, 0.2, 0.1, 0.05, 0.02, 0.01)]
    [246, 392, 705, 1347, 3281, 6507]
    >>> utterances_needed(0.1, kappa=0.8, half_width=0.1, confidence=0.95)
    802
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    # Rounded first to what floating point can tell apart.
    return ceil(round(design_effect * kappa_spread(prevalence, kappa) * (z / half_width) ** 2, 6))
