"""Accounts: a link works once for seven days, wrong passwords are slowed down, a disabled person is out at once."""

from datetime import timedelta

import pytest
from conftest import PASSWORD
from sqlalchemy import select
from sqlmodel import Session

from annotator.errors import BadInput, Conflict, NotFound, NotSignedIn, TooManyTries
from annotator.flow import accounts
from annotator.models import FailedSignIn, Role, now
from flow.steps import dump


def enter(session: Session, name: str, password: str) -> str | None:
    """What the sign-in form does."""
    accounts.check_tries(session, name)
    return accounts.sign_in(session, name, accounts.check_password(session, name, password), days=30)


def test_a_link_works_once(session: Session) -> None:
    token = accounts.add_user(session, "dora", Role.ANNOTATOR)
    browser = accounts.use_link(session, token, PASSWORD, days=30)
    assert accounts.signed_in(session, browser).name == "dora"
    with pytest.raises(NotFound, match="used already or is older than 7 days"):
        accounts.use_link(session, token, PASSWORD, days=30)


def test_looking_at_a_link_does_not_use_it_up(session: Session) -> None:
    token = accounts.add_user(session, "dora", Role.ANNOTATOR)
    assert [accounts.link_owner(session, token).name for _ in range(2)] == ["dora", "dora"]


def test_a_link_ends_after_seven_days(session: Session) -> None:
    token = accounts.add_user(session, "dora", Role.ANNOTATOR)
    dora = accounts.get_user(session, "dora")
    assert timedelta(days=6, hours=23) < (dora.link_expires_at or now()) - now() <= timedelta(days=7)
    dora.link_expires_at = now() - timedelta(seconds=1)
    session.flush()
    with pytest.raises(NotFound):
        accounts.link_owner(session, token)


def test_a_new_link_replaces_the_older_one(session: Session) -> None:
    first = accounts.add_user(session, "dora", Role.ANNOTATOR)
    second = accounts.new_link(session, "dora")
    with pytest.raises(NotFound):
        accounts.link_owner(session, first)
    assert accounts.link_owner(session, second).name == "dora"


def test_a_new_link_is_the_way_back_for_a_forgotten_password(session: Session) -> None:
    before = enter(session, "alice", PASSWORD)
    browser = accounts.use_link(session, accounts.new_link(session, "alice"), "another long password", days=30)
    assert enter(session, "alice", PASSWORD) is None
    assert enter(session, "alice", "another long password")
    assert accounts.signed_in(session, browser).name == "alice"
    with pytest.raises(NotSignedIn):
        accounts.signed_in(session, before)


def test_a_short_password_is_refused_and_leaves_the_link_whole(session: Session) -> None:
    token = accounts.add_user(session, "dora", Role.ANNOTATOR)
    with pytest.raises(BadInput, match="has 9 characters; it needs at least 10"):
        accounts.use_link(session, token, "123456789", days=30)
    assert accounts.link_owner(session, token).name == "dora"


def test_neither_links_nor_browsers_nor_passwords_are_stored_readably(session: Session) -> None:
    token = accounts.add_user(session, "dora", Role.ANNOTATOR)
    browser = accounts.use_link(session, token, PASSWORD, days=30)
    another = accounts.new_link(session, "dora")
    stored = str(dump(session))
    assert not [secret for secret in (token, browser, another, PASSWORD) if secret in stored]


@pytest.mark.parametrize("name", ["alice", " alice "])
def test_the_right_password_signs_in_under_the_name_in_its_one_spelling(session: Session, name: str) -> None:
    assert enter(session, name, PASSWORD)


@pytest.mark.parametrize(("name", "password"), [("alice", "wrong"), ("nobody", PASSWORD), ("Alice", PASSWORD), ("", ""), ("alice", "")])
def test_a_wrong_name_or_password_signs_nobody_in(session: Session, name: str, password: str) -> None:
    assert enter(session, name, password) is None


def test_somebody_with_a_link_only_cannot_sign_in_by_password(session: Session) -> None:
    accounts.add_user(session, "dora", Role.ANNOTATOR)
    assert enter(session, "dora", "") is None


