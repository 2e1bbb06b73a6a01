"""The taxonomy file: the shipped one, the line of every mistake, and a fingerprint of meaning."""

from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.core.taxonomy import RESERVED_KEYS, Code, Taxonomy, parse_taxonomy
from annotator.errors import BadInput
from annotator.paths import shipped

SMALL = """\
name: Small
labels_per_utterance: {min: 1, max: 2}
roles:
  Seeker:
    - {code: RP, category: Ask, name: Refine, definition: D, use_when: U, avoid_when: A, key: r}
    - {code: ACK, category: Say, name: Yes, definition: D, use_when: U, avoid_when: A, key: a, examples: ["Yes."]}
  Assistant:
    - {code: RP, category: Ask, name: Request, definition: D, use_when: U, avoid_when: A, key: r}
"""


@pytest.fixture(scope="module")
def ours() -> Taxonomy:
    return parse_taxonomy(shipped("taxonomy.yaml").read_text(encoding="utf-8"))


def test_the_shipped_taxonomy_has_the_codes_of_the_paper(ours: Taxonomy) -> None:
    assert {role: " ".join(sorted(codes)) for role, codes in ours.by_role.items()} == {
        "Seeker": "AC ACK ACT ANS CC CF CON EXP IA IF INT IQ NR OTH PCT PEP PIP RJT RP",
        "Assistant": "A ACK ANS CQ EAI EF EP IP OTH PCM PCN PER PEX RC REC RP RS RTI",
    }
    assert [len(codes) for codes in ours.by_role.values()] == [19, 18]
    assert (ours.min_codes, ours.max_codes) == (1, 3)


def test_every_shipped_code_is_explained_by_examples(ours: Taxonomy) -> None:
    for code in ours.codes:
        assert len(set(code.examples)) >= 4, code.code
        assert len(code.counter_examples) >= 1, code.code


def test_every_shipped_counter_example_names_another_code_of_its_role(ours: Taxonomy) -> None:
    for code in ours.codes:
        for example in code.counter_examples:
            better = example.rpartition("[")[2].removesuffix("]")
            assert better in set(ours.by_role[code.role]) - {code.code}, example


def test_every_shipped_code_has_a_key_of_its_own_that_nothing_else_uses(ours: Taxonomy) -> None:
    for codes in ours.by_role.values():
        keys = [code.key for code in codes.values()]
        assert len(set(keys) - {None} - RESERVED_KEYS) == len(codes)


def test_the_same_code_may_mean_something_else_in_another_role() -> None:
    found = parse_taxonomy(SMALL)
    assert [(code.role, code.name) for code in found.codes if code.code == "RP"] == [("Seeker", "Refine"), ("Assistant", "Request")]


def test_a_label_has_its_codes_in_the_order_of_the_file_each_once() -> None:
    assert parse_taxonomy(SMALL).ordered("Seeker", ["ACK", "RP", "ACK", "XY"]) == ("RP", "ACK")


