"""A land-cover map in LandCoverNet's classes on any grid, against the crosswalk read pixel by pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from tests.projects import project_of

from landloom.engine.sources.class_map import ClassMap, class_map
from landloom.errors import InvalidInputError, NotFoundError
from landloom.imagery.resample import to_grid
from landloom.model.crosswalk import crosswalk
from landloom.model.grid import Grid
from landloom.model.recipe import ClassMapSource

if TYPE_CHECKING:
    from pathlib import Path

AREA = Grid.of_bounds(32633, (500_000, 5_000_000, 503_000, 5_003_000), 30)
KNOWN = crosswalk("globeland30_landcovernet")


def write_map(path: Path, codes: np.ndarray, nodata: int | None) -> str:
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        dtype="uint8",
        count=1,
        height=AREA.height,
        width=AREA.width,
        nodata=nodata,
        crs=f"EPSG:{AREA.epsg}",
        transform=AREA.affine,
    ) as file:
        file.write(codes.astype(np.uint8), 1)
    return str(path)


@pytest.fixture(scope="module")
def codes() -> np.ndarray:
    known = [int(code) for code in KNOWN.source.codes()]
    return np.random.default_rng(5).choice(known, AREA.shape)


@pytest.fixture(scope="module")
def path(codes: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_map(tmp_path_factory.mktemp("map") / "map.tif", codes, None)


def one(path: str, **overrides: str) -> ClassMap:
    return ClassMap(path=path, taxonomy="globeland30", overrides={key[1:]: code for key, code in overrides.items()})


@given(st.integers(-40, 320), st.integers(-40, 320), st.integers(1, 60), st.sampled_from([10.0, 20.0, 60.0]))
def test_a_window_is_cut_from_the_whole_map(
    path: str, codes: np.ndarray, row: int, column: int, side: int, metres: float
) -> None:
    west, north = AREA.west + 10 * column, AREA.north - 10 * row
    grid = Grid.of_bounds(32633, (west, north - side * metres, west + side * metres, north), metres)
    nothing = int(KNOWN.source.nodata)
    moved = to_grid(codes.astype(np.int64), AREA, grid, nodata=nothing)
    np.testing.assert_array_equal(one(path).on(grid), KNOWN.apply(moved))


def test_beside_the_map_there_is_nothing(path: str) -> None:
    far = Grid.of_bounds(32633, (600_000, 5_000_000, 600_600, 5_000_600), 10)
    assert not one(path).on(far).any()


def test_what_the_file_calls_nodata_is_nothing(tmp_path: Path, codes: np.ndarray) -> None:
    changed = codes.copy()
    changed[:50] = 77
    found = one(write_map(tmp_path / "map.tif", changed, 77)).on(AREA)
    assert not found[:50].any()
    np.testing.assert_array_equal(found[50:], KNOWN.apply(codes[50:]))


def test_every_code_that_the_taxonomy_does_not_know_is_named(tmp_path: Path, codes: np.ndarray) -> None:
    changed = codes.copy()
    changed[0, 0], changed[0, 1] = 77, 99
    with pytest.raises(InvalidInputError, match=r"map\.tif: .*77.*99"):
        one(write_map(tmp_path / "map.tif", changed, None)).on(AREA)


def test_a_recipe_may_translate_otherwise(path: str, codes: np.ndarray) -> None:
    code = int(KNOWN.source.codes()[0])
    found = one(path, **{f"c{code}": "7"}).on(AREA)
    assert (found[codes == code] == 7).all()
    np.testing.assert_array_equal(found[codes != code], KNOWN.apply(codes)[codes != code])


def test_a_map_is_the_same_by_bytes_taxonomy_and_translation(path: str) -> None:
    plain = one(path)
    assert plain.identity("bytes") == one("elsewhere/map.tif").identity("bytes")
    others: list[Any] = [plain.identity("other"), one(path, c10="7").identity("bytes")]
    assert plain.identity("bytes") not in others


def test_a_recipe_without_a_crosswalk_is_refused_when_it_is_planned(tmp_path: Path) -> None:
    project = project_of(tmp_path)
    found = class_map(project, ClassMapSource(file="map.tif"))
    assert (found.path, found.taxonomy) == (f"{tmp_path}/map.tif", "globeland30")
    with pytest.raises(NotFoundError, match="crosswalk"):
        class_map(project, ClassMapSource(file="map.tif", taxonomy="landcovernet"))
    with pytest.raises(NotFoundError, match="12345"):
        class_map(project, ClassMapSource(file="map.tif", crosswalk={"12345": "7"}))
