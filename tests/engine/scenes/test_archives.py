"""Archives of a recipe: SAFE products on disk, what tells usable pixels of them, and searches that are remembered."""

from __future__ import annotations

import json
import shutil
import tarfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.engine.scenes.providers import EVERYWHERE, write_recipe
from tests.projects import project_of
from tests.rasters import read_window

from landloom.archive.safe.masks import product_mask
from landloom.archive.safe.products import SafeArchive
from landloom.corpus.audit.validate import audit
from landloom.corpus.finished import FinishedCorpus
from landloom.engine.context import build_context
from landloom.engine.pixels.windows import source_window
from landloom.engine.scenes.archives import Archives, all_scenes, recipe_archive
from landloom.engine.scenes.choose import choose
from landloom.errors import InvalidInputError, RecipeError
from landloom.formats.geotiff import decode_geotiff
from landloom.imagery.valid import data_valid, scl_valid
from landloom.model.grid import Grid
from landloom.model.ids import GranuleId
from landloom.model.recipe.recipe import MAIN
from landloom.model.scene import Role
from landloom.model.time import Period
from landloom.pipelines.build import build
from landloom.pipelines.registry import REGISTRY
from landloom.simulate.spec import world_spec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from landloom.model.scene import Scene

JUNE = Period.parse("2018-06-01", "2018-07-01")


def chips(there: FinishedCorpus, products: Path) -> Iterator[tuple[Scene, NDArray[Any], NDArray[Any], Grid]]:
    """Scene, chip, mask and grid of every date that one granule alone shows."""
    scenes = {scene.id: scene for scene in SafeArchive(products).search(EVERYWHERE, there.info.period)}
    product = there.info.product("s2_10m").product
    for tile, samples in there.tiles.items():
        for step in json.loads(there.store.get(f"lineage/{tile.replace('_', '/')}/S2-10M.json"))["timesteps"]:
            if [scene["granule"] for scene in step["scenes"]] != ["33UUR"]:
                continue
            for sample in samples[::6]:
                key = there.info.layout.chip(sample.id, product, step["timestep"])
                if there.store.exists(key):
                    chip, grid, _ = decode_geotiff(there.store.get(key))
                    mask = decode_geotiff(there.store.get(key.replace("S2-10M", "S2-VALID")))[0][0].astype(bool)
                    yield scenes[step["scenes"][0]["id"]], chip, mask, grid


def test_products_on_disk_become_a_corpus_pixel_by_pixel(from_disk: Path, products: dict[str, Path]) -> None:
    there = FinishedCorpus.open(str(from_disk))
    assert audit(there.store, digests=True).problems == ()
    for path in from_disk.rglob("lineage/**/*.json"):
        steps = json.loads(path.read_text(encoding="utf-8"))["timesteps"]
        assert {scene["validity"] for step in steps for scene in step["scenes"]} <= {"SCL"}
    compared = 0
    for scene, chip, mask, grid in chips(there, products["L2A"]):
        asset = scene.bands["B03"]
        want = read_window(asset.href, grid).astype(np.int64)
        want = np.where(want == 0, 0, np.maximum(want + asset.offset, 1))
        np.testing.assert_array_equal(chip[1], want)
        inner = source_window(grid.at(20), grid)
        assert inner is not None
        scl = read_window(scene.layers[Role.CLASSIFICATION].href, inner)
        clear = scl_valid(scl, clear=(4, 5, 6, 7, 11))
        data = np.logical_and.reduce([data_valid(band) for band in chip])
        np.testing.assert_array_equal(mask, clear.repeat(2, 0).repeat(2, 1) & data)
        compared += 1
    assert compared > 5


@pytest.mark.parametrize("ending", ["tar", "tgz"])
def test_packed_products_become_the_same_corpus(
    from_disk: Path, products: dict[str, Path], tmp_path: Path, ending: str
) -> None:
    """Every file that does not name the archive is the same, byte by byte."""
    (tmp_path / "packed").mkdir()
    with tarfile.open(tmp_path / f"packed/all.{ending}", "w:gz" if ending == "tgz" else "w") as archive:
        for product in sorted(products["L2A"].glob("*.zip")):
            shutil.unpack_archive(product, tmp_path / "loose")
        archive.add(tmp_path / "loose", "all")
    report = build(write_recipe(tmp_path, {"kind": "safe", "href": "packed"}))
    for part in ("imagery", "lineage", "labels"):
        made, wanted = (
            {path.relative_to(at): path.read_bytes() for path in at.glob(f"{part}/**/*.*") if path.is_file()}
            for at in (report.corpus, from_disk)
        )
        assert made == wanted, part


