"""Memory that a large count needed, given back to the system.

The C library of Linux keeps freed memory, for each thread its own; other systems' have no such functions, and need none.
"""

import gc
import sys
from typing import Any

_ARENA_MAX = -8
"""Of glibc's malloc.h: from how many places threads take memory."""


def share() -> None:
    """Let all threads take memory from one place, which can be given back whole. To be called before there are threads.

    A server answers by many of them, and would hold in the end what its largest count took, once for each.
    """
    if (choose := _of_c("mallopt")) is not None:
        choose(_ARENA_MAX, 1)


def give_back() -> None:
    """Let go of what is no longer used, which commands look for seldom, and let the C library return what is free."""
    gc.collect()
    if (trim := _of_c("malloc_trim")) is not None:
        trim(0)


def _of_c(name: str) -> Any:
    import ctypes  # commands that give nothing back do without

    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
