"""A whole campaign in the browser: planned, labelled by keys in both conditions, adjudicated by keys, exported, and all of it checked."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from .campaign import NOBODY, PASSWORD, SIZE, Campaign, adjudicate, check_export, check_labels, label_all, make_campaign, rules
from .desk import Desk
from .facts import ask
from .journey import Person
from .server import Server

pytestmark = pytest.mark.browser


@pytest.fixture
def campaign(vogue: Path, tmp_path: Path, serve: Callable[..., Server]) -> Campaign:
    return make_campaign(vogue, tmp_path / "project", serve)


@pytest.mark.parametrize("each", [1, pytest.param(SIZE, marks=pytest.mark.soak)])
def test_a_campaign_from_plan_to_gold(campaign: Campaign, each: int, new_context: Callable[..., BrowserContext]) -> None:
    assert (len(campaign.of("blind")), len(campaign.of("assisted"))) == (4, 8)
    assert all(len(set(place["annotators"])) == 2 for place in campaign.plan.values())
    conversations = campaign.of("blind")[:each] + campaign.of("assisted")[:each]
    people = label_all(campaign, conversations, new_context)
    check_labels(campaign, people)
    lea = Person("lea", Desk(new_context(campaign.server).new_page()), campaign.material, 1, NOBODY)
    lea.sign_in(campaign.links["lea"], PASSWORD)
    settled = adjudicate(campaign, lea)
    assert settled > 0
    assert settled == ask(campaign.project, "select count(*) as n from gold where rule = 'adjudicated'")[0]["n"]
    assert rules(campaign) == {
        "unanimous": {"blind"}, "unanimous-assisted": {"assisted"}, "adjudicated": {"blind", "assisted"},
    }  # fmt: skip
    check_export(campaign, conversations)
