"""Every fault that is known, once and always: nothing wrong is stored, nothing is lost, nothing is there twice.

The stand-in's own answers and faults are tested in `standin`; how one question after the other is chosen in `taggers`.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Stage
from standin import StandIn
from standin.faults import ANSWER_FAULTS, FAULTS, REQUEST_FAULTS, STOPPING_FAULTS, TRANSPORT_FAULTS

from annotator.db import Database
from annotator.flow.asking import Watch
from annotator.flow.tagging import tag
from annotator.models import Run
from flow.asked import calls, gemini, labelled, missing, retry, suggestions, with_label, wrong

ALL = 107
EXTRA = {"rate_minute": {"delay": 0.02}, "hang": {"delay": 5}}
LABELLED_ALWAYS = {
    "fenced", "prose_around", "trailing_comma", "nan_confidence", "word_confidence", "percent_confidence", "missing_confidence",
    "missing_tail", "missing_middle", "extra_ids", "duplicate_same", "string_ids", "case_space", "rerouted", "bad_schema",
}  # fmt: skip
"""Faults that a good reader sees through however often they come."""
SLIDES = ("slid", "slid_rows", "slid_tail")
MANNER = {"hang": {"timeout": "0.7"}}


@pytest.fixture(scope="module")
def db(built: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One project for all faults; every run is `fresh`, so that none lives on another's answers."""
    folder = Path(shutil.copytree(built.settings.project, tmp_path_factory.mktemp("faults") / "project"))
    database = Database(f"sqlite:///{folder / 'annotator.db'}")
    yield database
    database.close()


def strike(db: Database, standin: StandIn, fault: str, **often: object) -> Run:
    """A run that the fault strikes so often."""
    standin.faults([{"fault": fault, **EXTRA.get(fault, {}), **often}])
    return tag(db, gemini(f"{fault} {often}", **MANNER.get(fault, {})))


@pytest.mark.parametrize("fault", [*ANSWER_FAULTS, *TRANSPORT_FAULTS, *REQUEST_FAULTS])
def test_a_fault_that_strikes_once_leaves_everything_labelled(db: Database, standin: StandIn, fault: str) -> None:
    run = strike(db, standin, fault, times=1)
    assert (labelled(db, run), missing(db, run), run.finished_at is not None) == (ALL, [], True)
    assert standin.rules()[0]["times"] == 0


@pytest.mark.parametrize("fault", [one for one in (*ANSWER_FAULTS, *TRANSPORT_FAULTS, *REQUEST_FAULTS) if one not in SLIDES])
def test_a_fault_that_always_strikes_makes_nothing_wrong_and_what_failed_is_labelled_once_it_is_gone(
    db: Database, standin: StandIn, fault: str
) -> None:
    run = strike(db, standin, fault, times="always")
    assert run.finished_at is not None
    assert len(missing(db, run)) + labelled(db, run) == ALL
    assert labelled(db, run) == ALL or fault not in LABELLED_ALWAYS
    before = {one.utterance_id: one for one in suggestions(db, run)}
    standin.faults([])
    again = retry(db, run)
    assert (again.id, labelled(db, again)) == (run.id, ALL)
    assert {one.utterance_id: one for one in suggestions(db, again) if one.utterance_id in before} == before


@pytest.mark.parametrize("fault", SLIDES)
def test_where_every_answer_slides_nothing_wrong_is_stored(db: Database, standin: StandIn, fault: str) -> None:
    run = strike(db, standin, fault, times="always")
    assert wrong(db, run) == []
    assert with_label(db, run) + len(missing(db, run)) == ALL
    assert standin.stats()["calls"] < ALL, "a service that always slides is not paid for each utterance"


@pytest.mark.parametrize("fault", ANSWER_FAULTS)
def test_a_fault_of_every_third_answer_makes_nothing_wrong(db: Database, standin: StandIn, fault: str) -> None:
    run = strike(db, standin, fault, every=3)
    assert labelled(db, run) + len(missing(db, run)) == ALL


@pytest.mark.parametrize("fault", STOPPING_FAULTS)
@pytest.mark.parametrize("times", [1, "always"])
def test_a_fault_that_stops_says_why_keeps_everything_and_the_run_goes_on_once_it_is_gone(
    db: Database, standin: StandIn, fault: str, times: object
) -> None:
    run = strike(db, standin, fault, times=times)
    assert (run.finished_at, run.paused_at is not None) == (None, True)
    assert run.stopped
    rest = missing(db, run)
    assert {one.reason for one in rest} == {f"not asked yet: {run.stopped}"}
    assert labelled(db, run) + len(rest) == ALL
    standin.faults([])
    again = tag(db, gemini(f"{fault} {{'times': {times!r}}}"))
    assert (again.id, labelled(db, again), again.stopped) == (run.id, ALL, "")
    assert standin.stats()["bodies_clean_again"] == 0


def test_every_fault_is_in_the_matrix() -> None:
    assert {*ANSWER_FAULTS, *TRANSPORT_FAULTS, *REQUEST_FAULTS, *STOPPING_FAULTS} == set(FAULTS)


def test_a_blocked_utterance_alone_fails_with_the_reason(db: Database, standin: StandIn) -> None:
    standin.faults([{"fault": "blocked", "times": "always", "match": "It's October, so it'll be"}])
    run = tag(db, gemini("one blocked"))
    assert [(one.conversation, one.utterance, one.reason) for one in missing(db, run)] == [
        ("s1_d_1", "3", "the service refused the text (PROHIBITED_CONTENT)")
    ]
    assert labelled(db, run) == ALL - 1


def test_a_mixture_of_faults_makes_nothing_wrong_and_keeps_an_answer_of_every_call(db: Database, standin: StandIn) -> None:
    names = ("slid_tail", "missing_middle", "error_503", "wrong_role", "drop", "truncated", "renumbered")
    standin.faults([{"fault": name, "share": 0.15} for name in names])
    told: list[str] = []
    run = tag(db, gemini("mixture"), Watch(tell=told.append))
    assert labelled(db, run) + len(missing(db, run)) == ALL
    assert len(calls(db, run)) == standin.stats()["answered"]
    assert told == []
