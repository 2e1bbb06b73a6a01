"""Known answers of agreement, kept beside the checkout and not in it. Where they are not, their tests skip."""

import json
from pathlib import Path
from typing import Any

import pytest

VECTORS = Path(__file__).parents[2] / "shared" / "agreement" / "vectors"


def cases(names: str) -> pytest.MarkDecorator:
    """The vectors whose file names match, as parameter `case`; one skip where there are none."""
    read = [json.loads(path.read_text("utf-8")) for path in sorted(VECTORS.glob(f"{names}.json"))]
    found = [pytest.param(case, id=case["name"]) for case in read]
    absent = [pytest.param({}, id="absent", marks=pytest.mark.skip(f"no vector {names} is at {VECTORS}"))]
    return pytest.mark.parametrize("case", found or absent)


def close(wanted: Any, case: dict[str, Any]) -> Any:
    """What is wanted, give or take the vector's tolerance; undefined is undefined."""
    return wanted if wanted is None else pytest.approx(wanted, abs=case["tolerance"])
