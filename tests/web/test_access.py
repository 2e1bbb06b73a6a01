"""Who may open what: one table of route × person. And what holds for every answer: headers, one site, text is text."""

import html
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Stage
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlmodel import update

from annotator.db import Database
from annotator.flow import accounts, intake, tagging
from annotator.flow.intake_report import Options
from annotator.flow.round import Wanted, create_round
from annotator.flow.runs import Order
from annotator.models import Decision, Suggestion
from annotator.web.app import create_app
from annotator.web.security import CONTENT_SECURITY_POLICY

from .forms import Reader, press, text

Browse = Callable[[str], TestClient]
Saved = Callable[[], list[Decision]]
PEOPLE = ("bob", "lea", "rui", "eve", "alice")  # Alice, whose conversation it is, last: what she does may change it
KEY = "a-key-of-this-test"
ACT = {"act": "skip", "act_key": KEY}
PASSWORDS = {"password": "long enough to be one", "again": "long enough to be one"}
ROUND = {"name": "r2", "annotators": "alice"}

# Route → what is sent, and the answer to another annotator, the lead, the researcher, nobody, the owner.
TABLE: dict[tuple[str, str], tuple[dict[str, Any], tuple[int, ...]]] = {
    ("GET", "/"): ({}, (303, 303, 303, 303, 303)),
    ("GET", "/sign-in"): ({}, (200, 200, 200, 200, 200)),
    ("POST", "/sign-in"): ({"data": {"name": "alice", "password": "wrong"}}, (401, 401, 401, 401, 401)),
    ("GET", "/link/{token}"): ({}, (404, 404, 404, 404, 404)),
    ("POST", "/link/{token}"): ({"data": PASSWORDS}, (404, 404, 404, 404, 404)),
    ("POST", "/sign-out"): ({}, (303, 303, 303, 303, 303)),
    ("GET", "/review"): ({}, (200, 200, 403, 303, 200)),
    ("GET", "/review/{assignment_id}"): ({}, (404, 404, 403, 303, 200)),
    ("GET", "/review/{assignment_id}/{position}"): ({}, (404, 404, 403, 303, 200)),
    ("POST", "/review/{assignment_id}/{position}/reason"): ({}, (404, 404, 403, 401, 200)),
    ("GET", "/review/{assignment_id}/{position}/comments"): ({}, (404, 200, 200, 303, 200)),
    ("POST", "/review/{assignment_id}/{position}/comments"): ({"data": {"body": "Why?", "act_key": KEY}}, (404, 303, 403, 401, 409)),
    ("GET", "/comments"): ({}, (200, 200, 200, 303, 200)),
    ("GET", "/review/search"): ({"params": {"q": "a"}}, (200, 200, 403, 303, 200)),
    ("GET", "/review/recent"): ({}, (200, 200, 403, 303, 200)),
    ("GET", "/review/next"): ({"params": {"what": "open", "assignment": 1}}, (404, 404, 403, 303, 303)),
    ("POST", "/review/{assignment_id}/{position}"): ({"data": ACT}, (404, 404, 403, 401, 303)),
    ("POST", "/review/undo"): ({"data": {"act_key": KEY}}, (409, 409, 403, 401, 409)),
    ("POST", "/review/{assignment_id}/hand-in"): ({"data": {"with_open": "true"}}, (404, 404, 403, 401, 303)),
    ("GET", "/review/{assignment_id}/hand-in"): ({}, (303, 303, 303, 303, 303)),
    ("POST", "/review/{assignment_id}/reopen"): ({}, (404, 404, 403, 401, 303)),
    ("GET", "/review/{assignment_id}/items"): ({}, (404, 404, 403, 303, 200)),
    ("POST", "/review/{assignment_id}/items"): ({"data": {"field": "gt_items", "act_key": KEY}}, (404, 404, 403, 401, 303)),
    ("GET", "/item/{item_id}/picture"): ({}, (200, 200, 200, 303, 200)),
    ("GET", "/taxonomy"): ({}, (200, 200, 200, 303, 200)),
    ("GET", "/taxonomy/code"): ({"params": {"role": "Seeker", "code": "IQ"}}, (200, 200, 200, 303, 200)),
    ("GET", "/agreement"): ({}, (200, 200, 200, 303, 200)),
    ("GET", "/agreement.json"): ({}, (200, 200, 200, 303, 200)),
    ("GET", "/agreement.csv"): ({}, (200, 200, 200, 303, 200)),
    ("GET", "/agreement/methods.txt"): ({}, (403, 200, 200, 303, 403)),
    ("GET", "/agreement/table/{name}.{suffix}"): ({}, (404, 404, 404, 303, 404)),
    ("GET", "/agreement/figure/{name}.{suffix}"): ({}, (404, 404, 404, 303, 404)),
    ("GET", "/confused"): ({"params": {"role": "Seeker", "said": "PCT", "other": "IQ"}}, (200, 200, 200, 303, 200)),
    ("GET", "/influence"): ({}, (403, 200, 200, 303, 403)),
    ("GET", "/influence.json"): ({}, (403, 422, 422, 303, 403)),
    ("GET", "/influence.csv"): ({}, (403, 422, 422, 303, 403)),
    ("GET", "/influence/table/{name}.{suffix}"): ({}, (403, 422, 422, 303, 403)),
    ("GET", "/influence/figure/{name}.{suffix}"): ({}, (403, 422, 422, 303, 403)),
    ("GET", "/adjudication"): ({}, (403, 200, 403, 303, 403)),
    ("GET", "/adjudication/{round_id}"): ({}, (403, 200, 403, 303, 403)),
    ("GET", "/adjudication/{round_id}/settled"): ({}, (403, 200, 403, 303, 403)),
    ("GET", "/adjudication/{round_id}/settled.csv"): ({}, (403, 200, 403, 303, 403)),
    ("POST", "/adjudication/{round_id}/settle"): ({}, (403, 303, 403, 401, 403)),
    ("POST", "/adjudication/{round_id}/decide"): ({"data": {"utterance": 1, "seen": 0}}, (403, 404, 403, 401, 403)),
    ("POST", "/adjudication/{round_id}/discuss"): ({"data": {"utterance": 1}}, (403, 404, 403, 401, 403)),
    ("POST", "/adjudication/{round_id}/undo"): ({"data": {"gold": 1}}, (403, 404, 403, 401, 403)),
    ("POST", "/adjudication/{round_id}/withdraw"): ({"data": {"gold": 1}}, (403, 404, 403, 401, 403)),
    ("GET", "/export"): ({}, (200, 200, 200, 303, 200)),
    ("GET", "/export/download"): ({}, (200, 200, 200, 303, 200)),
    ("GET", "/import"): ({}, (403, 200, 403, 303, 403)),
    ("POST", "/import"): ({"files": {"files": ("c9.txt", b"Seeker: Hello.")}}, (403, 303, 403, 401, 403)),
    ("GET", "/import/{key}"): ({}, (403, 404, 403, 303, 403)),
    ("POST", "/import/{key}"): ({}, (403, 404, 403, 401, 403)),
    ("POST", "/import/{key}/discard"): ({}, (403, 404, 403, 401, 403)),
    ("GET", "/tagging"): ({}, (403, 200, 403, 303, 403)),
    ("GET", "/tagging/plan"): ({}, (403, 200, 403, 303, 403)),
    ("POST", "/tagging"): ({"data": {"tagger": "of-nobody"}}, (403, 422, 403, 401, 403)),
    ("GET", "/tagging/{run_id}"): ({}, (403, 200, 403, 303, 403)),
    ("GET", "/tagging/{run_id}/conversation/{conversation_id}"): ({}, (403, 200, 403, 303, 403)),
    ("GET", "/tagging/{run_id}/progress"): ({}, (403, 200, 403, 303, 403)),
    ("GET", "/tagging/{run_id}/run.json"): ({}, (403, 200, 403, 303, 403)),
    ("GET", "/tagging/{run_id}/failures.csv"): ({}, (403, 200, 403, 303, 403)),
    ("GET", "/tagging/{run_id}/conversations.csv"): ({}, (403, 200, 403, 303, 403)),
    ("GET", "/tagging/{run_id}/reliability.svg"): ({}, (403, 404, 403, 303, 403)),
    ("POST", "/tagging/{run_id}/pause"): ({}, (403, 409, 403, 401, 403)),
    ("POST", "/tagging/{run_id}/resume"): ({}, (403, 409, 403, 401, 403)),
    ("POST", "/tagging/{run_id}/retry"): ({}, (403, 409, 403, 401, 403)),
    ("GET", "/round"): ({}, (403, 200, 200, 303, 403)),
    ("GET", "/round/rounds.csv"): ({}, (403, 200, 200, 303, 403)),
    ("GET", "/round/plan"): ({"params": ROUND}, (403, 200, 403, 303, 403)),
    ("GET", "/round/plan.csv"): ({"params": ROUND | {"table": "codes"}}, (403, 200, 403, 303, 403)),
    ("POST", "/round"): ({"data": {"name": "r2"}}, (403, 422, 403, 401, 403)),
    ("GET", "/round/{round_id}"): ({}, (403, 200, 200, 303, 403)),
    ("GET", "/round/{round_id}/progress"): ({}, (403, 200, 200, 303, 403)),
    ("GET", "/round/{round_id}/progress.json"): ({}, (403, 200, 200, 303, 403)),
    ("GET", "/round/{round_id}/progress.csv"): ({}, (403, 200, 200, 303, 403)),
    ("GET", "/round/{round_id}/conversations.csv"): ({}, (403, 200, 200, 303, 403)),
    ("GET", "/round/{round_id}/disagreement.csv"): ({}, (403, 200, 200, 303, 403)),
    ("GET", "/round/{round_id}/remarks.csv"): ({}, (403, 200, 200, 303, 403)),
    ("GET", "/round/{round_id}/add"): ({"params": {"annotators": "cem"}}, (403, 200, 403, 303, 403)),
    ("GET", "/round/{round_id}/add.csv"): ({"params": {"annotators": "cem", "table": "codes"}}, (403, 200, 403, 303, 403)),
    ("POST", "/round/{round_id}/add"): ({}, (403, 422, 403, 401, 403)),
    ("POST", "/round/{round_id}/close"): ({}, (403, 303, 403, 401, 403)),
    ("GET", "/users"): ({}, (403, 200, 403, 303, 403)),
    ("POST", "/users"): ({"data": {"name": "dora"}}, (403, 200, 403, 401, 403)),
    ("POST", "/users/link"): ({"data": {"name": "cem"}}, (403, 200, 403, 401, 403)),
    ("GET", "/users/link"): ({}, (303, 303, 303, 303, 303)),
    ("POST", "/users/disable"): ({"data": {"name": "cem"}}, (403, 303, 403, 401, 403)),
    ("GET", "/static/app.css"): ({}, (200, 200, 200, 200, 200)),
}


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Every (method, path) of the application but files."""
    waiting = list(app.routes)
    while waiting:
        route: Any = waiting.pop()
        if hasattr(route, "original_router"):
            waiting += route.original_router.routes
        else:
            yield from ((method, route.path) for method in getattr(route, "methods", ()))


def ask(browser: TestClient, method: str, path: str, desk: str, **sent: Any) -> Response:
    """Send a request for the first utterance of Alice's desk."""
    ids = {"run_id": 1, "conversation_id": 1, "item_id": 1, "round_id": 1}
    words = {"token": "of-nobody", "key": "of-nobody", "name": "none", "suffix": "csv"}
    path = path.format(assignment_id=desk.rpartition("/")[2], position=1, **words, **ids)
    return browser.request(method, path, **sent)


