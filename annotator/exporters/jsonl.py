"""JSON lines: one conversation a line, with every label, decision and proposal of its utterances.

It does not hold scenarios, items and ratings; the VOGUE format does.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from annotator.core.transcript import Label, Proposal, Record, Transcript, Turn, Utterance
from annotator.exporters.base import Exporter, items_said


class Jsonl(Exporter):
    """Writes keys only where they say something, but for `labels`: `{}` is an utterance that nobody labelled."""

    name = "jsonl"
    suffix = ".jsonl"
    holds_repeats = True

    def write(self, records: Iterable[Record], path: Path, *, raw: bool = False, repeats: bool = False) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            for record in records:
                if isinstance(record, Transcript):
                    file.write(json.dumps(_conversation(record), ensure_ascii=False) + "\n")


def _conversation(transcript: Transcript) -> dict[str, Any]:
    return {
        "id": transcript.id,
        **({"meta": transcript.meta} if transcript.meta else {}),
        **({"items": items_said(transcript, repeats=True)} if transcript.items else {}),
        "turns": list(_turns(transcript)),
    }


def _turns(transcript: Transcript) -> Iterator[dict[str, Any]]:
    before = 0
    for turn in transcript.turns:
        yield _turn(turn, before)
        before += len(turn.utterances)


def _turn(turn: Turn, before: int) -> dict[str, Any]:
    return {
        "turn": turn.number,
        **({"timestamp": turn.timestamp} if turn.timestamp else {}),
        "role": turn.role,
        "utterances": [_utterance(utterance, str(at)) for at, utterance in enumerate(turn.utterances, before + 1)],
    }


def _utterance(utterance: Utterance, place: str) -> dict[str, Any]:
    written: dict[str, Any] = {} if utterance.id == place else {"id": utterance.id}
    written["text"] = utterance.text
    written["labels"] = {label.annotator: label.codes for label in utterance.labels if _fits(label)}
    if utterance.gold is not None:
        written["labels"]["gold"] = utterance.gold
        if utterance.gold_rule:
            written["gold_rule"] = utterance.gold_rule
    if any(not _fits(label) or _has_facts(label) for label in utterance.labels) or _is_double(utterance):
        written["decisions"] = [_decision(label) for label in utterance.labels]
    if utterance.proposals:
        written["proposals"] = [_proposal(proposal) for proposal in utterance.proposals]
    return written


def _fits(label: Label) -> bool:
    """Whether the label can stand in `labels` under its annotator; there, "gold" is the settled label."""
    return label.annotator is not None and label.annotator != "gold" and not label.repeat


def _has_facts(label: Label) -> bool:
    return Label(label.annotator, label.codes) != label


def _is_double(utterance: Utterance) -> bool:
    return len({label.annotator for label in utterance.labels}) < len(utterance.labels)


def _decision(label: Label) -> dict[str, Any]:
    facts = {
        "round": label.round,
        "condition": label.condition,
        "taxonomy_version": label.taxonomy_version,
        "seconds": label.seconds,
        "decided_at": label.decided_at,
        "repeat": label.repeat or None,
    }
    return {
        "annotator": label.annotator,
        **{fact: value for fact, value in facts.items() if value not in ("", None)},
        "codes": label.codes,
    }


def _proposal(proposal: Proposal) -> dict[str, Any]:
    written: dict[str, Any] = {"codes": proposal.codes}
    if proposal.confidence is not None:
        written["confidence"] = proposal.confidence
    if proposal.round:
        written["round"] = proposal.round
    if proposal.model_version:
        written["model_version"] = proposal.model_version
    if proposal.prompt_hash:
        written["prompt_hash"] = proposal.prompt_hash
    if proposal.cost is not None:
        written["cost"] = proposal.cost
    return written
