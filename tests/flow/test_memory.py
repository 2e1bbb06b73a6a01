"""Memory is given back to the system when it is asked to be, whichever thread had it."""

import subprocess
import sys

import pytest

CODE = """if True:
    import gc, threading
    from annotator.flow.memory import give_back, share

    def held():
        lines = open("/proc/self/status").read().splitlines()
        return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024

    def count(between, threshold):
        bytearray(30_000_000)  # freeing this makes the C library keep more from here on
        ring = []
        for _ in range(1000):
            ring.append(bytearray(60_000))
            between.append(bytearray(2_000))  # stays, so that what lies before it cannot simply be cut off
        ring.append(ring)
        threshold.append(held())

    share()
    gc.disable()
    before, between, most = held(), [], []
    for _ in range(3):
        one = threading.Thread(target=count, args=(between, most))
        one.start()
        one.join()
        give_back()
    print(max(most) - before, held() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="tells of Linux")
def test_what_was_freed_or_only_holds_itself_is_given_back() -> None:
    ran = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    most, left = map(float, ran.stdout.split())
    assert most > 55
    assert left < 20
