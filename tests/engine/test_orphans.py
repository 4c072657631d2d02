"""Workers that start when their pool has gone end in silence; nothing else does."""

from __future__ import annotations

import subprocess
import sys

import pytest

START = """
import _multiprocessing, multiprocessing, sys

class Odd:
    def __reduce__(self):
        return int, ("odd",)

context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["landloom.engine.orphans"])
shared = context.Lock() if sys.argv[1] == "gone" else Odd()
if sys.argv[1] == "gone":
    _multiprocessing.sem_unlink(shared._semlock.name)
worker = context.Process(target=print, args=(shared,))
worker.start()
worker.join()
print(worker.exitcode)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no fork server")
@pytest.mark.parametrize(("what", "said"), [("gone", ""), ("odd", "ValueError: invalid literal")])
def test_only_what_is_gone_is_not_told(what: str, said: str) -> None:
    done = subprocess.run([sys.executable, "-c", START, what], capture_output=True, text=True, check=True)
    assert done.stdout.strip() != "0", "it did not start"
    assert said in done.stderr
    assert ("_serve_one" in done.stderr) == bool(said)
