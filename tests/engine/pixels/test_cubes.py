"""Memory of scenes that are read from cubes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.engine.small_scenes import AREA

from landloom.engine.pixels.cubes import held_chunks
from landloom.model.scene import Scene, SceneFile
from landloom.store.drivers import CubeVariable


@pytest.mark.parametrize(("driver", "held"), [("Zarr", 2**28), ("netCDF", 0), (None, 0)])
def test_decoded_chunks_of_zarr_cubes_count(driver: str | None, held: int) -> None:
    href = "/a/B04.tif" if driver is None else str(CubeVariable(file="/a/cube", driver=driver, name="B04"))
    bands = {"B04": SceneFile(href=href)}
    when = datetime(2018, 6, 1, tzinfo=UTC)
    scene = Scene(id="a", time=when, granule="33TWL", epsg=AREA.epsg, footprint=AREA.footprint(), bands=bands)
    assert held_chunks([scene]) == held
