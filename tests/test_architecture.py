"""The rules of structure, read from the source: which way imports point, what is where, how long things may get."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "annotator"
SOURCES = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in SOURCES.items()}
SCREENS = sorted(name for name, path in SOURCES.items() if name.startswith("annotator.web.") and "APIRouter()" in path.read_text())
CODE = sorted(path for folder in ("annotator", "tests", "bench") for path in (ROOT / folder).rglob("*.py"))

SHELVES = ("importers", "taggers", "exporters")
BASE = ("settings", "paths", "db", "models")
RINGS = {  # ring → what of ours it may import
    "core": {"core", "errors"}, "errors": set(), "paths": set(), "settings": {"core", "errors", "paths"},
    "db": {"core", "errors", *BASE}, "models": {"core", "errors", "models"},
    **{shelf: {"core", "errors", shelf} for shelf in SHELVES},
    "flow": {"core", "errors", *SHELVES, *BASE, "flow"},
    "web": {"core", "errors", *SHELVES, *BASE, "flow", "web"},
    "cli": {"core", "errors", *SHELVES, *BASE, "flow", "web", "", "cli"},
    "": {"core", "errors"}, "__main__": {"cli"},
}  # fmt: skip
LATE = {  # modules, or whole packages, that import ours late
    "annotator.cli": "starts fast", "annotator.taggers.local": "`serve` lists taggers without loading scikit-learn",
    "annotator.core.agreement.face": "`serve` and every command start without numpy", "annotator.core.influence.face": "the same",
}  # fmt: skip


def imported(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every module that a tree imports, with its line; `from package import module` names the module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((name.name, node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for name in node.names:
                inside = f"{node.module}.{name.name}"
                yield (inside if inside in SOURCES else str(node.module)), node.lineno


def ring(module: str) -> str:
    return f"{module}.".split(".")[1]


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def modules_with(pattern: str) -> set[str]:
    return {name for name, path in SOURCES.items() if re.search(pattern, path.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("module", SOURCES)
def test_imports_point_one_way(module: str) -> None:
    ours = {name for name, _ in imported(TREES[module]) if name.split(".")[0] == "annotator"}
    assert {name for name in ours if ring(name) not in RINGS[ring(module)]} == set()
    others = {name.split(".")[0] for name, _ in imported(TREES[module])} - {"annotator"}
    if ring(module) in ("core", "errors"):
        assert others <= (sys.stdlib_module_names | {"numpy", "yaml"}) - {"time", "os", "sqlite3", "socket", "pathlib"}
    if ring(module) in SHELVES:
        rendering = {"jinja2"} if module != "annotator.taggers.prompt" else set()  # a prompt is a template file too
        assert not others & {"sqlmodel", "sqlalchemy", "fastapi", "starlette", "typer", *rendering}


@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_imports_no_other_screen_and_has_template_and_tests(screen: str) -> None:
    ours = {name for name, _ in imported(TREES[screen]) if ring(name) == "web"}
    assert ours <= {f"annotator.web.{name}" for name in ("deps", "render", "security", "errors")}
    name = screen.rpartition(".")[2]
    assert all((ROOT / path).exists() for path in (f"templates/{name}.html", f"tests/web/test_{name}.py"))


def test_there_is_no_import_cycle() -> None:
    graph = {module: {name for name, _ in imported(tree) if name in SOURCES} - {module} for module, tree in TREES.items()}
    assert len(list(TopologicalSorter(graph).static_order())) == len(SOURCES)


@pytest.mark.parametrize("module", SOURCES)
def test_a_late_import_is_a_third_partys_with_a_reason_beside_it(module: str) -> None:
    lines = SOURCES[module].read_text(encoding="utf-8").splitlines()
    for function in functions(TREES[module]):
        for name, line in imported(function) if not any(f"{module}.".startswith(f"{late}.") for late in LATE) else ():
            assert not name.startswith("annotator"), f"line {line}"
            above = next(text for text in reversed(lines[: line - 1]) if "import " not in text)
            assert "#" in lines[line - 1] + above, f"line {line}: say why {name} is imported late"


def test_each_duty_has_one_place() -> None:
    assert modules_with(r"\.commit\(") == {"annotator.db"}
    assert {ring(name) for name in modules_with("table=True")} == {"models"}
    assert {ring(name) for name in modules_with(r"\bselect\(")} == {"flow"}
    assert modules_with(r"raise \w*HTTPException") == set()
    assert modules_with(r"\basync def\b") <= {"annotator.web.app", "annotator.web.security"}
    assert {name for name in modules_with(r"\bopen\(|\bnow\(|\bprint\(") if ring(name) == "core"} == set()


@pytest.mark.parametrize("path", sorted((ROOT / "migrations" / "versions").glob("*.py")), ids=lambda path: path.stem)
def test_a_migration_has_a_date_a_slug_and_a_way_back(path: Path) -> None:
    assert re.fullmatch(r"20\d{6}_[a-z0-9_]+", path.stem)
    assert f'revision = "{path.stem}"' in (text := path.read_text(encoding="utf-8"))
    assert len(text.partition("def downgrade() -> None:\n")[2]) > len("    pass\n")
    assert "annotator" not in {name.split(".")[0] for name, _ in imported(ast.parse(text))}


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_gets_long(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    endpoints = ("router.", "app.", "user_app.", "round_app.", "pytest.", "given")
    for function in functions(ast.parse(text)):
        documented = len((ast.get_docstring(function) or "").splitlines())
        assert (function.end_lineno or 0) - function.lineno - documented <= 60, function.name
        if not any(ast.unparse(one).startswith(endpoints) for one in function.decorator_list) and PACKAGE in path.parents:
            arguments = function.args.args + function.args.kwonlyargs
            assert len([one for one in arguments if one.arg not in ("self", "session")]) <= 6, function.name


@pytest.mark.parametrize("script", sorted((PACKAGE / "web" / "static").glob("*.js")), ids=lambda path: path.name)
def test_a_script_stays_small(script: Path) -> None:
    assert len(script.read_text(encoding="utf-8").splitlines()) <= 300


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "-C", ROOT, "ls-files"], capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_nothing_of_one_machine_or_of_others_is_in_the_repository() -> None:
    words = re.compile("|".join(["/" + "work/", "/" + "root/", "/tmp/" + "venv", "/" + "Users/"]))
    assert [str(path) for path in tracked() if words.search(path.read_text(encoding="utf-8", errors="replace"))] == []
    assert [str(path) for path in tracked() if "htmx" in path.name] == []


def test_importing_opens_nothing_and_loads_nothing_heavy() -> None:
    code = """if True:
        import sys
        told = []
        watched = ("socket.__new__", "sqlite3.connect", "subprocess.Popen", "open")
        sys.addaudithook(lambda event, args: told.append((event, str(args[0]))) if event in watched else None)
        import annotator, annotator.web.app, annotator.cli
        print(sorted({"sklearn", "scipy", "numpy", "google", "alembic", "pwdlib", "uvicorn", "rich"} & set(sys.modules)))
        ours = [one[1].startswith(sys.argv[1]) and "site-packages" not in one[1] and not one[1].endswith((".py", ".pyc")) for one in told]
        print([one for one, mine in zip(told, ours) if one[0] != "open" or mine])
    """
    ran = subprocess.run([sys.executable, "-c", code, str(ROOT)], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout.splitlines() == ["[]", "[]"]
