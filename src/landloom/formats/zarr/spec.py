"""What a cubes array holds: samples, timesteps and bands, their types, and where each sample lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from landloom.errors import InvalidValueError
from landloom.model.grid import Grid

if TYPE_CHECKING:
    from datetime import datetime

    from landloom.formats.zarr.codecs import Codec


@dataclass(frozen=True, slots=True, kw_only=True)
class CubeSpec:
    """Description of a cubes array: one product of one tile."""

    samples: tuple[str, ...]
    """Ids, in the order of the array."""
    timesteps: tuple[str, ...]
    """Names such as `2018-01`, in time order."""
    times: tuple[datetime, ...]
    """Instants of the timesteps, UTC, whole seconds."""
    bands: tuple[str, ...]
    """Band names, in order."""
    corners: tuple[tuple[float, float], ...]
    """West and north edge of each sample, in units of the CRS."""
    height: int
    """Rows of a sample."""
    width: int
    """Columns of a sample."""
    dtype: str
    """numpy name of the data type."""
    nodata: float | None
    """Value of pixels without data."""
    epsg: int
    """EPSG code of the CRS."""
    resolution: float
    """Pixel size, in units of the CRS."""
    observed: tuple[tuple[bool, ...], ...] | None = None
    """(sample, time) whether there is a chip, for acquired time axes; None for a regular axis."""
    title: str = ""
    """For people."""
    scale: float | None = None
    """Physical value of 1; None if numbers are what they say."""
    unit: str | None = None
    """Of the physical values."""
    checked: bool = True
    """Whether each chunk ends with its CRC-32C; arrays that earlier versions wrote have none."""
    codec: Codec = "zstd"
    """How each chunk is compressed."""

    def __post_init__(self) -> None:
        steps = len(self.timesteps)
        if not (self.samples and self.timesteps and self.bands and self.height > 0 and self.width > 0):
            raise InvalidValueError("got cubes without samples, timesteps, bands or pixels, expected one at least")
        if len(set(self.samples)) != len(self.samples):
            raise InvalidValueError("got duplicate samples, expected each once")
        if len(self.times) != steps or len(self.corners) != len(self.samples):
            raise InvalidValueError(
                f"got {len(self.times)} stamps and {len(self.corners)} corners, "
                f"expected one for each of {steps} timesteps and {len(self.samples)} samples"
            )
        if self.observed is not None and [len(row) for row in self.observed] != [steps] * len(self.samples):
            raise InvalidValueError(f"got an observed mask of another shape, expected {len(self.samples)} x {steps}")

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        """(sample, time, band, y, x)."""
        return len(self.samples), len(self.timesteps), len(self.bands), self.height, self.width

    @property
    def fill(self) -> float:
        """Value of absent chunks."""
        return 0 if self.nodata is None else self.nodata

    def grid(self, position: int) -> Grid:
        """The pixel grid of the sample at a position."""
        west, north = self.corners[position]
        return Grid(
            epsg=self.epsg,
            west=west,
            north=north,
            pixel_width=self.resolution,
            pixel_height=self.resolution,
            width=self.width,
            height=self.height,
        )
