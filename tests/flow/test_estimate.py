"""The plan of a run with a provider: it sends and stores nothing, and what the run then takes lies where it said."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from standin import StandIn

from annotator.db import Database
from annotator.errors import BadInput
from annotator.flow.estimate import Plan, plan, plan_dict
from annotator.flow.intake import import_paths
from annotator.flow.intake_facts import Options
from annotator.flow.runs import Order
from annotator.flow.tagging import tag
from annotator.models import Run
from annotator.paths import shipped
from flow.asked import calls, gemini, labelled, make_project, talk, talks
from flow.steps import dump


@pytest.fixture(scope="module")
def sample_folder(empty_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that holds the whole sample: twelve conversations, 445 utterances."""
    folder = tmp_path_factory.mktemp("sample") / "project"
    shutil.copytree(empty_folder, folder)
    db = Database(f"sqlite:///{folder / 'annotator.db'}")
    with db.writing() as session:
        import_paths(session, [shipped("sample")], None, Options())
    db.close()
    return folder


@pytest.fixture
def db(sample_folder: Path, tmp_path: Path) -> Iterator[Database]:
    folder = shutil.copytree(sample_folder, tmp_path / "sample")
    database = Database(f"sqlite:///{Path(folder) / 'annotator.db'}")
    yield database
    database.close()


def took(db: Database, run: Run) -> tuple[int, int, float]:
    """Tokens in, tokens out and USD of a run."""
    found = calls(db, run)
    return sum(one.tokens_in for one in found), sum(one.tokens_out for one in found), sum(one.cost or 0 for one in found)


def assert_within(planned: Plan, db: Database, run: Run) -> None:
    tokens_in, tokens_out, cost = took(db, run)
    assert planned.cost_range is not None
    for (low, high), real in ((planned.tokens_in, tokens_in), (planned.tokens_out, tokens_out), (planned.cost_range, cost)):
        assert low <= real <= high, (low, real, high)


def test_a_plan_sends_nothing_and_stores_nothing(db: Database, standin: StandIn) -> None:
    standin.faults([{"fault": "error_500", "on": "any", "times": "always"}])
    with db.reading() as session:
        before = dump(session)
    planned = plan(db, gemini())
    with db.reading() as session:
        assert dump(session) == before
    assert (standin.stats()["calls"], standin.rules()[0]["times"]) == (0, "always")
    assert (planned.conversations, planned.utterances, planned.calls, planned.model) == (12, 445, 12, "gemini-3.5-flash-lite")


