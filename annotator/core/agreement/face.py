"""Agreement of a list of judgements. What counts it needs numpy and is loaded by the first call: servers start without."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from annotator.core.agreement.asked import Asked, Corpus
from annotator.core.agreement.judgement import Codes, Handed, Judgement, Meeting
from annotator.core.labelled import Labelled

if TYPE_CHECKING:
    from annotator.core.agreement.sample import Sample


def agreement(
    judgements: Iterable[Judgement], codebook: Mapping[str, Mapping[str, str]] | None = None, draws: int = 0, seed: int = 1
) -> dict[str, Any]:
    """All figures between every two annotators, as `agree --json` prints them:
    {"pairs": [{"annotators", "roles", "stratified", "pooled"}]}.

    `codebook` is role → code → category, with all codes there are to choose from; without it S and AC1 count the codes in use, and
    figures of categories are undefined. `draws` conversations-wise bootstraps, from `seed`; 0 makes 1000 only where there are fewer
    than 30 conversations. What is undefined is None, and the block's `undefined` says why.

    >>> rows = [("ana", "1", "ACK"), ("ben", "1", "ACK"), ("ana", "2", "RC"), ("ben", "2", "RP")]
    >>> figures = agreement(Judgement(who, "c1", utterance, "Assistant", frozenset({code})) for who, utterance, code in rows)
    >>> block = figures["pairs"][0]["roles"]["Assistant"]
    >>> figures["pairs"][0]["annotators"], block["po"], block["se"], block["undefined"]["se"]
    (['ana', 'ben'], 0.5, None, 'all pairs are of one conversation, and how conversations differ cannot be told from one')
    """
    from annotator.core.agreement import counts, report  # with numpy

    return {"pairs": report.all_pairs(counts.gather(judgements), report.Wanted(codebook or {}, draws, seed))}


def agreement_of_all(judgements: Iterable[Judgement], codebook: Mapping[str, Mapping[str, str]] | None = None) -> dict[str, Any]:
    """The figures over all annotators at once, per role: {ROLE: {"alpha", "fleiss", "ac1", "alpha_masi", "n_annotators", ...}}.

    They tell of everyone's labels together, so whoever may see their own agreement only may not see these.

    >>> said = [Judgement(who, "c1", at, "Seeker", frozenset({code})) for who in "abc" for at, code in (("1", "IQ"), ("2", "ACK"))]
    >>> found = agreement_of_all(said)["Seeker"]
    >>> found["n_annotators"], found["alpha"], found["fleiss"]
    (3, 1.0, 1.0)
    """
    from annotator.core.agreement import counts, report  # with numpy

    return report.all_annotators(counts.gather(judgements), report.Wanted(codebook or {}))


def sample_of(handed: Iterable[Handed]) -> "Sample":
    """The labels handed in, as one sample."""
    from annotator.core.agreement import sample  # with numpy

    return sample.sample_of(handed)


def sample_of_rows(rows: Iterable[Labelled]) -> "Sample":
    """The labels of a long table, as one sample."""
    from annotator.core.agreement import sample  # with numpy

    return sample.sample_of_rows(rows)


def table_of_rows(rows: Iterable[Labelled]) -> "tuple[Sample, Corpus]":
    """The same, and how much there is to label; the rows are read once and not kept."""
    from annotator.core.agreement import sample  # with numpy

    return sample.table_of_rows(rows)


def if_merged(sample: "Sample", asked: Asked, into: Mapping[str, str]) -> dict[str, Any]:
    """The figures before and after codes become others: see `summary.if_merged`."""
    from annotator.core.agreement import summary  # with numpy

    return summary.if_merged(sample, asked, into)


def summary_of(
    sample: "Sample",
    asked: Asked | None = None,
    codebook: Mapping[str, Mapping[str, str]] | None = None,
    corpus: Corpus | None = None,
    now: "tuple[Sample, int] | None" = None,
) -> dict[str, Any]:
    """What a lead reads first, over all annotators: see `summary.summary`."""
    from annotator.core.agreement import summary  # with numpy

    return summary.summary(sample, asked or Asked(), summary.Known(codebook or {}, corpus or Corpus(), now))


def page_of(
    sample: "Sample",
    asked: Asked | None = None,
    codebook: Mapping[str, Mapping[str, str]] | None = None,
    corpus: Corpus | None = None,
    now: "tuple[Sample, int] | None" = None,
) -> dict[str, Any]:
    """The same, and every figure of the pair where there are two annotators: see `summary.page`."""
    from annotator.core.agreement import summary  # with numpy

    return summary.page(sample, asked or Asked(), summary.Known(codebook or {}, corpus or Corpus(), now))


def pairs_of_sample(
    sample: "Sample", asked: Asked | None = None, codebook: Mapping[str, Mapping[str, str]] | None = None
) -> dict[str, Any]:
    """All figures of every two annotators, and over all of them: {"pairs", "all"}."""
    from annotator.core.agreement import summary  # with numpy

    return summary.pairs(sample, asked or Asked(), summary.Known(codebook or {}))


def meetings(sample: "Sample", asked: Asked, role: str, said: Codes, other: Codes) -> list[Meeting]:
    """The utterances on which two labels met, of what is asked for: see `met.meetings`."""
    from annotator.core.agreement import met, summary  # with numpy

    return met.meetings(summary.chosen(sample, asked).first, role, said, other, asked.of)


def suspicions_of(sample: "Sample", asked: Asked) -> list[str]:
    """What looks unmeant in the labels that are asked for: see `suspicions.suspicions`."""
    from annotator.core.agreement import summary, suspicions  # with numpy

    return suspicions.suspicions(summary.chosen(sample, asked).first)
