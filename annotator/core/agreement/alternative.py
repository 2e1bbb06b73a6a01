"""The alternative annotator test: may a model take the place of a human annotator, judged by the other humans?

Only labels that were given blind may go in: people who saw the model's labels agree with it for that reason.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from annotator.core.agreement.arms import ONE_CONVERSATION, mean_of
from annotator.core.agreement.sets import jaccard_distance
from annotator.core.agreement.student import t_tail

Labels = Mapping[Hashable, Any]
"""One annotator's labels: {item: label}."""

NO_SPREAD = "the difference is the same throughout, so t has no scale; the model {} all the same, because {:g} is {} epsilon {:g}"


@dataclass(frozen=True, slots=True)
class Rule:
    """`q`: the share of false wins that is allowed. `min_items`: how many items a human needs to be tested against; with fewer, t
    cannot be relied on (Wilcoxon's test would be for that, and is not given). `min_humans`: how many must have labels that can be compared.
    """

    q: float = 0.05
    min_items: int = 30
    min_humans: int = 3


AS_PUBLISHED = Rule()


class Outcome(NamedTuple):
    """Of the test against one human: p one-sided, before correction. `wins` None: not tested. `reason` where p is None."""

    p: float | None
    wins: bool | None
    reason: str = ""


class Verdict(NamedTuple):
    """Over all humans that were tested: the share of them that the model beats, and whether that is half or more; or why not."""

    winning_rate: float | None
    may_replace: bool | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Against:
    """The model against one human over `n` items in `n_conversations` (None where they are not given).

    `advantage` is rho_f, the share of items on which the model agrees with the others at least as well as the human, and
    `human_advantage` rho_h the other way round; ties count for both. None without items.
    """

    n: int
    n_conversations: int | None
    advantage: float | None
    human_advantage: float | None
    by_item: Outcome
    by_conversation: Outcome


@dataclass(frozen=True, slots=True)
class Alternative:
    """The result of the test: as published (`by_item`), and with whole conversations as the sampling unit (`by_conversation`).

    `advantage` is rho, the mean of rho_f over the humans that were tested, to compare models by; None where nobody was.
    """

    against: dict[Hashable, Against]
    advantage: float | None
    by_item: Verdict
    by_conversation: Verdict


def alike(a: Any, b: Any) -> float:
    """How well two labels agree: of two sets the Jaccard similarity, else 1 for equal ones and 0 for others (accuracy).

    >>> alike("RP", "RP"), alike("RP", "INQ"), alike(frozenset({"RP", "INQ"}), frozenset({"RP"}))
    (1.0, 0.0, 0.5)
    """
    return 1 - jaccard_distance(a, b) if isinstance(a, frozenset) and isinstance(b, frozenset) else float(a == b)


def alternative_test(
    humans: Mapping[Hashable, Labels],
    model: Labels,
    epsilon: float,
    conversations: Mapping[Hashable, Hashable] | None = None,
    similarity: Callable[[Any, Any], float] = alike,
    rule: Rule = AS_PUBLISHED,
) -> Alternative:
    """The alternative annotator test: leave one human out, and see whether the model or they agree better with the others.

    On item i, S(x) is the mean `similarity` of x's label with those of the other humans; W_f = 1 where S(model) >= S(human), W_h = 1
    where S(human) >= S(model), so both are 1 in a tie; d = W_h - W_f. H0: mean d >= epsilon, H1: mean d < epsilon, by a one-sided
    t-test, t = (mean d - epsilon) / se with n - 1 degrees of freedom. The humans' p-values are corrected by Benjamini and Yekutieli at
    `rule.q`: with m p-values, the model beats those up to the largest rank r with p_(r) <= r / m q / (1 + 1/2 + ... + 1/m). The winning
    rate omega is the share of humans it beats; from 1/2 on it may replace them. rho_f, rho_h and rho lie in 0..1.
    epsilon is what the model's lower cost is worth: by rule of thumb .2 for experts, .15 for skilled annotators, .1 for crowd workers.
    Items are those with the model's label, the human's and at least one other human's; one other is enough.

    `conversations` gives every item's. The items of a conversation are alike, so that n of them say less than n draws, and the
    published p-values are too small. `by_conversation` tests the same mean d with its cluster-robust error (`mean_of`) and G - 1 degrees
    of freedom; prefer it where several items are of one conversation, and give both, because only the published one compares with other
    reports.

    Undefined, with the reason: a human with fewer than `rule.min_items` items is not tested and counts in no rate (their labels still
    judge others), and by conversation one whose items are of one conversation. Where d is the same on all items p is None, because t
    has no scale; the mean still lies below epsilon or does not, and so the human is counted as beaten or not. All verdicts are None
    where fewer than `rule.min_humans` humans have items, or none can be tested.
    Source: Calderon, Reichart and Dror (2025), The alternative annotator test for LLM-as-a-judge, ACL, 16051-16081; Benjamini and
    Yekutieli (2001), Annals of Statistics 29, 1165-1188.

    >>> ana, ben, eva = "ABAB" * 10, "ABBB" * 10, "AABB" * 10
    >>> found = alternative_test({name: dict(enumerate(said)) for name, said in {"ana": ana, "ben": ben, "eva": eva}.items()},
    ...                          model=dict(enumerate("ABBB" * 10)), epsilon=0.15)
    >>> found.by_item.winning_rate, found.advantage, found.by_item.may_replace
    (1.0, 1.0, True)
    >>> found.against["ana"].by_item.p < 1e-6, found.against["ben"].by_item.p
    (True, None)
    """
    labelled: dict[Hashable, list[Hashable]] = {}
    for who, labels in humans.items():
        for item in labels:
            if item in model:
                labelled.setdefault(item, []).append(who)
    wins = {who: _wins(who, humans, model, labelled, similarity) for who in humans}
    tests = {who: _tests(found, epsilon, conversations, rule) for who, found in wins.items()}
    n_humans = sum(bool(found) for found in wins.values())
    by_item, item_verdict = _verdict({who: test[0] for who, test in tests.items()}, n_humans, rule)
    by_conversation, conversation_verdict = _verdict({who: test[1] for who, test in tests.items()}, n_humans, rule)
    against = {
        who: Against(
            len(found),
            None if conversations is None else len({conversations[item] for item, _, _ in found}),
            _mean([f for _, f, _ in found]),
            _mean([h for _, _, h in found]),
            by_item[who],
            by_conversation[who],
        )
        for who, found in wins.items()
    }
    advantage = _mean([one.advantage for one in against.values() if one.by_item.wins is not None and one.advantage is not None])
    return Alternative(against, advantage, item_verdict, conversation_verdict)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


