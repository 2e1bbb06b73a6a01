"""Everything that can go wrong, by name, and the rules that say when; nothing here starts a server.

A rule is `{"fault": name, "times": 1 | n | "always", "match": text, "every": n, "share": 0.45}` and may carry what its fault reads:
`delay` (seconds: rate_minute, hang), `until` (max_tokens_empty), `model` (rerouted). `match` looks into all utterances of a prompt.
`every` and `share` mean always unless `times` is given. `on` is the method that is hit: generateContent, countTokens, models or any.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

TEXT_FAULTS = (
    "fenced", "prose_around", "truncated", "max_tokens_empty", "repetition", "trailing_comma", "single_quotes", "not_json", "empty",
)  # fmt: skip
ROW_FAULTS = (
    "nan_confidence", "word_confidence", "percent_confidence", "missing_confidence", "missing_tail", "missing_middle", "extra_ids",
    "duplicate_same", "duplicate_different", "string_ids", "renumbered", "slid", "slid_rows", "slid_tail", "wrong_role", "flipped_role",
    "unknown_code", "null_code", "empty_codes", "nearest_code", "case_space", "too_many_codes",
)  # fmt: skip
REFUSAL_FAULTS = ("blocked", "safety", "recitation", "spii", "other_stop", "no_candidates")
ANSWER_FAULTS = (*TEXT_FAULTS, *ROW_FAULTS, *REFUSAL_FAULTS, "rerouted")
TRANSPORT_FAULTS = (
    "rate_minute", "error_500", "error_503", "error_504", "drop", "drop_half", "html", "html_502", "half_body_json", "hang",
)  # fmt: skip
REQUEST_FAULTS = ("bad_schema", "bad_request")
STOPPING_FAULTS = ("rate_day", "unauthorized", "forbidden", "not_found", "key_invalid")
FAULTS = (*ANSWER_FAULTS, *TRANSPORT_FAULTS, *REQUEST_FAULTS, *STOPPING_FAULTS)

FIELDS = {"fault", "times", "match", "every", "share", "on", "delay", "until", "model"}
METHODS = ("generateContent", "countTokens", "models", "any")
# What cannot show with fewer rows is kept for a longer answer, so that a scripted fault is never spent unseen.
LEAST_ROWS = {
    "missing_tail": 2, "missing_middle": 3, "slid": 2, "slid_rows": 2, "slid_tail": 2, "duplicate_same": 1, "duplicate_different": 1,
    "fenced": 1, "truncated": 1, "repetition": 1, "trailing_comma": 1, "single_quotes": 1,
}  # fmt: skip
LEAST_ROWS = {**dict.fromkeys(ROW_FAULTS, 1), **LEAST_ROWS}
NEEDS_ROLES = {"wrong_role", "flipped_role"}


@dataclass
class Rule:
    """One scripted fault and how often it may still strike."""

    fault: str
    times: float = 1
    match: str | None = None
    every: int = 1
    share: float = 1.0
    on: str = "generateContent"
    extra: Mapping[str, Any] = field(default_factory=dict)
    seen: int = 0

    def told(self) -> dict[str, Any]:
        """The rule as JSON, `times` counted down."""
        left = "always" if self.times == float("inf") else int(self.times)
        told = {"fault": self.fault, "times": left, "match": self.match, "every": self.every, "share": self.share, "on": self.on}
        return {**told, **self.extra}


@dataclass(frozen=True)
class Shown:
    """What rules look at in a request."""

    method: str
    texts: tuple[str, ...] = ()
    rows: int = 0
    any_of: bool = False
    roles: int = 0
    cap: int = 0


def read_rules(said: Iterable[Mapping[str, Any] | str]) -> list[Rule]:
    """Read rules, a bare name being a rule of its own; ValueError for a name or field that does not exist."""
    rules = []
    for one in said:
        rule = {"fault": one} if isinstance(one, str) else dict(one)
        if rule.get("fault") not in FAULTS:
            raise ValueError(f"there is no fault {rule.get('fault')!r}")
        if unknown := set(rule) - FIELDS:
            raise ValueError(f"a rule has no {sorted(unknown)}")
        if rule.get("on", "any") not in METHODS:
            raise ValueError(f"there is no method {rule['on']!r}")
        often = "always" if "every" in rule or "share" in rule else 1
        times = rule.pop("times", often)
        extra = {name: rule.pop(name) for name in ("delay", "until", "model") if name in rule}
        rules.append(Rule(times=float("inf") if times == "always" else int(times), extra=extra, **rule))
    return rules


def strike(rules: Iterable[Rule], shown: Shown, chance: random.Random) -> Rule | None:
    """Find the first rule that applies to a request and count it down; later rules do not see that request."""
    for rule in rules:
        if rule.times <= 0 or not fits(rule, shown):
            continue
        rule.seen += 1
        if rule.seen % rule.every == 0 and (rule.share >= 1 or chance.random() < rule.share):
            rule.times -= 1
            return rule
    return None


def fits(rule: Rule, shown: Shown) -> bool:
    """Whether a rule's fault can show in this request."""
    if rule.on not in ("any", shown.method) or (rule.match is not None and not any(rule.match in text for text in shown.texts)):
        return False
    if rule.fault == "bad_schema" and not shown.any_of:
        return False
    if rule.fault == "max_tokens_empty" and shown.cap >= rule.extra.get("until", float("inf")):
        return False
    if rule.fault in NEEDS_ROLES and shown.roles < 2:
        return False
    return shown.rows >= LEAST_ROWS.get(rule.fault, 0)


def count_names(log: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How often each fault struck."""
    return dict(Counter(entry["fault"] for entry in log if entry["fault"]))
