"""Settings: the file, then the environment, then options; unsafe ones are refused, and every one is explained."""

import ast
import inspect
from itertools import pairwise
from pathlib import Path

import pytest

from annotator.errors import BadInput
from annotator.flow.project import init_project
from annotator.settings import Settings, read_settings


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ANNOTATOR_{name.upper()}", raising=False)


def toml(folder: Path, text: str) -> Path:
    (folder / "annotator.toml").write_text(text, encoding="utf-8")
    return folder


def test_without_anything_there_are_safe_defaults(tmp_path: Path) -> None:
    found = read_settings(tmp_path)
    assert (found.base_url, found.allow_http, found.sign_in_days) == ("http://127.0.0.1:8000", False, 30)
    assert found.agreement_threshold == 0.67
    assert found.database == f"sqlite:///{tmp_path / 'annotator.db'}"
    assert found.taxonomy_file == tmp_path / "taxonomy.yaml"


def test_the_environment_wins_over_the_file_and_options_over_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toml(tmp_path, 'database_url = "sqlite:///file.db"\nsign_in_days = 1\nbase_url = "https://file"')
    assert read_settings(tmp_path).database == "sqlite:///file.db"
    monkeypatch.setenv("ANNOTATOR_DATABASE_URL", "sqlite:///environment.db")
    monkeypatch.setenv("ANNOTATOR_SIGN_IN_DAYS", "2")
    found = read_settings(tmp_path)
    assert (found.database, found.sign_in_days, found.base_url) == ("sqlite:///environment.db", 2, "https://file")
    assert read_settings(tmp_path, "sqlite:///option.db").database == "sqlite:///option.db"


def test_the_project_may_come_from_the_environment_and_an_option_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        toml(tmp_path / name, f'base_url = "https://{name}"')
    monkeypatch.setenv("ANNOTATOR_PROJECT", str(tmp_path / "one"))
    assert (read_settings().base_url, read_settings().project) == ("https://one", tmp_path / "one")
    assert read_settings(tmp_path / "two").base_url == "https://two"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("base_url = ", "annotator.toml is not readable"),
        ("base_urls = 'https://x'", "base_urls"),
        ("sign_in_days = 'soon'", "sign_in_days"),
        ("agreement_threshold = 2", "agreement_threshold: Input should be less than or equal to 1"),
        ("base_url = 'lab.example.org'", "must start with http:// or https://"),
        ("base_url = 'ftp://lab'", "must start with http:// or https://"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_settings(toml(tmp_path, text))
    assert said in str(caught.value)


def test_a_wrong_value_in_the_environment_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANNOTATOR_SIGN_IN_DAYS", "soon")
    with pytest.raises(BadInput, match=r"annotator\.toml or environment: sign_in_days"):
        read_settings(tmp_path)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_this_machine_may_be_served_in_the_clear(host: str) -> None:
    settings = Settings()
    settings.check_serving(host)  # raises where it may not
    assert not settings.secure


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "lab.example.org", "", "127.0.0.1.example.org"])
def test_other_machines_need_https_or_an_explicit_word(host: str) -> None:
    with pytest.raises(BadInput, match="to the https address people will open"):
        Settings().check_serving(host)
    Settings(base_url="https://lab.example.org").check_serving(host)
    Settings(allow_http=True).check_serving(host)


def test_cookies_are_bound_to_https_where_people_come_by_it() -> None:
    assert Settings(base_url="https://lab.example.org").secure
    assert not Settings().secure


def test_every_setting_is_explained() -> None:
    (body,) = [node.body for node in ast.parse(inspect.getsource(Settings)).body if isinstance(node, ast.ClassDef)]
    explained = {
        one.target.id
        for one, after in pairwise(body)
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
        and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and after.value.value
    }  # fmt: skip
    assert explained == set(Settings.model_fields)


def test_the_file_of_a_new_project_can_be_read(tmp_path: Path) -> None:
    init_project(tmp_path / "p", "https://lab.example.org")
    assert read_settings(tmp_path / "p").base_url == "https://lab.example.org"
