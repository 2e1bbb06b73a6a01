"""Gemini through google-genai: one request per question, with every way it can fail told apart.

The key comes from the environment (GOOGLE_API_KEY, else GEMINI_API_KEY) and is never stored, shown or logged.
"""

import json
import os
import re
import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from annotator.errors import BadInput
from annotator.taggers.base import Brief
from annotator.taggers.prompt import Question
from annotator.taggers.provider import Answer, Busy, Manner, Provider, Stopped, Unanswerable

KEYS = ("GOOGLE_API_KEY", "GEMINI_API_KEY")
_THINKING = {"minimal": 0, "low": 1024, "medium": 4096, "high": 8192}
"""Level → tokens it may use, which count against the answer's limit."""
_COUNTS, _MOST_TOKENS = ("prompt", "cached_content", "candidates", "thoughts"), 10**9
_NO_MINIMAL = ("gemini-3.8-",)
"""Models whose least thinking is low."""
_SECONDS = {"standard": 60.0, "flex": 900.0}
_SECONDS_OF_THOUGHT = 120.0


class Gemini(Provider):
    """Asks `models.generateContent` for rows of a schema. The client is made when first asked, since it is slow to load."""

    name = "gemini"
    version = "1"
    defaults = {"model": "gemini-3.5-flash-lite", "thinking": "minimal", "fresh": ""}

    def __init__(self, brief: Brief, manner: Manner) -> None:
        super().__init__(brief, manner)
        if self.model.startswith(_NO_MINIMAL) and self.settings["thinking"] == "minimal":
            if "thinking" in brief.settings:
                raise BadInput(f"{self.model} always thinks; the least is low. Choose low, medium or high.")
            self.settings["thinking"] = "low"
        if self.settings["thinking"] not in _THINKING:
            raise BadInput(f"thinking is {self.settings['thinking']!r}. Choose {', '.join(_THINKING)}.")
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", self.model):
            raise BadInput(f"{self.model!r} cannot be a model's name. It looks like {self.defaults['model']}.")
        self._client: Any = None
        self._making = threading.Lock()
        self._flat = False

    def ask(self, question: Question) -> Answer:
        client, flat = self._opened(), self._flat
        try:
            return self._ask(client, question, flat=flat)
        except _BadShape:
            # The only remedy known for a schema that is refused; once it helped, the rest of the run goes the same way.
            if flat:
                raise
        answer = self._ask(client, question, flat=True)
        self._flat = True
        return answer

    def missing(self) -> str:
        return "" if _key() else f"There is no key for Gemini. Set {KEYS[1]} in the environment of the command or server, and go on."

    def room(self, question: Question) -> int:
        """Thoughts count against the limit too."""
        return super().room(question) + _THINKING[self.settings["thinking"]] * question.room

    def thoughts(self) -> tuple[float, float]:
        most = float(_THINKING[self.settings["thinking"]])
        return most / 10, most

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def _opened(self) -> Any:
        """The client, made once. Keep it: one that is forgotten closes its connections."""
        with self._making:
            if self._client is None:
                if missing := self.missing():
                    raise Stopped(missing)
                if not _key().isascii():
                    raise Stopped("The key for Gemini holds characters that no key has. Copy it again, without quotes, and go on.")
                from google import genai  # late: it takes a second and 20 MB

                more = 0.0 if self.settings["thinking"] == "minimal" else _SECONDS_OF_THOUGHT
                seconds = self.manner.timeout or _SECONDS[self.manner.tier] + more
                options: Any = {"timeout": round(seconds * 1000)}
                if self.manner.endpoint:
                    options["base_url"] = self.manner.endpoint
                # Without vertexai=False a variable in the environment sends the key elsewhere.
                self._client = genai.Client(api_key=_key(), vertexai=False, http_options=options)
            return self._client

    def _ask(self, client: Any, question: Question, *, flat: bool) -> Answer:
        level = self.settings["thinking"]
        config = {
            "system_instruction": self.prompt.system,
            "response_mime_type": "application/json",
            "response_schema": self.prompt.schema(by_role=not flat),
            "max_output_tokens": self.room(question),
            "thinking_config": {"thinking_budget": _THINKING[level]} if self._counts_thoughts() else {"thinking_level": level},
            "automatic_function_calling": {"disable": True},
            **({"service_tier": "flex"} if self.manner.tier == "flex" else {}),
        }
        contents = [{"role": "user", "parts": [{"text": self.prompt.message(question)}]}]
        said = self._told(lambda: client.models.generate_content(model=self.model, contents=contents, config=config))
        return _answer(said, self.model)

    def _counts_thoughts(self) -> bool:
        """Gemini 2.5 knows budgets, later ones levels; never both."""
        return self.model.startswith("gemini-2.")

    def _told(self, send: Any) -> Any:
        """Send; what goes wrong becomes one of our three errors."""
        from google.genai import errors  # late, as the client

        try:
            return send()
        except errors.APIError as error:
            raise self._translated(error) from None
        except json.JSONDecodeError:
            raise Busy("the service answered with something that is not JSON", billed=True) from None
        except _connection_errors() as error:
            # An answer that never arrived may have been made, and billed; not where there was no connection at all.
            name = type(error).__name__
            raise Busy(f"the connection to the service failed ({name})", billed=not name.startswith("Connect")) from None
        except (TypeError, AttributeError, KeyError, RecursionError):  # a body of another shape than the client expects
            raise Busy("the service answered with something that cannot be read", billed=True) from None

    def _translated(self, error: Any) -> Exception:
        code, status, details = int(error.code or 0), str(error.status or ""), _details(error)
        said = _quoted(str(error.message or "")) or status or str(code)
        if code == 429:
            return _rate_limit(details)
        if code < 400 or code >= 500:
            return Busy(f"the service is overloaded ({code} {status})".replace(" )", ")"), _retry_delay(details))
        if code in (408, 409, 499):
            return Busy(f"the service took too long ({code})")
        if code == 402 or status == "FAILED_PRECONDITION":
            return Stopped(f"Gemini does not serve this account, or not from here: {said} Put that right, then go on.")
        if code in (401, 403) or any(one.get("reason") == "API_KEY_INVALID" for one in details) or "API key" in said:
            return Stopped(f"Gemini refused the key ({code} {status}). Check {KEYS[0]} or {KEYS[1]} and what the key may do, then go on.")
        if code == 404:
            return Stopped(f"Gemini has no model {self.model} for this key. It has: {self._models() or 'none that can be listed'}.")
        if code == 400:
            return _BadShape(f"the service refused the question: {said}")
        return Unanswerable(f"the service answered {code} {status}: {said}")

    def _models(self) -> str:
        """The models the key may use, for a sentence."""
        try:
            found = [str(model.name).removeprefix("models/") for model in self._opened().models.list()]
        except Exception:  # whatever it is, the first error is the one to tell
            return ""
        return ", ".join(sorted(name for name in found if name.startswith("gemini"))[:20])


