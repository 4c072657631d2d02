"""Which scenes of the tiny world the tests of SAFE products use, and in which forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import shapely

from landloom.archive.safe.products import SafeArchive
from landloom.model.time import Period
from landloom.simulate.safe.products import SafeForm
from landloom.simulate.schedule import plan_scenes
from landloom.simulate.spec import world_spec

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.model.scene import Scene
    from landloom.simulate.world import SceneSpec


SPEC = world_spec("tiny")
PLANNED = [scene for scene in plan_scenes(SPEC) if not scene.flags or "truncated" in scene.flags]
CHOSEN = (
    next(scene for scene in PLANNED if scene.baseline < "04" and scene.cover > 0.2),
    next(scene for scene in PLANNED if scene.baseline >= "04" and scene.swath is not None),
)
WORLD = shapely.box(-180, -90, 180, 90)
YEAR = Period.year(2018)
FORMS = {
    "L2A folder": SafeForm(),
    "L2A old zip": SafeForm(old=True, zipped=True),
    "L1C old folder": SafeForm(level="L1C", old=True),
    "L1C zip": SafeForm(level="L1C", zipped=True),
}


@dataclass(frozen=True)
class Written:
    folder: Path
    form: SafeForm
    scenes: tuple[SceneSpec, ...]

    def found(self) -> list[tuple[SceneSpec, Scene]]:
        archive = SafeArchive(self.folder)
        found = archive.search(WORLD, YEAR)
        assert archive.problems == ()
        return list(zip(sorted(self.scenes, key=lambda scene: scene.time), found, strict=True))
