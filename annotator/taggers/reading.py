"""What a provider's answer says: text → rows → labels by id. Pure, and strict: a label is taken only where nothing speaks against it.

Labels attach by id, never by position; a code that is not the role's is never replaced by one that looks like it.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from annotator.core.taxonomy import Taxonomy
from annotator.taggers.base import Suggestion
from annotator.taggers.prompt import Question

LONGEST_REASON = 400
_LONGEST = 400_000
_WORDS = {"very high": 0.95, "high": 0.9, "medium": 0.6, "moderate": 0.6, "low": 0.3, "very low": 0.1}
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Reading:
    """Of one answer: the suggestions to keep and, by id, why others were refused.

    `whole` says why nothing of it can be trusted. `stopped` says that the model ended early with nothing to show, `blocked`
    that the question itself was refused. `cut` is true where the answer ran into its limit. `note` says what was odd.
    """

    accepted: Mapping[int, Suggestion] = field(default_factory=dict)
    refused: Mapping[int, str] = field(default_factory=dict)
    whole: str = ""
    stopped: str = ""
    blocked: str = ""
    cut: bool = False
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
    at = text.find("{")
    while at >= 0:
        try:
            value, end = _DECODER.raw_decode(text, at)
        except ValueError:
            end = at + 1
        except RecursionError:
            return
        else:
            yield from _rows_in(value)
        at = text.find("{", end)


@dataclass(frozen=True, slots=True)
class _Row:
    """One row, matched to a line: what it says, or what is wrong with it. `strays` is true where it fits another role."""

    id: int
    suggestion: Suggestion | None = None
    wrong: str = ""
    strays: bool = False
    fits: frozenset[str] = frozenset()
    """The roles that what it says would be right for."""


def _reconcile(taxonomy: Taxonomy, question: Question, rows: list[dict[str, Any]], *, cut: bool) -> Reading:
    roles, wanted = question.roles, set(question.wanted)
    by_id: dict[int, list[_Row]] = {}
    foreign: set[str] = set()
    for row in rows:
        key = _id(row["id"])
        if key in wanted:
            assert key is not None
            by_id.setdefault(key, []).append(_row(taxonomy, key, roles[key], row))
        else:
            foreign.add(str(row["id"])[:20])
    missing = wanted - by_id.keys()
    if foreign and missing:
        named = ", ".join(sorted(foreign)[:5])
        return Reading(whole=f"ids do not match: rows for {named}, which were not asked for, and none for {_some(missing)}", cut=cut)
    first = [by_id[key][0] for key in question.wanted if key in by_id]
    if _slid(first, [roles[row.id] for row in first]):
        strays = sum(row.strays for row in first)
        return Reading(whole=f"labels moved to other utterances: {strays} of {len(first)} rows fit the other role", cut=cut)
    accepted: dict[int, Suggestion] = {}
    refused = dict.fromkeys(missing, "the answer has no row for it")
    for key, same in by_id.items():
        wrong = _disagreement(same) or same[0].wrong
        if wrong:
            refused[key] = wrong
        else:
            suggestion = same[0].suggestion
            assert suggestion is not None
            accepted[key] = suggestion
    return Reading(accepted, refused, cut=cut, note=_note(foreign, by_id, accepted, roles))


def _some(ids: set[int]) -> str:
    return ", ".join(map(str, sorted(ids)[:5])) + (" and others" if len(ids) > 5 else "")


def _id(value: Any) -> int | None:
    """An id as a number; models write 3, "3" and 3.0."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    word = str(value).strip()
    return int(word) if re.fullmatch(r"[0-9]{1,9}", word) else None


