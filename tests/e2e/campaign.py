"""A campaign on VOGUE: twelve conversations, three annotators, overlap two, a third blind; a lead who settles the rest by keys."""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, expect

import annotator

from .desk import Desk
from .facts import ask, assignment, standing
from .journey import Material, Person, Place, read_material
from .server import Server, run_command

PEOPLE = {"ana": 7, "ben": 4, "cem": 5}
"""Annotator → every how manieth utterance they take as it is proposed, or for something else where nothing is."""

SIZE = 12
PASSWORD = "correct horse battery"
NOBODY = ("", 0)


@dataclass
class Campaign:
    """The project, served; its plan by conversation, and everybody's one-time link."""

    server: Server
    links: dict[str, str]
    plan: dict[str, dict[str, Any]]
    material: Material

    @property
    def project(self) -> Path:
        return self.server.project

    def of(self, condition: str) -> list[str]:
        """The conversations of a condition."""
        return [key for key, place in self.plan.items() if place["condition"] == condition]


def make_campaign(vogue: Path, project: Path, serve: Callable[..., Server]) -> Campaign:
    """Import the twelve shortest conversations, tag, plan a round and serve it."""
    sizes = {path: sum(map(len, _tags(path))) for path in vogue.rglob("c*_*.json") if "transcripts" in path.parts}
    transcripts = sorted(sizes, key=lambda path: (sizes[path], path.stem))[:SIZE]
    run_command("init", project)
    run_command("import", *transcripts, "--project", project)
    run_command("tag", "--project", project)
    server = serve(project)
    (project / "annotator.toml").write_text(f'base_url = "{server.url}"\n')
    people = dict.fromkeys(PEOPLE, "annotator") | {"lea": "lead"}
    links = {name: run_command("user", "add", name, "--role", role, "--project", project) for name, role in people.items()}
    options = ("--annotators", ",".join(PEOPLE), "--overlap", "2", "--blind", "0.334", "--seed", "7", "--json")
    made = json.loads(run_command("round", "create", "main", *options, "--project", project))
    plan = {place["conversation"]: place for place in made["places"]}
    material = read_material(project, transcripts, annotator.load_taxonomy(project / "taxonomy.yaml"))
    blind = {key for key, place in plan.items() if place["condition"] == "blind"}
    shown = {place: (role, [] if place[0] in blind else codes) for place, (role, codes) in material.proposed.items()}
    return Campaign(server, links, plan, Material(material.taxonomy, shown, _known(material)))


def _tags(path: Path) -> list[list[str]]:
    return [turn["content"]["tags"] for turn in json.loads(path.read_text())["conversation_content"]]


def _known(material: Material) -> dict[Place, list[str]]:
    """The published labels without codes that are in no version of the taxonomy."""
    role = {place: found for place, (found, _) in material.proposed.items()}
    return {place: [code for code in codes if material.taxonomy.known(role[place], code)] for place, codes in material.published.items()}


def label_all(campaign: Campaign, conversations: list[str], new_context: Callable[..., BrowserContext]) -> dict[str, Person]:
    """Everybody labels their conversations of these by key presses and hands them in."""
    people = {}
    for name, trusts in PEOPLE.items():
        person = people[name] = Person(name, Desk(new_context(campaign.server).new_page()), campaign.material, trusts, NOBODY)
        person.sign_in(campaign.links[name], PASSWORD)
        for conversation in conversations:
            if name in campaign.plan[conversation]["annotators"]:
                person.desk.open(assignment(campaign.project, name, conversation), at=1).shows(conversation)
                person.label_all(conversation, {})
                person.hand_in()
    return people


