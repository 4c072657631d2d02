"""Medians against bottleneck, periodic filling against numpy.interp and the copy rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bottleneck
import numpy as np
from benchmarks.timing import speedup
from scipy.ndimage import gaussian_filter

from landloom.imagery.fill import fill_periodic
from landloom.imagery.median import masked_median
from landloom.imagery.valid import scl_valid
from landloom.model.sensor import CLEAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 1024
LOOP = 256
"""Pixels of the slow loop; its time is scaled to all of them."""


def scenes(times: int, seed: int = 0) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Numbers and classes; clouds in blobs over three pixels in ten."""
    rng = np.random.default_rng(seed)
    stack = rng.integers(1, 10_000, (times, SIDE, SIDE), dtype=np.uint16)
    field = np.stack([gaussian_filter(rng.standard_normal((SIDE, SIDE)), 20) for _ in range(times)])
    clear = rng.choice(np.array([4, 5, 6], dtype=np.uint8), size=field.shape)
    return stack, np.where(field > np.quantile(field, 0.7), 8, clear).astype(np.uint8)


def median_against_bottleneck(times: int) -> float:
    """Both start from uint16 and SCL; the peer looks classes up in a table and takes its faster axis."""
    stack, scl = scenes(times)
    table = np.zeros(256, dtype=bool)
    table[list(CLEAR)] = True

    def ours() -> NDArray[np.uint16]:
        return masked_median(stack, scl_valid(scl))[0]

    def masked() -> NDArray[np.float32]:
        return np.where(table[scl], stack, np.float32(np.nan))

    def first() -> NDArray[np.float32]:
        return np.asarray(bottleneck.nanmedian(masked(), axis=0))

    def last() -> NDArray[np.float32]:
        return np.asarray(bottleneck.nanmedian(np.ascontiguousarray(np.moveaxis(masked(), 0, -1)), axis=-1))

    if not np.array_equal(ours(), np.nan_to_num(np.floor(first()))):
        raise AssertionError("the median differs from bottleneck's")
    return min(speedup(ours, first), speedup(ours, last))


def filling() -> dict[str, float]:
    rng = np.random.default_rng(0)
    stack = rng.integers(1, 10_000, (24, 10, 256, 256), dtype=np.uint16)
    valid = rng.random((24, 256, 256)) < 0.6
    valid[0] |= ~valid.any(axis=0)
    days = np.sort(rng.random(24) * 365)
    copy = np.empty_like(stack)
    few, seen = stack.reshape(24, 10, -1)[:, :, :LOOP], valid.reshape(24, -1)[:, :LOOP]

    def ours() -> NDArray[np.uint16]:
        return fill_periodic(stack, valid, days, 365.0)

    def loop() -> NDArray[np.float64]:
        out = np.empty(few.shape)
        for band in range(few.shape[1]):
            for pixel in range(LOOP):
                here = seen[:, pixel]
                out[:, band, pixel] = np.interp(days, days[here], few[here, band, pixel], period=365.0)
        return out

    if np.abs(ours().reshape(24, 10, -1)[:, :, :LOOP] - loop()).max() > 0.5 + 1e-8:
        raise AssertionError("filling differs from numpy.interp")
    return {
        "fill_vs_interp": speedup(ours, loop, rounds=3) * valid[0].size / LOOP,
        "fill_vs_memcpy": speedup(ours, lambda: np.copyto(copy, stack)),
    }


def run() -> dict[str, float]:
    return {f"median_t{times}": median_against_bottleneck(times) for times in (6, 12)} | filling()


if __name__ == "__main__":
    for name, ratio in run().items():
        print(f"{name:20} {ratio:10.2f}")
