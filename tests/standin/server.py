"""The protocol over HTTP: which path does what, what is sent back and how the connection is treated.

`/{v}/models`, `/{v}/models/{m}`, `:generateContent` and `:countTokens` for v1 and v1beta; `/_control/` for tests, without a key.
"""

import json
import socket
import socketserver
import sys
import time
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from standin import refusals
from standin.answers import Draft, as_text, capped, codes_of, count_output, envelope, right_rows
from standin.asked import Asked, contents_of, count_tokens, read_asked, texts_of
from standin.faults import ANSWER_FAULTS, Rule, Shown
from standin.spoilt import Scene, spoil
from standin.state import State

PHRASES = {status.value: status.phrase for status in HTTPStatus}
PAGE = b"<!doctype html><html><head><title>%s</title></head><body><h1>%s</h1></body></html>"
NO_TOKENS = {"in": 0, "out": 0, "thoughts": 0, "cached": 0}


@dataclass(frozen=True)
class Reply:
    """What goes out; `sent` is how much of the body before the connection ends, None all of it, and a status of 0 is no answer."""

    status: int
    body: bytes = b""
    kind: str = "application/json; charset=UTF-8"
    sent: int | None = None


def as_reply(answer: refusals.Refused | tuple[int, Any]) -> Reply:
    """An answer as JSON."""
    return Reply(answer[0], json.dumps(answer[1], ensure_ascii=False).encode())


