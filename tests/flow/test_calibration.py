"""Calibration of a run: what counts as an observation, folds by conversation, what is stored, what is refused."""

import json
from collections.abc import Iterator
from itertools import product

import pytest
from conftest import CONVERSATIONS
from sqlalchemy import update
from sqlmodel import Session, col, select

from annotator.core.calibration import brier, probability
from annotator.db import Database
from annotator.errors import AnnotatorError, BadInput
from annotator.flow import calibration
from annotator.flow.calibration import Observed, calibrate, folds, measure, newest, out_of_fold
from annotator.flow.intake import import_paths
from annotator.flow.intake_facts import Options
from annotator.models import Calibration, Condition, Decision, Run, Suggestion
from annotator.paths import shipped
from flow.steps import blind, hand_in, label, settle, utterance_id


def published(session: Session, *conversations: str, name: str = "ana") -> None:
    """The sample's labels of these conversations, as those of somebody: 32, 38 and 37."""
    files = [shipped("sample") / "transcripts" / f"{one}.json" for one in conversations or CONVERSATIONS]
    import_paths(session, files, None, Options(as_name=name))


def as_if_blind(session: Session, conversation: str) -> None:
    at = [utterance_id(session, conversation, position) for position in range(1, 33)]
    session.execute(update(Decision).where(col(Decision.utterance_id).in_(at)).values(condition=Condition.BLIND))


def stated(session: Session) -> None:
    """Confidences that tell something: high where the proposal is right, with some noise."""
    for at, one in enumerate(session.exec(select(Suggestion).order_by(col(Suggestion.utterance_id)))):
        right = session.exec(select(Decision.codes).where(col(Decision.utterance_id) == one.utterance_id)).first()
        one.confidence = round((0.9 if right and one.codes.split("|")[0] in right.split("|") else 0.5) - 0.05 * (at % 5), 2)
    session.flush()


def observed(*counts: tuple[str, float, int, int]) -> list[Observed]:
    """Observations as (conversation, stated, hits, misses)."""
    return list(_observed(*counts))


def _observed(*counts: tuple[str, float, int, int]) -> Iterator[Observed]:
    for conversation, confidence, hits, misses in counts:
        yield from [Observed(conversation, confidence, True)] * hits + [Observed(conversation, confidence, False)] * misses


# What is measured


def test_a_run_is_measured_on_all_labels_with_a_warning_where_none_is_blind(session: Session) -> None:
    published(session)
    found = measure(session, 1)
    figures = found.figures
    assert (figures["n"], figures["n_conversations"], figures["n_folds"], figures["subset"]) == (107, 3, 3, "all")
    assert (figures["against"], figures["warning"][:40]) == ("everybody", "None of the 107 labels of all people use")
    assert sum(one["n"] for one in figures["bins_before"]) == sum(one["n"] for one in figures["bins_after"]) == 107
    assert json.loads(json.dumps(figures)) == figures


def test_labels_of_several_people_on_an_utterance_are_several_observations(session: Session) -> None:
    published(session)
    published(session, "s1_d_1", name="ben")
    assert measure(session, 1).figures["n"] == 107 + 32
    assert measure(session, 1, "ana").figures["n"] == 107


def test_blind_labels_count_alone_and_too_few_of_them_are_refused_with_the_way_out(session: Session) -> None:
    published(session)
    as_if_blind(session, "s1_d_1")
    with pytest.raises(BadInput) as refused:
        measure(session, 1)
    assert "Run 1 has 32 suggestions with a confidence and a label, in 1 conversations." in str(refused.value)
    assert "or use the 75 labels that are not blind too: --all" in str(refused.value)
    assert measure(session, 1, every=True).figures["warning"].startswith("Only 32 of the 107 labels of all people used here are known")
    as_if_blind(session, "s2_d_2")
    figures = measure(session, 1).figures
    assert (figures["n"], figures["n_conversations"], figures["subset"], figures["warning"]) == (64, 2, "blind", "")


def test_labels_made_blind_on_the_desk_are_blind_here(session: Session) -> None:
    blind(session, "r1", "s1_d_1", "s2_d_2")
    for conversation, position in product(("s1_d_1", "s2_d_2"), range(1, 16)):
        codes = session.get_one(Suggestion, (utterance_id(session, conversation, position), 1)).codes.split("|")
        label(session, "alice", conversation, position, *codes)
    for conversation in ("s1_d_1", "s2_d_2"):
        hand_in(session, "alice", conversation)
    figures = measure(session, 1, "alice").figures
    assert (figures["n"], figures["subset"], figures["share"], figures["auroc"]) == (30, "blind", 1.0, None)
    assert figures["undefined"] == {"auroc": "all 30 are hits"}
    assert "AUROC  undefined: all 30 are hits" in calibration.as_text(measure(session, 1, "alice"))


