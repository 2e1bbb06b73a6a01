"""A server that gives one body, whatever it is asked, and keeps what was sent: for answers that the stand-in has no fault for."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Canned(ThreadingHTTPServer):
    """What it says is `body` with `status`; what it was sent stands in `sent`, as (path, body)."""

    daemon_threads = True
    body: object = None
    status = 200

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def say(self, body: object, status: int = 200) -> None:
        """From now on answer this, as JSON unless it is bytes."""
        self.body, self.status = body, status
        self.sent.clear()

    def refuse(self, code: int, status: str = "", message: str = "", details: object = None) -> None:
        """From now on refuse, in the shape that Google has for it."""
        self.say({"error": {"code": code, "message": message, "status": status, "details": details}}, code)


class _Handler(BaseHTTPRequestHandler):
    server: Canned

    def do_POST(self) -> None:
        self.server.sent.append((self.path, json.loads(self.rfile.read(int(self.headers["content-length"])))))
        body = self.server.body if isinstance(self.server.body, bytes) else json.dumps(self.server.body).encode()
        self.send_response(self.server.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[Canned]:
    """One that runs."""
    with Canned() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