def adjudicate(campaign: Campaign, lea: Person) -> int:
    """The lead settles all that waits: the first label mostly, the second or both together at times; how many there were."""
    round_id = ask(campaign.project, "select id from round where name = 'main'")[0]["id"]
    page = lea.desk.page
    page.goto(f"/adjudication/{round_id}")
    page.wait_for_load_state("load")
    settled = 0
    while page.locator("#decide").count():
        expect(page.locator("#step .options button").first).to_be_visible()
        names = page.locator("#step .options").inner_text()
        assert not [name for name in PEOPLE if name in names]
        before = page.locator("input[name=utterance]").first.get_attribute("value")
        together = settled % 5 == 4 and page.locator('[data-key="3"]').count() and "more than" not in names
        page.keyboard.press("3" if together else "2" if settled % 3 == 1 else "1")
        settled += 1
        expect(page.locator(f"#step input[name=utterance][value='{before}']")).to_have_count(0)
        expect(page.locator("#status")).to_contain_text("→")
    expect(page.get_by_role("heading", name="Nothing waits")).to_be_visible()
    return settled


def check_export(campaign: Campaign, conversations: list[str]) -> None:
    """The long CSV says what the plan and the database say: labels, conditions, seconds, proposals and gold."""
    path = campaign.project / "all.csv"
    run_command("export", path, "--project", campaign.project)
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    labelled = [row for row in rows if row["annotator"]]
    facts = {name: _newest(campaign.project, name) for name in PEOPLE}
    golds, proposed = _gold(campaign.project), _proposed(campaign.project)
    assert {row["conversation"] for row in labelled} == set(conversations)
    by_place: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in labelled:
        place = (row["conversation"], row["utterance"])
        by_place[place].add(row["annotator"])
        fact = facts[row["annotator"]][place]
        assert set(row["codes"].split("|")) == set(fact["codes"].split("|"))
        assert float(row["seconds"]) == fact["seconds"]
        assert 0 <= float(row["seconds"]) < 60
        assert row["condition"] == fact["condition"] == campaign.plan[row["conversation"]]["condition"]
        assert row["suggestion"] == proposed.get(place, "")
        assert set(row["gold"].split("|")) == set(golds[place].split("|"))
        assert row["round"] == "main"
    assert all(names == set(campaign.plan[place[0]]["annotators"]) for place, names in by_place.items())
    assert len(by_place) == sum(_size(campaign.project, key) for key in conversations)


def check_labels(campaign: Campaign, people: dict[str, Person]) -> None:
    """What everybody meant is what stands."""
    for name, person in people.items():
        found = {place: frozenset(codes.split("|")) for place, codes in standing(campaign.project, name).items()}
        assert found == person.meant


def rules(campaign: Campaign) -> dict[str, set[str]]:
    """How gold came about → the conditions of its conversations."""
    sql = """select g.rule, rc.condition from gold g join utterance u on u.id = g.utterance_id
             join round_conversation rc on rc.conversation_id = u.conversation_id and rc.round_id = g.round_id"""
    found: dict[str, set[str]] = defaultdict(set)
    for row in ask(campaign.project, sql):
        found[row["rule"]].add(row["condition"])
    return dict(found)


_KEYS = "join utterance u on u.id = {}.utterance_id join conversation c on c.id = u.conversation_id"


def _newest(project: Path, who: str) -> dict[tuple[str, str], Any]:
    """(conversation, utterance) → the newest decision of somebody who took nothing back."""
    sql = f"""select c.key as conversation, u.key as utterance, d.codes, d.seconds, d.condition from decision d
              join assignment a on a.id = d.assignment_id join users p on p.id = a.user_id {_KEYS.format("d")}
              where p.name = ? order by d.id"""
    return {(row["conversation"], row["utterance"]): row for row in ask(project, sql, who)}


def _gold(project: Path) -> dict[tuple[str, str], str]:
    sql = f"select c.key as conversation, u.key as utterance, g.codes from gold g {_KEYS.format('g')} order by g.id"
    return {(row["conversation"], row["utterance"]): row["codes"] for row in ask(project, sql)}


def _proposed(project: Path) -> dict[tuple[str, str], str]:
    sql = f"select c.key as conversation, u.key as utterance, s.codes from suggestion s {_KEYS.format('s')}"
    return {(row["conversation"], row["utterance"]): row["codes"] for row in ask(project, sql)}


def _size(project: Path, conversation: str) -> int:
    return int(ask(project, "select n_utterances as n from conversation where key = ?", conversation)[0]["n"])
