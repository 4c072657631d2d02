"""Reading scenes: windows hold what the files hold, whichever is asked for; a broken file is the scene's fault."""

from __future__ import annotations

import pickle
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import maximum_filter
from tests.engine.small_scenes import AREA, Small, numbers_of, write_scene

from landloom.engine.pixels.masks import NODATA_ONLY, PixelMask
from landloom.engine.pixels.reading import SceneFaultError, SceneReader
from landloom.formats.geotiff import encode_cog
from landloom.imagery.resample import to_grid
from landloom.model.grid import Grid
from landloom.model.scene import Role, SceneFile
from landloom.model.sensor import CLEAR, LANDSAT_C2_L2
from landloom.model.shapes import reproject

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

BANDS = ("B04", "B05")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    return write_scene(tmp_path_factory.mktemp("scene"), numbers_of(1, (*BANDS, "SCL")), offset=-1000)


def reader(small: Small, *, dilate: int = 0, clear: frozenset[int] | None = None) -> SceneReader:
    return SceneReader(small.scene, bands=BANDS, mask=PixelMask(clear=clear, dilate=dilate))


def whole(small: Small, name: str, target: Grid = AREA) -> NDArray[Any]:
    """A band of the whole scene on a grid, its offset applied."""
    numbers = small.numbers[name].astype(np.int64)
    shown = np.where(numbers == 0, 0, np.maximum(numbers - 1000, 1)).astype(np.uint16)
    moved: NDArray[Any] = to_grid(shown, small.grids[name], target)
    return moved


def usable(small: Small, dilate: int) -> NDArray[np.bool_]:
    """Where the whole scene's classification is clear, on its own pixels."""
    scl = small.numbers["SCL"]
    clear = np.isin(scl, sorted(int(one) for one in CLEAR))
    grown = maximum_filter((~clear & (scl != 0)).astype(np.uint8), size=2 * dilate + 1, mode="constant", cval=0)
    return np.asarray(clear & (grown == 0))


# Numbers ----------------------------------------------------------------------------------------------------------


@given(st.integers(-30, 250), st.integers(-30, 250), st.integers(1, 60), st.integers(0, 3))
def test_every_window_is_cut_from_what_the_whole_scene_shows(
    small: Small, row: int, column: int, side: int, dilate: int
) -> None:
    """Also of what clouds beyond the window make unusable: neighbouring windows agree on the pixels between them."""
    target = AREA.window(row, column, side, side)
    with reader(small, dilate=dilate) as scene:
        bands = [scene.band(name, target) for name in BANDS]
        clear, seen = scene.clear(target), scene.observe(target)
    everywhere = to_grid(usable(small, dilate).astype(np.uint8), small.grids["SCL"], target).astype(bool)
    for name, band in zip(BANDS, bands, strict=True):
        assert band is None or np.array_equal(band, whole(small, name, target))
        assert band is not None or not whole(small, name, target).any()
    assert clear is None or np.array_equal(clear, everywhere)
    assert clear is not None or not everywhere.any()
    valid = everywhere & np.logical_and.reduce([whole(small, name, target) > 0 for name in BANDS])
    assert (seen is None) == (not valid.any())
    if seen is not None:
        np.testing.assert_array_equal(seen.valid, valid)
        np.testing.assert_array_equal(seen.bands, [whole(small, name, target) for name in BANDS])


def test_in_another_zone_pixels_are_those_of_the_whole_scene(small: Small) -> None:
    middle = reproject(AREA.footprint().centroid, 4326, 32632).centroid
    west, north = round(middle.x / 60) * 60, round(middle.y / 60) * 60
    target = Grid.of_bounds(32632, (west, north - 600, west + 600, north), 10)
    with reader(small) as scene:
        for name in BANDS:
            band = scene.band(name, target)
            np.testing.assert_array_equal(band, whole(small, name, target))
            assert band is not None
            assert band.all()


def test_what_the_offset_takes_below_one_is_clamped_and_counted(small: Small) -> None:
    with reader(small) as scene:
        band = scene.band("B04", AREA)
        low = (small.numbers["B04"] > 0) & (small.numbers["B04"] < 1001)
        assert scene.clamped == int(low.sum()) > 0
    assert band is not None
    assert (band[low] == 1).all()
    assert (band == 0).sum() == (small.numbers["B04"] == 0).sum(), "a valid pixel never becomes nodata"