@pytest.mark.parametrize("spellings", [["alice"], ["nobody"], ["alice", " alice", "alice  "]])
def test_after_ten_wrong_passwords_even_the_right_one_waits(session: Session, spellings: list[str]) -> None:
    for number in range(10):
        assert enter(session, spellings[number % len(spellings)], "wrong") is None
    with pytest.raises(TooManyTries, match="Wait 15 minutes, or ask the lead for a new link"):
        enter(session, spellings[0], PASSWORD)
    assert enter(session, "bob", PASSWORD)


def test_wrong_tries_are_forgotten_after_a_quarter_of_an_hour_or_a_right_one(session: Session) -> None:
    for _ in range(9):
        enter(session, "alice", "wrong")
    assert enter(session, "alice", PASSWORD)
    for _ in range(10):
        enter(session, "alice", "wrong")
    for one in session.scalars(select(FailedSignIn)):
        one.failed_at = now() - timedelta(minutes=15, seconds=1)
    session.flush()
    assert enter(session, "alice", PASSWORD)


def test_a_disabled_person_is_out_at_once_and_for_good(session: Session) -> None:
    browser = enter(session, "alice", PASSWORD)
    link = accounts.new_link(session, "alice")
    accounts.disable(session, "alice")
    with pytest.raises(NotSignedIn):
        accounts.signed_in(session, browser)
    with pytest.raises(NotFound):
        accounts.link_owner(session, link)
    assert enter(session, "alice", PASSWORD) is None


def test_after_disabling_only_the_new_link_lets_anybody_in_and_not_the_old_password(session: Session) -> None:
    accounts.disable(session, "alice")
    accounts.new_link(session, "alice")
    assert enter(session, "alice", PASSWORD) is None


def test_a_new_link_lets_a_disabled_person_in_again(session: Session) -> None:
    accounts.disable(session, "alice")
    browser = accounts.use_link(session, accounts.new_link(session, "alice"), PASSWORD, days=30)
    assert accounts.signed_in(session, browser).name == "alice"


@pytest.mark.parametrize("token", [None, "", "x"])
def test_without_a_known_token_nobody_is_signed_in(session: Session, token: str | None) -> None:
    with pytest.raises(NotSignedIn, match="nothing you saved is lost"):
        accounts.signed_in(session, token)


def test_signing_out_forgets_this_browser_only(session: Session) -> None:
    here, there = enter(session, "alice", PASSWORD), enter(session, "alice", PASSWORD)
    accounts.sign_out(session, here or "")
    assert accounts.signed_in(session, there).name == "alice"
    with pytest.raises(NotSignedIn):
        accounts.signed_in(session, here)


def test_a_browser_is_forgotten_when_its_days_are_over(session: Session) -> None:
    browser = accounts.sign_in(session, "alice", accounts.get_user(session, "alice"), days=0)
    with pytest.raises(NotSignedIn):
        accounts.signed_in(session, browser)


@pytest.mark.parametrize("name", ["", "  ", "a|b", "gold", "All", "x" * 61, "a\nb", "a\u202eb"])
def test_what_cannot_be_a_name_is_refused(session: Session, name: str) -> None:
    with pytest.raises(BadInput, match="cannot be a name"):
        accounts.add_user(session, name, Role.ANNOTATOR)


def test_a_name_has_one_spelling(session: Session) -> None:
    accounts.add_user(session, "Zoe\u0301 ", Role.ANNOTATOR)
    with pytest.raises(Conflict, match="annotator user link Zoé"):
        accounts.add_user(session, "Zo\u00e9", Role.ANNOTATOR)


def test_a_name_known_from_imported_labels_becomes_a_person(session: Session) -> None:
    imported = accounts.named(session, "dora")
    assert accounts.state_of(imported) == "name of imported labels only"
    token = accounts.add_user(session, "dora", Role.LEAD)
    dora = accounts.link_owner(session, token)
    assert (dora.id, dora.role) == (imported.id, Role.LEAD)
    assert accounts.state_of(dora) == "has a link, not used yet"


def test_the_states_of_people_are_told_apart(session: Session) -> None:
    accounts.disable(session, "bob")
    assert {user.name: accounts.state_of(user) for user in accounts.list_users(session)} == {
        "alice": "active", "bob": "disabled", "cem": "active", "lea": "active", "rui": "active",
    }  # fmt: skip


def test_somebody_unknown_is_answered_with_who_is_known(session: Session) -> None:
    with pytest.raises(NotFound, match=r"There is no user 'eve'\. Known: alice, bob, cem, lea, rui"):
        accounts.get_user(session, "eve")
