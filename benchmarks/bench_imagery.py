"""Medians against bottleneck, filling against numpy.interp and the copy rate, smoothing against scipy; shifts."""

from __future__ import annotations

import os
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

import bottleneck
import numpy as np
from benchmarks.timing import seconds, speedup
from scipy.linalg import solveh_banded
from scipy.ndimage import gaussian_filter
from whitsmooth_rust import whittaker_solve_f32  # type: ignore[import-untyped]

from landloom.imagery.fill import fill_linear, fill_periodic
from landloom.imagery.median import masked_median
from landloom.imagery.registration.shifts import ShiftMeter
from landloom.imagery.valid import scl_valid
from landloom.imagery.whittaker import whittaker
from landloom.model.sensor import CLEAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 1024
LOOP = 256
"""Pixels of the slow loop; its time is scaled to all of them."""
MANY = 4096
"""Pixels that the compiled peer smooths; its time is scaled, too."""
THREADS = min(os.cpu_count() or 1, 2)
"""Of one process, where a bar does not say one core."""


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


def smoothing() -> dict[str, float]:
    """73 dates of ten bands on 256 x 256 pixels; the peers' times for some pixels are scaled to all of them."""
    rng = np.random.default_rng(0)
    stack = rng.integers(1, 10_000, (73, 10, 256, 256), dtype=np.uint16)
    valid = rng.random((73, 256, 256)) < 0.6
    days = np.arange(0.0, 365.0, 5.0)
    few, seen = stack.reshape(73, 10, -1)[:, :, :LOOP].astype(np.float64), valid.reshape(73, -1)[:, :LOOP]
    second = np.diff(np.eye(73), 2, axis=0)
    penalty = 100.0 * second.T @ second
    upper = np.zeros((3, 73))
    for k in range(3):
        upper[2 - k, k:] = np.diag(penalty, k)

    def equations(pixel: int) -> NDArray[np.float64]:
        matrix = upper.copy()
        matrix[2] += seen[:, pixel]
        return matrix

    def together() -> NDArray[np.float64]:
        """One call for all bands of a pixel."""
        one = [solveh_banded(equations(p), seen[:, p, None] * few[:, :, p]) for p in range(LOOP)]
        return np.stack(one, axis=-1)

    def singly() -> None:
        """One call for each band."""
        for pixel in range(LOOP):
            matrix = equations(pixel)
            for band in range(few.shape[1]):
                solveh_banded(matrix, seen[:, pixel] * few[:, band, pixel])

    many = np.ascontiguousarray(stack.reshape(73, 10, -1)[:, :, :MANY].transpose(2, 1, 0).reshape(-1, 73), np.float32)
    weights = np.repeat(valid.reshape(73, -1)[:, :MANY].T.astype(np.float32), 10, axis=0)
    times = days.astype(np.float32)

    def rust() -> NDArray[np.float32]:
        """The peer on one core, as ours; its input is prepared beforehand. It halves second differences."""
        made = whittaker_solve_f32(times, many, weights, 400.0, normalize="mean", parallel=False)
        return np.asarray(made, np.float32)

    alone = partial(whittaker, stack, valid, days, days, 100.0)
    ours = partial(alone, threads=THREADS)

    share = valid[0].size / LOOP
    peer = rust().reshape(MANY, 10, 73)[:LOOP].transpose(2, 1, 0)
    if np.abs(peer - together()).max() > 1.0:
        raise AssertionError("the peer smooths something else")
    error = np.abs(ours().reshape(73, 10, -1)[:, :, :LOOP] - np.clip(together(), 1, 65_534)).max()
    return {
        "whittaker_vs_scipy": speedup(ours, singly, rounds=3) * share,
        "whittaker_vs_scipy_one_core": speedup(alone, singly, rounds=3) * share,
        "whittaker_vs_scipy_all_bands": speedup(ours, together, rounds=3) * share,
        "whittaker_vs_whitsmooth": speedup(alone, rust, rounds=3) * valid[0].size / MANY,
        "whittaker_error": float(error),
    }


def linear() -> dict[str, float]:
    """The same series at other dates, on a circle and on a line."""
    rng = np.random.default_rng(0)
    stack = rng.integers(1, 10_000, (73, 10, 256, 256), dtype=np.uint16)
    valid = rng.random((73, 256, 256)) < 0.6
    days, found = np.arange(0.0, 365.0, 5.0), {}
    few, seen = stack.reshape(73, 10, -1)[:, :, :LOOP].astype(np.float64), valid.reshape(73, -1)[:, :LOOP]
    for name, period in (("linear_vs_interp", 365.0), ("linear_vs_interp_open", None)):

        def loop(period: float | None = period) -> None:
            for pixel in range(LOOP):
                here = seen[:, pixel]
                for band in range(few.shape[1]):
                    np.interp(days + 1.0, days[here], few[here, band, pixel], period=period)

        def ours(period: float | None = period) -> NDArray[np.uint16]:
            return fill_linear(stack, valid, days, days + 1.0, period, threads=THREADS)

        found[name] = speedup(ours, loop, rounds=3) * valid[0].size / LOOP
    return found


def registration() -> dict[str, float]:
    """A year of a tile's scenes in a window, a third of it cloudy, as a unit measures it; one thread."""
    rng = np.random.default_rng(0)
    ground = gaussian_filter(rng.standard_normal((128, 128)), 1.5)
    stack = np.rint(3_000 + 400 * ground / ground.std() + 60 * rng.standard_normal((73, 128, 128))).astype(np.uint16)
    field = np.stack([gaussian_filter(rng.standard_normal((128, 128)), 12) for _ in range(73)])
    valid = field < np.quantile(field, 0.67)

    def ours() -> None:
        meter = ShiftMeter(days=np.arange(0.0, 365.0, 5.0))
        for _ in range(4):
            meter.add(stack, valid)
        meter.shifts()

    ours()
    return {"shift_mpix": 4 * stack.size / median(seconds(ours) for _ in range(5)) / 1e6}


def run() -> dict[str, float]:
    return (
        {f"median_t{times}": median_against_bottleneck(times) for times in (6, 12)}
        | filling()
        | smoothing()
        | linear()
        | registration()
    )


if __name__ == "__main__":
    for name, ratio in run().items():
        print(f"{name:20} {ratio:10.2f}")
