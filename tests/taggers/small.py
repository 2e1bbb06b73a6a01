"""A small taxonomy and a dozen short conversations that differ by one word each, for the tests of all taggers."""

from annotator.core.taxonomy import Taxonomy, parse_taxonomy
from annotator.core.transcript import Transcript, Turn, Utterance

CODE = "{{code: {0}, category: c, name: {0}, definition: d, use_when: u, avoid_when: a, examples: {1}}}"
CODES = {
    "Seeker": {"ASK": '["What do you have?", "Is it warm?"]', "YES": '["Yes, I take it.", "Good, that one."]', "OTH": "[]"},
    "Assistant": {"ASK": '["How can I help?"]', "SHOW": '["I recommend Item03.", "How about Item05?"]'},
}
YAML = "name: small\nlabels_per_utterance: {min: 1, max: 2}\nroles:\n" + "".join(
    f"  {role}:\n" + "".join(f"    - {CODE.format(code, examples)}\n" for code, examples in codes.items())
    for role, codes in CODES.items()
)
TAXONOMY: Taxonomy = parse_taxonomy(YAML)


def conversation(id: str, word: str) -> Transcript:
    said = (
        ("Assistant", f"How can I help you {word}?", "ASK"),
        ("Seeker", f"Is there a {word}?", "ASK"),
        ("Assistant", f"I recommend Item0{len(word)} for {word}.", "SHOW"),
        ("Seeker", f"Yes, I take the {word}.", "YES"),
    )
    turns = [Turn(role, (Utterance(f"u{at}", text, gold=(code,)),), at) for at, (role, text, code) in enumerate(said)]
    return Transcript(id, tuple(turns))


WORDS = ("hat", "coat", "glove", "boots", "jacket", "sweater", "anorak", "sandal", "poncho", "cardigan", "blazer", "parka")
KNOWN = tuple(conversation(f"k{at}", word) for at, word in enumerate(WORDS))
NEW = conversation("new", "zeppelin")
