"""Class fractions of cells: what is read around them suffices, from polygons and rasters, for cells of any kind."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from landloom.corpus.layout import Layout
from landloom.engine.sources.cell_fractions import (
    CellsTask,
    SampleCells,
    TileCells,
    cell_fractions,
    encode_millionths,
    fraction_notes,
    is_named_as_raster,
    read_millionths,
    source_settings,
)
from landloom.engine.sources.label_files import LabelFiles
from landloom.engine.units import NoteKind
from landloom.errors import InvalidInputError
from landloom.model.apportion import MILLION
from landloom.model.ids import CELL_SIZE, SampleId, TileId
from landloom.model.product import product
from landloom.model.recipe import LabelSource
from landloom.model.sample import Sample
from landloom.model.taxonomy import taxonomy
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

TILE = TileId.parse("33N_16E-243N")
GRID = TILE.grid(100)
COLUMN_TYPE = LabelSource(taxonomy="clc", file="x", column="code")
RASTER = LabelSource(taxonomy="clc", file="x.tif")


@pytest.fixture(scope="module")
def codes() -> np.ndarray:
    """CORINE classes in patches of 300 m over a tile, whose middle third has none."""
    rng = np.random.default_rng(3)
    patches = rng.choice([111, 211, 311, 512], (80, 80))
    found = patches.repeat(3, 0).repeat(3, 1)
    found[:, 81:159] = 0
    return found


@pytest.fixture(scope="module")
def files(codes: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same map as polygons, in another CRS, and as a raster."""
    folder = tmp_path_factory.mktemp("labels")
    small = codes[::3, ::3]
    places = np.argwhere(small).tolist()
    boxes = [shapely.box(*GRID.window(3 * row, 3 * column, 3, 3).bounds) for row, column in places]
    frame = geopandas.GeoDataFrame(
        {"code": [str(small[row, column]) for row, column in places]}, geometry=boxes, crs=GRID.epsg
    )
    frame.to_file(folder / "own.gpkg")
    frame.geometry = shapely.segmentize(frame.geometry.to_numpy(), 10)
    frame.to_crs(3035).to_file(folder / "laea.gpkg")
    with rasterio.open(
        folder / "map.tif",
        "w",
        driver="GTiff",
        dtype="uint16",
        count=1,
        height=240,
        width=240,
        nodata=0,
        crs=f"EPSG:{GRID.epsg}",
        transform=GRID.affine,
    ) as file:
        file.write(codes.astype(np.uint16), 1)
    return folder


def some_cells(seed: int, count: int = 8) -> list[SampleId]:
    return sorted(random.Random(seed).sample(TILE.samples(), count))  # noqa: S311 - cells, not secrets


def counted(codes: np.ndarray, cell: SampleId) -> dict[str, float]:
    """Shares by counting the map's pixels of 100 m in a cell."""
    row, column = cell.grid(CELL_SIZE).at(100).offset_in(GRID)
    found, counts = np.unique(codes[row : row + 6, column : column + 6], return_counts=True)
    return {"999" if code == 0 else str(code): count / 36 for code, count in zip(found, counts, strict=True)}


@settings(max_examples=4)
@given(st.integers(0, 2**16))
def test_shares_are_those_of_the_whole_map(files: Path, codes: np.ndarray, seed: int) -> None:
    """Whatever the source: a raster and polygons of one CRS agree exactly, reprojected ones nearly."""
    cells, known = some_cells(seed), taxonomy("clc")
    grids = SampleCells(samples=tuple(Sample.of_utm24(cell) for cell in cells)).grids()
    own = cell_fractions(str(files / "own.gpkg"), COLUMN_TYPE, grids).millionths
    drawn = cell_fractions(str(files / "map.tif"), RASTER, grids).millionths
    moved = cell_fractions(str(files / "laea.gpkg"), COLUMN_TYPE, grids).millionths
    assert (own.sum(axis=1) == MILLION).all()
    np.testing.assert_array_equal(own, drawn)
    assert np.abs(own - moved).max() < 200
    for row, cell in zip(own, cells, strict=True):
        wanted = np.zeros(len(known.codes()))
        for code, share in counted(codes, cell).items():
            wanted[known.index[code]] = share
        assert np.abs(row / MILLION - wanted).max() < 1.5e-6


@given(st.integers(0, 2**16), st.integers(1, 30))
def test_cells_of_a_tile_are_its_samples(seed: int, count: int) -> None:
    cells = some_cells(seed, count)
    small = TileCells(tile=TILE, rows=bytes(one.row for one in cells), columns=bytes(one.column for one in cells))
    same = SampleCells(samples=tuple(Sample.of_utm24(cell) for cell in cells))
    assert small.grids() == same.grids()
    assert all(grid.shape == (1, 1) for grid in small.grids())
    assert small.identity() != TileCells(tile=TILE, rows=small.rows[:-1], columns=small.columns[:-1]).identity()
    json.dumps([small.identity(), same.identity()])


