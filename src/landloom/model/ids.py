"""Identities: zones, tiles, granules and the three schemes of sample ids.

Every identity is a frozen, hashable, ordered value with `parse(str(x)) == x`. `Identity` is their common protocol: the
layout of a corpus is a template over it and never slices strings.

| scheme    | example                    | a sample is                                            |
|-----------|----------------------------|--------------------------------------------------------|
| `utm24`   | `33N_16E-243N_29_01`       | a 600 m cell: row and column in a 24 km tile, from 1   |
| `granule` | `37TDK_27`                 | a numbered chip drawn inside a Sentinel-2 granule      |
| `window`  | `33TWL_0012_0034_2018`     | row and column, from 1, of a window grid [and a year]  |
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering
from math import ceil
from typing import TYPE_CHECKING, Final, Protocol, Self, runtime_checkable

from landloom.errors import InvalidIdentityError
from landloom.model.grid import Grid

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

TILE_SIZE: Final = 24_000
"""Side of a tile in metres."""
CELL_SIZE: Final = 600
"""Side of a `utm24` cell in metres."""
CELLS_PER_TILE: Final = TILE_SIZE // CELL_SIZE
"""Rows, and columns, of cells in a tile."""


@runtime_checkable
class Identity(Protocol):
    """The protocol of every kind of sample id."""

    @property
    def zone(self) -> Zone:
        """The UTM zone that the sample lies in."""
        ...

    @property
    def tile_name(self) -> str:
        """Name of the tile, granule or anchor that groups samples; unique within its zone."""
        ...

    def __str__(self) -> str: ...


def _matched(pattern: re.Pattern[str], text: str, wanted: str) -> re.Match[str]:
    match = pattern.fullmatch(text)
    if match is None:
        raise InvalidIdentityError.of(text, expected=wanted)
    return match


@total_ordering
@dataclass(frozen=True, slots=True)
class Zone:
    """A UTM zone. The suffix N or S is the hemisphere, never an MGRS latitude band.

    Example:
        >>> Zone.parse("33N").epsg, Zone.parse("01S").epsg, str(Zone.of(13.4, 52.5))
        (32633, 32701, '33N')
        >>> Zone.parse("33N") < Zone.parse("33S") < Zone.parse("34N")
        True
    """

    number: int
    """1 to 60, eastward from 180° W."""
    north: bool = True
    """True for the northern hemisphere."""

    def __post_init__(self) -> None:
        if not 1 <= self.number <= 60:
            raise InvalidIdentityError.of(self.number, expected="a zone number from 1 to 60")

    @property
    def epsg(self) -> int:
        """EPSG code of WGS84 / UTM in this zone: 326zz north, 327zz south."""
        return (32600 if self.north else 32700) + self.number

    @property
    def central_meridian(self) -> float:
        """Longitude of the zone's central meridian in degrees."""
        return self.number * 6.0 - 183.0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `33N`."""
        match = _matched(re.compile(r"(\d{2})([NS])"), text, "a zone such as 33N")
        return cls(int(match[1]), match[2] == "N")

    @classmethod
    def from_epsg(cls, epsg: int) -> Self:
        """The zone of EPSG 326zz or 327zz.

        Raises:
            InvalidIdentityError: any other code.
        """
        hundred, number = divmod(epsg, 100)
        if hundred not in (326, 327) or not 1 <= number <= 60:
            raise InvalidIdentityError.of(epsg, expected="an EPSG code of WGS84 / UTM (32601-32660, 32701-32760)")
        return cls(number, hundred == 326)

    @classmethod
    def of(cls, longitude: float, latitude: float) -> Self:
        """The plain 6° zone of a point: the exceptions of Norway and Svalbard hold for granules only.

        Args:
            longitude: degrees east; values beyond ±180 are wrapped.
            latitude: degrees north; the equator belongs to the northern hemisphere.
        """
        turn = (longitude + 180.0) % 360.0
        return cls(min(int(turn // 6) + 1, 60), latitude >= 0)

    def __lt__(self, other: object) -> bool:
        # In the order of their names: N before S.
        if not isinstance(other, Zone):
            return NotImplemented
        return (self.number, not self.north) < (other.number, not other.north)

    def __str__(self) -> str:
        return f"{self.number:02d}{'N' if self.north else 'S'}"


@dataclass(frozen=True, slots=True, order=True)
class TileId:
    """A 24 km grid square; its south-west corner is (east * 24,000 m, north * 24,000 m) in the zone's CRS.

    Example:
        >>> tile = TileId.parse("33N_16E-243N")
        >>> tile.name, tile.grid(10.0).bounds
        ('16E-243N', (384000.0, 5832000.0, 408000.0, 5856000.0))
    """

    zone: Zone
    east: int
    """Easting in tiles."""
    north: int
    """Northing in tiles."""

    def __post_init__(self) -> None:
        if not (0 <= self.east <= 99 and 0 <= self.north <= 999):
            raise InvalidIdentityError.of((self.east, self.north), expected="tile offsets within 0..99 and 0..999")

    @property
    def name(self) -> str:
        """The tile's name within its zone: `16E-243N`."""
        return f"{self.east:02d}E-{self.north:03d}N"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `33N_16E-243N`."""
        wanted = "a tile such as 33N_16E-243N"
        match = _matched(re.compile(r"(\d{2}[NS])_(\d{2})E-(\d{3})N"), text, wanted)
        return cls(Zone.parse(match[1]), int(match[2]), int(match[3]))

    @classmethod
    def at(cls, zone: Zone, x: float, y: float) -> Self:
        """The tile that contains a point in the zone's CRS (metres); a tile owns its south and west edges."""
        return cls(zone, int(x // TILE_SIZE), int(y // TILE_SIZE))

    def grid(self, resolution: float) -> Grid:
        """The tile's pixel grid at a resolution in metres."""
        west, south = self.east * TILE_SIZE, self.north * TILE_SIZE
        return Grid.of_bounds(self.zone.epsg, (west, south, west + TILE_SIZE, south + TILE_SIZE), resolution)

    def samples(self) -> tuple[SampleId, ...]:
        """Its 1,600 cells in id order."""
        cells = range(1, CELLS_PER_TILE + 1)
        return tuple(SampleId(self, row, column) for row in cells for column in cells)

    def __str__(self) -> str:
        return f"{self.zone}_{self.name}"


@dataclass(frozen=True, slots=True, order=True)
class SampleId:
    """A 600 m cell of a tile: scheme `utm24`.

    Example:
        >>> sample = SampleId.parse("35N_19E-292N_23_31")
        >>> sample.tile.name, sample.grid(10.0).bounds
        ('19E-292N', (474000.0, 7018200.0, 474600.0, 7018800.0))
        >>> [round(v, 5) for v in sample.footprint.exterior.coords[0]]
        [26.49348, 63.29178]
    """

    tile: TileId
    row: int
    """Counted southward from the tile's north edge, 1 to 40."""
    column: int
    """Counted eastward from the tile's west edge, 1 to 40."""

    def __post_init__(self) -> None:
        if not (1 <= self.row <= CELLS_PER_TILE and 1 <= self.column <= CELLS_PER_TILE):
            raise InvalidIdentityError.of(
                (self.row, self.column), expected=f"row and column from 1 to {CELLS_PER_TILE}"
            )

    @property
    def zone(self) -> Zone:
        """The tile's zone."""
        return self.tile.zone

    @property
    def tile_name(self) -> str:
        """The tile's name within its zone."""
        return self.tile.name

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `33N_16E-243N_29_01`."""
        match = _matched(re.compile(r"(.+)_(\d{2})_(\d{2})"), text, "a sample such as 33N_16E-243N_29_01")
        return cls(TileId.parse(match[1]), int(match[2]), int(match[3]))

    @classmethod
    def at(cls, zone: Zone, x: float, y: float) -> Self:
        """The cell that contains a point in the zone's CRS (metres); a cell owns its north and west edges."""
        tile = TileId(zone, int(x // TILE_SIZE), ceil(y / TILE_SIZE) - 1)
        row = int(((tile.north + 1) * TILE_SIZE - y) // CELL_SIZE)
        return cls(tile, row + 1, int((x - tile.east * TILE_SIZE) // CELL_SIZE) + 1)

    def grid(self, resolution: float) -> Grid:
        """The cell's pixel grid at a resolution in metres."""
        west = self.tile.east * TILE_SIZE + (self.column - 1) * CELL_SIZE
        north = (self.tile.north + 1) * TILE_SIZE - (self.row - 1) * CELL_SIZE
        return Grid.of_bounds(self.zone.epsg, (west, north - CELL_SIZE, west + CELL_SIZE, north), resolution)

    @property
    def footprint(self) -> BaseGeometry:
        """Outline in WGS84, longitude latitude, from the south-east corner counter-clockwise."""
        return self.grid(CELL_SIZE).footprint()

    def __str__(self) -> str:
        return f"{self.tile}_{self.row:02d}_{self.column:02d}"


_LATITUDE_BANDS: Final = "CDEFGHJKLMNPQRSTUVWX"
_GRANULE: Final = re.compile(rf"(\d{{2}})([{_LATITUDE_BANDS}])([A-HJ-NP-Z]{{2}})")


@dataclass(frozen=True, slots=True, order=True)
class GranuleId:
    """A Sentinel-2 granule: an MGRS 100 km square, `33TWL`.

    Example:
        >>> granule = GranuleId.parse("37TDK")
        >>> str(granule.zone), granule.band, granule.square
        ('37N', 'T', 'DK')
    """

    number: int
    """UTM zone number, 1 to 60, with the exceptions of Norway and Svalbard."""
    band: str
    """MGRS latitude band, C to X."""
    square: str
    """Column and row letter of the 100 km square."""

    def __post_init__(self) -> None:
        if not 1 <= self.number <= 60 or _GRANULE.fullmatch(str(self)) is None:
            raise InvalidIdentityError.of(str(self), expected="a granule such as 33TWL")

    @property
    def zone(self) -> Zone:
        """Its UTM zone."""
        return Zone(self.number, self.band >= "N")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `33TWL`, also `T33TWL` and `1CCV`."""
        padded = text.removeprefix("T").rjust(5, "0")
        match = _matched(_GRANULE, padded, "a granule such as 33TWL")
        return cls(int(match[1]), match[2], match[3])

    def __str__(self) -> str:
        return f"{self.number:02d}{self.band}{self.square}"


@dataclass(frozen=True, slots=True, order=True)
class ChipId:
    """A numbered chip in a granule: scheme `granule`.

    Example:
        >>> str(ChipId.parse("37TDK_27").granule)
        '37TDK'
    """

    granule: GranuleId
    number: int
    """Counted from 0 within the granule, in the order of the draw."""

    def __post_init__(self) -> None:
        if not 0 <= self.number <= 9999:
            raise InvalidIdentityError.of(self.number, expected="a chip number from 0 to 9999")

    @property
    def zone(self) -> Zone:
        """The granule's zone."""
        return self.granule.zone

    @property
    def tile_name(self) -> str:
        """The granule's name."""
        return str(self.granule)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `37TDK_27`."""
        match = _matched(re.compile(r"(\w{5})_(\d{2}|[1-9]\d{2,3})"), text, "a chip such as 37TDK_27")
        return cls(GranuleId.parse(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.granule}_{self.number:02d}"


_ANCHOR: Final = re.compile(r"(\d{2}[NS])-(\d+)E-(\d+)N")


@total_ordering
@dataclass(frozen=True, slots=True)
class WindowId:
    """A cell of a window grid: scheme `window`. The recipe sets the cell size and the grid's origin.

    Example:
        >>> window = WindowId.parse("33TWL_0012_0034_2018")
        >>> str(window.zone), window.row, window.year, WindowId.parse("33N-499980E-5100000N_0001_0002").year
        ('33N', 12, 2018, None)
    """

    anchor: str
    """A granule, or `33N-499980E-5100000N`: zone and north-west corner in metres."""
    row: int
    """Counted southward from the anchor, from 1."""
    column: int
    """Counted eastward from the anchor, from 1."""
    year: int | None = None
    """The year of the labels, where one window has several."""

    def __post_init__(self) -> None:
        if _GRANULE.fullmatch(self.anchor) is None and _ANCHOR.fullmatch(self.anchor) is None:
            raise InvalidIdentityError.of(self.anchor, expected="a granule or an anchor such as 33N-499980E-5100000N")
        if not (1 <= self.row <= 9999 and 1 <= self.column <= 9999):
            raise InvalidIdentityError.of((self.row, self.column), expected="row and column from 1 to 9999")

    @property
    def zone(self) -> Zone:
        """The anchor's zone."""
        match = _ANCHOR.fullmatch(self.anchor)
        return Zone.parse(match[1]) if match else GranuleId.parse(self.anchor).zone

    @property
    def tile_name(self) -> str:
        """The anchor."""
        return self.anchor

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `33TWL_0012_0034` or `33TWL_0012_0034_2018`."""
        pattern = re.compile(r"([^_]+)_(\d{4})_(\d{4})(?:_(\d{4}))?")
        match = _matched(pattern, text, "a window such as 33TWL_0012_0034")
        return cls(match[1], int(match[2]), int(match[3]), int(match[4]) if match[4] else None)

    def __lt__(self, other: object) -> bool:
        # In the order of their names: without a year before any year.
        if not isinstance(other, WindowId):
            return NotImplemented
        mine, theirs = ((w.anchor, w.row, w.column, w.year or 0) for w in (self, other))
        return mine < theirs

    def __str__(self) -> str:
        year = "" if self.year is None else f"_{self.year:04d}"
        return f"{self.anchor}_{self.row:04d}_{self.column:04d}{year}"


SCHEMES: Final[dict[str, type[SampleId | ChipId | WindowId]]] = {
    "utm24": SampleId,
    "granule": ChipId,
    "window": WindowId,
}
"""Scheme name → type of its sample ids."""


def parse_sample_id(scheme: str, text: str) -> SampleId | ChipId | WindowId:
    """Parse a sample id of a named scheme.

    Example:
        >>> parse_sample_id("granule", "37TDK_27")
        ChipId(granule=GranuleId(number=37, band='T', square='DK'), number=27)

    Raises:
        InvalidIdentityError: the text is not an id of that scheme.
        KeyError: no such scheme.
    """
    return SCHEMES[scheme].parse(text)