def _row(taxonomy: Taxonomy, key: int, role: str, row: Mapping[str, Any]) -> _Row:
    said, codes = row.get("role"), row.get("codes", row.get("code"))
    codes = [codes] if isinstance(codes, str) else codes
    if not isinstance(codes, list) or not codes or not all(isinstance(code, str) for code in codes):
        return _Row(key, wrong="the answer gives it no code")
    fits = {of for of in taxonomy.roles if all(_known(taxonomy, of, code) for code in codes)}
    named = next((of for of in taxonomy.roles if isinstance(said, str) and of.casefold() == said.strip().casefold()), None)
    if named is not None:
        fits &= {named}
    if role not in fits:
        elsewhere = any(_known(taxonomy, of, code) for of in taxonomy.roles if of != role for code in codes)
        strays = (named is not None and named != role) or (elsewhere and not all(_known(taxonomy, role, code) for code in codes))
        what = ", ".join(codes)[:60]
        wrong = f"the answer takes it for an utterance of {named}" if named not in (None, role) else f"{what} is no code of {role}"
        return _Row(key, wrong=wrong, strays=strays, fits=frozenset(fits))
    kept = tuple(dict.fromkeys(_known(taxonomy, role, code) for code in codes))
    if len(kept) > taxonomy.max_codes:
        return _Row(key, wrong=f"the answer gives it {len(kept)} codes; at most {taxonomy.max_codes} are allowed", fits=frozenset(fits))
    return _Row(key, _suggestion(taxonomy, role, kept, row), fits=frozenset(fits))


def _known(taxonomy: Taxonomy, role: str, code: str) -> str:
    """The role's code of that spelling, upper and lower case and outer spaces aside; empty where there is none."""
    wanted = code.strip().casefold()
    codes = taxonomy.by_role[role]
    return code if code in codes else next((one for one in codes if one.casefold() == wanted), "")


def _suggestion(taxonomy: Taxonomy, role: str, codes: tuple[str, ...], row: Mapping[str, Any]) -> Suggestion:
    confidence = read_confidence(row.get("confidence"))
    second = row.get("second")
    second = _known(taxonomy, role, second) if isinstance(second, str) else ""
    reason = row.get("rationale")
    return Suggestion(
        probabilities=dict.fromkeys(codes, confidence) if confidence is not None else {},
        reason=" ".join(reason.split())[:LONGEST_REASON] if isinstance(reason, str) else "",
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
    if not isinstance(value, int | float) or not math.isfinite(value) or not 0 <= value <= 100:
        return None
    return float(value) if value <= 1 else float(value) / 100


def _slid(rows: list[_Row], roles: list[str]) -> bool:
    """Whether labels stand at the wrong utterances: the role-aware codes are a checksum.

    A third of the rows straying is enough. Fewer are enough too where moving the rows by one or two places explains them
    all, which catches a slide that began in the middle and one between long turns.
    """
    strays = [at for at, row in enumerate(rows) if row.strays]
    if not strays:
        return False
    if 3 * len(strays) >= len(rows):
        return len(rows) > 1
    first, last = strays[0], strays[-1]
    spans = [(first, last)] if len(strays) > 1 else [(0, len(rows) - 1), (first, len(rows) - 1), (0, last)]
    return any(_moved(rows, roles, begin, end, by) for begin, end in spans for by in (-2, -1, 1, 2))


def _moved(rows: list[_Row], roles: list[str], begin: int, end: int, by: int) -> bool:
    return all(
        rows[at].fits and roles[at + by] in rows[at].fits for at in range(begin, end + 1) if 0 <= at + by < len(rows)
    )


def _disagreement(same: list[_Row]) -> str:
    labels = {frozenset(row.suggestion.codes) if row.suggestion else None for row in same}
    return "the answer has two rows for it that differ" if len(labels) > 1 else ""


def _note(foreign: set[str], by_id: Mapping[int, list[_Row]], accepted: Mapping[int, Suggestion], roles: Mapping[int, str]) -> str:
    doubles = sum(len(same) - 1 for same in by_id.values())
    notes = [f"dropped rows for ids that were not asked for: {', '.join(sorted(foreign)[:5])}"] if foreign else []
    notes += [f"dropped {doubles} repeated rows"] if doubles else []
    for role in dict.fromkeys(roles.values()):
        used = Counter(accepted[key].codes for key in accepted if roles[key] == role)
        if used.total() >= 8 and len(used) == 1:
            notes.append(f"all {used.total()} utterances of {role} got the same label")
    return "; ".join(notes)
