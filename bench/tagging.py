"""How fast and how right the offline tagger is: `python bench/tagging.py --vogue dialogues.jsonl [--draws 5] [--json out.json]`.

Accuracy is measured on VOGUE beside a plain TF-IDF and logistic regression, on the same draws; VOGUE itself is not shipped.
Three columns: `plain` knows the k drawn conversations, `plain+` also the sample and the taxonomy's examples, `local` is ours.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_union

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from annotator.core.taxonomy import Taxonomy, parse_taxonomy  # noqa: E402
from annotator.core.transcript import Transcript, Turn, Utterance  # noqa: E402
from annotator.taggers import make  # noqa: E402
from annotator.taggers.base import Brief, Tagger, proposal  # noqa: E402

IN_A_PUBLISHED_PROMPT = frozenset({"c1_a_1", "c55_a_1"})
MUSE = 83_148
BATCH = 250
KNOWN = (3, 10, 30)

Probabilities = Mapping[str, float]
Guessed = Sequence[Mapping[str, Probabilities]]
Guess = Callable[[Sequence[Transcript], Sequence[Transcript]], Guessed]


def transcript(id: str, turns: Sequence[tuple[str, list[tuple[str, list[str]]]]], taxonomy: Taxonomy) -> Transcript:
    """`turns` are (role, [(text, codes)]); codes the taxonomy lacks are left out."""
    made = []
    for number, (role, said) in enumerate(turns, 1):
        golds = [taxonomy.ordered(role, codes) or None for _, codes in said]
        made.append(
            Turn(role, tuple(Utterance(f"{number}.{at}", said[at][0], gold=gold) for at, gold in enumerate(golds)), number)
        )
    return Transcript(id, tuple(made))


def read_vogue(path: Path, taxonomy: Taxonomy) -> list[Transcript]:
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        transcript(
            d["id"], [(t["role"], [(u["text"], u["labels"]["gold"]) for u in t["utterances"]]) for t in d["turns"]], taxonomy
        )
        for d in found
        if d["id"] not in IN_A_PUBLISHED_PROMPT
    ]


def read_sample(taxonomy: Taxonomy) -> list[Transcript]:
    sample = []
    for path in sorted((ROOT / "sample" / "transcripts").glob("*.json")):
        contents = [turn["content"] for turn in json.loads(path.read_text(encoding="utf-8"))["conversation_content"]]
        turns = [(c["role"], list(zip(c["utterances"], c["tags"], strict=True))) for c in contents]
        sample.append(transcript(path.stem, turns, taxonomy))
    return sample


def labelled(transcripts: Sequence[Transcript], role: str) -> Iterator[tuple[int, Utterance, tuple[str, ...]]]:
    for number, one in enumerate(transcripts):
        for turn, utterance in one.utterances():
            if turn.role == role and utterance.gold:
                yield number, utterance, utterance.gold


def plain(taxonomy: Taxonomy) -> Guess:
    """The yardstick: words and characters of the utterance alone, one logistic regression per code."""

    def guess(known: Sequence[Transcript], unknown: Sequence[Transcript]) -> Guessed:
        guessed: list[dict[str, Probabilities]] = [{} for _ in unknown]
        for role, codes in taxonomy.by_role.items():
            learn, ask = list(labelled(known, role)), list(labelled(unknown, role))
            characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
            vectorizer = make_union(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), characters)
            rows = vectorizer.fit_transform([utterance.text for _, utterance, _ in learn])
            new = vectorizer.transform([utterance.text for _, utterance, _ in ask])
            columns = {}
            for code in codes:
                has = np.array([code in gold for _, _, gold in learn])
                if has.any():
                    model = LogisticRegression(C=10, solver="liblinear").fit(rows, has)
                    columns[code] = model.predict_proba(new)[:, 1].tolist()
            for at, (number, utterance, _) in enumerate(ask):
                guessed[number][utterance.id] = {code: values[at] for code, values in columns.items()}
        return guessed

    return guess


def ours(taxonomy: Taxonomy, sample: Sequence[Transcript]) -> Guess:
    def guess(known: Sequence[Transcript], unknown: Sequence[Transcript]) -> Guessed:
        tagger = make("local", Brief(taxonomy, [*sample, *known]))
        return [{id: suggestion.probabilities for id, suggestion in by_id.items()} for by_id in tagger.suggest(unknown)]

    return guess


def also_knowing(more: Sequence[Transcript], guess: Guess) -> Guess:
    return lambda known, unknown: guess([*more, *known], unknown)


def examples(taxonomy: Taxonomy) -> list[Transcript]:
    return [
        transcript(f"{code.role} {code.code} {at}", [(code.role, [(text, [code.code])])], taxonomy)
        for code in taxonomy.codes
        for at, text in enumerate(code.examples)
    ]


def score(guessed: Guessed, asked: Sequence[Transcript], role: str, threshold: float) -> list[float]:
    """Share with the top code in the gold set, share with exactly the gold set, mean Jaccard of the two sets."""
    counts = []
    for number, utterance, gold in labelled(asked, role):
        codes = proposal(guessed[number][utterance.id], threshold, 3)
        both = len(set(codes) & set(gold))
        counts.append((codes[0] in gold, set(codes) == set(gold), both / len(set(codes) | set(gold))))
    return [float(share) for share in np.mean(counts, axis=0)]


def accuracy(vogue: Sequence[Transcript], taxonomy: Taxonomy, draws: int) -> list[dict[str, Any]]:
    sample = read_sample(taxonomy)
    threshold = make("local", Brief(taxonomy)).threshold
    yardstick = plain(taxonomy)
    guesses = {
        "plain": yardstick,
        "plain+": also_knowing([*sample, *examples(taxonomy)], yardstick),
        "local": ours(taxonomy, sample),
    }
    rows = []
    for k in KNOWN:
        found: dict[tuple[str, str], list[list[float]]] = {}
        for seed in range(draws):
            shuffled = random.Random(f"{k}/{seed}").sample(vogue, len(vogue))
            for name, guess in guesses.items():
                guessed = guess(shuffled[:k], shuffled[k:])
                for role in taxonomy.roles:
                    found.setdefault((role, name), []).append(score(guessed, shuffled[k:], role, threshold))
        for (role, name), scores in found.items():
            top1, exact, jaccard = np.mean(scores, axis=0).round(4).tolist()
            sd = round(float(np.std([one[0] for one in scores])), 4)
            rows.append({"k": k, "role": role, "model": name, "top1": top1, "top1_sd": sd, "exact": exact, "jaccard": jaccard})
    return rows


def perturbed(sample: Sequence[Transcript], n_utterances: int, seed: int) -> list[Transcript]:
    """The sample again and again, every utterance with one word changed for another, until there are so many utterances."""
    rng = random.Random(seed)
    words = [word for one in sample for _, utterance in one.utterances() for word in utterance.text.split()]

    def changed(utterance: Utterance) -> Utterance:
        text = utterance.text.split()
        text[rng.randrange(len(text))] = rng.choice(words)
        return replace(utterance, text=" ".join(text), gold=None)

    made: list[Transcript] = []
    while n_utterances > 0:
        one = sample[len(made) % len(sample)]
        turns = tuple(replace(turn, utterances=tuple(map(changed, turn.utterances))) for turn in one.turns)
        made.append(Transcript(f"made{len(made)}", turns))
        n_utterances -= sum(len(turn.utterances) for turn in turns)
    return made


def speed(taxonomy: Taxonomy, known: Sequence[Transcript]) -> dict[str, Any]:
    """Training (by tagging one conversation), tagging as many utterances as Muse has, and the known ones by cross-fitting."""
    made = perturbed(read_sample(taxonomy), MUSE, seed=1)
    tagger = make("local", Brief(taxonomy, known))
    training = timed(tagger, made[:1])
    tagging = timed(tagger, made)
    n_known = sum(1 for one in known for _ in one.utterances())
    return {
        "known_utterances": n_known,
        "training_seconds": round(training, 2),
        "utterances": sum(1 for one in made for _ in one.utterances()),
        "tagging_seconds": round(tagging, 2),
        "utterances_per_second": round(sum(1 for one in made for _ in one.utterances()) / tagging),
        "known_again_seconds": round(timed(tagger, known), 2),
    }


def timed(tagger: Tagger, transcripts: Sequence[Transcript]) -> float:
    started = time.perf_counter()
    for at in range(0, len(transcripts), BATCH):
        list(tagger.suggest(transcripts[at : at + BATCH]))
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vogue", type=Path, required=True, help="VOGUE as JSON lines with labels under `gold`")
    parser.add_argument("--draws", type=int, default=5, help="draws per k (default 5)")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    taxonomy = parse_taxonomy((ROOT / "taxonomy.yaml").read_text(encoding="utf-8"))
    vogue = read_vogue(options.vogue, taxonomy)
    fast = {"sample": speed(taxonomy, read_sample(taxonomy)), "sample and VOGUE": speed(taxonomy, read_sample(taxonomy) + vogue)}
    print(f"{'known':18}{'utterances':>11}{'training':>10}{'tagging':>16}{'known ones again':>18}")
    for name, f in fast.items():
        training, again = f"{f['training_seconds']} s", f"{f['known_again_seconds']} s"
        print(f"{name:18}{f['known_utterances']:>11}{training:>10}{f['utterances_per_second']:>10} utt/s{again:>18}")
    right = accuracy(vogue, taxonomy, options.draws)
    print(f"\n{'k':>3} {'role':10} {'model':8}{'top-1':>8}{'± sd':>8}{'exact':>8}{'Jaccard':>9}")
    for row in right:
        scores = f"{row['top1']:8.3f}{row['top1_sd']:8.3f}{row['exact']:8.3f}{row['jaccard']:9.3f}"
        print(f"{row['k']:>3} {row['role']:10} {row['model']:8}{scores}")
    if options.json:
        options.json.write_text(
            json.dumps({"draws": options.draws, "speed": fast, "accuracy": right}, indent=2) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
