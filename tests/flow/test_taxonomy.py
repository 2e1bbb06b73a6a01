"""Taxonomy versions: adopted when the meaning changes, refused when a code in use goes away."""

import pytest
import yaml
from sqlalchemy import select
from sqlmodel import Session, col

from annotator.core.taxonomy import Taxonomy, parse_taxonomy
from annotator.errors import BadInput, Conflict, NotFound
from annotator.flow.taxonomy import adopt, codes_in_use, current, find_code, version_of
from annotator.models import Round, TaxonomyVersion
from annotator.paths import shipped
from flow.steps import label, settle, undo

SOURCE = shipped("taxonomy.yaml").read_text(encoding="utf-8")


def without(role: str, code: str) -> Taxonomy:
    """The shipped taxonomy lacking a code."""
    content = yaml.safe_load(SOURCE)
    content["roles"][role] = [one for one in content["roles"][role] if one["code"] != code]
    return parse_taxonomy(yaml.safe_dump(content))


def changed() -> Taxonomy:
    return parse_taxonomy(SOURCE.replace("name: Initial Query", "name: First Query"))


def fingerprints(session: Session) -> list[str]:
    return list(session.scalars(select(TaxonomyVersion.fingerprint).order_by(col(TaxonomyVersion.id))))


def test_the_same_meaning_makes_no_new_version(session: Session) -> None:
    before = fingerprints(session)
    adopt(session, parse_taxonomy("# another comment\n" + SOURCE))
    assert fingerprints(session) == before


def test_another_meaning_makes_a_new_version_and_rounds_keep_theirs(session: Session) -> None:
    version = adopt(session, changed())
    assert current(session)[0] == version
    assert current(session)[1].by_role["Seeker"]["IQ"].name == "First Query"
    assert session.get_one(Round, 1).taxonomy_version_id == 1 != version.id


def test_going_back_to_an_older_meaning_makes_it_current_again(session: Session) -> None:
    first = current(session)[0].fingerprint
    adopt(session, changed())
    adopt(session, parse_taxonomy(SOURCE))
    assert current(session)[0].fingerprint == first
    assert len(fingerprints(session)) == 2


def test_a_code_nobody_used_may_go(session: Session) -> None:
    label(session, "alice", "s1_d_1", 1, "RP")  # the Assistant's
    adopt(session, without("Seeker", "RP"))
    with pytest.raises(NotFound, match="no code RP for Seeker"):
        find_code(session, "Seeker", "RP")
    assert find_code(session, "Assistant", "RP").code == "RP"


def test_a_code_in_use_may_not_go_and_the_sentence_counts_its_labels(session: Session) -> None:
    for position in (2, 3):
        label(session, "alice", "s1_d_1", position, "PCT", "RP")
    settle(session, "s1_d_1", 4, "RP")
    with pytest.raises(Conflict, match=r"lacks Seeker RP \(Refine Preferences?\), which 3 labels use"):
        adopt(session, without("Seeker", "RP"))
    assert len(fingerprints(session)) == 1


def test_a_label_taken_back_still_uses_its_codes(session: Session) -> None:
    label(session, "alice", "s1_d_1", 2, "PCT", "RP")
    undo(session, "alice")
    assert codes_in_use(session) == {("Seeker", "PCT"): 1, ("Seeker", "RP"): 1}
    with pytest.raises(Conflict, match="which 1 label uses"):
        adopt(session, without("Seeker", "RP"))


def test_a_version_that_only_a_file_named_is_never_the_current_one(session: Session) -> None:
    before = current(session)[0].id
    noted = version_of(session, "abcdef123456")
    assert (noted.source, current(session)[0].id) == ("", before)
    assert version_of(session, "abcdef123456").id == noted.id


def test_a_version_first_named_by_a_file_becomes_current_when_its_text_comes(session: Session) -> None:
    noted = version_of(session, changed().fingerprint)
    assert adopt(session, changed()).id == noted.id
    assert current(session)[0].id == noted.id


def test_labels_hold_the_version_of_their_round_after_a_new_one_came(session: Session) -> None:
    adopt(session, parse_taxonomy(SOURCE.replace("max: 3", "max: 1")))
    assert label(session, "alice", "s1_d_1", 2, "PCT", "PEP", "RP").codes == ("PCT", "PEP", "RP")
    with pytest.raises(BadInput):
        label(session, "alice", "s1_d_1", 2, "PCT", "PEP", "RP", "ACK")