def test_a_task_keeps_its_table_and_publishes_labels_if_asked(files: Path, tmp_path: Path) -> None:
    samples = tuple(Sample.of_utm24(cell) for cell in some_cells(1))
    files_of = LabelFiles(
        layout=Layout(name="a", version="1.0"),
        product=product("labels"),
        columns=taxonomy("clc").columns(),
        samples=samples,
    )
    store = LocalStore(tmp_path)
    outcomes = [
        CellsTask(
            store=str(tmp_path),
            key=".landloom/t.npy",
            path=str(files / "own.gpkg"),
            source=COLUMN_TYPE,
            cells=SampleCells(samples=samples),
            labels=labels,
        ).run()
        for labels in (None, files_of)
    ]
    table = read_millionths(store, ".landloom/t.npy")
    assert table.shape == (len(samples), len(taxonomy("clc").codes()))
    assert [len(outcome.files) for outcome in outcomes] == [1, 1 + len(samples)]
    assert outcomes[0].observed == ()
    (observed,) = outcomes[1].observed
    assert (observed.product, observed.timesteps) == ("labels", ())
    assert observed.table.all()
    for sample, row in zip(samples, table, strict=True):
        document = json.loads(store.get(files_of.layout.label(sample.id)))
        shares = [document["properties"].get(name, 0) for name in files_of.columns]
        assert shares == pytest.approx((row / MILLION).tolist())


def test_what_a_person_should_know_is_noted(tmp_path: Path) -> None:
    """Rows that were repaired, ground that two polygons claim, cells without any label."""
    cell, bare = SampleId.parse("33N_16E-243N_29_01"), SampleId.parse("33N_16E-243N_01_40")
    west, south, east, north = cell.grid(CELL_SIZE).bounds
    bow = shapely.Polygon([(west, south), (east, north), (east, south), (west, north)])
    geopandas.GeoDataFrame(
        {"code": ["311", "211"]}, geometry=[shapely.box(west, south, east, north), bow], crs=GRID.epsg
    ).to_file(tmp_path / "bow.gpkg")
    source = LabelSource(taxonomy="clc", file="x", column="code", invalid="repair")
    table = cell_fractions(str(tmp_path / "bow.gpkg"), source, (cell.grid(CELL_SIZE), bare.grid(CELL_SIZE)))
    notes = {note.kind: note for note in fraction_notes(table)}
    assert set(notes) == {NoteKind.REPAIRED, NoteKind.OVERLAP, NoteKind.UNLABELLED}
    assert notes[NoteKind.UNLABELLED].count == 1
    assert notes[NoteKind.REPAIRED].what.startswith("feature 2: Self-intersection")
    with pytest.raises(InvalidInputError, match=r"(?s)bow\.gpkg: .*feature 2"):
        cell_fractions(str(tmp_path / "bow.gpkg"), COLUMN_TYPE, (cell.grid(CELL_SIZE),))
    with pytest.raises(InvalidInputError, match="got no column"):
        cell_fractions(str(tmp_path / "bow.gpkg"), LabelSource(taxonomy="clc", file="x"), (cell.grid(CELL_SIZE),))


def test_a_raster_that_does_not_reach_says_nothing(files: Path) -> None:
    far = SampleId.parse("33N_20E-243N_01_01").grid(CELL_SIZE)
    table = cell_fractions(str(files / "map.tif"), RASTER, (far,))
    assert table.of("999").tolist() == [MILLION]


@given(st.integers(0, 2**16), st.integers(0, 9), st.integers(1, 50))
def test_tables_come_back(seed: int, cells: int, classes: int) -> None:
    from tempfile import TemporaryDirectory

    table = np.random.default_rng(seed).integers(0, MILLION + 1, (cells, classes))
    with TemporaryDirectory() as folder:
        store = LocalStore(folder)
        store.put("t", encode_millionths(table))
        np.testing.assert_array_equal(read_millionths(store, "t"), table)


def test_what_decides_the_numbers_is_what_is_asked_not_what_is_allowed() -> None:
    plain = source_settings(RASTER)
    assert source_settings(RASTER.model_copy(update={"allow_empty": True})) == plain
    assert source_settings(RASTER.model_copy(update={"invalid": "repair"})) != plain
    assert [is_named_as_raster(name) for name in ("a.TIF", "a.vrt", "a.gpkg", "tif")] == [True, True, False, False]