def test_a_plan_needs_no_key(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    assert plan(db, gemini()).calls == 12


def test_what_a_run_takes_lies_in_the_planned_ranges(db: Database, standin: StandIn) -> None:
    planned = plan(db, gemini())
    run = tag(db, gemini())
    assert labelled(db, run) == 445
    assert not planned.measured
    assert planned.calls == len(calls(db, run))
    assert_within(planned, db, run)


@pytest.mark.parametrize("size", [2, 12, 150])
def test_short_and_long_conversations_lie_in_the_planned_ranges_too(tmp_path: Path, standin: StandIn, size: int) -> None:
    db = make_project(tmp_path / "p", talks(5, size))
    planned = plan(db, gemini())
    run = tag(db, gemini())
    assert planned.calls == len(calls(db, run))
    assert_within(planned, db, run)
    db.close()


def test_after_twenty_answers_the_plan_is_measured_and_narrow_and_holds_the_next_runs_cost(db: Database, standin: StandIn) -> None:
    tag(db, gemini("yes"))
    assert not plan(db, gemini()).measured
    tag(db, gemini("again"))
    planned = plan(db, gemini("more"))
    assert planned.measured
    assert "as measured here" in " ".join(planned.sentences())
    assert planned.cost_range is not None and planned.cost_range[1] < 1.8 * planned.cost_range[0]
    assert_within(planned, db, tag(db, gemini("more")))


def test_what_was_measured_on_short_conversations_holds_for_longer_ones(tmp_path: Path, standin: StandIn) -> None:
    db = make_project(tmp_path / "p", [*talks(20, 4), *(talk(f"long{at}", 40) for at in range(4))])
    tag(db, gemini(selection={"only": ["t*"]}))
    order = gemini("yes", selection={"only": ["long*"]})
    planned = plan(db, order)
    assert planned.measured
    assert_within(planned, db, tag(db, order))
    db.close()


def test_a_second_run_on_the_same_answers_changes_nothing_of_what_was_measured(tmp_path: Path, standin: StandIn) -> None:
    db = make_project(tmp_path / "p", talks(25, 4))
    tag(db, gemini())
    before = plan(db, gemini("yes"))
    tag(db, gemini())
    assert (plan(db, gemini("yes")), before.measured) == (before, True)
    assert_within(before, db, tag(db, gemini("yes")))
    db.close()


def test_a_plan_of_some_conversations_is_of_these(db: Database, standin: StandIn) -> None:
    planned = plan(db, gemini(selection={"only": ["s1*"], "leave_out": ["s1_d_1"]}))
    assert (planned.conversations, planned.calls) == (3, 3)


# For people


def test_people_are_told_how_much_how_long_and_that_nothing_was_sent(db: Database) -> None:
    said = plan(db, gemini()).sentences()
    assert said[0].startswith("The gemini tagger would propose codes for 445 utterances in 12 conversations, learning from ")
    assert said[1].startswith("gemini-3.5-flash-lite (thinking: minimal) would be asked 12 times, with ")
    assert said[1].endswith("(estimated on real questions of a sample).")
    assert said[2].startswith("Price: 0.0") and "0.3 in and 2.5 out per million tokens, by the price table of 07 October 2026" in said[2]
    assert said[3].startswith("Time: ") and "at most 16 at once" in said[3]
    assert said[4:] == ["Nothing was sent for this plan."]


def test_flex_is_half_the_price_and_a_price_that_is_given_counts(db: Database) -> None:
    standard, flex, given = (plan(db, gemini(**manner)).cost or 0 for manner in ({}, {"tier": "flex"}, {"price": "0.6/5"}))
    assert (flex, given) == (pytest.approx(standard / 2), pytest.approx(standard * 2))


def test_a_limit_that_may_be_reached_is_told(db: Database) -> None:
    low, high = plan(db, gemini(max_cost="0.01")), plan(db, gemini(max_cost="100"))
    assert "With a limit of 0.01 USD it may stop before the end; what it has by then is kept." in low.sentences()
    assert "limit" not in " ".join(high.sentences())


def test_an_unknown_price_is_told_and_with_a_limit_refused(db: Database) -> None:
    planned = plan(db, gemini(model="gemini-9-new"))
    assert (planned.cost, planned.cost_range, plan_dict(planned)["calls"]) == (None, None, 12)
    assert "No price of gemini-9-new is known: give it as IN/OUT, in USD per million tokens." in planned.sentences()
    with pytest.raises(BadInput, match="No price of gemini-9-new is known, so max_cost cannot be kept"):
        plan(db, gemini(model="gemini-9-new", max_cost="1"))


def test_a_pace_makes_it_longer(db: Database) -> None:
    planned = plan(db, gemini(rpm="2"))
    assert planned.seconds == (360.0, 360.0)
    assert "2 a minute" in planned.sentences()[3]


def test_a_project_without_conversations_has_a_plan(empty_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(empty_folder, tmp_path / "none")
    db = Database(f"sqlite:///{Path(folder) / 'annotator.db'}")
    planned = plan(db, gemini())
    assert (planned.calls, planned.cost) == (0, 0.0)
    assert planned.sentences()[-1] == "Nothing is left to ask, so it costs nothing and sends nothing."
    db.close()


def test_a_tagger_of_this_process_costs_nothing(db: Database) -> None:
    assert plan(db, Order("local")).sentences()[-1] == "It costs nothing and sends nothing."
