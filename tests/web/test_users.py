"""People: the lead adds them, gives links and disables them, and can lock nobody out for good."""

import logging
from collections.abc import Callable
from datetime import timedelta

import pytest
from conftest import CAST, Stage
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlmodel import update

from annotator.db import Database
from annotator.errors import Conflict, Forbidden
from annotator.flow import accounts, users
from annotator.models import Role, User, now

from .forms import Reader, attributes_of, buttons, follow, press, text

Browse = Callable[[str], TestClient]
NEW = "a brand new password"


@pytest.fixture
def lea(browse: Browse) -> TestClient:
    return browse("lea")


def add(lea: TestClient, name: str, role: str = "annotator") -> Response:
    return press(lea, lea.get("/users"), "Add and make a link", name=name, role=role)


def link_on(page: Response) -> str:
    """The one-time link in the field to copy."""
    assert page.status_code == 200, text(page)
    return attributes_of(page, "input", readonly="")["value"]


def use(browser: TestClient, link: str) -> Response:
    path = "/link/" + link.rpartition("/link/")[2]
    return press(browser, browser.get(path), "Save and go on", password=NEW, again=NEW)


def states(lea: TestClient) -> dict[str, str]:
    """Name → state, as the page lists them."""
    rows = lea.get("/users").text.split('<th scope="row" class="name">')[1:]
    return {row.split("<")[0].strip(): row.split('<span class="state')[1].split(">", 1)[1].split("<")[0] for row in rows}


def is_in(browser: TestClient) -> bool:
    return browser.get("/taxonomy").status_code == 200


# works


def test_everybody_is_listed_with_role_and_state(lea: TestClient, db: Database) -> None:
    with db.writing() as session:
        accounts.named(session, "published")
        accounts.disable(session, "cem")
    assert states(lea) == dict.fromkeys(CAST, "active") | {"cem": "disabled", "published": "name of imported labels only"}
    said = text(lea.get("/users"))
    assert [name for name, role in CAST.items() if f"{name} {role}" not in said.replace(" (you)", "")] == []


@pytest.mark.parametrize("role", Role)
def test_a_new_person_gets_a_link_that_lets_them_in(role: Role, lea: TestClient, browse: Browse) -> None:
    link = link_on(add(lea, "dora", role))
    eve = browse("eve")
    assert use(eve, link).headers["location"] == "/"
    assert f"dora ({role})" in text(eve.get("/taxonomy"))
    assert states(lea)["dora"] == "active"


def test_the_link_is_the_one_the_command_would_print(stage: Stage, lea: TestClient, browse: Browse) -> None:
    link = link_on(add(lea, "dora"))
    assert link.startswith(f"{stage.settings.base_url}/link/")
    assert "works once, for 7 days" in text(press(lea, lea.get("/users"), "New link for dora"))


def test_a_new_link_replaces_the_older_one_and_is_the_way_back(lea: TestClient, browse: Browse) -> None:
    older = link_on(press(lea, lea.get("/users"), "New link for alice"))
    newer = link_on(press(lea, lea.get("/users"), "New link for alice"))
    assert browse("eve").get(older.partition("8000")[2]).status_code == 404
    before = browse("alice")
    assert is_in(before), "the password works until the link is used"
    use(browse("eve"), newer)
    assert not is_in(before)


def test_pressing_add_twice_ends_with_a_link_that_works(lea: TestClient, browse: Browse) -> None:
    link_on(add(lea, "dora"))
    use(browse("eve"), link_on(add(lea, "dora")))
    assert states(lea)["dora"] == "active"
    assert add(lea, "dora").status_code == 409, "whoever has signed in is not the same press of a button"


def test_somebody_added_a_while_ago_or_in_another_role_keeps_their_link(lea: TestClient, db: Database) -> None:
    link = link_on(add(lea, "dora"))
    assert add(lea, "dora", "lead").status_code == 409
    with db.writing() as session:
        session.execute(update(User).where(User.name == "dora").values(created_at=now() - timedelta(minutes=2)))  # type: ignore[arg-type]
    refused = add(lea, "dora")
    assert (refused.status_code, "New link for dora" in buttons(refused)) == (409, True)
    assert lea.get(link.partition("8000")[2]).status_code == 200


def test_a_disabled_person_is_out_and_a_new_link_lets_them_in_again(lea: TestClient, browse: Browse) -> None:
    alice = browse("alice")
    assert text(follow(lea, press(lea, lea.get("/users"), "Disable alice"))).count("disabled") == 1
    assert not is_in(alice)
    assert "Disable alice" not in buttons(lea.get("/users"))
    use(alice, link_on(press(lea, lea.get("/users"), "New link for alice")))
    assert (is_in(alice), states(lea)["alice"]) == (True, "active")


def test_disabling_takes_two_steps_and_no_script(lea: TestClient) -> None:
    page = lea.get("/users").text
    assert page.index("<summary>Disable</summary>") < page.index(">Disable alice</button>") < page.index("</details>")


