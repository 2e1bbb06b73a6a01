"""A small project in which every secret is a word that stands nowhere else, and the table of who may see which where.

A word names its secret: `Zq_reason_machine_a1` is why the run proposes what it does in conversation a1.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from sqlmodel import Session, SQLModel, col, delete, select

from annotator.flow import accounts, intake
from annotator.flow.first_labels import remember, remember_all
from annotator.flow.intake_report import Options
from annotator.flow.project import init_project, open_project
from annotator.models import (
    Assignment,
    Comment,
    Condition,
    Conversation,
    Decision,
    Discussion,
    Failure,
    FirstLabels,
    Gold,
    Item,
    ItemDecision,
    ItemField,
    Kind,
    ReasonOpened,
    Role,
    Round,
    RoundConversation,
    Rule,
    Run,
    Submission,
    Suggestion,
    User,
    Utterance,
    now,
)
from annotator.settings import Settings

PASSWORD = "long enough to be one"
# Names that stand nowhere else.
PEOPLE = {
    "alice": ("Alissandra", Role.ANNOTATOR), "bob": ("Bobolinsky", Role.ANNOTATOR), "cem": ("Cemalettin", Role.ANNOTATOR),
    "leo": ("Leonardino", Role.LEAD), "lea": ("Leandrosa", Role.LEAD), "rui": ("Ruizdottir", Role.RESEARCHER),
}  # fmt: skip
CODES = {"Seeker": ("ASK", "LIKE"), "Assistant": ("SHOW", "WHY")}
CODE = "    - {{code: {0}, category: c, name: {0}, definition: d, use_when: u, avoid_when: a}}\n"
TAXONOMY = "name: small\nlabels_per_utterance: {min: 1, max: 2}\nroles:\n" + "".join(
    f"  {role}:\n" + "".join(map(CODE.format, codes)) for role, codes in CODES.items()
)
SAID = "Assistant: What is it for?\nSeeker: Is item 3 warm and dry?\nAssistant: I would take Item05.\n"
TALKED = 2  # the utterance that all is said of; the third is open for who has yet to hand in, and so is the first


@dataclass(frozen=True)
class Place:
    """A conversation, and how it stands in its round: who labels it, who has handed it in."""

    key: str
    people: tuple[str, ...]
    done: tuple[str, ...] = ()
    round: str = "open"
    blind: bool = False
    discussed: bool = False
    settled: bool = False
    repeated: bool = False

    @property
    def closed(self) -> bool:
        """Whether the round is closed."""
        return self.round == "closed"


BOTH = ("alice", "bob")
PLACES = {
    one.key: one
    for one in (
        Place("a1", BOTH),
        Place("a2", BOTH, BOTH),
        Place("a3", BOTH, BOTH, discussed=True),
        Place("a4", BOTH, BOTH, settled=True),
        Place("b1", BOTH, blind=True),
        Place("b2", BOTH, BOTH, blind=True),
        Place("b3", BOTH, BOTH, blind=True, discussed=True),
        Place("b4", BOTH, BOTH, blind=True, settled=True),
        Place("c1", BOTH, BOTH, "closed"),
        Place("c2", BOTH, BOTH, "closed", blind=True),
        Place("d1", ("alice", "bob", "cem"), ("bob", "cem"), discussed=True),
        Place("l1", ("bob", "leo"), ("bob",), blind=True),
        Place("l2", ("bob", "leo"), ("bob", "leo"), blind=True),
        Place("l3", ("bob", "leo"), ("bob",)),
        Place("r1", ("cem",), ("cem",), "again", repeated=True),
        Place("r2", ("cem",), ("cem",), "again", blind=True, repeated=True),
    )
}

# Who may see what. A secret of the machine is near who labels the conversation, one of a person is their own or that of a mate, who
# labels the same conversation. `labelling lead`: a lead who has yet to hand this conversation in.
COLUMNS = ("own", "mate", "stranger", "lead", "labelling lead", "researcher", "nobody")
TABLE: dict[str, tuple[str, ...]] = {
    # of the machine
    "proposal":   ("assisted",  "-",         "-", "yes", "assisted", "yes", "-"),
    "confidence": ("assisted",  "-",         "-", "yes", "assisted", "yes", "-"),
    "second":     ("assisted",  "-",         "-", "yes", "assisted", "-",   "-"),
    "note":       ("assisted",  "-",         "-", "yes", "assisted", "-",   "-"),
    "reason":     ("assisted",  "-",         "-", "yes", "assisted", "-",   "-"),
    "other":      ("-",         "-",         "-", "yes", "assisted", "yes", "-"),  # what a run says that the round does not show
    "because":    ("-",         "-",         "-", "yes", "assisted", "-",   "-"),
    "failure":    ("-",         "-",         "-", "yes", "assisted", "-",   "-"),
    # of people
    "label":      ("yes",       "discussed", "-", "yes", "yes",      "yes", "-"),  # of the utterance that may be in discussion
    "aside":      ("yes",       "-",         "-", "yes", "yes",      "yes", "-"),  # of another one
    "seconds":    ("yes",       "-",         "-", "yes", "yes",      "yes", "-"),
    "items":      ("yes",       "-",         "-", "yes", "yes",      "yes", "-"),
    "flag":       ("yes",       "-",         "-", "yes", "-",        "yes", "-"),
    "comment":    ("yes",       "-",         "-", "yes", "-",        "yes", "-"),
    "answer":     ("yes",       "-",         "-", "yes", "-",        "yes", "-"),  # of a lead, to that comment
    # of a lead
    "gold":       ("-",         "-",         "-", "yes", "yes",      "yes", "-"),
    "grounds":    ("-",         "-",         "-", "yes", "yes",      "-",   "-"),
    "remark":     ("-",         "-",         "-", "yes", "yes",      "-",   "-"),
    "asked":      ("discussed", "-",         "-", "yes", "yes",      "-",   "-"),
}  # fmt: skip
OF_MACHINE = tuple(TABLE)[:8]
OF_LEADS = tuple(TABLE)[-4:]
CODE_LIKE = ("proposal", "second", "other", "label", "aside", "gold")
# Agreement of a closed round tells those who are in it how often the others said what, but not where.
FIGURES = ("label", "aside")


@dataclass(frozen=True)
class Secret:
    """Something that not everybody may see. `whose` is `machine`, `lead`, or who labelled."""

    kind: str
    whose: str
    place: str

    @property
    def word(self) -> str:
        """The word that stands for it."""
        return f"Zq_{self.kind}_{self.whose}_{self.place}"

    @property
    def number(self) -> float:
        """For what is a number: one that stands nowhere else. A confidence is low, an item has five digits."""
        at = [*PLACES].index(self.place)
        if self.kind == "items":
            return int(f"8{at:02}{[*PEOPLE].index(self.whose) + 1}7")
        if self.kind == "confidence":
            return round(0.2113 + at / 100, 4)
        return float(f"1357.{at:02}{[*PEOPLE].index(self.whose) + 1}")


NUMBERS = ("confidence", "seconds", "items")


def secrets() -> Iterator[Secret]:
    """Everything there is to find out."""
    for place in PLACES.values():
        yield from (Secret(kind, "machine", place.key) for kind in OF_MACHINE)
        for who in place.people:
            kinds = [kind for kind in TABLE if kind not in (*OF_MACHINE, *OF_LEADS)]
            yield from (Secret(kind, who, place.key) for kind in kinds if kind != "aside" or who in place.done)
        kinds = ["gold", "grounds", "remark"] if place.settled else ["asked"] if place.discussed else []
        yield from (Secret(kind, "lead", place.key) for kind in kinds)


def column(who: str, secret: Secret) -> str:
    """Which column of the table somebody is in, for a secret."""
    place = PLACES[secret.place]
    if who not in PEOPLE:
        return "nobody"
    role = PEOPLE[who][1]
    if role == Role.LEAD and who in place.people and who not in place.done:
        return "own" if secret.whose == who else "labelling lead"
    if role != Role.ANNOTATOR:
        return str(role)
    if who not in place.people:
        return "stranger"
    return "mate" if secret.whose in PEOPLE and secret.whose != who else "own"


def may_see(who: str, secret: Secret) -> bool:
    """What the table says."""
    place, cell = PLACES[secret.place], TABLE[secret.kind][COLUMNS.index(column(who, secret))]
    # Only those who handed in see what the others did, and of them.
    in_it = place.discussed and {who, secret.whose} - {"lead"} <= {*place.done}
    return {"-": False, "yes": True, "assisted": not place.blind, "discussed": in_it}[cell]


def may_count(who: str, secret: Secret) -> bool:
    """Whether it may go into figures of agreement that somebody sees, and nowhere else."""
    return column(who, secret) == "mate" and secret.kind in FIGURES and PLACES[secret.place].closed


# The project


def build_world(folder: Path) -> dict[str, str]:
    """Make the project; returns who → what signs a browser in as them."""
    init_project(folder)
    (folder / "taxonomy.yaml").write_text(TAXONOMY, encoding="utf-8")
    texts = folder.parent / "texts"
    texts.mkdir()
    for place in PLACES:
        (texts / f"{place}.txt").write_text(SAID, encoding="utf-8")
    db = open_project(Settings(project=folder))
    with db.writing() as session:
        intake.import_paths(session, [texts], "text", Options())
        links = {who: accounts.add_user(session, *named) for who, named in PEOPLE.items()}
        tokens = {who: accounts.use_link(session, link, PASSWORD, days=30) for who, link in links.items()}
        _Builder(session).build()
    db.close()
    return tokens


class _Builder:
    """Puts rows where the use cases would, so that every state is there at once."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.users = {who: session.exec(select(User.id).where(User.name == name)).one() or 0 for who, (name, _) in PEOPLE.items()}
        self.keys = count(1)

    def add(self, row: SQLModel) -> Any:
        self.session.add(row)
        self.session.flush()
        return row

    def build(self) -> None:
        """Two finished runs, the rounds, and in them what everybody did."""
        for tagger in ("scripted", "local"):
            size = {"n_conversations": len(PLACES), "n_utterances": 3 * len(PLACES), "finished_at": now()}
            self.add(Run(tagger=tagger, version="1", threshold=0.5, taxonomy_version_id=2, known="", **size))
        for number in (3, 5):
            self.add(Item(number=number, catalogue="shoes", name=f"Shoe {number}", picture=b"<svg/>", picture_type="image/svg+xml"))
        for name in dict.fromkeys(place.round for place in PLACES.values()):
            people = sorted({self.users[who] for place in PLACES.values() if place.round == name for who in place.people})
            plan = {"overlap": 2, "blind": 0.5, "repeats": 0.0, "seed": 1, "selection": {}, "annotators": people}
            self.add(Round(name=name, run_id=1, taxonomy_version_id=2, closed_at=now() if name == "closed" else None, plan=plan))
        for place in PLACES.values():
            self.place(place)

    def place(self, place: Place) -> None:
        """One conversation with all that is said of it."""
        conversation = self.session.exec(select(Conversation.id).where(Conversation.key == place.key)).one() or 0
        said = select(Utterance.id).where(Utterance.conversation_id == conversation).order_by(col(Utterance.position))
        utterances = [one or 0 for one in self.session.exec(said)]
        round_id = self.session.exec(select(Round.id).where(Round.name == place.round)).one() or 0
        condition = Condition.BLIND if place.blind else Condition.ASSISTED
        self.add(RoundConversation(round_id=round_id, conversation_id=conversation, condition=condition))
        self.machine(place, utterances)
        first, talked, _ = utterances
        for who in place.people:
            made = {"round_id": round_id, "conversation_id": conversation, "user_id": self.users[who]}
            at = self.add(Assignment(**made)).id
            self.work(place, who, at, first, talked)
            if place.repeated:
                self.add(Assignment(**made, repeat=True))
        lead = self.users["lea"]
        word = {kind: Secret(kind, "lead", place.key).word for kind in OF_LEADS}
        if place.discussed:
            self.add(Discussion(round_id=round_id, utterance_id=talked, user_id=lead, note=word["asked"]))
        if place.settled:
            said = {"codes": word["gold"], "reason": word["grounds"], "comment": word["remark"]}
            self.add(Gold(utterance_id=talked, rule=Rule.ADJUDICATED, user_id=lead, round_id=round_id, **said))

    def machine(self, place: Place, utterances: list[int]) -> None:
        """What the pinned run says of the conversation, what another says, and where that failed."""
        word = {kind: Secret(kind, "machine", place.key).word for kind in OF_MACHINE}
        confidence = Secret("confidence", "machine", place.key).number
        for one in utterances:
            sure = {"codes": word["proposal"], "confidence": confidence, "probabilities": {word["proposal"]: confidence}}
            said = {"second": word["second"], "note": word["note"], "reason": word["reason"]}
            self.add(Suggestion(utterance_id=one, run_id=1, **sure, **said))
            if one == utterances[-1]:
                self.add(Failure(utterance_id=one, run_id=2, reason=word["failure"]))
            else:
                self.add(Suggestion(utterance_id=one, run_id=2, codes=word["other"], confidence=0.5, reason=word["because"]))

    def work(self, place: Place, who: str, at: int, first: int, talked: int) -> None:
        """What somebody said of a conversation."""
        word = {kind: Secret(kind, who, place.key).word for kind in TABLE}
        acts = [(talked, Kind.CHANGE, word["label"], ""), (talked, Kind.FLAG, "", word["flag"])]
        acts += [(first, Kind.CHANGE, word["aside"], "")] if who in place.done else []
        last = 0
        for utterance, kind, codes, reason in acts:
            made = {"assignment_id": at, "utterance_id": utterance, "kind": kind, "codes": codes, "reason": reason}
            how = {"taxonomy_version_id": 2, "condition": Condition.BLIND if place.blind else Condition.ASSISTED}
            seconds = Secret("seconds", who, place.key).number if utterance == talked else None
            last = self.add(Decision(**made, **how, act_key=f"act-{next(self.keys)}", seconds=seconds)).id
        for author, body in ((who, word["comment"]), ("lea", word["answer"])):
            self.add(Comment(assignment_id=at, utterance_id=talked, user_id=self.users[author], body=body))
        self.add(ItemDecision(assignment_id=at, field=ItemField.MENTIONED, numbers=str(Secret("items", who, place.key).number)))
        if not place.blind:
            self.add(ReasonOpened(assignment_id=at, utterance_id=talked))
        if who in place.done:
            self.add(Submission(assignment_id=at, handed_in=True, last_decision_id=last))
            remember(self.session, [at])


