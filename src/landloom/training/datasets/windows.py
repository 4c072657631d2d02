"""Windows of samples: the same ground of every product, in whole pixels of each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Self

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

At = Literal["random", "centre", "grid"]
_UNIT: Final = 1000
"""Lengths are counted in millimetres, so that pixel sizes are whole numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Part of a sample, in metres from its north-west corner."""

    top: float
    left: float
    height: float
    width: float

    def pixels(self, resolution: float) -> tuple[int, int, int, int]:
        """First row and column, rows and columns of a product."""
        parts = (self.top, self.left, self.height, self.width)
        row, column, height, width = (round(part / resolution) for part in parts)
        return row, column, height, width


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRule:
    """How windows are placed in samples."""

    size: tuple[int, int] | None
    """Rows and columns of the first product; None for whole samples."""
    at: At
    """At a random place, in the centre, or one after another from the north-west corner."""
    step: float
    """Metres by which windows may move: a whole number of pixels of every product."""
    pixel: float
    """Metres of a pixel of the first product."""

    @classmethod
    def of(cls, crop: int | tuple[int, int] | None, at: At, resolutions: Sequence[float]) -> Self:
        """The rule for products of these resolutions, the first being that in which the size is told.

        Raises:
            InvalidInputError: a size that is not a whole number of pixels of every product, or no such placement.

        Example:
            >>> WindowRule.of(30, "random", [10, 3]).step
            30.0
        """
        if at not in ("random", "centre", "grid"):
            raise InvalidInputError(f"crop_at: got {at!r}, expected random, centre or grid")
        sizes = [round(resolution * _UNIT) for resolution in resolutions]
        step = math.lcm(*sizes)
        if crop is None:
            return cls(size=None, at=at, step=step / _UNIT, pixel=resolutions[0])
        size = (crop, crop) if isinstance(crop, int) else (int(crop[0]), int(crop[1]))
        if min(size) < 1 or any(side * sizes[0] % step for side in size):
            least = step // sizes[0]
            raise InvalidInputError(
                f"crop: got {size[0]} × {size[1]} pixels of {resolutions[0]:g} m, expected multiples of {least}, which "
                f"are whole pixels of {', '.join(f'{one:g} m' for one in resolutions)}"
            )
        return cls(size=size, at=at, step=step / _UNIT, pixel=resolutions[0])

    def refuse(self, bounds: NDArray[np.float64], name: str) -> None:
        """Refuse a sample that is smaller than its window.

        Raises:
            InvalidInputError: it is.
        """
        if self.size is not None:
            height, width = self._ground(bounds)
            if self.size[0] * self.pixel > height + 1e-6 or self.size[1] * self.pixel > width + 1e-6:
                raise InvalidInputError(
                    f"crop: got {self.size[0]} × {self.size[1]} pixels, sample {name} has "
                    f"{height / self.pixel:g} × {width / self.pixel:g}"
                )

    @staticmethod
    def _ground(bounds: NDArray[np.float64]) -> tuple[float, float]:
        west, south, east, north = bounds.tolist()
        return north - south, east - west

    def count(self, bounds: NDArray[np.float64]) -> int:
        """Windows of a sample: more than one only in a grid; what is left at its south and east is not used."""
        if self.size is None or self.at != "grid":
            return 1
        rows, columns = self._grid(bounds)
        return rows * columns

    def _grid(self, bounds: NDArray[np.float64]) -> tuple[int, int]:
        height, width = self._ground(bounds)
        size = self.size or (1, 1)
        return int((height + 1e-6) // (size[0] * self.pixel)), int((width + 1e-6) // (size[1] * self.pixel))

    def window(self, bounds: NDArray[np.float64], number: int, random: np.random.Generator) -> Window:
        """A window of a sample.

        Args:
            bounds: of the sample.
            number: of the window, in a grid.
            random: generator for a random place.
        """
        height, width = self._ground(bounds)
        if self.size is None:
            return Window(top=0.0, left=0.0, height=height, width=width)
        tall, wide = self.size[0] * self.pixel, self.size[1] * self.pixel
        if self.at == "grid":
            row, column = divmod(number, self._grid(bounds)[1])
            return Window(top=row * tall, left=column * wide, height=tall, width=wide)
        places = [int((side - own + 1e-6) // self.step) for side, own in ((height, tall), (width, wide))]
        if self.at == "centre":
            top, left = (place // 2 * self.step for place in places)
        else:
            top, left = (int(random.integers(0, place + 1)) * self.step for place in places)
        return Window(top=top, left=left, height=tall, width=wide)
