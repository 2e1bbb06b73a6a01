"""The taxonomy: codes by role, read from YAML with the line of every mistake, and identified by meaning.

Which version a project uses, and what labels it, is `flow/taxonomy.py`'s.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import yaml

from annotator.errors import BadInput

RESERVED_KEYS = frozenset("jkufbn")

# libyaml's loader is ten times faster; wheels without it fall back to the one in Python.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_DEEPEST = 500

_TEXTS = ("category", "name", "definition", "use_when", "avoid_when")
_LISTS = ("examples", "counter_examples")
_OPTIONAL = frozenset({"key", *_LISTS})
_FIELDS = ("code", *_TEXTS, "key", *_LISTS)


@dataclass(frozen=True, slots=True)
class Code:
    """One intent. Its identity is (role, code)."""

    role: str
    code: str
    category: str
    name: str
    definition: str
    use_when: str
    avoid_when: str
    key: str | None
    examples: tuple[str, ...]
    counter_examples: tuple[str, ...]


@dataclass(frozen=True)
class Taxonomy:
    """The codes of every role, in the order of the file, and how many a label may hold."""

    name: str
    min_codes: int
    max_codes: int
    codes: tuple[Code, ...]
    source: str = ""

    @cached_property
    def roles(self) -> tuple[str, ...]:
        """The roles, in the order of the file."""
        return tuple(dict.fromkeys(code.role for code in self.codes))

    @cached_property
    def by_role(self) -> dict[str, dict[str, Code]]:
        """role → code → Code."""
        return {role: {c.code: c for c in self.codes if c.role == role} for role in self.roles}

    def known(self, role: str, code: str) -> bool:
        """Whether (role, code) is of this taxonomy."""
        return code in self.by_role.get(role, {})

    def ordered(self, role: str, codes: Iterable[str]) -> tuple[str, ...]:
        """A label's codes in the order of the taxonomy; each once."""
        wanted = set(codes)
        return tuple(code for code in self.by_role.get(role, {}) if code in wanted)

    def check_label(self, role: str, codes: tuple[str, ...]) -> None:
        """Raise `BadInput` where a label has an unknown code, too few codes or too many."""
        unknown = [code for code in codes if not self.known(role, code)]
        if unknown:
            raise BadInput(f"{', '.join(unknown)} is not a code of {role} in this taxonomy. Choose one of its codes.")
        if not self.min_codes <= len(codes) <= self.max_codes:
            raise BadInput(f"A label has {self.min_codes} to {self.max_codes} codes, this one {len(codes)}.")

    @cached_property
    def fingerprint(self) -> str:
        """12 hex digits of what the taxonomy means: neither order nor comments nor spacing change it."""
        meaning = {
            "labels": [self.min_codes, self.max_codes],
            "codes": sorted(
                [
                    *map(_flat, (c.role, c.code, c.category, c.name, c.definition, c.use_when, c.avoid_when, c.key or "")),
                    *(sorted(map(_flat, texts)) for texts in (c.examples, c.counter_examples)),
                ]
                for c in self.codes
            ),
        }
        return hashlib.sha256(json.dumps(meaning, ensure_ascii=True).encode()).hexdigest()[:12]


def _flat(text: str) -> str:
    return " ".join(text.split())


def parse_taxonomy(text: str, name: str = "taxonomy.yaml") -> Taxonomy:
    """Read a taxonomy; `name` is the file's name for messages.

    Raises `BadInput` with file, line and what to do for: no YAML, unknown or missing or empty fields, a code twice in a
    role or twice but for case, a key twice or reserved, `|` in a code, and limits that cannot hold.
    """
    if _depth(text) > _DEEPEST:
        raise BadInput(f"{name}: brackets stand more than {_DEEPEST} deep in each other. Write the codes as lists of `- code: …`.")
    try:
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or error
        raise BadInput(f"{name}, line {line}: not readable as YAML ({problem}). Correct the line or the one before.") from error
    if root is None:
        raise BadInput(f"{name}, line 1: the file is empty. Start from the taxonomy that comes with the tool.")
    reader = _Reader(name)
    top = reader.mapping(root, ("name", "labels_per_utterance", "roles"), "the taxonomy")
    limits = reader.limits(top["labels_per_utterance"])
    codes: list[Code] = []
    for role_node, list_node in reader.pairs(top["roles"], "roles"):
        role = reader.text(role_node, "a role's name")
        codes.extend(_check_role(reader, role, list_node))
    if not codes:
        raise BadInput(f"{reader.at(top['roles'])}: there are no roles. Give at least one role with its codes.")
    return Taxonomy(reader.text(top["name"], "name"), *limits, tuple(codes), text)


