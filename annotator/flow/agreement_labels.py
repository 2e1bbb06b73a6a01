"""The labels that figures of agreement are made of, as the rows of a long table: what others need to work them out again."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from sqlalchemy import select
from sqlmodel import Session, col

from annotator.core.agreement import Asked
from annotator.core.labelled import Labelled, split_codes
from annotator.flow.access import View
from annotator.flow.agreement_facts import is_asked_for
from annotator.flow.corpus import shown_names
from annotator.flow.handed_in import rows_handed_in
from annotator.models import Conversation, Utterance

_UTTERANCES = (
    select(col(Conversation.key), col(Utterance.key), col(Utterance.role))
    .join(Conversation, col(Conversation.id) == col(Utterance.conversation_id))
    .order_by(col(Conversation.id), col(Utterance.position))
)


def labels_of(rows: Iterable[Labelled], asked: Asked) -> list[Labelled]:
    """Of a long table the labels asked for, repeats with them, utterance by utterance. One without any has a row without annotator, so
    that it stays known how much there is to label.

    >>> rows = [Labelled("c1", "1", "Seeker", who, ("IQ",), round="r1") for who in ("ana", "ben")]
    >>> rows.append(rows[0]._replace(utterance="2", round="r2"))
    >>> [(row.utterance, row.annotator) for row in labels_of(rows, Asked(round="r1"))]
    [('1', 'ana'), ('1', 'ben'), ('2', '')]
    """
    found: dict[tuple[str, str, str], list[Labelled]] = defaultdict(list)
    for row in rows:
        of_utterance = found[row[:3]]
        if is_asked_for(row._replace(repeat=False), asked):
            of_utterance.append(row)
    return [row for where, said in found.items() for row in said or [Labelled(*where, "", ())]]


def labels_in(session: Session, view: View, asked: Asked) -> list[Labelled]:
    """The same of a project, as they were first handed in; skips are no labels."""
    return labels_of(_rows(session, view, asked.round), asked)


def _rows(session: Session, view: View, round_name: str | None) -> Iterator[Labelled]:
    names = shown_names(session, view)
    said = defaultdict(list)
    for one in rows_handed_in(session, view, round_name):
        for role, labels in one.labels.items():
            said[one.conversation, role].append((one, labels))
    places = Counter[tuple[str, str]]()
    for conversation, utterance, role in session.execute(_UTTERANCES):
        at = places[conversation, role]
        places[conversation, role] += 1
        yield Labelled(conversation, utterance, role, "", ())
        for one, labels in said[conversation, role]:
            if isinstance(label := labels[at], str):
                yield Labelled(
                    conversation, utterance, role, names[one.user_id], split_codes(label),
                    condition=one.condition, round=one.round, taxonomy_version=one.version, repeat=one.repeat,
                )  # fmt: skip
