"""A sample: a chosen cell, with what is known of it before any pixel is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from landloom.model.grid import Grid

if TYPE_CHECKING:
    from landloom.model.grid import Bounds
    from landloom.model.ids import Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A chosen cell.

    Example:
        >>> from landloom.model.ids import SampleId
        >>> sample = Sample.of_utm24(SampleId.parse("33N_16E-243N_29_01"))
        >>> sample.tile, sample.grid(10).shape
        ('33N_16E-243N', (60, 60))
    """

    id: Identity
    """Its id, of one of the three schemes."""
    epsg: int
    """EPSG code of the CRS of its bounds."""
    bounds: Bounds
    """West, south, east, north in that CRS."""
    stratum: str | None = None
    """The group that it was allocated to: a country, a continent, …"""
    split: str | None = None
    """`train`, `validation`, `test` or None."""

    @classmethod
    def of_utm24(cls, identity: Identity, stratum: str | None = None, split: str | None = None) -> Sample:
        """The sample of a `utm24` id, whose bounds derive from it."""
        from landloom.model.ids import CELL_SIZE, SampleId

        if not isinstance(identity, SampleId):
            raise TypeError(f"got {type(identity).__name__}, wanted SampleId")
        grid = identity.grid(CELL_SIZE)
        return cls(id=identity, epsg=grid.epsg, bounds=grid.bounds, stratum=stratum, split=split)

    @property
    def tile(self) -> str:
        """Zone and tile name; samples of one tile are built together."""
        return f"{self.id.zone}_{self.id.tile_name}"

    def grid(self, resolution: float) -> Grid:
        """Its pixel grid at a resolution in metres."""
        return Grid.of_bounds(self.epsg, self.bounds, resolution)
