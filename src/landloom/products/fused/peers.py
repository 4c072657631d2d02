"""Other people's programs that fill series, as far as they are installed: compared with, never shipped."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

WHITSMOOTH, SCCD = "whitsmooth-rust", "S-CCD"
PEERS: Final = {WHITSMOOTH: "whitsmooth_rust", SCCD: "pyxccd"}
"""Peer → module that has to be importable."""
STRIDE: Final = 10
"""Pixels between those that are filled by S-CCD, which takes milliseconds for each."""
_ROUNDS: Final = 3
_YEAR: Final = 365
_SOME_DAY: Final = 736_000


def absent() -> tuple[str, ...]:
    """Peers that are not installed."""
    return tuple(name for name, module in PEERS.items() if find_spec(module) is None)


def robust_whittaker(
    stack: NDArray[np.uint16], valid: NDArray[np.bool_], days: NDArray[np.float64], penalty: float
) -> NDArray[np.float32]:
    """Robust Whittaker smoothing by whitsmooth-rust, (time, band, y, x), on the days of the stack.

    Args:
        stack: (time, band, y, x).
        valid: (time, y, x).
        days: (time).
        penalty: as of `landloom.imagery.whittaker.whittaker`; the peer halves second differences.
    """
    smooth: Callable[..., NDArray[np.float32]] = import_module(PEERS[WHITSMOOTH]).robust_whittaker_irls_f32
    times = stack.shape[0]
    weight = np.ascontiguousarray(valid.reshape(times, -1).T, np.float32)
    made = np.empty(stack.shape, np.float32)
    for b in range(stack.shape[1]):
        series = np.ascontiguousarray(stack[:, b].reshape(times, -1).T, np.float32)
        found = smooth(days.astype(np.float32), series, weight, 4.0 * penalty, iterations=_ROUNDS, parallel=False)
        made[:, b] = found.T.reshape(made[:, b].shape)
    return made


def state_space(
    stack: NDArray[np.uint16], valid: NDArray[np.bool_], days: NDArray[np.float64], wanted: NDArray[np.float64]
) -> NDArray[np.float64]:
    """States of S-CCD, which fill gaps across breaks, at wanted days of the stack's year.

    It takes no less than a year, and starts its model from its first dates: the year is given to it three times over,
    and its states are those of the middle one.

    Returns:
        (wanted, band, y, x); not a number except at every `STRIDE`-th pixel, and where it finds no model.
    """
    detect = import_module(PEERS[SCCD]).sccd_detect_flex
    bands, height, width = stack.shape[1:]
    made = np.full((wanted.size, bands, height, width), np.nan)
    for y in range(STRIDE // 2, height, STRIDE):
        for x in range(STRIDE // 2, width, STRIDE):
            seen = valid[:, y, x]
            series = np.tile(stack[seen, :, y, x].astype(np.int64), (3, 1))
            dates = np.concatenate([days[seen] + _YEAR * k for k in range(3)]).astype(np.int64) + _SOME_DAY
            if not dates.size:
                continue
            clear = np.zeros(dates.size, np.int64)
            _, states = detect(dates, series, clear, lam=20, state_intervaldays=1.0)
            for b in range(bands) if len(states) else ():
                level = sum(states[f"b{b}_{part}"].to_numpy() for part in ("trend", "annual", "semiannual"))
                made[:, b, y, x] = np.interp(wanted + _SOME_DAY + _YEAR, states["dates"].to_numpy(), level)
    return made
