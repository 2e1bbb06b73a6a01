"""Conversations as plain values: what every importer yields and every exporter takes.

Storing them is `flow/intake.py`'s work, reading them back `flow/corpus.py`'s.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from annotator.errors import BadInput


@dataclass(frozen=True, slots=True)
class Label:
    """What one annotator says of one utterance; `annotator` is None where the file does not name one.

    Empty `codes` mean that the annotator looked and chose nothing. A `repeat` is what they said when asked once more.
    """

    annotator: str | None
    codes: tuple[str, ...]
    round: str = ""
    condition: str = ""
    taxonomy_version: str = ""
    seconds: float | None = None
    decided_at: str = ""
    repeat: bool = False


@dataclass(frozen=True, slots=True)
class ItemLists:
    """What one annotator says of a conversation's items, by number; None where they leave a list as the source has it."""

    annotator: str | None
    mentioned_items: tuple[int, ...] | None = None
    gt_items: tuple[int, ...] | None = None
    round: str = ""
    repeat: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """The codes a run proposes for an utterance, and the probability (0 to 1) of the first.

    Where a provider was asked: the model that really answered, the prompt's hash, and the utterance's share of the cost in USD.
    """

    codes: tuple[str, ...]
    confidence: float | None = None
    round: str = ""
    model_version: str = ""
    prompt_hash: str = ""
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Utterance:
    """The unit that is labelled and counted. `id` is unique in its conversation; `gold_rule` says how its gold was settled."""

    id: str
    text: str
    labels: tuple[Label, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    gold: tuple[str, ...] | None = None
    gold_rule: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One stretch of one speaker role. `number` and `timestamp` are the source's own."""

    role: str
    utterances: tuple[Utterance, ...]
    number: int
    timestamp: str = ""


@dataclass(frozen=True, slots=True)
class Transcript:
    """One conversation. `meta` holds what else the source says of it, JSON values only.

    Well-known keys of `meta`: scenario, catalogue, mentioned_items, gt_items, session_code, conversation_id. `items` holds
    what annotators say of the lists in it, at most one of each annotator, round and repeat.
    `place` is the file (and line) it came from, for messages. A `partial` transcript comes from a table of rows:
    it may hold some utterances of a conversation only, and leave their text empty.
    """

    id: str
    turns: tuple[Turn, ...]
    meta: dict[str, Any] = field(default_factory=dict)
    place: str = field(default="", compare=False)
    partial: bool = field(default=False, compare=False)
    items: tuple[ItemLists, ...] = ()

    def utterances(self) -> Iterator[tuple[Turn, Utterance]]:
        """Every utterance with its turn, in order."""
        for turn in self.turns:
            for utterance in turn.utterances:
                yield turn, utterance

    def text_hash(self) -> str:
        """Identify what was said by whom, whatever the labels, ids and turn numbers: 64 hex digits."""
        digest = hashlib.sha256()
        for turn, utterance in self.utterances():
            digest.update(f"{turn.role}\x1f{utterance.text}\x1e".encode())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Scenario:
    """The task a conversation was held under."""

    id: str
    body: str


@dataclass(frozen=True, slots=True)
class Item:
    """One catalogue item; `number` is how transcripts name it (`Item05` is 5)."""

    number: int
    catalogue: str
    name: str
    meta: dict[str, Any] = field(default_factory=dict)
    picture: bytes | None = None
    picture_type: str = ""


@dataclass(frozen=True, slots=True)
class ItemRating:
    """How one participant rated the items after one conversation; `row` is the source's row, column to cell."""

    conversation: str
    role: str
    row: dict[str, str]


Record = Transcript | Scenario | Item | ItemRating


def checked(transcript: Transcript) -> Transcript:
    """Return the transcript, or raise `BadInput` with the place where it cannot be stored or shown."""
    where = f"{transcript.place}: conversation {transcript.id!r}" if transcript.place else f"Conversation {transcript.id!r}"
    if not transcript.id.strip() or len(transcript.id) > 200:
        raise BadInput(f"{where} needs an id of 1 to 200 characters. Give it one.")
    if not transcript.turns:
        raise BadInput(f"{where} has no turns. Remove it from the file or give it its text.")
    seen: set[str] = set()
    for turn in transcript.turns:
        _check_turn(turn, where, seen, partial=transcript.partial)
    if _UNSTORABLE.search(transcript.id):
        raise BadInput(f"{where} contains {_unstorable(transcript.id)}. Give it another id.")
    if transcript.items:
        _check_items(transcript.items, where)
    if transcript.meta:
        _check_meta(transcript.meta, where)
    return transcript


def _check_turn(turn: Turn, where: str, seen: set[str], *, partial: bool) -> None:
    if not turn.role.strip():
        raise BadInput(f"{where}, turn {turn.number}: the speaker's role is missing. Give each turn its role.")
    if not turn.utterances:
        raise BadInput(f"{where}, turn {turn.number} has no utterances. Remove the turn or give it its text.")
    for utterance in turn.utterances:
        if not partial and not utterance.text.strip():
            raise BadInput(f"{where}, turn {turn.number}: utterance {utterance.id} is empty. Remove it or give it its text.")
        if utterance.id in seen:
            raise BadInput(f"{where}, turn {turn.number}: two utterances have the id {utterance.id!r}. Give each its own.")
        seen.add(utterance.id)
        mistake = _mistake(turn, utterance)
        if mistake:
            raise BadInput(f"{where}, turn {turn.number}, utterance {utterance.id} {mistake}")


def _mistake(turn: Turn, utterance: Utterance) -> str:
    """What is wrong with the text, the ids or the labels of an utterance, and what to do; empty where nothing is."""
    text = f"{utterance.text}{utterance.id}{turn.role}{turn.timestamp}{utterance.gold_rule}"
    if _UNSTORABLE.search(text):
        return f"contains {_unstorable(text)}. Save the file again as plain UTF-8 text."
    seen = set()
    for label in utterance.labels:
        text = f"{label.annotator}{label.round}{label.condition}{label.taxonomy_version}{label.decided_at}"
        if _UNSTORABLE.search(text):
            return f"has a label that contains {_unstorable(text)}. Save the file again as plain UTF-8 text."
        who = (label.annotator, label.round, label.repeat)
        if who in seen:
            return f"has two labels of {_named(*who)}. Keep one."
        seen.add(who)
    proposed: list[str] = []
    for proposal in utterance.proposals:
        text = proposal.round + proposal.model_version + proposal.prompt_hash
        if text and _UNSTORABLE.search(text):
            return f"has a proposal that contains {_unstorable(text)}. Save the file again as plain UTF-8 text."
        if proposal.round in proposed:
            return f"has two proposals{f' in round {proposal.round}' if proposal.round else ''}. Keep one."
        proposed.append(proposal.round)
    sets = [label.codes for label in utterance.labels] + [proposal.codes for proposal in utterance.proposals]
    for code in (code for codes in (*sets, utterance.gold or ()) for code in codes):
        if "|" in code or not code or _UNSTORABLE.search(code):
            return f"has the code {code!r}, but a code is not empty and contains neither `|` nor NUL. Rename it."
    return ""


def _named(annotator: str | None, round_name: str, repeat: bool) -> str:
    of_round = f" in round {round_name}" if round_name else ""
    return f"{annotator or 'an annotator without a name'}{of_round}{', repeated' if repeat else ''}"


def _check_items(items: tuple[ItemLists, ...], where: str) -> None:
    seen = set()
    for one in items:
        who = (one.annotator, one.round, one.repeat)
        text = f"{one.annotator}{one.round}"
        if _UNSTORABLE.search(text):
            raise BadInput(f"{where} has a list of items that contains {_unstorable(text)}. Save the file again as plain UTF-8 text.")
        if who in seen:
            raise BadInput(f"{where} has two lists of items of {_named(*who)}. Keep one.")
        seen.add(who)


# Not readable by every database: NUL, and half of a character that UTF-16 writes in two.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def _unstorable(text: str) -> str:
    return "a NUL character" if "\x00" in text else "half a character (a lone surrogate)"


def _check_meta(meta: dict[str, Any], where: str) -> None:
    try:
        written = json.dumps(meta, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise BadInput(f"{where}: what is said of the whole conversation cannot be stored ({error}). Correct it.") from error
    if _UNSTORABLE.search(written) or _ESCAPED_NUL.search(written):
        raise BadInput(f"{where}: what is said of the whole conversation contains NUL or half a character. Remove it.")


# What no file system takes, and what leads out of a folder; `%` itself, so that it can be undone.
_UNSAFE = re.compile(r'^\.|[\x00-\x1f\x7f/\\:*?"<>|%]|[. ]$')


def file_stem(conversation: str) -> str:
    """A conversation's id as the stem of a file name, with unsafe characters percent-encoded.

    >>> file_stem("c1_a_1"), file_stem("train/607"), file_stem("..")
    ('c1_a_1', 'train%2F607', '%2E%2E')
    """
    return _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", conversation)


def from_file_stem(stem: str) -> str:
    """The conversation's id that `file_stem` wrote; any other stem is an id as it is.

    >>> from_file_stem("train%2F607"), from_file_stem("100%25"), from_file_stem("100%"), from_file_stem("a%20b")
    ('train/607', '100%', '100%', 'a%20b')
    """
    conversation = re.sub("%([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), stem)
    return conversation if file_stem(conversation) == stem else stem


_SENTENCE_END = re.compile(r"""(?<=[.!?…。！？])["'”’)\]]*(?:\s+(?=\S))""")
_ABBREVIATION = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|St|vs|e\.g|i\.e|approx)\.$", re.IGNORECASE)
# "etc." and "No." end a sentence as often as not; what follows tells.
_ENDS_UNLESS_LOWER = re.compile(r"\b(?:etc|[ap]\.m)\.$", re.IGNORECASE)
_ENDS_UNLESS_DIGIT = re.compile(r"\bNo\.$", re.IGNORECASE)


def sentences(text: str) -> list[str]:
    """Split one turn's text into sentences; no character but the white space between them is lost.

    >>> sentences("Yes. Item05 is 2.5 cm longer, e.g. at the back! Is it OK?")
    ['Yes.', 'Item05 is 2.5 cm longer, e.g. at the back!', 'Is it OK?']
    >>> sentences("No. I want No. 5, No. 6 etc. in red.")
    ['No.', 'I want No. 5, No. 6 etc. in red.']
    """
    parts: list[str] = []
    start = 0
    for end in _SENTENCE_END.finditer(text):
        part = text[start : end.end()].strip()
        if part and not _goes_on(part, text[end.end()]):
            parts.append(part)
            start = end.end()
    rest = text[start:].strip()
    return [*parts, rest] if rest else parts


def _goes_on(part: str, following: str) -> bool:
    if not part.endswith("."):
        return False
    tail = part[-12:]
    return bool(
        _ABBREVIATION.search(tail)
        or (following.islower() and _ENDS_UNLESS_LOWER.search(tail))
        or (following.isdigit() and _ENDS_UNLESS_DIGIT.search(tail))
    )
