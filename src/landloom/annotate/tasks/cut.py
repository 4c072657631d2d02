"""Cutting chips into tasks."""

from __future__ import annotations

from itertools import pairwise

from landloom.annotate.tasks.values import TaskWindow
from landloom.errors import InvalidValueError


def cut_side(length: int, size: int) -> list[int]:
    """Edges of the pieces of one side: as few pieces as possible, of sizes that differ by one pixel at most.

    Example:
        >>> cut_side(256, 32)[:3], cut_side(60, 32), cut_side(70, 32)
        ([0, 32, 64], [0, 30, 60], [0, 23, 46, 70])
    """
    if length < 1 or size < 1:
        raise InvalidValueError(f"got a side of {length} pixels and tasks of {size}, expected at least 1")
    count = -(-length // size)
    return [length * number // count for number in range(count + 1)]


def cut_chip(chip: str, height: int, width: int, size: int) -> tuple[TaskWindow, ...]:
    """Cut a chip into tasks: every pixel belongs to exactly one, and none has a side of more than `size` pixels.

    Where the side of a chip is no multiple of `size`, all tasks become somewhat smaller; there are no slivers at the
    edge.

    Args:
        chip: id of the chip's sample.
        height: rows of the chip.
        width: columns of the chip.
        size: largest side of a task in pixels.

    Returns:
        Tasks row by row, from the north-west corner.

    Example:
        >>> len(cut_chip("37TDK_02", 256, 256, 32)), cut_chip("37TDK_02", 60, 60, 32)[-1].height
        (64, 30)
    """
    return tuple(
        TaskWindow(chip=chip, row=top, column=left, height=bottom - top, width=right - left)
        for top, bottom in pairwise(cut_side(height, size))
        for left, right in pairwise(cut_side(width, size))
    )