def test_gold_can_be_what_is_right(session: Session) -> None:
    published(session)
    for conversation, position in product(("s1_d_1", "s2_d_2"), range(1, 21)):
        settle(session, conversation, position, "RTI")
    assert (measure(session, 1, "gold").figures["against"], measure(session, 1, "gold").figures["n"]) == ("gold", 40)


def test_the_first_proposed_code_among_the_labels_codes_is_a_hit(session: Session) -> None:
    published(session)
    first = utterance_id(session, "s1_d_1", 2)
    ours = session.get_one(Suggestion, (first, 1))
    theirs = session.exec(select(Decision).where(col(Decision.utterance_id) == first)).one()
    hits = []
    for ours.codes, theirs.codes in (("PCT|PEP", "NR|PCT"), ("PCT|PEP", "PEP"), ("", "PEP"), ("", ""), ("PCT", "")):
        session.flush()
        figures = measure(session, 1).figures
        hits.append(round(figures["share"] * figures["n"]))
    assert [one - min(hits) for one in hits] == [1, 0, 0, 1, 0]


def test_suggestions_without_a_confidence_are_left_out(session: Session) -> None:
    published(session)
    session.execute(update(Suggestion).where(col(Suggestion.codes) == "RTI").values(confidence=None))
    session.expire_all()
    n = len(session.exec(select(Suggestion).where(col(Suggestion.confidence).is_not(None))).all())
    assert measure(session, 1).figures["n"] == n
    session.execute(update(Suggestion).values(confidence=None))
    with pytest.raises(BadInput, match="Run 1 has 0 suggestions with .* 107 labels are on suggestions without a confidence"):
        measure(session, 1)


def test_the_fit_rises_and_brings_stated_nearer_to_what_came_true(session: Session) -> None:
    published(session)
    stated(session)
    found = measure(session, 1)
    knots, figures = found.knots, found.figures
    assert knots == sorted(knots) and [one[1] for one in knots] == sorted(one[1] for one in knots)
    assert probability(knots, 0.3) == 0.0 and probability(knots, 0.9) == 1.0
    assert figures["auroc"] == 1.0
    assert figures["ece_after"] < figures["ece_before"] and figures["brier_after"] < figures["brier_before"]


def test_an_unfinished_run_is_measured_with_a_warning(session: Session) -> None:
    published(session)
    session.get_one(Run, 1).finished_at = None
    session.flush()
    assert "Run 1 is not finished: used is what it has, 107 suggestions." in measure(session, 1).figures["warning"]


# Folds


def test_no_conversation_is_fitted_on_and_tested_on() -> None:
    seen = observed(*((f"c{at}", 0.5, at % 4 + 1, 2) for at in range(23)))
    parts = folds(seen)
    assert len(parts) == 10
    assert sorted(at for _, test in parts for at in test) == list(range(len(seen)))
    for fit, test in parts:
        assert not {seen[at].conversation for at in fit} & {seen[at].conversation for at in test}


def test_what_is_reported_was_never_seen_by_its_fit() -> None:
    # One conversation all right, one all wrong: whoever fits on one knows nothing true of the other.
    seen = observed(("c1", 0.5, 20, 0), ("c2", 0.5, 0, 20))
    after = out_of_fold(seen)
    assert brier(list(zip(after, (one.hit for one in seen), strict=True))) == 1.0


# What is stored


def test_every_measurement_is_kept_and_the_newest_counts(db: Database) -> None:
    with db.writing() as session:
        published(session)
        assert newest(session, 1) is None
    first, second = calibrate(db, 1), calibrate(db, 1, "ana")
    with db.reading() as session:
        found = newest(session, 1)
        assert found is not None
        assert (found.id, found.figures, found.knots) == (second.id, second.figures, second.knots)
        assert first.id != second.id and len(session.exec(select(Calibration)).all()) == 2
        assert newest(session, 2) is None
    assert calibration.as_dict(found)["run"] == 1


def test_a_refusal_stores_nothing(db: Database) -> None:
    with pytest.raises(BadInput):
        calibrate(db, 1)
    with db.reading() as session:
        assert newest(session, 1) is None


@pytest.mark.parametrize(
    ("run_id", "against", "said"),
    [
        (9, None, "There is no run 9. Known: 1."), (1, "zoe", "There is no annotator 'zoe'"), (1, "gold", "There is no gold yet"),
        (1, "1", "A run is calibrated on people's labels, not on run 1."),
        (1, None, "Run 1 has 0 suggestions with a confidence and a label, in 0 conversations. Calibration needs 30 in 2 conversations."),
    ],
)  # fmt: skip
def test_what_cannot_be_measured_is_a_sentence(session: Session, run_id: int, against: str | None, said: str) -> None:
    with pytest.raises(AnnotatorError) as refused:
        measure(session, run_id, against)
    assert said in str(refused.value)
