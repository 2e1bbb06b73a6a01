"""The tagger that says what a file tells it to."""

import json
from pathlib import Path

import pytest

from annotator.errors import BadInput
from annotator.taggers import make
from annotator.taggers.base import Brief, Suggestion

from .small import NEW, TAXONOMY


def suggest(path: Path, script: object) -> dict[str, Suggestion]:
    path.write_text(script if isinstance(script, str) else json.dumps(script), encoding="utf-8")
    (by_id,) = make("scripted", Brief(TAXONOMY, settings={"script": str(path)})).suggest([NEW])
    return dict(by_id)


def test_it_proposes_what_the_script_says(tmp_path: Path) -> None:
    by_id = suggest(tmp_path / "script.json", {"new": {"u1": {"YES": 0.9, "OTH": 0.4}}})
    assert by_id["u1"] == Suggestion({"YES": 0.9, "OTH": 0.4}, "The script says so.")


def test_where_the_script_is_silent_it_proposes_the_first_code_and_says_so(tmp_path: Path) -> None:
    silent = suggest(tmp_path / "script.json", {"another": {"u1": {"YES": 0.9}}})["u1"]
    assert silent.probabilities == {"ASK": 0.5}
    assert "says nothing" in silent.reason


def test_a_code_of_the_other_role_is_refused_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="conversation new, utterance u1: SHOW is not a code of Seeker"):
        suggest(tmp_path / "script.json", {"new": {"u1": {"SHOW": 0.9}}})


@pytest.mark.parametrize("script", [[], {"new": []}, {"new": {"u1": ["YES"]}}, {"new": {"u1": {"YES": 1.5}}}, "{"])
def test_what_is_no_script_is_refused(tmp_path: Path, script: object) -> None:
    with pytest.raises(BadInput, match=r"script\.json (is not a script|cannot be read as JSON)"):
        suggest(tmp_path / "script.json", script)


def test_a_missing_script_is_a_sentence() -> None:
    with pytest.raises(BadInput, match="gone.json cannot be read"):
        make("scripted", Brief(TAXONOMY, settings={"script": "gone.json"}))
