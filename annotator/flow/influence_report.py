"""What the proposal did, as text for the terminal; the figures are `core/influence/`'s."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from annotator.core.influence.tables import OF_MODEL, Compared, annotators, codes, everybody, percent

Report = Mapping[str, Any]
_DRAWN = {
    "here": "drawn at random by this program",
    "said": "drawn at random, as whoever asked says",
    "unknown": "not known to be drawn at random",
}


def as_text(report: Report) -> str:
    """The report for the terminal: a sentence, then tables with 95 % intervals; changes are assisted minus blind."""
    parts: Iterable[Sequence[str]] = (
        [report["sentence"]],
        _heading(report),
        [f"Note: {warning}" for warning in report["warnings"]],
        _table(["", "blind", "assisted", "change"], everybody(report)),
        _shift(report),
        _table(["Annotator", "blind", "assisted", "change"], annotators(report)),
        _table(["Code: kappa with the model", "blind", "assisted", "change"], [one for one in codes(report) if one.what == OF_MODEL]),
        _paired(report),
        _alternative(report),
    )
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def _heading(report: Report) -> list[str]:
    about, run = report["round"], report["run"]
    which = ["no run is known"] if run is None else [*([f"run {run['id']}"] if "id" in run else []), *run["model_versions"]]
    lines = [f"Round {about['name'] or '(imported)'}: {', '.join(which)}; blind conversations {_DRAWN[about['drawn']]}."]
    for name, arm in report["arms"].items():
        lines.append(
            f"  {name:9} {arm['n_labels']} labels of {arm['n_annotators']} annotators in {arm['n_conversations']} conversations, "
            f"{arm['n_doubly_labelled']} utterances labelled by several"
        )
    return [*lines, score_of(report)]


def score_of(report: Report) -> str:
    """How the model is scored against people, in a sentence."""
    model = report["model"]
    name = "mean kappa of the codes" if model["figure"] == "kappa_macro" else "kappa"
    if model["value"] is None:
        return f"The model against people cannot be scored: {report['undefined']['model.value']}."
    limits = "" if model["ci95"] is None else f" ({model['ci95'][0]:.2f} to {model['ci95'][1]:.2f})"
    return f"The model against people, on {model['n']} {model['subset']} labels: {name} {model['value']:.2f}{limits}."


def _table(heading: Sequence[str], compared: Sequence[Compared]) -> list[str]:
    if not compared:
        return []
    lines = [f"{heading[0]:44}" + "".join(f"{title:>24}" for title in heading[1:])]
    for one in compared:
        name = " ".join(filter(None, [one.annotator or one.role, one.code or one.what]))
        sides = "".join(f"{cell(side.value, side.ci95):>24}" for side in (one.blind, one.assisted, one.change))
        lines.append(f"{name:44}{sides}  {one.reason}".rstrip())
    return lines


def cell(value: float | None, ci95: Sequence[float] | None) -> str:
    """A figure with its interval."""
    if value is None:
        return "–"
    return _plain(value) if ci95 is None else f"{_plain(value)} ({_plain(ci95[0])} to {_plain(ci95[1])})"


def _plain(number: float) -> str:
    """To two places; what rounds to nothing has no sign."""
    return f"{round(number, 2) + 0.0:.2f}"


def _shift(report: Report) -> list[str]:
    return [f"{role}: {sentence}" for role, sentence in shift_sentences(report)]


def shift_sentences(report: Report) -> Iterator[tuple[str, str]]:
    """Role, and how far its codes are apart in the two arms."""
    for role, one in report["shift"].items():
        if one["distance"] is None:
            yield role, f"how far the codes are apart cannot be told: {report['undefined'][f'shift.{role}.distance']}."
            continue
        chance = "" if one["chance95"] is None else f"; chance alone stays below {percent(one['chance95'])}, p {one['p']:.2g}"
        limits = "" if one["ci95"] is None else f" ({percent(one['ci95'][0]).removesuffix(' %')} to {percent(one['ci95'][1])})"
        yield role, f"{percent(one['distance'])}{limits} of the uses of codes would have to change to make the arms alike{chance}."


def _paired(report: Report) -> list[str]:
    return [sentence] if (sentence := paired_sentence(report)) else []


def paired_sentence(report: Report) -> str:
    """What those did who labelled the same utterances blind and later with the proposal in view; nothing where nobody did."""
    one = report["paired"]["everybody"]
    if one is None:
        return ""
    p = "" if one["p"] is None else f" (p {one['p']:.2g})"
    return (
        f"{one['n']} utterances were labelled by the same person blind and later with the proposal in view: {one['switched']} labels went "
        f"over to the proposal, {one['left']} left it{p}. Whoever labels twice also learns."
    )


def _alternative(report: Report) -> list[str]:
    return [f"May the model replace an annotator? {alternative_sentence(report)}"]


def alternative_sentence(report: Report) -> str:
    """Whether the model may take the place of an annotator, by the test on blind labels with whole conversations as the unit."""
    found = report["alternative"]
    verdict = found["by_conversation"]
    if verdict["may_replace"] is None:
        why = report["undefined"]["alternative.by_conversation.may_replace"]
        return f"It cannot be tested: {why}."
    n = len([one for one in found["against"].values() if one["by_conversation"]["wins"] is not None])
    return (
        f"{'Yes' if verdict['may_replace'] else 'No'}: on blind labels it beats "
        f"{round(verdict['winning_rate'] * n)} of {n} annotators, of whom half are needed (alternative annotator test, epsilon "
        f"{found['epsilon']:g})."
    )
