"""What the proposals of a round did, through real use cases: a round with a blind share, labelled and handed in by people who follow."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import Session

from annotator import read_labels
from annotator.core.influence.shown import Question
from annotator.db import Database
from annotator.errors import BadInput, Forbidden
from annotator.flow import accounts, influence, influence_report
from annotator.flow.access import EVERYTHING, View, agreement_view, view_of
from annotator.flow.export import export_to
from annotator.flow.round import Wanted, create_round
from annotator.models import Round
from flow.anchored import Given, label_all, make_anchored
from flow.steps import rolled_back

BOTH = ("blind", "assisted")
NOT_DRAWN = "it is not known whether the blind conversations were drawn at random"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("anchored") / "p"


@pytest.fixture(scope="module")
def anchored(folder: Path) -> Iterator[tuple[Database, list[Given]]]:
    """A project in which a round is handed in, and what was said; use it with `rolled_back`."""
    db = make_anchored(folder)
    with db.writing() as session:
        given = label_all(session, folder)
    yield db, given
    db.close()


@pytest.fixture
def session(anchored: tuple[Database, list[Given]]) -> Iterator[Session]:
    with rolled_back(anchored[0]) as opened:
        yield opened


@pytest.fixture
def given(anchored: tuple[Database, list[Given]]) -> list[Given]:
    return anchored[1]


def report(session: Session, view: View = EVERYTHING, **question: Any) -> dict[str, Any]:
    return influence.report(session, view, Question(**{"draws": 20, **question}))


def share(given: list[Given], condition: str) -> float:
    of_arm = [one for one in given if one.condition == condition]
    return sum(one.code == one.proposal for one in of_arm) / len(of_arm)


def test_the_figures_are_of_what_people_said_in_each_condition(session: Session, given: list[Given]) -> None:
    found = report(session)
    assert [found["arms"][arm]["n_conversations"] for arm in BOTH] == [10, 30]
    assert [found["arms"][arm]["n_labels"] for arm in BOTH] == [120, 360]
    assert [found["agreement_with_proposal"][arm]["value"] for arm in BOTH] == pytest.approx([share(given, arm) for arm in BOTH])
    seconds = [[one.seconds for one in given if one.condition == arm] for arm in BOTH]
    assert [found["seconds"][arm]["value"] for arm in BOTH] == pytest.approx([sum(one) / len(one) for one in seconds])
    own = [one for one in given if one.annotator == "ana"]
    assert found["annotators"]["ana"]["acceptance"]["value"] == pytest.approx(share(own, "assisted"))
    low, high = found["switch_to_model"]["ci95"]
    assert 0 < low < 0.6 < high < 1
    assert (found["round"], found["run"]["id"]) == ({"name": "main", "drawn": "here", "blind": 0.25, "seed": 7}, 1)
    assert found["sentence"].startswith("Seeing the proposal drew labels towards it")


def rounded(part: Any) -> Any:
    """The same without what the order of sums leaves."""
    if isinstance(part, dict):
        return {name: rounded(value) for name, value in part.items()}
    return [rounded(one) for one in part] if isinstance(part, list) else round(part, 9) if isinstance(part, float) else part


def test_the_exported_table_gives_the_same_where_somebody_vouches(session: Session, given: list[Given], tmp_path: Path) -> None:
    wanted = report(session)
    export_to(session, EVERYTHING, tmp_path / "labels.csv")
    rows = read_labels(tmp_path / "labels.csv")
    for table in (rows, [one.row() for one in given]):
        found = influence.report_of(table, Question(vouched=True, draws=20))
        for name in ("arms", "human_human", "model_human", "agreement_with_proposal", "switch_to_model", "seconds", "codes", "alternative"):
            assert rounded(found[name]) == rounded(wanted[name]), name
        assert found["round"]["drawn"] == "said"
        assert any("word of whoever asked" in one for one in found["warnings"])
    told = influence.report_of(rows, Question(draws=20))
    assert told["undefined"]["switch_to_model.value"] == NOT_DRAWN
    assert rounded(told["human_human"]["blind"]) == rounded(wanted["human_human"]["blind"])


# One round at a time


def test_of_several_rounds_one_must_be_chosen(session: Session, folder: Path) -> None:
    before = report(session)
    create_round(session, Wanted("next", ("ana", "ben"), overlap=2, blind=0.5))
    assert report(session) == before  # nothing was handed in there yet
    label_all(session, folder, "next")
    with pytest.raises(BadInput, match=r"one round at a time\. Say which: --round NAME\. There are labels of: next, main\."):
        report(session)
    again = report(session, round="main")
    assert again.pop("paired") != before["paired"]
    assert all(again[name] == before[name] for name in again if name != "undefined")
    with pytest.raises(BadInput, match=r"Nothing was handed in for a round 'nowhere'\. Known: next, main\."):
        report(session, round="nowhere")


def test_a_table_of_several_rounds_needs_a_choice_too(given: list[Given]) -> None:
    rows = [one.row() for one in given]
    with pytest.raises(BadInput, match="There are labels of: main, other"):
        influence.report_of([*rows, rows[0]._replace(round="other")])
    with pytest.raises(BadInput, match="no labels that were handed in yet"):
        influence.report_of([])


def test_a_round_that_was_never_planned_is_not_known_to_be_drawn(session: Session) -> None:
    session.execute(update(Round).values(plan={}))
    found, vouched = report(session), report(session, vouched=True)
    assert found["undefined"]["human_human.difference.kappa.value"] == NOT_DRAWN
    assert [one["round"]["drawn"] for one in (found, vouched)] == ["unknown", "said"]
    assert vouched["human_human"]["difference"]["kappa"]["value"] is not None
    assert found["human_human"]["blind"] == vouched["human_human"]["blind"]


def test_a_round_without_a_run_says_so(session: Session) -> None:
    session.execute(update(Round).values(run_id=None))
    found = report(session)
    assert (found["run"], found["undefined"]["run"]) == (None, "no run is pinned by this round, or the table does not say which")
    assert found["undefined"]["switch_to_model.value"] == "the blind arm has no labels with a proposal"
    assert found["human_human"]["difference"]["kappa"]["value"] is not None


# The same person blind and assisted


def test_who_labelled_blind_and_later_with_the_proposal_is_paired(session: Session, folder: Path, given: list[Given]) -> None:
    assert report(session)["paired"]["rows"] == []
    create_round(session, Wanted("seen", ("ana", "ben")))
    label_all(session, folder, "seen")
    blind = [one for one in given if one.condition == "blind" and one.annotator != "cem"]
    found = [report(session, round=name)["paired"] for name in ("main", "seen")]
    assert found[0] == found[1]
    assert found[0]["everybody"]["n"] == len(blind) == sum(row["n"] for row in found[0]["rows"])
    assert found[0]["everybody"]["agree_blind"]["value"] == pytest.approx(sum(one.code == one.proposal for one in blind) / len(blind))
    assert "Whoever labels twice also learns" in influence_report.as_text(report(session, round="seen"))


def test_who_saw_the_proposal_first_is_not(session: Session, folder: Path) -> None:
    create_round(session, Wanted("after", ("ana", "ben"), blind=1.0))
    label_all(session, folder, "after")
    assert report(session, round="after")["paired"]["rows"] == []


@pytest.mark.parametrize(("times", "n"), [(("2026-01-01", "2026-01-02"), 120), (("2026-01-02", "2026-01-01"), 0), (("", ""), 0)])
def test_a_table_pairs_labels_by_their_times(times: tuple[str, str], n: int, given: list[Given]) -> None:
    rows = [one.row()._replace(decided_at=times[0]) for one in given if one.condition == "blind"]
    seen = [row._replace(round="seen", condition="assisted", decided_at=times[1]) for row in rows]
    found = influence.report_of([*rows, *seen], Question(round="seen", draws=20))["paired"]
    assert (found["everybody"]["n"] if found["everybody"] else 0) == n


# Who sees what


def test_researchers_read_pseudonyms_and_annotators_nothing(session: Session) -> None:
    rui = accounts.get_user(session, "rui")
    found = report(session, view_of(rui))
    assert list(found["annotators"]) == ["annotator-1", "annotator-2", "annotator-3"]
    assert found["human_human"] == report(session)["human_human"]
    with pytest.raises(Forbidden, match="for leads and researchers"):
        report(session, agreement_view(accounts.get_user(session, "ana")))


def test_a_lead_who_labels_blind_learns_of_no_proposal_before(session: Session, folder: Path) -> None:
    create_round(session, Wanted("both", ("ana", "lea"), blind=0.5, seed=3))
    lea = accounts.get_user(session, "lea")
    label_all(session, folder, "both", but="lea")
    found, whole = report(session, view_of(lea), round="both"), report(session, round="both")
    assert [one["arms"]["blind"]["n_with_proposal"] for one in (found, whole)] == [0, 120]
    assert found["arms"]["assisted"] == whole["arms"]["assisted"]
    assert "20 conversations of this round you have yet to label blind yourself." in found["warnings"][0]
    label_all(session, folder, "both", but="ana")
    assert report(session, view_of(lea), round="both") == report(session, round="both")
