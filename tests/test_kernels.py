"""Kernels are compiled when they are first called, once on a machine, and also where nothing can be written."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from landloom.kernels import Kernel, kernel

if TYPE_CHECKING:
    from pathlib import Path

COUNT = """
import sys
import numpy as np
from landloom.labels import histogram
assert "numba" not in sys.modules
loops = histogram._count_values
one = np.array([0])
assert histogram.count_values(np.ones((4, 4), np.uint8), one, one, 4, 4)[0, 1] == 16
print(sum(loops.compiled().stats.cache_misses.values()))
"""


def _counting(cache: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    return subprocess.Popen([sys.executable, "-c", COUNT], env=environment, stdout=subprocess.PIPE, text=True)


def test_one_of_many_processes_compiles(tmp_path: Path) -> None:
    started = [_counting(tmp_path / "cache") for _ in range(3)]
    assert sorted(int(one.communicate()[0]) for one in started) == [0, 0, 1]


def test_a_function_that_no_cache_can_hold_is_compiled_all_the_same() -> None:
    names: dict[str, Any] = {"kernel": kernel}
    exec("@kernel\ndef thrice(value):\n    return 3 * value\n", names)  # noqa: S102 - numba finds no file of it
    assert names["thrice"](2) == 6


@kernel
def _twice(value: float) -> float:
    return 2 * value


@kernel(error_model="numpy")
def _quarter_of_twice(value: float, parts: float) -> float:
    return _twice(value) / parts


def test_kernels_call_kernels_with_their_options() -> None:
    assert isinstance(_quarter_of_twice, Kernel)
    assert _quarter_of_twice(6.0, 4.0) == 3.0
    assert np.isinf(_quarter_of_twice(6.0, 0.0))


@kernel
def _fails(value: float) -> float:
    return value.no_such_attribute  # type: ignore[attr-defined,no-any-return]


def test_a_kernel_that_does_not_compile_leaves_no_lock() -> None:
    for _ in range(2):
        with pytest.raises(Exception, match="no_such_attribute"):
            _fails(1.0)
    assert _twice(3) == 6


LINEAR = """
import sys
import numpy as np
from landloom.kernels import _BLAS, _Later, load_compiler
if sys.argv[1] == "amid":  # another thread needs it while numba asks for it
    sys.modules[_BLAS] = _Later(_BLAS)
    import scipy.optimize
    assert not isinstance(sys.modules[_BLAS], _Later)
numba = load_compiler()
assert ("scipy.linalg" in sys.modules) == (sys.argv[1] == "amid")
print(numba.njit(lambda a, b: np.dot(a, b))(np.eye(2), np.full((2, 2), 3.0)).sum())
"""


@pytest.mark.parametrize("when", ["later", "amid"])
def test_linear_algebra_is_imported_when_it_is_used(when: str) -> None:
    done = subprocess.run([sys.executable, "-c", LINEAR, when], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "12.0"
