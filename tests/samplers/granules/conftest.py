from __future__ import annotations

import numpy as np
import pytest
from tests.samplers.granules.maps import NAMES, write_map


@pytest.fixture(scope="session")
def world_map(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Classes 1 to 17 in tenths of degrees all over the world."""
    codes = np.random.default_rng(3).integers(1, 18, (1800, 3600)).astype(np.uint8)
    return write_map(tmp_path_factory.mktemp("map") / "igbp.tif", codes, (-180, -90, 180, 90))


@pytest.fixture(scope="session")
def continents(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A table of granules and continents."""
    path = tmp_path_factory.mktemp("continents") / "continents.csv"
    lines = [f"{name},{'Oceania' if name[0] in '06' else 'Europe'}" for name in NAMES]
    path.write_text("\n".join(["id,continent", *lines]), encoding="utf-8")
    return str(path)