def test_every_route_is_in_the_table(stage: Stage) -> None:
    assert sorted(routes(create_app(stage.settings))) == sorted(set(TABLE) - {("GET", "/static/app.css")})


@pytest.mark.parametrize(("method", "path"), TABLE)
def test_who_may_do_what(method: str, path: str, browse: Browse, desk: str) -> None:
    sent, expected = TABLE[method, path]
    found = {name: ask(browse(name), method, path, desk, **sent).status_code for name in PEOPLE}
    assert found == dict(zip(PEOPLE, expected, strict=True))


@pytest.mark.parametrize("name", ["bob", "lea", "rui", "eve"])
def test_what_was_refused_changed_nothing(name: str, browse: Browse, desk: str, saved: Saved) -> None:
    for (method, path), (sent, _) in TABLE.items():
        if "assignment_id" in path:
            ask(browse(name), method, path, desk, **sent)
    assert saved() == []
    assert text(browse("alice").get("/review")).count("not begun") == 3


def test_a_disabled_user_may_do_nothing(db: Database, browse: Browse, desk: str) -> None:
    with db.writing() as session:
        accounts.disable(session, "alice")
    for (method, path), (sent, expected) in TABLE.items():
        assert ask(browse("alice"), method, path, desk, **sent).status_code == expected[PEOPLE.index("eve")], path