def test_level_1c_says_what_told_its_pixels(products: dict[str, Path], tmp_path: Path) -> None:
    """The published mask is the product's own, and `corpus.json` and lineage name what it was made of."""
    folder = write_recipe(tmp_path, {"kind": "safe", "href": str(products["L1C"]), "level": "L1C"})
    build(folder)
    there = FinishedCorpus.open(str(folder / "corpus"))
    assert set(there.info.product("s2_valid").validity) == {"MSK_CLASSI, MSK_QUALIT", "MSK_CLOUDS"}
    bands = there.info.recipe["products"]["s2_native"]["bands"]
    cloudy = compared = 0
    for scene, chip, mask, grid in chips(there, products["L1C"]):
        own = product_mask(scene, grid, bands).valid
        np.testing.assert_array_equal(mask, own & np.logical_and.reduce([data_valid(band) for band in chip]))
        cloudy += int((~own).sum())
        compared += 1
    assert compared > 5
    assert cloudy > 0


def test_level_1c_without_masks_counts_by_nodata_alone(products: dict[str, Path], tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    for product in sorted(products["L1C"].glob("*.SAFE"))[:4]:
        for path in product.rglob("*"):
            if path.is_file() and "MSK_" not in path.name:
                target = bare / path.relative_to(products["L1C"])
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(path)
    folder = write_recipe(tmp_path, {"kind": "safe", "href": str(bare), "level": "L1C"})
    build(folder)
    info = FinishedCorpus.open(str(folder / "corpus")).info
    assert info.product("s2_10m").validity == ("nodata only",)


def test_nothing_to_build_from_is_said(products: dict[str, Path], tmp_path: Path) -> None:
    archive = {"kind": "safe", "href": str(products["L2A"])}
    folder = write_recipe(tmp_path, archive)
    project = REGISTRY.open(folder)
    text = choose(project, recipe_archive(project, MAIN)).choice.to_csv()
    (folder / "scenes.csv").write_text(text.replace("yes,", "no,"))
    write_recipe(tmp_path, archive, scenes={"file": "scenes.csv"})
    with pytest.raises(InvalidInputError, match=r"got \d+ lines without a yes"):
        build(folder)
    write_recipe(tmp_path, archive, scenes={"levels": ["L1C"]})
    with pytest.raises(InvalidInputError, match="relax"):
        build(folder)
    with pytest.raises(RecipeError, match=r"archive\.href: missing"):
        build(write_recipe(tmp_path, {"kind": "safe"}))


class Heard:
    """A listener that remembers stages."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, int]] = []

    def started(self, stage: str, total: int) -> None:
        self.stages.append((stage, total))

    def advanced(self, unit: str, reason: str | None) -> None:
        """Nothing."""


def test_what_was_searched_is_remembered_tile_by_tile(tiny_archive: Path, tmp_path: Path) -> None:
    (tmp_path / "archive").symlink_to(tiny_archive)
    places = {place.name: place for place in world_spec("tiny").places}
    footprints = {name: Grid.of_bounds(one.epsg, one.bounds, 60).footprint() for name, one in places.items()}
    heard = Heard()
    with build_context(tmp_path / "corpus", listener=heard) as context:
        archives = Archives(project_of(tmp_path), context)
        first = archives.search(MAIN, footprints, JUNE)
        assert archives.search(MAIN, {"east": footprints["east"]}, JUNE) == {"east": first["east"]}
        assert archives.search(MAIN, footprints, Period.parse("2018-07-01", "2018-08-01")) != first
    assert [total for _, total in heard.stages] == [2, 2]
    for name, scenes in first.items():
        assert scenes
        assert all(scene.time in JUNE and scene.footprint.intersects(footprints[name]) for scene in scenes)
        assert [(scene.time, scene.id) for scene in scenes] == sorted((scene.time, scene.id) for scene in scenes)
    assert all_scenes([first]) == {scene.id for scenes in first.values() for scene in scenes}


def test_what_a_recipe_chooses_holds_for_every_tile_and_granule(tiny_archive: Path, tmp_path: Path) -> None:
    (tmp_path / "archive").symlink_to(tiny_archive)
    project = project_of(tmp_path, scenes={"policy": "least-cloudy 2"})
    chosen = set(choose(project, recipe_archive(project, MAIN)).choice.ids)
    with build_context(tmp_path / "corpus") as context:
        archives = Archives(project, context)
        found = archives.search(MAIN, {"all": EVERYWHERE}, Period.year(2018))
        assert {scene.id for scene in found["all"]} == chosen
        granule = GranuleId.parse("33UUR")
        own = archives.granules(MAIN, [granule], Period.year(2018))[granule]
        assert len(own.candidates) > len(own.chosen()) == 2
        assert {scene.granule for scene in own.candidates} == {"33UUR"}
        assert archives.problems == ()
