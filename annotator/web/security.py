"""What holds for every answer: security headers, no writing request from another site, and no body that is larger than it may be."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from annotator.flow.uploads import LARGEST
from annotator.web.deps import COOKIE

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_UPLOADS = "/import"
_MB = 1024 * 1024


class Security:
    """Adds the headers, refuses cross-site writes and large bodies, and keeps pages with labels out of shared caches."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refusal = refused(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        private = not scope["path"].startswith("/static/")
        left = largest_body(scope["path"])
        begun = False

        async def receive_counted() -> Message:
            """A body that does not announce its size is counted as it comes, and ends where it gets too large."""
            nonlocal left, begun
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0 and not begun:
                begun = True
                await too_large(scope["path"])(scope, receive, send)
            return message if left >= 0 else {"type": "http.disconnect"}

        async def send_with_headers(message: Message) -> None:
            nonlocal begun
            if left < 0:  # answered above
                return
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if private:
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self.app(scope, receive_counted, send_with_headers)


def refused(scope: Scope) -> Response | None:
    """The answer to a request that is not even read. A body is parsed before anybody asks whose it is, so its size is looked at here."""
    headers, path = Headers(scope=scope), scope["path"]
    if scope["method"] not in _SAFE_METHODS and not same_site(headers):
        return PlainTextResponse("This request came from another site and was not carried out.", 403, _HEADERS)
    size = headers.get("content-length", "0")
    if int(size if size.isdecimal() else 0) > largest_body(path):
        return too_large(path)
    has_body = size != "0" or "transfer-encoding" in headers
    if path == _UPLOADS and has_body and COOKIE not in HTTPConnection(scope).cookies:
        return PlainTextResponse("You are not signed in, or not any more. Sign in and send the files again.", 401, _HEADERS)
    return None


def largest_body(path: str) -> int:
    """How many bytes a request may bring along; files come with their names and a form around them."""
    return LARGEST + _MB if path == _UPLOADS else _MB


def too_large(path: str) -> Response:
    """What became of a request that is larger than that."""
    files = f"The files are larger than the {LARGEST >> 20} MB that can be sent at once. Send them in parts, or use `annotator import`."
    sentence = files if path == _UPLOADS else "This request is larger than 1 MB and was not carried out."
    return PlainTextResponse(sentence, 413, _HEADERS)


def same_site(headers: Headers) -> bool:
    """Whether a writing request comes from our own pages, or from no browser at all.

    `Sec-Fetch-Site` says so in every current browser; `Origin` in older ones; programs send neither.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or origin.split("://", 1)[-1] == headers.get("host")