# what holds for every answer


@pytest.mark.parametrize("name", ["alice", "eve"])
def test_every_answer_carries_the_strict_headers(name: str, browse: Browse, desk: str) -> None:
    for path in [path for method, path in TABLE if method == "GET"] + ["/nowhere", "/review/x"]:
        if path == "/item/{item_id}/picture":
            continue  # bytes of a file: a stricter policy, and kept by the browser
        headers = ask(browse(name), "GET", path, desk).headers
        assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY, path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers.get("cache-control") == (None if path.startswith("/static/") else "no-store"), path


def test_the_policy_allows_no_inline_code_and_no_other_site() -> None:
    policy = dict(part.strip().split(" ", 1) for part in CONTENT_SECURITY_POLICY.split(";"))
    assert policy.pop("default-src") == "'none'"
    assert (policy["script-src"], policy["form-action"], policy["frame-ancestors"]) == ("'self'", "'self'", "'none'")
    assert set(policy.values()) == {"'self'", "'none'"}


@pytest.mark.parametrize("name", ["alice", "lea", "rui", "eve"])
def test_every_script_style_and_picture_is_our_own_file(name: str, browse: Browse, desk: str) -> None:
    for path in ("/sign-in", "/review", desk, "/taxonomy", "/agreement", "/export", "/nowhere"):
        for _, attributes in Reader(browse(name).get(path).text).tags:
            sources = [attributes.get("src", ""), attributes["href"] if attributes.get("rel") == "stylesheet" else ""]
            assert all(browse(name).get(source).status_code == 200 for source in sources if source)
            assert not any(source.startswith(("http:", "https:", "//", "data:")) for source in sources)


