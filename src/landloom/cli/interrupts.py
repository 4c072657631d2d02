"""Ctrl-C and SIGTERM: one line and a code that says so, whatever was going on.

Everything that takes long can be killed at any moment and run again, so nothing has to be saved here: what was begun is
given some seconds to let go of its files and workers, and then the process ends.
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
"""What is answered: Ctrl-C, and what schedulers and `kill` send."""
GRACE: Final = 10.0
"""Seconds in which the command may end by itself."""
LINE: Final = "landloom: interrupted; run again to go on"
"""What is said."""


class StoppedError(BaseException):
    """Raised in the main thread by a signal; no `except Exception` may keep it."""

    def __init__(self, number: int) -> None:
        self.code = 128 + number
        """Exit code, as shells count."""
        super().__init__(number)


@contextmanager
def interruptible(grace: float = GRACE) -> Iterator[None]:
    """Turn SIGINT into exit code 130 and SIGTERM into 143, each with one line; a second one ends the process at once.

    Args:
        grace: seconds in which the command may end by itself.

    Raises:
        SystemExit: with that code.
    """
    if threading.current_thread() is not threading.main_thread():  # signals are the main thread's
        yield
        return

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        del frame
        for one in SIGNALS:
            signal.signal(one, _leave)
        # A library may swallow what is raised here, or a thread may wait for a server: then this one ends it.
        threading.Thread(target=_leave_later, args=(number, grace), daemon=True).start()
        raise StoppedError(number)

    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield
    except StoppedError as stopped:
        _say()
        raise SystemExit(stopped.code) from None
    finally:
        if signal.getsignal(signal.SIGINT) is stop:  # else it has come: what threads are still at may be cut short
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
