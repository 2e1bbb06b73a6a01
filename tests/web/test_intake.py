"""Import through the browser: what would come in is shown first and changes nothing, then it comes in or is thrown away."""

import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import Stage
from fastapi.testclient import TestClient
from flow.steps import dump
from httpx2 import Response
from sqlmodel import col, delete, func, select, update

from annotator.db import Database
from annotator.flow import accounts, uploads
from annotator.flow.stats import count_all
from annotator.models import Conversation, Item, Role, Upload, now
from annotator.paths import shipped

from .forms import Reader, attributes_of, buttons, follow, press, text

Browse = Callable[[str], TestClient]
Rows = dict[str, list[tuple[Any, ...]]]
SAMPLE = shipped("sample")
TABLE = "conversation,utterance,role,annotator,codes,text\n"
STRAY = TABLE + "c9,1,Seeker,ana,OLD,Hi.\nc9,2,Seeker,ana,OLD,Ho.\nc9,3,Assistant,ana,ACK,Hm.\n"


@pytest.fixture
def lea(browse: Browse) -> TestClient:
    return browse("lea")


@pytest.fixture
def rows(db: Database) -> Callable[[], Rows]:
    """Every row of every table but the uploads."""

    def read() -> Rows:
        with db.reading() as session:
            return {name: found for name, found in dump(session).items() if name != "upload"}

    return read


def kept(db: Database) -> int:
    with db.reading() as session:
        return session.scalar(select(func.count()).select_from(Upload)) or 0


def transcript(name: str) -> tuple[str, bytes]:
    path = SAMPLE / "transcripts" / f"{name}.json"
    return path.name, path.read_bytes()


def zipped(folder: Path, top: str = "") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as into:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                into.write(path, top + str(path.relative_to(folder)))
    return made.getvalue()


def send(browser: TestClient, *files: tuple[str, bytes | str], **options: str) -> Response:
    """Send the form as a browser does."""
    form = next(form for form in Reader(browser.get("/import").text).forms if form.attributes["action"] == "/import")
    assert form.attributes["enctype"] == "multipart/form-data"
    values = dict(form.fields)
    assert set(options) < set(values)
    del values["files"]
    return browser.post("/import", data=values | options, files=[("files", file) for file in files])


def preview(browser: TestClient, *files: tuple[str, bytes | str], **options: str) -> Response:
    return follow(browser, send(browser, *files, **options))


def cells(page: Response, table: str) -> list[str]:
    """The rows of a table as text."""
    inside = page.text.partition(f'aria-label="{table}"')[2].partition("</table>")[0].partition("<tbody>")[2]
    return [" ".join(Reader(row.replace("<", " <")).text.split()) for row in inside.split("</tr>")[:-1]]


# works


def test_the_preview_shows_what_would_come_in_and_changes_nothing(lea: TestClient, db: Database, rows: Callable[[], Rows]) -> None:
    before = rows()
    page = preview(lea, transcript("s1_d_1"), transcript("s4_d_4"), as_name="published")
    assert (page.status_code, "This is a preview: nothing has come in yet." in text(page)) == (200, True)
    assert "1 new conversations with" in text(page)
    assert cells(page, "Conversations")[0] == "s1_d_1 32 was here already"
    assert cells(page, "Conversations")[1].split()[2:] == ["new"]
    assert (rows() == before, kept(db)) == (True, 2)
    assert follow(lea, send(lea, transcript("s4_d_4"))).status_code == 200
    assert rows() == before


def test_what_was_shown_comes_in_and_the_files_are_gone(lea: TestClient, db: Database) -> None:
    page = preview(lea, transcript("s4_d_4"), transcript("s5_d_5"), as_name="published")
    done = press(lea, page, "Import")
    assert (done.status_code, "Imported" in text(done)) == (200, True)
    for sentence in shown(page):
        assert sentence in text(done)
    with db.reading() as session:
        assert {"s4_d_4", "s5_d_5"} < set(session.scalars(select(Conversation.key)))
        assert count_all(session)["annotators"]["published"]["labels"] > 0
    assert kept(db) == 0


def shown(page: Response) -> list[str]:
    """The report's sentences."""
    return [line.partition("<")[0] for line in page.text.partition('aria-label="Report"')[2].partition("</ul>")[0].split("<li>")[1:]]