CROSS_SITE = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": ""},
    {"sec-fetch-site": None, "origin": "https://evil.example"},
    {"sec-fetch-site": None, "origin": "null"},
    {"sec-fetch-site": "cross-site", "origin": "http://testserver"},
]


@pytest.mark.parametrize("headers", CROSS_SITE)
def test_a_request_from_another_site_is_refused_and_changes_nothing(
    headers: dict[str, str | None], browse: Browse, desk: str, saved: Saved
) -> None:
    alice = forged(browse("alice"), headers)
    writing = [path for method, path in TABLE if method == "POST"]
    answers = [ask(alice, "POST", path, desk, **TABLE["POST", path][0]) for path in writing]
    assert {(answer.status_code, "came from another site" in answer.text) for answer in answers} == {(403, True)}
    assert saved() == []
    assert text(browse("alice").get("/review")).count("not begun") == 3


def forged(browser: TestClient, headers: dict[str, str | None]) -> TestClient:
    for name, value in headers.items():
        if value is None:
            del browser.headers[name]
        else:
            browser.headers[name] = value
    return browser


OWN = [{"sec-fetch-site": None}, {"sec-fetch-site": None, "origin": "http://testserver"}, {"sec-fetch-site": "none"}]


@pytest.mark.parametrize("headers", OWN)
def test_our_own_pages_and_programs_may_write(headers: dict[str, str | None], browse: Browse, desk: str) -> None:
    assert forged(browse("alice"), headers).post(f"{desk}/1", data=ACT).status_code == 303


