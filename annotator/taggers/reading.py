"""What a provider's answer says: text → rows → labels by id. Pure, and strict: a label is taken only where nothing speaks against it.

Labels attach by id, never by position; a code that is not the role's is never replaced by one that looks like it.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from annotator.core.taxonomy import Taxonomy
from annotator.taggers.base import Suggestion
from annotator.taggers.prompt import Line, Question

LONGEST_REASON = 400
_LONGEST, _MOST_STARTS = 400_000, 2_000
"""Characters of a broken answer that are looked through, and braces in it that may turn out to begin nothing."""
_WORDS = {"very high": 0.95, "high": 0.9, "medium": 0.6, "moderate": 0.6, "low": 0.3, "very low": 0.1}
_DECODER = json.JSONDecoder()
_UNSTORABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Reading:
    """Of one answer: the suggestions to keep and, by id, why others were refused.

    `whole` says why nothing of it can be trusted. `stopped` says that the model ended early with nothing to show, `blocked`
    that the question itself was refused. `cut` is true where the answer ran into its limit, `moved` where labels seem to stand
    at other utterances than theirs. `note` says what was odd.
    """

    accepted: Mapping[int, Suggestion] = field(default_factory=dict)
    refused: Mapping[int, str] = field(default_factory=dict)
    whole: str = ""
    stopped: str = ""
    blocked: str = ""
    cut: bool = False
    moved: bool = False
    note: str = ""


def read(taxonomy: Taxonomy, question: Question, text: str, finish: str) -> Reading:
    """Read an answer to a question; `finish` is the provider's word for how it ended."""
    if finish.startswith("blocked"):
        return Reading(blocked=f"the service refused the text ({finish.removeprefix('blocked: ')})")
    cut = finish == "MAX_TOKENS"
    if not text.strip():
        if cut or finish in ("", "STOP"):
            return Reading(whole="the answer was empty", cut=cut)
        return Reading(stopped=f"the model stopped without an answer ({finish})")
    rows = parse_rows(text)
    if not rows:
        return Reading(whole="the answer holds no rows that can be read", cut=cut)
    return _reconcile(taxonomy, question, rows, cut=cut)


def parse_rows(text: str) -> list[dict[str, Any]]:
    """The rows of an answer: the whole of it as JSON, or else every object in it that is whole.

    >>> parse_rows('Sure! ```json\\n[{"id": 1, "codes": ["A"]}, {"id": 2, "codes": ["B"]},]``` and then {"id": 3, "co')
    [{'id': 1, 'codes': ['A']}, {'id': 2, 'codes': ['B']}]
    """
    try:
        return list(_rows_in(json.loads(text)))
    except (ValueError, RecursionError):
        return list(_salvaged(text[:_LONGEST]))


def _rows_in(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict) and "id" not in value:
        lists = [inner for inner in value.values() if isinstance(inner, list)]
        value = lists[0] if len(lists) == 1 else []
    for row in value if isinstance(value, list) else [value]:
        if isinstance(row, dict) and "id" in row:
            yield row


def _salvaged(text: str) -> Iterator[dict[str, Any]]:
    at, vain = text.find("{"), 0
    while at >= 0 and vain < _MOST_STARTS:
        try:
            value, end = _DECODER.raw_decode(text, at)
        except ValueError:
            end, vain = at + 1, vain + 1
        except RecursionError:
            return
        else:
            yield from _rows_in(value)
        at = text.find("{", end)


@dataclass(frozen=True, slots=True)
class _Row:
    """One row, matched to a line: what it says, or what is wrong with it. `strays` is true where it fits another role."""

    id: int
    role: str
    suggestion: Suggestion | None = None
    wrong: str = ""
    strays: bool = False
    fits: frozenset[str] = frozenset()
    """The roles of the lines that it may have been meant for; none where it says nothing of use."""


