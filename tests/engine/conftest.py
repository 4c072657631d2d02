from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landloom.engine.journal import Journal
from landloom.simulate.safe.products import SafeForm, simulate_safe_archive
from landloom.simulate.schedule import plan_scenes
from landloom.simulate.spec import world_spec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.sqlite") as opened:
        yield opened


@pytest.fixture(scope="session")
def products(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Products of the eastern place by level: Level-2A zipped, Level-1C as folders with old and new masks."""
    folder = tmp_path_factory.mktemp("products")
    scenes = [scene for scene in plan_scenes(world_spec("tiny")) if scene.granule in {"33UUR", "32UQA"}]
    for level in ("L2A", "L1C"):
        form = SafeForm(level=level, zipped=level == "L2A", old=level == "L1C")
        simulate_safe_archive("tiny", folder / level, form, scenes=scenes, labels=False)
    return {level: folder / level for level in ("L2A", "L1C")}