def test_a_link_from_another_site_may_be_followed(browse: Browse) -> None:
    assert forged(browse("alice"), {"sec-fetch-site": "cross-site"}).get("/review").status_code == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE"])
def test_other_methods_are_refused(method: str, browse: Browse, desk: str) -> None:
    assert browse("alice").request(method, desk).status_code == 405


# transcripts are untrusted

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" x="',
    "' hx-post='/review/undo' hx-trigger='load' x='",
    "</a></article><form action=//evil.example><button>x",
    "{{7*7}} {% raw %} ${7*7} #{7*7}",
    "<b hx-get='/sign-out' hx-trigger='load'>hello</b> &amp; &lt;i&gt;",
    "-->]]><!-- \u202eevil\u202c",
)


@pytest.fixture
def hostile(db: Database, tmp_path: Path) -> str:
    """The address of Alice's desk for a conversation that means no good, proposals and reasons included."""
    file = tmp_path / "<b>evil&.txt"
    file.write_text("".join(f"Seeker: {said}\n" for said in HOSTILE), encoding="utf-8")
    with db.writing() as session:
        intake.import_paths(session, [file], "text", Options())
    tagging.tag(db, Order("scripted"))
    with db.writing() as session:
        session.execute(update(Suggestion).where(Suggestion.run_id == 2).values(reason=HOSTILE[6]))
        create_round(session, Wanted("<i>r2</i>", ("alice",)))
    return "/review/10"


def unescaped(page: Response) -> list[str]:
    """Tags and attributes that no page of ours has."""
    tags = Reader(page.text).tags
    events = [name for _, attributes in tags for name in attributes if re.match("on|x$", name)]
    sends = [attributes["hx-post"] for _, attributes in tags if "hx-post" in attributes]
    events += [address for address in sends if not re.fullmatch(r"/review/\d+/\d+/(reason|comments)", address)]
    return events + [tag for tag, attributes in tags if tag in ("img", "i") or (tag == "script" and "src" not in attributes)]


@pytest.mark.parametrize("rest", ["", "?at=3", "/1", "/4", "/3/comments"])
def test_a_transcript_is_text_on_every_page_and_fragment(rest: str, hostile: str, alice: TestClient) -> None:
    page = alice.get(f"{hostile}{rest}")
    assert page.status_code == 200
    assert unescaped(page) == []
    assert "49" not in re.sub(r'"[^"]*"', "", page.text)


def test_what_was_said_reads_exactly_as_it_was_said(hostile: str, alice: TestClient) -> None:
    page = html.unescape(alice.get(hostile).text)
    assert [said for said in HOSTILE if f">{said}</a>" not in page] == []
    assert "<b>evil&" in text(alice.get("/review"))


def test_a_reason_holds_no_markup_where_htmx_puts_it(hostile: str, alice: TestClient) -> None:
    reason = alice.post(f"{hostile}/7/reason")
    assert Reader(reason.text).tags == []
    assert Reader(reason.text).text == HOSTILE[6]


def test_an_act_on_a_hostile_utterance_answers_with_its_row(hostile: str, alice: TestClient) -> None:
    answer = alice.post(f"{hostile}/5", data={"codes": "IQ", "act_key": KEY}, headers={"hx-request": "true"})
    assert (unescaped(answer), [tag for tag, _ in Reader(answer.text).tags].count("article")) == ([], 1)


def test_the_forms_around_a_hostile_transcript_still_work(hostile: str, alice: TestClient) -> None:
    assert press(alice, alice.get(f"{hostile}?at=5"), "Confirm").headers["location"] == f"{hostile}?at=6#u6"
    refused = press(alice, alice.get(hostile), "Hand in")
    assert (refused.status_code, unescaped(refused)) == (409, [])


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_an_error_that_quotes_input_is_escaped(accept: str, alice: TestClient, desk: str) -> None:
    answer = alice.post(f"{desk}/1", data={"codes": HOSTILE[0], "act_key": KEY}, headers={"accept": accept})
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text or answer.headers["content-type"] == "application/json"
