"""Memory is given back to the system when it is asked to be."""

import gc
import sys
from pathlib import Path
from typing import Any

import pytest

from annotator.flow.memory import give_back

STATUS = Path("/proc/self/status")


def held() -> float:
    """What the process holds now, in MB."""
    return int(next(line for line in STATUS.read_text().splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


@pytest.mark.skipif(not STATUS.exists() or sys.platform != "linux", reason="tells of Linux")
def test_what_was_freed_or_only_holds_itself_is_given_back() -> None:
    give_back()
    before = held()
    between, ring = [], []
    for _ in range(1000):
        ring.append(bytearray(60_000))
        between.append(bytearray(2_000))  # stays, and keeps the C library from returning what lies before it
    kept: list[Any] = [ring]
    kept.append(kept)
    gc.disable()
    try:
        del ring, kept
        assert held() > before + 40
        give_back()
    finally:
        gc.enable()
    assert held() < before + 20
    assert len(between) == 1000