@pytest.mark.parametrize("top", ["", "vogue/"])
def test_a_zip_of_the_sample_is_the_same_as_its_folder(top: str, lea: TestClient, db: Database) -> None:
    with db.writing() as session:
        session.execute(delete(Item))  # they came with the first conversations
    page = preview(lea, ("vogue.zip", zipped(SAMPLE, top)), as_name="published")
    assert "9 new conversations" in text(page)
    assert "3 were here already" in text(page)
    assert "445 labels, " in text(page)
    assert "12 catalogue items" in text(page)
    press(lea, page, "Import")
    with db.reading() as session:
        assert count_all(session)["annotators"]["published"]["labels"] == 445


def test_our_own_exports_come_in_again(lea: TestClient, rows: Callable[[], Rows]) -> None:
    for format in ("convokit", "vogue", "jsonl", "csv"):
        made = lea.get("/export/download", params={"format": format, "labels": "alice"})
        name = made.headers["content-disposition"].split('"')[1]
        page = preview(lea, (name, made.content))
        assert (page.status_code, "3 were here already" in text(page)) == (200, True), format


def test_importing_twice_adds_nothing(lea: TestClient, rows: Callable[[], Rows]) -> None:
    press(lea, preview(lea, transcript("s4_d_4"), as_name="published"), "Import")
    before = rows()
    again = press(lea, preview(lea, transcript("s4_d_4"), as_name="published"), "Import")
    assert "0 new conversations" in text(again)
    assert "labels were here already" in text(again)
    assert rows() == before


def test_a_double_click_imports_once_and_says_where_it_is(lea: TestClient, rows: Callable[[], Rows]) -> None:
    page = preview(lea, transcript("s4_d_4"))
    press(lea, page, "Import")
    before = rows()
    again = press(lea, page, "Import")
    assert (again.status_code, "it was imported or discarded already" in text(again)) == (404, True)
    assert rows() == before


def test_what_is_discarded_is_gone(lea: TestClient, db: Database, rows: Callable[[], Rows]) -> None:
    before = rows()
    page = preview(lea, transcript("s4_d_4"))
    assert press(lea, page, "Discard").headers["location"] == "/import"
    assert (kept(db), lea.get(page.url.path).status_code, rows() == before) == (0, 404, True)


def test_a_preview_can_be_looked_at_again(lea: TestClient) -> None:
    page = preview(lea, transcript("s4_d_4"))
    assert lea.get(str(page.url)).text == page.text


def test_uploads_that_nobody_decided_on_go_after_a_day(lea: TestClient, db: Database) -> None:
    old = preview(lea, transcript("s4_d_4"))
    with db.writing() as session:
        session.execute(update(Upload).values(sent_at=now() - timedelta(hours=25)))
    new = preview(lea, transcript("s5_d_5"))
    assert (kept(db), lea.get(old.url.path).status_code, lea.get(new.url.path).status_code) == (1, 404, 200)


# codes that the taxonomy does not have


def test_unknown_codes_are_left_out_and_shown_with_their_places(lea: TestClient, db: Database) -> None:
    page = preview(lea, ("c9.csv", STRAY))
    assert cells(page, "Unknown codes") == ["OLD Seeker 2 c9: 1, c9: 2"]
    press(lea, page, "Import")
    with db.reading() as session:
        assert count_all(session)["annotators"]["ana"]["codes"] == {"Assistant": {"ACK": 1}}


def test_an_unknown_code_is_an_error_when_that_was_asked_for(lea: TestClient, rows: Callable[[], Rows]) -> None:
    before = rows()
    page = preview(lea, ("c9.csv", STRAY), unknown="error")
    assert page.status_code == 422
    assert "c9.csv, line 2: conversation c9, utterance 1: the taxonomy has no code 'OLD' for Seeker" in text(page)
    assert "Import" not in buttons(page)
    assert rows() == before


def test_after_an_error_the_same_files_are_read_in_another_way(lea: TestClient, db: Database) -> None:
    page = preview(lea, ("c9.csv", STRAY), unknown="error")
    renamed = press(lea, page, "Show again", renames="Seeker/OLD = IQ\n\n")
    assert (renamed.status_code, cells(renamed, "Unknown codes")) == (200, [])
    press(lea, renamed, "Import")
    with db.reading() as session:
        assert count_all(session)["annotators"]["ana"]["codes"] == {"Seeker": {"IQ": 2}, "Assistant": {"ACK": 1}}


