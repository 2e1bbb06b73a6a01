"""Runs one command to its end and says what it took: `python -m bench.timed FILE COMMAND...` writes JSON to FILE.

A small process of its own, because the system counts into a child's peak memory what its parent held when it was started.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    started = time.perf_counter()
    child = subprocess.Popen(sys.argv[2:])
    _, status, used = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    peak = used.ru_maxrss / (1e6 if sys.platform == "darwin" else 1024)
    taken = {"seconds": seconds, "cpu": used.ru_utime + used.ru_stime, "peak": peak}
    Path(sys.argv[1]).write_text(json.dumps(taken), encoding="utf-8")
    sys.exit(child.returncode)
