"""The error bodies of Google's service, word for word where they are known."""

from collections.abc import Mapping
from typing import Any

TYPE = "type.googleapis.com/google.rpc."
MINUTE = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
DAY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
INTERNAL = "An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting"

Refused = tuple[int, dict[str, Any]]


def refused(code: int, status: str, message: str, *details: Mapping[str, Any]) -> Refused:
    """A status and its body."""
    error: dict[str, Any] = {"code": code, "message": message, "status": status}
    return code, {"error": {**error, "details": list(details)} if details else error}


def quota(quota_id: str, model: str, limit: int, delay: float | None) -> Refused:
    """429; with a delay it says when to come back, without one it does not."""
    again = "" if delay is None else f"\nPlease retry in {seconds(delay)}."
    metric = "generativelanguage.googleapis.com/generate_content_free_tier_requests"
    where = {"location": "global", "model": model}
    violation = {"quotaMetric": metric, "quotaId": quota_id, "quotaDimensions": where, "quotaValue": str(limit)}
    link = {"description": "Learn more about Gemini API quotas", "url": "https://ai.google.dev/gemini-api/docs/rate-limits"}
    return refused(
        429,
        "RESOURCE_EXHAUSTED",
        f"You exceeded your current quota, please check your plan and billing details.\n"
        f"* Quota exceeded for metric: {metric}, limit: {limit}, model: {model}{again}",
        {"@type": f"{TYPE}QuotaFailure", "violations": [violation]},
        {"@type": f"{TYPE}Help", "links": [link]},
        *([] if delay is None else [{"@type": f"{TYPE}RetryInfo", "retryDelay": seconds(delay)}]),
    )  # fmt: skip


def seconds(delay: float) -> str:
    """A duration as JSON writes it: `27s`, `0.350s`."""
    return f"{delay:.0f}s" if delay == int(delay) else f"{delay:.3f}s"


def wrong_key() -> Refused:
    message = "API key not valid. Please pass a valid API key."
    reason = {"reason": "API_KEY_INVALID", "domain": "googleapis.com", "metadata": {"service": "generativelanguage.googleapis.com"}}
    localized = {"@type": f"{TYPE}LocalizedMessage", "locale": "en-US", "message": message}
    return refused(400, "INVALID_ARGUMENT", message, {"@type": f"{TYPE}ErrorInfo", **reason}, localized)


def no_key() -> Refused:
    return refused(
        403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers (callers without established identity). "
        "Please use API Key or other form of API consumer identity to call this API.",
    )  # fmt: skip


def unknown_model(version: str, model: str) -> Refused:
    return refused(
        404, "NOT_FOUND", f"models/{model} is not found for API version {version}, or is not supported for generateContent. "
        "Call ListModels to see the list of available models and their supported methods.",
    )  # fmt: skip


def bad_argument(message: str = "Request contains an invalid argument.") -> Refused:
    return refused(400, "INVALID_ARGUMENT", message)


def overloaded() -> Refused:
    return refused(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")


def scripted(fault: str, extra: Mapping[str, Any], version: str, model: str) -> Refused | None:
    """The error that a scripted fault gives; None for a fault that is no error of the API."""
    made = {
        "rate_minute": lambda: quota(MINUTE, model, 15, float(extra.get("delay", 1))),
        "rate_day": lambda: quota(DAY, model, 1000, None),
        "error_500": lambda: refused(500, "INTERNAL", INTERNAL),
        "error_503": overloaded,
        "error_504": lambda: refused(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
        "bad_schema": bad_argument,
        "bad_request": bad_argument,
        "unauthorized": lambda: refused(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."),
        "forbidden": lambda: refused(403, "PERMISSION_DENIED", "Your project has been denied access. Please contact support."),
        "not_found": lambda: unknown_model(version, model),
        "key_invalid": wrong_key,
    }.get(fault)
    return made() if made else None
