"""Products on disk as scenes: folders and zips, both levels and namings, and everything that can be broken."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely
from tests.archive.safe.made import CHOSEN, SPEC, WORLD, YEAR, Written

from landloom.archive.open import open_archive
from landloom.archive.protocol import Archive
from landloom.archive.safe.masks import _bytes
from landloom.archive.safe.products import SafeArchive
from landloom.errors import InvalidInputError, PermanentFaultError
from landloom.formats.safe.safe_product import L1C_BANDS, L2A_BANDS
from landloom.model.scene import Role
from landloom.model.sensor import SENTINEL2
from landloom.model.time import Period
from landloom.simulate.safe.images import level_1c
from landloom.simulate.safe.product_names import SafeNames
from landloom.simulate.safe.products import SafeForm, product_files, simulate_safe_archive
from landloom.simulate.stac_items import scene_footprint
from landloom.simulate.world import World
from landloom.store.raster import open_raster

if TYPE_CHECKING:
    from pathlib import Path


def test_scenes_carry_what_the_products_say(written: Written) -> None:
    for planned, scene in written.found():
        assert scene.level == written.form.level
        assert (scene.time, scene.granule, scene.epsg) == (planned.time, planned.granule, planned.grid.epsg)
        assert (scene.baseline, scene.platform, scene.orbit) == (planned.baseline, planned.platform, planned.orbit)
        assert scene.footprint.symmetric_difference(scene_footprint(planned)).area < 1e-10
        bands = L1C_BANDS if scene.level == "L1C" else L2A_BANDS
        assert tuple(scene.bands) == bands
        assert set(scene.layers) == ({Role.CLASSIFICATION} if scene.level == "L2A" else set())
        assert bool(scene.masks) == (scene.level == "L1C")
        assert {asset.offset for asset in scene.bands.values()} == {-planned.offset}
        others = (*scene.layers.values(), *scene.masks.values())
        assert {asset.offset for asset in others} == {0}
        for asset in (*scene.bands.values(), *others):
            data = _bytes(asset.href)
            assert asset.size == len(data)
            assert asset.checksum == "d50110" + hashlib.md5(data).hexdigest()  # noqa: S324
        missing = 100 * np.mean(World(SPEC).render(planned)["SCL"] == 0)
        assert scene.nodata_share == pytest.approx(missing, abs=1e-4)


def test_every_band_opens_at_its_native_resolution_with_the_world_s_pixels(written: Written) -> None:
    for planned, scene in written.found():
        layers = World(SPEC).render(planned)
        if scene.level == "L1C":
            layers = dict(level_1c(layers, planned.offset))
        for band, pixels in layers.items():
            asset = scene.layers[Role.CLASSIFICATION] if band == "SCL" else scene.bands[band]
            with open_raster(asset.href) as raster:
                assert raster.grid == planned.grid.at(20 if band == "SCL" else SENTINEL2[band].resolution)
                assert np.array_equal(raster.read(raster.grid), pixels)


def test_search_keeps_to_footprint_and_period(written: Written) -> None:
    archive = SafeArchive(written.folder)
    (first, scene), (second, other) = written.found()
    assert archive.search(WORLD, Period(first.time, second.time)) == (scene,)
    assert archive.search(shapely.box(100, 0, 101, 1), YEAR) == ()
    assert other in archive.search(other.footprint, YEAR)


def test_the_door_opens_level_2a_unless_told(written: Written) -> None:
    archive = open_archive("safe", str(written.folder))
    assert isinstance(archive, Archive)
    count = 2 if written.form.level == "L2A" else 0
    assert len(archive.search(WORLD, YEAR)) == count
    assert len(open_archive("safe", str(written.folder), "L1C").search(WORLD, YEAR)) == 2 - count
    with pytest.raises(InvalidInputError, match="L1C or L2A"):
        open_archive("safe", str(written.folder), "L2B")


@pytest.fixture
def product(tmp_path: Path) -> Path:
    report = simulate_safe_archive(SPEC, tmp_path / "archive", scenes=CHOSEN[:1], labels=False)
    return tmp_path / "archive" / report.products[0]


def named(folder: Path) -> list[str]:
    archive = SafeArchive(folder)
    assert archive.search(WORLD, YEAR) == ()
    assert all(str(folder) in problem.where for problem in archive.problems)
    return [problem.what for problem in archive.problems]


def test_broken_products_are_named_and_do_not_hide_sound_ones(product: Path) -> None:
    folder = product.parent
    broken = shutil.copytree(product, folder / "BROKEN.SAFE")
    (broken / "MTD_MSIL2A.xml").write_bytes(b"<half")
    (folder / "cut.zip").write_bytes(b"PK\x03\x04 and no more")
    with zipfile.ZipFile(folder / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "no product")
    empty = folder / "EMPTY.SAFE"
    empty.mkdir()
    (empty / "MTD_MSIL2A.xml").write_bytes((product / "MTD_MSIL2A.xml").read_bytes())
    found = SafeArchive(folder)
    assert [scene.href for scene in found.search(WORLD, YEAR)] == [str(product)]
    assert found.search(WORLD, YEAR)
    wheres = [problem.where.rpartition("/")[2] for problem in found.problems]
    assert wheres == ["BROKEN.SAFE", "EMPTY.SAFE", "cut.zip"]


def test_missing_images_leave_their_bands_out(product: Path) -> None:
    for path in product.rglob("*_B04_10m.jp2"):
        path.unlink()
    archive = SafeArchive(product.parent)
    (scene,) = archive.search(WORLD, YEAR)
    assert "B02" in scene.bands
    assert "B04" not in scene.bands  # its coarser copies are no substitute
    assert "1 listed image(s) not there" in archive.problems[0].what


def test_a_product_without_any_image_is_no_scene(product: Path) -> None:
    for path in product.rglob("*.jp2"):
        path.unlink()
    assert any("images of its bands are not there" in what for what in named(product.parent))


def test_an_unpacked_product_goes_before_its_zip(product: Path) -> None:
    shutil.make_archive(str(product.parent / "a"), "zip", product.parent, product.name)
    archive = SafeArchive(product.parent)
    (scene,) = archive.search(WORLD, YEAR)
    assert scene.href == str(product)
    assert "is taken by" in archive.problems[0].what


def test_a_zip_without_the_outer_folder_opens_too(product: Path) -> None:
    shutil.make_archive(str(product.parent / "a"), "zip", product)
    shutil.rmtree(product)
    (scene,) = SafeArchive(product.parent).search(WORLD, YEAR)
    with open_raster(scene.bands["B05"].href) as raster:
        assert raster.read(raster.grid).any()


def test_old_products_of_many_granules_are_a_scene_each(tmp_path: Path) -> None:
    one = CHOSEN[0]
    form = SafeForm(level="L1C", old=True)
    held = dict(product_files(SPEC, one, form))
    names = SafeNames(scene=one, level="L1C", old=True)
    other = {path.replace("T32UPA", "T32UQA"): data for path, data in held.items() if path.startswith("GRANULE/")}
    held |= {
        path: data.replace(b"T32UPA", b"T32UQA") if path.endswith(".xml") else data for path, data in other.items()
    }
    for path, data in held.items():
        target = tmp_path / names.product / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    scenes = SafeArchive(tmp_path).search(WORLD, YEAR)
    assert [scene.granule for scene in scenes] == ["32UPA", "32UQA"]
    assert len({scene.id for scene in scenes}) == 2
    files = (*scenes[1].bands.values(), *scenes[1].masks.values())
    assert all("T32UQA" in asset.href for asset in files)


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(PermanentFaultError, match="no such folder"):
        SafeArchive(tmp_path / "nowhere").search(WORLD, YEAR)
