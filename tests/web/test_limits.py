"""How large a request may be: looked at before anything of it is read, and counted where it does not say."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from loops import run_apart

from annotator.flow.uploads import LARGEST
from annotator.web.deps import COOKIE
from annotator.web.security import CONTENT_SECURITY_POLICY, Security

from .forms import text

Browse = Callable[[str], TestClient]
MB = 1024 * 1024
READ = b"the application read it all"


def answer(path: str, chunks: Iterator[bytes], **headers: str) -> tuple[int, bytes, int]:
    """Status, body and how many bytes were read of a request, from an application that reads all it is given."""
    sent: list[Any] = []
    read = 0

    async def application(scope: Any, receive: Any, send: Any) -> None:
        while (message := await receive()).get("more_body"):
            pass
        if message["type"] == "http.disconnect":
            message = await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": READ})

    async def receive() -> Any:
        nonlocal read
        chunk = next(chunks, b"")
        read += len(chunk)
        return {"type": "http.request", "body": chunk, "more_body": bool(chunk)}

    async def send(message: Any) -> None:
        sent.append(message)

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    run_apart(Security(application)({"type": "http", "method": "POST", "path": path, "headers": raw}, receive, send))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    return sent[0]["status"], sent[1]["body"], read


def endless() -> Iterator[bytes]:
    while True:
        yield bytes(MB // 4)


SIGNED_IN = {"cookie": f"{COOKIE}=somebody"}


@pytest.mark.parametrize(("path", "largest"), [("/review/undo", MB), ("/import/some-key", MB), ("/import", LARGEST + MB)])
def test_a_body_that_says_it_is_too_large_is_not_read(path: str, largest: int) -> None:
    status, said, read = answer(path, endless(), content_length=str(largest + 1), **SIGNED_IN)
    assert (status, b"larger than" in said, read) == (413, True, 0)
    assert answer(path, iter([b"x"]), content_length=str(largest), **SIGNED_IN) == (200, READ, 1)


@pytest.mark.parametrize(("path", "largest"), [("/review/undo", MB), ("/import", LARGEST + MB)])
def test_a_body_that_does_not_say_is_counted_and_answered_once(path: str, largest: int) -> None:
    status, said, read = answer(path, endless(), transfer_encoding="chunked", **SIGNED_IN)
    assert (status, b"larger than" in said) == (413, True)
    assert largest < read <= largest + MB
    chunks = iter([bytes(MB // 4)] * 4)
    assert answer(path, chunks, transfer_encoding="chunked", **SIGNED_IN) == (200, READ, MB)


@pytest.mark.parametrize("headers", [{"content_length": "9"}, {"transfer_encoding": "chunked"}])
def test_files_of_nobody_are_not_read(headers: dict[str, str]) -> None:
    status, said, read = answer("/import", endless(), **headers, cookie="another=one")
    assert (status, said, read) == (401, b"You are not signed in, or not any more. Sign in and send the files again.", 0)


def test_the_refusals_carry_the_strict_headers(browse: Browse) -> None:
    too_large = browse("alice").post("/review/undo", content=bytes(MB + 1))
    nobody = browse("eve").post("/import", files={"files": ("a.txt", b"Seeker: Hi.")})
    assert [(one.status_code, one.headers["content-security-policy"]) for one in (too_large, nobody)] == [
        (413, CONTENT_SECURITY_POLICY), (401, CONTENT_SECURITY_POLICY)
    ]  # fmt: skip
    assert too_large.text == "This request is larger than 1 MB and was not carried out."


HALF = "+2AA-"  # in UTF-7: the first half of a character outside the basic plane, which no database or page can hold
HALVES: dict[str, tuple[str, dict[str, str]]] = {
    "/sign-in": ("eve", {"name": HALF, "password": HALF}),
    "/review/1/1": ("alice", {"act": "label", "act_key": "a-key-of-this-test", "codes": HALF}),
    "/review/1/1/comments": ("alice", {"body": HALF, "act_key": "a-key-of-this-test"}),
    "/round": ("lea", {"name": HALF, "annotators": "alice", "instructions": HALF}),
    "/users": ("lea", {"name": HALF, "role": "annotator"}),
    "/adjudication/1/decide": ("lea", {"utterance": "1", "seen": "0", "codes": HALF, "note": HALF}),
}


@pytest.mark.parametrize("path", HALVES)
def test_halves_of_characters_are_refused_with_a_sentence(path: str, browse: Browse, desk_of: Callable[..., str]) -> None:
    name, data = HALVES[path]
    path = path.replace("/review/1", desk_of("alice"))
    parts = "".join(f'--x\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in data.items())
    sent = {"content-type": "multipart/form-data; boundary=x; charset=utf-7"}
    for how in ({}, {"hx-request": "true"}, {"accept": "application/json"}):
        answer = browse(name).post(path, content=f"{parts}--x--\r\n", headers=sent | how)
        assert (400 <= answer.status_code < 500, len(answer.text) > 10) == (True, True), answer.text


def test_an_ordinary_request_of_nearly_a_megabyte_is_carried_out(browse: Browse) -> None:
    page = browse("eve").post("/sign-in", data={"name": "x" * (MB - 100), "password": "wrong"})
    assert (page.status_code, "do not match" in text(page)) == (401, True)
