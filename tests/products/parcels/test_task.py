"""Label rasters of samples: those of the whole region, window by window, or of one parcel alone if that is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas
import numpy as np
import pytest
from tests.labels.whole import rasterise_parcels
from tests.products.parcels.squares import COLUMNS, GRID, squares
from tests.projects import EAST, TERMS, project_of

from landloom.corpus.finished import FinishedCorpus
from landloom.corpus.layout import Layout
from landloom.engine.context import build_context, run_stage
from landloom.engine.sources.prepared import load_parcels, prepare_unit
from landloom.formats.geotiff import decode_geotiff
from landloom.labels.layers import LAYERS
from landloom.model.grid import Grid
from landloom.model.ids import WindowId
from landloom.model.recipe import ParcelSource
from landloom.model.sample import Sample
from landloom.products.parcels.kind import products
from landloom.products.parcels.section import ParcelsProduct
from landloom.products.parcels.task import LayersTask
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

LAYOUT = Layout(name="m", version="1.0", scheme="window")


def test_labels_are_those_of_the_whole_region(series: Path) -> None:
    there = FinishedCorpus.open(str(series / "corpus"))
    samples = [sample for part in there.tiles.values() for sample in part]
    wests, souths, easts, norths = zip(*(sample.bounds for sample in samples), strict=True)
    grid = Grid.of_bounds(EAST.epsg, (min(wests), min(souths), max(easts), max(norths)), 10)
    frame = geopandas.read_file(series / "parcels.gpkg")
    mapping = {row["value"]: int(row["code"]) for row in there.info.class_mappings["classes"] if row["value"]}
    whole, _ = rasterise_parcels(frame, grid, columns={"ground_truth": "crop"}, classes=mapping, invalid="repair")
    for sample in samples:
        row, column = sample.grid(10).offset_in(grid)
        for name in ("classes", "ids", "masks", "ratios", "distances"):
            key = there.info.layout.raster_label(sample.id, name, "1")
            got = decode_geotiff(there.store.get(key))[0][0]
            np.testing.assert_array_equal(got, getattr(whole, name)[row : row + 24, column : column + 24])


def window(row: int, column: int) -> Sample:
    west, north = GRID.west + 240 * column, GRID.north - 240 * row
    identity = WindowId("33N-500040E-5010960N", row + 1, column + 1)
    return Sample(id=identity, epsg=GRID.epsg, bounds=(west, north - 240, west + 240, north))


SAMPLES = tuple(window(row, column) for row in (3, 20, 40) for column in (1, 2, 30))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the squares are prepared."""
    folder = tmp_path_factory.mktemp("prepared")
    squares().to_parquet(folder / "parcels.parquet")
    project = project_of(folder, "demo-parcels")
    with build_context(folder / "corpus") as context:
        section = ParcelSource(file="parcels.parquet", columns=COLUMNS)
        one = prepare_unit(project, section, context, GRID, None)
        assert run_stage("preparing", [one], context) == []
    return folder / "corpus"


def cut(folder: Path, only: tuple[int, ...] | None, layers: tuple[str, ...] = LAYERS) -> dict[str, np.ndarray]:
    """Sample and layer → its raster."""
    section = ParcelsProduct.model_validate({"file": "-", "terms": TERMS, "layers": layers})
    mapping = load_parcels(LocalStore(folder), GRID).parcels.mapping
    made = tuple(products(section, mapping))
    task = LayersTask(store=str(folder), layout=LAYOUT, products=made, samples=SAMPLES, grid=GRID, only=only)
    outcome = task.run()
    assert len(outcome.files) == len(SAMPLES) * len(made)
    assert [one.product for one in outcome.observed] == [item.key for item in made]
    found = {}
    for sample in SAMPLES:
        for item in made:
            array, grid, _ = decode_geotiff((folder / LAYOUT.raster_label(sample.id, item.prefix, "1")).read_bytes())
            assert grid == sample.grid(10)
            assert array.dtype == np.dtype(item.dtype)
            found[f"{sample.id} {item.key}"] = array[0]
    return found


def test_windows_far_apart_are_cut_from_one_raster(prepared: Path) -> None:
    whole, _ = rasterise_parcels(squares(), GRID, columns=COLUMNS)
    found = cut(prepared, None)
    for sample in SAMPLES:
        row, column = sample.grid(10).offset_in(GRID)
        for name in LAYERS:
            part = getattr(whole, name)[row : row + 24, column : column + 24]
            np.testing.assert_array_equal(found[f"{sample.id} {name}"], part)


def test_a_window_about_one_parcel_shows_no_other(prepared: Path) -> None:
    """The rasters are those of a file that holds that parcel alone; some windows are about one that lies elsewhere."""
    frame, every = squares(), cut(prepared, None)
    frame, mapping = frame[frame.is_valid], load_parcels(LocalStore(prepared), GRID).parcels.mapping
    assert mapping is not None
    own = [int(every[f"{sample.id} ids"].max()) or int(frame["key"].iloc[0]) for sample in SAMPLES]
    found, shown = cut(prepared, tuple(own)), 0
    for sample, key in zip(SAMPLES, own, strict=True):
        rows = frame[frame["key"] == key]
        if not every[f"{sample.id} ids"].any():
            assert not found[f"{sample.id} ids"].any()
            continue
        alone, _ = rasterise_parcels(rows, sample.grid(10), columns=COLUMNS, classes=dict(mapping.codes))
        for name in ("ids", "classes", "ratios", "distances"):
            np.testing.assert_array_equal(found[f"{sample.id} {name}"], getattr(alone, name))
        shown += 1
    assert shown > 0


def test_only_layers_that_are_asked_for_are_written(prepared: Path) -> None:
    some = cut(prepared, None, ("ids", "distances"))
    assert {name.rpartition(" ")[2] for name in some} == {"ids", "distances"}
