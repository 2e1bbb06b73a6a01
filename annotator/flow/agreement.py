"""Agreement between people: which labels are compared, and what is known beside them; counted in `core/agreement/`.

Of a project the labels are those standing at the first submission (`flow/handed_in.py`), of a table those in it.
"""

from collections.abc import Iterable
from dataclasses import replace
from math import comb
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from annotator.core.agreement import Asked, Corpus, page_of, pairs_of_sample, summary_of, suspicions_of, table_of_rows
from annotator.core.agreement.mismatches import watched
from annotator.core.labelled import Labelled
from annotator.core.taxonomy import Taxonomy
from annotator.errors import BadInput
from annotator.flow.access import View, compared
from annotator.flow.handed_in import as_it_stands, handed_in
from annotator.flow.taxonomy import current, current_version
from annotator.models import Assignment, Conversation, Round, Submission, User, Utterance

Codebook = dict[str, dict[str, str]]
ALL = Asked()


def report(session: Session, view: View, asked: Asked = ALL, most_pairs: int | None = None) -> dict[str, Any]:
    """All figures over what was handed in, of one round or of all: those of `summary`, and every figure of every pair, which are left
    out where there are more than `most_pairs`.

    One person's view has the pairs that they are in, the others as `annotator-1` and so on, and nothing of all annotators at once.
    """
    sample, asked, codebook = read(session, view, asked)
    found = _summary(session, view, sample, asked, codebook)
    return _pairs(found, sample, asked, codebook, most_pairs) | found


def summary(session: Session, view: View, asked: Asked = ALL) -> dict[str, Any]:
    """The figures that a lead reads first, without those of every pair, which take long where there are many."""
    return _summary(session, view, *read(session, view, asked))


def page(session: Session, view: View, asked: Asked = ALL) -> dict[str, Any]:
    """`summary`, with every figure of the pair where two annotators are looked at."""
    sample, asked, codebook = read(session, view, asked)
    return page_of(sample, asked, codebook, _corpus(session), as_it_stands(session, view, _only(view, asked)))


def report_of(
    rows: Iterable[Labelled], asked: Asked = ALL, taxonomy: Taxonomy | None = None, most_pairs: int | None = None
) -> dict[str, Any]:
    """The same over the rows of a long table; repeats are the same person once more and in no figure between people.

    Its warnings also say what in the table looks unmeant.
    """
    warnings: list[str] = []
    (sample, corpus), codebook = table_of_rows(watched(rows, warnings)), codebook_of(taxonomy)
    if asked.round is not None and asked.round not in sample.rounds:
        raise BadInput(f"The table has no labels of a round {asked.round!r}. Leave --round out to use all rows.")
    found = summary_of(sample, asked, codebook, corpus)
    found = _pairs(found, sample, asked, codebook, most_pairs) | found
    return found | {"warnings": [*found["warnings"], *warnings, *suspicions_of(sample, asked)]}


def codebook_of(taxonomy: Taxonomy | None) -> Codebook:
    """Role → code → category, of all codes there are to choose from."""
    if taxonomy is None:
        return {}
    return {role: {code: found.category for code, found in codes.items()} for role, codes in taxonomy.by_role.items()}


def rounds_with_labels(session: Session, view: View) -> list[str]:
    """The names of rounds in which something was handed in that this view may compare, newest first."""
    statement = (
        select(col(Round.name))
        .join(Assignment, col(Assignment.round_id) == col(Round.id))
        .join(Submission, col(Submission.assignment_id) == col(Assignment.id))
        .where(compared(view))
        .group_by(col(Round.name), col(Round.id))
        .order_by(col(Round.id).desc())
    )
    return list(session.scalars(statement))


def read(session: Session, view: View, asked: Asked) -> tuple[Any, Asked, Codebook]:
    """The sample, what is asked of it as far as the view goes, and the codes there are to choose from."""
    if asked.round is not None and asked.round not in (known := rounds_with_labels(session, view)):
        if view.only_user_id is not None:
            raise BadInput(f"No closed round of yours is called {asked.round!r}. Closed are: {', '.join(known) or 'none yet'}.")
        raise BadInput(f"Nothing was handed in for a round {asked.round!r}. Known: {', '.join(filter(None, known)) or 'none'}.")
    if view.only_user_id is not None:
        asked = replace(asked, of=session.get_one(User, view.only_user_id).name)
    known_taxonomy = current(session)[1] if current_version(session) is not None else None
    return handed_in(session, view, _only(view, asked)), asked, codebook_of(known_taxonomy)


def _only(view: View, asked: Asked) -> str | None:
    """Leads see how kappa went over all rounds. The numbers that one person's view gives the others hold for a single answer."""
    return asked.round if view.only_user_id is not None else None


def _summary(session: Session, view: View, sample: Any, asked: Asked, codebook: Codebook) -> dict[str, Any]:
    return summary_of(sample, asked, codebook, _corpus(session), as_it_stands(session, view, _only(view, asked)))


def _pairs(found: dict[str, Any], sample: Any, asked: Asked, codebook: Codebook, most: int | None) -> dict[str, Any]:
    too_many = most is not None and comb(found["overview"]["n_annotators"], 2) > most
    return {} if too_many else pairs_of_sample(sample, asked, codebook)


def _corpus(session: Session) -> Corpus:
    n = session.scalar(select(func.count()).select_from(Conversation)) or 0
    by_role = select(col(Utterance.role), func.count()).group_by(col(Utterance.role))
    return Corpus(n, dict(tuple(row) for row in session.execute(by_role)))
