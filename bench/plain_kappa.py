"""What somebody without a tool writes: read a long table of two annotators, and Cohen's kappa of each role by scikit-learn."""

import csv
import sys
from pathlib import Path

from sklearn.metrics import cohen_kappa_score

if __name__ == "__main__":
    said: dict[str, dict[tuple[str, str, str], str]] = {}
    with Path(sys.argv[1]).open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        for conversation, utterance, role, annotator, codes in rows:
            said.setdefault(annotator, {})[conversation, utterance, role] = codes
    first, second = said.values()
    for role in sorted({role for _, _, role in first}):
        both = [place for place in first if place[2] == role and place in second]
        print(role, cohen_kappa_score([first[place] for place in both], [second[place] for place in both]))
