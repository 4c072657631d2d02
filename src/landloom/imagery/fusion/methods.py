"""Other ways to fill a series, on the observations that the fused one uses, with an uncertainty of their own.

The fused series says what the ground is like, and how sure that is: another value is off by σ, and by what it differs
from the fused one, so that the square of its uncertainty is the sum of the squares of both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

from landloom.imagery.clusters import fill_clr
from landloom.imagery.fill import fill_linear
from landloom.imagery.fusion.fuse import LIMITS
from landloom.imagery.harmonic import fill_harmonic
from landloom.imagery.whittaker import LAMBDAS, whittaker
from landloom.model.sensor import SATURATED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.imagery.fusion.fuse import FusedSeries, Prepared

Method: TypeAlias = Literal["fused", "linear", "whittaker", "harmonic", "clr"]
"""Names of the ways to fill."""
YEAR: Final = 365.25
"""Days of a periodic series."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """A way to fill a series."""

    method: Method = "fused"
    smoothing: float | None = None
    """Penalty of `whittaker`; by generalised cross-validation per pixel if None."""
    periodic: bool = False
    """Whether `linear` goes on from the end of a year to its beginning."""


FUSED: Final = Filling()
"""The usual way."""


def filled(
    filling: Filling, prepared: Prepared, part: tuple[slice, slice], limits: tuple[int, int] = LIMITS
) -> FusedSeries:
    """The series of a part of a window, filled in some way.

    Every way uses the same observations: clear ones of the first sensor that are not outliers.

    Args:
        filling: the way.
        prepared: the window.
        part: its rows and columns.
        limits: smallest and largest value, in stored numbers, at least 1.

    Example:
        >>> from landloom.imagery.fusion.fuse import prepare
        >>> from landloom.imagery.fusion.sightings import Sightings
        >>> stack = np.linspace(1_000, 1_400, 5).astype(np.uint16)[:, None, None, None].repeat(8, 2).repeat(8, 3)
        >>> seen = Sightings(days=np.arange(0.0, 50.0, 10.0), stack=stack, valid=np.ones((5, 8, 8), bool))
        >>> made = filled(Filling(method="linear"), prepare(seen, np.arange(0.0, 45.0, 5.0)), np.s_[:, :])
        >>> made.series[:4, 0, 0, 0].tolist()
        [1000, 1050, 1100, 1150]
    """
    fused = prepared.series(part, limits)
    if filling.method == "fused" or not fused.used.any():
        return fused
    stack = np.ascontiguousarray(prepared.first.stack[..., *part])
    made = _values(filling, stack, fused.used, prepared.first.days, prepared.targets)
    known = fused.series > 0
    series = np.where(known, np.clip(made, *limits), 0).astype(np.uint16)
    apart = series.astype(np.float32) - fused.series
    sigma = np.sqrt(fused.sigma.astype(np.float32) ** 2 + apart**2)
    return replace(
        fused,
        series=series,
        sigma=np.where(known, np.clip(np.rint(sigma), 1, SATURATED - 1), 0).astype(np.uint16),
        clipped=int(np.count_nonzero(known & (made != series))),
    )


def _values(
    filling: Filling,
    stack: NDArray[np.uint16],
    used: NDArray[np.bool_],
    days: NDArray[np.float64],
    targets: NDArray[np.float64],
) -> NDArray[np.uint16]:
    match filling.method:
        case "whittaker":
            step = float(np.diff(targets).min()) if targets.size > 1 else 1.0
            knots = np.arange(targets[0], targets[-1] + step, step)
            chosen = LAMBDAS if filling.smoothing is None else filling.smoothing
            smooth = whittaker(stack, used, days, knots, chosen)
            return fill_linear(smooth, smooth[:, 0] > 0, knots, targets)
        case "harmonic":
            return fill_harmonic(stack, used, days, targets)
        case "clr":
            return fill_clr(stack, used, days, targets)
        case _:
            return fill_linear(stack, used, days, targets, YEAR if filling.periodic else None)
