"""What in a long table counts as two and may have been meant as one: roles of an utterance, spellings of a name.

None of it is an error, as a table may be meant like that; but labels that it keeps apart never meet, and no figure shows it.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from annotator.core.labelled import Labelled

_Twins = list[tuple[str, str, str]]
"""Two names that differ in nothing that is seen, and where they are."""


def watched(rows: Iterable[Labelled], warnings: list[str]) -> Iterator[Labelled]:
    """Pass rows on, as they are read once only; when all have passed, sentences on what does not match are put into `warnings`.

    >>> found = []
    >>> rows = [Labelled("c1", "1", "Seeker", "ana", ("IQ",)), Labelled("c1", "1", "Seeker", "ben", ("iq",))]
    >>> len(list(watched(rows, found))), found
    (2, ["Codes 'IQ' and 'iq' of Seeker differ only in case and count as two. Write them alike if they are one."])
    """
    places: defaultdict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    other: dict[tuple[str, str], tuple[str, str]] = {}
    said: set[tuple[str, str, tuple[str, ...]]] = set()
    whose: dict[tuple[str, str], tuple[str, str]] = {}  # one of each for all utterances, of which there may be millions
    for row in rows:
        conversation, utterance, role, annotator, codes = row[:5]
        if annotator:
            said.add((annotator, role, codes))
            own = (role, annotator)
            if places[conversation].setdefault(utterance, whose.setdefault(own, own))[0] != role:
                other.setdefault((conversation, utterance), (role, annotator))
        yield row
    warnings += _under_two_roles(places, other)
    used: defaultdict[str, set[str]] = defaultdict(set)
    for _, role, codes in said:
        used[role].update(codes)
    kinds: dict[str, _Twins] = {
        "Annotators": _twins({name for name, *_ in said}, ""),
        "Roles": _twins(used, ""),
        "Codes": [two for role, codes_of in sorted(used.items()) for two in _twins(codes_of, f" of {role}")],
        "Conversations": _twins(places, ""),
        "Utterances": [two for name, ids in places.items() for two in _twins(ids, f" of conversation {name!r}")],
    }
    warnings += [_alike(kind, twins) for kind, twins in kinds.items() if twins]


def _under_two_roles(places: Mapping[str, Mapping[str, tuple[str, str]]], other: Mapping[tuple[str, str], tuple[str, str]]) -> list[str]:
    if not other:
        return []
    (conversation, utterance), (role, annotator) = next(iter(other.items()))
    first_role, first = places[conversation][utterance]
    many = "1 utterance has" if len(other) == 1 else f"{len(other):,} utterances have"
    return [
        f"{many} one role in the labels of one annotator and another in those of another: these labels are never compared and are in no "
        f"figure. The first is utterance {utterance!r} of conversation {conversation!r}: {first_role} by {first}, {role} by {annotator}. "
        "Correct the role, or the ids of the utterances."
    ]


def _twins(names: Iterable[str], where: str) -> _Twins:
    names = sorted(names)
    # All at once, as this is asked of every conversation; no name of a table has a NUL in it.
    plain = [name.strip() for name in _composed("\0".join(names).casefold()).split("\0")]
    if not names or len(set(plain)) == len(names):  # nearly always
        return []
    first: dict[str, str] = {}
    pairs = ((first.setdefault(key, name), name) for key, name in zip(plain, names, strict=True))
    return [(a, b, where) for a, b in pairs if a != b]


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _alike(kind: str, twins: _Twins) -> str:
    a, b, where = twins[0]
    shown, how = repr, "case, surrounding space or Unicode normalisation"
    if _composed(a) == _composed(b):
        shown, how = ascii, "Unicode normalisation"  # on the screen they are the same
    elif a.strip() == b.strip():
        how = "surrounding space"
    elif a.casefold() == b.casefold():
        how = "case"
    more = f" (with {len(twins) - 1:,} more such pairs)" if len(twins) > 1 else ""
    return f"{kind} {shown(a)} and {shown(b)}{where} differ only in {how} and count as two{more}. Write them alike if they are one."