Win = tuple[Hashable, bool, bool]
"""An item, whether the model is at least as good there, whether the human is."""


def _wins(
    human: Hashable,
    humans: Mapping[Hashable, Labels],
    model: Labels,
    labelled: Mapping[Hashable, Sequence[Hashable]],
    similarity: Callable[[Any, Any], float],
) -> list[Win]:
    found = []
    for item, label in humans[human].items():
        others = [humans[who][item] for who in labelled.get(item, ()) if who != human]
        if others:
            ahead = sum(similarity(model[item], other) - similarity(label, other) for other in others)
            # A tie stays one when shares such as 1/3 do not add up exactly.
            found.append((item, ahead >= -1e-9, ahead <= 1e-9))
    return found


def _tests(wins: Sequence[Win], epsilon: float, conversations: Mapping[Hashable, Hashable] | None, rule: Rule) -> tuple[Outcome, Outcome]:
    """By item and by conversation, before the correction: `wins` says only whether the mean difference is below epsilon."""
    if len(wins) < rule.min_items:
        few = Outcome(None, None, f"{len(wins)} items can be compared, and fewer than {rule.min_items} are too few for a t-test")
        return few, few
    by_item = _t_test(((item, h - f) for item, f, h in wins), epsilon)
    if conversations is None:
        return by_item, Outcome(None, None, "the conversations of the items are not given")
    return by_item, _t_test(((conversations[item], h - f) for item, f, h in wins), epsilon)


def _t_test(differences: Iterable[tuple[Hashable, int]], epsilon: float) -> Outcome:
    """One-sided, of a mean below epsilon, in clusters."""
    clusters: dict[Hashable, list[int]] = {}
    for cluster, difference in differences:
        clusters.setdefault(cluster, []).append(difference)
    found = mean_of([sum(one) for one in clusters.values()], [len(one) for one in clusters.values()])
    if found.value is None or found.se is None:
        return Outcome(None, None, ONE_CONVERSATION)
    below = found.value < epsilon
    if found.se == 0:
        words = ("wins", "below") if below else ("loses", "not below")
        return Outcome(None, below, NO_SPREAD.format(words[0], found.value, words[1], epsilon))
    return Outcome(t_tail((epsilon - found.value) / found.se, found.n_conversations - 1), below)


def _verdict(tests: Mapping[Hashable, Outcome], n_humans: int, rule: Rule) -> tuple[dict[Hashable, Outcome], Verdict]:
    """The tests after the correction, and the share of them that were won."""
    if n_humans < rule.min_humans:
        reason = f"{n_humans} humans have labels that can be compared, and the test needs {rule.min_humans}"
        return {who: Outcome(test.p, None, test.reason or reason) for who, test in tests.items()}, Verdict(None, None, reason)
    # A difference without spread is as sure as can be.
    p = {who: float(not test.wins) if test.p is None else test.p for who, test in tests.items() if test.wins is not None}
    if not p:
        return dict(tests), Verdict(None, None, "nobody could be tested: " + next(iter(tests.values())).reason)
    steps = rule.q / (len(p) * sum(1 / rank for rank in range(1, len(p) + 1)))
    limit = max((one for rank, one in enumerate(sorted(p.values()), 1) if one <= rank * steps), default=-1.0)
    decided = {who: test._replace(wins=p[who] <= limit) if who in p else test for who, test in tests.items()}
    rate = sum(one <= limit for one in p.values()) / len(p)
    return decided, Verdict(rate, rate >= 0.5)
