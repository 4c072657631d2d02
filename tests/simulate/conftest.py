"""One tiny archive for all tests of simulate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from landloom.simulate.archive import ArchiveReport, simulate_archive
from landloom.simulate.schedule import plan_scenes
from landloom.simulate.spec import world_spec
from landloom.simulate.world import SceneSpec, World

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Written:
    folder: Path
    report: ArchiveReport
    scenes: dict[str, SceneSpec]
    items: dict[str, dict[str, Any]]
    world: World

    def file(self, scene: str, band: str) -> Path:
        return self.folder / "sentinel-2-l2a" / scene / f"{band}.tif"

    def flagged(self, flag: str) -> str:
        return self.report.special[flag][0]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("simulated")
    spec = world_spec("tiny")
    report = simulate_archive(spec, folder)
    scenes = {scene.id: scene for scene in plan_scenes(spec)}
    items = {name: orjson.loads((folder / "sentinel-2-l2a" / name / f"{name}.json").read_bytes()) for name in scenes}
    return Written(folder, report, scenes, items, World(spec))
