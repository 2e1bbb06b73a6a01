"""The real corpus, and a small conversation with everything in it."""

from pathlib import Path

import pytest

from annotator.core.transcript import ItemLists, Label, Proposal, Record, Transcript, Turn, Utterance
from annotator.importers import IMPORTERS
from annotator.importers.base import Source


@pytest.fixture
def vogue(data: Path) -> list[Record]:
    """All of VOGUE."""
    return list(IMPORTERS["vogue"].read(Source(data / "vogue/original")))


@pytest.fixture
def talk() -> Transcript:
    """Alice and Bob labelled, Bob blind; the first utterance is settled and was proposed by m-001; the last is nobody's.

    Alice says that items 2 and 7 were mentioned and none was chosen.
    """
    alice = Label("alice", ("ACK", "RC"), "r1", "assisted", "abc123", 2.5, "2026-11-23T05:00:00Z")
    bob = Label("bob", (), "r1", "blind", "abc123", 7.0, "2026-11-23T06:00:00Z")
    first = Utterance("1", "Hi.", (alice, bob), (Proposal(("ACK",), 0.8312, "r1", "m-001", "9f2c", 0.00021),), ("ACK",), "adjudicated")
    last = Utterance("2", '=Well, "so"\nthen', (), (Proposal(("RTI", "RC"), 0.5),))
    turns = (Turn("Seeker", (first,), 1, "00:00:01"), Turn("Assistant", (last,), 2, "00:00:02"))
    items = (ItemLists("alice", (2, 7), (), "r1"),)
    return Transcript("c1", turns, {"scenario": 1, "catalogue": "a"}, items=items)
