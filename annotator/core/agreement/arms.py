"""Two arms of conversations, blind and assisted, whose conditions were drawn by chance: shares, means, and how the arms differ.

The arms are independent: other conversations, so that nothing is paired. Whole conversations are the sampling unit, as in
`intervals`. Where the same annotator labelled the same utterances blind and assisted, it is `adoption`'s. How the codes differ as
a whole is in `shift`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import erfc, fsum, sqrt

from annotator.core.agreement.student import t_quantile, t_tail

NOTHING = "there is nothing to count"
ONE_CONVERSATION = "all of it is of one conversation, as far as is told, and how conversations differ cannot be told from one"
NO_SPREAD = "it is the same in every conversation, so how conversations differ cannot be told"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its standard error and 95 % interval, clustered by conversation; `why` has the reason of each that is None.

    `n` is how many utterances it is of, in `n_conversations`.
    """

    value: float | None
    se: float | None
    ci95: tuple[float, float] | None
    n: float
    n_conversations: int
    why: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """Assisted minus blind. `p` is two-sided from the normal distribution, `p_t` and `ci95` are from t with `df` degrees of freedom.

    `why` has the reason of each that is None.
    """

    value: float | None
    se: float | None
    z: float | None
    p: float | None
    df: float | None
    p_t: float | None
    ci95: tuple[float, float] | None
    why: dict[str, str] = field(default_factory=dict)


def mean_of(sums: Sequence[float], counts: Sequence[float]) -> Estimate:
    """A mean per utterance, such as seconds, from its sum and the number of utterances in each conversation.

    R = sum s_g / sum n_g, every utterance counting alike, se = sqrt(G / (G - 1) sum (s_g - R n_g)²) / sum n_g, the linearised error of
    a ratio, ci95 = R ± t(G - 1) se, not cut off. Conversations without utterances are left out.
    Undefined (None) without utterances; se and ci95 also with one conversation, ci95 also where all conversations have the same mean.
    Source: Cochran (1977), Sampling Techniques, 3rd edition, 3.12 and 6.3, without the correction for a finite population.

    >>> found = mean_of([60, 90, 50], [10, 10, 20])
    >>> found.value, round(found.se, 3), [round(limit, 2) for limit in found.ci95]
    (5.0, 1.984, [-3.54, 13.54])
    """
    told = [(total, n) for total, n in zip(sums, counts, strict=True) if n]
    if not told:
        return Estimate(None, None, None, 0, 0, dict.fromkeys(("value", "se", "ci95"), NOTHING))
    clusters, of = len(told), fsum(n for _, n in told)
    value = fsum(total for total, _ in told) / of
    if clusters == 1:
        return Estimate(value, None, None, of, 1, dict.fromkeys(("se", "ci95"), ONE_CONVERSATION))
    se = sqrt(clusters / (clusters - 1) * fsum((total - value * n) ** 2 for total, n in told)) / of
    if se <= 1e-12 * abs(value):  # 0, but for what floating point leaves
        return Estimate(value, 0.0, None, of, clusters, {"ci95": NO_SPREAD})
    reach = t_quantile(clusters - 1) * se
    return Estimate(value, se, (value - reach, value + reach), of, clusters)


def rate(hits: Sequence[float], counts: Sequence[float]) -> Estimate:
    """A share, such as proposals accepted, from the hits and the number of utterances in each conversation.

    `mean_of` with the interval cut off at 0 and 1. With no hit at all, or nothing but hits, the linearised error is 0 and says
    nothing. Then the interval is the exact binomial one (Clopper and Pearson) with as many draws as there are conversations, from 0 to
    1 - 0.025^(1 / G), or the mirror image, and se is None: how alike the utterances of a conversation are cannot be told when they are
    all the same, and the number of conversations is the only number of draws that is safe however alike they are.
    Near 0 and 1 it lies too near them: at .05 with 20 conversations it held the truth 90 % of the time, not 95. Undefined as `mean_of`.
    Source: as `mean_of`; Clopper and Pearson (1934), Biometrika 26, 404-413.

    >>> found = rate([6, 9, 5], [10, 10, 10])
    >>> round(found.value, 3), round(found.se, 3), [round(limit, 3) for limit in found.ci95]
    (0.667, 0.12, [0.15, 1.0])
    >>> [round(limit, 3) for limit in rate([0] * 20, [35] * 20).ci95]
    [0.0, 0.168]
    """
    found = mean_of(hits, counts)
    if found.value is None or found.n_conversations < 2:
        return found
    if found.value in (0, 1):
        reach = 1 - 0.025 ** (1 / found.n_conversations)
        limits = (0.0, reach) if found.value == 0 else (1 - reach, 1.0)
        return replace(found, se=None, ci95=limits, why={"se": "all utterances are alike, so their spread cannot be told"})
    if found.ci95 is None:
        return found
    low, high = found.ci95
    return replace(found, ci95=(max(0.0, low), min(1.0, high)))