@pytest.mark.parametrize(
    ("codes", "said"),
    [((), "1 to 2 codes, this one 0"), (("RP", "ACK", "RP"), "1 to 2"), (("XY",), "XY is not a code of Seeker")],
)
def test_a_label_outside_the_limits_or_the_codes_is_refused(codes: tuple[str, ...], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        parse_taxonomy(SMALL).check_label("Seeker", codes)


# what is replaced, by what, the line named, and what is said of it
MISTAKES = {
    "a code twice in a role": ("code: ACK", "code: RP", 6, "the code RP is there twice for Seeker. Rename or remove one."),
    "codes that differ by case": ("code: ACK", "code: rp", 6, "rp and RP of Seeker differ by case only. Rename one."),
    "a key twice in a role": ("key: a", "key: r", 6, "the key 'r' of ACK is already that of RP. Choose another."),
    "a reserved key": ("key: a", "key: j", 6, "the key 'j' of ACK is reserved for moving and marking. Choose another."),
    "a key that is no letter": ("key: a", "key: A", 6, "the key 'A' of ACK is not one lower-case letter"),
    "a code with a bar": ("code: ACK", 'code: "A|B"', 6, "the code A|B contains `|`, which joins codes in tables. Rename it."),
    "an unknown field": ("key: a", "keys: a", 6, "unknown field 'keys'. Known here: code, category"),
    "an unknown field on top": ("name: Small", "title: Small", 1, "unknown field 'title'. Known here: name"),
    "an empty category": ("category: Say", 'category: " "', 6, "category of ACK is empty. Write its text."),
    "a category of nothing": ("category: Say", "category: null", 6, "category of ACK is empty. Write its text."),
    "a missing field": ("definition: D, use_when: U, avoid_when: A, key: a", "key: a", 6, "lacks definition, use_when, avoid_when"),
    "a list where a text belongs": ("name: Yes", "name: [Yes]", 6, "name of ACK is empty. Write its text."),
    "a text where a list belongs": ('["Yes."]', "Yes.", 6, "examples must be a list"),
    "an empty example": ('["Yes."]', '["Yes.", ""]', 6, "an entry of examples of ACK is empty"),
    "a field twice": ("key: a", "name: No, key: a", 6, "'name' is there twice. Remove one."),
    "a role twice": ("  Assistant:", "  Seeker:", 7, "'Seeker' is there twice. Remove one."),
    "broken YAML": ("key: a,", "key: a", 6, "not readable as YAML"),
    "codes that are no list": ("  Assistant:\n    - {", "  Assistant:\n    {", 8, "the codes of Assistant must be a list"),
    "limits the wrong way round": ("max: 2", "max: 0", 2, "whole numbers with 0 ≤ min ≤ max and max ≥ 1"),
    "limits that are no numbers": ("max: 2", "max: many", 2, "whole numbers"),
    "limits that are lists": ("max: 2", "max: [2]", 2, "whole numbers"),
    "a limit missing": ("{min: 1, max: 2}", "{min: 1}", 2, "labels_per_utterance lacks max"),
    "a list as the name of a field": ("key: a", "[a]: b", 6, "must be a list of `name: value` lines"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_refused_with_file_line_and_what_to_do(mistake: str) -> None:
    before, after, line, said = MISTAKES[mistake]
    with pytest.raises(BadInput) as caught:
        parse_taxonomy(SMALL.replace(before, after, 1), "t.yaml")
    assert str(caught.value).startswith(f"t.yaml, line {line}: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: the file is empty"),
        ("# nothing\n", "line 1: the file is empty"),
        ("- a\n", "line 1: the taxonomy must be a list of `name: value` lines"),
        ("a: [\n", "not readable as YAML"),
        ("a: b\x00", "not readable as YAML"),
        (SMALL[: SMALL.index("  Seeker")] + "  {}\n", "there are no roles"),
        (SMALL[: SMALL.index("    - {")] + "    []\n", "the role Seeker has no codes"),
        (SMALL + "---\nmore: yes\n", "not readable as YAML"),
        ("a: [[[[\n", "not readable as YAML"),
    ],
)
def test_a_file_that_is_no_taxonomy_is_refused(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=r"^t\.yaml, line ") as caught:
        parse_taxonomy(text, "t.yaml")
    assert said in str(caught.value)


def test_brackets_too_deep_for_the_parser_are_a_sentence() -> None:
    with pytest.raises(BadInput, match=r"t.yaml: brackets stand more than 500 deep"):
        parse_taxonomy("[" * 100_000, "t.yaml")


words = st.lists(st.sampled_from(["a", "bé", "#", "x:", "'q'", "Yes."]), min_size=1, max_size=4).map(" ".join)


@st.composite
def taxonomies(draw: st.DrawFn) -> Taxonomy:
    codes: list[Code] = []
    for role in draw(st.lists(st.sampled_from(["Seeker", "Assistant", "Ärztin"]), min_size=1, unique=True)):
        for code in draw(st.lists(st.sampled_from(["RP", "ACK", "A", "NO"]), min_size=1, unique=True)):
            examples = st.lists(words, max_size=3).map(tuple)
            key = draw(st.none() | st.just({"RP": "r", "ACK": "c", "A": "a", "NO": "o"}[code]))
            codes.append(Code(role, code, *(draw(words) for _ in range(5)), key, draw(examples), draw(examples)))
    return Taxonomy("T", draw(st.integers(0, 1)), draw(st.integers(1, 3)), tuple(codes))


def written(taxonomy: Taxonomy, draw: Any) -> str:
    """The taxonomy as YAML in some order of roles, codes, examples and fields, with comments and spaces anywhere."""
    roles: dict[str, list[dict[str, Any]]] = {}
    for code in draw(st.permutations(taxonomy.codes)):
        fields: dict[str, Any] = {
            name: getattr(code, name) for name in ("code", "category", "name", "definition", "use_when", "avoid_when")
        }
        fields = {name: text.replace(" ", draw(st.sampled_from([" ", "  ", "\n"]))) for name, text in fields.items()}
        fields |= {"key": code.key} if code.key else {}
        fields |= {name: draw(st.permutations(getattr(code, name))) for name in ("examples", "counter_examples")}
        roles.setdefault(code.role, []).append(dict(draw(st.permutations(list(fields.items())))))
    top = {"roles": roles, "name": "T", "labels_per_utterance": {"max": taxonomy.max_codes, "min": taxonomy.min_codes}}
    style = {"width": draw(st.sampled_from([20, 200])), "default_flow_style": draw(st.sampled_from([None, False]))}
    return "# a comment\n\n" + yaml.safe_dump(top, sort_keys=False, allow_unicode=True, **style) + "\n# the end\n"


@settings(max_examples=40)
@given(taxonomies(), st.data())
def test_neither_order_nor_comments_nor_spaces_change_the_fingerprint(taxonomy: Taxonomy, data: st.DataObject) -> None:
    assert parse_taxonomy(written(taxonomy, data.draw)).fingerprint == taxonomy.fingerprint


@settings(max_examples=40)
@given(taxonomies(), st.data())
def test_every_change_of_meaning_changes_the_fingerprint(taxonomy: Taxonomy, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(taxonomy.codes) - 1))
    field = data.draw(st.sampled_from(["role", "code", "category", "name", "definition", "use_when", "avoid_when", "key", "examples"]))
    before = getattr(taxonomy.codes[at], field)
    after = (*before, "more") if field == "examples" else f"{before or ''}z"
    codes = (*taxonomy.codes[:at], replace(taxonomy.codes[at], **{field: after}), *taxonomy.codes[at + 1 :])
    assert replace(taxonomy, codes=codes).fingerprint != taxonomy.fingerprint


@settings(max_examples=40)
@given(taxonomies())
def test_the_limits_and_each_code_are_part_of_the_meaning(taxonomy: Taxonomy) -> None:
    others = [replace(taxonomy, max_codes=9), replace(taxonomy, min_codes=5), replace(taxonomy, codes=taxonomy.codes[1:])]
    assert taxonomy.fingerprint not in {other.fingerprint for other in others}


def test_an_example_is_no_counter_example_to_the_fingerprint() -> None:
    assert parse_taxonomy(SMALL.replace("examples:", "counter_examples:")).fingerprint != parse_taxonomy(SMALL).fingerprint
