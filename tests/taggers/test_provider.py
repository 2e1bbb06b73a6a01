"""What holds for every registered provider, how a run's manner is read, and what a question is told by."""

import inspect
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from annotator.core.taxonomy import Taxonomy
from annotator.errors import BadInput
from annotator.taggers import PROVIDERS, TAGGERS, make
from annotator.taggers.base import Brief
from annotator.taggers.prompt import Example, Question
from annotator.taggers.provider import Answer, Manner, Provider, manner_names, parse_manner, parted

from .rows import asked, right
from .small import TAXONOMY

every_provider = pytest.mark.parametrize("name", sorted(PROVIDERS))


def made(name: str = "gemini", taxonomy: Taxonomy = TAXONOMY, manner: Manner | None = None, **settings: str) -> Provider:
    provider = make(name, Brief(taxonomy, settings=settings), manner)
    assert isinstance(provider, Provider)
    return provider


def test_providers_and_taggers_have_names_of_their_own() -> None:
    assert not PROVIDERS.keys() & TAGGERS.keys()


def test_a_provider_has_one_method_to_write() -> None:
    assert Provider.__abstractmethods__ == {"ask"}


@every_provider
def test_a_provider_is_registered_under_its_name_and_has_a_version_and_a_model(name: str) -> None:
    kind = PROVIDERS[name]
    assert (kind.name, bool(kind.version), "model" in kind.defaults) == (name, True, True)
    assert not inspect.isabstract(kind)
    assert inspect.getdoc(kind)


@every_provider
def test_every_setting_of_a_provider_is_documented(name: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / "first-pass.md").read_text(encoding="utf-8")
    assert [setting for setting in PROVIDERS[name].defaults if f"--{setting}" not in text] == []


@every_provider
def test_no_setting_has_the_name_of_a_manner(name: str) -> None:
    assert not PROVIDERS[name].defaults.keys() & set(manner_names())


@every_provider
def test_making_a_provider_needs_no_key_and_closing_it_unused_does_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    provider = made(name)
    provider.close()
    provider.close()
    assert provider.missing().startswith("There is no key for ")


@every_provider
def test_a_setting_it_does_not_have_is_refused_with_those_it_has(name: str) -> None:
    with pytest.raises(BadInput, match=f"The {name} tagger has no setting colour, shape. It has: .*model.*tier"):
        made(name, shape="round", colour="red")


@every_provider
def test_the_same_is_told_by_the_same_key(name: str) -> None:
    assert made(name).key(asked()) == made(name).key(asked())
    assert (len(made(name).prompt_hash), len(made(name).key(asked()))) == (12, 64)


@every_provider
def test_a_question_has_a_size_and_room_for_its_rows(name: str) -> None:
    provider, short, long = made(name), asked("SA"), asked("SA" * 20)
    assert len(provider.prompt.system) < provider.size(short) < provider.size(long)
    assert 0 < provider.room(short) < provider.room(long) < provider.room(replace(long, room=4))


@every_provider
def test_an_answer_is_read_by_the_taxonomy(name: str) -> None:
    answer = Answer(str(right(asked())).replace("'", '"').replace("None", "null"), "STOP", "model")
    assert {key: said.codes for key, said in made(name).read(asked(), answer).accepted.items()} == {
        1: ("YES",), 2: ("SHOW",), 3: ("YES",), 4: ("SHOW",),
    }  # fmt: skip


DIFFERENT: dict[str, tuple[Mapping[str, Any], Question, str]] = {
    "model": ({"model": "gemini-3.8-flash"}, asked(), ""),
    "thinking": ({"thinking": "low"}, asked(), ""),
    "taxonomy": ({"taxonomy": replace(TAXONOMY, max_codes=1)}, asked(), ""),
    "salt": ({}, asked(), "1"),
    "attempt": ({}, replace(asked(), attempt=2), ""),
    "room": ({}, replace(asked(), room=4), ""),
    "wanted": ({}, asked(wanted=(1, 2)), ""),
    "conversation": ({}, asked("SAAA"), ""),
    "scenario": ({}, replace(asked(), scenario="A shop."), ""),
    "items": ({}, replace(asked(), items=("Item01: hat",)), ""),
    "examples": ({}, replace(asked(), examples=(Example("Seeker", "Yes.", ("YES",)),)), ""),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_the_key_changes_with_what_is_asked(what: str) -> None:
    settings, question, salt = DIFFERENT[what]
    assert made(**settings).key(question, salt) != made().key(asked())


def test_the_key_does_not_change_with_how_it_is_asked() -> None:
    manner = Manner("flex", 3, 10.0, 5.0, (1.0, 2.0), "stop", 9.0, 0.0, "http://127.0.0.1:1")
    assert made(manner=manner).key(asked()) == made().key(asked())


def test_the_hash_of_a_prompt_changes_with_a_word_of_the_taxonomy() -> None:
    first, *others = TAXONOMY.codes
    reworded = replace(TAXONOMY, codes=(replace(first, definition="other"), *others))
    assert made(taxonomy=reworded).prompt_hash != made().prompt_hash


def test_what_is_given_is_parted_into_what_is_asked_and_how() -> None:
    names = parted({"model": "m", "tier": "flex", "colour": "red", "rpm": "5"})
    assert (names.settings, names.manner) == ({"model": "m", "colour": "red"}, {"tier": "flex", "rpm": "5"})


def test_nothing_given_is_the_usual_manner_and_so_are_empty_words() -> None:
    assert parse_manner({}) == parse_manner(dict.fromkeys(manner_names(), " ")) == Manner()


def test_a_whole_manner_is_read() -> None:
    words = {"tier": "flex", "concurrency": "4", "rpm": "10", "max_cost": "2.5", "price": "0.3/2.5", "on_reroute": "stop", "timeout": "30"}
    assert parse_manner({**words, "wait": "0.5", "endpoint": "http://127.0.0.1:9"}) == Manner(
        "flex", 4, 10.0, 2.5, (0.3, 2.5), "stop", 30.0, 0.5, "http://127.0.0.1:9"
    )


@pytest.mark.parametrize(("name", "word"), [
    ("tier", "cheap"), ("tier", "Flex"), ("on_reroute", "maybe"),
    ("rpm", "0"), ("rpm", "many"), ("rpm", "nan"), ("rpm", "inf"), ("rpm", "-1"),
    ("max_cost", "-1"), ("max_cost", "5 USD"), ("max_cost", "nan"), ("timeout", "-1"), ("timeout", "1e9"), ("wait", "inf"),
    ("concurrency", "0"), ("concurrency", "257"), ("concurrency", "x"), ("concurrency", "2.5"), ("price", "0.3"), ("price", "1/2/3"),
    ("price", "a/b"), ("price", "-1/2"), ("price", "/"), ("endpoint", "127.0.0.1:80"), ("endpoint", "ftp://x"), ("endpoint", "http://"),
])  # fmt: skip
def test_what_cannot_be_is_refused_with_a_sentence(name: str, word: str) -> None:
    with pytest.raises(BadInput) as told:
        parse_manner({name: word})
    sentence = str(told.value)
    assert sentence.startswith(f"{name} is {word!r}") or (name == "price" and sentence.startswith("price is "))
    assert sentence.endswith(".")
