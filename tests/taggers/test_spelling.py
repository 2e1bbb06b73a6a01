"""Codes and roles that differ by case only: each is taken for what it is spelled as, never for its look-alike."""

import json

import pytest

from annotator.core.taxonomy import parse_taxonomy
from annotator.taggers.prompt import Line, Question
from annotator.taggers.reading import Reading, read

CODE = "{{code: {0}, category: c, name: n, definition: d, use_when: u, avoid_when: a}}"
YAML = "name: t\nlabels_per_utterance: {min: 1, max: 2}\nroles:\n" + "".join(
    f"  {role}:\n" + "".join(f"    - {CODE.format(code)}\n" for code in codes)
    for role, codes in {"User": ("Ask", "Tell", "OTH"), "user": ("ask", "tell", "OTH"), "Bot": ("Give",)}.items()
)
TAXONOMY = parse_taxonomy(YAML)
ROLES = ("User", "user", "Bot", "User", "user")
QUESTION = Question(tuple(Line(at, role, f"Line {at}.") for at, role in enumerate(ROLES, 1)), (1, 2, 3, 4, 5))


def reading(*codes: str, roles: tuple[str, ...] = ROLES) -> Reading:
    rows = [{"id": at, "role": role, "codes": [code]} for at, (role, code) in enumerate(zip(roles, codes, strict=True), 1)]
    return read(TAXONOMY, QUESTION, json.dumps(rows), "STOP")


def test_right_answers_of_roles_and_codes_that_differ_by_case_are_taken() -> None:
    found = reading("Ask", "tell", "Give", "OTH", "ask")
    assert {key: said.codes for key, said in found.accepted.items()} == {1: ("Ask",), 2: ("tell",), 3: ("Give",), 4: ("OTH",), 5: ("ask",)}


def test_a_code_spelled_as_another_roles_is_not_this_roles() -> None:
    found = reading("Ask", "tell", "Give", "ask", "ask")
    assert 4 not in found.accepted
    assert found.refused[4] == "ask is no code of User"


@pytest.mark.parametrize("by", [1, -1])
def test_codes_that_moved_are_seen_though_they_look_alike(by: int) -> None:
    codes = ["Ask", "tell", "Give", "Tell", "ask"]
    found = reading(*(codes[(at + by) % 5] for at in range(5)))
    assert found.whole and not found.accepted


def test_case_alone_matters_where_there_is_a_look_alike_only() -> None:
    found = reading("Ask", "tell", " GIVE ", "oth", "ask", roles=("User", "user", "bot", "User", "user"))
    assert {key: said.codes for key, said in found.accepted.items()} == {1: ("Ask",), 2: ("tell",), 3: ("Give",), 4: ("OTH",), 5: ("ask",)}