def change(session: Session, hidden: Callable[[Secret], bool], eyes: str) -> None:
    """Another world: what is hidden differs. Codes become what `eyes` (or else the first who labels) says there, other words end in X.

    So labels that differed are equal now, proposals are confirmed where they were changed, and what was unsure is sure.
    """

    def instead(found: "re.Match[str]") -> str:
        secret = Secret(found["kind"], found["whose"], found["place"])
        if not hidden(secret):
            return found[0]
        people = PLACES[secret.place].people
        whose = eyes if eyes in people else people[0]
        return Secret("label", whose, secret.place).word if secret.kind in CODE_LIKE else f"{found[0]}X"

    for table in (Suggestion, Failure, Decision, Comment, Discussion, Gold):
        for row in session.exec(select(table)):
            for name in table.model_fields:
                if isinstance(value := getattr(row, name), str) and "Zq_" in value:
                    setattr(row, name, re.sub(r"Zq_(?P<kind>[a-z]+)_(?P<whose>[a-z]+)_(?P<place>\w\d)", instead, value))
    _change_numbers(session, hidden)
    if PEOPLE.get(eyes, ("", Role.ANNOTATOR))[1] == Role.ANNOTATOR:
        _be_busy(session, eyes)
    session.flush()
    session.execute(delete(FirstLabels))
    remember_all(session)


