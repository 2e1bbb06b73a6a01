"""Files in: conversations stored once, their text never changed; everything of one command in one transaction.

The labels, gold and proposals that come along are `flow/intake_facts.py`'s.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select
from sqlmodel import Session, SQLModel, col

from annotator import models
from annotator.core.transcript import Item, ItemRating, Record, Scenario, Transcript
from annotator.errors import BadInput, Conflict
from annotator.flow.intake_facts import Facts, Places
from annotator.flow.intake_report import Met, Options, Report
from annotator.flow.taxonomy import current
from annotator.importers import importer_for
from annotator.importers.base import Source
from annotator.models import Conversation, Turn, Utterance

_BATCH = 250

Progress = Callable[[Source, Report], None]


def import_paths(
    session: Session, paths: Iterable[Path], format_name: str | None, options: Options, progress: Progress = lambda *_: None
) -> Report:
    """Import files and folders. Raises `BadInput` or `Conflict` for the first thing wrong; the caller's transaction undoes all."""
    version, taxonomy = current(session)
    report = Report()
    facts = Facts(session, version, taxonomy, options, report)
    for path in paths:
        source = Source(path)
        intake = _Intake(session, facts, report)
        records = importer_for(source, format_name).read(source)
        for batch in _batches(records):
            intake.store(batch)
            progress(source, report)
    return report


def _batches(records: Iterator[Record]) -> Iterator[list[Record]]:
    while batch := list(islice(records, _BATCH)):
        yield batch


