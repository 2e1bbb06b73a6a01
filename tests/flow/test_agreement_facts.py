"""What a project, or a long table, knows beside the figures of agreement."""

from pathlib import Path

import pytest
from sqlalchemy import Select, select
from sqlmodel import Session, col

from annotator import read_labels
from annotator.core.agreement import Asked
from annotator.core.agreement.methods import Settled, methods
from annotator.core.labelled import Labelled
from annotator.db import Database
from annotator.flow import agreement
from annotator.flow.access import EVERYTHING, agreement_view
from annotator.flow.accounts import get_user
from annotator.flow.agreement_facts import SOFTWARE, facts_of, facts_of_rows
from annotator.flow.export import export_to
from annotator.flow.intake import import_paths
from annotator.flow.intake_facts import Options
from annotator.flow.review import Act
from annotator.flow.round import Wanted, create_round, extend_round
from annotator.models import Assignment, Conversation, Round, User
from flow.golden import FIRST, SECOND, decide, differ
from flow.steps import SIZES, act, hand_in, label

ALL = Asked()


def test_how_the_round_was_drawn_and_what_a_label_is(session: Session) -> None:
    assert facts_of(session, EVERYTHING, ALL).drawn == ()
    differ(session)
    found = facts_of(session, EVERYTHING, ALL)
    (drawn,) = found.drawn
    assert (drawn.round, drawn.n_annotators, drawn.overlap, drawn.seed, drawn.conversations) == ("r1", 2, None, 1, "all conversations")
    assert (found.first, found.codes_per_label, found.software) == (True, (1, 3), SOFTWARE)
    assert SOFTWARE.startswith("conversation-annotator 0.")
    assert found.proposals[0].startswith("run 1 of the tagger scripted (version ")


def test_every_round_with_labels_is_told_of_and_what_was_added_to_it(session: Session) -> None:
    wanted = Wanted("r2", ("alice", "cem"), overlap=1, seed=7, selection={"only": ["s1_*"], "sample": ["1", "3"]})
    create_round(session, wanted)
    extend_round(session, "r2", selection={"only": ["s2_*"]})
    differ(session)
    who = next(name for name in wanted.annotators if session.scalars(_assigned(name, "r2")).first())
    label(session, who, "s1_d_1", 2, "PEP", round_name="r2")
    hand_in(session, who, "s1_d_1", "r2")
    first, second = facts_of(session, EVERYTHING, ALL).drawn
    assert (first.round, second.round, second.overlap, second.seed) == ("r1", "r2", 1, 7)
    assert second.conversations == "conversations named s1_*, of these 1 drawn by lot with seed 3; more were added later"
    assert facts_of(session, EVERYTHING, Asked(round="r2")).drawn == (second,)


def _assigned(name: str, round_name: str) -> Select[int | None]:
    joined = select(col(Assignment.id)).join(Round, col(Round.id) == col(Assignment.round_id)).join(User).join(Conversation)
    return joined.where(col(User.name) == name, col(Round.name) == round_name, col(Conversation.key) == "s1_d_1")


def test_skips_and_open_utterances_are_counted_per_label_to_give(session: Session) -> None:
    differ(session)
    before = facts_of(session, EVERYTHING, ALL)
    assert (before.n_labels, before.n_skipped, before.n_blank) == (64, 0, 58)
    act(session, "alice", "s2_d_2", 1, Act.SKIP)
    hand_in(session, "alice", "s2_d_2")
    found = facts_of(session, EVERYTHING, ALL)
    assert (found.n_labels, found.n_skipped, found.n_blank) == (64 + SIZES["s2_d_2"], 1, 58 + SIZES["s2_d_2"] - 1)
    assert facts_of(session, EVERYTHING, Asked(between=("bob", "cem"))).n_labels == 32
    assert facts_of(session, EVERYTHING, Asked(condition="blind")).n_labels == 0
    assert facts_of(session, EVERYTHING, Asked(round="r1")) == found


def test_what_adjudication_changed(session: Session) -> None:
    utterance = differ(session)
    assert facts_of(session, EVERYTHING, ALL).settled == Settled(2, 0, 0, 0)
    decide(session, utterance, FIRST["Seeker"])
    assert facts_of(session, EVERYTHING, ALL).settled == Settled(3, 1, 1, 0)
    decide(session, utterance, FIRST["Seeker"], SECOND["Seeker"])
    found = facts_of(session, EVERYTHING, ALL)
    assert found.settled == Settled(3, 1, 1, 1)
    assert facts_of(session, EVERYTHING, Asked(condition="blind")).settled is None
    assert facts_of(session, agreement_view(get_user(session, "alice")), ALL).settled is None
    said = methods(agreement.report(session, EVERYTHING), found)
    assert "settled 1 of 3 utterances with gold" in said and "on 1 (100 %) from what each of them had said" in said


def test_a_table_of_the_project_knows_gold_and_gaps(db: Database, tmp_path: Path) -> None:
    with db.writing() as session:
        utterance = differ(session)
        decide(session, utterance, SECOND["Seeker"], "RP")
    with db.reading() as session:
        export_to(session, EVERYTHING, tmp_path / "labels.csv")
        wanted = facts_of(session, EVERYTHING, ALL)
    found = facts_of_rows(read_labels(tmp_path / "labels.csv"), ALL)
    assert (found.n_labels, found.n_blank, found.settled) == (wanted.n_labels, wanted.n_blank, wanted.settled)
    assert (found.drawn, found.first, found.n_skipped, found.codes_per_label) == ((), False, None, None)


def test_labels_from_a_file_are_not_said_to_be_first(session: Session, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    rows = [f"s1_d_1,{at},Seeker,{who},PEP" for at in (2, 3) for who in ("dan", "eva")]
    table.write_text("\n".join(["conversation,utterance,role,annotator,codes", *rows]), encoding="utf-8")
    import_paths(session, [table], "csv", Options())
    found = facts_of(session, EVERYTHING, ALL)
    assert (found.drawn, found.first) == ((), False)
    assert "[how they were selected]" in methods(agreement.report(session, EVERYTHING), found)


@pytest.mark.parametrize(
    ("asked", "n_labels", "n_blank"),
    [(ALL, 6, 1), (Asked(round="r1"), 6, 1), (Asked(between=("ana", "ben")), 4, 0), (Asked(condition="blind"), 0, 0)],
)
def test_a_table_says_whose_proposals_and_how_many_labels_are_missing(asked: Asked, n_labels: int, n_blank: int) -> None:
    first = Labelled("c1", "1", "Seeker", "ana", ("IQ",), condition="assisted", round="r1", model_version="m-1", prompt_hash="9f2c")
    rows = [first._replace(annotator=who, utterance=at) for who in ("ana", "ben", "cem") for at in "12"][:5]
    found = facts_of_rows([*rows, first._replace(repeat=True)], asked)
    assert (found.n_labels, found.n_blank, found.settled) == (n_labels, n_blank, None)
    assert found.proposals == (("m-1 (prompt 9f2c)",) if n_labels else ())


def test_gold_of_another_tool_says_nothing_of_adjudication() -> None:
    row = Labelled("c1", "1", "Seeker", "ana", ("IQ",), gold=("IQ",))
    assert facts_of_rows([row], ALL).settled is None
    assert facts_of_rows([row._replace(gold_rule="unanimous")], ALL).settled == Settled(1, 0, 0, 0)
