"""Handle Ctrl-C and SIGTERM with one line and an exit code.

Every long operation can be killed at any time and run again, so nothing has to be saved here: the command gets some
seconds to release its files and workers, and then the process ends.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
"""Signals that are handled: Ctrl-C, and the signal of schedulers and `kill`."""
GRACE: Final = 10.0
"""Seconds in which the command may end by itself."""
LINE: Final = "landloom: interrupted; run again to continue"
"""The message."""


class StoppedError(BaseException):
    """Raised in the main thread by a signal; `except Exception` does not catch it."""

    def __init__(self, number: int) -> None:
        self.code = 128 + number
        """Exit code, by the convention of shells."""
        super().__init__(number)


@contextmanager
def interruptible(grace: float = GRACE) -> Iterator[None]:
    """Turn SIGINT into exit code 130 and SIGTERM into 143, each with one line; a second one ends the process at once.

    Args:
        grace: seconds in which the command may end by itself.

    Raises:
        SystemExit: with that code.
    """
    if threading.current_thread() is not threading.main_thread():  # only the main thread receives signals
        yield
        return

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        del frame
        for one in SIGNALS:
            signal.signal(one, _leave)
        # A library may swallow the exception, or a thread may wait for a server: then this thread ends the process.
        threading.Thread(target=_leave_later, args=(number, grace), daemon=True).start()
        raise StoppedError(number)

    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield
    except StoppedError as stopped:
        _say()
        raise SystemExit(stopped.code) from None
    finally:
        if signal.getsignal(signal.SIGINT) is stop:  # else a signal has come: keep the handlers that end the process
            for number, handler in before.items():
                signal.signal(number, handler)


def _leave_later(number: int, grace: float) -> None:
    time.sleep(grace)
    _leave(number, None)


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    del frame
    _say()
    os._exit(128 + number)


def _say() -> None:
    if not _said.is_set():
        _said.set()
        sys.stderr.write(f"{LINE}\n")
        sys.stderr.flush()


_said: Final = threading.Event()