def _depth(text: str) -> int:
    """How deep brackets stand in each other, quoted ones counted too. libyaml crashes the process on 100,000."""
    deepest = depth = 0
    for bracket in re.findall(r"[][{}]", text):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _check_role(reader: "_Reader", role: str, node: yaml.Node) -> Iterator[Code]:
    codes: set[str] = set()
    keys: dict[str, str] = {}
    for entry in reader.items(node, f"the codes of {role}"):
        code = reader.code(entry, role)
        where = reader.at(entry)
        if code.code in codes:
            raise BadInput(f"{where}: the code {code.code} is there twice for {role}. Rename or remove one.")
        twin = next((c for c in codes if c.casefold() == code.code.casefold()), None)
        if twin:
            raise BadInput(f"{where}: {code.code} and {twin} of {role} differ by case only. Rename one.")
        if code.key and code.key in keys:
            raise BadInput(f"{where}: the key {code.key!r} of {code.code} is already that of {keys[code.key]}. Choose another.")
        codes.add(code.code)
        if code.key:
            keys[code.key] = code.code
        yield code
    if not codes:
        raise BadInput(f"{reader.at(node)}: the role {role} has no codes. Add one or remove the role.")


class _Reader:
    """Walks YAML nodes, so that every message can name its line."""

    def __init__(self, name: str) -> None:
        self.name = name

    def at(self, node: yaml.Node) -> str:
        return f"{self.name}, line {node.start_mark.line + 1}"

    def pairs(self, node: yaml.Node, what: str) -> list[tuple[yaml.Node, yaml.Node]]:
        if not isinstance(node, yaml.MappingNode):
            raise BadInput(f"{self.at(node)}: {what} must be a list of `name: value` lines.")
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise BadInput(f"{self.at(key)}: {what} must be a list of `name: value` lines.")
            if key.value in seen:
                raise BadInput(f"{self.at(key)}: {key.value!r} is there twice. Remove one.")
            seen.add(key.value)
        return list(node.value)

    def mapping(self, node: yaml.Node, fields: Iterable[str], what: str) -> dict[str, yaml.Node]:
        fields = tuple(fields)
        found = {}
        for key, value in self.pairs(node, what):
            if key.value not in fields:
                raise BadInput(f"{self.at(key)}: unknown field {key.value!r}. Known here: {', '.join(fields)}.")
            found[key.value] = value
        missing = [field for field in fields if field not in found and field not in _OPTIONAL]
        if missing:
            raise BadInput(f"{self.at(node)}: {what} lacks {', '.join(missing)}. Add it.")
        return found

    def items(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            raise BadInput(f"{self.at(node)}: {what} must be a list (lines that start with `- `).")
        return list(node.value)

    def text(self, node: yaml.Node, what: str) -> str:
        if not isinstance(node, yaml.ScalarNode) or node.tag == "tag:yaml.org,2002:null" or not node.value.strip():
            raise BadInput(f"{self.at(node)}: {what} is empty. Write its text.")
        return str(node.value).strip()

    def limits(self, node: yaml.Node) -> tuple[int, int]:
        values = self.mapping(node, ("min", "max"), "labels_per_utterance")
        low, high = (values[field].value for field in ("min", "max"))
        if not (re.fullmatch(r"\d+", str(low)) and re.fullmatch(r"\d+", str(high)) and int(low) <= int(high) and int(high) >= 1):
            raise BadInput(f"{self.at(node)}: labels_per_utterance needs whole numbers with 0 ≤ min ≤ max and max ≥ 1.")
        return int(low), int(high)

    def code(self, node: yaml.Node, role: str) -> Code:
        fields = self.mapping(node, _FIELDS, f"a code of {role}")
        code = self.text(fields["code"], "the code")
        if "|" in code:
            raise BadInput(f"{self.at(node)}: the code {code} contains `|`, which joins codes in tables. Rename it.")
        texts = {field: self.text(fields[field], f"{field} of {code}") for field in _TEXTS}
        lists = {
            field: tuple(self.text(item, f"an entry of {field} of {code}") for item in self.items(fields[field], field))
            if field in fields
            else ()
            for field in _LISTS
        }
        return Code(role=role, code=code, key=self.key(fields, code), **texts, **lists)  # type: ignore[arg-type]

    def key(self, fields: dict[str, yaml.Node], code: str) -> str | None:
        if "key" not in fields:
            return None
        key = self.text(fields["key"], f"the key of {code}")
        if key in RESERVED_KEYS:
            raise BadInput(f"{self.at(fields['key'])}: the key {key!r} of {code} is reserved for moving and marking. Choose another.")
        if not re.fullmatch("[a-z]", key):
            raise BadInput(f"{self.at(fields['key'])}: the key {key!r} of {code} is not one lower-case letter from a to z. Choose one.")
        return key
