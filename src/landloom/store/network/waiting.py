"""A word while a host is waited for: which, why, and how long."""

from __future__ import annotations

import logging
import sys
import threading
import time
from typing import Final

from landloom.model.address import WAITING, without_secrets

LOG: Final = logging.getLogger(WAITING)
"""Whoever waits long says so here."""
SILENT: Final = 5.0
"""Seconds of waiting of a request that nothing is said of."""
_AGAIN: Final = 30.0
"""Seconds after which the same host is spoken of again."""
_LONGEST: Final = 160
"""Characters of a reason."""
_told: Final[dict[str, float]] = {}
_lock: Final = threading.Lock()


def tell(host: str, why: object, *, waited: float, wait: float) -> None:
    """Say that a request waits, if it does so for long; of many requests to a host, one says it.

    Args:
        host: name of the host.
        why: an error, or an answer with a status.
        waited: seconds that the request has waited so far.
        wait: seconds until its next try.
    """
    if waited + wait < SILENT:
        return
    now = time.monotonic()
    with _lock:
        if now - _told.get(host, -_AGAIN) < _AGAIN:
            return
        _told[host] = now
    LOG.warning("waiting for %s: %s; waited %.0f s, next try in %.0f s", host, _words(why), waited, wait)


def _words(why: object) -> str:
    status = getattr(why, "status_code", None)
    if status is not None:
        return f"it answers with status {status}"
    lines = str(why).splitlines() or [type(why).__name__]
    text = without_secrets(lines[0])
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def speak() -> None:
    """Let this process write such words to its error stream, if nobody does yet: workers are asked to."""
    handlers = [*LOG.handlers, *(LOG.parent.handlers if LOG.parent is not None else ())]
    if all(isinstance(one, logging.NullHandler) for one in handlers):
        LOG.addHandler(logging.StreamHandler(sys.stderr))
