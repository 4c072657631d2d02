"""Other people's programs that date breaks, as far as they are installed: compared with, never shipped."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MODULE: Final = "pyxccd"
COLD, SCCD = "COLD", "S-CCD"
PEERS: Final = (COLD, SCCD)
CONFIRMED: Final = (6, 4, 3)
"""Observations in a row that confirm a break: the programs' default, and two that break sooner."""
MOST: Final = 12
"""Breaks of a pixel that are kept."""
_SOME_DAY: Final = 736_000
_PENALTY: Final = 20
_GREEN, _NIR, _RED = 1, 3, 2
_BREAK: Final = 100


def absent() -> tuple[str, ...]:
    """Peers that are not installed."""
    return () if find_spec(MODULE) else PEERS


def peer_breaks(
    peer: str,
    stack: NDArray[np.uint16],
    valid: NDArray[np.bool_],
    days: NDArray[np.float64],
    confirmed: int,
    *,
    losses: bool,
) -> NDArray[np.float32]:
    """(break, pixel) days of breaks by COLD (Zhu et al. 2020) or S-CCD (Ye et al. 2021), as pyxccd has them.

    Args:
        peer: one of `PEERS`.
        stack: (time, band, pixel) of blue, green, red and near infrared.
        valid: (time, pixel).
        days: (time).
        confirmed: observations in a row that confirm a break.
        losses: whether only breaks count at which the near infrared falls more than the red.
    """
    module = import_module(MODULE)
    detect = module.cold_detect_flex if peer == COLD else module.sccd_detect_flex
    found = np.full((MOST, stack.shape[2]), np.nan, np.float32)
    for p in range(stack.shape[2]):
        seen = valid[:, p]
        dates = days[seen].astype(np.int64) + _SOME_DAY
        if dates.size < 2 * confirmed:
            continue
        series = np.ascontiguousarray(stack[seen, :, p].astype(np.int64))
        clear = np.zeros(dates.size, np.int64)
        bands = {"tmask_b1_index": _GREEN + 1, "tmask_b2_index": _NIR + 1}
        records = _records(peer, detect(dates, series, clear, _PENALTY, conse=confirmed, **bands))
        kept = [one for one in records if not losses or one["magnitude"][_NIR] < one["magnitude"][_RED]]
        for n, one in enumerate(kept[:MOST]):
            found[n, p] = float(one["t_break"]) - _SOME_DAY
    return found


def _records(peer: str, made: Any) -> list[Any]:
    """The breaks in a peer's result; the last segment of COLD is no break."""
    if peer == COLD:
        return [one for one in made if one["change_prob"] == _BREAK]
    return list(made.rec_cg)