class _Intake:
    """Stores the records of one file or folder."""

    def __init__(self, session: Session, facts: Facts, report: Report) -> None:
        self.session, self.facts, self.report = session, facts, report

    def store(self, batch: list[Record]) -> None:
        transcripts = [record for record in batch if isinstance(record, Transcript)]
        have = self._have([transcript.id for transcript in transcripts])
        self.report.meet(Met(one.id, sum(len(turn.utterances) for turn in one.turns), one.id not in have) for one in transcripts)
        self._store_new([transcript for transcript in transcripts if transcript.id not in have])
        self._store_known([(transcript, *have[transcript.id]) for transcript in transcripts if transcript.id in have])
        for record in batch:
            if not isinstance(record, Transcript):
                self._store_extra(record)

    def _have(self, keys: list[str]) -> dict[str, tuple[int, str]]:
        statement = select(col(Conversation.key), col(Conversation.id), col(Conversation.text_hash))
        return {row.key: (row.id, row.text_hash) for row in self.session.execute(statement.where(col(Conversation.key).in_(keys)))}

    def _store_new(self, transcripts: list[Transcript]) -> None:
        if not transcripts:
            return
        ids = self._insert_conversations(transcripts)
        self._insert(Turn, [row for t in transcripts for row in _turn_rows(t, ids[t.id])])
        rows = [row for t in transcripts for row in _utterance_rows(t, ids[t.id])]
        self._insert(Utterance, rows)
        places = self._places([ids[t.id] for t in transcripts])
        self.report.conversations += len(transcripts)
        self._note_roles({row["role"] for row in rows})
        self.report.utterances += len(rows)
        self.facts.store([(t, ids[t.id], places[ids[t.id]]) for t in transcripts], known=False)

    def _note_roles(self, roles: set[str]) -> None:
        known = {*self.facts.taxonomy.roles, *self.report.roles_without_codes}
        self.report.roles_without_codes.extend(sorted(roles - known))

    def _insert_conversations(self, transcripts: list[Transcript]) -> dict[str, int]:
        rows = []
        for transcript in transcripts:
            if any(not utterance.text for _, utterance in transcript.utterances()):
                raise BadInput(
                    f"{transcript.place}: conversation {transcript.id} is not in this project and its text is not in the file. "
                    "Import the transcript first, or add a text column."
                )
            n_utterances = sum(len(turn.utterances) for turn in transcript.turns)
            rows.append(
                {
                    "key": transcript.id,
                    "text_hash": transcript.text_hash(),
                    "meta": transcript.meta,
                    "n_utterances": n_utterances,
                    "created_at": models.now(),
                }
            )
        made = self.session.connection().execute(insert(Conversation).returning(col(Conversation.key), col(Conversation.id)), rows)
        return {row.key: row.id for row in made}

    def _insert(self, table: type[SQLModel], rows: list[dict[str, Any]]) -> None:
        self.session.connection().execute(insert(table), rows)

    def _places(self, conversation_ids: list[int]) -> dict[int, Places]:
        statement = select(col(Utterance.conversation_id), col(Utterance.key), col(Utterance.id))
        places: dict[int, Places] = {conversation_id: {} for conversation_id in conversation_ids}
        for row in self.session.execute(statement.where(col(Utterance.conversation_id).in_(conversation_ids))):
            places[row.conversation_id][row.key] = row.id
        return places

    def _store_known(self, known: list[tuple[Transcript, int, str]]) -> None:
        """Match conversations that are here already: the same text, or for a table of labels the same text where it says one."""
        self.report.known_conversations += len(known)
        matched = [(t, conversation_id, self._match(t, conversation_id, text_hash)) for t, conversation_id, text_hash in known]
        self.facts.store(matched, known=True)

    def _match(self, transcript: Transcript, conversation_id: int, text_hash: str) -> Places:
        statement = select(Utterance).where(col(Utterance.conversation_id) == conversation_id).order_by(col(Utterance.position))
        here = list(self.session.scalars(statement))
        if transcript.text_hash() == text_hash:
            # The ids of utterances may differ between formats; their order cannot.
            ids = (utterance.id for _, utterance in transcript.utterances())
            return {given: row.id or 0 for given, row in zip(ids, here, strict=True)}
        by_key = {row.key: row for row in here}
        given = list(transcript.utterances())
        complete = transcript.partial or len(given) == len(here)
        for turn, utterance in given:
            row = by_key.get(utterance.id)
            if not (complete and row and row.role == turn.role and utterance.text in ("", row.text)):
                raise Conflict(
                    f"{transcript.place}: conversation {transcript.id} is in this project with a different text (see utterance "
                    f"{utterance.id}). Text is never changed: give the new one another id."
                )
        return {row.key: row.id or 0 for row in here}

    def _store_extra(self, record: Scenario | Item | ItemRating) -> None:
        if isinstance(record, Scenario):
            self.report.scenarios += self._add_once(models.Scenario, {"key": record.id}, body=record.body)
        elif isinstance(record, Item):
            key = {"catalogue": record.catalogue, "number": record.number}
            picture = {"picture": record.picture, "picture_type": record.picture_type}
            self.report.items += self._add_once(models.Item, key, name=record.name, meta=record.meta, **picture)
        else:
            conversation = self._have([record.conversation]).get(record.conversation)
            if conversation is not None:
                key = {"conversation_id": conversation[0], "role": record.role}
                self.report.ratings += self._add_once(models.ItemRating, key, row=record.row)

    def _add_once(self, table: type[SQLModel], key: dict[str, Any], **values: Any) -> int:
        """Add a row unless its key is there; the first stays. Returns how many were added."""
        if self.session.execute(select(table).filter_by(**key).limit(1)).first() is not None:
            return 0
        self.session.add(table(**key, **values))
        self.session.flush()
        return 1


def _turn_rows(transcript: Transcript, conversation_id: int) -> Iterator[dict[str, Any]]:
    for position, turn in enumerate(transcript.turns, 1):
        yield {
            "conversation_id": conversation_id,
            "position": position,
            "number": turn.number,
            "role": turn.role,
            "timestamp": turn.timestamp,
        }


def _utterance_rows(transcript: Transcript, conversation_id: int) -> Iterator[dict[str, Any]]:
    position = 0
    for turn_position, turn in enumerate(transcript.turns, 1):
        for utterance in turn.utterances:
            position += 1
            yield {
                "conversation_id": conversation_id,
                "position": position,
                "turn_position": turn_position,
                "key": utterance.id,
                "role": turn.role,
                "text": utterance.text,
            }
