"""Names of simulated products, in both namings, are read by the reader of real ones."""

from __future__ import annotations

import pytest

from landloom.formats.safe.names import image_name, mask_name, product_metadata, tile_metadata
from landloom.model.sensor import SENTINEL2
from landloom.simulate.safe.product_names import SafeNames
from landloom.simulate.schedule import plan_scenes
from landloom.simulate.spec import world_spec

SCENES = plan_scenes(world_spec("tiny"))


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("level", ["L1C", "L2A"])
def test_names_are_read_for_what_they_are(level: str, *, old: bool) -> None:
    for scene in SCENES:
        names = SafeNames(scene=scene, level=level, old=old)
        assert product_metadata([names.metadata]) == (names.metadata, level)
        assert tile_metadata([names.tile_metadata]) == (names.tile_metadata,)
        for band in SENTINEL2.values():
            sizes = [int(band.resolution)] if level == "L1C" else [10, 20, 60]
            for size in sizes:
                found = image_name(names.image(band.name, size))
                assert found is not None
                assert (found.layer, found.resolution) == (band.name, size)
                assert f"GRANULE/{found.folder}" == names.folder
        assert mask_name(names.mask("CLOUDS", "B00", "gml")) is not None


@pytest.mark.parametrize("old", [False, True])
def test_no_two_scenes_or_files_share_a_name(*, old: bool) -> None:
    all_names = [SafeNames(scene=scene, level="L2A", old=old) for scene in SCENES]
    assert len({one.product for one in all_names}) == len(SCENES)
    for one in all_names:
        files = [one.image(band, size) for band in (*SENTINEL2, "SCL") for size in (10, 20, 60)]
        assert len(set(files)) == len(files)
        assert one.mission in one.product
        assert f"{one.scene.time:%Y%m%dT%H%M%S}" in one.product
