"""Servers of demos: started as a command of their own, and stopped at the end."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from landloom.errors import LandloomError

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE: Final = 60.0
"""Seconds to wait until a server has ended."""


@contextmanager
def served(*words: object) -> Iterator[str]:
    """A server on a free local port, until the block ends; yields its address.

    Args:
        words: the command without `landloom` and without the port: `"serve", folder`.

    Raises:
        LandloomError: it did not start; what it said is told.
    """
    command = [sys.executable, "-m", "landloom.cli", *map(str, words), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            address = next((word for word in line.split() if word.startswith("http://")), None)
            if address is None:
                process.kill()
                said = process.communicate(timeout=PATIENCE)[1].strip()
                raise LandloomError(f"the server did not start: {said or line}")
            yield address
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.communicate(timeout=PATIENCE)
