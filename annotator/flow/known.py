"""What a tagger may learn from and show (rule 11): the sample, gold, closed rounds, and imported labels when asked by name.

Never the labels of an open round: they would reach the other annotators through the proposal.
"""

from dataclasses import replace

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, col

from annotator.core.labelled import split_codes
from annotator.core.taxonomy import Taxonomy
from annotator.core.transcript import Transcript, Turn, Utterance
from annotator.errors import BadInput
from annotator.flow.accounts import get_user
from annotator.flow.corpus import read_transcripts
from annotator.flow.standing import first_submitted, settled
from annotator.importers import importer_for
from annotator.importers.base import Source
from annotator.models import UNANIMOUS, Assignment, Decision, Gold, Kind, Round
from annotator.models import Utterance as UtteranceRow
from annotator.paths import shipped


def known_labels(session: Session, taxonomy: Taxonomy, train_on: tuple[str, ...]) -> list[Transcript]:
    """Transcripts whose `gold` a tagger may learn from. Where several sources know an utterance, gold wins."""
    labels: dict[int, tuple[str, ...]] = {}
    for name in train_on:
        labels |= _imported_labels(session, name)
    labels |= _labels(session, col(Round.closed_at).is_not(None) & (col(Decision.kind) != Kind.IMPORT))
    labels |= _gold(session)
    known = list(read_transcripts(session, _conversations_of(session, labels), gold=labels))
    ids = {transcript.id for transcript in known}
    return [transcript for transcript in sample_labels(taxonomy) if transcript.id not in ids] + known


def sample_labels(taxonomy: Taxonomy) -> list[Transcript]:
    """The shipped sample with its codes as gold, as far as the taxonomy has them."""
    sample = Source(shipped("sample"))
    records = importer_for(sample, "vogue").read(sample)
    return [_own_label_as_gold(record, taxonomy) for record in records if isinstance(record, Transcript)]


def _own_label_as_gold(transcript: Transcript, taxonomy: Taxonomy) -> Transcript:
    def settled(role: str, utterance: Utterance) -> Utterance:
        codes = tuple(code for label in utterance.labels for code in label.codes if taxonomy.known(role, code))
        return replace(utterance, labels=(), gold=codes or None)

    def settled_turn(turn: Turn) -> Turn:
        return replace(turn, utterances=tuple(settled(turn.role, utterance) for utterance in turn.utterances))

    return replace(transcript, turns=tuple(map(settled_turn, transcript.turns)))


def _imported_labels(session: Session, name: str) -> dict[int, tuple[str, ...]]:
    user = get_user(session, name)
    labels = _labels(session, (col(Assignment.user_id) == user.id) & (col(Decision.kind) == Kind.IMPORT))
    if not labels:
        raise BadInput(f"No imported labels belong to {name}, so there is nothing to learn from. `annotator import --as` makes them.")
    return labels


def _labels(session: Session, where: ColumnElement[bool]) -> dict[int, tuple[str, ...]]:
    """First-submitted, non-empty labels whose assignment, round and decision meet `where`; not those of repeats."""
    allowed = (
        select(col(Decision.id))
        .join(Assignment, col(Assignment.id) == col(Decision.assignment_id))
        .join(Round, col(Round.id) == col(Assignment.round_id))
        .where(where, ~col(Assignment.repeat))
    )
    rows = session.execute(first_submitted(col(Decision.id).in_(allowed)))
    return {row.utterance_id: split_codes(row.codes) for row in rows if row.codes}


def _gold(session: Session) -> dict[int, tuple[str, ...]]:
    """Gold, but for what equal labels settled by themselves in a round that is open: that would be the labels of an open round."""
    still_open = select(col(Round.id)).where(col(Round.closed_at).is_(None), col(Round.name) != "")
    by_themselves = col(Gold.rule).in_(UNANIMOUS) & func.coalesce(col(Gold.round_id), 0).in_(still_open)
    return {row.utterance_id: split_codes(row.codes) for row in session.execute(settled(~by_themselves)) if row.codes}


def _conversations_of(session: Session, labels: dict[int, tuple[str, ...]]) -> list[int]:
    if not labels:
        return []
    pairs = session.execute(select(col(UtteranceRow.id), col(UtteranceRow.conversation_id)))
    return sorted({row.conversation_id for row in pairs if row.id in labels})
