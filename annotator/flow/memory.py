"""Memory that a large count needed, given back to the system.

The C library of Linux keeps freed memory, for each thread its own; other systems' have no such functions, and need none.
"""

import gc
import sys
from typing import Any

_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD = -8, -3, -1
"""Of glibc's malloc.h: from how many places threads take memory; from how many bytes on a piece comes from the system and goes back
to it at once; and how many may lie free at the end of a place.
"""
_PIECE, _FREE = 4 << 20, 16 << 20


def share() -> None:
    """Let all threads take memory from one place, which can be given back whole, and large pieces never stay: checking a password
    takes 19 MB. To be called before there are threads.

    A server answers by many of them, and would hold in the end what its largest count took, once for each.
    """
    if (choose := _of_c("mallopt")) is not None:
        for what, value in ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, _PIECE), (_TRIM_THRESHOLD, _FREE)):
            choose(what, value)


def give_back() -> None:
    """Let go of what is no longer used, which commands look for seldom, and let the C library return what is free."""
    gc.collect()
    if (trim := _of_c("malloc_trim")) is not None:
        trim(0)


def _of_c(name: str) -> Any:
    import ctypes  # commands that give nothing back do without

    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
