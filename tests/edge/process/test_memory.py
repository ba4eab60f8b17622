import subprocess
import sys

import pytest

from edge.process.memory import keep_frame_memory, limit_arenas

PICTURES = """
import resource, sys
import numpy as np
from edge.process.memory import limit_arenas, keep_frame_memory

def taken():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()

def faults_of_pictures():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        np.ones((960, 1280, 3), np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

limit_arenas()
pieces = [bytearray(100_000) for _ in range(400)]
lasting = pieces[::20]
del pieces
loaded = taken()
keep_frame_memory()
np.ones((960, 1280, 3), np.uint8)
print(loaded - taken(), faults_of_pictures())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's malloc is Linux's")
def test_loading_leaves_nothing_and_pictures_are_not_fetched_anew() -> None:
    """Of 40 MB in pieces 38 go back though some live on; 20 pictures of 900 pages fault no more."""
    run = subprocess.run(
        [sys.executable, "-c", PICTURES], capture_output=True, text=True, check=True
    )
    given_back, faults = map(int, run.stdout.split())
    assert given_back > 30_000_000
    assert faults < 100


def test_with_another_c_library_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is about memory, and no reason to stop."""
    monkeypatch.setattr("ctypes.CDLL", lambda _: object())
    limit_arenas()
    keep_frame_memory()
