"""Arrays that are filled before anything is written: in memory, or in temporary files where they are large."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import ExitStack

    from numpy.typing import NDArray

IN_MEMORY: Final = 512 * 2**20
"""Bytes of all arrays together up to which they are kept in memory."""


def scratch_arrays(
    shapes: Mapping[str, tuple[tuple[int, ...], Any]], stack: ExitStack, limit: int = IN_MEMORY
) -> dict[str, NDArray[Any]]:
    """Arrays of zeros.

    Args:
        shapes: name → shape and type.
        stack: closes the temporary files.
        limit: bytes in memory, at most.

    Example:
        >>> from contextlib import ExitStack
        >>> with ExitStack() as stack:
        ...     scratch_arrays({"a": ((2,), np.uint8)}, stack)["a"].tolist()
        [0, 0]
    """
    size = sum(int(np.prod(shape)) * np.dtype(dtype).itemsize for shape, dtype in shapes.values())
    if size <= limit:
        return {name: np.zeros(shape, dtype) for name, (shape, dtype) in shapes.items()}
    return {
        name: np.memmap(stack.enter_context(tempfile.TemporaryFile()), dtype, "w+", shape=shape)
        for name, (shape, dtype) in shapes.items()
    }
