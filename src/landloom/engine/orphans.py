"""Imported by the fork server of a pool alone: a worker that starts when its pool has gone ends without a traceback.

Locks of a pool that was interrupted are removed at once, and a worker that is just being started does not find them.
Whatever else goes wrong at a start is shown as ever.
"""

from __future__ import annotations

import sys
from multiprocessing import synchronize
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType


def _show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    last = trace
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    where = None if last is None else last.tb_frame.f_code.co_filename
    if not (issubclass(kind, FileNotFoundError) and where == synchronize.__file__):
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _show
