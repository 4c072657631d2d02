"""Simulated products: bytes repeat, pixels are the world's, metadata says what is in them."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import rasterio
from tests.formats.safe.manifest import manifest_names

from landloom.errors import InvalidInputError
from landloom.formats.safe.safe_product import parse_product
from landloom.model.sensor import SENTINEL2
from landloom.simulate.safe.images import level_1c
from landloom.simulate.safe.metadata import view_nodes
from landloom.simulate.safe.products import SafeForm, as_delivered, product_files, simulate_safe_archive
from landloom.simulate.schedule import plan_scenes
from landloom.simulate.spec import world_spec
from landloom.simulate.world import World

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.simulate.world import SceneSpec

SPEC = world_spec("tiny")
SCENES = plan_scenes(SPEC)
OLD = next(scene for scene in SCENES if scene.baseline < "04" and not scene.flags and scene.swath is None)
NEW = next(scene for scene in SCENES if scene.baseline >= "04" and scene.swath is not None)
FORMS = [SafeForm(level=level, old=old) for level in ("L1C", "L2A") for old in (False, True)]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.level}{'-old' if form.old else ''}")
@pytest.mark.parametrize("planned", [OLD, NEW], ids=["02", "04"])
def test_a_product_holds_what_the_world_shows(form: SafeForm, planned: SceneSpec) -> None:
    scene = as_delivered(planned)
    files = product_files(SPEC, scene, form)
    assert files == product_files(SPEC, scene, form)
    held = dict(files)
    product = parse_product(list(held), held.__getitem__)
    (granule,) = product.granules
    assert (product.level, product.baseline, product.missing) == (form.level, scene.baseline, ())
    assert (product.time, product.orbit, product.platform) == (scene.time, scene.orbit, scene.platform)
    assert set(product.offsets.values()) == {-scene.offset}
    assert ("_OPER_PRD_" in product.name or "_USER_PRD_" in product.name) == (form.old and scene.baseline < "04")
    assert {granule.grids[m] for m in (10, 20, 60)} == {scene.grid.at(m) for m in (10, 20, 60)}
    layers = World(SPEC).render(scene)
    wanted = level_1c(layers, scene.offset) if form.level == "L1C" else layers
    assert set(product.bands) <= set(wanted)
    for band in (*product.bands, *(("SCL",) if form.level == "L2A" else ())):
        with rasterio.MemoryFile(held[str(granule.native(band))]) as memory, memory.open() as image:
            assert image.driver == "JP2OpenJPEG"
            assert image.transform == scene.grid.at(20 if band == "SCL" else SENTINEL2[band].resolution).affine
            assert image.crs.to_epsg() == scene.grid.epsg
            assert np.array_equal(image.read(1), wanted[band])
    assert set(manifest_names(held["manifest.safe"])) == set(held) - {"manifest.safe"}


def test_angles_go_in_as_they_come_out() -> None:
    held = dict(product_files(SPEC, as_delivered(OLD), SafeForm()))
    (granule,) = parse_product(list(held), held.__getitem__).granules
    assert set(granule.view) == set(SENTINEL2)
    for band in ("B02", "B11"):
        detectors = [view_nodes(OLD, band, number) for number in (0, 1)]
        wanted = np.nanmean([zenith for zenith, _ in detectors], axis=0)
        assert granule.view[band].zenith == pytest.approx(wanted, abs=1e-3)
        assert granule.view[band].azimuth == pytest.approx(np.nanmean([az for _, az in detectors], axis=0), abs=1e-3)


def test_archives_repeat_to_the_byte_and_are_left_when_finished(tmp_path: Path) -> None:
    form, some = SafeForm(zipped=True), SCENES[:2]
    first = simulate_safe_archive(SPEC, tmp_path / "a", form, scenes=some, labels=False)
    other = simulate_safe_archive(SPEC, tmp_path / "b", form, scenes=some, labels=False, workers=2)
    assert first == other == simulate_safe_archive("tiny", tmp_path / "a", form, scenes=some, labels=False)
    assert first.products == tuple(sorted(path.name for path in (tmp_path / "a").glob("*.zip")))
    for name in first.products:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        with zipfile.ZipFile(tmp_path / "a" / name) as archive:
            assert archive.testzip() is None
            assert {member.split("/")[0] for member in archive.namelist()} == {name.replace(".zip", ".SAFE")}
    with pytest.raises(InvalidInputError, match="another archive"):
        simulate_safe_archive(SPEC, tmp_path / "a", replace(form, level="L1C"), scenes=some, labels=False)


def test_mistakes_are_named() -> None:
    with pytest.raises(InvalidInputError, match="L1C or L2A"):
        SafeForm(level="L3A")


def test_labels_lie_beside_the_products(tmp_path: Path) -> None:
    simulate_safe_archive(SPEC, tmp_path, scenes=SCENES[:1])
    assert {"parcels.gpkg", "region.geojson", "truth"} <= {path.name for path in tmp_path.iterdir()}