def _key() -> str:
    return next(iter(_keys()), "")


def _keys() -> list[str]:
    return [key for name in KEYS if (key := os.environ.get(name, "").strip())]


class _BadShape(Unanswerable):
    """400: the schema, or something else about the question."""


def _answer(said: Any, model: str) -> Answer:
    usage, feedback = said.usage_metadata, said.prompt_feedback
    candidate = said.candidates[0] if said.candidates else None
    finish = _word(candidate.finish_reason) if candidate else ""
    if candidate is None and feedback is not None and feedback.block_reason:
        finish = f"blocked: {_word(feedback.block_reason)}"
    parts = (candidate.content.parts or []) if candidate and candidate.content else []
    tokens_in, cached, candidates, thoughts = (getattr(usage, f"{name}_token_count", None) for name in _COUNTS)
    counted = tokens_in is not None and all(0 <= (one or 0) <= _MOST_TOKENS for one in (tokens_in, cached, candidates, thoughts))
    return Answer(
        text=_storable("".join(part.text for part in parts if part.text and not part.thought)),
        finish=finish,
        # Shown in terminals and tables; a name holds nothing else.
        model_version=re.sub(r"[^A-Za-z0-9._/@:-]+", "?", str(said.model_version or model))[:100],
        tokens_in=tokens_in or 0 if counted else 0,
        tokens_cached=min(cached or 0, tokens_in or 0) if counted else 0,
        tokens_out=(candidates or 0) + (thoughts or 0) if counted else 0,
        counted=counted,
    )


def _storable(text: str) -> str:
    """An answer without halves of characters and NUL, which cannot be stored, and without the key, should it ever be in it."""
    text = text.encode(errors="replace").decode().replace("\0", " ")
    return text.replace(_key(), "[key]") if len(_key()) >= 8 else text


def _word(reason: Any) -> str:
    return str(getattr(reason, "value", reason) or "")


def _connection_errors() -> tuple[type[Exception], ...]:
    """What the client raises beside its own errors, a response that pydantic cannot take (a ValueError) included."""
    try:
        import httpx2 as httpx  # late, as the client; before 3.0 google-genai used httpx
    except ImportError:
        import httpx  # type: ignore[import-not-found,no-redef]  # see above

    return (OSError, ValueError, httpx.TransportError, httpx.DecodingError)


def _details(error: Any) -> list[dict[str, Any]]:
    body = error.details if isinstance(error.details, dict) else {}
    inner = body.get("error", body)
    found = inner.get("details", []) if isinstance(inner, dict) else []
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _retry_delay(details: list[dict[str, Any]]) -> float | None:
    for one in details:
        match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)s", str(one.get("retryDelay", "")))
        if match:
            return float(match[1])
    return None


def _rate_limit(details: list[dict[str, Any]]) -> Exception:
    if "PerDay" in str([detail.get("violations", detail.get("quotaId")) for detail in details]):
        return Stopped(f"Today's quota of the account is used up. It comes back at midnight Pacific time{_midnight()}: go on then.")
    return Busy("the account's rate limit was reached", _retry_delay(details), rate=True)


def _midnight() -> str:
    """The next midnight in California, as UTC."""
    try:
        here = datetime.now(ZoneInfo("America/Los_Angeles"))
    except ZoneInfoNotFoundError:  # a machine without a time zone database
        return ""
    then = datetime.combine(here.date() + timedelta(days=1), datetime.min.time(), here.tzinfo)
    return f" ({then.astimezone(UTC):%Y-%m-%d %H:%M} UTC)"


def _quoted(message: str) -> str:
    """The service's words, shortened, without anything that could be a key."""
    for key in _keys():
        message = message.replace(key, "[key]")
    return " ".join(message.split())[:200]
