"""The definition of a simulated world: its parameters, the places shown by its scenes, and presets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from landloom.errors import InvalidValueError, NotFoundError

if TYPE_CHECKING:
    from landloom.model.grid import Bounds

BANDS: Final = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12")
"""Bands of Level-2A, in ESA's order; the order of `WorldSpec.noise`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A square that scenes show and samples are drawn in."""

    name: str
    """Name in file names."""
    epsg: int
    """EPSG code of its UTM zone."""
    bounds: Bounds
    """West, south, east, north in metres; multiples of 60, or of 600 if samples are to fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A granule that shows a place on regular dates."""

    place: str
    """Name of the place."""
    granule: str
    """MGRS square such as `32UPA`; its zone is the CRS of the files."""
    corner: tuple[float, float]
    """North-west corner of the granule in metres."""
    orbit: int
    """Relative orbit; the platform alternates between the two satellites."""
    first: int
    """Day of the year of the first scene, from 1."""
    step: int
    """Days between scenes."""
    last: int = 365
    """Last day of the year with a scene."""
    swath: float = 1.0
    """Share of the window covered by partial scenes, from the west if positive, from the east if negative."""
    partial: int = 0
    """One in this many scenes is partial; 0 for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldSpec:
    """All parameters of a world and its archive; equal specs give equal bytes.

    Example:
        >>> from dataclasses import replace
        >>> other = replace(world_spec("demo"), seed=7)
        >>> other.name, other.seed, [place.name for place in other.places]
        ('demo', 7, ['west', 'east'])
    """

    name: str
    """Name of the preset that it started from."""
    seed: int
    """Seed of land, weather and noise."""
    year: int = 2018
    """Year of all scenes."""
    places: tuple[Place, ...] = ()
    """Places that are shown."""
    views: tuple[View, ...] = ()
    """Granules and dates of the scenes."""
    field: tuple[float, float] = (260.0, 160.0)
    """Typical length and width of a parcel in metres."""
    rivers: bool = True
    """Whether rivers cross the land."""
    cloudiness: float = 0.42
    """Mean cloud cover, 0 to 1; higher in winter, lower in summer."""
    cloud_scale: float = 3_500.0
    """Length scale of cloud fields in metres."""
    missed: float = 0.03
    """Share of cloud pixels that the scene classification misses."""
    misregistration: float = 0.0
    """Displacement of a scene in metres, in a random direction."""
    noise: tuple[float, ...] = (6.0, 6.0, 7.0, 8.0, 9.0, 12.0, 13.0, 14.0, 14.0, 14.0, 11.0, 10.0)
    """Standard deviation of the pixel noise by band, in stored values (1e-4 of reflectance)."""
    gain: float = 0.01
    """Standard deviation of a scene's common brightness error by band, relative."""
    clearings: float = 0.0
    """Share of the parcels of forest that are cleared in the world's year, each on a day of its own."""

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 1 << 31:
            raise InvalidValueError(f"got seed {self.seed}, expected 0 to 2^31 - 1")
        if len(self.noise) != len(BANDS):
            raise InvalidValueError(f"got noise for {len(self.noise)} bands, expected {len(BANDS)}")
        names = {place.name for place in self.places}
        if unknown := sorted({view.place for view in self.views} - names):
            raise NotFoundError.of("place", unknown[0], names)

    def place(self, name: str) -> Place:
        """The place with this name."""
        for place in self.places:
            if place.name == name:
                return place
        raise NotFoundError.of("place", name, [place.name for place in self.places])


_WEST: Final = (705_000.0, 5_556_600.0, 709_800.0, 5_561_400.0)
_EAST: Final = (300_000.0, 5_556_600.0, 304_800.0, 5_561_400.0)

_DEMO: Final = WorldSpec(
    name="demo",
    seed=2018,
    places=(
        Place(name="west", epsg=32632, bounds=_WEST),
        Place(name="east", epsg=32633, bounds=_EAST),
    ),
    views=(
        View(place="west", granule="32UPA", corner=(600_000, 5_600_040), orbit=22, first=3, step=10),
        View(place="west", granule="32UQA", corner=(699_960, 5_600_040), orbit=22, first=13, step=50),
        View(
            place="east",
            granule="33UUR",
            corner=(300_000, 5_600_040),
            orbit=122,
            first=6,
            step=10,
            swath=0.6,
            partial=4,
        ),
        View(
            place="east",
            granule="32UQA",
            corner=(699_960, 5_600_040),
            orbit=22,
            first=28,
            step=50,
            swath=-0.7,
            partial=2,
        ),
    ),
)

_TINY: Final = WorldSpec(
    name="tiny",
    seed=5,
    places=(
        Place(name="west", epsg=32632, bounds=(706_800.0, 5_558_400.0, 708_000.0, 5_559_600.0)),
        Place(name="east", epsg=32633, bounds=(300_600.0, 5_558_400.0, 301_800.0, 5_559_600.0)),
    ),
    views=(
        View(place="west", granule="32UPA", corner=(600_000, 5_600_040), orbit=22, first=153, step=8, last=212),
        View(place="west", granule="32UQA", corner=(699_960, 5_600_040), orbit=22, first=161, step=24, last=212),
        View(
            place="east",
            granule="33UUR",
            corner=(300_000, 5_600_040),
            orbit=122,
            first=154,
            step=10,
            last=212,
            swath=0.6,
            partial=3,
        ),
        View(place="east", granule="32UQA", corner=(699_960, 5_600_040), orbit=22, first=159, step=30, last=212),
    ),
)

_JUDGE: Final = WorldSpec(
    name="judge-v1",
    seed=1,
    places=(Place(name="judge", epsg=32633, bounds=(300_000.0, 5_556_000.0, 302_400.0, 5_558_400.0)),),
    views=(View(place="judge", granule="33UUR", corner=(300_000, 5_600_040), orbit=122, first=3, step=5),),
    rivers=False,
    cloudiness=0.45,
    misregistration=3.0,
    noise=(40.0, 45.0, 45.0, 50.0, 55.0, 70.0, 75.0, 80.0, 80.0, 90.0, 70.0, 65.0),
    gain=0.0,
)

SPECS: Final = {spec.name: spec for spec in (_DEMO, _TINY, _JUDGE)}
"""Preset name → spec. `judge-v1` is frozen: it and everything derived from it must not change."""


def world_spec(name: str) -> WorldSpec:
    """The preset with this name.

    Raises:
        NotFoundError: there is no such preset.
    """
    if name not in SPECS:
        raise NotFoundError.of("world", name, SPECS)
    return SPECS[name]