def _reconcile(taxonomy: Taxonomy, question: Question, rows: list[dict[str, Any]], *, cut: bool) -> Reading:
    roles, wanted = question.roles, set(question.wanted)
    by_id: dict[int, list[_Row]] = {}
    strangers: set[int | None] = set()
    foreign: set[str] = set()
    for row in rows:
        key = _id(row["id"])
        if key is not None and key in roles:
            by_id.setdefault(key, []).append(_row(taxonomy, key, roles[key], row))
        else:
            strangers.add(key)
        if key not in wanted:
            foreign.add(_plain(str(row["id"]), 20) if isinstance(row["id"], str | int | float) else "no number")
    missing = wanted - by_id.keys()
    if foreign and (missing or _renumbered(strangers, {*by_id, *strangers}, roles)):
        lacking = f", and none for {_some(missing)}" if missing else ""
        named = ", ".join(sorted(foreign)[:5])
        return Reading(whole=f"ids do not match: rows for {named}, which were not asked for{lacking}", cut=cut)
    first = [by_id[line.id][0] for line in question.lines if line.id in by_id]
    strays = sum(row.strays for row in first)
    suspects = _moved(first, question.lines)
    if len(first) > 1 and (3 * strays >= len(first) or suspects is None):
        return Reading(whole=f"labels moved to other utterances: {strays} of {len(first)} rows fit the other role", cut=cut, moved=True)
    accepted: dict[int, Suggestion] = {}
    refused = dict.fromkeys(missing, "the answer has no row for it")
    beside = (suspects or set()) & wanted - {row.id for row in first if row.wrong}
    for key in (key for key in question.wanted if key in by_id):
        same = by_id[key]
        suggestion, wrong = same[0].suggestion, _disagreement(same) or same[0].wrong
        if suggestion is None or wrong or key in beside:
            refused[key] = wrong or "labels seem to have moved to other utterances around it"
        else:
            accepted[key] = suggestion
    return Reading(accepted, refused, cut=cut, moved=bool(beside), note=_note(foreign, by_id, accepted, roles, len(beside)))


def _renumbered(strangers: set[int | None], given: set[int | None], roles: Mapping[int, str]) -> bool:
    """Whether ids that no line has come from counting anew: before the first line, or in the place of one that was shown."""
    return any(key is not None and key < min(roles) for key in strangers) or (bool(strangers) and len(given) == len(roles))


def _some(ids: set[int]) -> str:
    return ", ".join(map(str, sorted(ids)[:5])) + (" and others" if len(ids) > 5 else "")


def _id(value: Any) -> int | None:
    """An id as a number; models write 3, "3" and 3.0."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    word = str(value).strip()
    return int(word) if re.fullmatch(r"[0-9]{1,9}", word) else None


def _row(taxonomy: Taxonomy, key: int, role: str, row: Mapping[str, Any]) -> _Row:
    said, codes = row.get("role"), row.get("codes", row.get("code"))
    codes = [codes] if isinstance(codes, str) else codes
    if not isinstance(codes, list) or not codes or not all(isinstance(code, str) for code in codes):
        return _Row(key, role, wrong="the answer gives it no code")
    fits = frozenset(of for of in taxonomy.roles if all(_known(taxonomy, of, code) for code in codes))
    named = _named(taxonomy, said) or role
    if named != role:
        wrong = f"the answer takes it for an utterance of {named}"
        return _Row(key, role, wrong=wrong, strays=True, fits=fits & {named})
    if role not in fits:
        # The role may have stayed while the codes moved, so the role that is named says nothing of where they belong.
        odd = [code for code in codes if not _known(taxonomy, role, code)]
        strays = any(_known(taxonomy, of, code) for of in taxonomy.roles for code in odd)
        return _Row(key, role, wrong=f"{_plain(', '.join(codes), 60)} is no code of {role}", strays=strays, fits=fits)
    kept = tuple(dict.fromkeys(_known(taxonomy, role, code) for code in codes))
    if not taxonomy.min_codes <= len(kept) <= taxonomy.max_codes:
        allowed = f"{taxonomy.min_codes} to {taxonomy.max_codes} are allowed"
        return _Row(key, role, wrong=f"the number of codes the answer gives it is {len(kept)}; {allowed}", fits=fits)
    return _Row(key, role, _suggestion(taxonomy, role, kept, row), fits=fits)


def _named(taxonomy: Taxonomy, said: Any) -> str:
    """The role of that name, upper and lower case aside where no role is spelled just so; empty where there is none."""
    if not isinstance(said, str):
        return ""
    name = said.strip()
    return name if name in taxonomy.roles else next((of for of in taxonomy.roles if of.casefold() == name.casefold()), "")


def _plain(text: str, most: int) -> str:
    """A text of the model as it can be stored and shown: on one line, without control characters and halves of characters."""
    return " ".join(_UNSTORABLE.sub(" ", text[: 4 * most]).split())[:most]


def _known(taxonomy: Taxonomy, role: str, code: str) -> str:
    """The role's code of that spelling, upper and lower case and outer spaces aside; empty where there is none.

    A code that is just so another role's is that role's, also where ours differs by case only.
    """
    code = code.strip()
    codes = taxonomy.by_role.get(role, {})
    if code in codes:
        return code
    if any(code in others for others in taxonomy.by_role.values()):
        return ""
    return next((one for one in codes if one.casefold() == code.casefold()), "")


def _suggestion(taxonomy: Taxonomy, role: str, codes: tuple[str, ...], row: Mapping[str, Any]) -> Suggestion:
    confidence = read_confidence(row.get("confidence"))
    second = row.get("second")
    second = _known(taxonomy, role, second) if isinstance(second, str) else ""
    reason = row.get("rationale")
    return Suggestion(
        probabilities={codes[0]: confidence} if confidence is not None else {},
        reason=_plain(reason, LONGEST_REASON) if isinstance(reason, str) else "",
        codes=codes,
        confidence=confidence,
        second="" if second in codes else second,
    )


def read_confidence(value: Any) -> float | None:
    """Stated confidence from 0 to 1; None where it cannot be used.

    >>> [read_confidence(value) for value in (0.8, 87, "high", "0.7", float("nan"), -1, None, True)]
    [0.8, 0.87, 0.9, 0.7, None, None, None, None]
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        word = value.strip().casefold().rstrip("%")
        if word in _WORDS:
            return _WORDS[word]
        try:
            value = float(word)
        except ValueError:
            return None
    if not isinstance(value, int | float) or not 0 <= value <= 100:  # NaN is not either
        return None
    return float(value) if value <= 1 else float(value) / 100