def _be_busy(session: Session, eyes: str) -> None:
    """Everybody else in open rounds does more: labels, marks, comments, hands in what was open and opens what was handed in."""
    open_ones = select(Assignment).join(Round).join(User).where(col(Round.closed_at).is_(None), User.name != PEOPLE.get(eyes, ("",))[0])
    for one in session.exec(open_ones.where(~col(Assignment.repeat))).all():
        third = session.exec(select(Utterance.id).where(Utterance.conversation_id == one.conversation_id, Utterance.position == 3)).one()
        made = {"assignment_id": one.id, "utterance_id": third, "condition": Condition.ASSISTED, "taxonomy_version_id": 2}
        acts = ((Kind.CHANGE, "SHOW"), (Kind.UNSURE, ""), (Kind.FLAG, ""))
        newest = [Decision(**made, kind=kind, codes=codes, act_key=f"busy-{kind}") for kind, codes in acts]
        session.add_all([*newest, Comment(assignment_id=one.id, utterance_id=third, user_id=one.user_id, body="Hm.")])
        session.add(ItemDecision(assignment_id=one.id, field=ItemField.CHOSEN, numbers="3"))
        session.flush()
        submitted = session.exec(select(Submission).where(Submission.assignment_id == one.id)).first()
        if submitted is None and PLACES[session.get_one(Conversation, one.conversation_id).key].discussed:
            continue  # who hands in what is in discussion has a say in it
        session.add(Submission(assignment_id=one.id, handed_in=submitted is None, last_decision_id=newest[-1].id))
        session.add(Gold(utterance_id=third, codes="SHOW", rule=Rule.UNANIMOUS, round_id=one.round_id))


def _change_numbers(session: Session, hidden: Callable[[Secret], bool]) -> None:
    numbers = {one.number: one for one in secrets() if one.kind in NUMBERS}
    for said in session.exec(select(Suggestion).where(Suggestion.run_id == 1)):
        if said.confidence and hidden(numbers[said.confidence]):
            said.confidence = 1 - said.confidence / 2  # high, and the surest are now the least sure
        said.probabilities = {said.codes: said.confidence or 0.0}
    for decision in session.exec(select(Decision).where(col(Decision.seconds).is_not(None))):
        if hidden(numbers[decision.seconds or 0.0]):
            decision.seconds = 1.5
    for listed in session.exec(select(ItemDecision)):
        if hidden(numbers[int(listed.numbers)]):
            listed.numbers = "5"
