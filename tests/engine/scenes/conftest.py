from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.engine.scenes.providers import write_recipe

from landloom.pipelines.build import build

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def from_disk(products: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus built from the products of Level-2A where they lie."""
    folder = write_recipe(tmp_path_factory.mktemp("disk"), {"kind": "safe", "href": str(products["L2A"])})
    build(folder)
    return folder / "corpus"
