"""CPU time of a command with everything that it starts, workers of a fork server included."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WATCH = """
import ctypes, os, resource, subprocess, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: orphans become children of this process
own = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
code = own.wait()
while True:
    try:
        os.waitpid(-1, 0)
    except ChildProcessError:
        break
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(code, used.ru_utime + used.ru_stime)
"""


def cpu_seconds(command: Sequence[str], environment: Mapping[str, str] | None = None) -> float:
    """User and system seconds of a command and of all its descendants, orphans included: all are waited for.

    Args:
        command: with its arguments; its output is dropped.
        environment: variables beside those of this process.

    Raises:
        RuntimeError: it failed.
    """
    watched = [sys.executable, "-c", _WATCH, *command]
    made = subprocess.run(watched, env=os.environ | (environment or {}), stdout=subprocess.PIPE, text=True, check=True)
    code, used = made.stdout.split()
    if int(code):
        raise RuntimeError(f"{command} ended with {code}")
    return float(used)