def test_a_name_of_imported_labels_can_become_a_person(lea: TestClient, db: Database, browse: Browse) -> None:
    with db.writing() as session:
        accounts.named(session, "published")
    use(browse("eve"), link_on(add(lea, "published")))
    assert states(lea)["published"] == "active"


# the link is shown once


def test_the_token_is_in_one_answer_only(lea: TestClient, caplog: pytest.LogCaptureFixture, stage: Stage) -> None:
    caplog.set_level(logging.DEBUG)
    made = add(lea, "dora")
    token = link_on(made).rpartition("/")[2]
    assert (made.status_code, made.headers["cache-control"], made.text.count(token)) == (200, "no-store", 1)
    assert token not in str(made.headers) + str(made.url)
    assert not [path for path in ("/users", "/users/link", "/review") if token in lea.get(path).text]
    assert not [record for record in caplog.records if token in record.getMessage()]
    assert token.encode() not in b"".join(path.read_bytes() for path in stage.settings.project.glob("annotator.db*"))


def test_going_back_to_the_page_of_a_link_shows_no_link(lea: TestClient) -> None:
    made = press(lea, lea.get("/users"), "New link for alice")
    assert made.url.path == "/users/link"
    assert "readonly" not in follow(lea, lea.get("/users/link")).text


# not yours: nobody is locked out


def test_a_lead_cannot_disable_themselves(lea: TestClient) -> None:
    assert "Disable lea" not in buttons(lea.get("/users"))
    refused = lea.post("/users/disable", data={"name": "lea"})
    assert (refused.status_code, "You cannot disable yourself" in text(refused)) == (409, True)
    assert is_in(lea)


def test_a_lead_can_disable_another_lead(lea: TestClient, browse: Browse) -> None:
    use(browse("eve"), link_on(add(lea, "leo", "lead")))
    follow(lea, press(lea, lea.get("/users"), "Disable leo"))
    assert states(lea)["leo"] == "disabled"


def test_the_last_lead_who_can_sign_in_cannot_be_disabled(db: Database) -> None:
    with db.writing() as session:
        accounts.add_user(session, "leo", Role.LEAD)  # has a link, but never used it
        leo = accounts.get_user(session, "leo")
        with pytest.raises(Conflict, match="lea is the last lead who can sign in"):
            users.disable(session, leo, "lea")
        session.execute(update(User).where(User.name == "leo").values(password_hash="some"))  # type: ignore[arg-type]
        users.disable(session, leo, "lea")


# wrong role


@pytest.mark.parametrize("name", ["alice", "rui"])
def test_only_leads_may_do_anything_about_people(name: str, browse: Browse, lea: TestClient, db: Database) -> None:
    before = states(lea)
    for path in ("/users", "/users/link", "/users/disable"):
        refused = browse(name).post(path, data={"name": "bob", "role": "lead"})
        assert (refused.status_code, "This is for leads" in text(refused), "/link/" in refused.text) == (403, True, False)
    assert browse(name).get("/users").status_code == 403
    assert states(lea) == before
    with db.writing() as session:
        for use_case in (users.give_link, users.disable):
            with pytest.raises(Forbidden):
                use_case(session, accounts.get_user(session, name), "bob")


# bad input


@pytest.mark.parametrize(
    ("name", "status", "sentence"),
    [("alice", 409, "There is a user alice already. The button New link beside the name"), ("", 422, "cannot be a name"),
     ("gold", 422, "exports use this word"), ("a|b", 422, "cannot be a name"), ("x" * 61, 422, "cannot be a name")],
)  # fmt: skip
def test_a_name_that_cannot_be_is_a_sentence_and_the_form_keeps_it(name: str, status: int, sentence: str, lea: TestClient) -> None:
    before = states(lea)
    refused = lea.post("/users", data={"name": name, "role": "researcher"})
    assert (refused.status_code, sentence in text(refused)) == (status, True)
    form = next(form for form in Reader(refused.text).forms if form.attributes["action"] == "/users")
    assert dict(form.fields) == {"name": name, "role": "researcher"}
    assert states(lea) == before


@pytest.mark.parametrize("path", ["/users/link", "/users/disable"])
def test_somebody_unknown_is_a_sentence(path: str, lea: TestClient) -> None:
    refused = lea.post(path, data={"name": "nobody"})
    assert (refused.status_code, "There is no user 'nobody'" in text(refused)) == (404, True)


def test_an_unknown_role_is_a_sentence(lea: TestClient) -> None:
    refused = lea.post("/users", data={"name": "dora", "role": "king"})
    assert (refused.status_code, "wrong at: role" in text(refused)) == (422, True)


@pytest.mark.parametrize("name", ["<b>dora</b>", '"><script>alert(1)</script>', "{{7*7}}"])
def test_a_name_is_text_everywhere_on_the_page(name: str, lea: TestClient) -> None:
    page = add(lea, name)
    assert link_on(page)
    assert (name in Reader(page.text).text, "<b>dora" in page.text, "<script>a" in page.text) == (True, False, False)
    assert lea.post("/users/disable", data={"name": name}).status_code == 303
