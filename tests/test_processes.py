"""Processes of landloom's own: they collect no garbage while modules are imported, and keep memory that is freed."""

from __future__ import annotations

import gc
import os
import subprocess
import sys

import pytest

from landloom.processes import importing

FREED = """
import sys
from landloom.processes import settle
if sys.argv[1] == "settled":
    settle()
import resource
import threading
import numpy as np

def blocks():
    for _ in range(10):
        held = [np.ones(2**20, np.uint8) for _ in range(8)]
        del held

before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    thread = threading.Thread(target=blocks)
    thread.start()
    thread.join()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_python_collects_again_after_imports() -> None:
    with importing():
        assert not gc.isenabled()
        with importing():
            assert not gc.isenabled()
        assert not gc.isenabled(), "the outer one goes on"
    assert gc.isenabled()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's settings")
def test_freed_blocks_are_not_filled_with_zeros_again() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}

    def faults(how: str) -> int:
        command = [sys.executable, "-c", FREED, how]
        return int(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)

    assert faults("settled") < faults("usual") / 2


def test_what_the_environment_says_stands() -> None:
    code = "from landloom.processes import settle; import os; settle(); print(os.environ['OPENBLAS_THREAD_TIMEOUT'])"
    told = os.environ | {"OPENBLAS_THREAD_TIMEOUT": "20", "MALLOC_ARENA_MAX": "3"}
    done = subprocess.run([sys.executable, "-c", code], env=told, capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "20"