def test_many_unknown_codes_take_no_long_time_and_no_long_page(lea: TestClient) -> None:
    lines = "".join(f"c9,{number},Seeker,ana,X{number % 60},Hi.\n" for number in range(1, 20_001))
    page = preview(lea, ("c9.csv", TABLE + lines))
    assert len(cells(page, "Unknown codes")) == 20
    assert "… and 40 more unknown codes." in text(page)


# not yours


@pytest.fixture
def leo(db: Database, browse: Browse) -> TestClient:
    """Another lead."""
    with db.writing() as session:
        link = accounts.add_user(session, "leo", Role.LEAD)
    browser = browse("eve")
    press(browser, browser.get(f"/link/{link}"), "Save and go on", password="long enough to be", again="long enough to be")
    return browser


def test_another_leads_upload_is_not_found(lea: TestClient, leo: TestClient, db: Database, rows: Callable[[], Rows]) -> None:
    path = preview(lea, transcript("s4_d_4")).url.path
    before = rows()
    answers = [leo.get(path), leo.post(path), leo.post(f"{path}/discard"), leo.get("/import/of-nobody")]
    assert {(answer.status_code, "There is no such upload among yours" in text(answer)) for answer in answers} == {(404, True)}
    assert (kept(db), rows() == before) == (1, True)


# wrong role


@pytest.mark.parametrize("name", ["alice", "rui"])
def test_only_leads_may_import(name: str, lea: TestClient, browse: Browse, db: Database) -> None:
    path = preview(lea, transcript("s4_d_4")).url.path
    browser = browse(name)
    sent = browser.post("/import", files={"files": transcript("s5_d_5")})
    answers = [browser.get("/import"), sent, browser.get(path), browser.post(path), browser.post(f"{path}/discard")]
    assert {(answer.status_code, "This is for leads" in text(answer)) for answer in answers} == {(403, True)}
    assert kept(db) == 1


# bad input


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("c9.json", b'{"conversation_content": [', "c9.json, line 1, column 27: not readable as JSON"),
        ("c9.json", b"", "c9.json holds no conversation"),
        ("c9.txt", "Seeker: Grüße.\nAssistant: Hm.".encode("latin-1"), "c9.txt: not UTF-8 text"),
        ("c9.csv", "conversation,utterance,role\nc9,1,Seeker\n".encode("utf-16"), "UTF-16. Save it as UTF-8"),
        ("c9.xlsx", zipped(SAMPLE / "transcripts"), "Save the sheet as CSV"),
        ("c9.csv", b"no,table\n1,2\n", "c9.csv"),
        ("c9.pdf", b"%PDF-1.4 \xff\xfe", "c9.pdf"),
        ("c9.zip", b"no zip", "c9.zip is not a zip file that can be unpacked"),
        ("c9.zip", zipped(SAMPLE / "metadata"), "c9.zip holds none of the formats known here"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else value[:20],
)
def test_a_file_that_is_wrong_is_a_sentence_and_nothing_comes_in(
    name: str, content: bytes, sentence: str, lea: TestClient, rows: Callable[[], Rows]
) -> None:
    before = rows()
    page = preview(lea, transcript("s4_d_4"), (name, content), as_name="published", renames="A=B")
    assert (page.status_code, sentence in text(page)) == (422, True), text(page)
    assert tempfile.gettempdir() not in page.text
    form = next(form for form in Reader(page.text).forms if form.attributes.get("method") == "get")
    assert dict(form.fields) == {"format": "", "as_name": "published", "renames": "A=B", "unknown": "skip"}
    assert rows() == before
    forced = lea.post(page.url.path, data=dict(form.fields))
    assert (forced.status_code, sentence in text(forced), rows() == before) == (422, True, True)


def test_a_text_that_differs_from_the_one_here_is_a_conflict(lea: TestClient, rows: Callable[[], Rows]) -> None:
    before = rows()
    page = preview(lea, ("s1_d_1.txt", "Seeker: Something else.\n"))
    assert (page.status_code, "s1_d_1 is in this project with a different text" in text(page)) == (409, True)
    assert rows() == before


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [("renames", "A=B\nOLD", "--map OLD is not of the form OLD=NEW."), ("format", "xml", "There is no format 'xml'"),
     ("as_name", "a|b", "cannot be a name"), ("format", "csv", "s4_d_4.json")],
)  # fmt: skip
def test_an_option_that_is_wrong_is_a_sentence_and_can_be_changed(option: str, value: str, sentence: str, lea: TestClient) -> None:
    page = preview(lea, transcript("s4_d_4"), **{option: value})
    assert (page.status_code, sentence in text(page)) == (422, True), text(page)
    assert press(lea, page, "Show again", **{option: ""}).status_code == 200


