"""Plans: what a round would hold, what is labelled twice, and which codes' agreement it can tell."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import Session

from annotator.core.precision import utterances_needed
from annotator.db import Database
from annotator.flow import accounts
from annotator.flow.intake import import_paths
from annotator.flow.intake_facts import Options
from annotator.flow.planning import Estimate, Load, Verdict
from annotator.flow.round import Wanted, create_round, plan_extension, plan_round
from annotator.flow.runs import Order
from annotator.flow.tagging import tag
from annotator.models import Role, Run
from flow.asked import talk
from flow.campaign import ROUND
from flow.steps import dump, hand_in, label, rolled_back, settle


def of(estimates: tuple[Estimate, ...], role: str, code: str) -> Estimate:
    return next(one for one in estimates if (one.role, one.code) == (role, code))


def test_a_plan_says_who_gets_what_and_stores_nothing(campaign: Session) -> None:
    before = dump(campaign)
    plan = plan_round(campaign, ROUND)
    assert dump(campaign) == before
    assert [load.as_dict() for load in plan.people] == [
        {"annotator": name, "conversations": 8, "utterances": 48, "blind": 2, "repeats": 2} for name in ("ana", "ben", "cem")
    ]
    assert (plan.conversations, plan.blind, plan.repeats, plan.left_out, plan.unproposed) == (12, 3, 6, 0, 0)
    assert plan.loads == {"ana": 8, "ben": 8, "cem": 8}
    assert {place.stratum for place in plan.places if place.blind} == {"0", "1", "2"}


def test_a_plan_in_words(campaign: Session) -> None:
    plan = plan_round(campaign, ROUND)
    said = "\n".join([*plan.summary(), *plan.precision()])
    assert "Round main: 12 conversations for ana, ben, cem, with the proposals of run 1." in said
    assert "2 annotators for each conversation; 3 of 12 conversations blind; 6 repeats in all; taxonomy " in said
    assert "Utterances labelled by two or more: Seeker 36, Assistant 36." in said
    assert "±0.10 (95 %, design effect 2), if it is about 0.80: 0 of 11 codes." in said
    assert "for Seeker from 36 proposals of run 1." in said
    assert "  not seen so far: Seeker ASK, MORE, LIKE, NO, YES, RP; Assistant SHOW, WHY, PRICE, CHAT, RP." in said
    said = "\n".join(plan_round(campaign, Wanted("r", ("ana",))).summary())
    assert "All annotators for each conversation; 0 of 12 conversations blind; taxonomy" in said


def test_a_plan_as_json_holds_everything(campaign: Session) -> None:
    plan = plan_round(campaign, ROUND)
    found = json.loads(json.dumps(plan.as_dict()))
    assert (found["name"], found["run_id"], found["overlap"], found["conversations"]) == ("main", 1, 2, 12)
    assert found["places"][0].keys() == {"conversation", "stratum", "condition", "annotators", "repeat_of"}
    assert found["codes"][0].keys() == {"role", "code", "prevalence", "expected", "needed", "doubled", "available", "verdict"}


@pytest.mark.parametrize(("overlap", "doubled"), [(None, 36), (2, 36), (1, 0)])
def test_only_what_two_or_more_label_counts_as_doubled(campaign: Session, overlap: int | None, doubled: int) -> None:
    assert plan_round(campaign, replace(ROUND, overlap=overlap)).doubled == {"Seeker": doubled, "Assistant": doubled}


def test_repeats_count_in_no_load_and_are_not_doubled(campaign: Session) -> None:
    plan = plan_round(campaign, replace(ROUND, overlap=1, repeats=1.0))
    assert list(plan.people) == [Load(name, 4, 24, 1, 4) for name in ("ana", "ben", "cem")]
    assert plan.doubled == {"Seeker": 0, "Assistant": 0}


# Which codes can be estimated


@pytest.mark.parametrize(
    ("needed", "doubled", "verdict", "said"),
    [
        (100, 100, Verdict.ESTIMABLE, "estimable (needs 100, this round has 100, the corpus has 500)"),
        (101, 100, Verdict.NOT_HERE, "too few in this round (needs 101, this round has 100, the corpus has 500)"),
        (501, 500, Verdict.TOO_FEW, "too few in all conversations (needs 501, this round has 500, the corpus has 500)"),
        (None, 500, Verdict.UNSEEN, "not seen so far: how often it is used is not known yet"),
    ],
)
def test_a_verdict_compares_what_is_needed_with_the_round_and_the_corpus(
    needed: int | None, doubled: int, verdict: Verdict, said: str
) -> None:
    estimate = Estimate("Seeker", "ASK", 0.1, 10.0, needed, doubled, 500)
    assert (estimate.verdict, estimate.sentence) == (verdict, said)


def test_without_labels_the_proposals_say_how_frequent_codes_are(campaign: Session) -> None:
    plan = plan_round(campaign, ROUND)
    ask = of(plan.estimates, "Seeker", "ASK")
    assert ask.prevalence == pytest.approx(1.0)  # the scripted tagger says a role's first code where it has no script
    assert (ask.needed, ask.verdict) == (None, Verdict.UNSEEN)
    assert of(plan.estimates, "Seeker", "LIKE").prevalence == 0
    assert plan.sources == {"Seeker": "36 proposals of run 1", "Assistant": "36 proposals of run 1"}


def many(folder: Path, codes: str, number: int) -> Path:
    """So many conversations of one Seeker's utterance each, whose labels go round in `codes`."""
    lines = []
    for at in range(number):
        said = talk(f"long{at}", 1)
        said["utterances"][0]["labels"] = {"eva": codes.split()[at % len(codes.split())].split("+")}
        lines.append(json.dumps(said))
    path = folder / "many.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_from_two_hundred_labels_on_people_say_it_and_each_code_of_a_label_counts(campaign: Session, tmp_path: Path) -> None:
    import_paths(campaign, [many(tmp_path, "ASK+MORE ASK ASK LIKE", 200)], None, Options())
    plan = plan_round(campaign, ROUND)
    assert plan.sources == {"Seeker": "200 labels of people", "Assistant": "36 proposals of run 1"}
    shares = {code: of(plan.estimates, "Seeker", code).prevalence for code in ("ASK", "MORE", "LIKE", "NO")}
    assert shares == {"ASK": 0.75, "MORE": 0.25, "LIKE": 0.25, "NO": 0.0}
    like = of(plan.estimates, "Seeker", "LIKE")
    assert like.needed == utterances_needed(0.25, kappa=0.8, half_width=0.1, confidence=0.95)
    assert (like.doubled, like.available, like.expected) == (236, 236, 59.0)
    rare = "too few for ±0.10 even if all utterances of the role (Seeker 236) were labelled twice: Seeker"
    assert any(rare in sentence and "Report them without kappa" in sentence for sentence in plan.precision())
    only = plan_round(campaign, replace(ROUND, selection={"only": ["t*"]}))
    assert (of(only.estimates, "Seeker", "LIKE").doubled, of(only.estimates, "Seeker", "LIKE").available) == (36, 236)


