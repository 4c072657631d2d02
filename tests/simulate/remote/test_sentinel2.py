"""The archive: its files are TIFFs that GDAL reads, its scenes are found, its orbits repeat."""

from __future__ import annotations

import itertools
from datetime import timedelta

import numpy as np
import pytest
from rasterio.io import MemoryFile

from landloom.archive.open import open_archive
from landloom.model.granules import EXTENT, granule_grid
from landloom.model.ids import GranuleId, TileId
from landloom.model.time import Period
from landloom.simulate.remote.blocks import COVERS, classification_blocks, reflectance_blocks
from landloom.simulate.remote.passes import EVERY, passes, tracks
from landloom.simulate.remote.sentinel2 import CLASSIFICATION, Sentinel2Content, scene_of
from landloom.simulate.remote.server import RemoteServer
from landloom.store.raster import open_raster

SIDE = 256
GRANULE = GranuleId.parse("33UUU")
MONTH = Period.parse("2018-05-01", "2018-06-01")


@pytest.mark.parametrize("band", ["B01", CLASSIFICATION])
def test_a_file_holds_its_blocks_on_the_granules_grid(band: str) -> None:
    content, scene = Sentinel2Content(side=SIDE), passes(GRANULE, MONTH)[0]
    held = content.find(f"/{scene.id}/{band}.tif", "", b"", "")
    assert held is not None
    data = b"".join(held.part(0, held.size))
    assert len(data) == held.size
    assert b"".join(held.part(1000, 500_000)) == data[1000:500_000]
    order = content.order(scene, band)
    with MemoryFile(data) as file, file.open() as raster:
        resolution = 60 if band == "B01" else 20
        assert tuple(raster.transform)[:6] == granule_grid(GRANULE, resolution).transform
        assert (raster.crs.to_epsg(), raster.block_shapes) == (32633, [(SIDE, SIDE)])
        across = -(-raster.width // SIDE)
        pixels = raster.read(1)
    shown = {number: pixels[:SIDE, SIDE * at : SIDE * (at + 1)] for at, number in enumerate(order[: across - 1])}
    assert len(shown) > 1
    for at, number in enumerate(order[: across - 1]):
        assert (pixels[:SIDE, SIDE * at : SIDE * (at + 1)] == shown[number]).all()
        assert (shown[number] == 0).all() == (number == 0)


def test_blocks_shrink_as_those_of_real_scenes() -> None:
    shares = [count / (2 * SIDE**2) for count in reflectance_blocks(SIDE).counts[1:]]
    assert 0.65 < min(shares) <= max(shares) < 0.78  # chips of the published corpus: 0.71
    thumbnails = classification_blocks().thumbnails[1:]
    cloudy = [float(np.isin(layer, (9,)).mean()) for layer in thumbnails]
    assert cloudy == sorted(cloudy)
    assert np.abs(np.array(cloudy) - COVERS).max() < 0.2


def test_scenes_are_found_through_the_api_page_by_page() -> None:
    tile = TileId.parse("33N_16E-243N")
    with RemoteServer(Sentinel2Content(side=SIDE)) as server:
        archive = open_archive("stac-api", server.address, "sentinel-2-l2a")
        found = archive.search(tile.grid(60).footprint(), Period.parse("2018-01-01", "2018-05-01"))
        assert archive.problems == ()
        assert server.tally.requests["catalogue"] > 2
        with open_raster(found[0].bands["B09"].href) as raster:
            assert raster.grid == granule_grid(GranuleId.parse(str(found[0].granule)), 60)
    months = {scene.time.month for scene in found}
    assert months == {1, 2, 3, 4}
    assert len({scene.id for scene in found}) == len(found)
    assert all(scene_of(scene.id) is not None for scene in found)
    assert scene_of("nonsense") is scene_of("S2A_33UUU_20180231_0_L2A") is None


@pytest.mark.parametrize("name", ["33TWL", "35VML", "30STJ", "21MXS", "60HUH"])
def test_every_part_of_a_granule_is_seen_every_five_days(name: str) -> None:
    granule = GranuleId.parse(name)
    strips = sorted((track.west, track.east) for track in tracks(granule))
    reach = 0.0
    for west, east in strips:
        assert west <= reach
        reach = max(reach, east)
    assert reach == EXTENT
    scenes = passes(granule, MONTH)
    for orbit in {scene.orbit for scene in scenes}:
        times = [scene.time for scene in scenes if scene.orbit == orbit]
        assert {later - time for time, later in itertools.pairwise(times)} == {timedelta(days=EVERY)}


def test_every_fifth_overpass_of_an_orbit_is_clear_anywhere() -> None:
    content = Sentinel2Content()
    orbit = passes(GRANULE, MONTH)[0].orbit
    scenes = [scene for scene in passes(GRANULE, MONTH) if scene.orbit == orbit][: len(COVERS)]
    orders = np.array([content.order(scene, CLASSIFICATION) for scene in scenes])
    seen = orders[:, (orders > 0).all(axis=0)]
    assert (np.sort(seen, axis=0) == np.arange(1, len(COVERS) + 1)[:, None]).all()