def broken(fault: str, whole: bytes) -> Reply:
    """What a fault of the transport leaves of an answer."""
    if fault == "drop_half":
        return Reply(200, whole, sent=len(whole) // 2)
    if fault == "half_body_json":
        return Reply(200, whole[: len(whole) // 2])
    if fault == "html":
        return Reply(200, PAGE % (b"Sign in", b"Sign in to the network"), "text/html; charset=UTF-8")
    if fault == "html_502":
        return Reply(502, PAGE % (b"502 Bad Gateway", b"502 Bad Gateway"), "text/html; charset=UTF-8")
    return Reply(0)


class Desk:
    """Answers requests that were read; knows nothing of sockets."""

    def __init__(self, state: State) -> None:
        self.state = state

    def known(self, version: str, model: str) -> refusals.Refused | None:
        return None if model in self.state.options.models else refusals.unknown_model(version, model)

    def described(self, model: str) -> dict[str, Any]:
        """A model as the list of models tells it."""
        name = {"name": f"models/{model}", "version": "001", "displayName": model.replace("-", " ").title()}
        limits = {"inputTokenLimit": 1_048_576, "outputTokenLimit": 65_536}
        return {**name, **limits, "supportedGenerationMethods": ["generateContent", "countTokens"]}

    def models(self, version: str, model: str) -> Reply:
        rule = self.state.struck(Shown("models"))
        scripted = refusals.scripted(rule.fault, rule.extra, version, model) if rule else None
        if rule and not scripted:
            return broken(rule.fault, b"{}")
        if not model:
            return as_reply(scripted or (200, {"models": [self.described(one) for one in self.state.options.models]}))
        return as_reply(scripted or self.known(version, model) or (200, self.described(model)))

    def count(self, version: str, model: str, body: dict[str, Any]) -> Reply:
        rule = self.state.struck(Shown("countTokens"))
        scripted = refusals.scripted(rule.fault, rule.extra, version, model) if rule else None
        if rule and not scripted:
            return broken(rule.fault, b"{}")
        inner = body.get("generateContentRequest") or body
        total = count_tokens(*(text for content in contents_of(inner) for text in texts_of(content)))
        details = [{"modality": "TEXT", "tokenCount": total}]
        return as_reply(scripted or self.known(version, model) or (200, {"totalTokens": total, "promptTokensDetails": details}))

    def generate(self, version: str, asked: Asked) -> tuple[Reply, Rule | None, dict[str, int]]:
        """Answer a generateContent request: what goes out, the fault that struck it, the tokens it cost."""
        book = self.state.book(asked)
        if refused := self.known(version, asked.model) or unfit(asked) or self.state.over_quota(asked):
            return as_reply(refused), None, NO_TOKENS
        texts = tuple(str(one.get("text", "")) for one in asked.utterances)
        codes = codes_of(asked, book)
        any_of = bool(asked.shape and asked.shape.any_of)
        rule = self.state.struck(Shown("generateContent", texts, len(asked.wanted), any_of, len(codes), asked.cap))
        if rule and (scripted := refusals.scripted(rule.fault, rule.extra, version, asked.model)):
            return as_reply(scripted), rule, NO_TOKENS
        rows = right_rows(asked, codes, book)
        thoughts = asked.thoughts()
        if rule and rule.fault in ANSWER_FAULTS:
            draft = spoil(rule.fault, rule.extra, rows, Scene(asked, codes, struck_row(asked, rule.match)), thoughts)
        else:
            draft = Draft(as_text(rows, asked) if asked.utterances or asked.shape else "OK", thoughts=thoughts)
        if self.state.options.keep_cap:
            draft = capped(draft, asked.cap)
        cached = self.state.cached(asked)
        reply = as_reply((200, envelope(draft, asked, self.state.options.model_version or asked.model, cached)))
        tokens = {"in": asked.tokens, "out": count_output(draft.text), "thoughts": draft.thoughts, "cached": cached}
        return (reply if rule is None or rule.fault in ANSWER_FAULTS else broken(rule.fault, reply.body)), rule, tokens


def struck_row(asked: Asked, match: str | None) -> int:
    """The row that a fault of one row strikes: the one whose text matched, or the middle one."""
    at = [at for at, one in enumerate(asked.wanted) if match and match in str(one.get("text", ""))]
    return at[0] if at else len(asked.wanted) // 2


def unfit(asked: Asked) -> refusals.Refused | None:
    """What the service itself refuses in a request."""
    if asked.last_role != "user":
        return refusals.bad_argument("Please ensure that the last turn is a user turn.")
    if {"thinkingBudget", "thinkingLevel"} <= asked.thinking.keys():
        return refusals.bad_argument("You can only set only one of thinking budget and thinking level.")
    return None


def noted(asked: Asked, raw: bytes, rule: Rule | None, reply: Reply, tokens: dict[str, int]) -> dict[str, Any]:
    """What the log keeps of a call."""
    shape = asked.shape
    return {
        "at": round(time.time(), 3),
        "model": asked.model,
        "ids": [one.get("id") for one in asked.wanted],
        "context": len(asked.utterances),
        "texts": sha256("\n".join(str(one.get("text", "")) for one in asked.utterances).encode()).hexdigest()[:16],
        "fault": rule.fault if rule else None,
        "status": reply.status or None,
        "tokens": tokens,
        "tier": asked.tier,
        "thinking": dict(asked.thinking),
        "sampling": list(asked.sampling),
        "cap": asked.cap,
        "schema": None if shape is None else "anyOf" if shape.any_of else "flat",
        "system": sha256(asked.system.encode()).hexdigest()[:16],
        "body": sha256(raw).hexdigest(),
    }


class Handler(BaseHTTPRequestHandler):
    """One connection, which may carry many requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Server"

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path.startswith("/_control/"):
            self.control(path.removeprefix("/_control/"), b"")
            return
        version, _, rest = path.strip("/").partition("/")
        if version not in ("v1", "v1beta") or rest.split("/")[0] != "models":
            self.send(Reply(404, b"Not Found", "text/plain"))
        elif refused := self.locked():
            self.send(as_reply(refused))
        else:
            self.send(self.server.desk.models(version, rest.partition("/")[2]))

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        path = urlsplit(self.path).path
        if path.startswith("/_control/"):
            self.control(path.removeprefix("/_control/"), raw)
            return
        version, _, rest = path.strip("/").partition("/")
        model, _, method = rest.removeprefix("models/").partition(":")
        if version not in ("v1", "v1beta") or method not in ("generateContent", "countTokens"):
            self.send(Reply(404, b"Not Found", "text/plain"))
        elif refused := self.locked():
            self.send(as_reply(refused))
        elif (body := loaded(raw)) is None:
            self.send(as_reply(refusals.bad_argument("Invalid JSON payload received. Unexpected end of string.")))
        elif method == "countTokens":
            self.send(self.server.desk.count(version, model, body))
        else:
            self.generate(version, read_asked(model, body), raw)

    def locked(self) -> refusals.Refused | None:
        """The refusal if the key is absent or wrong."""
        key = self.headers.get("x-goog-api-key") or "".join(parse_qs(urlsplit(self.path).query).get("key", []))
        if key == self.server.state.options.key:
            return None
        return refusals.wrong_key() if key else refusals.no_key()

    def generate(self, version: str, asked: Asked, raw: bytes) -> None:
        """Answer in the time it takes; the log is written first, so that no answer is out that it does not hold."""
        state = self.server.state
        state.enter()
        try:
            reply, rule, tokens = self.server.desk.generate(version, asked)
            if rule and rule.fault == "hang":
                state.released.wait(float(rule.extra.get("delay", 30)))
            elif tokens["in"] and (wait := state.wait()):
                time.sleep(wait)
            if self.deserted():
                reply = Reply(0)
            state.record(noted(asked, raw, rule, reply, tokens))
        finally:
            state.leave()
        self.send(reply)

    def deserted(self) -> bool:
        """Whether the client has hung up: a killed client was not answered, though the socket would take the bytes."""
        try:
            return not self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def send(self, reply: Reply) -> None:
        """Put a reply on the wire in one piece, or the part of it that its fault allows."""
        if not reply.status:
            self.close_connection = True
            return
        length = f"Content-Type: {reply.kind}\r\nContent-Length: {len(reply.body)}\r\n"
        head = f"HTTP/1.1 {reply.status} {PHRASES.get(reply.status, '')}\r\n{length}\r\n".encode()
        self.wfile.write(head + reply.body[: reply.sent])
        self.close_connection = self.close_connection or reply.sent is not None

    def control(self, word: str, raw: bytes) -> None:
        """What tests ask and order."""
        state = self.server.state
        if self.command == "GET" and word == "log":
            lines = "".join(json.dumps(entry) + "\n" for entry in state.log())
            self.send(Reply(200, lines.encode(), "application/jsonl"))
        elif self.command == "GET" and word in ("stats", "faults"):
            self.send(as_reply((200, state.stats() if word == "stats" else state.rules())))
        elif self.command == "POST" and word == "reset":
            state.reset()
            self.send(as_reply((200, {})))
        elif self.command == "POST" and word == "faults":
            try:
                state.script(json.loads(raw))
            except (ValueError, TypeError) as error:
                self.send(as_reply((400, {"error": str(error)})))
            else:
                self.send(as_reply((200, state.rules())))
        else:
            self.send(Reply(404, b"Not Found", "text/plain"))

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the log is what tests read."""


def loaded(raw: bytes) -> dict[str, Any] | None:
    """A body that is a JSON object."""
    try:
        body = json.loads(raw)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


class Server(ThreadingHTTPServer):
    """A thread per connection; clients that go away are no news."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def __init__(self, port: int, state: State) -> None:
        self.state = state
        self.desk = Desk(state)
        super().__init__(("127.0.0.1", port), Handler)

    def server_bind(self) -> None:
        # HTTPServer would look its own name up, which can take seconds where there is no network.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)
