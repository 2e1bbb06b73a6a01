"""Labels by two people of every utterance, made up with a seed: they agree in one conversation more than in another.

What is meant is drawn as often as the sample uses it. Somebody then says it, or, as often as the conversation is hard, something else
of the same role; one label in ten holds two codes. The same seed gives the same labels.
"""

import csv
import json
import random
from collections.abc import Iterator
from pathlib import Path

from annotator.core.agreement import Handed
from annotator.core.labelled import join_codes
from bench.corpus import ROLES, SAMPLE, write_corpus

ROUND = "double"
BLIND = 0.2
_SEVERAL = 0.1
_LENGTH = 12
"""Utterances of a conversation, where it is not the corpus's."""

Label = tuple[str, ...]


class Pair:
    """What two people say of one utterance after the other."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._codes: dict[str, list[str]] = {role: [] for role in ROLES}
        for path in sorted(SAMPLE.glob("*.json")):
            for turn in json.loads(path.read_text(encoding="utf-8"))["conversation_content"]:
                self._codes[turn["content"]["role"]] += (code for codes in turn["content"]["tags"] for code in codes)

    def conversation(self, roles: Iterator[str]) -> Iterator[tuple[str, Label, Label]]:
        """Role and both labels of every utterance of a conversation; each of the two means what is meant with the same chance."""
        clear = self._random.betavariate(9, 1.5)
        for role in roles:
            meant = self._random.choice(self._codes[role])
            yield role, self._said(role, meant, clear), self._said(role, meant, clear)

    def _said(self, role: str, meant: str, clear: float) -> Label:
        code = meant if self._random.random() < clear else self._random.choice(self._codes[role])
        more = self._random.choice(self._codes[role]) if self._random.random() < _SEVERAL else code
        return (code,) if more == code else (code, more)


def write_doubly(path: Path, conversations: int, utterances: int, *, annotators: int, seed: int) -> None:
    """The corpus of `bench.corpus` with two labels on every utterance, in one round: per conversation two of so many people."""
    plain = path.with_suffix(".plain")
    write_corpus(plain, conversations, utterances, seed=seed)
    rng, said = random.Random(seed), Pair(seed)
    with plain.open(encoding="utf-8") as lines, path.open("w", encoding="utf-8") as file:
        for line in lines:
            conversation = json.loads(line)
            who = [f"annotator{number:02}" for number in sorted(rng.sample(range(1, annotators + 1), 2))]
            facts = {"round": ROUND, "condition": "blind" if rng.random() < BLIND else "assisted"}
            found = [(turn["role"], utterance) for turn in conversation["turns"] for utterance in turn["utterances"]]
            for (_, utterance), (_, *labels) in zip(found, said.conversation(role for role, _ in found), strict=True):
                utterance["decisions"] = [{"annotator": name, **facts, "codes": label} for name, label in zip(who, labels, strict=True)]
                del utterance["labels"], utterance["proposals"]
            file.write(json.dumps(conversation, ensure_ascii=False) + "\n")
    plain.unlink()


def write_table(path: Path, pairs: int, *, seed: int) -> None:
    """A long table of two people and so many utterances."""
    said = Pair(seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("conversation", "utterance", "role", "annotator", "codes"))
        for start in range(0, pairs, _LENGTH):
            roles = (ROLES[at % 2] for at in range(min(_LENGTH, pairs - start)))
            for at, (role, *labels) in enumerate(said.conversation(roles), 1):
                for name, label in zip(("ana", "ben"), labels, strict=True):
                    table.writerow((f"c{start // _LENGTH}", at, role, name, join_codes(label)))


def handed(utterances: int, seed: int) -> Iterator[Handed]:
    """The same labels as the program holds them."""
    said = Pair(seed)
    for start in range(0, utterances, _LENGTH):
        found = list(said.conversation(ROLES[at % 2] for at in range(min(_LENGTH, utterances - start))))
        for name, of in (("ana", 1), ("ben", 2)):
            for role in ROLES:
                yield Handed(name, f"c{start // _LENGTH}", role, [join_codes(one[of]) for one in found if one[0] == role])
