"""Growing areas of a mask by a number of pixels, as a square."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def dilated(area: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    """The pixels that lie within a square of `2 * pixels + 1` around any pixel of an area.

    Each axis is grown by itself, in steps that double: a square costs as much as its sides do.

    Args:
        area: bool (…, y, x).
        pixels: by which it grows, at least 0.

    Example:
        >>> dilated(np.array([[True, False, False, False]]), 2).astype(int)
        array([[1, 1, 1, 0]])
    """
    grown = np.ascontiguousarray(area)
    for axis in (-2, -1):
        reach, wanted = 0, min(pixels, area.shape[axis] - 1)
        while reach < wanted:
            step = min(reach + 1, wanted - reach)  # no further: what leads there may not lie beyond an edge
            before, after = _sides(axis, step)
            wider = grown.copy()
            wider[after] |= grown[before]
            wider[before] |= grown[after]
            grown, reach = wider, reach + step
    return grown


def _sides(axis: int, step: int) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The indices of all but the last, and of all but the first, of an axis."""
    rest = (slice(None),) * (-axis - 1)
    return (..., slice(None, -step), *rest), (..., slice(step, None), *rest)
