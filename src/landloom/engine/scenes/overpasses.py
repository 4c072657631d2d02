"""Scenes of one overpass: those on neighbouring granules are one observation."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landloom.model.scene import Scene

SAME_PASS: Final = timedelta(minutes=2)
"""Largest difference of start times for scenes of one satellite and orbit to belong to one overpass."""


def overpasses(scenes: Sequence[Scene], epsg: int) -> list[list[Scene]]:
    """Group the scenes of one overpass on several granules: together they are one observation.

    Args:
        scenes: of one timestep.
        epsg: CRS of the samples; scenes in it come first, so that they take precedence over warped ones.

    Returns:
        Overpasses in time order; within one, same CRS first, then by id.
    """
    passes: list[list[Scene]] = []
    for scene in sorted(scenes, key=lambda s: (s.platform or "", s.orbit or 0, s.time, s.id)):
        last = passes[-1][0] if passes else None
        same = last is not None and (last.platform, last.orbit) == (scene.platform, scene.orbit)
        if last is not None and same and scene.time - last.time <= SAME_PASS:
            passes[-1].append(scene)
        else:
            passes.append([scene])
    ordered = [sorted(group, key=lambda s: (s.epsg != epsg, s.id)) for group in passes]
    return sorted(ordered, key=lambda group: (min(scene.time for scene in group), group[0].id))
