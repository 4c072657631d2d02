"""Scenes of one overpass: what neighbouring granules show of it is one observation."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landloom.model.scene import Scene

SAME_PASS: Final = timedelta(minutes=2)
"""Scenes of one satellite and orbit that start within it are one observation on neighbouring granules."""


def overpasses(scenes: Sequence[Scene], epsg: int) -> list[list[Scene]]:
    """Gather the scenes that one overpass left on several granules: together they are one observation.

    Args:
        scenes: of one timestep.
        epsg: CRS of the samples; scenes in it come first, so that they win over warped ones.

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
