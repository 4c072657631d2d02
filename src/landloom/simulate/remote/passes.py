"""The overpasses of Sentinel-2 over any granule: orbits, dates, and the part of the granule that each swath shows.

Ground tracks are meridians, 143 around the Earth, each passed over every five days by one of two satellites; swaths are
290 km wide. So a place is seen about 1.5 times in five days in Central Europe, from one or two orbits, and many scenes
end inside their granule, as those of the real archive do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import cos, floor, radians
from typing import TYPE_CHECKING, Final

from landloom.model.granules import EXTENT, granule_footprint, granule_grid
from landloom.simulate.schedule import scene_id
from landloom.simulate.world import SceneSpec

if TYPE_CHECKING:
    from landloom.model.ids import GranuleId
    from landloom.model.time import Period

TRACKS: Final = 143
"""Orbits until the ground track repeats."""
SWATH: Final = 290_000.0
"""Width of a swath in metres."""
EVERY: Final = 5
"""Days from one pass of an orbit to the next, with two satellites."""
_DEGREE: Final = 111_320.0
"""Metres of a degree of longitude at the equator."""
_START: Final = datetime(2015, 1, 1, tzinfo=UTC)
_TENTHS: Final = 10
_NOON: Final = timedelta(hours=10, minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """An orbit that shows a granule."""

    orbit: int
    """Relative orbit, 1 to 143."""
    west: float
    """First metre that its swath shows, from the west edge of the granule."""
    east: float
    """Last one."""


@lru_cache(maxsize=4096)
def tracks(granule: GranuleId) -> tuple[Track, ...]:
    """The orbits that show a granule, from the west.

    Example:
        >>> from landloom.model.ids import GranuleId
        >>> found = tracks(GranuleId.parse("33UUU"))
        >>> [(track.orbit, round(track.west / 1e3), round(track.east / 1e3)) for track in found]
        [(5, 0, 13), (6, 0, 110), (7, 62, 110)]
    """
    west, south, east, north = granule_footprint(granule).bounds
    metres = _DEGREE * cos(radians((south + north) / 2))
    middle, step = (west + east) / 2, 360.0 / TRACKS
    found = []
    reach = (SWATH + EXTENT) / 2 / metres
    for number in range(floor((middle - reach) / step), floor((middle + reach) / step) + 2):
        centre = (number * step - middle) * metres + EXTENT / 2
        first, last = max(centre - SWATH / 2, 0.0), min(centre + SWATH / 2, float(EXTENT))
        if last - first > EXTENT / 100:
            found.append(Track(orbit=number % TRACKS + 1, west=first, east=last))
    return tuple(found)


def passes(granule: GranuleId, period: Period) -> list[SceneSpec]:
    """The scenes of a granule in a period, by time.

    Example:
        >>> from landloom.model.ids import GranuleId
        >>> from landloom.model.time import Period
        >>> [scene.id for scene in passes(GranuleId.parse("33UUU"), Period.parse("2018-01-01", "2018-01-06"))]
        ['S2B_33UUU_20180102_0_L2A', 'S2B_33UUU_20180104_0_L2A', 'S2A_33UUU_20180105_0_L2A']
    """
    first, last = ((instant - _START) // timedelta(days=1) for instant in (period.start, period.end))
    found = []
    for track in tracks(granule):
        phase = (2 * track.orbit) % EVERY
        days = range(first + (phase - first) % EVERY, last + 1, EVERY)
        found += [scene for day in days if (scene := _scene(granule, track, day)).time in period]
    return sorted(found, key=lambda scene: (scene.time, scene.id))


@lru_cache(maxsize=4096)
def _scene(granule: GranuleId, track: Track, day: int) -> SceneSpec:
    platform = "sentinel-2a" if day // EVERY % 2 == 0 else "sentinel-2b"
    time = _START + timedelta(days=day) + _NOON + timedelta(minutes=track.orbit % _TENTHS)
    grid = granule_grid(granule, 10)
    edge = None
    if track.east < EXTENT:
        edge = (grid.west + track.east, grid.south, grid.west + track.east, grid.north)
    elif track.west > 0:
        edge = (grid.west + track.west, grid.north, grid.west + track.west, grid.south)
    return SceneSpec(
        id=scene_id(platform, str(granule), time, 0),
        time=time,
        granule=str(granule),
        grid=grid,
        platform=platform,
        orbit=track.orbit,
        swath=edge,
        sequence=0,
    )


def number_of(scene: SceneSpec) -> int:
    """How often its orbit was passed before: consecutive scenes have consecutive numbers."""
    return (scene.time - _START) // timedelta(days=EVERY)
