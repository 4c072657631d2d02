"""Imported by the fork server of a pool alone, before all else that workers inherit.

What every worker needs to call kernels is imported. The server does not look for cycles; its workers do, though not in
what they inherit, so that its pages stay shared. A worker that starts when its pool has gone ends without a traceback.

Locks of a pool that was interrupted are removed at once, and a worker that is just being started does not find them.
Whatever else goes wrong at a start is shown as ever.
"""

from __future__ import annotations

import gc
import os
import sys
from multiprocessing import synchronize
from typing import TYPE_CHECKING

from landloom.kernels import load_compiler
from landloom.processes import settle

if TYPE_CHECKING:
    from types import TracebackType


def _show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    last = trace
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    where = None if last is None else last.tb_frame.f_code.co_filename
    if not (issubclass(kind, FileNotFoundError) and where == synchronize.__file__):
        sys.__excepthook__(kind, error, trace)


def _begin() -> None:
    if not gc.isenabled():  # not in what a worker starts itself
        gc.freeze()
        gc.enable()


sys.excepthook = _show
settle()
gc.disable()
os.register_at_fork(after_in_child=_begin)
load_compiler()
