"""The wheel carries everything that the program needs, and works without the checkout."""

import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
INSIDE = {
    "annotator/taxonomy.yaml": 1, "annotator/templates/": 10, "annotator/migrations/versions/": 1, "annotator/migrations/env.py": 1,
    "annotator/sample/transcripts/": 12, "annotator/sample/metadata/": 24, "annotator/sample/scenarios.json": 1,
    "annotator/web/static/": 6,
}  # fmt: skip


def run(*line: object, cwd: Path, **environment: str) -> str:
    """Run Python with these arguments away from the checkout, and give what it printed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("ANNOTATOR_", "PYTHON", "COV"))}
    words = [sys.executable, *map(str, line)]
    ran = subprocess.run(words, cwd=cwd, env=clean | environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def build(folder: Path) -> Path:
    """Build the wheel with what is installed here; nothing is loaded from elsewhere."""
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("hatchling is not installed here; `pip install -e '.[dev]'` brings it")
    pip = ("-m", "pip", "--disable-pip-version-check", "wheel", "--no-index", "--no-deps", "--no-build-isolation", "--quiet")
    run(*pip, "--wheel-dir", folder, ROOT, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


def check_contents(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
        license_text = next(name for name in names if name.endswith("licenses/LICENSE"))
        assert packed.getinfo(license_text).file_size > 1000
    for start, number in INSIDE.items():
        assert sum(name.startswith(start) for name in names) >= number, start
    assert not [name for name in names if name.startswith(("tests", "bench")) or name.endswith((".db", ".pyc"))]


SERVES = """
import sys
sys.addaudithook(lambda event, args: sys.exit(f"{event} {args}") if event == "socket.connect" else None)
from fastapi.testclient import TestClient
from annotator.settings import Settings
from annotator.web.app import create_app
with TestClient(create_app(Settings(project=sys.argv[1]))) as browser:
    for path in ("/sign-in", "/static/app.css", "/static/desk.js", "/static/htmx/htmx.min.js"):
        print(browser.get(path).status_code)
"""


def test_the_wheel_installs_runs_the_demo_and_serves_without_the_checkout(tmp_path: Path) -> None:
    """One test, since building is slow: what travels, where it is imported from, the demo, the pages."""
    wheel = build(tmp_path)
    check_contents(wheel)
    target = tmp_path / "installed"
    pip = ("-m", "pip", "--disable-pip-version-check", "install", "--no-index", "--no-deps", "--quiet", "--target", target)
    run(*pip, wheel, cwd=tmp_path)
    path = {"PYTHONPATH": str(target)}
    where = run("-c", "import annotator, annotator.paths as p; print(annotator.__file__, p.shipped('sample'))", cwd=tmp_path, **path)
    assert [Path(one).is_relative_to(target) for one in where.split()] == [True, True]
    assert run("-m", "annotator", "demo", "X", "--no-serve", cwd=tmp_path, **path).count("/link/") == 3
    assert "445" in run("-m", "annotator", "stats", "--project", "X", cwd=tmp_path, **path)
    assert run("-c", SERVES, "X", cwd=tmp_path, **path).split() == ["200"] * 4
    assert str(ROOT) not in (tmp_path / "X" / "annotator.toml").read_text(encoding="utf-8")
