"""Scratch arrays: zeros to be filled, in memory or in files that nobody sees."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from landloom.engine.pixels.scratch import scratch_arrays

SHAPES = st.dictionaries(
    st.sampled_from("abc"),
    st.tuples(array_shapes(max_dims=4, max_side=5), st.sampled_from([np.uint8, np.uint16, np.bool_, np.float32])),
    min_size=1,
)


@given(SHAPES, st.integers(0, 200))
def test_they_hold_what_is_put_into_them_wherever_they_lie(shapes: dict[str, Any], limit: int) -> None:
    size = sum(int(np.prod(shape)) * np.dtype(dtype).itemsize for shape, dtype in shapes.values())
    with ExitStack() as stack:
        arrays = scratch_arrays(shapes, stack, limit)
        for name, (shape, dtype) in shapes.items():
            array = arrays[name]
            assert (array.shape, array.dtype) == (shape, np.dtype(dtype))
            assert not array.any()
            assert isinstance(array, np.memmap) == (size > limit)
            assert getattr(array, "filename", None) is None, "a temporary file has no name"
            filled = np.arange(array.size).reshape(shape).astype(dtype)
            array[...] = filled
            np.testing.assert_array_equal(array, filled)
        assert list(arrays) == list(shapes)


def test_a_full_disk_is_told_before_anything_is_written() -> None:
    code = (
        "import resource, numpy as np\n"
        "from contextlib import ExitStack\n"
        "from landloom.engine.pixels.scratch import scratch_arrays\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\n"
        "with ExitStack() as stack:\n"
        "    scratch_arrays({'a': ((1000, 1000), np.uint8)}, stack, 0)['a'][...] = 1\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1, "a signal would be negative"
    assert "DiskFullError" in done.stderr
    assert "no space left for 1,000,000 bytes" in done.stderr
