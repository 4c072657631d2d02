"""Phase correlation of gradients: a surface whose peak lies at the displacement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidValueError
from landloom.imagery.registration.gradients import STEP

if TYPE_CHECKING:
    from numpy.typing import NDArray

REACH: Final = 16
"""Largest displacement that is looked for along an axis, in blocks of `STEP` pixels."""
BANDWIDTH: Final = 0.16
"""Standard deviation of the weights of frequencies, in cycles per block."""
BESIDE: Final = 4
"""Blocks around the peak that are not searched for a second one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The highest point of a surface."""

    right: float
    """Displacement in pixels, positive to the east."""
    down: float
    """Positive to the south."""
    height: float
    """1 for equal images, 0 for unrelated ones."""
    second: float
    """Height of the highest point elsewhere."""
    floor: float
    """Standard deviation of the surface elsewhere."""


def surfaces(
    seen: NDArray[np.complex64], reference: NDArray[np.complex64], known: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Correlation of each date with its reference by displacement.

    Args:
        seen: (time, y, x) gradients.
        reference: (time, y, x) gradients to compare them with.
        known: (time, y, x) where both are known.

    Returns:
        (time, 2 · `REACH`, 2 · `REACH`) by displacement down and right, in blocks from −`REACH`.

    Raises:
        InvalidValueError: windows smaller than that.
    """
    from scipy.fft import fft2, fftfreq, ifft2

    rows, columns = seen.shape[1:]
    if min(rows, columns) < 2 * REACH:
        raise InvalidValueError(f"got windows of {rows} x {columns} blocks, expected at least {2 * REACH}")
    taper = (_taper(rows)[:, None] * _taper(columns)) * known
    cross = fft2(seen * taper, axes=(1, 2)) * np.conj(fft2(reference * taper, axes=(1, 2)))
    size = np.abs(cross)
    size[size == 0] = 1.0
    weight = np.exp(-0.5 * (fftfreq(rows)[:, None] ** 2 + fftfreq(columns) ** 2) / BANDWIDTH**2).astype(np.float32)
    cross *= weight / weight.mean(dtype=np.float64).astype(np.float32) / size
    whole = ifft2(cross, axes=(1, 2), overwrite_x=True).real
    near = np.arange(-REACH, REACH)
    found: NDArray[np.float32] = whole[:, near % rows][:, :, near % columns]
    return found


def _taper(size: int) -> NDArray[np.float32]:
    return np.asarray(np.hanning(size + 2)[1:-1], np.float32)


def peak(surface: NDArray[np.floating]) -> Peak:
    """Find the peak of a surface, to a fraction of a pixel.

    The weights of frequencies make it a Gaussian bell, whose logarithm is a parabola.

    Args:
        surface: (y, x) of `surfaces`, or a mean of several.

    Example:
        >>> y, x = np.mgrid[-REACH:REACH, -REACH:REACH]
        >>> found = peak(np.exp(-((x - 0.6) ** 2 + (y + 3.2) ** 2)))
        >>> round(found.right, 3), round(found.down, 3)
        (1.2, -6.4)
    """
    inner = surface[1:-1, 1:-1]
    row, column = (int(one) + 1 for one in np.unravel_index(int(inner.argmax()), inner.shape))
    around = np.log(np.maximum(surface[row - 1 : row + 2, column - 1 : column + 2].astype(np.float64), 1e-6))
    elsewhere = np.ones(surface.shape, np.bool_)
    elsewhere[max(row - BESIDE, 0) : row + BESIDE + 1, max(column - BESIDE, 0) : column + BESIDE + 1] = False
    rest = surface[elsewhere]
    return Peak(
        right=STEP * (column - REACH + _vertex(around[1])),
        down=STEP * (row - REACH + _vertex(around[:, 1])),
        height=float(surface[row, column]),
        second=float(rest.max()),
        floor=float(rest.std()),
    )


def _vertex(three: NDArray[np.float64]) -> float:
    """Position of the vertex of a parabola through three values, in steps from the middle one."""
    bend = three[0] - 2 * three[1] + three[2]
    return float(np.clip(0.5 * (three[0] - three[2]) / bend, -0.5, 0.5)) if bend < 0 else 0.0
