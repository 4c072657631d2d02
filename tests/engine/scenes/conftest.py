from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.engine.scenes.providers import write_recipe

from landloom.pipelines.build import build
from landloom.simulate.safe.products import SafeForm, simulate_safe_archive
from landloom.simulate.schedule import plan_scenes
from landloom.simulate.spec import world_spec

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def products(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Products of the eastern place by level: Level-2A zipped, Level-1C as folders with old and new masks."""
    folder = tmp_path_factory.mktemp("products")
    scenes = [scene for scene in plan_scenes(world_spec("tiny")) if scene.granule in {"33UUR", "32UQA"}]
    for level in ("L2A", "L1C"):
        form = SafeForm(level=level, zipped=level == "L2A", old=level == "L1C")
        simulate_safe_archive("tiny", folder / level, form, scenes=scenes, labels=False)
    return {level: folder / level for level in ("L2A", "L1C")}


@pytest.fixture(scope="session")
def from_disk(products: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus built from the products of Level-2A where they lie."""
    folder = write_recipe(tmp_path_factory.mktemp("disk"), {"kind": "safe", "href": str(products["L2A"])})
    build(folder)
    return folder / "corpus"
