"""Searching many footprints with few requests: neighbours share a request, because their results mostly overlap."""

from __future__ import annotations

from collections import defaultdict
from math import floor
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from shapely import box, total_bounds

from landloom.archive.dedupe import resolve_duplicates
from landloom.archive.protocol import is_wanted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from shapely.geometry.base import BaseGeometry

    from landloom.archive.protocol import Archive
    from landloom.model.scene import Scene
    from landloom.model.time import Period

SIDE: Final = 2.0
"""Degrees of longitude and latitude within which footprints share a request; a granule spans about one degree."""


@runtime_checkable
class Remote(Protocol):
    """An archive that is searched over a network."""

    def found(self, footprint: BaseGeometry, period: Period) -> tuple[Scene, ...]:
        """The same as `search`, with reprocessed duplicates."""
        ...


@runtime_checkable
class Local(Protocol):
    """An archive that is read in one pass for all footprints."""

    def search_each(
        self, footprints: Mapping[str, BaseGeometry], period: Period
    ) -> Iterator[tuple[str, tuple[Scene, ...]]]:
        """Search for each of many footprints."""
        ...


def search_each(
    archive: Archive, footprints: Mapping[str, BaseGeometry], period: Period
) -> Iterator[tuple[str, tuple[Scene, ...]]]:
    """Search for each of many footprints; the results are those of one search per footprint.

    Args:
        archive: read in one pass where it can be, searched by boxes of neighbouring footprints if it is remote, else
            once per footprint.
        footprints: name → outline in WGS84.
        period: half-open.

    Returns:
        Name and scenes, as soon as they are known; neighbours follow each other.

    Raises:
        FaultError: as in `Archive.search`.
    """
    if isinstance(archive, Local):
        yield from archive.search_each(footprints, period)
        return
    if not isinstance(archive, Remote):
        for name, footprint in footprints.items():
            yield name, archive.search(footprint, period)
        return
    for names in _neighbours(footprints):
        scenes = archive.found(_box(footprints[name] for name in names), period)
        for name in names:
            yield name, resolve_duplicates(scene for scene in scenes if is_wanted(scene, footprints[name], period))


def _neighbours(footprints: Mapping[str, BaseGeometry]) -> Iterator[list[str]]:
    """Names of footprints that share a request; a footprint across the antimeridian gets its own."""
    groups: dict[tuple[int, int], list[str]] = defaultdict(list)
    for name, footprint in footprints.items():
        west, south, east, north = footprint.bounds
        if east - west > 180:
            yield [name]
        else:
            groups[floor((west + east) / 2 / SIDE), floor((south + north) / 2 / SIDE)].append(name)
    yield from groups.values()


def _box(footprints: Iterator[BaseGeometry]) -> BaseGeometry:
    """One outline that contains all footprints; for a single one, the footprint itself."""
    shapes = list(footprints)
    return shapes[0] if len(shapes) == 1 else box(*total_bounds(shapes))