def _moved(rows: list[_Row], lines: Sequence[Line]) -> set[int] | None:
    """The ids whose labels may belong to other utterances, with the role-aware codes as a checksum; None: any of them may.

    Wherever a row strays, the whole stretch around it is suspect that is explained by each label standing one place away from
    its utterance. A stretch (of one or two places) with two strays is no accident.
    """
    suspects: set[int] = set()
    for by, stretch in _stretches(rows, lines):
        strays = sum(row.strays and bool(row.fits) for row, _ in stretch)
        if strays > 1:
            return None
        if strays and abs(by) == 1:
            suspects |= {row.id for row, role in stretch if role}
    return suspects


def _stretches(rows: list[_Row], lines: Sequence[Line]) -> Iterator[tuple[int, list[tuple[_Row, str]]]]:
    """Stretches of rows that would all be right some places on, counted in the rows of the answer or in the lines shown.

    Each with the role it would have there; at the edges, where nothing stands, that is empty, and nothing is known of the row.
    """
    place = {line.id: at for at, line in enumerate(lines)}
    for roles, places in (([row.role for row in rows], range(len(rows))), ([line.role for line in lines], [place[row.id] for row in rows])):
        around = ["", "", *roles, "", ""]
        for by in (-1, 1, -2, 2):
            moved = [(row, around[at + by + 2]) for at, row in zip(places, rows, strict=True)]
            for right, stretch in groupby(moved, lambda one: not (one[1] and one[0].fits) or one[1] in one[0].fits):
                if right:
                    yield by, list(stretch)


def _disagreement(same: list[_Row]) -> str:
    labels = {frozenset(row.suggestion.codes) if row.suggestion else None for row in same}
    return "the answer has two rows for it that differ" if len(labels) > 1 else ""


def _note(
    foreign: set[str], by_id: Mapping[int, list[_Row]], accepted: Mapping[int, Suggestion], roles: Mapping[int, str], beside: int
) -> str:
    doubles = sum(len(same) - 1 for same in by_id.values())
    notes = [f"dropped rows for ids that were not asked for: {', '.join(sorted(foreign)[:5])}"] if foreign else []
    notes += [f"dropped {doubles} repeated rows"] if doubles else []
    notes += [f"dropped {beside} rows around one that fits the other role"] if beside else []
    for role in dict.fromkeys(roles.values()):
        used = Counter(accepted[key].codes for key in accepted if roles[key] == role)
        if used.total() >= 8 and len(used) == 1:
            notes.append(f"all {used.total()} utterances of {role} got the same label")
    return "; ".join(notes)