def test_classes_that_count_are_the_sections_own(small: Small) -> None:
    with reader(small, clear=frozenset({6})) as scene:
        clear = scene.clear(AREA)
        classes = scene.classes(AREA)
    assert clear is not None
    assert classes is not None
    np.testing.assert_array_equal(clear, classes == 6)
    np.testing.assert_array_equal(classes, small.numbers["SCL"].repeat(2, 0).repeat(2, 1))


def test_files_are_opened_again_after_a_release(small: Small) -> None:
    with reader(small) as scene:
        before = scene.observe(AREA)
        scene.release()
        after = scene.observe(AREA)
        assert scene.grid("B05") == small.grids["B05"]
        assert scene.classification_grid() == small.grids["SCL"]
    assert before is not None
    assert after is not None
    np.testing.assert_array_equal(before.bands, after.bands)


def test_bits_and_scaled_numbers_of_another_sensor(tmp_path: Path) -> None:
    """Landsat: QA_PIXEL has bits, numbers are brought to 10,000 × reflectance."""
    grid = AREA.at(30)
    rng = np.random.default_rng(2)
    stored = rng.integers(7_300, 43_000, grid.shape).astype(np.uint16)
    quality = rng.choice([21_824, 21_826, 22_280, 1], grid.shape).astype(np.uint16)
    paths = {}
    for name, array in (("B4", stored), ("QA_PIXEL", quality)):
        paths[name] = tmp_path / f"{name}.tif"
        paths[name].write_bytes(encode_cog(array[None], grid))
    plain = write_scene(tmp_path, numbers_of(1, ("B04",))).scene
    scene = replace(
        plain,
        sensor=LANDSAT_C2_L2.name,
        bands={"B4": SceneFile(href=str(paths["B4"]), conversion=LANDSAT_C2_L2.conversion)},
        layers={Role.CLASSIFICATION: SceneFile(href=str(paths["QA_PIXEL"]))},
    )
    with SceneReader(scene, bands=("B4",), mask=PixelMask()) as opened:
        seen = opened.observe(grid)
        assert opened.validity == "QA_PIXEL"
    assert seen is not None
    np.testing.assert_array_equal(seen.valid, quality == 21_824)
    exact = (stored.astype(np.int64) * 275 - 2_000_000 + 500) // 1_000  # halves up
    np.testing.assert_array_equal(seen.bands[0], np.maximum(exact, 1))


# Faults -----------------------------------------------------------------------------------------------------------


def broken(small: Small, folder: Path, name: str, size: int | None) -> Small:
    """The scene with one file cut at a size, or without it."""
    shutil.copytree(folder, folder.parent / "broken")
    path = folder.parent / "broken" / "S2A_1" / f"{name}.tif"
    data = path.read_bytes()
    path.unlink()
    if size is not None:
        path.write_bytes(data[:size])

    def moved(asset: SceneFile) -> SceneFile:
        return replace(asset, href=asset.href.replace(str(folder), str(folder.parent / "broken")))

    bands = {key: moved(one) for key, one in small.scene.bands.items()}
    layers = {role: moved(one) for role, one in small.scene.layers.items()}
    return replace(small, scene=replace(small.scene, bands=bands, layers=layers))


@pytest.mark.parametrize(("name", "size"), [("B05", None), ("B05", 3_000), ("SCL", None), ("B04", 10)])
def test_a_broken_file_is_a_fault_of_its_scene_and_names_it_without_paths(
    tmp_path: Path, name: str, size: int | None
) -> None:
    folder = tmp_path / "whole"
    small = broken(write_scene(folder, numbers_of(1, (*BANDS, "SCL"))), folder, name, size)
    with pytest.raises(SceneFaultError, match=f"S2A_1/{name}") as caught, reader(small) as scene:
        scene.observe(AREA)
    assert caught.value.scene == small.scene
    assert str(tmp_path) not in str(caught.value)
    caught.value.__cause__ = caught.value.__context__ = None  # as a unit's errors travel
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again), again.scene) == (SceneFaultError, str(caught.value), small.scene)


def test_a_band_or_classification_that_a_scene_lacks_is_its_fault(small: Small) -> None:
    bare = replace(small.scene, layers={})
    with SceneReader(bare, bands=("B04", "B12"), mask=PixelMask()) as scene:
        assert (scene.validity, scene.is_classified) == (NODATA_ONLY, False)
        with pytest.raises(SceneFaultError, match="no band SCL, got B04, B05"):
            scene.observe(AREA)
        with pytest.raises(SceneFaultError, match="no band B12, got B04, B05"):
            scene.band("B12", AREA)
