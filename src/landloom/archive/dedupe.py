"""Duplicates: after reprocessing, an archive holds several products of one acquisition; a corpus uses one."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from shapely import area, intersection

from landloom.archive.protocol import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from landloom.model.scene import Scene

SAME_SENSING: Final = timedelta(seconds=60)
"""Start times of products of one acquisition differ by seconds; a satellite sees a granule again after an orbit
(100 minutes), another satellite after minutes."""
SAME_OUTLINE: Final = 0.5
"""Least share of the smaller outline that two products of one acquisition have in common. Below it they are two
datastrips of one datatake, split where the ground station changed, and complement each other."""
ONE_OUTLINE: Final = 0.9
"""Least share of their union that the outlines of two scenes of an unknown granule have in common if it is one."""
_STRIP: Final = re.compile(r"_S(\d{8}T\d{6})_", re.ASCII)

_NEVER: Final = datetime.min.replace(tzinfo=UTC)


def resolve_duplicates(scenes: Iterable[Scene]) -> tuple[Scene, ...]:
    """Keep one product per acquisition: the newest baseline, then the latest created, then the largest id.

    Two acquisitions on one day (other orbit, satellite or sensing time) are both kept, and so are two datastrips of one
    datatake and baseline. Scenes whose granule is unknown are one acquisition only if their baselines differ and their
    outlines are nearly the same.

    Returns:
        In order of time, then id, independent of the order of the input.

    Example:
        >>> from dataclasses import replace
        >>> from shapely import box
        >>> from landloom.model.scene import Scene
        >>> from landloom.model.time import parse_instant
        >>> time = parse_instant("2018-05-01T10:00:00")
        >>> old = Scene(id="a", time=time, granule="33TWL", epsg=None, footprint=box(0, 0, 1, 1), bands={})
        >>> new = replace(old, id="b", baseline="05.00")
        >>> [scene.id for scene in resolve_duplicates([new, old])]
        ['b']
    """
    squares: dict[tuple[str | None, str], list[Scene]] = defaultdict(list)
    for scene in scenes:
        squares[scene.granule, scene.level].append(scene)
    kept: list[Scene] = []
    for (granule, _), group in squares.items():
        kept += _newest(group, _same_acquisition if granule is not None else _reprocessed)
    return in_order(kept)


def _newest(scenes: list[Scene], same: Callable[[Scene, Scene], bool]) -> list[Scene]:
    """The scenes of a granule without those replaced by a newer product of the same acquisition."""
    kept: list[Scene] = []
    for scene in sorted(scenes, key=_precedence, reverse=True):
        if not any(same(scene, newer) for newer in kept):
            kept.append(scene)
    return kept


def _precedence(scene: Scene) -> tuple[float, datetime, str]:
    return (float(scene.baseline) if scene.baseline else 0.0, scene.created or _NEVER, scene.id)


def _same_acquisition(one: Scene, other: Scene) -> bool:
    if abs(one.time - other.time) > SAME_SENSING:
        return False
    if one.platform and other.platform and one.platform != other.platform:
        return False
    if one.orbit and other.orbit and one.orbit != other.orbit:
        return False
    if one.baseline == other.baseline and _strips(one, other) == 2:
        return False
    smaller = min(area(one.footprint), area(other.footprint))
    return bool(area(intersection(one.footprint, other.footprint)) >= SAME_OUTLINE * smaller)


def _strips(one: Scene, other: Scene) -> int:
    """How many datastrips two scenes are of, by the sensing times in their identifiers; 1 where these say nothing."""
    starts = [_STRIP.search(scene.datastrip or "") for scene in (one, other)]
    return len({match[1] for match in starts if match is not None}) or 1


def _reprocessed(one: Scene, other: Scene) -> bool:
    """Whether scenes of unknown granules are one acquisition: they could also be of neighbours, which overlap."""
    if not one.baseline or not other.baseline or one.baseline == other.baseline:
        return False
    union = area(one.footprint) + area(other.footprint) - area(intersection(one.footprint, other.footprint))
    alike = area(intersection(one.footprint, other.footprint)) >= ONE_OUTLINE * union
    return bool(alike) and _same_acquisition(one, other)
