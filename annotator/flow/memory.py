"""Memory that a large count needed, given back to the system."""

import gc
import sys


def give_back() -> None:
    """Let go of what is no longer used, and let the C library return what is free.

    Commands look for unused values seldom, and that library, on Linux, keeps freed memory for the thread that had it. A server
    answers by many threads, so without this it would hold in the end what its largest count took, once for each of them.
    """
    import ctypes  # numpy has loaded it, where there was something to count

    gc.collect()
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)