def difference(
    a: float | None, se_a: float | None, clusters_a: int | None, b: float | None, se_b: float | None, clusters_b: int | None
) -> Difference:
    """How far an independent arm `b` (assisted) lies above another, `a` (blind): of two kappas, shares or means with their errors.

    value = b - a, se = sqrt(se_a² + se_b²), z = value / se, p = P(|Z| > |z|). With the numbers of conversations: df = se⁴ /
    (se_a⁴ / (G_a - 1) + se_b⁴ / (G_b - 1)), ci95 = value ± t(df) se, p_t = P(|T| > |z|); for these give clustered errors.
    Not for arms that share utterances or conversations: those are paired. Without a drawn condition it says how the arms differ, not
    what the proposals did. Undefined (None) where a value is; se, z, p and ci95 also where an error is, z and p where both errors are 0,
    df, p_t and ci95 where an arm has fewer than two conversations or their number is not given.
    Source: Welch (1947), Biometrika 34, 28-35; Satterthwaite (1946), Biometrics Bulletin 2, 110-114.

    >>> found = difference(0.584, 0.04923, 20, 0.801, 0.04520, 80)
    >>> round(found.value, 3), round(found.z, 2), round(found.p, 4), round(found.df, 1), round(found.p_t, 4)
    (0.217, 3.25, 0.0012, 55.1, 0.002)
    """
    if a is None or b is None:
        return _unsaid(None, None, ("value", "se", "z", "p", "df", "p_t", "ci95"), f"the {_arm(a is None)} arm has no such figure")
    value = b - a
    if se_a is None or se_b is None:
        return _unsaid(value, None, ("se", "z", "p", "df", "p_t", "ci95"), f"the figure of the {_arm(se_a is None)} arm has no error")
    se = sqrt(se_a**2 + se_b**2)
    if se == 0:
        return _unsaid(value, 0.0, ("z", "p", "df", "p_t", "ci95"), "the errors of both arms are 0, so there is no scale for a difference")
    z = value / se
    p = erfc(abs(z) / sqrt(2))
    if clusters_a is None or clusters_b is None:
        return _unsaid(value, se, ("df", "p_t", "ci95"), "the numbers of conversations are not given", z, p)
    if min(clusters_a, clusters_b) < 2:
        return _unsaid(value, se, ("df", "p_t", "ci95"), f"the {_arm(clusters_a < 2)} arm has fewer than two conversations", z, p)
    df = degrees_of_freedom(se_a, clusters_a, se_b, clusters_b)
    reach = t_quantile(df) * se
    return Difference(value, se, z, p, df, 2 * t_tail(abs(z), df), (value - reach, value + reach))


def _arm(blind: bool) -> str:
    return "blind" if blind else "assisted"


def _unsaid(
    value: float | None, se: float | None, names: Sequence[str], reason: str, z: float | None = None, p: float | None = None
) -> Difference:
    return Difference(value, se, z, p, None, None, None, dict.fromkeys(names, reason))


def degrees_of_freedom(se_a: float, clusters_a: int, se_b: float, clusters_b: int) -> float:
    """Welch and Satterthwaite's degrees of freedom of sqrt(se_a² + se_b²), each of G - 1; from the smaller of the two to their sum.

    >>> degrees_of_freedom(0.1, 10, 0.1, 10), degrees_of_freedom(0.0, 50, 0.1, 10)
    (18.0, 9.0)
    """
    share = se_a**2 / (se_a**2 + se_b**2)
    return 1 / (share**2 / (clusters_a - 1) + (1 - share) ** 2 / (clusters_b - 1))


def switch_to_model(blind: Estimate, assisted: Estimate) -> Estimate:
    """Of the utterances where people alone would say something else than the model, the share that goes over to it when shown.

    `blind` and `assisted` are `rate`s of labels equal to the model's, b and a: (a - b) / (1 - b). It is the net share: who leaves the
    model counts against who goes over. 1 at most; 0 where the proposals move nobody; below 0 where people agree less with the model
    when they see it. se² = se_a² / (1 - b)² + (1 - a)² se_b² / (1 - b)⁴, ci95 = ± t(df) se with `degrees_of_freedom`, cut off at 1.
    Undefined (None) where a rate is, and where b is 1; se and ci95 also where a rate has no error, and where the interval of b
    reaches 1, because what is divided by cannot be told from 0.
    Source: the delta method; the same form as kappa and as Sheps' (1958) relative difference, New England Journal of Medicine 259,
    1210-1214.

    >>> blind, assisted = rate([5, 7, 6, 6], [10] * 4), rate([8, 9, 9, 8, 8], [10] * 5)
    >>> found = switch_to_model(blind, assisted)
    >>> round(found.value, 2), round(found.se, 3), [round(limit, 2) for limit in found.ci95]
    (0.6, 0.074, [0.42, 0.78])
    """
    n, clusters = blind.n + assisted.n, blind.n_conversations + assisted.n_conversations
    a, b = assisted.value, blind.value
    if a is None or b is None:
        reason = f"the {_arm(b is None)} arm has no utterance with a label and a proposal"
        return Estimate(None, None, None, n, clusters, dict.fromkeys(("value", "se", "ci95"), reason))
    if b == 1:
        reason = "people alone always said what the model says, so nobody could go over"
        return Estimate(None, None, None, n, clusters, dict.fromkeys(("value", "se", "ci95"), reason))
    value = (a - b) / (1 - b)
    if assisted.se is None or blind.se is None or assisted.ci95 is None or blind.ci95 is None:
        reason = f"the rate of the {_arm(blind.se is None or blind.ci95 is None)} arm has no error"
        return Estimate(value, None, None, n, clusters, dict.fromkeys(("se", "ci95"), reason))
    if blind.ci95[1] >= 1:
        reason = "how often people alone differ from the model cannot be told from never"
        return Estimate(value, None, None, n, clusters, dict.fromkeys(("se", "ci95"), reason))
    of_a, of_b = assisted.se / (1 - b), (1 - a) * blind.se / (1 - b) ** 2
    se = sqrt(of_a**2 + of_b**2)
    reach = t_quantile(degrees_of_freedom(of_a, assisted.n_conversations, of_b, blind.n_conversations)) * se
    return Estimate(value, se, (value - reach, min(1.0, value + reach)), n, clusters)