def test_gold_takes_the_place_of_the_labels_it_settles(campaign: Session, tmp_path: Path) -> None:
    import_paths(campaign, [many(tmp_path, "ASK", 200)], None, Options())
    for at in range(50):
        settle(campaign, f"long{at}", 1, "LIKE")
    plan = plan_round(campaign, ROUND)
    assert plan.sources["Seeker"] == "200 labels of people"
    assert of(plan.estimates, "Seeker", "LIKE").prevalence == 0.25


def test_what_is_not_handed_in_says_nothing(campaign: Session, tmp_path: Path) -> None:
    import_paths(campaign, [many(tmp_path, "ASK", 199)], None, Options())
    create_round(campaign, Wanted("r1", ("ana",)))
    label(campaign, "ana", "t0", 1, "LIKE")
    assert plan_round(campaign, ROUND).sources["Seeker"] != "200 labels of people"
    hand_in(campaign, "ana", "t0")
    assert plan_round(campaign, ROUND).sources["Seeker"] == "200 labels of people"


def test_without_a_run_the_sample_says_it_as_far_as_it_has_the_codes(campaign: Session) -> None:
    campaign.get_one(Run, 1).finished_at = None
    campaign.flush()
    plan = plan_round(campaign, ROUND)
    assert (plan.run_id, plan.blind) == (None, 12)
    assert plan.sources["Seeker"].endswith("labels of the shipped sample")
    assert plan.sources["Assistant"].endswith("labels of the shipped sample")


def test_assisted_conversations_of_which_the_run_says_nothing_are_counted(campaign: Session, tmp_path: Path) -> None:
    path = tmp_path / "more.jsonl"
    path.write_text(json.dumps(talk("new", 2)), encoding="utf-8")
    import_paths(campaign, [path], None, Options())
    assert plan_round(campaign, replace(ROUND, blind=0.0)).unproposed == 1
    assert plan_round(campaign, replace(ROUND, blind=1.0)).unproposed == 0


def test_the_plan_of_an_extension_says_what_is_new(campaign: Session) -> None:
    create_round(campaign, replace(ROUND, selection={"only": ["t1*"]}))
    plan = plan_extension(campaign, "main", ["dan"], {"only": ["t0", "t2"]})
    assert (plan.conversations, plan.added, plan.newcomers) == (5, 2, ("dan",))
    assert "New in it: dan, 2 conversations." in plan.summary()
    assert set(plan.loads.values()) <= {2, 3}


# A real corpus


def test_vogue_labelled_twice_by_three(vogue_db: Database) -> None:
    tag(vogue_db, Order("scripted"))
    with rolled_back(vogue_db) as session:
        for name in ("ana", "ben", "cem"):
            accounts.add_user(session, name, Role.ANNOTATOR)
        plan = plan_round(session, Wanted("main", ("ana", "ben", "cem"), overlap=2, blind=0.2, repeats=0.1, seed=7))
        assert (plan.conversations, plan.blind, plan.repeats, set(plan.loads.values())) == (60, 12, 12, {40})
        assert Counter(place.stratum for place in plan.places if place.blind) == dict.fromkeys("123456", 2)
        assert plan.doubled == {"Seeker": 850, "Assistant": 1256}
        assert [one.code for one in plan.of_verdict(Verdict.ESTIMABLE)] == ["PCT", "PEP", "ACT", "ACK", "ANS", "RS", "EP", "EAI"]
        assert len(plan.of_verdict(Verdict.TOO_FEW)) == 29
        assert "  estimable: Seeker PCT, PEP, ACT; Assistant ACK, ANS, RS, EP, EAI." in plan.precision()
        single = plan_round(session, Wanted("main", ("ana", "ben"), overlap=2, selection={"sample": ["30", "1"]}))
        assert [one.code for one in single.of_verdict(Verdict.ESTIMABLE)] == ["ACK", "EP", "EAI"]
        assert len(single.of_verdict(Verdict.NOT_HERE)) == 5
