"""Files that cannot be used: each is answered with a sentence that names the file and, where there is one, the line or turn."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from annotator.core.transcript import Transcript
from annotator.errors import BadInput
from annotator.importers.base import Source

Reader = Callable[..., list[Transcript]]

HEADING = "conversation,utterance,role,annotator,codes,turn,text,gold"
ROW = "c1,1,Seeker,alice,ACK,1,Hi.,"
LINE = '{"id": "c1", "turns": [{"turn": 1, "role": "Seeker", "utterances": [{"text": "Hi.", "labels": {}}]}]}'


def vogue(turn: str = '{"turn": 1, "content": {"role": "Seeker", "utterances": ["Hi."], "tags": [[]]}}') -> str:
    return f'{{"conversation_id": 1,\n"conversation_content": [{turn}]}}'


def turn(**content: object) -> str:
    return vogue(json.dumps({"turn": 7, "content": {"role": "Seeker", "utterances": ["Hi."], "tags": [["ACK"]], **content}}))


def lines(*utterance: object) -> str:
    return json.dumps({"id": "c1", "utterances": list(utterance)})


# what is wrong: (file name, content, what the sentence says besides)
BROKEN: dict[str, tuple[str, str | bytes, str]] = {
    "truncated JSON": ("c1.json", vogue()[:-5], "line 2, column"),
    "truncated JSON lines": ("a.jsonl", f"{LINE}\n{LINE[:50]}\n", "line 2, column"),
    "a trailing comma": ("c1.json", vogue().replace("]}", "],}", 1), "line 2, column"),
    "a number of 5,000 digits": ("a.jsonl", LINE.replace("1,", "1" * 5000 + ",", 1), "line 1"),
    "lists in lists in lists": ("a.jsonl", LINE + "\n" + '{"id":' + "[" * 100_000, "line 2"),
    "Latin-1": ("a.csv", f"{HEADING}\nc1,1,Seeker,alice,ACK,1,Café,\n".encode("latin-1"), "line 2: not UTF-8 text (byte 28)"),
    "Latin-1 in one file": ("c1.json", vogue().replace("Hi", "Olé").encode("latin-1"), "not UTF-8 text"),
    "UTF-16": ("a.csv", f"{HEADING}\n{ROW}\n".encode("utf-16"), "line 1: the file is UTF-16"),
    "UTF-16 of unknown format": ("a.dat", LINE.encode("utf-16"), "line 1: the file is UTF-16"),
    "an Office file": ("a.csv", b"PK\x03\x04\x14\x00\x06\x00", "this is an Office or zip file"),
    "an Office file by its own name": ("a.xlsx", b"PK\x03\x04\x14\x00\x06\x00", "Save the sheet as CSV"),
    "an empty file": ("a.txt", "", "is empty"),
    "an empty table": ("a.csv", HEADING, "holds no conversation"),
    "empty JSON lines": ("a.jsonl", "\n\n", "holds no conversation"),
    "no turns": ("a.jsonl", '{"id": "c1", "turns": []}', "line 1: conversation 'c1' has no turns"),
    "empty turn": ("c1.json", turn(utterances=[], tags=[]), "turn 7 has no utterances"),
    "empty utterance": ("c1.json", turn(utterances=[" "]), "turn 7: utterance 1 is empty"),
    "utterance that is no text": ("c1.json", turn(utterances=[5]), "turn 7, utterance 1: the text is 5"),
    "utterances that are no list": ("c1.json", turn(utterances="Hi."), "turn 7: utterances is"),
    "a turn that is no object": ("c1.json", vogue('"Hi."'), "turn 1: the turn is"),
    "a turn's number that is none": ("c1.json", vogue().replace('"turn": 1', '"turn": "one"'), "turn 1: the turn's number"),
    "tags not aligned": ("c1.json", turn(tags=[["ACK"], ["RC"]]), "turn 7 has 1 utterances but 2 lists of tags"),
    "tags that are no codes": ("c1.json", turn(tags=[[5]]), "turn 7, utterance 1: the codes are [5]"),
    "no role": ("c1.json", turn(role=None), "turn 7: the role is missing"),
    "no role in a line": ("a.jsonl", lines({"text": "Hi."}), "line 1: conversation 'c1', utterance 1: the role is missing"),
    "NUL in a table": ("a.csv", f"{HEADING}\n{ROW}\nc1,2,Seeker,,,1,\0,\n", "line 3 contains a NUL"),
    "NUL in JSON": ("c1.json", turn(utterances=["a\0b"]), "turn 7, utterance 1 contains a NUL"),
    "half a character": ("a.jsonl", LINE.replace("Hi", "\\ud83d"), "turn 1, utterance 1 contains half"),
    "half a character in meta": ("a.jsonl", LINE.replace('"c1",', '"c1", "a": "\\udc00",'), "line 1: conversation 'c1'"),
    "a line of 50 MB": ("a.jsonl", b'{"id": "' + b"x" * 50_000_000, "line 1 is longer than 16 MB"),
    "a list instead of objects": ("a.json", f"[{LINE}]", "line 1 begins a list"),
    "text instead of objects": ("a.jsonl", f'{LINE}\n"Hi."\n', "line 2 is not an object"),
    "unknown shape": ("a.jsonl", '{"id": "c1", "dialogue": []}', "line 1 has none of the shapes known here. A line is one of\n{"),
    "shapes mixed": ("a.jsonl", '{"conversation": "c1", "role": "A", "text": "Hi"}\n' + LINE, "line 2 is no utterance like"),
    "no id": ("a.jsonl", LINE.replace('"id": "c1", ', ""), "line 1: the conversation's id is missing"),
    "an id twice": ("a.jsonl", f"{LINE}\n{LINE}\n", "line 2: a conversation 'c1' stands further up"),
    "an utterance's id twice": (
        "a.jsonl",
        lines(*[{"role": "A", "text": "Hi", "id": "x"}] * 2),
        "line 1: conversation 'c1', turn 1: two utterances have the id 'x'",
    ),
    "labels that are a list": ("a.jsonl", LINE.replace("{}", '["ACK"]'), "line 1: conversation 'c1', turn 1: labels is"),
    "labels and decisions apart": (
        "a.jsonl",
        LINE.replace("{}", '{"alice": ["A"]}, "decisions": [{"annotator": "alice", "codes": ["B"]}]'),
        "line 1: conversation 'c1', turn 1, utterance 1: labels and decisions of alice differ",
    ),
    "a confidence that is none": (
        "a.jsonl",
        LINE.replace("{}", '{}, "proposals": [{"codes": ["A"], "confidence": "high"}]'),
        "line 1: conversation 'c1', turn 1, utterance 1: confidence is \"high\"",
    ),
    "a cost that is none": (
        "a.jsonl",
        LINE.replace("{}", '{}, "proposals": [{"codes": ["A"], "cost": "free"}]'),
        "line 1: conversation 'c1', turn 1, utterance 1: cost is \"free\", which is not a number",
    ),
    "a model that is no text": (
        "a.jsonl",
        LINE.replace("{}", '{}, "proposals": [{"codes": ["A"], "model_version": 3}]'),
        "line 1: conversation 'c1', turn 1, utterance 1: model_version is 3 where text is needed",
    ),
    "a cost in a table that is none": ("a.csv", f"{HEADING},cost\n{ROW},free\n", "line 2: cost is 'free', which is not a number"),
    "proposals that differ": (
        "a.csv",
        f"{HEADING},suggestion,cost\n{ROW},A,0.1\nc1,1,Seeker,bob,ACK,1,Hi.,,A,0.2\n",
        "line 2: conversation 'c1', turn 1, utterance 1 has two proposals. Keep one.",
    ),
    "a code with a bar": ("a.jsonl", LINE.replace("{}", '{"alice": ["A|B"]}'), "utterance 1 has the code 'A|B'"),
    "missing columns": ("a.csv", "conversation,utterance,role\nc1,1,Seeker\n", "line 1: the column annotator, codes is missing"),
    "a column twice": ("a.csv", f"{HEADING},codes\n{ROW},RC\n", "line 1: the column codes is there twice"),
    "a short row": ("a.csv", f"{HEADING}\n{ROW}\nc1,2,Seeker\n", "line 3: 3 cells where the heading has 8"),
    "an open quote": ("a.csv", f'{HEADING}\n{ROW}\nc1,2,Seeker,bob,"ACK,1,Hi.,\n', "line 3: the row that begins here"),
    "a turn that is no number": ("a.csv", f"{HEADING}\nc1,1,Seeker,alice,ACK,one,Hi.,\n", 'line 2: the turn is "one"'),
    "the same row twice": ("a.csv", f"{HEADING}\n{ROW}\n{ROW}\n", "lines 2 and 3: conversation 'c1', utterance '1' has two rows"),
    "texts that differ": ("a.csv", f"{HEADING}\n{ROW}\nc1,1,Seeker,bob,ACK,1,Ho.,\n", "lines 2 and 3: the text of"),
    "roles that differ": ("a.csv", f"{HEADING}\n{ROW}\nc1,1,Assistant,bob,ACK,1,Hi.,\n", "lines 2 and 3: the role of"),
    "golds that differ": ("a.csv", f"{HEADING}\n{ROW}A\nc1,1,Seeker,bob,ACK,1,Hi.,B\n", "lines 2 and 3: the gold of"),
    "a line without a role": ("a.txt", "Seeker: Hi.\nHow are you?\n", "line 2 does not begin with a role"),
    "a role that says nothing": ("a.txt", "Seeker: Hi.\nAssistant:\n", "turn 2 has no utterances"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_file_is_refused_by_name_and_place(what: str, read: Reader) -> None:
    name, content, said = BROKEN[what]
    with pytest.raises(BadInput) as caught:
        read(name, content)
    assert str(caught.value).startswith(name) and said in str(caught.value), str(caught.value)[:300]


FINE = {
    "a.jsonl": LINE + "\n",
    "a.csv": f"{HEADING}\n{ROW}\n",
    "c1.json": vogue(),
    "c1.txt": "Seeker: Hi.\n",
}


@pytest.mark.parametrize("name", FINE)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_byte_order_mark_and_any_line_end_are_read(name: str, mark: bytes, end: str, read: Reader) -> None:
    (transcript,) = read(name, mark + FINE[name].replace("\n", end).encode())
    assert [(t.role, said.text) for t, said in transcript.utterances()] == [("Seeker", "Hi.")]


def test_a_path_that_does_not_exist_is_named() -> None:
    with pytest.raises(BadInput, match="nowhere does not exist"):
        Source(Path("nowhere"))
