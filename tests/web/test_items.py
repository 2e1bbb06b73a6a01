"""The catalogue beside a conversation: pictures, and which items were mentioned and chosen."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlmodel import col, select, update

from annotator.db import Database
from annotator.models import Item, ItemDecision

from .forms import Reader, attributes_of, follow, hand_in_as_it_is, text

Browse = Callable[[str], TestClient]
FRAGMENT = {"hx-request": "true"}
PICTURE = "/item/1/picture"


def boxes(page: Response, field: str) -> list[str]:
    """The numbers that are ticked."""
    tags = [attributes for tag, attributes in Reader(page.text).tags if tag == "input" and attributes.get("form") == f"save-{field}"]
    return [attributes["value"] for attributes in tags if "checked" in attributes]


def seen(page: Response, field: str) -> str:
    """Which state of a list a page shows."""
    return attributes_of(page, "input", name="seen", form=f"save-{field}")["value"]


def save(browser: TestClient, desk: str, field: str, *numbers: object, headers: dict[str, str] | None = None, **other: str) -> Response:
    """Send the form of a field with these boxes ticked."""
    page = browser.get(f"{desk}/items")
    (form,) = [form for form in Reader(page.text).forms if form.attributes.get("id") == f"save-{field}"]
    data = dict(form.fields) | {"seen": seen(page, field), "numbers": [str(number) for number in numbers]} | other
    return browser.post(form.attributes["action"], data=data, headers=headers)


@pytest.fixture
def marked(db: Database) -> Callable[[], list[tuple[str, str]]]:
    def read() -> list[tuple[str, str]]:
        with db.reading() as session:
            return [(row.field, row.numbers) for row in session.exec(select(ItemDecision).order_by(col(ItemDecision.id)))]

    return read


Marked = Callable[[], list[tuple[str, str]]]


# works


def test_the_desk_leads_to_the_catalogue_and_loads_it(alice: TestClient, desk: str) -> None:
    page = alice.get(desk)
    assert f"{desk}/items" in Reader(page.text).links
    assert 'data-items="1"' in page.text
    assert f'hx-get="{desk}/items"' in page.text


def test_the_catalogue_shows_pictures_numbers_names_facts_and_the_sources_lists(alice: TestClient, desk: str) -> None:
    page = alice.get(f"{desk}/items")
    pictures = [attributes for tag, attributes in Reader(page.text).tags if tag == "img"]
    assert [one["src"] for one in pictures] == [f"/item/{number}/picture" for number in range(1, 13)]
    assert {one["loading"] for one in pictures} == {"lazy"}
    assert "mentioned: 1, 4, 8 chosen: 1" in text(page)
    assert "Mustard yellow" in text(page)
    assert "Roomy hip-length cut" not in text(page)
    assert (boxes(page, "mentioned_items"), boxes(page, "gt_items")) == (["1", "4", "8"], ["1"])


def test_without_script_a_form_saves_a_list(alice: TestClient, desk: str, marked: Marked) -> None:
    page = follow(alice, save(alice, desk, "gt_items", 4))
    assert (boxes(page, "gt_items"), boxes(page, "mentioned_items")) == (["4"], ["1", "4", "8"])
    assert marked() == [("gt_items", "4")]


def test_a_script_gets_the_block_of_the_page(alice: TestClient, desk: str, marked: Marked) -> None:
    answer = save(alice, desk, "mentioned_items", 1, 9, headers=FRAGMENT)
    assert (answer.status_code, boxes(answer, "mentioned_items"), "<html" in answer.text) == (200, ["1", "9"], False)
    assert boxes(alice.get(f"{desk}/items", headers=FRAGMENT), "mentioned_items") == ["1", "9"]
    assert marked() == [("mentioned_items", "1|9")]


def test_no_box_ticked_is_the_empty_list(alice: TestClient, desk: str, marked: Marked) -> None:
    assert "chosen: none" in text(follow(alice, save(alice, desk, "gt_items")))
    assert marked() == [("gt_items", "")]


def test_sending_a_form_twice_saves_once(alice: TestClient, desk: str, marked: Marked) -> None:
    for _ in range(2):
        assert save(alice, desk, "gt_items", 4, act_key="key-of-one-act").status_code == 303
    assert marked() == [("gt_items", "4")]


def test_of_two_windows_the_second_learns_what_the_first_said(alice: TestClient, desk: str, marked: Marked) -> None:
    first = seen(alice.get(f"{desk}/items"), "gt_items")
    assert save(alice, desk, "gt_items", 4).status_code == 303
    for headers in ({}, FRAGMENT):
        answer = save(alice, desk, "gt_items", 7, headers=headers, seen=first)
        assert (answer.status_code, "It says 4 now" in text(answer)) == (409, True)
    assert save(alice, desk, "gt_items", 7).status_code == 303
    assert marked() == [("gt_items", "4"), ("gt_items", "7")]


def test_a_conversation_without_items_has_no_catalogue(db: Database, alice: TestClient, desk_of: Callable[..., str]) -> None:
    with db.writing() as session:
        session.execute(update(Item).values(catalogue="z", number=Item.number + 1000))
    assert "data-item=" in alice.get(f"{desk_of('alice')}/items").text  # what the source lists
    with db.writing() as session:
        session.connection().exec_driver_sql("UPDATE utterance SET text = 'Hello.'")
        session.connection().exec_driver_sql("UPDATE conversation SET meta = '{}'")
    assert alice.get(f"{desk_of('alice')}/items", headers=FRAGMENT).text.strip() == ""
    assert "no item" in text(alice.get(f"{desk_of('alice')}/items"))


def test_a_page_of_twelve_items_is_small(alice: TestClient, desk: str) -> None:
    assert len(alice.get(f"{desk}/items", headers=FRAGMENT).content) < 40_000


# pictures


@pytest.mark.parametrize("name", ["alice", "bob", "cem", "lea", "rui"])
def test_whoever_is_signed_in_may_see_a_picture(name: str, browse: Browse) -> None:
    answer = browse(name).get(PICTURE)
    assert (answer.status_code, answer.headers["content-type"], answer.content[:4]) == (200, "image/svg+xml", b"<svg")


def test_a_picture_can_run_nothing_and_is_kept_by_the_persons_own_browser_only(alice: TestClient) -> None:
    headers = alice.get(PICTURE).headers
    policy = {part.strip().split(" ")[0]: part.strip() for part in headers["content-security-policy"].split(";")}
    assert (policy["default-src"], policy["sandbox"]) == ("default-src 'none'", "sandbox")
    assert "script-src" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"].startswith("private")


def test_a_picture_that_the_browser_has_is_not_sent_again(alice: TestClient) -> None:
    tag = alice.get(PICTURE).headers["etag"]
    assert alice.get("/item/2/picture").headers["etag"] != tag
    again = alice.get(PICTURE, headers={"if-none-match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert alice.get(PICTURE, headers={"if-none-match": '"other"'}).status_code == 200


@pytest.mark.parametrize("kind", ["text/html", "", "image/svg+xml; charset=x", "application/javascript"])
def test_bytes_of_another_kind_are_not_given_out(kind: str, db: Database, alice: TestClient) -> None:
    with db.writing() as session:
        session.execute(update(Item).values(picture_type=kind))
    assert alice.get(PICTURE).status_code == 404


def test_who_is_not_signed_in_sees_no_picture(browse: Browse) -> None:
    assert browse("eve").get(PICTURE).status_code == 303


# not yours


@pytest.mark.parametrize("name", ["bob", "cem", "lea"])
def test_the_lists_of_another_are_not_found(name: str, browse: Browse, desk: str, marked: Marked) -> None:
    sent = {"field": "gt_items", "numbers": "4", "act_key": "a-key-of-this-test"}
    for answer in (browse(name).get(f"{desk}/items"), browse(name).post(f"{desk}/items", data=sent)):
        assert (answer.status_code, "no such conversation among yours" in text(answer)) == (404, True)
    assert marked() == []


def test_a_correction_shows_to_nobody_else(browse: Browse, desk_of: Callable[..., str]) -> None:
    before = boxes(browse("bob").get(f"{desk_of('bob')}/items"), "gt_items")
    save(browse("alice"), desk_of("alice"), "gt_items", 7)
    assert boxes(browse("bob").get(f"{desk_of('bob')}/items"), "gt_items") == before


# wrong role


def test_a_researcher_has_no_catalogue_of_their_own(browse: Browse, desk: str) -> None:
    assert browse("rui").get(f"{desk}/items").status_code == 403


# bad input


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"numbers": "13"}, "has no item 13"),
        ({"numbers": "x"}, "wrong at: numbers"),
        ({"numbers": ["1", "-2"]}, "wrong at: numbers"),
        ({"numbers": "1" * 20}, "wrong at: numbers"),
        ({"field": "codes"}, "wrong at: field"),
        ({"act_key": "short"}, "wrong at: act_key"),
        ({"seen": "x"}, "wrong at: seen"),
    ],
)
def test_what_cannot_be_saved_is_a_sentence(data: dict[str, str], sentence: str, alice: TestClient, desk: str, marked: Marked) -> None:
    sent = {"field": "gt_items", "numbers": "4", "act_key": "a-key-of-this-test"} | data
    for headers in ({}, FRAGMENT):
        answer = alice.post(f"{desk}/items", data=sent, headers=headers)
        assert (answer.status_code, sentence in text(answer)) == (422, True)
    assert marked() == []


def test_an_empty_field_names_no_item(alice: TestClient, desk: str, marked: Marked) -> None:
    assert save(alice, desk, "gt_items", 4, "", " ").status_code == 303
    assert marked() == [("gt_items", "4")]


def test_what_is_handed_in_is_locked(alice: TestClient, desk: str, marked: Marked) -> None:
    hand_in_as_it_is(alice, desk)
    page = alice.get(f"{desk}/items")
    assert not [form for form in Reader(page.text).forms if form.attributes.get("action") == f"{desk}/items"]
    sent = {"field": "gt_items", "numbers": "4", "act_key": "a-key-of-this-test"}
    answer = alice.post(f"{desk}/items", data=sent, headers=FRAGMENT)
    assert (answer.status_code, "handed in" in answer.text, marked()) == (409, True, [])


def test_names_and_facts_are_text(db: Database, alice: TestClient, desk: str) -> None:
    evil = "<img src=x onerror=alert(1)>"
    with db.writing() as session:
        session.execute(update(Item).values(name=evil, meta={"<b>": "</dd><script>"}))
    page = alice.get(f"{desk}/items")
    assert not [attributes for tag, attributes in Reader(page.text).tags if tag == "img" and "onerror" in attributes]
    assert evil in text(page)
