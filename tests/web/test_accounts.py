"""The way in: one-time links, passwords, sign-out."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from conftest import CAST, PASSWORD, Stage
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlmodel import update

from annotator.db import Database
from annotator.flow import accounts
from annotator.models import FailedSignIn, Role, SignIn, User, now
from annotator.web.app import create_app
from annotator.web.deps import COOKIE

from .forms import buttons, follow, press, text

Browse = Callable[[str], TestClient]
NEW = "a brand new password"
WRONG = "Name and password do not match. Check both, or ask the lead for a new link."


@pytest.fixture
def link(db: Database) -> str:
    """The address of a new one-time link for Dora, who is not of the cast."""
    with db.writing() as session:
        return f"/link/{accounts.add_user(session, 'dora', Role.ANNOTATOR)}"


def sign_in(browser: TestClient, name: str, password: str, at: str = "/sign-in") -> Response:
    return press(browser, browser.get(at), "Sign in", name=name, password=password)


def choose(browser: TestClient, link: str, password: str = NEW, again: str = NEW) -> Response:
    return press(browser, browser.get(link), "Save and go on", password=password, again=again)


def is_in(browser: TestClient) -> bool:
    return browser.get("/taxonomy").status_code == 200


# works


def test_a_link_lets_its_owner_choose_a_password_and_in(link: str, browse: Browse) -> None:
    eve = browse("eve")
    assert "Welcome, dora" in text(eve.get(link))
    page = follow(eve, follow_to_start(eve, choose(eve, link)))
    assert "There is nothing to label yet" in text(page)
    assert "dora (annotator)" in text(page)


def follow_to_start(browser: TestClient, answer: Response) -> Response:
    assert answer.headers["location"] == "/"
    return follow(browser, answer)


def test_the_password_chosen_by_link_signs_in_from_then_on(link: str, browse: Browse) -> None:
    choose(browse("eve"), link)
    assert sign_in(browse("nobody"), "dora", NEW).headers["location"] == "/"


@pytest.mark.parametrize(("name", "start"), [("alice", "/review"), ("lea", "/review"), ("rui", "/agreement")])
def test_everybody_starts_where_their_work_is(name: str, start: str, browse: Browse) -> None:
    browser = browse("eve")
    assert follow(browser, sign_in(browser, name, PASSWORD)).headers["location"] == start


def test_signing_in_goes_on_to_the_page_that_was_asked_for(browse: Browse) -> None:
    eve = browse("eve")
    asked = eve.get("/review?page=2")
    assert sign_in(eve, "alice", PASSWORD, asked.headers["location"]).headers["location"] == "/review?page=2"


def test_signing_out_forgets_this_browser_and_no_other(browse: Browse) -> None:
    here, there = browse("eve"), browse("alice")
    sign_in(here, "alice", PASSWORD)
    token = here.cookies[COOKIE]
    assert press(here, here.get("/taxonomy"), "Sign out").headers["location"] == "/sign-in"
    here.cookies.set(COOKIE, token)
    assert (is_in(here), is_in(there)) == (False, True)


def test_a_link_stays_good_when_somebody_only_looks_at_it(link: str, browse: Browse) -> None:
    for _ in range(3):
        assert browse("mail scanner").get(link).status_code == 200
    assert choose(browse("eve"), link).status_code == 303


def test_a_new_link_is_the_way_back_and_signs_out_other_browsers(db: Database, browse: Browse) -> None:
    before, eve = browse("alice"), browse("eve")
    with db.writing() as session:
        token = accounts.new_link(session, "alice")
    assert is_in(before), "until the link is used"
    choose(eve, f"/link/{token}")
    assert (is_in(before), is_in(eve)) == (False, True)
    assert sign_in(browse("nobody"), "alice", PASSWORD).status_code == 401


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:8000", "https://labels.example.org"])
def test_the_cookie_is_kept_from_scripts_and_other_sites(base_url: str, stage: Stage) -> None:
    secure = base_url.startswith("https")
    settings = stage.settings.model_copy(update={"base_url": base_url})
    with TestClient(create_app(settings), base_url=base_url, follow_redirects=False) as browser:
        cookie = sign_in(browser, "alice", PASSWORD).headers["set-cookie"].lower()
    assert all(flag in cookie for flag in ("httponly", "samesite=lax", "path=/", "max-age=2592000"))
    assert ("secure" in cookie) == secure


def test_only_hashes_of_tokens_and_passwords_are_stored(link: str, stage: Stage, browse: Browse) -> None:
    eve = browse("eve")
    choose(eve, link)
    stored = b"".join(path.read_bytes() for path in stage.settings.project.glob("annotator.db*"))
    assert b"dora" in stored
    assert not any(secret.encode() in stored for secret in (NEW, eve.cookies[COOKIE], link.removeprefix("/link/")))


# not yours


def test_a_link_works_once(link: str, browse: Browse) -> None:
    page = browse("eve").get(link)
    choose(browse("eve"), link)
    again = press(browse("thief"), page, "Save and go on", password=NEW, again=NEW)
    assert (again.status_code, browse("thief").get(link).status_code) == (404, 404)
    assert "used already or is older than 7 days" in text(again)


def test_an_expired_link_lets_nobody_in(link: str, db: Database, browse: Browse) -> None:
    page = browse("eve").get(link)
    with db.writing() as session:
        session.execute(update(User).where(User.name == "dora").values(link_expires_at=now() - timedelta(seconds=1)))
    assert browse("eve").get(link).status_code == 404
    assert press(browse("eve"), page, "Save and go on", password=NEW, again=NEW).status_code == 404


def test_an_older_link_stops_working_when_there_is_a_newer_one(link: str, db: Database, browse: Browse) -> None:
    with db.writing() as session:
        newer = accounts.new_link(session, "dora")
    assert [browse("eve").get(one).status_code for one in (link, f"/link/{newer}")] == [404, 200]


def test_a_sign_in_ends_after_its_days(db: Database, browse: Browse) -> None:
    with db.writing() as session:
        session.execute(update(SignIn).values(expires_at=now() - timedelta(seconds=1)))
    assert not is_in(browse("alice"))


@pytest.mark.parametrize("cookie", ["", "nonsense", "x" * 4000])
def test_a_made_up_cookie_is_nobody(cookie: str, browse: Browse) -> None:
    eve = browse("eve")
    eve.cookies.set(COOKIE, cookie)
    assert eve.get("/review").headers["location"] == "/sign-in?next=/review"


# wrong role: who may not come in at all


def test_a_disabled_user_is_out_at_once_and_cannot_come_back(db: Database, browse: Browse) -> None:
    alice = browse("alice")
    with db.writing() as session:
        accounts.disable(session, "alice")
    assert not is_in(alice)
    refused = sign_in(browse("eve"), "alice", PASSWORD)
    assert (refused.status_code, WRONG in text(refused)) == (401, True)


def test_a_name_that_came_from_a_file_cannot_sign_in(db: Database, browse: Browse) -> None:
    with db.writing() as session:
        accounts.named(session, "dora")
    assert sign_in(browse("eve"), "dora", "anything").status_code == 401


# bad input


@pytest.mark.parametrize(
    ("password", "again", "sentence"),
    [
        ("short", "short", "The password has 5 characters; it needs at least 10."),
        (NEW, NEW + "!", "The two passwords differ. Type the same one twice."),
    ],
)
def test_a_bad_new_password_is_refused_and_the_link_stays_good(
    password: str, again: str, sentence: str, link: str, browse: Browse
) -> None:
    eve = browse("eve")
    refused = choose(eve, link, password, again)
    assert (refused.status_code, sentence in text(refused)) == (422, True)
    assert not is_in(eve)
    assert press(eve, refused, "Save and go on", password=NEW, again=NEW).status_code == 303


@pytest.mark.parametrize("path", ["/link/none", "/link/%00", "/link/" + "x" * 3000])
def test_a_made_up_link_is_not_found(path: str, browse: Browse) -> None:
    page = browse("eve").get(path)
    assert (page.status_code, "Ask the lead for a new one." in text(page)) == (404, True)


def test_an_unknown_name_gets_the_same_answer_as_a_wrong_password(browse: Browse) -> None:
    eve = browse("eve")
    wrong, unknown = sign_in(eve, "alice", "wrong"), sign_in(eve, "alina", "wrong")
    assert (wrong.status_code, WRONG in text(wrong)) == (401, True)
    assert wrong.text == unknown.text.replace("alina", "alice")
    assert "set-cookie" not in wrong.headers


def test_a_refused_sign_in_keeps_name_and_target(browse: Browse) -> None:
    eve = browse("eve")
    refused = sign_in(eve, "alice", "wrong", "/sign-in?next=/export")
    assert press(eve, refused, "Sign in", password=PASSWORD).headers["location"] == "/export"


@pytest.mark.parametrize("name", ["alice", "nobody at all"])
def test_ten_wrong_passwords_close_the_door_for_a_while(name: str, browse: Browse) -> None:
    eve = browse("eve")
    assert {sign_in(eve, name, "wrong").status_code for _ in range(10)} == {401}
    refused = sign_in(eve, name, PASSWORD)
    assert (refused.status_code, "Wait 15 minutes" in text(refused)) == (429, True)


def test_another_spelling_of_a_name_gives_no_more_tries(browse: Browse) -> None:
    eve = browse("eve")
    for number in range(10):
        sign_in(eve, " " * number + "alice", "wrong")
    assert sign_in(eve, "alice ", PASSWORD).status_code == 429


def test_wrong_tries_are_forgotten_after_a_quarter_of_an_hour_or_a_right_one(db: Database, browse: Browse) -> None:
    eve = browse("eve")
    for _ in range(10):
        sign_in(eve, "alice", "wrong")
    with db.writing() as session:
        session.execute(update(FailedSignIn).values(failed_at=now() - timedelta(minutes=16)))
    assert sign_in(eve, "alice", PASSWORD).status_code == 303


def test_wrong_tries_for_one_name_close_no_other(browse: Browse) -> None:
    for _ in range(10):
        sign_in(browse("eve"), "bob", "wrong")
    assert sign_in(browse("eve"), "alice", PASSWORD).status_code == 303


ELSEWHERE = ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/\t/evil.example", "/\r\nX: y", ""]


@pytest.mark.parametrize("target", ELSEWHERE)
def test_signing_in_never_sends_to_another_site(target: str, browse: Browse) -> None:
    eve = browse("eve")
    page = eve.get("/sign-in", params={"next": target})
    assert press(eve, page, "Sign in", name="alice", password=PASSWORD).headers["location"] == "/"
    forged = eve.post("/sign-in", data={"name": "alice", "password": PASSWORD, "next": target})
    assert forged.headers["location"] == "/"


@pytest.mark.parametrize("form", [{}, {"name": "alice"}, {"password": "x"}])
def test_an_incomplete_sign_in_is_a_sentence(form: dict[str, str], browse: Browse) -> None:
    page = browse("eve").post("/sign-in", data=form)
    assert (page.status_code, "The form is incomplete or wrong at:" in text(page)) == (422, True)


@pytest.mark.parametrize("name", ["<b>alice</b>", '"><script>', "{{7*7}}"])
def test_a_name_typed_in_is_shown_as_text(name: str, browse: Browse) -> None:
    page = sign_in(browse("eve"), name, "wrong")
    assert "<b>alice" not in page.text
    assert "<script>" not in page.text
    assert "49" not in page.text


def test_there_is_no_sign_up_and_no_password_to_guess(browse: Browse) -> None:
    assert buttons(browse("eve").get("/sign-in")) == {"Sign in", "Sign"}
    codes = {sign_in(browse("eve"), name, word).status_code for name in CAST for word in (name, "password")}
    assert codes == {401}