def test_options_beyond_all_measure_are_a_sentence(lea: TestClient) -> None:
    for options in ({"unknown": "maybe"}, {"renames": "A=B\n" * 2000}):
        page = lea.post("/import", data=options, files={"files": transcript("s4_d_4")})
        assert (page.status_code, f"wrong at: {next(iter(options))}" in text(page)) == (422, True)


@pytest.mark.parametrize(
    ("names", "sentence"),
    [((), "No file was chosen."), (("a/c9.txt", "b/C9.txt"), "2 of the files are called c9.txt."), (("..",), "'..' cannot be the name")],
)
def test_files_that_cannot_be_kept_are_a_sentence_and_the_form_stays(
    names: tuple[str, ...], sentence: str, lea: TestClient, db: Database
) -> None:
    page = send(lea, *((name, "Seeker: Hi.") for name in names), as_name="published")
    assert (page.status_code, sentence in text(page), kept(db)) == (422, True, 0), text(page)
    assert attributes_of(page, "input", name="as_name")["value"] == "published"


def test_a_form_without_a_chosen_file_is_what_browsers_send(lea: TestClient) -> None:
    part = b'Content-Disposition: form-data; name="files"; filename=""\r\nContent-Type: application/octet-stream'
    body = b"--x\r\n" + part + b"\r\n\r\n\r\n--x--\r\n"
    page = lea.post("/import", content=body, headers={"content-type": "multipart/form-data; boundary=x"})
    assert (page.status_code, "No file was chosen." in text(page)) == (422, True)


def test_more_than_can_be_sent_at_once_is_a_sentence(lea: TestClient, db: Database) -> None:
    half = bytes(uploads.LARGEST // 2 + 256 * 1024)
    page = send(lea, ("a.txt", half), ("b.txt", half))
    assert (page.status_code, "The files have 64.5 MB in all, more than the 64 MB" in text(page)) == (422, True)
    assert kept(db) == 0


def test_a_hostile_zip_is_a_sentence(lea: TestClient, rows: Callable[[], Rows], stage: Stage) -> None:
    before = rows()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as into:
        into.writestr("../../annotator.toml", "allow_http = true")
    page = preview(lea, ("evil.zip", made.getvalue()))
    assert (page.status_code, "evil.zip holds the path '../../annotator.toml', which leads out of its folder" in text(page)) == (422, True)
    assert rows() == before


# names and texts from outside are text


def test_a_hostile_file_name_is_a_name(lea: TestClient, db: Database) -> None:
    evil = "<img src=x onerror=alert(1)>"
    page = preview(lea, (f"{evil}.txt", "Seeker: <script>alert(1)</script>\n"))
    assert (page.status_code, cells(page, "Conversations")[0].endswith("1 new")) == (200, True)
    assert not [tag for tag, attributes in Reader(page.text).tags if tag == "img" or (tag == "script" and "src" not in attributes)]
    done = press(lea, page, "Import")
    assert (done.status_code, "<img" in done.text) == (200, False)
    with db.reading() as session:
        assert evil in session.scalars(select(Conversation.key)).all()


@pytest.mark.parametrize("name", ["../../x.json", "/etc/x.json", "C:\\Users\\x.json"])
def test_folders_before_a_name_are_cut_off(name: str, lea: TestClient, db: Database) -> None:
    page = preview(lea, (name, transcript("s4_d_4")[1]))
    assert [row.split()[0] for row in cells(page, "Conversations")] == ["x"]
    with db.reading() as session:
        assert list(session.scalars(select(col(Upload.name)))) == ["x.json"]


@pytest.mark.parametrize("hostile", ["<img src=x onerror=alert(1)>", '"><script>alert(1)</script>', "{{7*7}}"])
def test_what_a_file_holds_is_text_in_report_and_sentences(hostile: str, lea: TestClient) -> None:
    entry = {"id": hostile, "utterances": [{"role": hostile, "text": "Hi", "labels": {"ana": [hostile]}}]}
    for options in ({}, {"unknown": "error"}, {"renames": f"A{hostile}"}, {"as_name": f"|{hostile}"}):
        page = preview(lea, ("a.jsonl", json.dumps(entry)), **options)
        assert hostile.replace("=", "") in Reader(page.text).text.replace("=", ""), options
        assert not [tag for tag, attributes in Reader(page.text).tags if tag == "img" or (tag == "script" and "src" not in attributes)]
