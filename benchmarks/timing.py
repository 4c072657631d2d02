"""Ratios, measured side by side: the two take turns in one process, and the median of the ratios counts."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def seconds(work: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def spent(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds of one call, of all threads; the latter tell more where others use the machine."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def speedup(ours: Callable[[], object], peer: Callable[[], object], rounds: int = 5) -> float:
    """How many times faster ours is: median of peer / ours over alternating rounds, after one warm-up of each."""
    ours()
    peer()
    return median(seconds(peer) / seconds(ours) for _ in range(rounds))
