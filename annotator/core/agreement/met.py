"""Where two labels met: from a cell of a confusion matrix back to the utterances."""

import numpy as np

from annotator.core.agreement.counts import met_of
from annotator.core.agreement.judgement import Codes, Meeting
from annotator.core.agreement.sample import Sample


def meetings(sample: Sample, role: str, said: Codes, other: Codes, of: str | None = None) -> list[Meeting]:
    """The pairs of labels of one role of which one is `said` and the other `other`, in the order of conversations and utterances.

    `first` said `said`. With `of` that is always this annotator; between two annotators the first by name, if they are in that order;
    otherwise whoever it was.
    """
    ratings = sample.ratings
    if role not in ratings.roles or said not in ratings.labels or other not in ratings.labels:
        return []
    place = np.zeros(int(ratings.unit.max()) + 1, dtype=np.int64)
    place[ratings.unit] = sample.place
    met, names = met_of(ratings), ratings.annotators
    met = met.where(met.role == ratings.roles.index(role))
    ways = [(met.first, met.second, met.a, met.b)]
    if said != other and (of is not None or len(names) > 2):  # equal labels are met once, whichever way
        ways.append((met.second, met.first, met.b, met.a))
    found = []
    for first, second, a, b in ways:
        for at in np.flatnonzero((a == ratings.labels.index(said)) & (b == ratings.labels.index(other))).tolist():
            if of in (None, names[first[at]]):
                where = (int(met.conversation[at]), int(place[met.unit[at]]))
                found.append((where, Meeting(sample.conversations[where[0]], where[1], names[first[at]], names[second[at]])))
    return [meeting for _, meeting in sorted(found)]
