"""A corpus of the size of Muse, made from the sample by chance with a seed: the same seed writes the same bytes.

It has the shape of our own JSONL export, with one proposal for every utterance, and a label of `ana` too where asked for.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SAMPLE = Path(__file__).parent.parent / "sample" / "transcripts"
ROLES = ("Seeker", "Assistant")
MUSE = (7_000, 83_148)
"""Conversations and utterances of Muse."""

Said = dict[str, list[tuple[str, list[str]]]]


def write_corpus(path: Path, conversations: int, utterances: int, *, seed: int, labelled: bool = False) -> None:
    """Write exactly so many conversations with exactly so many utterances in all."""
    rng = random.Random(seed)
    said = _said()
    with path.open("w", encoding="utf-8") as file:
        for number, length in enumerate(_lengths(rng, conversations, utterances), 1):
            turns = list(_turns(rng, said, length, labelled=labelled))
            conversation = {"id": f"muse{number}", "meta": {"scenario": rng.randint(1, 6)}, "turns": turns}
            file.write(json.dumps(conversation, ensure_ascii=False) + "\n")


def _said() -> Said:
    """What each role says in the sample, with its codes."""
    said: Said = {role: [] for role in ROLES}
    for path in sorted(SAMPLE.glob("*.json")):
        for turn in json.loads(path.read_text(encoding="utf-8"))["conversation_content"]:
            content = turn["content"]
            said[content["role"]] += zip(content["utterances"], content["tags"], strict=True)
    return said


def _lengths(rng: random.Random, conversations: int, utterances: int) -> list[int]:
    """Utterances per conversation: a third up or down from the mean, then one more or less until the sum is right."""
    mean = utterances / conversations
    lengths = [max(2, round(mean * rng.uniform(2 / 3, 4 / 3))) for _ in range(conversations)]
    while (missing := utterances - sum(lengths)) != 0:
        step = 1 if missing > 0 else -1
        for at in rng.sample(range(conversations), min(abs(missing), conversations)):
            lengths[at] += step if lengths[at] + step > 0 else 0
    return lengths


def _turns(rng: random.Random, said: Said, length: int, *, labelled: bool) -> Iterator[dict[str, Any]]:
    number = 0
    while length:
        role = ROLES[number % 2]
        number += 1
        here = min(length, rng.choices((1, 2, 3, 4), (45, 30, 15, 10))[0])
        length -= here
        yield {"turn": number, "role": role, "utterances": [_utterance(rng, said[role], labelled=labelled) for _ in range(here)]}


def _utterance(rng: random.Random, said: list[tuple[str, list[str]]], *, labelled: bool) -> dict[str, Any]:
    """The first half of one utterance and the second half of another; the proposal is what the first is labelled with."""
    (one, codes), (other, _) = rng.choice(said), rng.choice(said)
    start, end = one.split(), other.split()
    text = " ".join(start[: (len(start) + 1) // 2] + end[len(end) // 2 :])
    proposal = {"codes": codes, "confidence": round(rng.uniform(0.3, 0.99), 4)}
    labels = {"ana": rng.choice(said)[1] if rng.random() < 0.3 else codes} if labelled else {}
    return {"text": text, "labels": labels, "proposals": [proposal]}
